"""Greeting, not understanding, bare words out of the blue, and where we were."""

from collections.abc import Mapping

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.act import Act
from actions.days import days_in
from actions.forms import Form, missed
from actions.hearing import Heard, slots_of
from actions.order_questions import card_of, priced
from actions.reading import bouquets, country, phone, share_codes, spot
from actions.saying import Say, offer
from assistant.context import current
from assistant.needs import ANYONE
from assistant.numbers import is_share_code
from assistant.turns import Modality

WAYS_ON = (
    offer("Show me the bouquets", "browse_bouquets"),
    offer("Where is my order?", "order_status"),
    offer("Talk to a person", "ask_person"),
)


class Greet(Act):
    """Greets, by name where there is one."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_greet"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say hello; with something open, no more than that."""
        person = current().person
        if (tracker.active_loop or {}).get("name"):
            Say("utter_greet_again").utter(dispatcher)
        elif person.name:
            Say("utter_greet_by_name", values={"said_name": person.name.split()[0]}, choices=WAYS_ON).utter(dispatcher)
        else:
            Say("utter_greet", choices=WAYS_ON).utter(dispatcher)
        return []


class Goodbye(Act):
    """Says goodbye; with something open, that it stays and can go on by text."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_goodbye"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say it."""
        context = current()
        if not (tracker.active_loop or {}).get("name"):
            Say("utter_goodbye").utter(dispatcher)
        elif context.texting and context.turn.modality is not Modality.TEXT:
            Say("utter_goodbye_by_text", choices=(offer("Continue by text", "continue_by_text"),)).utter(dispatcher)
        else:
            Say("utter_kept_for_later").utter(dispatcher)
        return []


class Help(Act):
    """Shows what can be done."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_help"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say it, with choices unless a question is open that has its own."""
        if (tracker.active_loop or {}).get("name"):
            Say("utter_help_in_form").utter(dispatcher)
        else:
            Say("utter_help", choices=WAYS_ON).utter(dispatcher)
        return []


class Fallback(Act):
    """Nothing can be made of it: says so in one way, and the second time offers ways on."""

    needs = ANYONE

    def __init__(self, name: str, first: str = "utter_rephrase") -> None:
        self._name = name
        self._first = first

    def name(self) -> str:
        """Rasa's name for it."""
        return self._name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say so."""
        heard = Heard.of(tracker)
        heeded = missed(heard, Say(self._first), Say("utter_fallback_choices", choices=WAYS_ON), {})
        for say in heeded.says:
            say.utter(dispatcher)
        return [SlotSet(slot, value) for slot, value in heeded.slots.items()]


class Inform(Fallback):
    """Bare words while nothing is asked: a bouquet or a share code says enough to go on with."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Show the bouquet, look up the code, or ask what is meant."""
        heard = Heard.of(tracker)
        shop, found = heard.context.shop, bouquets(heard.text, heard.context.shop)
        if any(is_share_code(code) for code in share_codes(heard.text)):
            return [FollowupAction("same_as_form")]
        if phone(heard.text, country(shop)) is not None:
            return [FollowupAction("phone_form")]
        if bouquets(heard.text, shop, by_name=True) and (days_in(heard.text, heard.now) or spot(heard.text)):
            return [FollowupAction("order_form")]
        if len(found) != 1:
            return await super().run(dispatcher, tracker, domain)
        order = offer(f"Order {found[0].name}", "order_bouquet", bouquet=found[0].id)
        text = f"{priced(found[0], shop)}. {found[0].text}"
        Say(text=text, choices=(order,), card=card_of(found[0], shop)).utter(dispatcher)
        return []


class WhereWeWere(Act):
    """One line that says where the open form was, for somebody who comes back or from elsewhere."""

    needs = ANYONE

    def __init__(self, forms: Mapping[str, Form]) -> None:
        self._forms = forms

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_where_we_were"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say it; nothing when nothing is open."""
        form, context = self._forms.get(str((tracker.active_loop or {}).get("name"))), current()
        if form is not None and context.keeps_to_itself:
            Say("utter_begun_elsewhere").utter(dispatcher)
        elif form is not None:
            Say(text=form.where(context, slots_of(tracker))).utter(dispatcher)
        return []


def actions(forms: Mapping[str, Form]) -> tuple[Act, ...]:
    """The actions of small talk."""
    return (
        Greet(),
        Goodbye(),
        Help(),
        Fallback("action_fallback"),
        Fallback("action_default_fallback"),
        Fallback("action_out_of_scope", "utter_out_of_scope"),
        Inform("action_inform"),
        WhereWeWere(forms),
    )
