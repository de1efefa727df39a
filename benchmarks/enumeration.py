"""Whether the time of an answer tells if a number is known: asking for a code to known and to unknown ones, in turn.

    python benchmarks/enumeration.py [--rounds 150]

Real model (`assistant train` comes first), real core, a SQLite store of its own. Prints both medians, their ratio, and
how often an answer about a known number took longer than one about an unknown one: half of the time, if the time tells
nothing.
"""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from actions import all_actions
from assistant import logs, training
from assistant.answer import House
from assistant.conversation import Conversations
from assistant.database import Database, new_id
from assistant.live import LiveHere
from assistant.metrics import Metrics
from assistant.outbox import OutboxRow
from assistant.profiles import Profiles
from assistant.settings import Settings, quiet_libraries
from assistant.shop import Shop
from assistant.turns import Address, Assurance, Modality, Turn, TurnKind

PER_HOUR = 90
"""Codes before the clock is turned on an hour: fewer than may be sent in all."""


def main(rounds: Annotated[int, typer.Option(help="Numbers of each kind.")] = 150) -> None:
    """Compare how long answers about known and unknown numbers take."""
    quiet_libraries()
    logs.configure("WARNING")
    seconds: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder, _core(Path(folder)) as core:
        for index in range(rounds):
            kinds = random.sample((True, False), 2)  # neither is always the first
            for known in kinds:
                seconds[known].append(asyncio.run(core.ask(index, known=known)))
    p50, other_p50 = (statistics.median(seconds[kind]) * 1000 for kind in (True, False))
    longer = statistics.fmean(a > b for a in seconds[True] for b in seconds[False])
    typer.echo(f"known number: p50 {p50:.1f} ms   unknown number: p50 {other_p50:.1f} ms   ratio {p50 / other_p50:.3f}")
    typer.echo(f"an answer about a known number took longer in {longer:.1%} of all pairs")


class _Asker:
    """New visitors who each ask for a code to one number."""

    def __init__(self, core: Conversations, database: Database) -> None:
        self._core = core
        self._database = database
        self._now = datetime.now(UTC)
        self._visitors = count()

    def now(self) -> datetime:
        """The core's clock, which is turned on so that no limit is reached."""
        return self._now

    async def ask(self, index: int, *, known: bool) -> float:
        """Seconds until the answer about a number that nobody asked about before."""
        self._now += timedelta(hours=1) / PER_HOUR
        number = Address("phone", f"+4477009{2 * index + known:05}")
        proved = number if known else Address("phone", f"+4477008{index:05}")  # the same work before either
        with self._database.unit_of_work() as unit:
            profiles = Profiles(unit, self._now)
            profiles.link(profiles.find_or_create(proved, Assurance.CLAIMED).id, proved, "sms code")
            unit.commit()
        visitor = Address("web", f"visitor {next(self._visitors)}")
        await self._say(visitor, "can we continue by text?")
        started = time.perf_counter()
        await self._say(visitor, number.value)
        seconds = time.perf_counter() - started
        with self._database.unit_of_work() as unit:
            sent = unit.rows(OutboxRow, kind=number.kind, value=number.value)
        if len(sent) != 1:
            raise RuntimeError(f"{len(sent)} codes were sent where one was asked for")
        return seconds

    async def _say(self, visitor: Address, text: str) -> None:
        said, screen, nobody = TurnKind.SAID, Modality.SCREEN, Assurance.ANONYMOUS
        await self._core.converse(Turn("web", visitor, new_id(), said, text, screen, nobody, self._now))


@contextmanager
def _core(folder: Path) -> Iterator[_Asker]:
    settings, database = Settings(), Database(f"sqlite:///{folder}/assistant.db")
    database.migrate()
    shop = Shop.load(settings.data_dir / "shop.yml")
    asker: _Asker | None = None
    core = Conversations(
        database,
        House(shop, new_id().encode(), texting=True, hold=timedelta(minutes=30), deadline_seconds=20.0),
        training.load(training.trusted_model(settings), all_actions(), {"shop_name": shop.name}),
        LiveHere(database),
        Metrics(database),
        turns_per_minute=1_000_000,
        idle={},
        now=lambda: asker.now() if asker else datetime.now(UTC),
        on_commit=lambda: None,
    )
    asker = _Asker(core, database)
    yield asker
    core.close()
    database.close()


if __name__ == "__main__":
    typer.run(main)
