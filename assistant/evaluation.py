"""How well phrasings that the model has never seen are understood."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from assistant.errors import SettingsError

_ENTITY = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")


@dataclass(frozen=True, slots=True)
class Example:
    """A phrasing and what it means."""

    intent: str
    text: str


@dataclass(frozen=True, slots=True)
class IntentScore:
    """How one intent did."""

    intent: str
    precision: float
    """Of the phrasings taken for this intent, the share that was."""
    recall: float
    """Of the phrasings of this intent, the share that was taken for it."""
    support: int
    """How many phrasings of it there are."""

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How all of them did."""

    scores: tuple[IntentScore, ...]
    """By intent, in alphabetical order."""
    mistakes: tuple[tuple[Example, str], ...]
    """Every phrasing that was taken for another intent, and for which."""
    total: int
    """How many phrasings there are."""

    @property
    def accuracy(self) -> float:
        """Share of phrasings understood."""
        return 1 - len(self.mistakes) / self.total

    @property
    def macro_f1(self) -> float:
        """Mean F1, every intent counting the same."""
        return sum(score.f1 for score in self.scores) / len(self.scores)


def read_examples(path: Path) -> tuple[Example, ...]:
    """The phrasings in a file of Rasa's NLU format, without marks of entities. Raises `SettingsError`."""
    try:
        blocks = yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]
        lines = [(block["intent"], line) for block in blocks for line in block["examples"].splitlines()]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SettingsError(f"{path} is not a file of examples in Rasa's NLU format: {error}") from error
    examples = tuple(Example(intent, _ENTITY.sub(r"\1", line.removeprefix("- "))) for intent, line in lines if line)
    if not examples:
        raise SettingsError(f"{path} has no examples")
    return examples


def read_floor(examples: Path) -> float:
    """The least accuracy agreed for a file of examples, kept beside it as `.floor`; 0.0 where none is.

    Raises `SettingsError` when the file does not hold a share from 0 to 1.
    """
    path = examples.with_suffix(".floor")
    try:
        floor = float(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0.0
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} does not hold a number: {error}") from error
    if not 0 <= floor <= 1:
        raise SettingsError(f"{path} holds {floor}, which is no share from 0 to 1")
    return floor


def evaluate(examples: Sequence[Example], understand: Callable[[str], str]) -> Evaluation:
    """Compare what each phrasing means with what `understand` takes it for."""
    taken = [(example, understand(example.text)) for example in examples]
    meant = Counter(example.intent for example, _ in taken)
    guessed = Counter(guess for _, guess in taken)
    right = Counter(guess for example, guess in taken if guess == example.intent)
    scores = tuple(
        IntentScore(
            intent,
            precision=right[intent] / guessed[intent] if guessed[intent] else 0.0,
            recall=right[intent] / count,
            support=count,
        )
        for intent, count in sorted(meant.items())
    )
    mistakes = tuple((example, guess) for example, guess in taken if guess != example.intent)
    return Evaluation(scores, mistakes, len(taken))
