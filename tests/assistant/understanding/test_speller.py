"""Typing errors are mended, right words are left alone."""

import pytest

from assistant.understanding.speller import Speller

SPELLER = Speller.of(["i want a bouquet", "order flowers today", "order the rose"])


def nothing(word: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("boquet", "bouquet"),
        ("bouqeut", "bouquet"),
        ("bouqett", "bouquet"),
        ("flwoers tdoay", "flowers today"),
        ("order", "order"),
        ("wat", "wat"),
        ("ordering", "ordering"),
        ("b0uquet", "b0uquet"),
        ("", ""),
    ],
)
def test_the_trained_word_next_to_it_is_taken(written: str, meant: str) -> None:
    assert SPELLER.correct(written, nothing) == meant


def test_a_word_that_the_encoder_knows_is_no_error() -> None:
    assert SPELLER.correct("nose oder", {"nose"}.__contains__) == "nose order"
