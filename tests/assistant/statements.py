"""What is asked of a database, so that two ways through the code can be compared without a clock."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from assistant.database import Database


@contextmanager
def recorded(database: Database) -> Iterator[list[str]]:
    """The statements that are sent to the database in this block, in their order and without their values."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
