"""Pieces of words, words and pairs of words, weighed by tf-idf: what survives typing errors and carries codes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SHORTEST, LONGEST = 2, 5
"""Characters of a piece of a word; the space before and after the word counts."""
LEAST_TEXTS = 2
"""A piece of a word that fewer training texts have is left out."""
_WORD = "="
"""Stands before words and pairs of words, so that none is taken for a piece of one."""


@dataclass(frozen=True)
class Ngrams:
    """What is known of the training texts; immutable."""

    terms: tuple[str, ...]
    weights: NDArray[np.float32]
    """Inverse document frequency of each term."""

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Ngrams:
        """Learn the terms of normalised texts."""
        texts_with: Counter[str] = Counter()
        for text in texts:
            texts_with.update({*_pieces(text), *_words(text)})
        terms = sorted(term for term, count in texts_with.items() if count >= LEAST_TEXTS or term.startswith(_WORD))
        weights = [math.log((1 + len(texts)) / (1 + texts_with[term])) + 1 for term in terms]
        return cls(tuple(terms), np.array(weights, np.float32))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.terms)}

    def weigh(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Places and weights of the terms of a normalised text; pieces and words each have length one."""
        pieces, words = self._weigh(_pieces(text)), self._weigh(_words(text))
        return np.concatenate((pieces[0], words[0])), np.concatenate((pieces[1], words[1]))

    def matrix(self, texts: Sequence[str]) -> csr_matrix:
        """One row for each normalised text."""
        from scipy.sparse import csr_matrix

        rows = [self.weigh(text) for text in texts]
        ends = np.cumsum([0, *(len(places) for places, _ in rows)])
        places = np.concatenate([places for places, _ in rows])
        weights = np.concatenate([weights for _, weights in rows])
        return csr_matrix((weights, places, ends), shape=(len(rows), len(self.terms)))

    def _weigh(self, terms: Iterator[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        known = self._places
        counts = Counter(known[term] for term in terms if term in known)
        places = np.fromiter(counts.keys(), np.int64, len(counts))
        weights = (1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * self.weights[places]
        return places, weights / max(float(np.linalg.norm(weights)), 1e-9)


def _pieces(text: str) -> Iterator[str]:
    for word in text.split():
        padded = f" {word} "
        for length in range(SHORTEST, LONGEST + 1):
            for start in range(len(padded) - length + 1):
                yield padded[start : start + length]
            if len(padded) <= length:
                break


def _words(text: str) -> Iterator[str]:
    words = text.split()
    yield from (_WORD + word for word in words)
    yield from (f"{_WORD}{first} {second}" for first, second in zip(words, words[1:], strict=False))
