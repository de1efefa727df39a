"""Handing the conversation to a person."""

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.saying import Say
from assistant.context import current


class AskPerson(Action):
    """Holds the conversation for staff."""

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_ask_person"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Hold it, and say how long that may take."""
        context = current()
        context.hold("asked for a person")
        Say("utter_person_called", values={"minutes": str(context.hold_minutes)}).utter(dispatcher)
        return []


def actions() -> tuple[Action, ...]:
    """The actions of the handoff."""
    return (AskPerson(),)
