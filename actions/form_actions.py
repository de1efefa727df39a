"""The actions by which Rasa calls a form, and what opens and closes one around another."""

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.act import Act
from actions.forms import Form, Question
from actions.hearing import REQUESTED, SUSPENDED, Heard, Slots, slots_of, suspended
from assistant.context import current
from assistant.needs import ANYONE


class Validate(Act):
    """`validate_<form>`: lets the form hear the turn."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return f"validate_{self._form.name}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say what there is to say and set what was answered."""
        heeded = self._form.hear(Heard.of(tracker))
        for say in heeded.says:
            say.utter(dispatcher)
        return [SlotSet(slot, value) for slot, value in heeded.slots.items()]


class Ask(Act):
    """`action_ask_<form>_<slot>`: asks one question."""

    def __init__(self, form: Form, question: Question) -> None:
        self._form = form
        self._question = question
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return f"action_ask_{self._form.name}_{self._question.slot}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Ask."""
        self._question.ask(current(), slots_of(tracker)).utter(dispatcher)
        return []


class Suspend(Act):
    """Puts the open form aside, so that it goes on when the one that is opened next is done."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_suspend_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Remember the open form."""
        return suspend(tracker)


def suspend(tracker: Tracker) -> list[EventType]:
    """Put the open form aside, if there is one."""
    name = (tracker.active_loop or {}).get("name")
    if not name:
        return []
    waiting = [form for form in suspended(slots_of(tracker)) if form != name]
    return [SlotSet(SUSPENDED, " ".join((*waiting, name))), SlotSet(REQUESTED, None)]


def actions_of(form: Form) -> tuple[Act, ...]:
    """The actions that Rasa calls for a form."""
    return (Validate(form), *(Ask(form, question) for question in form.questions))


def close(form: Form, slots: Slots) -> list[EventType]:
    """Empty a form that is over, and go on with the one that waits, if one does."""
    waiting = suspended(slots)
    emptied: list[EventType] = [SlotSet(slot, None) for slot in form.empty if slots.get(slot) is not None]
    return [*emptied, FollowupAction(waiting[-1])] if waiting else emptied
