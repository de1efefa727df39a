"""Days as people say them, read on Wednesday 20 May 2026 at half past ten in the shop."""

import subprocess
import sys
import time
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.days import days_in, spoken

NOW = datetime(2026, 5, 20, 10, 30, tzinfo=ZoneInfo("Europe/London"))


def may(day: int) -> date:
    return date(2026, 5, day)


def june(day: int) -> date:
    return date(2026, 6, day)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("today", may(20)),
        ("asap", may(20)),
        ("tonight", may(20)),
        ("tomorrow", may(21)),
        ("tmrw pls", may(21)),
        ("day after tomorrow", may(22)),
        ("in two days", may(22)),
        ("in 3 days time", may(23)),
        ("saturday", may(23)),
        ("Sat", may(23)),
        ("this saturday please", may(23)),
        ("the weekend", may(23)),
        ("on friday, in the morning", may(22)),
        ("next friday", may(29)),
        ("fri 29", may(29)),
        ("saturday week", may(30)),
        ("a week on friday", may(29)),
        ("a week today", may(27)),
        ("wednesday", may(27)),
        ("the 24th", may(24)),
        ("24th", may(24)),
        ("24 May", may(24)),
        ("24th may 2026", may(24)),
        ("the twenty fourth of may", may(24)),
        ("twenty-fourth of may", may(24)),
        ("24/5", may(24)),
        ("24.5.", may(24)),
        ("24-5", may(24)),
        ("24/05/2026", may(24)),
        ("24-05-2026", may(24)),
        ("2026-05-24", may(24)),
        ("saturday the 23rd", may(23)),
        ("Friday, 22 May", may(22)),
        ("on the 3rd of june", june(3)),
        ("yesterday", may(19)),
        ("christmas eve", date(2026, 12, 24)),
        ("rose garden for saturday to 12 Elm Road Hackney", may(23)),
        ("N1 5QW saturday", may(23)),
    ],
)
def test_a_day_is_read_as_people_say_it(said: str, meant: date) -> None:
    assert days_in(said, NOW) == (meant,)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("monday to wednesday", (may(25), may(27))),
        ("from 1 june to 5 june", (june(1), june(5))),
        ("1-5 june", (june(1), june(5))),
        ("1st to 12th of june", (june(1), june(12))),
        ("sunday or monday", (may(24), may(25))),
    ],
)
def test_two_days_are_read_in_their_order(said: str, meant: tuple[date, ...]) -> None:
    assert days_in(said, NOW) == meant


@pytest.mark.parametrize(
    "said",
    [
        "",
        "12 Elm Road",
        "may I ask",
        "two roses",
        "spring meadow",
        "the first one",
        "have a nice day",
        "the day",
        "at 5pm",
    ]
    + ["march", "next week", "5", "Second Avenue 5, Hackney", "change the day"],
)
def test_no_day_is_read_where_none_is(said: str) -> None:
    assert days_in(said, NOW) == ()


@pytest.mark.parametrize(
    ("said", "meant"),
    [("24", may(24)), ("satruday", may(23)), ("tomorow please", may(21)), ("wensday", may(27)), ("the first", june(1))],
)
def test_who_was_asked_for_a_day_may_say_less_and_misspell_it(said: str, meant: date) -> None:
    assert days_in(said, NOW, asked=True) == (meant,)


def test_a_text_of_nothing_but_days_is_read_at_once() -> None:
    started = time.process_time()
    assert days_in("saturday next monday " * 100, NOW, asked=True)
    assert time.process_time() - started < 1


@settings(max_examples=150, deadline=2000)
@given(st.text(st.sampled_from("saturdynexmo 0123456789thof-/.,"), max_size=80), st.booleans())
def test_anything_like_a_day_is_read_in_time(said: str, asked: bool) -> None:
    assert len(days_in(said, NOW, asked=asked)) <= 4


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=2000)
def test_no_text_breaks_the_reader(said: str) -> None:
    assert all(isinstance(day, date) for day in days_in(said, NOW))


def test_a_day_is_said_with_its_weekday() -> None:
    assert spoken(may(3)) == "Sunday 3 May"


ASKED_AND_INTERRUPTED = """
import signal
from datetime import UTC, datetime
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have it ignored
from actions.days import days_in
assert days_in("saturday", datetime(2026, 5, 1, tzinfo=UTC))
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("heard")
"""


def test_the_reader_leaves_ctrl_c_to_python() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED_AND_INTERRUPTED], capture_output=True, text=True, timeout=60)
    assert done.stdout == "heard\n"
