"""Languages as people name them."""

import pytest

from actions.languages import language_in, language_name


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("do you speak Spanish", "es"),
        ("hablas español", "es"),
        ("puedes hablar en espanol", "es"),
        ("parlez-vous français ?", "fr"),
        ("auf Deutsch bitte", "de"),
        ("türkçe", "tr"),
        ("по-русски", "ru"),
        ("日本語", "ja"),
        ("i don’t understand english, polish please", "pl"),
        ("my english is not good, portuguese?", "pt"),
        ("not french but italian", "it"),
        ("switch to english please", "en"),
        ("i don't speak english", None),
        ("which languages do you speak", None),
        ("", None),
    ],
)
def test_the_language_that_is_wanted_is_found(said: str, tag: str | None) -> None:
    assert language_in(said) == tag


def test_a_language_has_its_english_name() -> None:
    assert [language_name(tag) for tag in ("es", "zh", "cy", "tlh-x")] == ["Spanish", "Chinese", "Welsh", "tlh-x"]
