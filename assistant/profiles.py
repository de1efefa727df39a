"""People, their addresses and what links them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import JSON, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.database import Base, Remembered, UnitOfWork, new_id
from assistant.live import leave
from assistant.turns import Address, Assurance

_NEVER = datetime.min.replace(tzinfo=UTC)

CUSTOMER = "customer"
EMPLOYEE = "employee"
STAFF = "staff"
"""Who acted, in the journal, when it was nobody who talks to the assistant."""
MERGED = "merged "
"""Begins the act of a merge; the id of who was merged into the person follows."""


class PersonRow(Base):
    """A person. Never deleted by a merge: `merged_into` leads on."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    language: Mapped[str | None]
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


class JournalRow(Base):
    """What was linked, merged or changed about a person: when, by whom, by what proof. Kept when they are forgotten."""

    __tablename__ = "journal"

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    person_id: Mapped[str] = mapped_column(index=True)
    act: Mapped[str]
    actor: Mapped[str]
    """Id of the person who acted, as they were then, or `STAFF`."""
    proof: Mapped[str]
    moved: Mapped[dict[str, list[str]]] = mapped_column(JSON)
    """Row ids by table, so that a merge can be undone."""
    before: Mapped[dict[str, Remembered] | None] = mapped_column(JSON(none_as_null=True))
    """By row id, what a merge changed; personal, so it goes when the merge cannot be undone any more."""


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """An address of a person and how sure we are of it."""

    address: Address
    assurance: Assurance
    proven_at: datetime | None


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

    @property
    def phone(self) -> Address | None:
        """The phone number they proved, if any; the latest wins."""
        proven = [known for known in self.addresses if known.address.kind == "phone" and known.proven_at]
        return max(proven, key=lambda known: known.proven_at or _NEVER).address if proven else None


class LinkOutcome(StrEnum):
    """What proving an address did."""

    LINKED = "linked"
    """The address is the person's now."""
    MERGED = "merged"
    """The address was somebody else's, and both turned out to be one person."""
    REFUSED = "refused"
    """Both sides have proofs of their own; only staff may decide."""


class Profiles:
    """The people, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now

    def find(self, address: Address) -> Person | None:
        """The person at this address."""
        row = self._unit.row(AddressRow, kind=address.kind, value=address.value)
        return self.get(row.person_id) if row else None

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
                KnownAddress(Address(row.kind, row.value), Assurance(row.assurance), row.proven_at) for row in rows
            ),
        )

    def find_or_create(self, address: Address, assurance: Assurance) -> Person:
        """The person at this address; a new customer when nobody has it."""
        known = self.find(address)
        if known is not None:
            return known
        person = PersonRow(
            id=new_id(), name=None, language=None, roles=[CUSTOMER], created_at=self._now, merged_into=None
        )
        self._unit.add(person)
        self._add_address(address, person.id, assurance)
        return self.get(person.id)

    def rename(self, person_id: str, name: str) -> None:
        """Set how the person wants to be called."""
        self._person_row(person_id).name = name

    def set_language(self, person_id: str, language: str) -> None:
        """Set the language the person asked for, as a BCP 47 tag."""
        self._person_row(person_id).language = language

    def link(self, person_id: str, address: Address, proof: str) -> tuple[LinkOutcome, Person]:
        """This person has proved this address (`proof` says how). Returns the outcome and who they are from now on.

        The side without proofs of its own joins the other; two proved people are never merged here:
        a machine cannot tell a second phone from a stolen one.
        """
        row = self._unit.row(AddressRow, kind=address.kind, value=address.value)
        if row is None:
            row = self._add_address(address, person_id, Assurance.PROVEN)
        survivor, outcome = person_id, LinkOutcome.LINKED
        if row.person_id != person_id:
            other = row.person_id
            if self._has_proof(other) and self._has_proof(person_id):
                self._journal(person_id, "link refused", proof)
                return LinkOutcome.REFUSED, self.get(person_id)
            survivor, absorbed = (other, person_id) if self._has_proof(other) else (person_id, other)
            self._merge(survivor, absorbed, proof, actor=person_id)
            outcome = LinkOutcome.MERGED
        row.assurance, row.proven_at = int(Assurance.PROVEN), self._now
        self._journal(survivor, "address proven", proof, {"addresses": [row.id]}, actor=person_id)
        return outcome, self.get(survivor)

    def adopt(self, person_id: str, address: Address, proof: str) -> tuple[LinkOutcome, Person]:
        """Whoever is at this address is this person too, as `proof` shows. The address counts as proven (`vouch`) only
        when the person has proofs: showing a code from one anonymous browser in another one proves nobody's name."""
        row = self._unit.row(AddressRow, kind=address.kind, value=address.value)
        if row is None:
            row = self._add_address(address, person_id, Assurance.ANONYMOUS)
        survivor, outcome = person_id, LinkOutcome.LINKED
        if row.person_id != person_id:
            other = row.person_id
            if self._has_proof(other) and self._has_proof(person_id):
                self._journal(person_id, "link refused", proof, actor=other)
                return LinkOutcome.REFUSED, self.get(other)
            survivor, absorbed = (other, person_id) if self._has_proof(other) else (person_id, other)
            self._merge(survivor, absorbed, proof, actor=person_id)
            outcome = LinkOutcome.MERGED
        self._journal(survivor, "address joined", proof, {"addresses": [row.id]}, actor=person_id)
        return outcome, self.get(survivor)

    def vouch(self, person_id: str, address: Address) -> Person:
        """This person has just proved who they are from this address of theirs, which makes it proven too."""
        row = self._unit.row(AddressRow, kind=address.kind, value=address.value, person_id=person_id)
        if row is not None and self._has_proof(person_id):
            row.assurance, row.proven_at = max(row.assurance, int(Assurance.PROVEN)), self._now
        return self.get(person_id)

    def add_employee(self, name: str, phone: Address) -> Person:
        """Give the role `employee` to whoever has this phone. Staff vouch for the number, so it counts as proven."""
        person = self.find_or_create(phone, Assurance.CLAIMED)
        row = self._person_row(person.id)
        row.name, row.roles = name, sorted({*row.roles, EMPLOYEE})
        address = self._unit.row(AddressRow, kind=phone.kind, value=phone.value)
        if address is not None:
            address.assurance, address.proven_at = int(Assurance.PROVEN), self._now
        self._journal(person.id, "role employee given", STAFF, actor=STAFF)
        return self.get(person.id)

    def remove_employee(self, person_id: str) -> None:
        """Take the role `employee` away. Raises `LookupError` when there is no such person."""
        row = self._person_row(person_id)
        row.roles = [role for role in row.roles if role != EMPLOYEE]
        self._journal(person_id, "role employee taken", STAFF, actor=STAFF)

    def move_address(self, old: Address, new: Address, assurance: Assurance) -> None:
        """Whoever was at `old` is at `new` from now on, proved just now: the session of a browser was renewed."""
        for row in self._unit.rows(AddressRow, kind=old.kind, value=old.value):
            row.kind, row.value = new.kind, new.value
            row.assurance, row.proven_at = int(assurance), self._now
            self._journal(row.person_id, "session renewed", "", {"addresses": [row.id]})
            if old != new:
                leave(self._unit, old)

    def give_employee(self, person_id: str, proof: str) -> None:
        """Give the role `employee`; `proof` says who vouches for it."""
        row = self._person_row(person_id)
        if EMPLOYEE not in row.roles:
            row.roles = sorted({*row.roles, EMPLOYEE})
            self._journal(person_id, "role employee given", proof)

    def withdraw_employee(self, person_id: str, proof: str) -> None:
        """Take the role `employee` away if it was last given by this proof: what staff gave stays."""
        row = self._person_row(person_id)
        given = self._unit.rows(JournalRow, person_id=person_id, act="role employee given")
        if EMPLOYEE in row.roles and given and max(given, key=lambda entry: entry.at).proof == proof:
            row.roles = [role for role in row.roles if role != EMPLOYEE]
            self._journal(person_id, "role employee taken", proof)

    def forget(self, person_id: str) -> None:
        """Remove name, language and addresses, also of who was merged into them; an id that leads nowhere remains."""
        for row in self._with_absorbed(self._person_row(person_id)):
            row.name = row.language = None
            for entry in self._unit.rows(JournalRow, person_id=row.id):
                entry.before = None
        for address in self._unit.rows(AddressRow, person_id=person_id):
            self._unit.remove(address)
        self._journal(person_id, "forgotten", "asked")

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

    def _with_absorbed(self, person: PersonRow) -> Iterator[PersonRow]:
        yield person
        for absorbed in self._unit.rows(PersonRow, merged_into=person.id):
            yield from self._with_absorbed(absorbed)

    def _has_proof(self, person_id: str) -> bool:
        return any(row.proven_at for row in self._unit.rows(AddressRow, person_id=person_id))

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

    def _merge(self, survivor: str, absorbed: str, proof: str, *, actor: str) -> None:
        moved: dict[str, list[str]] = {}
        before = {row.id: row.remembered() for row in self._unit.rows(AddressRow, person_id=survivor)}
        for mapper in Base.registry.mappers:
            if mapper.class_ is JournalRow or "person_id" not in mapper.columns:
                continue
            for row in self._unit.rows(mapper.class_, person_id=absorbed):
                before[row.id] = row.remembered()
                row.person_id = survivor
                moved.setdefault(row.__tablename__, []).append(row.id)
        kept, gone = self._person_row(survivor), self._person_row(absorbed)
        before[survivor] = {"name": kept.name, "language": kept.language}
        kept.name, kept.language = kept.name or gone.name, kept.language or gone.language
        gone.merged_into = survivor
        self._journal(survivor, f"{MERGED}{absorbed}", proof, moved, before, actor=actor)

    def _journal(
        self,
        person_id: str,
        act: str,
        proof: str,
        moved: dict[str, list[str]] | None = None,
        before: dict[str, Remembered] | None = None,
        *,
        actor: str | None = None,
    ) -> None:
        self._unit.add(
            JournalRow(
                id=new_id(),
                at=self._now,
                person_id=person_id,
                act=act,
                actor=actor or person_id,
                proof=proof,
                moved=moved or {},
                before=before,
            )
        )
