"""Handing the conversation to a person."""

from rasa_sdk import Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.act import Act
from actions.saying import Say
from assistant.context import current
from assistant.needs import ANYONE


class AskPerson(Act):
    """Holds the conversation for staff."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_ask_person"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Hold it, and say how long that may take."""
        context = current()
        context.hold("asked for a person")
        Say("utter_person_called", values={"minutes": str(context.hold_minutes)}).utter(dispatcher)
        return []


def actions() -> tuple[Act, ...]:
    """The actions of the handoff."""
    return (AskPerson(),)
