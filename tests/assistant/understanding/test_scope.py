"""How far a text is from what was trained."""

import numpy as np
import pytest

from assistant.understanding import scope

VECTORS = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 1, 0], [0, 0.8, 0.6]], np.float32)
LANDMARKS = scope.Landmarks.of(VECTORS, np.array([0, 0, 1, 1]), 2)
SCORES = np.array([[2, 0], [2, 0]], np.float32)


def test_of_an_intent_with_many_examples_some_are_kept() -> None:
    many = np.tile(VECTORS, (100, 1))
    kept = scope.Landmarks.of(many, np.tile([0, 0, 1, 1], 100), 2)
    assert len(kept.vectors) == 2 * scope.KEPT


def test_the_nearest_example_is_a_sign() -> None:
    signs = LANDMARKS.signs(np.array([[1, 0, 0], [0, 0, -1]], np.float32), SCORES)
    assert signs[0, scope.NEAREST_SIGN] == pytest.approx(1)
    assert signs[1, scope.NEAREST_SIGN] <= 0


def test_distance_alone_tells_near_from_far() -> None:
    signs = LANDMARKS.signs(np.array([[1, 0, 0], [0, 0, -1]], np.float32), SCORES)
    near, far = scope.Head.of_distance().score(signs)
    assert near < 0.1
    assert far > 0.9


def test_the_head_learns_which_sign_counts() -> None:
    random = np.random.default_rng(2)
    outside = random.random(600) < 0.2
    signs = random.normal(0, 1, (600, scope.SIGNS)).astype(np.float32)
    signs[:, 2] -= 3 * outside
    scores = scope.Head.fit(signs, outside).score(signs)
    assert scores[outside].mean() > 0.8
    assert scores[~outside].mean() < 0.2
