"""Forms that listen well: answers out of order, corrections, steps back, digressions, and being put aside for a while.

Rasa keeps the loop and asks the first question without an answer; what is written here decides what a text means to it.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from actions.hearing import REQUESTED, SUSPENDED, Heard, Slots, suspended
from actions.reading import words
from actions.saying import Say, offer
from assistant.context import TurnContext
from assistant.needs import Needs

SURE = 0.45
"""Confidence from which a text is taken for something else than the answer."""
SURE_ENOUGH_TO_LEAVE = 0.75
_LEAVING = re.compile(
    r"\b(?:cancel|stop|forget|never ?mind|nvm|leave (?:it|this)|quit|exit|abort|drop)\b", re.IGNORECASE
)
_LATER = re.compile(r"\b(?:later|another (?:time|day)|come back|back (?:soon|in))\b", re.IGNORECASE)
FEW_WORDS = 3
"""A text this short that reads as the answer is the answer."""
MISSED = "missed_at"
"""Our slot for the moment we last failed to understand."""
MISS_FORGOTTEN = timedelta(minutes=3)
"""A failure this long ago is no second failure in a row."""
_WAYS_ON = (offer("Talk to a person", "ask_person"), offer("Leave it", "cancel"))
NOT_A_DIGRESSION = frozenset(("inform", "nlu_fallback", "affirm", "deny", "choose", "change_answer", "go_back", ""))


@dataclass(frozen=True, slots=True)
class Answer:
    """A value that is good."""

    value: str
    say: Say | None = None
    """How it is acknowledged."""
    note: str = ""
    """The value in a word or two, for when several are acknowledged together."""
    also: Slots = field(default_factory=dict)
    """Other slots that follow from it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that will not do, and why."""

    say: Say | None
    also: Slots = field(default_factory=dict)
    ends: bool = False
    """Whether the form is over with it."""


Outcome = Answer | Problem | None
"""What a text means to a question; None when it says nothing about it."""


class Question(ABC):
    """One question of a form. Its answer is in the slot of its name."""

    slot: str
    called: tuple[str, ...] = ()
    """Words by which people name it when they want it changed."""
    takes_any_text = False
    """Whether whatever is said may be the answer."""
    required = True
    """Whether the form asks it by itself."""
    confirms = False
    """Whether it asks if all the others are right, so that a correction is no yes."""

    @abstractmethod
    def ask(self, context: TurnContext, slots: Slots) -> Say:
        """The question in plain text, with its choices."""

    @abstractmethod
    def read(self, heard: Heard) -> Outcome:
        """What the text says when this was asked."""

    def overhear(self, heard: Heard) -> Outcome:
        """What the text says about it when something else was asked, or nothing yet."""
        return None

    def is_meant(self, heard: Heard) -> bool:
        """Whether a text reads so much like an answer that it is nothing else, whatever NLU takes it for."""
        return False

    def hint(self, context: TurnContext) -> Say:
        """How it can be answered."""
        return Say(f"utter_hint_{self.slot}")


@dataclass(frozen=True, slots=True)
class Heeded:
    """What a form makes of a turn."""

    says: tuple[Say, ...] = ()
    slots: Slots = field(default_factory=dict)
    """Changes; none at all means that the text was not for this form."""


class Form(ABC):
    """A form: its questions in order, and how it is refused, left and summed up."""

    name: str
    needs: Needs
    """What it asks of whoever speaks, from its first question to what it leads to."""
    questions: tuple[Question, ...]
    started_by: frozenset[str] = frozenset()
    """Intents that open it; said again, they are no digression."""
    left = "utter_form_left"
    """Response when the person does not want to go on with it."""

    @abstractmethod
    def where(self, context: TurnContext, slots: Slots) -> str:
        """One line that says where it was."""

    def refuse(self, heard: Heard) -> Say | None:
        """Why it cannot be opened for this person, if it cannot."""
        return None

    def prepare(self, heard: Heard) -> Slots:
        """Slots that are known before anything is asked."""
        return {}

    def command(self, heard: Heard) -> str:
        """The intent, or what it comes to within this form: `cancel`, `go_back`, `change_answer`, `repeat`."""
        return heard.intent

    @property
    def empty(self) -> Slots:
        """Its slots without answers."""
        return dict.fromkeys((question.slot for question in self.questions), None)

    def question(self, slot: str | None) -> Question | None:
        """The question with this slot."""
        return next((question for question in self.questions if question.slot == slot), None)

    def open_question(self, slots: Slots) -> Question | None:
        """The first required question without an answer."""
        return next(
            (question for question in self.questions if question.required and not _filled(question, slots)), None
        )

    def hear(self, heard: Heard) -> Heeded:
        """What this turn means to the form."""
        asked = self.question(heard.slots.get(REQUESTED))
        return self._open(heard) if asked is None else self._answer(heard, asked)

    def _open(self, heard: Heard) -> Heeded:
        waiting = suspended(heard.slots)
        if waiting and waiting[-1] == self.name:
            where = Say("utter_back", values={"where": self.where(heard.context, heard.slots)})
            return Heeded((where,), {SUSPENDED: " ".join(waiting[:-1])})
        rest = {SUSPENDED: " ".join(name for name in waiting if name != self.name)} if self.name in waiting else {}
        refusal = self.refuse(heard)
        if refusal is not None:
            return Heeded((refusal,), {**rest, REQUESTED: None})
        known = {**rest, **self.prepare(heard)}
        heard = heard.with_slots(known)
        return self._take(heard, known, [(q, q.overhear(heard)) for q in self.questions if not _filled(q, heard.slots)])

    def _answer(self, heard: Heard, asked: Question) -> Heeded:
        if heard.chosen:
            return self._pressed(heard, asked)
        if self._is_digression(heard, asked):
            return Heeded()
        if self._is_control(heard, asked, "repeat"):
            return Heeded(slots={asked.slot: None})
        if self._is_control(heard, asked, "cancel") and _LATER.search(heard.text):
            return Heeded((Say("utter_kept_for_later"),), {asked.slot: None})
        if self._is_control(heard, asked, "cancel") and _really(heard):
            return Heeded((Say(self.left),), {**self.empty, REQUESTED: None})
        if self._is_control(heard, asked, "go_back"):
            return self._back(heard, asked)
        if self._is_control(heard, asked, "change_answer"):
            return self._change(heard, asked)
        own = asked.read(heard)
        others = [] if asked.takes_any_text or (own and not asked.required) else self._overheard(heard, asked)
        outcomes = others if asked.confirms and others else [(asked, own), *others]
        if any(outcome for _, outcome in outcomes):
            return self._take(heard, {asked.slot: None}, outcomes)
        if heard.confidence >= SURE and self.command(heard) not in NOT_A_DIGRESSION | {"cancel"} | self.started_by:
            return Heeded()
        return missed(heard, asked.hint(heard.context), Say("utter_stuck", choices=_WAYS_ON), {asked.slot: None})

    def _change(self, heard: Heard, asked: Question) -> Heeded:
        own = [] if asked.takes_any_text else [(asked, asked.read(heard))]
        outcomes = [*own, *self._overheard(heard, asked)]
        if any(outcome for _, outcome in outcomes):
            return self._take(heard, {asked.slot: None}, outcomes)
        named = self._named(heard)
        if named is not None:
            return Heeded(slots={named.slot: None, asked.slot: None})
        which = next((question.slot for question in self.questions if not question.required), asked.slot)
        return Heeded(slots={asked.slot: None, REQUESTED: which})

    def _overheard(self, heard: Heard, asked: Question) -> list[tuple[Question, Outcome]]:
        """What the text says about the other questions that is not known yet."""
        heeded = [(question, question.overhear(heard)) for question in self.questions if question is not asked]
        return [
            (question, outcome)
            for question, outcome in heeded
            if outcome and not (isinstance(outcome, Answer) and outcome.value == heard.slots.get(question.slot))
        ]

    def _pressed(self, heard: Heard, asked: Question) -> Heeded:
        again = self.question(heard.chosen.get("change"))
        if again is not None:
            return Heeded(slots={again.slot: None, asked.slot: None})
        outcomes = [
            (question, question.read(heard.saying(heard.chosen[question.slot])))
            for question in self.questions
            if question.slot in heard.chosen
        ]
        return self._take(heard, {asked.slot: None}, outcomes) if outcomes else Heeded()

    def _take(self, heard: Heard, changes: Slots, outcomes: Iterable[tuple[Question, Outcome]]) -> Heeded:
        changed = dict(changes)
        answers: list[tuple[Question, Answer]] = []
        says: list[Say] = []
        for question, outcome in outcomes:
            if isinstance(outcome, Answer):
                changed |= {**outcome.also, question.slot: outcome.value}
                answers.append((question, outcome))
            elif isinstance(outcome, Problem):
                changed |= {question.slot: None, **outcome.also}
                says += [outcome.say] if outcome.say else []
                if outcome.ends:
                    return Heeded(tuple(says), {**self.empty, REQUESTED: None})
        if answers and heard.slots.get(MISSED):
            changed[MISSED] = None
        return Heeded((*_acknowledged([answer for _, answer in answers]), *says), changed)

    def _back(self, heard: Heard, asked: Question) -> Heeded:
        position = self.questions.index(asked)
        before = [question for question in self.questions[:position] if _filled(question, heard.slots)]
        if not before:
            return Heeded((Say("utter_first_question"),), {asked.slot: None})
        return Heeded(slots={before[-1].slot: None, asked.slot: None})

    def _named(self, heard: Heard) -> Question | None:
        said = set(words(heard.text))
        return next((question for question in self.questions if said & set(question.called)), None)

    def _is_control(self, heard: Heard, asked: Question, intent: str) -> bool:
        return self.command(heard) == intent and heard.confidence >= SURE and not asked.is_meant(heard)

    def _is_digression(self, heard: Heard, asked: Question) -> bool:
        if self.command(heard) in NOT_A_DIGRESSION | {"cancel", "repeat"} | self.started_by:
            return False
        if heard.confidence < SURE or asked.is_meant(heard):
            return False
        if asked.takes_any_text:
            return True
        short = len(words(heard.text)) <= FEW_WORDS and "?" not in heard.text
        return not (short and asked.read(heard))


def finished(form: Form, slots: Slots) -> bool:
    """Whether every required question of the form has its answer."""
    return form.open_question(slots) is None


def missed(heard: Heard, say: Say, again: Say, changes: Slots) -> Heeded:
    """Nothing was understood: say so, and how it can be said; failing again at once, offer a way on instead."""
    last = heard.slots.get(MISSED)
    in_a_row = last is not None and heard.context.now - datetime.fromisoformat(last) < MISS_FORGOTTEN
    return Heeded((again if in_a_row else say,), {**changes, MISSED: heard.context.now.isoformat()})


def _really(heard: Heard) -> bool:
    """Whether somebody wants to drop the form. A guess will not do: "I have to go" is no wish to lose everything."""
    return heard.confidence >= SURE_ENOUGH_TO_LEAVE or bool(_LEAVING.search(heard.text))


def _filled(question: Question, slots: Slots) -> bool:
    return slots.get(question.slot) is not None


def _acknowledged(answers: Sequence[Answer]) -> tuple[Say, ...]:
    if len(answers) > 1 and all(answer.note for answer in answers):
        cards = next((answer.say.card for answer in answers if answer.say and answer.say.card), None)
        return (Say("utter_noted", values={"what": ", ".join(answer.note for answer in answers)}, card=cards),)
    return tuple(answer.say for answer in answers if answer.say)
