"""Who is known, and where they are reached."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import JSON, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.claims import Claims
from assistant.database import Base, UnitOfWork, new_id
from assistant.journal import Journal
from assistant.quiet import QuietHours
from assistant.turns import Address, Assurance

_NEVER = datetime.min.replace(tzinfo=UTC)

CUSTOMER = "customer"
EMPLOYEE = "employee"


class PersonRow(Base):
    """A person. Never deleted by a merge: `merged_into` leads on."""

    __tablename__ = "people"
    together: ClassVar[tuple[str, ...]] = ("quiet_from", "quiet_until")
    """Columns of which one is worth nothing without the other."""
    undone: ClassVar[tuple[str, ...]] = ("name", "language", "reach", *together)
    """Also what a merge takes over from who is merged into the person, where the person has none."""

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    language: Mapped[str | None]
    reach: Mapped[str | None]
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    roles: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    merged_into: Mapped[str | None] = mapped_column(
        ForeignKey("people.id", deferrable=True, initially="DEFERRED"), index=True
    )
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy's own declarative form


class AddressRow(Base):
    """Where a person is reached. One address has one person at a time."""

    __tablename__ = "addresses"
    __table_args__ = (UniqueConstraint("kind", "value"),)
    undone: ClassVar[tuple[str, ...]] = ("kind", "value", "assurance", "proven_at")

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    value: Mapped[str]
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", deferrable=True, initially="DEFERRED"), index=True)
    assurance: Mapped[int]
    proven_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy's own declarative form


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """An address of a person and how sure we are of it."""

    address: Address
    assurance: Assurance
    proven_at: datetime | None
    holds: bool = True
    """False for a number that may have gone to somebody else since they were seen there (`assistant/claims.py`)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who talks to the assistant."""

    id: str
    name: str | None
    """As they gave it."""
    language: str | None
    """BCP 47 tag they asked for."""
    roles: frozenset[str]
    """`customer`, `employee`."""
    addresses: tuple[KnownAddress, ...]
    """Oldest first."""
    reach: str | None = None
    """Kind of the address at which they would like to get messages, such as `whatsapp`."""
    quiet: QuietHours | None = None
    """When they want none."""

    @property
    def phone(self) -> Address | None:
        """The phone number they proved and still have, if any; the latest wins."""
        proven = [
            known for known in self.addresses if known.address.kind == "phone" and known.proven_at and known.holds
        ]
        return max(proven, key=lambda known: known.proven_at or _NEVER).address if proven else None


class People:
    """The people as they are known, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now
        self._journal = Journal(unit, now)

    def find(self, address: Address) -> Person | None:
        """The person at this address."""
        row = self._unit.row(AddressRow, kind=address.kind, value=address.value)
        return self.get(row.person_id) if row else None

    def present(self, address: Address) -> Person | None:
        """The same, unless it is a number that may be somebody else's by now: who turns up there is a stranger."""
        row = self._address(address)
        return self.get(row.person_id) if row and self._holds(row) else None

    def get(self, person_id: str) -> Person:
        """The person with this id. Raises `LookupError` when there is none."""
        person = self._person_row(person_id)
        rows = sorted(self._unit.rows(AddressRow, person_id=person_id), key=lambda row: row.created_at)
        return Person(
            id=person.id,
            name=person.name,
            language=person.language,
            roles=frozenset(person.roles),
            addresses=tuple(
                KnownAddress(Address(row.kind, row.value), Assurance(row.assurance), row.proven_at, self._holds(row))
                for row in rows
            ),
            reach=person.reach,
            quiet=_quiet(person),
        )

    def is_as_known(self, person: Person) -> bool:
        """Whether roles, addresses and proofs of the person are in the store as they were read into `person`.

        Asks the store and not this unit of work; on PostgreSQL nobody can change them then before it ends.
        """
        roles = select(PersonRow.roles).where(PersonRow.id == person.id)
        if self._unit.is_postgresql:
            roles = roles.with_for_update(read=True)
        addresses = select(AddressRow.kind, AddressRow.value, AddressRow.assurance, AddressRow.proven_at)
        rows = self._unit.session.execute(addresses.where(AddressRow.person_id == person.id)).all()
        return frozenset(self._unit.session.scalar(roles) or ()) == person.roles and {tuple(row) for row in rows} == {
            (known.address.kind, known.address.value, int(known.assurance), known.proven_at)
            for known in person.addresses
        }

    def newest(self, limit: int) -> list[Person]:
        """The people who came last, newest first."""
        query = select(PersonRow.id).where(PersonRow.merged_into.is_(None))
        ids = self._unit.session.scalars(query.order_by(PersonRow.created_at.desc()).limit(limit))
        return [self.get(person_id) for person_id in ids.all()]

    def _person_row(self, person_id: str) -> PersonRow:
        row = self._unit.row(PersonRow, id=person_id)
        if row is None:
            raise LookupError(f"no person {person_id}")
        return row

    def _has_proof(self, person_id: str) -> bool:
        return any(row.proven_at for row in self._unit.rows(AddressRow, person_id=person_id))

    def _address(self, address: Address) -> AddressRow | None:
        return self._unit.row(AddressRow, kind=address.kind, value=address.value)

    def _add_address(self, address: Address, person_id: str, assurance: Assurance) -> AddressRow:
        row = AddressRow(
            id=new_id(),
            kind=address.kind,
            value=address.value,
            person_id=person_id,
            assurance=int(assurance),
            proven_at=None,
            created_at=self._now,
        )
        self._unit.add(row)
        return row

    def _add_person(self) -> str:
        person = PersonRow(
            id=new_id(), name=None, language=None, roles=[CUSTOMER], created_at=self._now, merged_into=None
        )
        self._unit.add(person)
        return person.id

    def _holds(self, row: AddressRow) -> bool:
        claims = Claims(self._unit, self._now)
        return claims.holds(row.person_id, Address(row.kind, row.value), row.proven_at or row.created_at)


def _quiet(person: PersonRow) -> QuietHours | None:
    if person.quiet_from is None or person.quiet_until is None:
        return None
    return QuietHours(person.quiet_from, person.quiet_until)
