"""Which rows are about a person, in every table: what is exported and what is erased are found in one place."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import func, select

from assistant.database import Base, UnitOfWork
from assistant.journal import FORGOTTEN, JournalRow
from assistant.profiles import EMPLOYEE, AddressRow, PersonRow
from assistant.transcripts import ConversationRow
from assistant.turns import Address


def whole_person(unit: UnitOfWork, person_id: str) -> str:
    """Who this is by now, if they were merged into somebody. Raises `LookupError` when there is nobody."""
    row = unit.row(PersonRow, id=person_id)
    if row is None:
        raise LookupError(f"no person {person_id}")
    return whole_person(unit, row.merged_into) if row.merged_into else row.id


def holdings(unit: UnitOfWork, person_id: str) -> dict[str, list[Base]]:
    """Every row about a person, and about those merged into them, by table.

    A row is theirs by `person_id`, by belonging to a row of theirs (a foreign key), or by an address of theirs. Tables
    of which no row can be anybody's are left out.
    """
    people = _with_absorbed(unit, person_id)
    held: dict[str, list[Base]] = {PersonRow.__tablename__: list(people)}
    models: list[type[Base]] = [mapper.class_ for mapper in Base.registry.mappers if mapper.class_ is not PersonRow]
    for model in models:
        if "person_id" in model.__table__.columns:
            held[model.__tablename__] = [row for one in people for row in unit.rows(model, person_id=one.id)]
    own = {Address(row.kind, row.value) for row in held["addresses"] if isinstance(row, AddressRow)}
    spoke_at = {Address(row.kind, row.value) for row in held["conversations"] if isinstance(row, ConversationRow)}
    # A number that was theirs may be somebody else's by now, and so is what was sent there since.
    places = own | {place for place in spoke_at - own if not unit.row(AddressRow, kind=place.kind, value=place.value)}
    for model in models:
        find = _finder(unit, model, held, places)
        if model.__tablename__ not in held and find is not None:
            held[model.__tablename__] = find()
    return dict(sorted(held.items()))


def silent_since(unit: UnitOfWork, moment: datetime) -> list[str]:
    """Customers who are not forgotten and last said something before this, or never and came before it."""
    forgotten = select(JournalRow.person_id).where(JournalRow.act == FORGOTTEN)
    last = func.coalesce(func.max(ConversationRow.last_at), PersonRow.created_at)
    query = (
        select(PersonRow)
        .outerjoin(ConversationRow, ConversationRow.person_id == PersonRow.id)
        .where(PersonRow.merged_into.is_(None), PersonRow.id.not_in(forgotten))
        .group_by(PersonRow.id)
        .having(last < moment)
    )
    return [row.id for row in unit.session.scalars(query) if EMPLOYEE not in row.roles]


def _with_absorbed(unit: UnitOfWork, person_id: str) -> list[PersonRow]:
    people = unit.rows(PersonRow, id=person_id)
    for person in people:
        people += unit.rows(PersonRow, merged_into=person.id)
    return people


def _finder(
    unit: UnitOfWork, model: type[Base], held: dict[str, list[Base]], places: set[Address]
) -> Callable[[], list[Base]] | None:
    columns = model.__table__.columns
    for column in columns:
        for key in column.foreign_keys:
            owners = held.get(key.column.table.name)
            if owners is not None:
                equal = [{column.name: getattr(owner, key.column.name)} for owner in owners]
                return lambda: [row for one in equal for row in unit.rows(model, **one)]
    if "kind" in columns and "value" in columns:
        return lambda: [row for place in places for row in unit.rows(model, kind=place.kind, value=place.value)]
    if "browser" in columns:
        return lambda: [row for place in places for row in unit.rows(model, browser=str(place))]
    return None
