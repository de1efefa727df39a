"""Going on elsewhere: a link that opens the conversation in a browser, and a code for where nothing can be opened."""

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.access import BINDING
from actions.act import Act
from actions.form_actions import actions_of, close, suspend
from actions.forms import Answer, Form, Outcome, Problem, Question
from actions.hearing import Heard, Slots, slots_of
from actions.reading import masked
from actions.saying import Say, offer
from actions.screens import eight_digits
from assistant.context import TurnContext, current
from assistant.links import Link, PairResult
from assistant.needs import ANYONE
from assistant.profiles import LinkOutcome
from assistant.turns import Address, Card, Modality

LINK_WANTED = "link_wanted"
"""Our slot for that a link is to be texted once the number is proved."""
PAIRED = "paired"
PROOF = "pairing code"
_TO_A_PERSON = offer("Talk to a person", "ask_person")


def make_link(context: TurnContext, address: Address) -> Link:
    """A link to the conversation of this turn, to be shown at or sent to this address."""
    return context.links.make(context.person.id, context.conversation_id, address)


def text_link(context: TurnContext, number: Address) -> Say:
    """Text a link to this number, which the person has proved, and say so; or say why not."""
    if context.public_url is None:
        return Say("utter_no_links")
    if not context.links.may_send(number):
        return Say("utter_link_limit")
    url = make_link(context, number).url(context.public_url)
    text = f"{context.shop.name}: go on in your browser, or just answer this message. Good for ten minutes, once: {url}"
    context.outbox.text(number, text, secret=True)
    return Say("utter_link_sent", values={"masked": masked(number)})


def _send_link(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Text a link to the proven number; without one, prove one first."""
    context = current()
    if not context.texting:
        Say("utter_link_not_texted").utter(dispatcher)
        return []
    number = context.person.phone
    if number is None:
        return [*suspend(tracker), SlotSet(LINK_WANTED, "yes"), FollowupAction("phone_form")]
    text_link(context, number).utter(dispatcher)
    return []


class GoOnInBrowser(Act):
    """Gives who writes or speaks a link that opens the conversation in a browser."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_go_on_in_browser"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """By text in the answer; by voice as a text message; in a browser there is nothing to do."""
        context = current()
        if context.turn.modality is Modality.VOICE:
            return _send_link(dispatcher, tracker)
        if context.turn.modality is Modality.SCREEN:
            Say("utter_in_browser_already").utter(dispatcher)
        elif context.public_url is None:
            Say("utter_no_links").utter(dispatcher)
        else:
            link = make_link(context, context.turn.address)
            Say("utter_link_here", values={"link": link.url(context.public_url)}).utter(dispatcher)
        return []


class SendToPhone(GoOnInBrowser):
    """Texts a link to the phone of who is in a browser; who is on the phone already gets one as they ask for it."""

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_send_to_phone"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Do so."""
        if current().turn.modality is Modality.SCREEN:
            return _send_link(dispatcher, tracker)
        return await super().run(dispatcher, tracker, domain)


class ConnectDevice(Act):
    """Shows what another device is connected with: a picture to scan, and digits to say or type."""

    needs = BINDING

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_connect_device"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Show it where only this person sees it; a voice says where that is."""
        context = current()
        if context.turn.modality is Modality.VOICE:
            Say("utter_connect_on_page").utter(dispatcher)
            return []
        link = make_link(context, context.turn.address)
        # The no-break space keeps the groups on one line, and marks what no transcript keeps.
        values = {"digits": f"{link.digits[:4]}\u00a0{link.digits[4:]}"}
        if context.turn.modality is Modality.TEXT or context.public_url is None:
            Say("utter_pairing_digits", values=values).utter(dispatcher)
            return []
        card = Card(
            "Connect another device",
            "Scan it with the camera of your phone. Good for ten minutes, once.",
            link.picture,
            "QR code that opens this conversation on the device that scans it",
        )
        choices = (offer("Text it to my phone", "send_to_phone"),) if context.texting else ()
        Say("utter_pairing_picture", values=values, card=card, choices=choices).utter(dispatcher)
        return []


class PairingCode(Question):
    """The code that another device shows. Joins its conversation."""

    slot = "pairing_code"
    called = ("code",)

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question."""
        return Say("utter_ask_pairing_code", reprompt="Read me the eight digits, or key them in.")

    def read(self, heard: Heard) -> Outcome:
        """The code. It brings who gives it to who was shown it, never the other way round."""
        context, digits = heard.context, eight_digits(heard.text)
        if digits is None:
            return None
        if context.turn.modality is Modality.TEXT:
            return Problem(Say("utter_pairing_by_text"), ends=True)
        opened = context.links.pair(context.person.id, digits)
        if isinstance(opened, PairResult):
            ends = opened is PairResult.LOCKED
            choices = (_TO_A_PERSON,) if ends else ()
            return Problem(Say(f"utter_pairing_code_{opened}", choices=choices), ends=ends)
        standing = context.standing
        if opened.person_id == context.person.id and not standing.aloud:
            return Problem(Say("utter_pairing_here_already"), ends=True)
        # Or whoever gets somebody to type a code of theirs would get into what that person has proved.
        refused = standing.proved and not standing.aloud
        if refused or context.join(opened.person_id, opened.conversation_id, PROOF) is LinkOutcome.REFUSED:
            return Problem(Say("utter_pairing_refused", choices=(_TO_A_PERSON,)), ends=True)
        return Answer(PAIRED)

    def overhear(self, heard: Heard) -> Outcome:
        """A code said together with the wish."""
        return self.read(heard)

    def is_meant(self, heard: Heard) -> bool:
        """Whether it is a code."""
        return eight_digits(heard.text) is not None


class PairingForm(Form):
    """Connects where the person is now with the conversation on another device of theirs."""

    needs = ANYONE

    name = "pairing_form"
    started_by = frozenset(("pairing_code",))
    left = "utter_pairing_left"
    questions = (PairingCode(),)

    def refuse(self, heard: Heard) -> Say | None:
        """The sender of a text message is easily forged, and a code says nothing about the number."""
        return Say("utter_pairing_by_text") if heard.context.turn.modality is Modality.TEXT else None

    def where(self, context: TurnContext, slots: Slots) -> str:
        """That a device was being connected."""
        return "We were connecting this with another device of yours."


class Paired(Act):
    """Says that the conversation goes on here; or goes on with what was open before."""

    def __init__(self, form: PairingForm) -> None:
        self._form = form
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_paired"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say it when it does."""
        slots = slots_of(tracker)
        if slots.get(PairingCode.slot) == PAIRED:
            Say("utter_paired").utter(dispatcher)
        return close(self._form, slots)


def actions() -> tuple[Act, ...]:
    """The actions of going on elsewhere."""
    form = PairingForm()
    return (GoOnInBrowser(), SendToPhone(), ConnectDevice(), *actions_of(form), Paired(form))
