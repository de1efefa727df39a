"""A core with real parts: a real database, the small bot, a clock that the test turns."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.answer import House
from assistant.conversation import Conversations
from assistant.database import Database
from assistant.dialogue import Dialogue
from assistant.live import Live, LiveHere
from assistant.metrics import Metrics
from assistant.shop import Shop
from assistant.turns import Address, Assurance, Modality, Reply, Turn, TurnKind

SHOP = Path(__file__).parent / "bot" / "data" / "shop.yml"


@dataclass
class Clock:
    """A clock that stands still until it is turned."""

    moment: datetime = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **span: float) -> None:
        self.moment += timedelta(**span)


@dataclass
class Device:
    """Somebody's device: speaks to the core and keeps what it was answered."""

    core: Conversations
    clock: Clock
    address: Address
    channel: str = "web"
    modality: Modality = Modality.SCREEN
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def say(self, text: str, *, turn_id: str | None = None, choice: str | None = None) -> Reply:
        return await self.core.converse(self.turn(text, turn_id=turn_id, choice=choice))

    async def do(self, kind: TurnKind) -> Reply:
        return await self.core.converse(self.turn("", kind=kind))

    def turn(
        self, text: str, *, kind: TurnKind = TurnKind.SAID, turn_id: str | None = None, choice: str | None = None
    ) -> Turn:
        return Turn(
            channel=self.channel,
            address=self.address,
            turn_id=turn_id or f"{self.address}-{next(self.numbers)}",
            kind=kind,
            text=text,
            modality=self.modality,
            assurance=Assurance.ANONYMOUS,
            received_at=self.clock(),
            choice=choice,
        )


MakeCore = Callable[..., Conversations]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_core(database: Database, small_bot: Dialogue, clock: Clock) -> MakeCore:
    """Makes cores on one database: each is a replica of its own."""

    def make(deadline_seconds: float = 20.0, turns_per_minute: int = 10_000, live: Live | None = None) -> Conversations:
        house = House(
            shop=Shop.load(SHOP),
            key=b"k" * 32,
            texting=True,
            hold=timedelta(minutes=30),
            deadline_seconds=deadline_seconds,
        )
        return Conversations(
            database,
            house,
            small_bot,
            live or LiveHere(database),
            Metrics(database),
            turns_per_minute=turns_per_minute,
            idle={"web": timedelta(hours=24)},
            now=clock,
            on_commit=lambda: None,
        )

    return make


@asynccontextmanager
async def closing(core: Conversations) -> AsyncIterator[Conversations]:
    """The core, closed at the end."""
    try:
        yield core
    finally:
        core.close()
