"""The hours in which a person wants no messages, on the shop's clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MINUTES_OF_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of day until another one, over midnight when that is earlier. Raises `ValueError` when the two are
    the same, or no times of day."""

    start: int
    """Minutes after midnight, in which they begin."""
    end: int
    """Minutes after midnight, in which they are over."""

    def __post_init__(self) -> None:
        if self.start == self.end or not all(0 <= minute < MINUTES_OF_A_DAY for minute in (self.start, self.end)):
            raise ValueError(f"no quiet hours: {self.start} to {self.end}")

    @property
    def length(self) -> int:
        """How long they are, in minutes of the clock."""
        return (self.end - self.start) % MINUTES_OF_A_DAY

    def contain(self, local: datetime) -> bool:
        """Whether it is quiet when the shop's clock shows this."""
        return (local.hour * 60 + local.minute - self.start) % MINUTES_OF_A_DAY < self.length

    def over(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The first moment from this one on at which it is not quiet in this time zone; UTC.

        Looked for minute by minute, a day and an hour at most: when clocks change, the end may come twice or never.
        """
        if not self.contain(moment.astimezone(zone)):
            return moment
        moment = moment.replace(second=0, microsecond=0)
        while self.contain(moment.astimezone(zone)):
            moment += timedelta(minutes=1)
        return moment
