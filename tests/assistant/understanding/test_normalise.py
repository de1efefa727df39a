"""What the classifier sees of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.understanding.normalise import LONGEST, normalise


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Hello, THERE!!", "hello there"),
        ("what\u2019s open?", "what's open"),
        ("cafe\u0301", "caf\u00e9"),
        ("¿Cuándo abren?", "cuándo abren"),
        ("two-word (maybe)", "two word maybe"),
        ("50€ / $3", "50€ $3"),
        ("\U0001f44d", "\U0001f44d"),
        ("สวัสดี", "สวัสดี"),
        ("???", "???"),
        ("  ", ""),
        ("", ""),
    ],
)
def test_what_nobody_can_hear_is_gone(text: str, heard: str) -> None:
    assert normalise(text) == heard


@given(st.text())
def test_once_is_enough(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_what_is_too_long_is_cut() -> None:
    assert normalise("a" * 5000) == "a" * LONGEST
