"""What people say, read: bouquets, phone numbers, codes, addresses, ways to pay, yes and no. Pure functions."""

import re

import phonenumbers
from babel.core import get_global
from rapidfuzz import fuzz, process

from assistant.numbers import is_share_code, tidy_share_code
from assistant.shop import Bouquet, Payment, Shop
from assistant.turns import Address

NAME_LIKENESS = 86
"""How like a name of ours what was said must be, in percent."""
WORD_LIKENESS = 84
"""The same for a colour, a flower or one word of a name."""
MAX_NAME_CHARACTERS = 40
MAX_CHARACTERS = 400
"""How much of a text is searched."""

_DIGITS = dict(
    zip(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), "0123456789", strict=True)
)
_DIGITS |= dict.fromkeys(("oh", "o", "nought"), "0")
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_YES = re.compile(
    r"(?:oh |well |ok(?:ay)?,? |um+ )*"
    r"(?:y|yes|yea|yeah|yep|yup|ya|aye|sure|certainly|absolutely|definitely|of course|please do|do it|do that"
    r"|go ahead|go for it|place (?:it|the order)|order it|confirm(?:ed)?|correct|right"
    r"|that'?s (?:right|correct|it|fine|all)|(?:all|looks|sounds) (?:good|right|fine|great|perfect)"
    r"|perfect|great|fine|ok(?:ay)?|exactly|lovely|cool|i do|i am|it is)\b"
    r"(?!.*(?:\?|\b(?:but|wait|except|instead|change|no|not|don'?t|cancel|actually|first)\b)).*|👍.*",
    re.DOTALL,
)
_NO = re.compile(
    r"(?:oh |well |um+ )*(?:n|no|nope|nah|na|not|never|don'?t|do not|wrong|incorrect|that'?s (?:wrong|not))\b.*|👎.*",
    re.DOTALL,
)
_NAME = re.compile(
    r"(?:my (?:first |full )?name(?:'?s| is|:)|(?:you can |please |just )?call me|i am called|i'?m called|i am|i'?m"
    r"|it'?s|its|this is|the name(?:'?s| is)|name:|(?:change|set) my name to)\s+"
    r"(?P<name>[^\W\d_][\w'’-]*(?: [^\W\d_][\w'’.-]*){0,2})",
    re.IGNORECASE,
)
_AFTER_A_NAME = re.compile(
    r"\b(?:here|speaking|please|by the way|by the|and|from now on|not|now|instead|actually|thanks)\b.*", re.IGNORECASE
)
_STREET = (
    r"street|st|road|rd|lane|ln|avenue|ave|square|sq|terrace|mews|way|gardens|grove|court|place|close|row|hill|park"
    r"|crescent|house|flat"
)
_SPOT = re.compile(rf"\b(?:flat \w+,? )?\d+\w? [^.;!?\n]*|\b(?:[\w']+ ){{1,3}}(?:{_STREET})\b[^.;!?\n]*", re.IGNORECASE)
_AFTER_A_SPOT = re.compile(
    r",?\s+(?:(?:and|with|please|pls|thanks|thank you|saying|to arrive)\b"
    r"|(?:on|for|by|at|this|next) (?=\S*(?:day|\d|tomorrow|today|next|the \d)))",
    re.IGNORECASE,
)
_ORDER_NUMBER = re.compile(
    r"\b(?P<prefix>[FR])\W{0,2}(?P<digits>\d{4,7})\b"
    r"|(?:number|no\.?|order|request|ticket) ?#?(?P<bare>\d{4,7})\b|#(?P<hash>\d{4,7})\b",
    re.IGNORECASE,
)
_CODE_SAID = re.compile(r"\bcode(?: is| was|'s|:|,)*\s+(?P<code>[\w-]{4,9}|(?:\w[ -]){3,6}\w)(?=\W|$)", re.IGNORECASE)
_CODE_WORD = re.compile(r"\b(?=\w*\d)(?=\w*[a-z])\w{4,7}\b|\b(?:\w[ -]){4}\w\b", re.IGNORECASE)
_NO_CODE = re.compile(r"\d+(?:st|nd|rd|th|am|pm|ish|s)", re.IGNORECASE)


def words(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return re.findall(r"[\w']+", text[:MAX_CHARACTERS].lower().replace("’", "'"))


def yes_or_no(text: str) -> bool | None:
    """Whether this says yes or no, if it says either."""
    said = text.strip().lower().replace("’", "'")
    if _NO.fullmatch(said):
        return False
    return True if _YES.fullmatch(said) else None


def digits_in(text: str) -> str:
    """Every digit of a text in order, also spoken ones: "oh seven double seven" is 0777."""
    digits, times = "", 1
    for word in words(text):
        if word in _TIMES:
            times = _TIMES[word]
            continue
        found = _DIGITS.get(word) or "".join(character for character in word if character.isdecimal())
        digits += "".join(str(int(character)) for character in found) * times
        times = 1
    return digits


def six_digits(text: str) -> str | None:
    """A one-time code, however it is spaced or spoken; no part of a longer number."""
    runs = (re.sub(r"\D", "", run) for run in re.findall(r"\d(?:[ .-]?\d)*", text[:MAX_CHARACTERS]))
    alone = [run for run in runs if len(run) == 6]
    if len(alone) == 1:
        return "".join(str(int(digit)) for digit in alone[0])
    digits = digits_in(text)
    return digits if len(digits) == 6 else None


def country(shop: Shop) -> str:
    """The country of the shop (ISO 3166), by its time zone: phone numbers without one are from there."""
    return str(get_global("zone_territories").get(shop.timezone, "GB"))


def phone(text: str, region: str) -> Address | None:
    """A phone number as people write or say it. Numbers only have to be possible: new ranges come faster than lists."""
    said = text[:MAX_CHARACTERS]
    found = [match.number for match in phonenumbers.PhoneNumberMatcher(said, region, phonenumbers.Leniency.POSSIBLE)]
    if not found:
        digits = ("+" if said.strip().startswith("+") else "") + digits_in(said)
        try:
            number = phonenumbers.parse(digits, region)
        except phonenumbers.NumberParseException:
            return None
        found = [number] if phonenumbers.is_possible_number(number) else []
    if len(found) != 1 or len(str(found[0].national_number)) < 8:
        return None
    return Address("phone", phonenumbers.format_number(found[0], phonenumbers.PhoneNumberFormat.E164))


def takes_texts(address: Address) -> bool:
    """Whether a phone number may receive text messages; landlines do not."""
    number = phonenumbers.parse(address.value)
    return phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.FIXED_LINE


def masked(address: Address) -> str:
    """A phone number as it may be shown."""
    return f"the number ending {address.value[-3:]}"


def bouquets(text: str, shop: Shop, *, by_name: bool = False) -> tuple[Bouquet, ...]:
    """The bouquets a text may mean: those it names or, unless only names count, those that match it best."""
    said = " ".join(words(text))
    exact = shop.bouquet(text.strip())
    if exact is not None:
        return (exact,)
    named = [
        bouquet
        for bouquet in shop.bouquets
        if fuzz.partial_ratio(bouquet.name.lower(), said) >= NAME_LIKENESS and len(said) >= len(bouquet.name) - 2
    ]
    if named or by_name:
        return tuple(named)
    scores = {bouquet.id: _matching_words(said.split(), bouquet) for bouquet in shop.bouquets}
    best = max(scores.values(), default=0)
    return tuple(bouquet for bouquet in shop.bouquets if best and scores[bouquet.id] == best)


def _matching_words(said: list[str], bouquet: Bouquet) -> int:
    known = [*bouquet.name.lower().split(), *bouquet.colours, *bouquet.flowers]
    known += [flower.removesuffix("s") for flower in bouquet.flowers]
    return sum(
        1
        for word in said
        if len(word) > 2 and process.extractOne(word, known, scorer=fuzz.ratio, score_cutoff=WORD_LIKENESS)
    )


def payment(text: str, shop: Shop) -> Payment | None:
    """The way to pay a text means."""
    exact = shop.payment(text.strip())
    if exact is not None:
        return exact
    said = set(words(text))
    for way in shop.payments:
        own = {*way.title.lower().split(), way.id} - {"on", "delivery", "by"}
        if said & (own | _PAYMENT_WORDS.get(way.id, frozenset())):
            return way
    return None


_PAYMENT_WORDS = {
    "card": frozenset(("visa", "mastercard", "debit", "credit", "amex", "contactless", "cards")),
    "cash": frozenset(("notes", "coins", "money")),
    "transfer": frozenset(("transfer", "wire", "bacs", "banking")),
}


def area(text: str, shop: Shop) -> str | None:
    """The delivery area a text names."""
    said = " ".join(words(text))
    for name in shop.delivery_areas:
        if len(said) >= len(name) - 2 and fuzz.partial_ratio(name.lower(), said) >= WORD_LIKENESS:
            return name
    return None


def spot(text: str) -> str | None:
    """A street address within a text that says other things as well."""
    after = re.split(
        r"\b(?:to|at|is|be|meant)\s+(?=(?:flat )?\d)", text[:MAX_CHARACTERS], maxsplit=1, flags=re.IGNORECASE
    )[-1]
    found = _SPOT.search(after)
    if found is None:
        return None
    return _AFTER_A_SPOT.split(found.group(), maxsplit=1)[0].strip(" ,.") or None


def looks_like_an_address(text: str) -> bool:
    """Whether a text has a house number or the name of a street."""
    return bool(_SPOT.search(text[:MAX_CHARACTERS]))


def names_a_street(text: str) -> bool:
    """Whether a text has a word such as road or street."""
    return bool(re.search(rf"\b(?:{_STREET})\b", text[:MAX_CHARACTERS], re.IGNORECASE))


def share_codes(text: str, *, asked: bool = False) -> tuple[str, ...]:
    """What may be a share code in a text, tidied, the likeliest first."""
    said = text[:MAX_CHARACTERS]
    introduced = [match["code"] for match in _CODE_SAID.finditer(said) if any(map(str.isdigit, match["code"]))]
    others = [match for match in _CODE_WORD.findall(said) if not _NO_CODE.fullmatch(match)]
    shaped = [code for code in others if is_share_code(tidy_share_code(code))]
    bare = [said] if asked and is_share_code(tidy_share_code(said)) else []
    return tuple(dict.fromkeys(map(tidy_share_code, (*bare, *shaped, *introduced, *others))))


def number(text: str, prefix: str) -> str | None:
    """The number of an order (F) or a request (R) in a text."""
    match = _ORDER_NUMBER.search(text[:MAX_CHARACTERS])
    if match is None or (match["prefix"] or prefix).upper() != prefix:
        return None
    return f"{prefix}-{match['digits'] or match['bare'] or match['hash']}"


def name(text: str) -> str | None:
    """The name somebody gives as their own."""
    match = _NAME.search(text[:MAX_CHARACTERS])
    said = match["name"] if match else None
    if said is None and re.fullmatch(r"[^\W\d_][\w'’-]*(?: [^\W\d_][\w'’-]*)? here\W*", text.strip(), re.IGNORECASE):
        said = re.sub(r"\s+here\W*$", "", text.strip(), flags=re.IGNORECASE)
    if not said:
        return None
    said = _AFTER_A_NAME.sub("", said).strip(" .'’-")[:MAX_NAME_CHARACTERS]
    return (said if any(map(str.isupper, said)) else said.title()) or None
