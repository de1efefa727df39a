"""Quiet hours as people say them: "after 9pm", "between 10 at night and 8 in the morning", "22:00-07:00"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from assistant.quiet import MINUTES_OF_A_DAY, QuietHours

MAX_CHARACTERS = 400
"""How much of a text is searched."""
BEGIN, END = 21 * 60, 8 * 60
"""What stands for the time that was not said: "before 9" begins at nine in the evening, "after 10 pm" ends at eight."""
LIKELY = range(2 * 60, 16 * 60 + 1)
"""How many minutes they last where one end was not said; others are more likely misread than meant."""
_NOON = 12 * 60

_HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TIME = re.compile(
    r"(?P<before>\b(?:after|from|since|past|than|between|starting|beginning|before|until|till|til|to|and|by|at|around"
    r"|about|or)\s+|[-–]\s*)?"
    r"(?:\b(?P<named>noon|midday|midnight)\b"
    r"|(?<![\w:+£$#.])(?P<compact>(?:[01]\d|2[0-3])[0-5]\d)(?!\d)(?P<hours>\s?h(?:rs|ours)?\b)?"
    rf"|(?:\b(?P<part>half|quarter)\s+(?P<side>past\s+|to\s+)?)?(?<![\w:+£$#.])(?P<hour>\d{{1,2}}|{'|'.join(_HOURS)})"
    r"(?:\s?[:.h]\s?(?P<minute>[0-5]\d))?(?![\d%])h?(?:\s*o'?clock)?\s*(?P<half>[ap]\.?\s?m\b\.?)?)"
    r"(?:\s*(?P<when>in the morning|in the afternoon|in the evening|at night|tonight))?"
    rf"(?P<span>(?=\s*(?:[-–]|to\b|till?\b|until\b|and\b)\s*(?:\d|noon|midday|midnight|{'|'.join(_HOURS)})))?"
)
_BEGINS = re.compile(
    r"\b(?:after|from|since|past|later than|between|starting(?: at)?|beginning(?: at)?)\W*(?:about |at )?$"
)
_ENDS = re.compile(r"\b(?:before|until|till|til|by|earlier than|up to)\W*(?:about |at )?$")
_NEGATED = re.compile(
    r"\b(?:don'?t|do not|not|no|never|stop|nothing|none|quiet|silent|silence|mute|disturb|disturbed|asleep|sleep"
    r"|sleeping|bed|avoid|shouldn'?t|can'?t|cannot|won'?t)\b"
)
_EXCEPT = re.compile(r"\b(?:except|unless|outside|apart from|other than|only)\b")
_WELCOME = re.compile(r"\b(?:can|may|could|fine|ok|okay|happy|welcome|text me|message me|write to me|reach me|send)\b")
_BY_DAY = re.compile(r"\b(?:work|working|office|school|lessons?|class(?:es)?|shift|daytime|during the day|lunch)\b")
_ANY_TIME = re.compile(
    r"\bany ?time\b|\bwhenever\b|\b24/7\b|\b(?:at )?(?:all|any) hours?\b|\bday (?:and|or) night\b|\balways\b"
    r"|\baround the clock\b"
)
_NO_QUIET = re.compile(
    r"\b(?:no|remove|delete|clear|cancel|turn off|switch off|end|lift|drop|disable|reset"
    r"|(?:don'?t|do not) (?:want|need))\b\W+(?:\w+\W+){0,3}quiet (?:hours|times?)\b|\bquiet (?:hours|times?) off\b"
)
_STILL = re.compile(r"\b(?:don'?t|do not|not|never|stop)\b")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wishes about quiet hours."""

    hours: QuietHours | None
    """None for messages at any time."""


@dataclass(frozen=True, slots=True)
class _Said:
    readings: tuple[int, ...]
    """Minutes after midnight that it may mean: morning first, then evening; one when it was said which."""
    is_24h: bool
    """Whether it was written as on a clock of 24 hours, so that what is beside it is too."""
    begins: bool
    ends: bool

    @property
    def as_written(self) -> int:
        """As on a clock of 24 hours, where twelve is noon."""
        return self.readings[-1 if self.readings[0] < 60 else 0]

    @property
    def by_night(self) -> int:
        """As the beginning of a night: the small hours, or else the evening."""
        small = self.readings[0] < 5 * 60
        return self.readings[0 if small else -1]

    @property
    def by_day(self) -> int:
        """As the beginning of a day's work: the morning, or else the afternoon."""
        early = self.readings[0] < 6 * 60
        return self.readings[-1 if early else 0]


def quiet_wish(text: str, *, asked: bool = False) -> Wish | None:
    """The quiet hours that a text wishes for; None when it does not say, or not clearly enough.

    When they were `asked` for, bare numbers are times.
    """
    said = text[:MAX_CHARACTERS].lower().replace("’", "'")
    times = list(_times(said, asked))
    if not times:
        return _any_time(said)
    is_welcome = bool(_EXCEPT.search(said)) or (not _NEGATED.search(said) and bool(_WELCOME.search(said)))
    span = _span(times, by_day=is_welcome or bool(_BY_DAY.search(said)))
    if span is None:
        return None
    start, end = reversed(span) if is_welcome else span
    return _whole(start, end)


def names_a_time(text: str) -> bool:
    """Whether a text has a time of day in it, or says that any will do."""
    return quiet_wish(text, asked=True) is not None


def spoken_time(minute: int) -> str:
    """A time of day as people say it: 9 pm, 9:30 pm, noon."""
    if minute % _NOON == 0:
        return "noon" if minute else "midnight"
    hour, past = divmod(minute, 60)
    return f"{(hour - 1) % 12 + 1}{f':{past:02}' if past else ''} {'pm' if minute > _NOON else 'am'}"


def spoken_span(hours: QuietHours) -> str:
    """Quiet hours as people say them: 9 pm to 8 am."""
    return f"{spoken_time(hours.start)} to {spoken_time(hours.end)}"


def _any_time(said: str) -> Wish | None:
    welcome = _ANY_TIME.search(said) and not _STILL.search(said)
    return Wish(None) if welcome or _NO_QUIET.search(said) else None


def _times(said: str, asked: bool) -> Iterator[_Said]:
    for match in _TIME.finditer(said):
        readings, is_24h = _readings(match)
        alone = ("before", "named", "hours", "minute", "span")
        counts = asked or len(readings) == 1 or any(match[group] is not None for group in alone)
        if readings and counts:
            start = next(match.start(group) for group in ("named", "compact", "part", "hour") if match[group])
            lead = said[:start]
            yield _Said(readings, is_24h, bool(_BEGINS.search(lead)), bool(_ENDS.search(lead)))


def _readings(match: re.Match[str]) -> tuple[tuple[int, ...], bool]:
    """What a time may mean, and whether it is of a clock of 24 hours; nothing when it is no time."""
    if match["named"]:
        return ((0,) if match["named"] == "midnight" else (_NOON,)), False
    if match["compact"]:
        return (int(match["compact"][:2]) * 60 + int(match["compact"][2:]),), True
    word, past = match["hour"], int(match["minute"] or 0)
    hour = int(word) if word.isdecimal() else _HOURS.index(word) + 1
    if hour > 24:
        return (), False
    if hour > 12 or hour == 0 or (word[0] == "0" and match["minute"]):
        return ((hour % 24) * 60 + past,), True
    if match["part"]:
        past = {"half": 30, "quarter": 15}[match["part"]] * (-1 if (match["side"] or "").startswith("to") else 1)
    morning = ((hour % 12) * 60 + past) % _NOON
    both = (morning, morning + _NOON)
    half = _half(match, hour)
    return (both if half is None else (both[half],)), False


def _half(match: re.Match[str], hour: int) -> int | None:
    """Which half of the day was said: 0 for the first, 1 for the second."""
    if match["half"]:
        return int(match["half"][0] == "p")
    when = match["when"]
    if when in ("at night", "tonight"):
        return int(6 <= hour < 12)
    return None if when is None else int(when != "in the morning")


def _span(times: list[_Said], *, by_day: bool) -> tuple[int | None, int | None] | None:
    """From when until when, of one or two times; None when there are more, or it is not said which one it is."""
    if len(times) == 1:
        (only,) = times
        if only.ends:
            return None, only.readings[-1 if by_day else 0]
        return (only.by_day if by_day else only.by_night, None) if only.begins else None
    if len(times) > 2:
        return None
    first, last = reversed(times) if times[0].ends and times[1].begins else times
    pairs = list(product(first.readings, last.readings))
    if first.is_24h or last.is_24h:
        return first.as_written, last.as_written
    if len(pairs) == 4:
        return (first.by_day, last.readings[-1]) if by_day else (first.by_night, last.readings[0])
    return min(pairs, key=lambda pair: (pair[1] - pair[0]) % MINUTES_OF_A_DAY or MINUTES_OF_A_DAY)


def _whole(start: int | None, end: int | None) -> Wish | None:
    is_guessed = start is None or end is None
    start, end = BEGIN if start is None else start, END if end is None else end
    if start == end:
        return None
    hours = QuietHours(start, end)
    return None if is_guessed and hours.length not in LIKELY else Wish(hours)
