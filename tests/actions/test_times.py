"""Quiet hours as people say them, and what is no time of day."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.times import names_a_time, quiet_wish, spoken_span, spoken_time
from assistant.quiet import QuietHours

SPANS = {
    "don't text me after 9 pm": "9 pm to 8 am",
    "don’t text me after 9pm": "9 pm to 8 am",
    "don't text me after 10": "10 pm to 8 am",
    "no texts before 9am": "9 pm to 9 am",
    "no messages between 22 and 7": "10 pm to 7 am",
    "between 10 at night and 8 in the morning": "10 pm to 8 am",
    "22:00-07:00": "10 pm to 7 am",
    "from 22h to 7h": "10 pm to 7 am",
    "2200 to 0700": "10 pm to 7 am",
    "10pm – 8am": "10 pm to 8 am",
    "from 9 pm to 9": "9 pm to 9 am",
    "not between 9.30pm and 7.15 a.m.": "9:30 pm to 7:15 am",
    "don't text me before 8 or after 21:30": "9:30 pm to 8 am",
    "quiet from half past nine in the evening until quarter to seven": "9:30 pm to 6:45 am",
    "do not disturb from midnight to six": "midnight to 6 am",
    "never text me after midnight": "midnight to 8 am",
    "from noon to two, please be quiet": "noon to 2 pm",
    "i sleep from 1 to 9": "1 am to 9 am",
    "no one should text me after ten": "10 pm to 8 am",
    "don't write between 8 and 22:00": "8 am to 10 pm",
    "don't write between 9 and 11 pm": "9 pm to 11 pm",
    "don't message me while i'm at work, 9 to 5": "9 am to 5 pm",
    "till 9 in the morning i'm asleep": "9 pm to 9 am",
    "no messages later than 9 o'clock at night": "9 pm to 8 am",
    "only text me between 9 and 6": "6 pm to 9 am",
    "you can text me from 8 to 20": "8 pm to 8 am",
    "don't text me except between 9am and 6pm": "6 pm to 9 am",
    "only text me after 9": "9 pm to 9 am",
    "text me only before 8pm": "8 pm to 8 am",
    "text me any time after 8 am": "9 pm to 8 am",
}
ANY_TIME = (
    "you can text me any time again",
    "text me whenever you like",
    "messages are fine at any hour, day or night",
    "remove my quiet hours",
    "i don't want any quiet hours any more",
    "no quiet hours please",
)
UNCLEAR = (
    "don't text me at night",
    "no texts in the evening please",
    "stop texting me",
    "don't text me at any time",
    "don't text me more than 2 times a day",
    "don't text me on sundays",
    "no texts after 7 am",
    "no messages between 9, 12 and 17:00",
    "call me at 07700 900123",
    "i ordered for 24 May",
    "between 9 pm and 9 pm",
    "after 25",
    "",
)


@pytest.mark.parametrize(("said", "span"), SPANS.items())
def test_hours_are_read(said: str, span: str) -> None:
    wish = quiet_wish(said)
    assert wish is not None
    assert wish.hours is not None
    assert spoken_span(wish.hours) == span


@pytest.mark.parametrize("said", ANY_TIME)
def test_any_time_is_read(said: str) -> None:
    wish = quiet_wish(said)
    assert wish is not None
    assert wish.hours is None
    assert names_a_time(said)


@pytest.mark.parametrize("said", UNCLEAR)
def test_what_is_not_clear_is_not_guessed(said: str) -> None:
    assert quiet_wish(said) is None


def test_a_bare_span_counts_when_it_was_asked_for() -> None:
    assert [quiet_wish("9, 7", asked=asked) is not None for asked in (False, True)] == [False, True]


minutes = st.integers(0, 24 * 60 - 1)
hours = st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: QuietHours(*pair))


@given(hours)
def test_what_we_say_is_read_back(quiet: QuietHours) -> None:
    sayings = [spoken_span(quiet), f"don't text me from {spoken_time(quiet.start)} until {spoken_time(quiet.end)}"]
    if {quiet.start // 60, quiet.end // 60} - {10, 11, 12}:  # 10:00-11:00 may be either half of the day
        sayings.append(f"{quiet.start // 60:02}:{quiet.start % 60:02}-{quiet.end // 60:02}:{quiet.end % 60:02}")
    for said in sayings:
        wish = quiet_wish(said, asked=True)
        assert wish is not None
        assert wish.hours == quiet


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["after", "9", "pm", "-", "to", "half", ":", "h", "12"])).map(" ".join)
)
def test_nothing_breaks_it(said: str) -> None:
    wish = quiet_wish(said, asked=True)
    assert wish is None or wish.hours is None or wish.hours.length > 0
