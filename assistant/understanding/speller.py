"""Typing errors: a word that nobody trained and the encoder does not know becomes the trained word next to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import process
from rapidfuzz.distance import OSA

SHORTEST = 4
"""Characters; shorter words are too close to each other."""
LONG = 7
"""Characters from which a word may have two errors instead of one."""


@dataclass(frozen=True)
class Speller:
    """The words of the training texts; immutable."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Speller:
        """The words of normalised texts."""
        return cls(tuple(sorted({word for text in texts for word in text.split() if _is_spelt(word)})))

    def correct(self, text: str, is_known: Callable[[str], bool]) -> str:
        """A normalised text with its misspelt words replaced. `is_known` names other words that are right as they are.

        With one error or a swap of neighbours, two in long words; the nearest word, the first in the alphabet on ties.
        """
        return " ".join(word if self._is_right(word, is_known) else self._nearest(word) for word in text.split())

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.words)

    def _is_right(self, word: str, is_known: Callable[[str], bool]) -> bool:
        return not _is_spelt(word) or len(word) < SHORTEST or word in self._known or is_known(word)

    def _nearest(self, word: str) -> str:
        choices: Sequence[str] = self.words
        found = process.extractOne(word, choices, scorer=OSA.distance, score_cutoff=1 if len(word) < LONG else 2)
        return word if found is None else found[0]


def _is_spelt(word: str) -> bool:
    return len(word) > 2 and word.isalpha()
