"""How far a text is from everything that was trained, as a number of its own beside the confidence.

The head is trained on intents left out in turn, so it needs no examples of what nobody foresaw
(shared/UNDERSTANDING.md: recall at two points of accuracy lost rises from 76 to 80 on CLINC150).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.understanding import softmax
from assistant.understanding.softmax import Floats, Labels

FEWEST_INTENTS = 8
"""With fewer, leaving some out says little: the distance alone decides."""
KEPT = 50
"""Examples of an intent that are kept to compare with: more cost time and find nothing nearer on our data."""
NEAREST = 5
SIGNS = 7
NEAREST_SIGN = 4
"""Which of the signs is the cosine to the nearest example."""
_STRENGTH = 1.0


@dataclass(frozen=True)
class Landmarks:
    """Vectors that new ones are compared with; immutable."""

    vectors: Floats
    labels: Labels
    centres: Floats
    """The middle of each intent, of length one."""

    @classmethod
    def of(cls, vectors: Floats, labels: Labels, classes: int) -> Landmarks:
        """Those of training texts; an intent without any lies nowhere."""
        centres = np.zeros((classes, vectors.shape[1]), np.float32)
        np.add.at(centres, labels, vectors)
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
        kept = np.concatenate([np.flatnonzero(labels == label)[:KEPT] for label in np.unique(labels)])
        return cls(vectors[kept], labels[kept], centres)

    def signs(self, vectors: Floats, scores: Floats) -> Floats:
        """One row of signs of distance for each row of vectors and of the classifier's scores."""
        ranked = np.sort(softmax.probabilities(scores), axis=1)
        best = scores.argmax(axis=1)
        near = vectors @ self.vectors.T
        count = min(NEAREST, near.shape[1])
        nearest = np.partition(near, near.shape[1] - count, axis=1)[:, -count:]
        inside = np.where(self.labels[None, :] == best[:, None], near, -1.0).max(axis=1)
        central = vectors @ self.centres.T
        columns = (
            np.log(np.maximum(ranked[:, -1], 1e-6)),
            ranked[:, -1] - ranked[:, -2],
            np.take_along_axis(central, best[:, None], axis=1)[:, 0],
            central.max(axis=1),
            nearest.max(axis=1),
            nearest.mean(axis=1),
            inside,
        )
        return np.asarray(np.stack(columns, axis=1), np.float32)


@dataclass(frozen=True)
class Head:
    """From signs to a number: 0 is like what was trained, 1 like nothing of it."""

    means: Floats
    spreads: Floats
    weights: Floats
    bias: float

    @classmethod
    def fit(cls, signs: Floats, is_outside: NDArray[np.bool_]) -> Head:
        """Learn from signs of unseen texts, some of intents that were left out. Both kinds count the same."""
        means, spreads = signs.mean(axis=0), np.maximum(signs.std(axis=0), 1e-6)
        smaller = min(int(is_outside.sum()), int((~is_outside).sum()))
        kept = np.concatenate([_spread_out(np.flatnonzero(is_outside == side), smaller) for side in (False, True)])
        linear = softmax.fit((signs[kept] - means) / spreads, is_outside[kept].astype(np.int64), 2, _STRENGTH)
        return cls(means, spreads, linear.weights[:, 1] - linear.weights[:, 0], float(linear.bias[1] - linear.bias[0]))

    @classmethod
    def of_distance(cls) -> Head:
        """The distance to the nearest example alone; half-way at a cosine of 0.5."""
        weights = np.zeros(SIGNS, np.float32)
        weights[NEAREST_SIGN] = -8.0
        return cls(np.full(SIGNS, 0.5, np.float32), np.ones(SIGNS, np.float32), weights, 0.0)

    def score(self, signs: Floats) -> Floats:
        """One number for each row of signs."""
        weighed = (signs - self.means) / self.spreads @ self.weights + self.bias
        return np.asarray(1 / (1 + np.exp(-weighed)), np.float32)


def _spread_out(places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.asarray(places[np.linspace(0, len(places) - 1, count).round().astype(np.int64)], np.int64)
