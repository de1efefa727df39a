"""A text as the classifier sees it: what nobody can hear is gone. Entities are read from the text as it was said."""

import unicodedata

LONGEST = 1600
"""Characters that are looked at; more say nothing new about what somebody wants."""
_SILENT = frozenset("PZC") | {"Sk", "Sm"}
"""Unicode categories of what is typed and not spoken. Emoji and currency signs stay: they mean something."""
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'"))


def normalise(text: str) -> str:
    """The words in NFC and lower case, without punctuation, one space apart; the text itself where nothing is left."""
    composed = unicodedata.normalize("NFC", text[:LONGEST].lower()).translate(_APOSTROPHES)
    spoken = "".join(" " if _is_silent(character) else character for character in composed)
    return " ".join(spoken.split()) or " ".join(text[:LONGEST].split())


def _is_silent(character: str) -> bool:
    if character == "'" or character.isalnum():
        return False
    category = unicodedata.category(character)
    return category in _SILENT or category[0] in _SILENT
