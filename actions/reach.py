"""Where the person wants messages: by text or on WhatsApp, at a number that they have proved to be theirs."""

import re

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.access import BINDING
from actions.act import Act
from actions.form_actions import actions_of, close, suspend
from actions.forms import Form, Outcome
from actions.hearing import Heard, Slots, slots_of
from actions.profile import PROVEN, PhoneCode, PhoneNumber, send_code
from actions.reading import country, masked, phone
from actions.saying import Say, offer
from actions.wishes import by
from assistant.context import TurnContext, current
from assistant.needs import OWN
from assistant.turns import Address

REACH = "reach"
"""What a choice between ways to be written to carries: the kind of address."""
_WHATSAPP = r"w(?:h?ats?|ots) ?'?s? ?app?s?"
_TEXTS = r"texts?|texting|sms(?:es)?|phone|mobile|number"
_NOT = r"\b(?:instead of|rather than|not|no|no more|stop|without|never|don'?t|do not|hate)\b +(?:\w+ +){0,3}?"
_KINDS = (("whatsapp", re.compile(_WHATSAPP)), ("phone", re.compile(rf"\b(?:{_TEXTS})\b")))
_REFUSED = (re.compile(_NOT + rf"(?:{_WHATSAPP})"), re.compile(_NOT + rf"\b(?:{_TEXTS})\b"))


def reach_in(text: str) -> str | None:
    """The kind of address at which somebody wants messages, if they say: `whatsapp` or `phone`."""
    said = text.lower().replace("’", "'")
    named = [bool(pattern.search(said)) for _, pattern in _KINDS]
    refused = [bool(pattern.search(said)) for pattern in _REFUSED]
    for index, (kind, _) in enumerate(_KINDS):
        if (named[index] and not refused[index]) or (refused[1 - index] and not refused[index]):
            return kind
    return None


def proven_number(context: TurnContext, kind: str | None) -> Address | None:
    """The person's number of this kind that was proved last."""
    proven = [
        (known.proven_at, known.address)
        for known in context.person.addresses
        if known.address.kind == kind and known.proven_at and known.holds
    ]
    return max(proven, key=lambda pair: pair[0])[1] if proven else None


class WhatsAppNumber(PhoneNumber):
    """The number that the person has WhatsApp on. Sends the code there."""

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question."""
        return Say("utter_ask_whatsapp_number", reprompt="Tell me the number, digit by digit.")

    def read(self, heard: Heard) -> Outcome:
        """A number."""
        said = phone(heard.text, country(heard.context.shop))
        return send_code(heard, Address("whatsapp", said.value)) if said else None

    def overhear(self, heard: Heard) -> Outcome:
        """The number at hand, at once when the form opens; later only a corrected one."""
        said, known = phone(heard.text, country(heard.context.shop)), heard.slots.get(self.slot)
        if said is not None:
            return None if said.value == known else self.read(heard)
        here, own = heard.context.turn.address, heard.context.person.phone
        at_hand = here if here.kind == "whatsapp" else own
        return None if known or at_hand is None else send_code(heard, Address("whatsapp", at_hand.value))


class WhatsAppCode(PhoneCode):
    """The code that was sent there."""

    kind = "whatsapp"
    proof = "whatsapp code"

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question."""
        return Say("utter_ask_whatsapp_code", reprompt="Read me the six digits.")


class WhatsAppForm(Form):
    """Proves that a number on WhatsApp is the person's, so that they can be written to there."""

    name = "whatsapp_form"
    needs = BINDING
    left = "utter_preference_left"
    questions = (WhatsAppNumber(), WhatsAppCode())

    def refuse(self, heard: Heard) -> Say | None:
        """Codes have to go somewhere."""
        return None if heard.context.texting else Say("utter_texting_off")

    def where(self, context: TurnContext, slots: Slots) -> str:
        """That WhatsApp was being connected."""
        return "We were connecting your WhatsApp."


class ConnectWhatsApp(Act):
    """Prefers WhatsApp once it is proved."""

    def __init__(self, form: WhatsAppForm) -> None:
        self._form = form
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_connect_whatsapp"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Keep it; the slot alone proves nothing."""
        slots = slots_of(tracker)
        address = proven_number(current(), "whatsapp")
        if slots.get(PhoneCode.slot) == PROVEN and address is not None:
            _prefer(current(), address).utter(dispatcher)
        return close(self._form, slots)


class SetReach(Act):
    """Keeps where the person wants messages, if they have proved to be there; else says how they can."""

    needs = OWN

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_set_reach"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Do so, or ask which way."""
        heard = Heard.of(tracker)
        kind = heard.chosen.get(REACH) or reach_in(heard.text)
        address = proven_number(heard.context, kind)
        if address is not None:
            _prefer(heard.context, address).utter(dispatcher)
        elif kind == "whatsapp":
            return [*suspend(tracker), FollowupAction(WhatsAppForm.name)]
        elif kind == "phone":
            Say("utter_no_phone", choices=(offer("Connect my phone", "continue_by_text"),)).utter(dispatcher)
        else:
            ways = (
                offer("Text messages", "set_reach", reach="phone"),
                offer("WhatsApp", "set_reach", reach="whatsapp"),
            )
            Say("utter_ask_reach", choices=ways).utter(dispatcher)
        return []


def _prefer(context: TurnContext, address: Address) -> Say:
    context.profiles.set_reach(context.person.id, address.kind)
    if context.outbox.is_opted_out(address):
        return Say("utter_reach_stopped", values={"masked": masked(address)})
    return Say("utter_reach_set", values={"where": by(address)})


def actions() -> tuple[Act, ...]:
    """The actions of where messages go."""
    whatsapp = WhatsAppForm()
    return (*actions_of(whatsapp), ConnectWhatsApp(whatsapp), SetReach())
