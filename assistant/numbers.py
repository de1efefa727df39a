"""Short numbers and codes that people read, say and type."""

import itertools
import re
import secrets
from collections.abc import Callable

SHARE_CODE_LENGTH = 5
SHARE_CODE_ALPHABET = "ACDEFHJKMNPQRTUWXY23456789"
"""One of each group of characters that are mistaken for one another."""
_LOOKALIKES = str.maketrans("ZSGBV", "2568U")
_NUMBER_DIGITS = 4
"""Digits of a number while there is room."""
_DRAWS_PER_LENGTH = 8
"""Draws that may all be taken before numbers grow by a digit."""


def new_number(prefix: str, taken: Callable[[str], bool]) -> str:
    """A number such as F-4821 that is not taken; random, so that it tells nothing about how many there are."""
    for digits in itertools.count(_NUMBER_DIGITS):
        for _ in range(_DRAWS_PER_LENGTH):
            number = f"{prefix}-{10 ** (digits - 1) + secrets.randbelow(9 * 10 ** (digits - 1))}"
            if not taken(number):
                return number
    raise AssertionError("unreachable: there is always a longer number")


def new_share_code(taken: Callable[[str], bool]) -> str:
    """A share code such as A7K2Q that is not taken. It has a letter and a digit, so no word looks like one."""
    while True:
        code = "".join(secrets.choice(SHARE_CODE_ALPHABET) for _ in range(SHARE_CODE_LENGTH))
        if is_share_code(code) and not taken(code):
            return code


def tidy_share_code(said: str) -> str:
    """A share code as people write it, brought to the form it was given out in: `a7k-2q` and `A7KZQ` are `A7K2Q`."""
    return re.sub(r"[\W_]", "", said).upper().translate(_LOOKALIKES)


def is_share_code(code: str) -> bool:
    """Whether a tidied code has the shape of a share code."""
    return (
        len(code) == SHARE_CODE_LENGTH
        and all(character in SHARE_CODE_ALPHABET for character in code)
        and any(character.isdigit() for character in code)
        and any(character.isalpha() for character in code)
    )
