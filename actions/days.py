"""Days as people say them: "saturday", "the 24th", "in two days", "24/5"."""

import calendar
import re
import signal
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache

import duckling
from rapidfuzz import fuzz, process

# The Haskell runtime behind Duckling takes over SIGINT when it starts; give it back, or Ctrl-C no longer stops us.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.getsignal(signal.SIGINT))

MAX_WORDS_OF_A_DAY = 6
"""Duckling's time and memory are exponential in the date words of a text: ten take half a second, forty all memory."""
MAX_DAYS = 4
"""Days read from one text at the most."""
MAX_CHARACTERS = 400
"""How much of a text is searched for days."""
TYPO_LIKENESS = 80
"""How like a day's name a misspelt word must be, in percent."""

_NAMES = tuple(name.lower() for name in (*calendar.day_name, *calendar.month_name[1:]))
_MONTHS = "|".join(_NAMES[7:])
_WEEKDAYS = "|".join((*_NAMES[:7], "mon|tues?|weds?|thu|thurs?|fri|sat|sun"))
_SHORT_NAMES = "mon tue tues wed weds thu thur thurs fri sat sun jan feb mar apr jun jul aug sep sept oct nov dec"
_OTHERS = "today tonight tomorrow tmrw yesterday christmas valentine valentines valentine's"
_ORDINAL_NAMES = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth"
)
_LITTLE_WORDS = (
    "next this coming following last in on the of a an after from now before one two three four five six seven "
    "eight nine ten twelve fourteen twenty thirty eve day's mother's mothers week's time new year's"
)
_COUNT_NAMES = "in two three four five six seven eight nine ten mother's mothers"
_COUNTS = frozenset(_COUNT_NAMES.split())
_SPANS = frozenset(("day", "days", "week", "weeks"))
"""Words that make a day with one of the counts: "in two days"."""
_ORDINALS = frozenset(_ORDINAL_NAMES.split())
_JOINTS = _ORDINALS.union(_SPANS, _LITTLE_WORDS.split())
"""Words that only belong to a day."""
_ANCHORS = frozenset((*_NAMES, *_SHORT_NAMES.split(), *_OTHERS.split()))
"""Words that may make a day by themselves."""
_WORD = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}(?:[./]\d{2,4})?|\d{1,2}(?:st|nd|rd|th)|\d{1,4}|[^\W\d_']+(?:'s)?"
)
_NUMERIC_DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}([./]\d{2,4})?|\d{1,2}(st|nd|rd|th)")
_SHORT_RANGE = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)? ?(?:-|–|to|until|till|and) ?(?=\d{{1,2}}(?:st|nd|rd|th)? (?:of )?({_MONTHS})\b)"
)
_WEEK_AFTER = re.compile(r"\b(?:week (?:on|from) \w+|week (?:today|tomorrow)|\w+day week)\b")


def _slashed(match: re.Match[str]) -> str:
    return "/".join(part for part in match.groups() if part)


_SAID_OTHERWISE: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\b(?:asap|as soon as possible|straight away|right away)\b"), "today"),
    (re.compile(r"\bweek-?end\b"), "saturday"),
    (re.compile(r"(?<![\d-])(\d{1,2})[.-](\d{1,2})(?:[.-](\d{4}))?\b\.?"), _slashed),
    (re.compile(r"\b(twenty|thirty)-(?=[a-z])"), r"\1 "),
    (re.compile(rf"\b({_WEEKDAYS}) (\d{{1,2}})(?!\w|/| (?:of )?(?:{_MONTHS}))"), r"\1 the \2th"),
    (re.compile(r"(?<!the )\b(\d{1,2}(?:st|nd|rd|th))\b"), r"the \1"),
)
_lock = threading.Lock()
"""Whether Duckling may be called from several threads at once is not known."""


def days_in(text: str, now: datetime, *, asked: bool = False) -> tuple[date, ...]:
    """The days a text names, in its order. `now` is the moment on the shop's own clock.

    When a day was `asked` for, a bare number is a day of the month and a misspelt name counts.
    """
    said = _SHORT_RANGE.sub(r"\1 \2 to ", text[:MAX_CHARACTERS].lower().replace("’", "'"))
    for pattern, plain in _SAID_OTHERWISE:
        said = pattern.sub(plain, said)
    if asked:
        said = _mend(said)
    days: list[date] = []
    for run in _runs(said, asked)[:MAX_DAYS]:
        if (day := _read(run, now)) is not None and day not in days:
            days.append(day)
    return tuple(days)


def spoken(day: date) -> str:
    """A day as people say it: Saturday 24 May."""
    return f"{day:%A} {day.day} {day:%B}"


def _mend(said: str) -> str:
    if re.fullmatch(r"\W*\d{1,2}\W*", said):
        return f"the {said.strip(' .,!?')}th"
    words = said.split()
    for index, word in enumerate(words):
        if len(word) >= 5 and word.isalpha() and word not in _ANCHORS and word not in _JOINTS:
            match = process.extractOne(word, (*_NAMES, "tomorrow", "today"), scorer=fuzz.ratio)
            if match and match[1] >= TYPO_LIKENESS:
                words[index] = match[0]
    return " ".join(words)


def _runs(said: str, asked: bool) -> list[str]:
    """Stretches of date words, each short enough for Duckling and with something in it that makes a day."""
    runs: list[list[str]] = [[]]
    end = 0
    for match in _WORD.finditer(said):
        word, gap = match.group(), said[end : match.start()]
        end = match.end()
        known = word in _ANCHORS or word in _JOINTS or word[0].isdigit()
        if not known or gap.strip(" ,") or len(runs[-1]) == MAX_WORDS_OF_A_DAY:
            runs.append([])
        if known:
            runs[-1].append(word)
    return [" ".join(run) for run in runs if _makes_a_day(run, asked)]


def _makes_a_day(run: list[str], asked: bool) -> bool:
    if any(word in _ANCHORS or _NUMERIC_DAY.fullmatch(word) for word in run):
        return True
    if not _SPANS.isdisjoint(run):
        return not _COUNTS.isdisjoint(run) or any(map(str.isdigit, run))
    # "The first one" is a day only to somebody who was asked for one.
    return asked and not _ORDINALS.isdisjoint(run)


def _read(run: str, now: datetime) -> date | None:
    # The shop's wall clock is passed off as UTC: only the date is wanted, and no time zone files are needed.
    wall_clock = int(now.replace(tzinfo=UTC).timestamp())
    with _lock:
        moment = duckling.parse_ref_time(_no_time_zones(), "UTC", wall_clock)
        context = duckling.Context(moment, _english())  # type: ignore[call-arg]  # its stub forgets the arguments
        found = duckling.parse(run, context, _times())
    for part in found:
        value = part["value"].get("from") or part["value"]
        if value.get("grain") in ("day", "hour", "minute", "second"):
            day = date.fromisoformat(value["value"][:10])
            return day + timedelta(days=7) if _WEEK_AFTER.search(run) else day
    return None


@cache
def _no_time_zones() -> duckling.duckling.TimeZoneDatabase:
    with tempfile.TemporaryDirectory() as empty:
        return duckling.load_time_zones(empty)


@cache
def _english() -> duckling.Locale:
    return duckling.parse_locale("EN_GB", duckling.default_locale_lang(duckling.parse_lang("EN")))


@cache
def _times() -> list[duckling.Dimension]:
    return list(duckling.parse_dimensions(["time"]))
