"""The classifier's arithmetic."""

import numpy as np
import pytest

from assistant.understanding import softmax


def blobs(count: int, spread: float) -> tuple[softmax.Floats, softmax.Labels]:
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, count)
    centres = np.eye(3, dtype=np.float32)
    return (centres[labels] + random.normal(0, spread, (count, 3))).astype(np.float32), labels


def test_it_agrees_with_another_library_where_all_classes_are_as_many() -> None:
    from sklearn.linear_model import LogisticRegression

    features, labels = blobs(900, 0.5)
    kept = np.concatenate([np.flatnonzero(labels == label)[:200] for label in range(3)])
    features, labels = features[kept], labels[kept]
    other = LogisticRegression(C=20.0, max_iter=1000).fit(features, labels)
    ours = softmax.probabilities(softmax.fit(features, labels, 3, 20.0).scores(features))
    assert ours == pytest.approx(other.predict_proba(features), abs=0.01)


def test_a_class_with_few_examples_is_not_drowned() -> None:
    features, labels = blobs(3000, 0.6)
    few = np.concatenate([np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)[:20]])
    linear = softmax.fit(features[few], labels[few], 2, 20.0)
    test, expected = features[labels == 1][20:], 1
    assert (linear.scores(test).argmax(axis=1) == expected).mean() > 0.3


def test_the_temperature_makes_probabilities_as_often_right_as_they_say() -> None:
    features, labels = blobs(4000, 0.8)
    linear = softmax.fit(features[:2000], labels[:2000], 3, 20.0)
    boasting = linear.scores(features[2000:]) * 5
    temperature = softmax.temperature_of(boasting, labels[2000:])
    honest = softmax.probabilities(boasting, temperature)
    right = (honest.argmax(axis=1) == labels[2000:]).mean()
    assert temperature == pytest.approx(5, rel=0.2)
    assert honest.max(axis=1).mean() == pytest.approx(right, abs=0.02)


def test_huge_scores_are_still_probabilities() -> None:
    found = softmax.probabilities(np.array([[1e30, -1e30, 0.0]], np.float32))
    assert found.tolist() == [[1.0, 0.0, 0.0]]
