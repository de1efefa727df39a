"""The screen beside the voice: showing this conversation on a television or a kiosk, and no more."""

import re

from rasa_sdk import Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.act import Act
from actions.form_actions import actions_of, close
from actions.forms import Answer, Form, Outcome, Problem, Question
from actions.hearing import Heard, Slots, slots_of
from actions.reading import MAX_CHARACTERS, digits_in
from actions.saying import Say, offer
from assistant.context import TurnContext, current
from assistant.needs import ANYONE, CHANGES_OWN
from assistant.screens import DIGITS, PairResult

_RUN = re.compile(r"(?<!\d)\d{4}[\s.-]?\d{4}(?!\d)")


def eight_digits(text: str) -> str | None:
    """The code of a screen or another device, however it is grouped or spoken."""
    runs = _RUN.findall(text[:MAX_CHARACTERS])
    digits = digits_in(runs[0]) if len(runs) == 1 else digits_in(text)
    return digits if len(digits) == DIGITS else None


class ScreenCode(Question):
    """The code that the screen shows. Pairs it."""

    slot = "screen_code"
    called = ("code",)

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question."""
        return Say("utter_ask_screen_code", reprompt="Read me the eight digits on the screen.")

    def read(self, heard: Heard) -> Outcome:
        """The code."""
        digits = eight_digits(heard.text)
        if digits is None:
            return None
        context = heard.context
        result = context.screens.pair(context.person.id, context.conversation_id, digits)
        if result is PairResult.PAIRED:
            return Answer(result)
        ends = result is PairResult.LOCKED
        choices = (offer("Talk to a person", "ask_person"),) if ends else ()
        return Problem(Say(f"utter_screen_code_{result}", choices=choices), ends=ends)

    def overhear(self, heard: Heard) -> Outcome:
        """A code said together with the wish."""
        return self.read(heard)

    def is_meant(self, heard: Heard) -> bool:
        """Whether it is a code."""
        return eight_digits(heard.text) is not None


class ScreenForm(Form):
    """Shows the conversation on a screen that nobody uses yet."""

    needs = CHANGES_OWN

    name = "screen_form"
    started_by = frozenset(("pair_screen",))
    left = "utter_screen_left"
    questions = (ScreenCode(),)

    def where(self, context: TurnContext, slots: Slots) -> str:
        """That a screen was being connected."""
        return "We were connecting your screen."


class ScreenPaired(Act):
    """Says that the screen follows, and goes on with what was open before."""

    def __init__(self, form: ScreenForm) -> None:
        self._form = form
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_screen_paired"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say it when it does."""
        slots = slots_of(tracker)
        if slots.get(ScreenCode.slot) == PairResult.PAIRED:
            Say("utter_screen_paired").utter(dispatcher)
        return close(self._form, slots)


class UnpairScreen(Act):
    """Takes the conversation off the screen."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_unpair_screen"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Do so, and say whether there was one."""
        context = current()
        parted = context.screens.unpair(context.conversation_id)
        Say("utter_screen_unpaired" if parted else "utter_no_screen").utter(dispatcher)
        return []


def actions() -> tuple[Act, ...]:
    """The actions of the screen."""
    form = ScreenForm()
    return (*actions_of(form), ScreenPaired(form), UnpairScreen())
