"""Joining people by proof: whose an address is, who is one person with whom, and who must never be."""

from datetime import datetime
from enum import StrEnum

from assistant import journal
from assistant.claims import NUMBERS
from assistant.journal import JournalRow
from assistant.live import leave
from assistant.merging import move_everything
from assistant.outbox import Outbox
from assistant.person import EMPLOYEE, AddressRow, People, Person, PersonRow
from assistant.transcripts import ConversationRow
from assistant.turns import Address, Assurance


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


class Joining(People):
    """Proofs and what follows from them, within one unit of work."""

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

    def part(self, address: Address, proof: str) -> None:
        """Nobody is at this address any more; `proof` says why."""
        for row in self._unit.rows(AddressRow, kind=address.kind, value=address.value):
            self._journal.add(row.person_id, journal.LEFT, proof, moved={"addresses": [row.id]})
            self._unit.remove(row)

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
                leave(self._unit, Address(row.kind, row.value))
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


def _close(conversations: list[ConversationRow], now: datetime) -> None:
    for row in conversations:
        row.closed_at, row.held_until, row.hold_reason = now, None, None
