"""Pieces of words and words, weighed."""

import numpy as np
import pytest

from assistant.understanding.ngrams import Ngrams

NGRAMS = Ngrams.fit(["red roses", "red tulips", "white roses for ana"])


def test_rare_pieces_are_left_out_and_words_kept() -> None:
    assert " ro" in NGRAMS.terms
    assert " tul" not in NGRAMS.terms
    assert {"=tulips", "=red roses"} <= set(NGRAMS.terms)


def test_a_rare_term_weighs_more_than_a_common_one() -> None:
    weight = dict(zip(NGRAMS.terms, NGRAMS.weights, strict=True))
    assert weight["=ana"] > weight["=roses"] > 1


def test_a_misspelt_word_shares_pieces_with_the_right_one() -> None:
    rows = NGRAMS.matrix(["rosses", "roses", "white"]).toarray()
    assert rows[0] @ rows[1] > rows[2] @ rows[1]


@pytest.mark.parametrize("text", ["", "zzz", "?", "日本"])
def test_a_text_without_a_known_term_weighs_nothing(text: str) -> None:
    places, weights = NGRAMS.weigh(text)
    assert len(places) == len(weights) == 0


def test_one_text_is_weighed_as_in_the_matrix() -> None:
    places, weights = NGRAMS.weigh("red white tulips")
    row = NGRAMS.matrix(["red white tulips"]).toarray()[0]
    assert row[places] == pytest.approx(weights)
    assert np.count_nonzero(row) == len(places)
