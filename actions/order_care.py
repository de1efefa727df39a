"""Looking after orders that were placed: where they are, another day, calling them off, sharing them."""

from datetime import date

from rasa_sdk import Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.act import Act
from actions.days import spoken
from actions.delivery import DeliveryDay
from actions.form_actions import actions_of, close
from actions.forms import Answer, Form, Outcome, Problem, Question, finished
from actions.hearing import Heard, Slots, slots_of
from actions.questions import NO, YES, YesNo
from actions.reading import number
from actions.saying import Say, answer, offer
from assistant.context import TurnContext, current
from assistant.needs import CHANGES_OWN, OWN
from assistant.orders import Order, OrderStatus

ORDERS_OFFERED = 3
"""Open orders that are offered as choices, the newest first."""


def open_orders(context: TurnContext) -> list[Order]:
    """The person's orders that are still to be delivered, newest first."""
    orders = context.orders.of_person(context.person.id)
    return [order for order in orders if order.status is OrderStatus.PLACED]


def _open_order(context: TurnContext, number: str | None) -> Order | None:
    return next((order for order in open_orders(context) if order.number == number), None)


class WhichOrder(Question):
    """Which of the person's open orders. The slot holds its number, one for each form: both may be open at once."""

    called = ("order",)

    def __init__(self, slot: str) -> None:
        self.slot = slot

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question with the newest orders."""
        orders = open_orders(context)[:ORDERS_OFFERED]
        choices = tuple(
            answer(f"{order.number}, {order.bouquet_name}, {spoken(order.day)}", self.slot, order.number)
            for order in orders
        )
        return Say(text="Which order do you mean?", choices=choices)

    def read(self, heard: Heard) -> Outcome:
        """An order number of theirs."""
        said = number(heard.text, "F")
        if said is None:
            return None
        if said not in [order.number for order in open_orders(heard.context)]:
            return Problem(Say("utter_order_unknown", values={"number": said}))
        return Answer(said, note=said)

    def overhear(self, heard: Heard) -> Outcome:
        """The same, said in passing."""
        return self.read(heard)


class _CareForm(Form):
    """A form about one open order, its first question. With only one there is nothing to ask."""

    needs = CHANGES_OWN

    def refuse(self, heard: Heard) -> Say | None:
        """There has to be an open order."""
        return None if open_orders(heard.context) else Say("utter_no_open_order", choices=_TO_ORDER)

    def prepare(self, heard: Heard) -> Slots:
        """The one open order there is."""
        orders = open_orders(heard.context)
        return (
            {self.questions[0].slot: orders[0].number} if len(orders) == 1 and number(heard.text, "F") is None else {}
        )

    def order(self, context: TurnContext, slots: Slots) -> Order | None:
        """The order that was decided on, while it is still open."""
        return next(
            (order for order in open_orders(context) if order.number == slots.get(self.questions[0].slot)), None
        )


class ChangeDayForm(_CareForm):
    """Another day for an order."""

    name = "change_day_form"
    started_by = frozenset(("change_day",))

    def __init__(self) -> None:
        self.questions = (WhichOrder("moved_order"), DeliveryDay("new_day", "Which day should it come instead?"))

    def where(self, context: TurnContext, slots: Slots) -> str:
        """Which order is being moved."""
        return f"We were moving your order {slots.get('moved_order') or ''}".rstrip() + " to another day."


class CallOff(YesNo):
    """Whether to cancel."""

    only_words = True

    def prompt(self, context: TurnContext, slots: Slots) -> str:
        """The question with number, bouquet and day."""
        order = _open_order(context, slots.get("cancelled_order"))
        what = f"{order.number}, {order.bouquet_name} for {spoken(order.day)}" if order else "your order"
        return f"Shall I cancel {what}?"

    def no(self, heard: Heard) -> Outcome:
        """Keep it."""
        return Answer(NO)


class CancelOrderForm(_CareForm):
    """Calling an order off."""

    name = "cancel_order_form"
    started_by = frozenset(("cancel_order",))
    left = "utter_order_kept"

    def __init__(self) -> None:
        self.questions = (
            WhichOrder("cancelled_order"),
            CallOff("cancel_confirmed", "", "Yes, cancel it", "No, keep it"),
        )

    def where(self, context: TurnContext, slots: Slots) -> str:
        """Which order is being cancelled."""
        return f"We were cancelling your order {slots.get('cancelled_order') or ''}".rstrip() + "."


_TO_ORDER = (offer("Order a bouquet", "order_bouquet"), offer("Show me the bouquets", "browse_bouquets"))


class ChangeDay(Act):
    """Moves the order."""

    def __init__(self, form: ChangeDayForm) -> None:
        self._form = form
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_change_day"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Move it and say so."""
        context, slots = current(), slots_of(tracker)
        order = self._form.order(context, slots)
        new_day = slots.get("new_day")
        if finished(self._form, slots) and order and new_day:
            moved = context.orders.change_day(context.person.id, order.number, date.fromisoformat(new_day))
            values = {"number": moved.number, "said_bouquet": moved.bouquet_name, "said_day": spoken(moved.day)}
            Say("utter_day_changed", values=values).utter(dispatcher)
        return close(self._form, slots)


class CancelOrder(Act):
    """Calls the order off."""

    def __init__(self, form: CancelOrderForm) -> None:
        self._form = form
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_cancel_order"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Cancel it, or keep it, and say so."""
        context, slots = current(), slots_of(tracker)
        order = self._form.order(context, slots)
        if finished(self._form, slots) and order:
            if slots.get("cancel_confirmed") == YES:
                context.orders.cancel(context.person.id, order.number)
                Say("utter_order_cancelled", values={"number": order.number}).utter(dispatcher)
            else:
                Say("utter_order_kept").utter(dispatcher)
        return close(self._form, slots)


class OrderStatusOf(Act):
    """Says where an order is: the one that was named, or the newest."""

    needs = OWN

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_order_status"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say it."""
        heard = Heard.of(tracker)
        _status(heard).utter(dispatcher)
        return []


def _status(heard: Heard) -> Say:
    context = heard.context
    said = number(heard.text, "F")
    orders = context.orders.of_person(context.person.id)
    if said is not None and (named := context.orders.by_number(context.person.id, said)) is None:
        return Say("utter_order_unknown", values={"number": said})
    if not orders:
        return Say("utter_no_order", choices=_TO_ORDER)
    order = named if said is not None and named else next(iter(open_orders(context)), orders[0])
    values = {
        "number": order.number,
        "said_bouquet": order.bouquet_name,
        "said_day": spoken(order.day),
        "said_address": order.address,
    }
    care = (offer("Change the day", "change_day"), offer("Cancel it", "cancel_order"))
    still_open = order.status is OrderStatus.PLACED
    due = still_open and order.day >= context.shop.today(context.now)
    response = f"utter_status_{order.status}" if due or not still_open else "utter_status_was_due"
    return Say(response, values=values, choices=care if due else ())


class ShareCodeOf(Act):
    """Gives the share code of the newest order."""

    needs = OWN

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_share_code"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say it."""
        heard = Heard.of(tracker)
        orders = heard.context.orders.of_person(heard.context.person.id)
        if not orders:
            Say("utter_no_order", choices=_TO_ORDER).utter(dispatcher)
        else:
            values = {"said_bouquet": orders[0].bouquet_name, "code": orders[0].share_code}
            Say("utter_share_code", values=values).utter(dispatcher)
        return []


def actions() -> tuple[Act, ...]:
    """The actions about orders that were placed."""
    change, cancel = ChangeDayForm(), CancelOrderForm()
    care = (ChangeDay(change), CancelOrder(cancel), OrderStatusOf(), ShareCodeOf())
    return (*actions_of(change), *actions_of(cancel), *care)
