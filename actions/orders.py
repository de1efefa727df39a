"""Ordering a bouquet, also "the same as" somebody else's."""

from datetime import date

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.act import Act
from actions.days import spoken
from actions.delivery import DeliveryAddress, DeliveryDay, problem_with
from actions.form_actions import actions_of, close
from actions.forms import Form, finished
from actions.hearing import SUSPENDED, Heard, Slots, slots_of, suspended
from actions.order_questions import (
    CardText,
    HowToPay,
    PlaceIt,
    ShareCode,
    WhichBouquet,
    draft_of,
    shortened,
)
from actions.questions import Change
from actions.reading import number
from actions.saying import Say
from assistant.context import TurnContext, current
from assistant.needs import ANYONE


class OrderForm(Form):
    """From the bouquet to "place it"."""

    needs = ANYONE

    name = "order_form"
    started_by = frozenset(("order_bouquet",))
    left = "utter_order_left"

    def __init__(self) -> None:
        titles = {
            "bouquet": "The bouquet",
            "day": "The day",
            "address": "The address",
            "card_text": "The card",
            "payment": "The payment",
        }
        change = Change("order_change", titles, "order_confirmed")
        confirm = PlaceIt("order_confirmed", "", "Place the order", change)
        self.questions = (WhichBouquet(), DeliveryDay(), DeliveryAddress(), CardText(), HowToPay(), confirm, change)

    @property
    def empty(self) -> Slots:
        """Its slots without answers."""
        return {**super().empty, "street": None, "delivery_area": None}

    def prepare(self, heard: Heard) -> Slots:
        """Whoever orders is no longer looking for somebody else's bouquet."""
        waiting = suspended(heard.slots)
        kept = " ".join(name for name in waiting if name not in (SameAsForm.name, self.name))
        return {SUSPENDED: kept} if SameAsForm.name in waiting else {}

    def command(self, heard: Heard) -> str:
        """Who moves or cancels "the order" while ordering means this one, unless they give a number."""
        if number(heard.text, "F") is not None:
            return heard.intent
        return {"change_day": "change_answer", "cancel_order": "cancel"}.get(heard.intent, heard.intent)

    def where(self, context: TurnContext, slots: Slots) -> str:
        """Bouquet, day and address, as far as they are known."""
        bouquet = context.shop.bouquet(slots.get("bouquet") or "")
        line = f"We were ordering {bouquet.name}" if bouquet else "We were putting an order together"
        if day := slots.get("day"):
            line += f" for {spoken(date.fromisoformat(day))}"
        if address := slots.get("address"):
            line += f" to {shortened(address)}"
        return f"{line}."


class SameAsForm(Form):
    """Finds the bouquet that somebody else had."""

    needs = ANYONE

    name = "same_as_form"
    started_by = frozenset(("same_as",))
    questions = (ShareCode(),)

    def where(self, context: TurnContext, slots: Slots) -> str:
        """That a code was asked for."""
        return "We were looking for the bouquet that someone you know had."


class TakeShared(Act):
    """Goes on to order the bouquet that a share code led to."""

    needs = ANYONE

    def __init__(self, form: SameAsForm) -> None:
        self._form = form
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_take_shared"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Fill in the bouquet."""
        slots = slots_of(tracker)
        bouquet = slots.get("shared_bouquet")
        if bouquet is None:
            return close(self._form, slots)
        return [SlotSet("shared_bouquet", None), SlotSet("bouquet", bouquet), FollowupAction("order_form")]


class PlaceOrder(Act):
    """Places the order when everything was decided and confirmed."""

    def __init__(self, form: OrderForm) -> None:
        self._form = form
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_place_order"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Place it and say number, total and share code; or say what changed meanwhile and ask on."""
        context, slots = current(), slots_of(tracker)
        if not finished(self._form, slots):
            return close(self._form, slots)
        draft = draft_of(slots, context.shop)
        if draft is None:
            Say("utter_bouquet_gone").utter(dispatcher)
            return self._ask_again("bouquet")
        problem = problem_with(draft.day, context)
        if problem is not None:
            problem.utter(dispatcher)
            return self._ask_again("day")
        order = context.orders.place(context.person.id, context.conversation_id, draft)
        values = {
            "number": order.number,
            "said_bouquet": order.bouquet_name,
            "said_day": spoken(order.day),
            "total": order.total.format(),
            "code": order.share_code,
        }
        Say("utter_order_placed", values=values).utter(dispatcher)
        return close(self._form, slots)

    def _ask_again(self, slot: str) -> list[EventType]:
        return [SlotSet(slot, None), SlotSet("order_confirmed", None), FollowupAction(self._form.name)]


def actions() -> tuple[Act, ...]:
    """The actions of ordering."""
    order, same = OrderForm(), SameAsForm()
    return (*actions_of(order), *actions_of(same), PlaceOrder(order), TakeShared(same))
