"""This assistant beside stock `rasa run`: same data, same model, same dialogue, same durability, in one run.

    make bench                                           # everything, about a quarter of an hour
    python benchmarks/turns.py --quick                   # a smoke run
    python benchmarks/turns.py --postgresql postgresql://127.0.0.1/postgres

Both are spoken to over HTTP on this machine: this assistant through its signed webhook for text messages, stock Rasa
through its REST channel. Stock Rasa's custom actions are ours, in rasa-sdk's action server, with a database of their
own. Both have Rasa's trained model in common, and SQLite in WAL mode with full sync, or PostgreSQL. Rounds alternate;
every answer of every turn is compared. Trust ratios and CPU: wall times depend on what else the machine does.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.engine import make_url

from assistant.progress import step
from assistant.settings import quiet_libraries
from benchmarks.dialogue import SCRIPT, AnswersDiffer, Expected
from benchmarks.figures import MARKS, PEOPLE, Figures, Load, goals, rows, turn_medians
from benchmarks.material import make_material
from benchmarks.people import SideFailed, first_answer, talk_at_once, talk_long
from benchmarks.sides import Side, StockRasa, ThisAssistant
from benchmarks.stock import ROOT, make_environment

CACHE = ROOT / ".benchmarks"
LONG_SECONDS = 600.0
"""How long one conversation may go on; stock Rasa may not come to its end."""


def main(
    quick: Annotated[
        bool, typer.Option(help="A smoke run: short rounds, and a conversation of a hundred turns.")
    ] = False,
    postgresql: Annotated[
        str | None, typer.Option(help="A PostgreSQL server to use instead of SQLite; databases are made and dropped.")
    ] = None,
) -> None:
    """Compare turns of this assistant with stock Rasa's."""
    quiet_libraries()
    notes = Console(stderr=True)
    with step(notes, "Installing stock Rasa; the first time takes minutes", "Stock Rasa is installed"):
        rasa = make_environment(CACHE / "stock")
    with step(notes, "Preparing the data and the model of both", "Data and model are ready"):
        settings, model = make_material(CACHE / "material")
    with ExitStack() as stack:
        names = ("assistant", "tracker", "actions")
        urls = [stack.enter_context(_database(postgresql, name)) if postgresql else None for name in names]
        folders = [_empty(CACHE / "run" / name) for name in ("stock", "assistant")]
        stock_urls = (urls[1], urls[2]) if urls[1] and urls[2] else None
        stock = StockRasa(folders[0], rasa, model, settings, stock_urls)
        ours = ThisAssistant(folders[1], settings, urls[0])
        for side in (stock, ours):
            stack.callback(side.stop)
        progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=notes,
            refresh_per_second=2,  # more would take CPU from what is measured
        )
        stack.enter_context(progress)
        run = _Run(stock, ours, progress, rounds=1 if quick else 3, seconds=2.0 if quick else 10.0)
        try:
            asyncio.run(run.measure(MARKS[:2] if quick else MARKS))
        except (SideFailed, AnswersDiffer) as failure:
            notes.print(str(failure), style="red", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(1) from failure
    _print(run.figures[stock.name], run.figures[ours.name], "PostgreSQL" if postgresql else "SQLite, WAL, full sync")


class _Run:
    """One run of the whole comparison."""

    def __init__(self, stock: Side, ours: Side, progress: Progress, *, rounds: int, seconds: float) -> None:
        self.figures = {side.name: Figures(loads={people: Load() for people in PEOPLE}) for side in (stock, ours)}
        self._sides = (stock, ours)
        self._progress = progress
        self._rounds = rounds
        self._seconds = seconds
        self._expected = Expected()

    async def measure(self, marks: Sequence[int]) -> None:
        """Start both, and let people talk to them in turn."""
        for _ in self._track("Starting", self._rounds):
            for side in self._sides:
                side.stop()
                self.figures[side.name].first_answers.append(await first_answer(side, SCRIPT[0]))
        for side in self._sides:  # warm, and what each line is answered with
            self._expected.check(side, await talk_long(side, SCRIPT, len(SCRIPT), LONG_SECONDS, _ignore))
        for people in PEOPLE:
            for number in self._track(f"{people} at once", self._rounds):
                for side in self._sides if number % 2 else reversed(self._sides):
                    await self._load(side, people)
        turns = marks[-1] + len(SCRIPT) - 1
        for side in self._sides:
            task = self._progress.add_task(f"One conversation with {side.name}", total=turns)
            exchanges = await talk_long(side, SCRIPT, turns, LONG_SECONDS, partial(self._progress.advance, task))
            self._expected.check(side, exchanges)
            latencies = [exchange.seconds for exchange in exchanges]
            self.figures[side.name].at_turn = turn_medians(latencies, marks, len(SCRIPT))
        for side in self._sides:
            self.figures[side.name].resident_bytes = sum(server.resident_bytes() for server in side.servers)

    async def _load(self, side: Side, people: int) -> None:
        cpu = sum(server.cpu_seconds() for server in side.servers)
        started = time.perf_counter()
        exchanges = await talk_at_once(side, SCRIPT, people, self._seconds)
        seconds = time.perf_counter() - started
        cpu = sum(server.cpu_seconds() for server in side.servers) - cpu
        self._expected.check(side, exchanges)
        self.figures[side.name].loads[people].add([exchange.seconds for exchange in exchanges], seconds, cpu)

    def _track(self, doing: str, rounds: int) -> Iterator[int]:
        yield from self._progress.track(range(rounds), description=doing)


@contextmanager
def _database(server_url: str, name: str) -> Iterator[str]:
    """A new database on that server, for the length of the block."""
    url = make_url(server_url)
    database = f"benchmark_{name}_{os.getpid()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{database}"')
        try:
            yield url.set(database=database).render_as_string(hide_password=False)
        finally:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _ignore() -> None:
    pass


def _print(stock: Figures, ours: Figures, store: str) -> None:
    console = Console(highlight=False)
    table = Table("", "stock Rasa", "this assistant", "times better", title=f"Turns over HTTP, {store}")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows(stock, ours):
        table.add_row(row.label, row.stock, row.ours, row.ratio)
    console.print(table)
    for goal in goals(stock, ours):
        console.print(f"{goal.text}: {goal.figure:.2f} {'[green]met[/]' if goal.is_met else '[red]missed[/]'}")


if __name__ == "__main__":
    typer.run(main)
