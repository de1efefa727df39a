"""What was measured, and what it says: percentiles, ratios, goals. Pure."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

P50_GOAL = 0.5
"""Most of stock's median that one person may wait."""
THROUGHPUT_GOAL = 2.0
"""Least times stock's turns per second at `THROUGHPUT_PEOPLE` at once."""
THROUGHPUT_PEOPLE = 16
GROWTH_GOAL = 1.3
"""Most that a turn late in a conversation may cost, as a multiple of an early one."""
EARLY_TURN, LATE_TURN = 10, 1000
PEOPLE = (1, 8, THROUGHPUT_PEOPLE, 32)
"""How many talk at once."""
MARKS = (EARLY_TURN, 100, 500, LATE_TURN)
"""Turns of one conversation at which a turn is timed."""
NOT_REACHED = "not in time"


@dataclass(slots=True)
class Load:
    """Some people talking at once, over all rounds."""

    latencies: list[float] = field(default_factory=list)
    """Seconds, one for each turn."""
    seconds: float = 0.0
    """How long they talked."""
    cpu_seconds: float = 0.0
    """What it took of all processes of the side."""

    def add(self, latencies: Sequence[float], seconds: float, cpu_seconds: float) -> None:
        """Add a round."""
        self.latencies += latencies
        self.seconds += seconds
        self.cpu_seconds += cpu_seconds

    def latency(self, percent: float) -> float:
        """A percentile, in seconds."""
        return percentile(self.latencies, percent)

    @property
    def cpu_per_turn(self) -> float:
        """In seconds."""
        return self.cpu_seconds / len(self.latencies)

    @property
    def turns_per_second(self) -> float:
        """Over all rounds."""
        return len(self.latencies) / self.seconds


@dataclass(slots=True)
class Figures:
    """All that was measured of one side."""

    loads: dict[int, Load] = field(default_factory=dict)
    """By how many people talked at once."""
    at_turn: dict[int, float] = field(default_factory=dict)
    """Seconds that a turn took from this turn of one conversation on: the median over one pass of the script."""
    first_answers: list[float] = field(default_factory=list)
    """Seconds from each start to the first answer."""
    resident_bytes: int = 0
    """Memory of all processes at the end."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    label: str
    stock: str
    ours: str
    ratio: str
    """How many times better ours is; below 1, worse."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal and what came of it."""

    text: str
    figure: float
    is_met: bool


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many percent do not exceed. Raises `ValueError` for no values."""
    if not values:
        raise ValueError("a percentile of nothing")
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def turn_medians(latencies: Sequence[float], marks: Sequence[int], span: int) -> dict[int, float]:
    """For each turn number among `marks`, from 1: the median of the `span` turns from it on, if there are as many."""
    windows = {mark: latencies[mark - 1 : mark - 1 + span] for mark in marks}
    return {mark: statistics.median(window) for mark, window in windows.items() if len(window) == span}


def rows(stock: Figures, ours: Figures) -> list[Row]:
    """The whole comparison."""

    def less(label: str, of: Callable[[Figures], float], written: Callable[[float], str] = _milliseconds) -> Row:
        return Row(label, written(of(stock)), written(of(ours)), f"{of(stock) / of(ours):.1f}")

    def more(label: str, of: Callable[[Figures], float]) -> Row:
        return Row(label, f"{of(stock):,.0f}", f"{of(ours):,.0f}", f"{of(ours) / of(stock):.1f}")

    table: list[Row] = []
    for people in sorted(stock.loads):
        who = "1 person" if people == 1 else f"{people} people"
        table += [
            *(less(f"{who}: p{percent}", partial(_latency, people, percent)) for percent in (50, 95, 99)),
            more(f"{who}: turns per second", partial(_turns_per_second, people)),
            less(f"{who}: CPU per turn", partial(_cpu_per_turn, people)),
        ]
    for turn in sorted(ours.at_turn):
        label = f"turn {turn:,} of one conversation"
        if turn in stock.at_turn:
            table.append(less(label, partial(_at_turn, turn)))
        else:
            table.append(Row(label, NOT_REACHED, _milliseconds(ours.at_turn[turn]), ""))
    return [
        *table,
        less("start to first answer", lambda side: statistics.median(side.first_answers), "{:.1f} s".format),
        less("memory", lambda side: side.resident_bytes / 2**20, "{:,.0f} MB".format),
    ]


def goals(stock: Figures, ours: Figures) -> list[Goal]:
    """What was promised, and whether it holds; without a late turn, nothing is said about growth."""
    p50 = ours.loads[1].latency(50) / stock.loads[1].latency(50)
    throughput = ours.loads[THROUGHPUT_PEOPLE].turns_per_second / stock.loads[THROUGHPUT_PEOPLE].turns_per_second
    promised = [
        Goal(f"p50 of one person at most {P50_GOAL} × stock's", p50, p50 <= P50_GOAL),
        Goal(
            f"turns per second of {THROUGHPUT_PEOPLE} people at least {THROUGHPUT_GOAL} × stock's",
            throughput,
            throughput >= THROUGHPUT_GOAL,
        ),
    ]
    if LATE_TURN in ours.at_turn:
        growth = ours.at_turn[LATE_TURN] / ours.at_turn[EARLY_TURN]
        promised.append(
            Goal(f"turn {LATE_TURN:,} at most {GROWTH_GOAL} × turn {EARLY_TURN}", growth, growth <= GROWTH_GOAL)
        )
    return promised


def _latency(people: int, percent: float, side: Figures) -> float:
    return side.loads[people].latency(percent)


def _turns_per_second(people: int, side: Figures) -> float:
    return side.loads[people].turns_per_second


def _cpu_per_turn(people: int, side: Figures) -> float:
    return side.loads[people].cpu_per_turn


def _at_turn(turn: int, side: Figures) -> float:
    return side.at_turn[turn]


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms"
