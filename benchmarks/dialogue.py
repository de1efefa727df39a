"""What is said, and that both sides answer the same."""

import re
from collections.abc import Iterable

from benchmarks.people import Exchange
from benchmarks.sides import Side

SCRIPT = (
    "hello",
    "what are your opening hours",
    "i would like to order a bouquet",
    "rose garden",
    "in ten days",
    "12 Mare Street, Hackney",
    "Happy birthday, Maria",
    "cash",
    "yes",
    "where is my order",
    "do you deliver to Camden",
    "thank you",
)
"""An order, and what people ask before and after it. Not during it: stock Rasa would not come back to the order."""

_DRAWN = re.compile(r"\bF-\d{4,}\b|\b(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{5}\b")
"""What is drawn at random: order numbers and share codes."""


class AnswersDiffer(Exception):
    """The two do not talk the same, so their times cannot be compared."""


class Expected:
    """What each line is answered with, as the side that was first to answer it did."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[str, ...]] = {}

    def check(self, side: Side, exchanges: Iterable[Exchange]) -> None:
        """Raises `AnswersDiffer` at the first answer that is not the expected one."""
        for exchange in exchanges:
            said = settled(side.texts(exchange.answer))
            expected = self._answers.setdefault(exchange.line, said)
            if not said or said != expected:
                raise AnswersDiffer(f"{side.name} answered {exchange.line!r} with {said}, expected {expected}")


def settled(texts: Iterable[str]) -> tuple[str, ...]:
    """Texts with everything that is drawn at random made alike."""
    return tuple(_DRAWN.sub("#", text) for text in texts)
