"""What was linked, merged or changed about people: when, by whom, by what proof. Written along with the change.

Ids and proofs alone, never a number or a name, so an entry may outlive whom it is about and settle a dispute.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.database import Base, Remembered, UnitOfWork, new_id

STAFF = "staff"
"""Who acted, when it was nobody who talks to the assistant."""

PROVEN = "address proven"
JOINED = "address joined"
VOUCHED = "address vouched for"
"""By a proof of the person that was given there."""
RENEWED = "session renewed"
TAKEN_OVER = "address taken over"
"""Of who proved it."""
LOST = "address lost"
"""Of who had it until then."""
REVOKED = "claim revoked"
"""To an address that the person never proved, when they proved another one elsewhere."""
LEFT = "address left"
"""Nobody has it any more."""
REFUSED = "link refused "
"""Begins the act; the kind of the address and the id of its person follow."""
MERGED = "merged "
"""Begins the act of a merge; the id of who was merged into the person follows."""
UNDONE = "merge undone "
"""Begins the act of it; the id of who was merged follows."""
ROLE_GIVEN, ROLE_TAKEN = "role employee given", "role employee taken"
ACCOUNT_LINKED, ACCOUNT_UNLINKED = "account linked", "account unlinked"
"""With a client of our authorization server."""
FORGOTTEN = "forgotten"


class JournalRow(Base):
    """One entry. Kept when the person is forgotten."""

    __tablename__ = "journal"

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    person_id: Mapped[str] = mapped_column(index=True)
    act: Mapped[str]
    actor: Mapped[str]
    """Id of the person who acted, as they were then, `STAFF`, or the client of our authorization server."""
    proof: Mapped[str]
    moved: Mapped[dict[str, list[str]]] = mapped_column(JSON)
    """Row ids by table, so that a merge can be undone."""
    before: Mapped[dict[str, Remembered] | None] = mapped_column(JSON(none_as_null=True))
    """By row id, what a merge changed; personal, so it goes when the merge cannot be undone any more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, as staff read it."""

    at: datetime
    person_id: str
    act: str
    actor: str
    proof: str


class Journal:
    """The entries, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now

    def add(
        self,
        person_id: str,
        act: str,
        proof: str,
        *,
        actor: str | None = None,
        moved: dict[str, list[str]] | None = None,
        before: dict[str, Remembered] | None = None,
    ) -> None:
        """Something was done about this person, by themselves when no other `actor` is given."""
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

    def about(self, person_id: str) -> list[Entry]:
        """What was done about this person or by them, oldest first."""
        named = or_(
            JournalRow.person_id == person_id, JournalRow.actor == person_id, JournalRow.act.endswith(person_id)
        )
        rows = self._unit.session.scalars(select(JournalRow).where(named).order_by(JournalRow.at, JournalRow.act))
        return [Entry(row.at, row.person_id, row.act, row.actor, row.proof) for row in rows]
