"""What the assistant does, one module per skill. The core runs these in the turn's own transaction."""

from actions import (
    devices,
    handoff,
    order_care,
    orders,
    preferences,
    profile,
    proving,
    reach,
    requests,
    screens,
    shopfront,
    smalltalk,
)
from actions.act import Act
from actions.form_actions import Suspend
from actions.forms import Form


def all_forms() -> tuple[Form, ...]:
    """Every form."""
    return (
        orders.OrderForm(),
        orders.SameAsForm(),
        order_care.ChangeDayForm(),
        order_care.CancelOrderForm(),
        *requests.forms(),
        profile.PhoneForm(),
        profile.ForgetForm(),
        devices.PairingForm(),
        preferences.QuietForm(),
        reach.WhatsAppForm(),
        proving.ProveForm(),
        screens.ScreenForm(),
    )


def all_actions() -> tuple[Act, ...]:
    """Every custom action, for `Dialogue.load`."""
    forms = {form.name: form for form in all_forms()}
    return (
        Suspend(),
        *orders.actions(),
        *order_care.actions(),
        *shopfront.actions(),
        *requests.actions(),
        *profile.actions(forms),
        *devices.actions(),
        *preferences.actions(),
        *reach.actions(),
        *proving.actions(),
        *screens.actions(),
        *handoff.actions(),
        *smalltalk.actions(forms),
    )
