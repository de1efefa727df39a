"""Sign-ins that were begun: each may come back once, within ten minutes, to the browser that began it."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.database import Base, UnitOfWork
from assistant.turns import Address

VALID = timedelta(minutes=10)


class AttemptRow(Base):
    """A sign-in on its way. The state itself is not kept."""

    __tablename__ = "sign_ins"

    digest: Mapped[str] = mapped_column(primary_key=True)
    browser: Mapped[str]
    """Address of the browser that began it."""
    begun_at: Mapped[datetime] = mapped_column(index=True)
    version: Mapped[int] = mapped_column()

    # With a version, two who take the same attempt at once are told apart.
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy's own declarative form


class Attempts:
    """The sign-ins on their way, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now

    def begin(self, browser: Address) -> str:
        """A new attempt of this browser; returns its state, 256 random bits. Those that came to no end are dropped."""
        old = select(AttemptRow).where(AttemptRow.begun_at <= self._now - VALID)
        for row in self._unit.session.scalars(old).all():
            self._unit.remove(row)
        state = secrets.token_urlsafe(32)
        self._unit.add(AttemptRow(digest=_digest(state), browser=str(browser), begun_at=self._now))
        return state

    def take(self, browser: Address, state: str) -> bool:
        """End the attempt with this state; False when this browser has no such attempt any more."""
        row = self._unit.row(AttemptRow, digest=_digest(state), browser=str(browser))
        if row is None:
            return False
        self._unit.remove(row)
        return self._now - row.begun_at <= VALID

    def forget(self, browser: Address) -> None:
        """Drop what this browser began."""
        for row in self._unit.rows(AttemptRow, browser=str(browser)):
            self._unit.remove(row)


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
