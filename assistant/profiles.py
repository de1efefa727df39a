"""The profiles of people: who they are, what they wish, and the role that they have."""

from collections.abc import Iterator

from assistant import journal
from assistant.joining import Joining, LinkOutcome
from assistant.journal import STAFF, JournalRow
from assistant.person import CUSTOMER, EMPLOYEE, AddressRow, KnownAddress, Person, PersonRow
from assistant.quiet import QuietHours
from assistant.turns import Address, Assurance

__all__ = [
    "CUSTOMER",
    "EMPLOYEE",
    "AddressRow",
    "KnownAddress",
    "LinkOutcome",
    "Person",
    "PersonRow",
    "Profiles",
]

SILENCE = "silence"
"""Why somebody lost a number, in the journal, when no other proof was given: nobody was seen there for too long."""


class Profiles(Joining):
    """The people, within one unit of work."""

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

    def _with_absorbed(self, person: PersonRow) -> Iterator[PersonRow]:
        yield person
        for absorbed in self._unit.rows(PersonRow, merged_into=person.id):
            yield from self._with_absorbed(absorbed)
