"""What leaves us without being an answer: written with the turn, sent after its commit, retried until it is sent or
final."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.database import Base, Database, Overtaken, UnitOfWork, new_id
from assistant.turns import Address

ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=2)
"""Pause after the first failure; it doubles each time, so the eighth try comes about four minutes after the first."""
CLAIM = timedelta(seconds=60)
"""How long a replica may take to send what it claimed before another one tries."""
SECRET_LIFE = timedelta(minutes=5)
"""A code is not sent any later than this: it would be dead on arrival."""


class OutboxStatus(StrEnum):
    """Where a message is."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class OutboxRow(Base):
    """One message to one address."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("key"), Index("outbox_due", "status", "due_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    """The same key is sent once."""
    kind: Mapped[str]
    value: Mapped[str]
    text: Mapped[str | None]
    """Removed once it is sent when it is a secret."""
    secret: Mapped[bool]
    status: Mapped[str]
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    reason: Mapped[str | None]
    """Why it failed, without personal data."""
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy's own declarative form


class OptOutRow(Base):
    """An address that asked us to stop sending; Twilio refuses later messages with error 21610."""

    __tablename__ = "opt_outs"

    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is to be sent now."""

    id: str
    key: str
    """As it was given to `Outbox.text`."""
    address: Address
    text: str


class Outbox:
    """The outgoing messages, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now

    def text(
        self,
        address: Address,
        text: str,
        *,
        key: str | None = None,
        secret: bool = False,
        due_at: datetime | None = None,
    ) -> None:
        """Send this text after the commit, at once or not before `due_at`. A `secret` text (a code) is wiped once sent.

        What a person did not ask for in this moment goes through `assistant.notices`, which heeds what they prefer.
        """
        self._unit.add(
            OutboxRow(
                id=new_id(),
                key=key or new_id(),
                kind=address.kind,
                value=address.value,
                text=text,
                secret=secret,
                status=OutboxStatus.WAITING,
                attempts=0,
                due_at=due_at or self._now,
                created_at=self._now,
                reason=None,
            )
        )

    def claim(self, limit: int) -> list[Waiting]:
        """The oldest messages that are due, taken so that no other replica sends them too.

        A message whose sender died is due again after `CLAIM`; one that is too late or was tried too often is given up.
        """
        query = (
            select(OutboxRow)
            .where(OutboxRow.status.in_((OutboxStatus.WAITING, OutboxStatus.SENDING)), OutboxRow.due_at <= self._now)
            .order_by(OutboxRow.created_at)
            .limit(limit)
        )
        if self._unit.is_postgresql:
            query = query.with_for_update(skip_locked=True)
        rows = self._unit.session.scalars(query).all()
        claimed = [row for row in rows if not self._is_given_up(row)]
        for row in claimed:
            row.status, row.due_at, row.attempts = OutboxStatus.SENDING, self._now + CLAIM, row.attempts + 1
        return [Waiting(row.id, row.key, Address(row.kind, row.value), row.text or "") for row in claimed]

    def settle(self, message_id: str, reason: str | None, *, final: bool) -> None:
        """Note that a claimed message was sent (no reason), is final, or is tried again later."""
        row = self._unit.row(OutboxRow, id=message_id)
        if row is None:
            return  # forgotten while it was being sent
        if reason is None:
            _end(row, OutboxStatus.SENT, None)
        elif final:
            _end(row, OutboxStatus.FAILED, reason)
        else:
            row.reason = reason
            row.status, row.due_at = OutboxStatus.WAITING, self._now + FIRST_PAUSE * 2 ** (row.attempts - 1)
            self._is_given_up(row)

    def is_opted_out(self, address: Address) -> bool:
        """Whether this address asked us to send nothing there."""
        return self._unit.row(OptOutRow, kind=address.kind, value=address.value) is not None

    def forget(self, address: Address, *, only_secrets: bool = False) -> None:
        """Delete everything that was or will be sent there, or only the codes."""
        for row in self._unit.rows(OutboxRow, kind=address.kind, value=address.value):
            if row.secret or not only_secrets:
                self._unit.remove(row)

    def _is_given_up(self, row: OutboxRow) -> bool:
        if row.secret and self._now - row.created_at > SECRET_LIFE:
            _end(row, OutboxStatus.FAILED, "too late for a code")
        elif row.attempts >= ATTEMPTS:
            _end(row, OutboxStatus.FAILED, row.reason or "its senders died")
        return row.status == OutboxStatus.FAILED

    @staticmethod
    def depth(unit: UnitOfWork) -> int:
        """How many messages wait."""
        query = select(func.count()).where(OutboxRow.status.in_((OutboxStatus.WAITING, OutboxStatus.SENDING)))
        return unit.session.scalar(query.select_from(OutboxRow)) or 0


def _end(row: OutboxRow, status: OutboxStatus, reason: str | None) -> None:
    row.status, row.reason = status, reason
    if row.secret:
        row.text = None


class OptOuts:
    """Who asked us to stop; kept by the address alone, whoever the person is."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def opt_out(self, address: Address) -> None:
        """Send nothing there any more."""
        await asyncio.to_thread(self._set, address, True)

    async def opt_in(self, address: Address) -> None:
        """Send there again."""
        await asyncio.to_thread(self._set, address, False)

    async def is_out(self, address: Address) -> bool:
        """Whether nothing may be sent there."""
        return await asyncio.to_thread(self._is_out, address)

    def _set(self, address: Address, out: bool) -> None:
        with self._database.unit_of_work() as unit:
            row = unit.row(OptOutRow, kind=address.kind, value=address.value)
            if out and row is None:
                unit.add(OptOutRow(kind=address.kind, value=address.value, at=self._now()))
            elif not out and row is not None:
                unit.session.delete(row)
            with contextlib.suppress(Overtaken):  # the same word twice at once
                unit.commit()

    def _is_out(self, address: Address) -> bool:
        with self._database.unit_of_work() as unit:
            return unit.row(OptOutRow, kind=address.kind, value=address.value) is not None
