"""Pairs of people that the machine refused to make one, because both had proofs; and staff's word that they are."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from assistant.database import UnitOfWork
from assistant.errors import MergeRefused
from assistant.holdings import whole_person
from assistant.journal import FORGOTTEN, REFUSED, STAFF, JournalRow
from assistant.profiles import Person, PersonRow, Profiles
from assistant.transcripts import ConversationRow, Transcripts


@dataclass(frozen=True, slots=True)
class Dispute:
    """Somebody proved an address of somebody else, and both had proofs."""

    at: datetime
    """When last."""
    person_id: str
    """Who gave the proof; who they are by now, if they were merged since."""
    other_id: str
    """Whose address it was."""
    kind: str
    """Of the address."""
    proof: str


class Disputes:
    """The disputes, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now
        self._profiles = Profiles(unit, now)

    def open(self, limit: int) -> list[Dispute]:
        """Those whose people are still two, each pair once, newest first."""
        query = select(JournalRow).where(JournalRow.act.startswith(REFUSED)).order_by(JournalRow.at.desc())
        found: dict[frozenset[str], Dispute] = {}
        for row in self._unit.session.scalars(query):
            kind, _, other = row.act.removeprefix(REFUSED).partition(" ")
            pair = frozenset((whole_person(self._unit, row.person_id), whole_person(self._unit, other)))
            if len(pair) == 2 and pair not in found and not any(map(self._is_forgotten, pair)):
                person_id = whole_person(self._unit, row.person_id)
                (other_id,) = pair - {person_id}
                found[pair] = Dispute(row.at, person_id, other_id, kind, row.proof)
            if len(found) == limit:
                break
        return list(found.values())

    def person(self, person_id: str) -> Person:
        """Somebody who may be merged. Raises `MergeRefused` when there is nobody, or they are somebody else by now."""
        row = self._unit.row(PersonRow, id=person_id)
        if row is None:
            raise MergeRefused(f"nobody has the id {person_id}")
        if row.merged_into is not None:
            raise MergeRefused(f"{person_id} is {whole_person(self._unit, person_id)} since a merge; say that id")
        if self._is_forgotten(person_id):
            raise MergeRefused(f"{person_id} was forgotten; nothing is left to merge")
        return self._profiles.get(person_id)

    def settle(self, kept_id: str, gone_id: str) -> None:
        """Make the second person part of the first, as staff decided; of what both have open, the latest goes on.

        Raises `MergeRefused`.
        """
        if kept_id == gone_id:
            raise MergeRefused("that is one person already")
        for person_id in (kept_id, gone_id):
            self.person(person_id)
        both = [
            row
            for person_id in (kept_id, gone_id)
            for row in self._unit.rows(ConversationRow, person_id=person_id, closed_at=None)
        ]
        self._profiles.merge(kept_id, gone_id, STAFF, actor=STAFF)
        if both:
            latest = max(both, key=lambda row: row.last_at)
            Transcripts(self._unit, self._now).close_others(kept_id, keep=latest.id)

    def _is_forgotten(self, person_id: str) -> bool:
        return self._unit.row(JournalRow, person_id=person_id, act=FORGOTTEN) is not None
