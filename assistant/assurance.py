"""How sure we are of who speaks: proofs with their time, who is speaking at a shared address, and what both are worth.

A proof given in writing holds for the address it was given from. One given aloud holds for that conversation only, and
for a while: the next voice may be somebody else's (FACTS 5.1, shared speakers; 5.2, levels).
"""

from datetime import datetime, timedelta

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assistant.database import Base, UnitOfWork, new_id
from assistant.profiles import Person
from assistant.turns import Address, Assurance, Modality, Turn

FRESH = timedelta(minutes=10)
"""Who proved something twice is as good as signed in for so long after the second time (FACTS 5.2)."""
ALOUD = timedelta(minutes=15)
"""How long a proof given aloud holds while nothing is said."""
SIGNED_IN = timedelta(hours=12)
"""How long a sign-in is worth more than a proof: NIST SP 800-63B asks for it again after so long (AAL2)."""
CARRIED = frozenset({"link", "pairing code"})
"""Proofs that carry over what was proved elsewhere. However many there are, they make nobody surer."""
PROOFS_KEPT = 2
"""Proofs of an address that are remembered, the latest ones: more are never asked for."""


class ProofRow(Base):
    """Somebody proved who they are at an address."""

    __tablename__ = "proofs"
    __table_args__ = (Index("proofs_address", "kind", "value"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    value: Mapped[str]
    conversation_id: Mapped[str | None]
    """Where it was given, when that was in a conversation."""
    method: Mapped[str]
    """By what, such as `sms code`."""
    aloud: Mapped[bool]
    """Whether it was spoken, or keyed in on a call."""
    at: Mapped[datetime] = mapped_column(index=True)


class PresenceRow(Base):
    """Somebody who proved who they are where others speak too. It ends; that it was is kept."""

    __tablename__ = "presences"
    __table_args__ = (UniqueConstraint("kind", "value", "person_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    value: Mapped[str]
    person_id: Mapped[str] = mapped_column(index=True)
    since: Mapped[datetime]
    until: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy's own declarative form


def is_aloud(turn: Turn) -> bool:
    """Whether anybody in the room may be the one who speaks, and hear the answer."""
    return turn.shared or turn.modality is Modality.VOICE


class Proofs:
    """The proofs, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now

    def add(
        self, person_id: str, address: Address, method: str, *, conversation_id: str | None = None, aloud: bool = False
    ) -> None:
        """This person proved at this address who they are."""
        known = sorted(self._at(address, aloud=aloud), key=lambda row: row.at)
        for row in known[: max(0, len(known) + 1 - PROOFS_KEPT)]:
            self._unit.remove(row)
        self._unit.add(
            ProofRow(
                id=new_id(),
                person_id=person_id,
                kind=address.kind,
                value=address.value,
                conversation_id=conversation_id,
                method=method,
                aloud=aloud,
                at=self._now,
            )
        )

    def assurance(self, turn: Turn, person: Person) -> Assurance:
        """How sure we are in this turn that this person speaks."""
        aloud = is_aloud(turn)
        proofs = [row for row in self._at(turn.address, aloud=aloud) if row.person_id == person.id]
        if aloud:
            here = Presences(self._unit, self._now).speaker(turn.address) == person.id
            standing = Assurance.PROVEN if here else Assurance.ANONYMOUS
        else:
            standing = self._standing(turn, person)
        is_fresh = any(self._now - row.at <= FRESH and row.method not in CARRIED for row in proofs)
        twice = len(proofs) >= PROOFS_KEPT and is_fresh
        return max(turn.assurance, Assurance.STRONG if twice and standing >= Assurance.PROVEN else standing)

    def move(self, old: Address, new: Address) -> None:
        """What was proved at `old` was proved at `new`: the session of a browser was renewed."""
        for row in self._unit.rows(ProofRow, kind=old.kind, value=old.value):
            row.kind, row.value = new.kind, new.value

    def forget(self, person_id: str) -> None:
        """Remove what the person proved."""
        for row in self._unit.rows(ProofRow, person_id=person_id):
            self._unit.remove(row)

    def _standing(self, turn: Turn, person: Person) -> Assurance:
        known = next((known for known in person.addresses if known.address == turn.address), None)
        if known is None or known.proven_at is None:
            return Assurance.ANONYMOUS
        if known.assurance is Assurance.STRONG and self._now - known.proven_at > SIGNED_IN:
            return Assurance.PROVEN
        return known.assurance

    def _at(self, address: Address, *, aloud: bool) -> list[ProofRow]:
        return self._unit.rows(ProofRow, kind=address.kind, value=address.value, aloud=aloud)


class Presences:
    """Who is speaking at addresses where anybody may, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now

    def speaker(self, address: Address) -> str | None:
        """Id of the person who proved to be there and has not left since."""
        here = [row for row in self._rows(address) if row.until > self._now]
        return here[0].person_id if here else None

    def arrive(self, address: Address, person_id: str) -> None:
        """This person has just proved to be there; nobody else is any more."""
        self.leave(address)
        row = self._unit.row(PresenceRow, kind=address.kind, value=address.value, person_id=person_id)
        if row is None:
            row = PresenceRow(id=new_id(), kind=address.kind, value=address.value, person_id=person_id)
            self._unit.add(row)
        row.since, row.until = self._now, self._now + ALOUD

    def stay(self, address: Address) -> None:
        """Whoever is there said something."""
        for row in self._rows(address):
            if row.until > self._now:
                row.until = self._now + ALOUD

    def leave(self, address: Address) -> None:
        """A call began or ended, or a speaker woke up: whoever speaks next has proved nothing yet."""
        for row in self._rows(address):
            row.until = min(row.until, self._now)

    def forget(self, person_id: str) -> None:
        """Remove where the person was."""
        for row in self._unit.rows(PresenceRow, person_id=person_id):
            self._unit.remove(row)

    def _rows(self, address: Address) -> list[PresenceRow]:
        return self._unit.rows(PresenceRow, kind=address.kind, value=address.value)
