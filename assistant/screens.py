"""Screens that follow a conversation: a television or a kiosk, paired by a code of eight digits that it shows.

A screen proves nothing. It shows one conversation of the person who paired it, until that ends, until they say so, or
until nobody said or pressed anything for a while (FACTS 5.1: link tokens; 8 digits, ten minutes, once, 3 tries).
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

import tenacity
from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.database import Base, Database, Overtaken, UnitOfWork, new_id
from assistant.profiles import Profiles
from assistant.transcripts import ConversationRow, Transcripts
from assistant.turns import Address, Exchange

DIGITS = 8
VALID = timedelta(minutes=10)
WRONG_TRIES = 3
"""Wrong tries of one person within `VALID` after which no code is checked any more."""
WRONG_TRIES_IN_ALL = 100
"""The same for everybody together: a code is looked for among all screens, so guessers must not share the work."""
KEPT = timedelta(days=1)
"""How long a screen that nobody paired, and a wrong try, is remembered."""
IDLE = timedelta(minutes=30)

T = TypeVar("T")


class ScreenRow(Base):
    """A screen that showed a code. The digits themselves are not kept."""

    __tablename__ = "screens"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    value: Mapped[str] = mapped_column(unique=True)
    code: Mapped[str | None] = mapped_column(unique=True)
    """Keyed digest of the digits; none once they were used."""
    shown_at: Mapped[datetime] = mapped_column(index=True)
    person_id: Mapped[str | None] = mapped_column(index=True)
    conversation_id: Mapped[str | None] = mapped_column(index=True)
    until: Mapped[datetime | None]
    """When it stops following, unless something happens before."""
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy's own declarative form


class ScreenTryRow(Base):
    """A wrong code that somebody gave."""

    __tablename__ = "screen_tries"

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class PairResult(StrEnum):
    """What became of a try to pair a screen."""

    PAIRED = "paired"
    WRONG = "wrong"
    """No screen shows this code now: mistyped, used or expired."""
    LOCKED = "locked"
    """Too many wrong tries."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Whose conversation a screen shows."""

    person_id: str
    conversation_id: str


class Screens:
    """The screens, within one unit of work. `key` is the server's secret."""

    def __init__(self, unit: UnitOfWork, now: datetime, key: bytes, idle: timedelta = IDLE) -> None:
        self._unit = unit
        self._now = now
        self._key = key
        self._idle = idle

    def new_code(self, address: Address) -> str:
        """A new code for this screen to show. It kills the one before, and ends what the screen followed."""
        self._drop_old()
        row = self._row(address) or ScreenRow(id=new_id(), kind=address.kind, value=address.value)
        digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        row.code, row.shown_at = self._digest(digits), self._now
        _part(row)
        self._unit.add(row)
        return digits

    def pair(self, person_id: str, conversation_id: str, digits: str) -> PairResult:
        """Have the screen that shows these digits follow this conversation, and no other screen any more."""
        if self._is_locked(person_id):
            return PairResult.LOCKED
        row = self._unit.row(ScreenRow, code=self._digest(digits))
        if row is None or self._now - row.shown_at > VALID:
            self._unit.add(ScreenTryRow(id=new_id(), person_id=person_id, at=self._now))
            return PairResult.LOCKED if self._is_locked(person_id) else PairResult.WRONG
        self.unpair(conversation_id)
        row.code = None
        row.person_id, row.conversation_id, row.until = person_id, conversation_id, self._now + self._idle
        return PairResult.PAIRED

    def unpair(self, conversation_id: str) -> bool:
        """Have no screen follow this conversation any more. Whether one did."""
        rows = self._following(conversation_id)
        for row in rows:
            _part(row)
        return bool(rows)

    def of(self, conversation_id: str) -> tuple[Address, ...]:
        """The screens that follow a conversation."""
        return tuple(Address(row.kind, row.value) for row in self._following(conversation_id))

    def stay(self, conversation_id: str) -> None:
        """Something happened in this conversation: its screens follow it for the whole while again."""
        for row in self._following(conversation_id):
            row.until = self._now + self._idle

    def knows(self, address: Address) -> bool:
        """Whether this is a screen, paired or not."""
        return self._row(address) is not None

    def followed(self, address: Address) -> Followed | None:
        """What this screen follows, if that is still open."""
        row = self._row(address)
        if row is None or row.person_id is None or row.conversation_id is None or self._is_over(row):
            return None
        conversation = self._unit.row(ConversationRow, id=row.conversation_id)
        if conversation is None or conversation.closed_at is not None:
            return None
        return Followed(row.person_id, row.conversation_id)

    def forget(self, person_id: str) -> None:
        """Take the person out of it. Wrong tries go on counting in all."""
        for row in self._unit.rows(ScreenRow, person_id=person_id):
            _part(row)
        for wrong in self._unit.rows(ScreenTryRow, person_id=person_id):
            wrong.person_id = ""

    def _row(self, address: Address) -> ScreenRow | None:
        return self._unit.row(ScreenRow, kind=address.kind, value=address.value)

    def _following(self, conversation_id: str) -> list[ScreenRow]:
        rows = self._unit.rows(ScreenRow, conversation_id=conversation_id)
        return [row for row in rows if not self._is_over(row)]

    def _is_over(self, row: ScreenRow) -> bool:
        return row.until is None or row.until <= self._now

    def _is_locked(self, person_id: str) -> bool:
        since = self._now - VALID
        own = [row for row in self._unit.rows(ScreenTryRow, person_id=person_id) if row.at > since]
        query = select(func.count()).select_from(ScreenTryRow).where(ScreenTryRow.at > since)
        return len(own) >= WRONG_TRIES or (self._unit.session.scalar(query) or 0) >= WRONG_TRIES_IN_ALL

    def _drop_old(self) -> None:
        old = self._now - KEPT
        wrong = self._unit.session.scalars(select(ScreenTryRow).where(ScreenTryRow.at <= old))
        unused = self._unit.session.scalars(
            select(ScreenRow).where(ScreenRow.shown_at <= old, ScreenRow.conversation_id.is_(None))
        )
        for row in (*wrong.all(), *unused.all()):
            self._unit.remove(row)

    def _digest(self, digits: str) -> str:
        return hmac.new(self._key, f"screen|{digits}".encode(), hashlib.sha256).hexdigest()


class ScreenCodes:
    """What a screen itself may ask for, each in a unit of work of its own: its code, and whether it follows."""

    def __init__(self, database: Database, now: Callable[[], datetime], key: bytes) -> None:
        self._database = database
        self._now = now
        self._key = key

    async def new_code(self, address: Address) -> str:
        """As `Screens.new_code`. Raises `StoreUnavailable`."""
        return await asyncio.to_thread(self._new_code, address)

    async def follows(self, address: Address) -> bool:
        """Whether the screen follows a conversation now. Raises `StoreUnavailable`."""
        return await asyncio.to_thread(self._follows, address)

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type(Overtaken), stop=tenacity.stop_after_attempt(5), reraise=True
    )
    def _new_code(self, address: Address) -> str:
        with self._database.unit_of_work() as unit:
            digits = Screens(unit, self._now(), self._key).new_code(address)
            unit.commit()
        return digits

    def _follows(self, address: Address) -> bool:
        with self._database.unit_of_work() as unit:
            return Screens(unit, self._now(), self._key).followed(address) is not None


def history_at(unit: UnitOfWork, now: datetime, address: Address) -> tuple[Exchange, ...]:
    """The last turns of the conversation that is open at this address, or that the screen there follows."""
    followed = Screens(unit, now, b"").followed(address)  # no code is made or checked, so no key is needed
    transcripts = Transcripts(unit, now)
    if followed is not None:
        return transcripts.history(followed.conversation_id)
    person = Profiles(unit, now).find(address)
    conversation = transcripts.open_of(person.id) if person else None
    return transcripts.history(conversation.id) if conversation else ()


def _part(row: ScreenRow) -> None:
    row.person_id = row.conversation_id = row.until = None
