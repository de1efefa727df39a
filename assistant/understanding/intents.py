"""What a text means: an encoder beside n-grams, into a calibrated linear classifier. Knows nothing of Rasa.

The n-grams are reduced to their main directions for training; both reductions are linear, so they are kept as one
small table from terms to scores.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import threadpoolctl
from numpy.typing import NDArray

from assistant.errors import ModelError
from assistant.understanding import scope, softmax
from assistant.understanding.encoder import Encoder
from assistant.understanding.ngrams import Ngrams
from assistant.understanding.normalise import normalise
from assistant.understanding.softmax import Floats, Labels, Linear
from assistant.understanding.speller import Speller

FOLDS = 3
LEFT_OUT_GROUPS = 4
_SEED = 20
_SPARE_DIRECTIONS, _PASSES = 10, 3
_ARRAYS, _WORDS = "intents.npz", "intents.json"


@dataclass(frozen=True, slots=True)
class Sizes:
    """What can be chosen; chosen by cross-validation on the training data and on tests/data/dev.yml."""

    strength: float = 20.0
    """C of the logistic regression."""
    directions: int = 256
    """How many the n-grams are reduced to."""
    ngram_weight: float = 1.0
    """What the n-grams count beside the encoder's vector."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a text was taken for."""

    ranking: tuple[tuple[str, float], ...]
    """Every intent with its probability, the likeliest first."""
    oos_score: float
    """From 0, like what was trained, to 1, like nothing of it."""


@dataclass(frozen=True)
class IntentModel:
    """A trained classifier; immutable, so safe to use from several threads."""

    encoder: Encoder
    names: tuple[str, ...]
    speller: Speller
    ngrams: Ngrams
    vector_part: Linear
    """From the encoder's vector to scores; its bias is that of the whole."""
    term_part: Floats
    """terms × intents"""
    temperature: float
    landmarks: scope.Landmarks
    head: scope.Head

    def understand(self, texts: Sequence[str]) -> list[Understood]:
        """What each text means. Any text will do, an empty one too."""
        if not texts:
            return []
        heard = [self.speller.correct(normalise(text), self.encoder.knows) for text in texts]
        vectors = self.encoder.encode(heard)
        scores = self.vector_part.scores(vectors) + np.stack([self._term_scores(text) for text in heard])
        likely = softmax.probabilities(scores, self.temperature)
        outside = self.head.score(self.landmarks.signs(vectors, scores))
        return [
            Understood(
                tuple((self.names[place], float(row[place])) for place in np.argsort(-row, kind="stable")), float(far)
            )
            for row, far in zip(likely, outside, strict=True)
        ]

    def _term_scores(self, text: str) -> Floats:
        places, weights = self.ngrams.weigh(text)
        return np.asarray(weights @ self.term_part[places], np.float32)

    def save(self, folder: Path) -> None:
        """Write it as arrays and text, neither of which can run code when it is read."""
        np.savez(
            folder / _ARRAYS,
            vector_weights=self.vector_part.weights,
            bias=self.vector_part.bias,
            term_part=self.term_part,
            term_weights=self.ngrams.weights,
            landmarks=self.landmarks.vectors.astype(np.float16),
            landmark_labels=self.landmarks.labels,
            centres=self.landmarks.centres,
            head_means=self.head.means,
            head_spreads=self.head.spreads,
            head_weights=self.head.weights,
        )
        words = {
            "encoder": self.encoder.name,
            "weights": self.encoder.weights,
            "names": self.names,
            "spelt": self.speller.words,
            "terms": self.ngrams.terms,
            "temperature": self.temperature,
            "head_bias": self.head.bias,
        }
        (folder / _WORDS).write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, encoder: Encoder) -> IntentModel:
        """Read what `save` wrote. Raises `ModelError` when it was trained with another encoder."""
        words = json.loads((folder / _WORDS).read_text(encoding="utf-8"))
        if (words["encoder"], words["weights"]) != (encoder.name, encoder.weights):
            raise ModelError(f"the model was trained with other weights than those of the encoder {encoder.name}")
        with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            return cls(
                encoder,
                tuple(words["names"]),
                Speller(tuple(words["spelt"])),
                Ngrams(tuple(words["terms"]), arrays["term_weights"]),
                Linear(arrays["vector_weights"], arrays["bias"]),
                arrays["term_part"],
                words["temperature"],
                scope.Landmarks(arrays["landmarks"].astype(np.float32), arrays["landmark_labels"], arrays["centres"]),
                scope.Head(arrays["head_means"], arrays["head_spreads"], arrays["head_weights"], words["head_bias"]),
            )


def train(texts: Sequence[str], intents: Sequence[str], encoder: Encoder, sizes: Sizes) -> IntentModel:
    """Train on these texts. The same texts in the same order give the same model, however many cores there are.

    Raises `ModelError` when there are fewer than two intents.
    """
    if len(set(intents)) < 2:
        raise ModelError("a classifier needs examples of at least two intents")
    with threadpoolctl.threadpool_limits(1, user_api="blas"):  # sums depend on how they are divided among threads
        return _train(texts, intents, encoder, sizes)


def _train(texts: Sequence[str], intents: Sequence[str], encoder: Encoder, sizes: Sizes) -> IntentModel:
    names = tuple(sorted(set(intents)))
    number = {name: place for place, name in enumerate(names)}
    labels = np.array([number[intent] for intent in intents], np.int64)
    heard = [normalise(text) for text in texts]
    vectors = encoder.encode(heard)
    ngrams = Ngrams.fit(heard)
    directions, reduced = _reduced(ngrams, heard, sizes)
    features = np.concatenate((vectors, reduced), axis=1)
    folds = _folds(labels)

    unseen = np.empty((len(labels), len(names)), np.float32)
    for fold in range(FOLDS):
        inside = folds != fold
        linear = softmax.fit(features[inside], labels[inside], len(names), sizes.strength)
        unseen[~inside] = linear.scores(features[~inside])
    whole = softmax.fit(features, labels, len(names), sizes.strength)
    width = encoder.dimensions
    return IntentModel(
        encoder,
        names,
        Speller.of(heard),
        ngrams,
        Linear(whole.weights[:width], whole.bias),
        (directions @ whole.weights[width:]).astype(np.float32),
        softmax.temperature_of(unseen, labels),
        scope.Landmarks.of(vectors, labels, len(names)),
        _head(vectors, features, labels, folds, sizes),
    )


def _reduced(ngrams: Ngrams, heard: Sequence[str], sizes: Sizes) -> tuple[Floats, Floats]:
    """Directions of the terms, and the texts along them: a truncated singular value decomposition by random projection.

    Two passes over the matrix after the first are enough for accuracy (Halko and others, 2011, section 4.5).
    """
    matrix = ngrams.matrix(heard)
    count = min(sizes.directions, *matrix.shape)
    width = min(count + _SPARE_DIRECTIONS, *matrix.shape)
    basis = np.random.default_rng(_SEED).normal(size=(matrix.shape[1], width)).astype(np.float32)
    for _ in range(_PASSES):
        basis, _ = np.linalg.qr(matrix.T @ (matrix @ basis))
    _, _, rows = np.linalg.svd(np.asarray(matrix @ basis), full_matrices=False)
    directions = np.asarray(basis @ rows[:count].T, np.float32) * np.float32(sizes.ngram_weight)
    return directions, np.asarray(matrix @ directions, np.float32)


def _folds(labels: Labels) -> Labels:
    """The fold of each text, so that every intent is in all folds alike."""
    folds = np.empty(len(labels), np.int64)
    shuffle = np.random.default_rng(_SEED)
    for label in np.unique(labels):
        places = shuffle.permutation(np.flatnonzero(labels == label))
        folds[places] = np.arange(len(places)) % FOLDS
    return folds


def _head(vectors: Floats, features: Floats, labels: Labels, folds: Labels, sizes: Sizes) -> scope.Head:
    if int(labels.max()) + 1 < scope.FEWEST_INTENTS:
        return scope.Head.of_distance()
    signs, outside = zip(*_left_out(vectors, features, labels, folds, sizes), strict=True)
    return scope.Head.fit(np.concatenate(signs), np.concatenate(outside))


def _left_out(
    vectors: Floats, features: Floats, labels: Labels, folds: Labels, sizes: Sizes
) -> Iterator[tuple[Floats, NDArray[np.bool_]]]:
    """For each group of intents: signs of unseen texts when the group was not trained, and which are of the group."""
    groups = np.random.default_rng(_SEED).permutation(int(labels.max()) + 1) % LEFT_OUT_GROUPS
    for group in range(LEFT_OUT_GROUPS):
        is_group = groups[labels] == group
        unseen = is_group | (folds == group % FOLDS)
        kept, trained = np.unique(labels[~unseen], return_inverse=True)
        linear = softmax.fit(features[~unseen], trained.astype(np.int64), len(kept), sizes.strength)
        landmarks = scope.Landmarks.of(vectors[~unseen], trained, len(kept))
        yield landmarks.signs(vectors[unseen], linear.scores(features[unseen])), is_group[unseen]
