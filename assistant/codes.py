"""One-time codes: six digits sent to an address to prove that the person holds it.

The limits follow NIST SP 800-63B on out-of-band authenticators and Twilio Verify's defaults.
"""

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.database import Base, UnitOfWork, new_id
from assistant.turns import Address

DIGITS = 6
VALID = timedelta(minutes=5)
WRONG_TRIES = 5
"""Wrong tries that kill a code."""
FAILURES_PER_DAY = 10
"""Wrong tries of one person in a day after which no code is checked any more."""
SENDS_PER_QUARTER_HOUR = 3
SENDS_PER_DAY = 10
SENDS_PER_HOUR_FROM_ORIGIN = 5
"""To whatever numbers; who pumps codes has many of them (FACTS 5.1)."""
SENDS_PER_HOUR_IN_ALL = 100
KEPT = timedelta(days=1)
"""The longest span that any limit looks back; what was sent earlier is deleted."""
IPV6_NETWORK_BITS = 64
"""Whoever has one address of such a network has them all (RFC 4291, 2.5.4), so they are one origin."""

log = structlog.get_logger(__name__)


class CodeRow(Base):
    """A code that was sent. The digits themselves are not kept."""

    __tablename__ = "codes"

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(index=True)
    conversation_id: Mapped[str]
    kind: Mapped[str]
    value: Mapped[str] = mapped_column(index=True)
    digest: Mapped[str]
    sent_at: Mapped[datetime] = mapped_column(index=True)
    wrong_tries: Mapped[int]
    done: Mapped[bool]
    """Used, killed by wrong tries or replaced by a newer one."""
    origin: Mapped[str | None] = mapped_column(index=True)
    """Keyed digest of the network that the code was asked for from, where that is known."""
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy's own declarative form


class CodeResult(StrEnum):
    """What became of a try."""

    RIGHT = "right"
    WRONG = "wrong"
    DEAD = "dead"
    """Expired, used, or killed by wrong tries: a new one is needed."""
    LOCKED = "locked"
    """Too many wrong tries today."""


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """The result and, when it was right, what it proved."""

    result: CodeResult
    address: Address | None = None


class Codes:
    """The codes, within one unit of work. `key` is the server's secret."""

    def __init__(self, unit: UnitOfWork, now: datetime, key: bytes) -> None:
        self._unit = unit
        self._now = now
        self._key = key

    def make(self, person_id: str, conversation_id: str, address: Address, *, origin: str | None) -> str | None:
        """A new code for this address, to be sent to it; None when too many were sent. It kills the one before.

        `origin` is the network address of who asks for it, as in `Turn.origin`.
        """
        network = self._network(origin)
        limit = self._limit(address, network)
        if limit is not None:
            log.warning("code_not_sent", limit=limit)
            return None
        for row in self._unit.rows(CodeRow, person_id=person_id, done=False):
            row.done = True
        self._drop_old()
        digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        row = CodeRow(
            id=new_id(),
            person_id=person_id,
            conversation_id=conversation_id,
            kind=address.kind,
            value=address.value,
            digest="",
            sent_at=self._now,
            wrong_tries=0,
            done=False,
            origin=network,
        )
        row.digest = self._digest(row, digits)
        self._unit.add(row)
        return digits

    def check(self, person_id: str, conversation_id: str, digits: str) -> CodeCheck:
        """Try these digits for the code that was sent from this conversation."""
        if self._failures_today(person_id) >= FAILURES_PER_DAY:
            return CodeCheck(CodeResult.LOCKED)
        row = self._unit.row(CodeRow, person_id=person_id, conversation_id=conversation_id, done=False)
        if row is None or self._now - row.sent_at > VALID:
            return CodeCheck(CodeResult.DEAD)
        if hmac.compare_digest(row.digest, self._digest(row, digits)):
            row.done = True
            return CodeCheck(CodeResult.RIGHT, Address(row.kind, row.value))
        row.wrong_tries += 1
        if row.wrong_tries >= WRONG_TRIES:
            row.done = True
            return CodeCheck(CodeResult.DEAD)
        return CodeCheck(CodeResult.WRONG)

    def forget(self, person_id: str) -> frozenset[Address]:
        """Take out whose codes these were and where they went; returns where that was.

        That a code was sent goes on counting until `KEPT` is over, under keyed digests of the address and the network:
        being forgotten must not begin the limits anew for somebody whose phone is being flooded.
        """
        rows = self._unit.rows(CodeRow, person_id=person_id)
        addresses = frozenset(Address(row.kind, row.value) for row in rows)
        for row in rows:
            row.value = self._blind(str(Address(row.kind, row.value)))
            row.person_id = row.conversation_id = row.digest = ""
            row.done = True
        return addresses

    def _drop_old(self) -> None:
        old = self._unit.session.scalars(select(CodeRow).where(CodeRow.sent_at <= self._now - KEPT))
        for row in old.all():
            self._unit.remove(row)

    def _blind(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def _digest(self, row: CodeRow, digits: str) -> str:
        bound = f"{row.id}|{row.conversation_id}|{row.kind}:{row.value}|{digits}"
        return hmac.new(self._key, bound.encode(), hashlib.sha256).hexdigest()

    def _network(self, origin: str | None) -> str | None:
        """The keyed digest of the network; None for this machine, which says nothing: it is a proxy, or trying it."""
        try:
            address = ipaddress.ip_address(origin or "::1")
        except ValueError:
            return self._blind(f"origin|{origin}")
        if address.is_loopback:
            return None
        if isinstance(address, ipaddress.IPv6Address):
            network = ipaddress.IPv6Network((int(address), IPV6_NETWORK_BITS), strict=False)
            return self._blind(f"origin|{address.ipv4_mapped or network}")
        return self._blind(f"origin|{address}")

    def _limit(self, address: Address, network: str | None) -> str | None:
        """The limit that one more code would break, if any."""
        hour = timedelta(hours=1)
        to_address = (CodeRow.kind == address.kind, CodeRow.value.in_((address.value, self._blind(str(address)))))
        if (
            self._sent_since(timedelta(minutes=15), *to_address) >= SENDS_PER_QUARTER_HOUR
            or self._sent_since(KEPT, *to_address) >= SENDS_PER_DAY
        ):
            return "address"
        if network is not None and self._sent_since(hour, CodeRow.origin == network) >= SENDS_PER_HOUR_FROM_ORIGIN:
            return "origin"
        return "all" if self._sent_since(hour) >= SENDS_PER_HOUR_IN_ALL else None

    def _sent_since(self, span: timedelta, *where: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(CodeRow).where(CodeRow.sent_at > self._now - span, *where)
        return self._unit.session.scalar(query) or 0

    def _failures_today(self, person_id: str) -> int:
        query = select(func.sum(CodeRow.wrong_tries)).where(
            CodeRow.person_id == person_id, CodeRow.sent_at > self._now - KEPT
        )
        return self._unit.session.scalar(query) or 0
