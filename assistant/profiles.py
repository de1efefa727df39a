"""People, their addresses and what links them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import JSON, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant import journal
from assistant.claims import NUMBERS, Claims
from assistant.database import Base, UnitOfWork, new_id
from assistant.journal import STAFF, Journal, JournalRow
from assistant.live import leave
from assistant.merging import move_everything
from assistant.outbox import Outbox
from assistant.quiet import QuietHours
from assistant.transcripts import ConversationRow
from assistant.turns import Address, Assurance

_NEVER = datetime.min.replace(tzinfo=UTC)

CUSTOMER = "customer"
EMPLOYEE = "employee"
SILENCE = "silence"
"""Why somebody lost a number, in the journal, when no other proof was given: nobody was seen there for too long."""


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


class LinkOutcome(StrEnum):
    """What proving an address did."""

    LINKED = "linked"
    """The address is the person's now."""
    MERGED = "merged"
    """The address was somebody else's, and both turned out to be one person."""
    TAKEN_OVER = "taken over"
    """The number was somebody else's, who has given it up or only claimed it; nothing else of theirs changed hands."""
    REFUSED = "refused"
    """Both sides have proofs of their own; only staff may decide."""


class Profiles:
    """The people, within one unit of work."""

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

    def find_or_create(self, address: Address, assurance: Assurance) -> Person:
        """The person at this address; a new customer when nobody has it, or who had the number may have given it up."""
        known = self.present(address)
        if known is not None:
            return known
        row, person_id = self._address(address), self._add_person()
        if row is None:
            self._add_address(address, person_id, assurance)
        else:
            self._take_over(row, person_id, SILENCE, actor=person_id)
            row.assurance, row.proven_at = int(assurance), None
        return self.get(person_id)

    def rename(self, person_id: str, name: str) -> None:
        """Set how the person wants to be called."""
        self._person_row(person_id).name = name

    def set_language(self, person_id: str, language: str) -> None:
        """Set the language the person asked for, as a BCP 47 tag."""
        self._person_row(person_id).language = language

    def set_reach(self, person_id: str, kind: str | None) -> None:
        """Set the kind of address at which the person would like to get messages; None when they do not mind."""
        self._person_row(person_id).reach = kind

    def set_quiet(self, person_id: str, quiet: QuietHours | None) -> None:
        """Set when the person wants no messages; None for never."""
        row = self._person_row(person_id)
        row.quiet_from, row.quiet_until = (quiet.start, quiet.end) if quiet else (None, None)

    def link(
        self, person_id: str | None, address: Address, proof: str, *, at: Address | None = None
    ) -> tuple[LinkOutcome, Person]:
        """This person has proved this address (`proof` says how). Returns the outcome and who they are from now on.

        Without a person, whoever proved it is known by nothing else: they are whose it is.

        The side without proofs of its own joins the other; two proved people are never merged here:
        a machine cannot tell a second phone from a stolen one. A number that somebody else has given up, or claims
        beside other addresses and never proved, is taken over without merging anybody.

        With the first proof of a person, given `at` an address of theirs, the others that they never proved are theirs
        no more: who is there may have set this person up for them (FACTS 5.1, pre-hijack).
        """
        row, person_id = self._address(address), person_id or self._whose(address)
        row = row or self._add_address(address, person_id, Assurance.PROVEN)
        other, had_proof = row.person_id, self._has_proof(person_id)
        is_given_up = other != person_id and self._is_given_up(row)
        if other != person_id and not is_given_up and had_proof and self._has_proof(other):
            self.refuse(person_id, other, address, proof)
            return LinkOutcome.REFUSED, self.get(person_id)
        if at is not None and not had_proof:
            self._revoke_claims(person_id, but=(address, at), proof=proof)
        survivor, outcome = person_id, LinkOutcome.LINKED
        if is_given_up:
            self._take_over(row, person_id, proof, actor=person_id)
            outcome = LinkOutcome.TAKEN_OVER
        elif other != person_id:
            theirs = self._unit.rows(ConversationRow, person_id=other, closed_at=None)
            survivor, outcome = self._join(person_id, other, proof), LinkOutcome.MERGED
            if survivor == person_id:
                _close(theirs, self._now)  # anybody may have begun it in their name, and wait for them to go on
        row.assurance, row.proven_at = int(Assurance.PROVEN), self._now
        self._journal.add(survivor, journal.PROVEN, proof, moved={"addresses": [row.id]}, actor=person_id)
        return outcome, self.get(survivor)

    def adopt(self, person_id: str, address: Address, proof: str) -> tuple[LinkOutcome, Person]:
        """Whoever is at this address is this person too, as `proof` shows. The address counts as proven (`vouch`) only
        when the person has proofs: showing a code from one anonymous browser in another one proves nobody's name.

        A number is never joined so: its sender is easily forged, and whose it is would write to this person. Somebody
        there who has proved nothing brings along no other address: whoever is at it may have set this one up for them.
        """
        row = self._address(address)
        if address.kind in NUMBERS and (row is None or row.person_id != person_id):
            return LinkOutcome.REFUSED, self.get(row.person_id if row else person_id)
        row = row or self._add_address(address, person_id, Assurance.ANONYMOUS)
        other, survivor, outcome = row.person_id, person_id, LinkOutcome.LINKED
        if other != person_id:
            if self._has_proof(other) and self._has_proof(person_id):
                self.refuse(person_id, other, address, proof, actor=other)
                return LinkOutcome.REFUSED, self.get(other)
            if not self._has_proof(other):
                self._revoke_claims(other, but=(address,), proof=proof)
            survivor, outcome = self._join(person_id, other, proof), LinkOutcome.MERGED
        self._journal.add(survivor, journal.JOINED, proof, moved={"addresses": [row.id]}, actor=person_id)
        return outcome, self.get(survivor)

    def part(self, address: Address, proof: str) -> None:
        """Nobody is at this address any more; `proof` says why."""
        for row in self._unit.rows(AddressRow, kind=address.kind, value=address.value):
            self._journal.add(row.person_id, journal.LEFT, proof, moved={"addresses": [row.id]})
            self._unit.remove(row)

    def refuse(self, person_id: str, other_id: str, address: Address, proof: str, *, actor: str | None = None) -> None:
        """Put before staff that this person was not joined with another one, who has proofs too."""
        self._journal.add(person_id, f"{journal.REFUSED}{address.kind} {other_id}", proof, actor=actor)

    def merge(self, kept_id: str, gone_id: str, proof: str, *, actor: str) -> None:
        """Make the second person part of the first, with their roles; somebody who may decide that says so."""
        kept, gone = self._person_row(kept_id), self._person_row(gone_id)
        roles = " ".join(kept.roles)
        self._merge(kept_id, gone_id, proof, actor=actor, roles=roles)
        if EMPLOYEE in gone.roles and EMPLOYEE not in kept.roles:
            kept.roles = sorted({*kept.roles, EMPLOYEE})
            # Whoever gave it may still take it away.
            given = self._gave_employee(gone_id) or proof
            self._journal.add(kept_id, journal.ROLE_GIVEN, given, actor=actor)

    def vouch(self, person_id: str, address: Address, proof: str) -> Person:
        """This person has just proved who they are from this address of theirs, which makes it proven too.

        Not so a number, which only `link` proves: what comes from there may be forged.
        """
        row = self._unit.row(AddressRow, kind=address.kind, value=address.value, person_id=person_id)
        signed_in = row is not None and row.assurance == Assurance.STRONG  # its time must not begin anew
        if row is not None and address.kind not in NUMBERS and not signed_in and self._has_proof(person_id):
            if row.proven_at is None:
                self._journal.add(person_id, journal.VOUCHED, proof, moved={"addresses": [row.id]})
            row.assurance, row.proven_at = int(Assurance.PROVEN), self._now
        return self.get(person_id)

    def add_employee(self, name: str, phone: Address) -> Person:
        """Give the role `employee` to whoever has this phone. Staff vouch for the number, so it counts as proven.

        Who may have given it up, or claims it beside other addresses and never proved it, is not who staff mean, unless
        they are the employee of that name.
        """
        address = self._address(phone) or self._add_address(phone, self._add_person(), Assurance.CLAIMED)
        known = self._person_row(address.person_id)
        is_confirmed = address.proven_at is not None and EMPLOYEE in known.roles and known.name == name
        if self._is_given_up(address) and not is_confirmed:
            self._take_over(address, self._add_person(), STAFF, actor=STAFF)
        elif address.proven_at is None:
            self._close_conversations(address.person_id)
        address.assurance, address.proven_at = int(Assurance.PROVEN), self._now
        row = self._person_row(address.person_id)
        row.name, row.roles = name, sorted({*row.roles, EMPLOYEE})
        self._journal.add(row.id, journal.PROVEN, STAFF, moved={"addresses": [address.id]}, actor=STAFF)
        self._journal.add(row.id, journal.ROLE_GIVEN, STAFF, actor=STAFF)
        return self.get(row.id)

    def remove_employee(self, person_id: str) -> None:
        """Take the role `employee` away. Raises `LookupError` when there is no such person."""
        row = self._person_row(person_id)
        row.roles = [role for role in row.roles if role != EMPLOYEE]
        self._journal.add(person_id, journal.ROLE_TAKEN, STAFF, actor=STAFF)

    def move_address(self, old: Address, new: Address, proof: str, assurance: Assurance | None = None) -> None:
        """Whoever was at `old` is at `new` from now on: the session of a browser was renewed with this proof.

        With an `assurance` they have just proved who they are, else they are as sure as before.
        """
        for row in self._unit.rows(AddressRow, kind=old.kind, value=old.value):
            row.kind, row.value = new.kind, new.value
            if assurance is not None:
                row.assurance, row.proven_at = int(assurance), self._now
            self._journal.add(row.person_id, journal.RENEWED, proof, moved={"addresses": [row.id]})
            if old != new:
                leave(self._unit, old)

    def give_employee(self, person_id: str, proof: str) -> None:
        """Give the role `employee`; `proof` says who vouches for it."""
        row = self._person_row(person_id)
        if EMPLOYEE not in row.roles:
            row.roles = sorted({*row.roles, EMPLOYEE})
            self._journal.add(person_id, journal.ROLE_GIVEN, proof)

    def withdraw_employee(self, person_id: str, proof: str) -> None:
        """Take the role `employee` away if it was last given by this proof: what staff gave stays."""
        row = self._person_row(person_id)
        if EMPLOYEE in row.roles and self._gave_employee(person_id) == proof:
            row.roles = [role for role in row.roles if role != EMPLOYEE]
            self._journal.add(person_id, journal.ROLE_TAKEN, proof)

    def forget(self, person_id: str, proof: str, *, actor: str | None = None) -> None:
        """Remove name, wishes and addresses, also of who was merged into them; an id that leads nowhere remains."""
        for row in self._with_absorbed(self._person_row(person_id)):
            row.name = row.language = row.reach = row.quiet_from = row.quiet_until = None
            for entry in self._unit.rows(JournalRow, person_id=row.id):
                entry.before = None
        for address in self._unit.rows(AddressRow, person_id=person_id):
            self._unit.remove(address)
        self._journal.add(person_id, journal.FORGOTTEN, proof, actor=actor)

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

    def _address(self, address: Address) -> AddressRow | None:
        return self._unit.row(AddressRow, kind=address.kind, value=address.value)

    def _add_person(self) -> str:
        person = PersonRow(
            id=new_id(), name=None, language=None, roles=[CUSTOMER], created_at=self._now, merged_into=None
        )
        self._unit.add(person)
        return person.id

    def _holds(self, row: AddressRow) -> bool:
        claims = Claims(self._unit, self._now)
        return claims.holds(row.person_id, Address(row.kind, row.value), row.proven_at or row.created_at)

    def _is_given_up(self, row: AddressRow) -> bool:
        """Whether this number says nothing about its person, so that whoever proves it has nothing to do with them."""
        others = len(self._unit.rows(AddressRow, person_id=row.person_id)) - 1
        return row.kind in NUMBERS and ((row.proven_at is None and others > 0) or not self._holds(row))

    def _whose(self, address: Address) -> str:
        """Who has this address, if having it tells anything of them; else somebody new."""
        row = self._address(address)
        told = row is not None and self._holds(row) and (row.proven_at or not self._has_proof(row.person_id))
        return row.person_id if row and told else self._add_person()

    def _take_over(self, row: AddressRow, person_id: str, proof: str, *, actor: str) -> None:
        """The number is this person's from now on. What was said and sent there stays its former person's alone."""
        former, address = row.person_id, Address(row.kind, row.value)
        self._close_conversations(former, kind=row.kind, value=row.value)
        Outbox(self._unit, self._now).forget(address)
        row.person_id, row.created_at = person_id, self._now
        self._journal.add(former, journal.LOST, proof, moved={"addresses": [row.id]}, actor=actor)
        self._journal.add(person_id, journal.TAKEN_OVER, proof, moved={"addresses": [row.id]}, actor=actor)
        for kind in NUMBERS - {row.kind}:  # the same number of another service went with it, to nobody yet
            for twin in self._unit.rows(AddressRow, kind=kind, value=row.value, person_id=former):
                if not self._holds(twin):
                    self._close_conversations(former, kind=kind, value=row.value)
                    self._journal.add(former, journal.LOST, proof, moved={"addresses": [twin.id]}, actor=actor)
                    self._unit.remove(twin)

    def _revoke_claims(self, person_id: str, *, but: tuple[Address, ...], proof: str) -> None:
        for row in self._unit.rows(AddressRow, person_id=person_id, proven_at=None):
            if Address(row.kind, row.value) not in but:
                self._journal.add(person_id, journal.REVOKED, proof, moved={"addresses": [row.id]})
                self._unit.remove(row)

    def _close_conversations(self, person_id: str, **where: str) -> None:
        _close(self._unit.rows(ConversationRow, person_id=person_id, closed_at=None, **where), self._now)

    def _gave_employee(self, person_id: str) -> str | None:
        """The proof by which they were last given the role."""
        given = self._unit.rows(JournalRow, person_id=person_id, act=journal.ROLE_GIVEN)
        return max(given, key=lambda entry: entry.at).proof if given else None

    def _join(self, person_id: str, other: str, proof: str) -> str:
        """Merge whoever of the two has no proofs into the other one, at the word of the first; returns who is left."""
        survivor, absorbed = (other, person_id) if self._has_proof(other) else (person_id, other)
        self._merge(survivor, absorbed, proof, actor=person_id)
        return survivor

    def _merge(self, survivor: str, absorbed: str, proof: str, *, actor: str, roles: str | None = None) -> None:
        kept, gone = self._person_row(survivor), self._person_row(absorbed)
        before = {row.id: row.remembered() for row in self._unit.rows(AddressRow, person_id=survivor)}
        before[survivor] = kept.remembered() if roles is None else {**kept.remembered(), "roles": roles}
        moved = move_everything(self._unit, absorbed, survivor, before)
        for name in PersonRow.undone:
            if getattr(kept, name) is None:
                setattr(kept, name, getattr(gone, name))
        gone.merged_into = survivor
        self._journal.add(survivor, f"{journal.MERGED}{absorbed}", proof, moved=moved, before=before, actor=actor)


def _quiet(person: PersonRow) -> QuietHours | None:
    if person.quiet_from is None or person.quiet_until is None:
        return None
    return QuietHours(person.quiet_from, person.quiet_until)


def _close(conversations: list[ConversationRow], now: datetime) -> None:
    for row in conversations:
        row.closed_at, row.held_until, row.hold_reason = now, None, None
