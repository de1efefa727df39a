"""Quiet hours on the shop's clock, on the nights when clocks change too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.quiet import QuietHours

LONDON = ZoneInfo("Europe/London")
ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia")
"""Clocks that change by an hour, by half an hour, never, and one that left out a day."""
NIGHT = QuietHours(22 * 60, 7 * 60)

minutes = st.integers(0, 24 * 60 - 1)
hours = st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: QuietHours(*pair))
moments = st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-05-20T20:59", "2026-05-20T20:59"),  # 21:59 in London
        ("2026-05-20T21:00", "2026-05-21T06:00"),
        ("2026-05-21T05:59:30", "2026-05-21T06:00"),
        ("2026-05-21T06:00", "2026-05-21T06:00"),
        ("2026-03-28T22:30", "2026-03-29T06:00"),  # an hour shorter: clocks go forward
        ("2026-10-24T22:30", "2026-10-25T07:00"),  # an hour longer: they go back
    ],
)
def test_what_is_to_be_sent_waits_until_the_quiet_hours_are_over(now: str, then: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert NIGHT.over(moment, LONDON) == datetime.fromisoformat(then).replace(tzinfo=UTC)


@given(quiet=hours, moment=moments, zone=st.sampled_from(ZONES).map(ZoneInfo), part=st.floats(0, 0.999))
@example(QuietHours(0, 90), datetime(2026, 3, 29, 0, 30, tzinfo=UTC), LONDON, 0.9)  # 01:30 does not come that night
@example(QuietHours(0, 90), datetime(2026, 10, 25, 0, 10, tzinfo=UTC), LONDON, 0.9)  # 01:30 comes twice
def test_the_first_moment_that_is_not_quiet_is_found(
    quiet: QuietHours, moment: datetime, zone: ZoneInfo, part: float
) -> None:
    then = quiet.over(moment, zone)
    assert not is_quiet(quiet, then.astimezone(zone))
    assert then - moment <= timedelta(minutes=quiet.length, hours=1)
    if then > moment:
        before = moment + (then - moment) * part
        assert is_quiet(quiet, before.astimezone(zone))


def is_quiet(quiet: QuietHours, local: datetime) -> bool:
    """The same in other words."""
    minute = local.hour * 60 + local.minute
    if quiet.start < quiet.end:
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end


@pytest.mark.parametrize(("start", "end"), [(60, 60), (-1, 5), (0, 1440)])
def test_there_are_none_that_are_empty_or_no_times_of_day(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="no quiet hours"):
        QuietHours(start, end)
