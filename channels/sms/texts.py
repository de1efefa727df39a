"""How a reply becomes texts: choices numbered, packed into as few as are read well, in the cheapest alphabet.

A text whose characters all are in the GSM alphabet is sent in 7 bits each; one single other character, a curly quote
say, makes the whole text go in 16 bits, at less than half as many characters a segment.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import count

from assistant.turns import Message, Reply

MAX_BODY_CHARACTERS = 1_600
"""In UTF-16 units; Twilio refuses more (error 21617)."""
SHORT_BODY_CHARACTERS = 320
"""What Twilio advises to stay below."""
GSM_SINGLE, GSM_PART = 160, 153
"""Septets of a text that goes alone, and of each part of a longer one."""
UCS2_SINGLE, UCS2_PART = 70, 67
"""The same in UTF-16 units."""
GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Characters of GSM-7 that cost two septets."""
PLAIN_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−•", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u200a\u202f", " "),
        **dict.fromkeys("\u200b\u2060\ufeff", ""),
        "…": "...",
        "×": "x",
    }
)
STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "optout", "revoke", "end", "quit", "cancel"})
"""Twilio blocks its long codes on these, alone in a text."""

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def segments(text: str) -> int:
    """How many segments a text is sent, and paid for, in. A character is never split between two."""
    if all(character in GSM_BASIC or character in GSM_EXTENSION for character in text):
        costs = [2 if character in GSM_EXTENSION else 1 for character in text]
        single, part = GSM_SINGLE, GSM_PART
    else:
        costs = [_width(character) for character in text]
        single, part = UCS2_SINGLE, UCS2_PART
    if sum(costs) <= single:
        return 1
    parts = room = 0
    for cost in costs:
        if cost > room:
            parts, room = parts + 1, part
        room -= cost
    return parts


def plain(text: str) -> str:
    """The text with typewriter quotes, dashes, dots and spaces where that saves segments; otherwise as it is."""
    plainer = text.translate(PLAIN_CHARACTERS)
    saves = segments(plainer) < segments(text) and _width(plainer) <= MAX_BODY_CHARACTERS
    return plainer if saves else text


def texts(reply: Reply, aim: int = SHORT_BODY_CHARACTERS) -> tuple[str, ...]:
    """The reply as texts: as few as fit `aim` (UTF-16 units) without tearing a message, none over Twilio's limit."""
    numbers = count(1)
    packed: list[str] = []
    for message in reply.messages:
        for piece in _pieces(_written(message, numbers)):
            if packed and _width(packed[-1]) + 1 + _width(piece) <= aim:
                packed[-1] += f"\n{piece}"
            else:
                packed.append(piece)
    return tuple(plain(text) for text in packed)


def _width(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _written(message: Message, numbers: Iterator[int]) -> str:
    lines = [message.text, *(_choice(next(numbers), choice.title) for choice in message.choices)]
    return _NOT_IN_XML.sub("", "\n".join(lines)).strip()


def _choice(number: int, title: str) -> str:
    # Whoever answers with this very word would be unsubscribed by Twilio instead of understood by us.
    hint = f" (reply {number})" if title.strip().casefold() in STOP_WORDS else ""
    return f"{number} {title}{hint}"


def _pieces(text: str) -> Iterator[str]:
    """The text cut at lines, else at spaces, so that no piece is over Twilio's limit."""
    while _width(text) > MAX_BODY_CHARACTERS:
        fits = bisect_right(range(len(text)), MAX_BODY_CHARACTERS, key=lambda end: _width(text[:end])) - 1
        cut = max(text.rfind("\n", 1, fits), 0) or max(text.rfind(" ", 1, fits), 0) or fits
        yield text[:cut].rstrip()
        text = text[cut:].lstrip()
    if text:
        yield text
