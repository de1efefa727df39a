"""What the person prefers: when they want no messages, and in which language; `actions.reach` has where."""

import re

from rasa_sdk import Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.act import Act
from actions.form_actions import actions_of, close
from actions.forms import Answer, Form, Outcome, Problem, Question
from actions.hearing import Heard, Slots, slots_of
from actions.languages import SPOKEN, language_in, language_name
from actions.reach import proven_number
from actions.saying import Say, answer, offer
from actions.times import Wish, names_a_time, quiet_wish
from actions.wishes import by, hours, language_of, quiet_of, reach_of, reached_at
from assistant.claims import NUMBERS
from assistant.context import TurnContext, current
from assistant.needs import ANYONE, OWN

_ANY_TIME = "any time"
_DAYS = re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun|week|birth)days?\b|\bweek-?ends?\b|\bholidays?\b", re.I)


class QuietTimes(Question):
    """When the person wants no messages."""

    slot = "quiet_hours"
    called = ("hours", "time", "times")

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question, with the usual answers."""
        choices = (
            answer("9 pm to 8 am", self.slot, "21:00-08:00"),
            answer("10 pm to 7 am", self.slot, "22:00-07:00"),
            answer("Any time is fine", self.slot, _ANY_TIME),
        )
        return Say("utter_ask_quiet_hours", choices=choices, reprompt="From when until when?")

    def read(self, heard: Heard) -> Outcome:
        """The hours."""
        return _kept(quiet_wish(heard.text, asked=True), heard)

    def overhear(self, heard: Heard) -> Outcome:
        """Hours said with the wish."""
        return _kept(quiet_wish(heard.text), heard)

    def is_meant(self, heard: Heard) -> bool:
        """Whether it says when."""
        return names_a_time(heard.text)


def _kept(wish: Wish | None, heard: Heard) -> Outcome:
    if wish is None:
        return Problem(Say("utter_quiet_every_day")) if _DAYS.search(heard.text) else None
    if wish.hours is None:
        return Answer(_ANY_TIME)
    clock = (f"{minute // 60:02}:{minute % 60:02}" for minute in (wish.hours.start, wish.hours.end))
    return Answer("-".join(clock))


class QuietForm(Form):
    """Sets the quiet hours."""

    name = "quiet_form"
    needs = OWN
    started_by = frozenset(("set_quiet_hours",))
    left = "utter_preference_left"
    questions = (QuietTimes(),)

    def where(self, context: TurnContext, slots: Slots) -> str:
        """That it was about quiet hours."""
        return "We were setting the hours in which I do not write to you."


class SetQuiet(Act):
    """Keeps the quiet hours."""

    def __init__(self, form: QuietForm) -> None:
        self._form = form
        self.needs = form.needs

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_set_quiet"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Keep what was answered, and say what follows from it."""
        context, slots = current(), slots_of(tracker)
        wish = quiet_wish(slots.get(QuietTimes.slot) or "", asked=True)
        if wish is not None:
            context.profiles.set_quiet(context.person.id, wish.hours)
            if wish.hours is None:
                Say("utter_quiet_over").utter(dispatcher)
            else:
                Say("utter_quiet_set", values={"hours": hours(wish.hours, context)}).utter(dispatcher)
        return close(self._form, slots)


class MyPreferences(Act):
    """Tells the person what they prefer, and where messages go."""

    needs = OWN

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_my_preferences"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say it, with ways to change it."""
        context = current()
        address = reached_at(context)
        parts = [
            f"I write to you {by(address)}." if address else _nowhere(context),
            "" if address and address.kind == context.person.reach else reach_of(context),
            quiet_of(context) or "I may write to you at any time.",
            language_of(context),
        ]
        other = "phone" if address and address.kind == "whatsapp" else "whatsapp"
        title = "Write to me on WhatsApp" if other == "whatsapp" else "Write to me by text"
        choices = (offer("Change quiet hours", "set_quiet_hours"), offer(title, "set_reach", reach=other))
        Say(text=" ".join(part for part in parts if part), choices=choices).utter(dispatcher)
        return []


def _nowhere(context: TurnContext) -> str:
    if any(proven_number(context, kind) for kind in NUMBERS):
        return "You asked us to stop, so I send you no messages. Text us START to get them again."
    return "I have no proven number of yours, so I only answer where you talk to me."


class ChangeLanguage(Act):
    """Keeps the language that the person would like, and says which ones are spoken."""

    needs = ANYONE

    def name(self) -> str:
        """Rasa's name for it."""
        return "action_change_language"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Do so."""
        heard = Heard.of(tracker)
        wanted = language_in(heard.text)
        if wanted is not None:
            heard.context.profiles.set_language(heard.context.person.id, wanted)
        if wanted == SPOKEN:
            Say("utter_language_spoken").utter(dispatcher)
        elif wanted is None:
            Say("utter_change_language").utter(dispatcher)
        else:
            Say("utter_language_kept", values={"said_language": language_name(wanted)}).utter(dispatcher)
        return []


def actions() -> tuple[Act, ...]:
    """The actions of preferences."""
    quiet = QuietForm()
    return (*actions_of(quiet), SetQuiet(quiet), MyPreferences(), ChangeLanguage())
