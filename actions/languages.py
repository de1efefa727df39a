"""Languages as people name them: "spanish", "español", "auf deutsch"."""

import re
import unicodedata
from functools import cache

from babel import Locale

from actions.reading import MAX_CHARACTERS

SPOKEN = "en"
"""What the assistant speaks."""
_KNOWN = (
    "ar bg bn ca cs cy da de el en es et eu fa fi fil fr ga gd gl gu he hi hr hu hy id is it ja ka ko ku lt lv mk ml ms"
    " mt ne nl no pa pl ps pt ro ru sk sl so sq sr sv sw ta te th tr uk ur vi yo zh"
)
_ALSO = {
    **{"espanol": "es", "castellano": "es", "francais": "fr", "deutsch": "de", "italiano": "it", "portugues": "pt"},
    **{"nederlands": "nl", "polski": "pl", "polsku": "pl", "turkce": "tr", "romana": "ro", "cestina": "cs"},
    **{"svenska": "sv", "dansk": "da", "norsk": "no", "suomi": "fi", "magyar": "hu", "cymraeg": "cy", "gaeilge": "ga"},
    **{"русскии": "ru", "русски": "ru", "украінська": "uk", "ελληνικα": "el", "العربية": "ar", "עברית": "he"},
    **{"中文": "zh", "日本語": "ja", "한국어": "ko", "bengali": "bn", "bahasa": "id", "catala": "ca", "ingles": "en"},
    **{"farsi": "fa", "mandarin": "zh", "cantonese": "zh", "tagalog": "fil", "castilian": "es", "flemish": "nl"},
}
"""Other names of some, mostly in themselves; without accents."""
_DENIED = re.compile(r"\b(?:don'?t|do not|not|no|can'?t|cannot|hardly|bad|poor)\b")


def language_in(text: str) -> str | None:
    """The language a text asks for, as a BCP 47 tag. "I speak no English" asks for none."""
    said = text[:MAX_CHARACTERS].lower().replace("’", "'")
    named = [tag for word in re.findall(r"[^\W\d_]+", said) if (tag := _names().get(_plain(word)))]
    others = [tag for tag in named if tag != SPOKEN]
    if others:
        return others[-1]
    return SPOKEN if named and not _DENIED.search(said) else None


def language_name(tag: str) -> str:
    """The English name of a language."""
    return str(Locale(SPOKEN).languages.get(tag, tag))


@cache
def _names() -> dict[str, str]:
    """Tags by the names of the languages, without accents."""
    return {_plain(language_name(tag)): tag for tag in _KNOWN.split()} | {_plain(name): _ALSO[name] for name in _ALSO}


def _plain(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.lower())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
