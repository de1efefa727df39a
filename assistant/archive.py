"""Everything that is held about a person, for them to take along.

One JSON object: `format` is "assistant-person", `version` the number of this form, `made_at` when (ISO 8601, UTC),
`person_id` whose it is, `left_out` what is not in it, and `stores` what is held, by table: a list of rows, each an
object of its columns. Rows belong together by their ids, as in the store: a turn names its conversation. `people` holds
the person first, then those who were merged into them. Columns that hold JSON are given as values, moments and days in
ISO 8601.
"""

import json
from datetime import date, datetime

from assistant.database import Base, UnitOfWork
from assistant.holdings import holdings

FORMAT = "assistant-person"
VERSION = 1
SECRET = frozenset({"digest", "challenge", "token", "links.code", "screens.code"})
"""Columns that hold what a code, a token or a sign-in is checked with; with their table where others share the name."""
INNER = frozenset({"version"})
"""Columns that say nothing about anybody."""
JSON_TEXTS = frozenset({"reply", "entities", "actions", "memory", "open_choices", "issued_choices"})
"""Columns whose text is JSON."""


def archive(unit: UnitOfWork, now: datetime, person_id: str) -> str:
    """The archive of this person, as JSON text."""
    stores = {table: [_fields(row) for row in rows] for table, rows in holdings(unit, person_id).items()}
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": now.isoformat(),
        "person_id": person_id,
        "left_out": "what codes, tokens and sign-ins are checked with, and texts that are secret",
        "stores": stores,
    }
    return json.dumps(whole, ensure_ascii=False, indent=2)


def _fields(row: Base) -> dict[str, object]:
    left_out = SECRET | INNER | ({"text"} if getattr(row, "secret", False) else set())
    names = [
        column.key
        for column in row.__mapper__.column_attrs
        if not {column.key, f"{row.__tablename__}.{column.key}"} & left_out
    ]
    return {name: _value(name, getattr(row, name)) for name in names}


def _value(name: str, value: object) -> object:
    if name in JSON_TEXTS and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value.isoformat() if isinstance(value, datetime | date) else value
