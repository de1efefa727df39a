"""Moving everything that belongs to one person to another one, so that it can be moved back."""

from sqlalchemy import UniqueConstraint

from assistant.database import Base, Remembered, UnitOfWork
from assistant.journal import JournalRow


def move_everything(
    unit: UnitOfWork, absorbed: str, survivor: str, before: dict[str, Remembered]
) -> dict[str, list[str]]:
    """Give every row of one person to another one. Returns their ids by table, and notes in `before` what they were.

    What the other one has already, where one is all there may be, stays. So does the journal: it tells what happened.
    """
    moved: dict[str, list[str]] = {}
    for mapper in Base.registry.mappers:
        if mapper.class_ is JournalRow or "person_id" not in mapper.columns:
            continue
        for row in unit.rows(mapper.class_, person_id=absorbed):
            if not _has_already(unit, row, survivor):
                before[row.id] = row.remembered()
                row.person_id = survivor
                moved.setdefault(row.__tablename__, []).append(row.id)
    return moved


def _has_already(unit: UnitOfWork, row: Base, survivor: str) -> bool:
    for constraint in row.__table__.constraints:  # type: ignore[attr-defined]  # a mapping's is always a table
        if isinstance(constraint, UniqueConstraint) and "person_id" in constraint.columns:
            same = {column.name: getattr(row, column.name) for column in constraint.columns}
            if unit.row(type(row), **{**same, "person_id": survivor}) is not None:
                return True
    return False
