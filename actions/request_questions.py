"""The questions of the requests that employees hand in."""

import re
import textwrap
from dataclasses import replace
from datetime import date, timedelta

from actions.days import days_in, spoken
from actions.forms import Answer, Outcome, Problem, Question
from actions.hearing import REQUESTED, Heard, Slots
from actions.questions import NO, Words, YesNo
from actions.reading import words
from actions.saying import Say, answer
from assistant.context import TurnContext

LONGEST_SUMMARY = 300
"""Characters."""
LEAVE_AHEAD = timedelta(days=400)
LEAVE_BACK = timedelta(days=31)
"""Sick leave is often handed in afterwards."""
_LITTLE_WORDS = (
    "hi hello please can could may i we you me us my our would like want need have got to get make open create raise "
    "report order some more a an the new request requests ticket help with for it tech technical support computer "
    "problem issue supplies things stuff from is there of something day days off leave time"
)
_SAYS_NOTHING = frozenset(_LITTLE_WORDS.split())
"""Words of a sentence that only says that there is a request."""
_AMOUNT = re.compile(
    r"\b(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|dozen|couple|few|packs?|box(?:es)?|rolls?)\b",
    re.IGNORECASE,
)
_WANTING = re.compile(
    r"(?:hi|hello|please|,| )*(?:(?:can|could|may) (?:i|we|you) (?:please )?(?:have|get|order|send)"
    r"|(?:i|we)(?:'d| would)? (?:like|need|want|require)|order|need)(?: us| me)? (?:some |more |new )*(?=\S)",
    re.IGNORECASE,
)
_SAME_DAY = re.compile(
    r"(?:the )?same(?: day| one)?|(?:(?:just|only) )?(?:that|the|one|the one|that one)(?: day)?"
    r"|(?:just|only) (?:a|one) day",
    re.IGNORECASE,
)


class Described(Words):
    """Words that may already be in the sentence that opened the form."""

    def overhear(self, heard: Heard) -> Outcome:
        """The whole sentence, when it says more than that there is a request."""
        opens_the_form = heard.slots.get(REQUESTED) is None
        if not opens_the_form or _SAYS_NOTHING.issuperset(words(heard.text)):
            return None
        outcome = self.read(heard)
        if not isinstance(outcome, Answer):
            return outcome
        shown = textwrap.shorten(outcome.value, 80, placeholder="…")
        return replace(outcome, say=Say("utter_ack_described", values={"what": shown}), note=shown)


class Urgent(YesNo):
    """Whether work stands still."""

    def no(self, heard: Heard) -> Outcome:
        """It can wait."""
        return Answer(NO)


class LeaveDay(Question):
    """First or last day of leave. The slot holds the ISO date."""

    def __init__(self, slot: str, prompt: str, called: tuple[str, ...]) -> None:
        self.slot = slot
        self.called = called
        self._prompt = prompt

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question."""
        return Say(text=self._prompt)

    def read(self, heard: Heard) -> Outcome:
        """One day, or both when two were said."""
        return self._check(heard, days_in(heard.text, heard.now, asked=True))

    def _check(self, heard: Heard, days: tuple[date, ...]) -> Outcome:
        if not days:
            return None
        today = heard.context.shop.today(heard.context.now)
        first, last = days[0], days[1] if len(days) > 1 else None
        if not today - LEAVE_BACK <= first <= today + LEAVE_AHEAD:
            return Problem(Say("utter_leave_far", values={"said_day": spoken(first)}))
        if last is not None and last < first:
            return Problem(Say("utter_leave_order", values={"said_day": spoken(first)}))
        also = {"leave_last_day": last.isoformat()} if last else {}
        say = Say("utter_ack_leave", values={"said_days": spoken(first) + (f" to {spoken(last)}" if last else "")})
        return Answer(first.isoformat(), say, note=say.values["said_days"], also=also)


class FirstDay(LeaveDay):
    """The first day off."""

    def overhear(self, heard: Heard) -> Outcome:
        """Days said in passing."""
        return self._check(heard, days_in(heard.text, heard.now))


class LastDay(LeaveDay):
    """The last day off."""

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question, with the same day as a choice."""
        return Say(text=self._prompt, choices=(answer("The same day", self.slot, "same day"),))

    def read(self, heard: Heard) -> Outcome:
        """A day not before the first."""
        first = date.fromisoformat(heard.slots.get("leave_first_day") or heard.now.date().isoformat())
        if _SAME_DAY.fullmatch(heard.text.strip(" .!")):
            return Answer(first.isoformat(), note=spoken(first))
        days = days_in(heard.text, heard.now, asked=True)
        if not days:
            return None
        if days[-1] < first:
            return Problem(Say("utter_leave_order", values={"said_day": spoken(first)}))
        return Answer(
            days[-1].isoformat(),
            Say("utter_ack_leave", values={"said_days": f"{spoken(first)} to {spoken(days[-1])}"}),
            note=spoken(days[-1]),
        )


class LeaveKind(Words):
    """What kind of leave, in their words."""

    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question with the usual kinds."""
        kinds = ("Holiday", "Sick leave", "Family")
        return Say(text=self._prompt, choices=tuple(answer(kind, self.slot, kind) for kind in kinds))

    def overhear(self, heard: Heard) -> Outcome:
        """Holiday or sick, said in passing."""
        said = set(words(heard.text))
        if said & {"holiday", "holidays", "vacation"}:
            return Answer("Holiday", note="holiday")
        return Answer("Sick leave", note="sick leave") if said & {"sick", "ill", "doctor"} else None


class What(Described):
    """What is needed; the amount with it, when it was said."""

    def read(self, heard: Heard) -> Outcome:
        """The words; nothing more is asked when they have an amount."""
        outcome = super().read(heard.saying(_WANTING.sub("", heard.text.strip())))
        if isinstance(outcome, Answer) and _AMOUNT.search(outcome.value):
            return replace(outcome, also={"supplies_amount": ""})
        return outcome
