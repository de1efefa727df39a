"""Undoing a merge: two who were wrongly taken for one person are two again, each as they were.

What came in after the merge stays with the person who both were since, turns in a conversation of the other included:
they become a conversation of their own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from assistant import journal
from assistant.database import Base, Remembered, UnitOfWork, new_id
from assistant.errors import UndoRefused
from assistant.journal import MERGED, STAFF, Journal, JournalRow
from assistant.profiles import EMPLOYEE, AddressRow, PersonRow
from assistant.transcripts import ConversationRow, TurnRow
from assistant.turns import Address

MAY_BE_UNDONE = timedelta(days=30)
"""After this, what the two were is erased."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Two people became one."""

    id: str
    """Of its entry in the journal."""
    at: datetime
    person_id: str
    """Who they both are since."""
    absorbed_id: str
    """Who was merged into them."""
    proof: str
    """Why they were taken for one."""


class Merges:
    """The merges, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now
        self._journal = Journal(unit, now)

    def recent(self, limit: int) -> list[Merge]:
        """Those that may still be undone, newest first."""
        since = self._now - MAY_BE_UNDONE
        query = (
            select(JournalRow)
            .where(JournalRow.act.startswith(MERGED), JournalRow.at > since, JournalRow.before.is_not(None))
            .order_by(JournalRow.at.desc())
            .limit(limit)
        )
        return [_merge(entry) for entry in self._unit.session.scalars(query)]

    def undo(self, identifier: str) -> Merge:
        """Undo a merge, named by itself or by either person, whose latest is meant. Raises `UndoRefused` in words."""
        entry = self._find(identifier)
        merge = _merge(entry)
        kept, gone = self._person(merge.person_id), self._person(merge.absorbed_id)
        before = self._what_was_before(entry, merge, kept, gone)
        rows = self._moved_rows(entry, merge)
        gone.merged_into = None
        self._give_back_roles(kept, gone, merge, before[kept.id].pop("roles", None))
        left = {name: getattr(gone, name) if old is None else old for name, old in before[kept.id].items()}
        changed = {name for name, value in left.items() if getattr(kept, name) != value}
        if not changed.isdisjoint(PersonRow.together):
            changed.update(PersonRow.together)
        for name, value in before[kept.id].items():
            if name not in changed:  # what was changed since the merge stays
                setattr(kept, name, value)
        for row in rows:
            row.person_id = gone.id  # type: ignore[attr-defined]  # only tables with this column are moved
        renewed = self._give_back_proofs(merge, before)
        for row in rows:
            if isinstance(row, ConversationRow) and before[row.id]:
                self._give_back_conversation(row, merge, before[row.id], renewed)
        for conversation in self._unit.rows(ConversationRow, person_id=kept.id, closed_at=merge.at):
            conversation.closed_at = None  # only one could go on after the merge
        self._close_where_nobody_is(merge, before)
        entry.before = None
        self._journal.add(kept.id, f"{journal.UNDONE}{gone.id}", STAFF, actor=STAFF, moved=entry.moved)
        return merge

    def erase_over(self) -> None:
        """Erase what people were before merges that may not be undone any more."""
        query = select(JournalRow).where(JournalRow.before.is_not(None), JournalRow.at <= self._now - MAY_BE_UNDONE)
        for entry in self._unit.session.scalars(query):
            entry.before = None

    def _find(self, identifier: str) -> JournalRow:
        is_merge = JournalRow.act.startswith(MERGED)
        named = or_(
            JournalRow.id == identifier, JournalRow.person_id == identifier, JournalRow.act == f"{MERGED}{identifier}"
        )
        entries = self._unit.session.scalars(select(JournalRow).where(is_merge, named).order_by(JournalRow.at)).all()
        if not entries:
            raise UndoRefused(f"no merge is known by {identifier}, and nobody with this id was ever merged")
        return max(entries, key=lambda entry: (entry.before is not None, entry.at))

    def _person(self, person_id: str) -> PersonRow:
        row = self._unit.row(PersonRow, id=person_id)
        if row is None:
            raise UndoRefused(f"person {person_id} is not there any more")
        return row

    def _what_was_before(
        self, entry: JournalRow, merge: Merge, kept: PersonRow, gone: PersonRow
    ) -> dict[str, Remembered]:
        if gone.merged_into != kept.id:
            raise UndoRefused("this merge was undone already")
        if self._now - merge.at > MAY_BE_UNDONE:
            raise UndoRefused(f"this merge is older than {MAY_BE_UNDONE.days} days; what the two were is erased by now")
        if kept.merged_into is not None:
            raise UndoRefused(f"both are {kept.merged_into} since another merge; undo that one first")
        if entry.before is None:
            raise UndoRefused("what the two were is gone: they were erased since, or merged by an older version")
        return entry.before

    def _moved_rows(self, entry: JournalRow, merge: Merge) -> list[Base]:
        """What the merge moved and is still theirs. An address that they lost since stays where it is.

        Raises `UndoRefused` when anything is somebody else's by now and the journal does not say why.
        """
        found: list[Base] = []
        lost = self._lost_since(merge)
        for mapper in Base.registry.mappers:
            model: type[Base] = mapper.class_
            ids = [id_ for id_ in entry.moved.get(model.__tablename__, []) if id_ not in lost]
            rows = [row for id_ in ids if (row := self._unit.row(model, id=id_))]
            if any(getattr(row, "person_id", None) != merge.person_id for row in rows):
                raise UndoRefused(f"some {model.__tablename__} that this merge moved are somebody else's by now")
            if model is AddressRow and len(rows) < len(ids):
                raise UndoRefused("an address that this merge moved is nobody's by now")
            found += rows
        return found

    def _lost_since(self, merge: Merge) -> set[str]:
        """Ids of the addresses that anybody lost since the merge."""
        acts = (journal.LOST, journal.REVOKED, journal.LEFT)
        query = select(JournalRow.moved).where(JournalRow.act.in_(acts), JournalRow.at >= merge.at)
        return {id_ for moved in self._unit.session.scalars(query) for id_ in moved["addresses"]}

    def _give_back_roles(self, kept: PersonRow, gone: PersonRow, merge: Merge, before: str | int | None) -> None:
        """The role that came with the merge is theirs alone again whose it was, unless it was given or taken since."""
        if before is None or EMPLOYEE in str(before).split() or EMPLOYEE not in gone.roles:
            return
        if EMPLOYEE not in kept.roles:
            gone.roles = [role for role in gone.roles if role != EMPLOYEE]
            self._journal.add(gone.id, journal.ROLE_TAKEN, STAFF, actor=STAFF)
            return
        given = self._unit.rows(JournalRow, person_id=kept.id, act=journal.ROLE_GIVEN)
        if not any(entry.at > merge.at for entry in given):
            kept.roles = [role for role in kept.roles if role != EMPLOYEE]
            self._journal.add(kept.id, journal.ROLE_TAKEN, STAFF, actor=STAFF)

    def _give_back_proofs(self, merge: Merge, before: dict[str, Remembered]) -> dict[Address, Address]:
        """Returns where those are now who were at an address when it was merged: sessions of browsers are renewed."""
        renewed: dict[Address, Address] = {}
        for person_id in (merge.person_id, merge.absorbed_id):
            for row in self._unit.rows(AddressRow, person_id=person_id):
                old = before.get(row.id)
                if old is None:
                    continue
                renewed[Address(str(old["kind"]), str(old["value"]))] = Address(row.kind, row.value)
                # A later proof was given by who they were since, so it stays with what stays.
                if person_id == merge.absorbed_id or row.proven_at == merge.at:
                    row.set_back(old, "assurance", "proven_at")
        return renewed

    def _give_back_conversation(
        self, row: ConversationRow, merge: Merge, before: Remembered, renewed: dict[Address, Address]
    ) -> None:
        turns = self._unit.rows(TurnRow, conversation_id=row.id)
        since = [turn for turn in turns if turn.number > int(before["turns"] or 0)]
        if since:
            columns = (column.key for column in ConversationRow.__mapper__.column_attrs if column.key != "version")
            split = ConversationRow(**{name: getattr(row, name) for name in columns})
            split.id, split.person_id, split.opened_at = new_id(), merge.person_id, merge.at
            self._unit.add(split)
            for turn in since:
                turn.conversation_id = split.id
            for mapper in Base.registry.mappers:
                if {"person_id", "conversation_id"} <= set(mapper.columns.keys()):
                    for part in self._unit.rows(mapper.class_, person_id=merge.person_id, conversation_id=row.id):
                        part.conversation_id = split.id
        row.set_back(before)
        where = Address(row.kind, row.value)
        row.value = renewed.get(where, where).value

    def _close_where_nobody_is(self, merge: Merge, before: dict[str, Remembered]) -> None:
        """Nothing goes on at a number that was taken over since the merge: somebody else would hear of it."""
        lost = [before[id_] for id_ in self._lost_since(merge) if id_ in before]
        places = {(str(old["kind"]), str(old["value"])) for old in lost}
        for person_id in (merge.person_id, merge.absorbed_id):
            here = {(row.kind, row.value) for row in self._unit.rows(AddressRow, person_id=person_id)}
            for row in self._unit.rows(ConversationRow, person_id=person_id, closed_at=None):
                if (row.kind, row.value) in places - here:
                    row.closed_at, row.held_until, row.hold_reason = self._now, None, None


def _merge(entry: JournalRow) -> Merge:
    return Merge(entry.id, entry.at, entry.person_id, entry.act.removeprefix(MERGED), entry.proof)
