"""The way up: proving who one is, because something that was asked for needs it, and then getting it.

The core starts it when the gate refuses an action, and does again what was asked for when `action_proved` has said so.
"""

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.act import Act
from actions.form_actions import actions_of, close
from actions.forms import Form, Outcome, Problem
from actions.hearing import Heard, Slots, slots_of
from actions.profile import PROVEN, PhoneCode, PhoneNumber, send_code
from actions.reading import country, phone
from actions.saying import Say, offer
from assistant.context import TurnContext, current
from assistant.needs import ANYONE
from assistant.turns import Address, Modality

WISH = "wish"
"""The core's slot for what was asked for."""
_TEXTED = frozenset(("phone", "whatsapp"))
_TO_A_PERSON = offer("Talk to a person", "ask_person")


def numbers_of(context: TurnContext) -> tuple[Address, ...]:
    """Where a code may go, the best first: where they write or call from, then what they have proved.

    Somebody who has proved a number must use one of theirs: a code to any other number proves that somebody has that
    one, not that they are this person.
    """
    proven = [known.address for known in context.person.addresses if known.proven_at and known.address.kind in _TEXTED]
    here = context.turn.address
    if here.kind in _TEXTED and not context.turn.shared and (here in proven or not proven):
        return (here, *(address for address in proven if address != here))
    return tuple(reversed(proven))


def _proved(context: TurnContext) -> bool:
    return any(known.proven_at for known in context.person.addresses)


class OwnNumber(PhoneNumber):
    """Which number the code goes to, when there is none at hand."""

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question."""
        return Say("utter_ask_own_number", reprompt="Tell me your mobile number, digit by digit.")

    def read(self, heard: Heard) -> Outcome:
        """One of their own numbers; any, when they have proved none and nothing else."""
        said, own = phone(heard.text, country(heard.context.shop)), numbers_of(heard.context)
        if said is None:
            return None
        chosen = next((address for address in own if address.value == said.value), None if own else said)
        if chosen is None:
            return Problem(Say("utter_not_your_number", choices=(_TO_A_PERSON,)))
        return send_code(heard, chosen)

    def overhear(self, heard: Heard) -> Outcome:
        """The number at hand, at once when the form opens; later only a corrected one."""
        own = numbers_of(heard.context)
        if heard.slots.get(self.slot) is None and own:
            return send_code(heard, own[0])
        said = phone(heard.text, country(heard.context.shop))
        return None if said is None or said.value == heard.slots.get(self.slot) else self.read(heard)


class OwnCode(PhoneCode):
    """The code that went there."""

    def goes_to(self, context: TurnContext, number: str) -> Address:
        """Where the first one went."""
        own = (address for address in numbers_of(context) if address.value == number)
        return next(own, super().goes_to(context, number))


class ProveForm(Form):
    """Proves who speaks by a code that is texted to them."""

    name = "prove_form"
    needs = ANYONE
    started_by = frozenset(("need_proof",))
    left = "utter_prove_left"
    questions = (OwnNumber(), OwnCode())

    def refuse(self, heard: Heard) -> Say | None:
        """Codes have to go somewhere."""
        context = heard.context
        if context.texting and (numbers_of(context) or not _proved(context)):
            return None
        in_writing = context.turn.modality is Modality.SCREEN
        return Say(
            "utter_prove_by_sign_in" if in_writing and _proved(context) else "utter_prove_in_person",
            choices=(_TO_A_PERSON,),
        )

    def where(self, context: TurnContext, slots: Slots) -> str:
        """That somebody had to be sure."""
        return "I was making sure that it is you."


class Proved(Act):
    """Says that it is proved; or that it is not, and goes on with what was open."""

    def __init__(self, form: ProveForm) -> None:
        self._form = form
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_proved"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say so. What was asked for is not asked for any more: the core takes it from here."""
        slots = slots_of(tracker)
        if current().proved and slots.get(PhoneCode.slot) == PROVEN:
            Say("utter_proved").utter(dispatcher)
        return [SlotSet(WISH, None), *close(self._form, slots)]


def actions() -> tuple[Act, ...]:
    """The actions of the way up."""
    form = ProveForm()
    return (*actions_of(form), Proved(form))
