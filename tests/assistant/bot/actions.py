"""The small bot's actions: a form, an order that counts cups, and every way to fail."""

import asyncio
from collections.abc import Callable
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from assistant.context import current
from assistant.needs import ANYONE, Needs
from assistant.profiles import EMPLOYEE
from assistant.turns import Assurance

Events = list[dict[str, Any]]


class Act(Action):
    needs = ANYONE


class ValidateTea(Act):
    def name(self) -> str:
        return "validate_tea_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> Events:
        message = tracker.latest_message
        for entity in message["entities"]:
            if entity["entity"] in ("tea", "sugar"):
                return [SlotSet(entity["entity"], entity["value"])]
        asked = tracker.get_slot("requested_slot")
        if asked and message["intent"]["name"] == "inform":
            return [SlotSet(asked, message["text"])]
        return []


class ServeTea(Act):
    def name(self) -> str:
        return "action_serve_tea"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> Events:
        context = current()
        context.profiles.rename(context.person.id, f"drinks {tracker.get_slot('tea')}")
        dispatcher.utter_message(text=f"Here is your {tracker.get_slot('tea')} tea.")
        return [SlotSet("tea", None), SlotSet("sugar", None)]


class WhereWeWere(Act):
    def name(self) -> str:
        return "action_where_we_were"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> Events:
        dispatcher.utter_message(text=f"We were at your {tracker.get_slot('tea') or 'first'} tea.")
        return []


class Break(Act):
    def name(self) -> str:
        return "action_break"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> Events:
        context = current()
        context.profiles.rename(context.person.id, "half done")
        raise RuntimeError("the kettle is broken: 07700 900123")


class Hang(Act):
    def name(self) -> str:
        return "action_hang"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> Events:
        await asyncio.Event().wait()
        return []


class Again(Act):
    def name(self) -> str:
        return "action_again"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> Events:
        dispatcher.utter_message(text="Round and round.")
        return [FollowupAction("action_again")]


class Hold(Act):
    def name(self) -> str:
        return "action_hold"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> Events:
        current().hold("asked for a person")
        dispatcher.utter_message(text="I'll get somebody.")
        return []


class Forget(Act):
    def name(self) -> str:
        return "action_forget"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> Events:
        current().forget()
        dispatcher.utter_message(text="You are forgotten.")
        return []


class StaffTea(Act):
    needs = Needs(Assurance.PROVEN, aloud=Assurance.PROVEN, role=EMPLOYEE)

    def __init__(self, brewing: Callable[[], None]) -> None:
        self._brewing = brewing

    def name(self) -> str:
        return "action_staff_tea"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> Events:
        context = current()
        context.profiles.rename(context.person.id, "had staff tea")
        self._brewing()
        dispatcher.utter_message(text="Tea for the staff.")
        return []


def bot_actions(brewing: Callable[[], None] = lambda: None) -> tuple[Act, ...]:
    """All of them. `brewing` is what happens while tea for the staff is made."""
    return (ValidateTea(), ServeTea(), WhereWeWere(), Break(), Hang(), Again(), Hold(), Forget(), StaffTea(brewing))
