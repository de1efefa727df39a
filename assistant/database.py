"""The engine, the declarative base and the unit of work. Stores build on it; nothing else imports SQLAlchemy."""

import functools
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, TypeVar

import alembic.command
import alembic.config
import psycopg
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import DateTime, Dialect, Engine, create_engine, event, func, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from assistant.errors import StoreUnavailable

LOCK_WAIT_SECONDS = 10
"""How long a statement waits for another replica's lock before the turn fails and may be sent again."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, kept in UTC and given back with its zone. Refuses times without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; SQLite keeps it without the zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back to an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all mappings; each store declares its own beside the code that uses them."""

    type_annotation_map = {datetime: UtcDateTime}
    undone: ClassVar[tuple[str, ...]] = ()
    """Columns whose values undoing a merge needs, beside whose the row was."""

    def remembered(self) -> "Remembered":
        """What these columns hold now, as JSON can."""
        values = ((name, getattr(self, name)) for name in self.undone)
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values}

    def set_back(self, remembered: "Remembered", *names: str) -> None:
        """Have these columns hold again what was remembered of them; all of them when none is named."""
        for name in names or remembered:
            value = remembered[name]
            is_moment = isinstance(self.__table__.columns[name].type, UtcDateTime)
            setattr(self, name, datetime.fromisoformat(value) if is_moment and isinstance(value, str) else value)


Remembered = dict[str, str | int | None]

Listeners = dict[str, list[Callable[[str], None]]]

Row = TypeVar("Row", bound=Base)


def new_id() -> str:
    """A new primary key. Made here and not by the database, so that nothing is written before the commit."""
    return uuid.uuid4().hex


class Overtaken(Exception):  # noqa: N818  # not a fault: the work is done again on what the other one left
    """Another device or replica wrote first."""


class UnitOfWork:
    """One transaction: reads as they come, all writes in `commit`. Leaving without a commit rolls back.

    On SQLite the reads run outside a transaction and `commit` takes the single write lock at once (`BEGIN IMMEDIATE`),
    so nobody waits for another person's thinking and a read never turns into a doomed write.
    """

    def __init__(self, session: Session, listeners: Listeners) -> None:
        self.session = session
        self._listeners = listeners
        self._guards: list[Callable[[], bool]] = []
        self._after_commit: list[Callable[[], None]] = []

    def rows(self, model: type[Row], **equal: object) -> list[Row]:
        """Rows whose columns equal these values, with what this unit of work changed and has not written yet."""
        found = dict.fromkeys(self.session.scalars(select(model).filter_by(**equal)))
        changed = [*self.session.dirty, *self.session.new]
        found.update(dict.fromkeys(row for row in changed if isinstance(row, model)))
        return [
            row
            for row in found
            if row not in self.session.deleted and all(getattr(row, name) == value for name, value in equal.items())
        ]

    def row(self, model: type[Row], **equal: object) -> Row | None:
        """The first of `rows`, if any."""
        return next(iter(self.rows(model, **equal)), None)

    def add(self, row: Base) -> None:
        """Write this new row at the commit."""
        self.session.add(row)

    def remove(self, row: Base) -> None:
        """Delete this row at the commit; one that was only added is not written at all."""
        if row in self.session.new:
            self.session.expunge(row)
        else:
            self.session.delete(row)

    @property
    def is_postgresql(self) -> bool:
        """Whether row locks exist here."""
        return self.session.get_bind().dialect.name == "postgresql"

    def notify(self, channel: str, payload: str) -> None:
        """Tell whoever listens to this channel, with the commit. 8,000 bytes at most.

        That is every replica on PostgreSQL, and who listens by `Database.listen` on SQLite.
        """
        if self.is_postgresql:
            self.session.execute(select(func.pg_notify(channel, payload)))
        else:
            for listener in self._listeners.get(channel, ()):
                self.after_commit(functools.partial(listener, payload))

    def guard(self, holds: Callable[[], bool]) -> None:
        """Commit only if this holds then, when nobody else can write any more; else the commit raises `Overtaken`.

        It has to read columns, not rows: what was read before would be given back as it was.
        """
        self._guards.append(holds)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call this once the commit is done, in the thread that commits. It must not raise."""
        self._after_commit.append(call)

    def commit(self) -> None:
        """Write everything and make it durable. Raises `Overtaken` when somebody else was first; nothing is written."""
        if not self.is_postgresql:
            self.session.connection().exec_driver_sql("BEGIN IMMEDIATE")
        try:
            if not all(holds() for holds in self._guards):
                raise Overtaken
            self.session.commit()
        except (IntegrityError, StaleDataError) as error:
            self.session.rollback()
            raise Overtaken from error
        except Overtaken:
            self.session.rollback()
            raise
        for call in self._after_commit:
            call()
        self._after_commit.clear()


class Database:
    """The store behind one URL."""

    _migrating = threading.Lock()  # Alembic's context is one for the whole process

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = create_engine_for(url)
        self._listeners: Listeners = {}

    @property
    def is_postgresql(self) -> bool:
        """Whether several replicas can share it."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """One unit of work on one connection; rolled back unless `commit` was called.

        Raises `StoreUnavailable` when the database cannot be reached.
        """
        with Session(self.engine, autoflush=False, expire_on_commit=False) as session:
            try:
                yield UnitOfWork(session, self._listeners)
            except DBAPIError as error:
                if error.connection_invalidated or isinstance(
                    error.orig, (sqlite3.OperationalError, psycopg.OperationalError)
                ):
                    raise StoreUnavailable(type(error.orig).__name__) from error
                raise

    def listen(self, channel: str, call: Callable[[str], None]) -> None:
        """On SQLite, call this with what is notified on the channel, in the thread that commits. It must not raise.

        On PostgreSQL, which tells all replicas, it takes a connection of one's own to listen (`assistant.replicas`).
        """
        self._listeners.setdefault(channel, []).append(call)

    def migrate(self) -> None:
        """Bring the schema to the newest version; safe to call from several replicas at once."""
        if self.engine.dialect.name == "sqlite" and self.engine.url.database:
            Path(self.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        with self._migrating:
            alembic.command.upgrade(alembic_config(self.url), "head")

    def is_migrated(self) -> bool:
        """Whether the schema is the newest one. Creates nothing.

        Raises `StoreUnavailable` when the database cannot be reached.
        """
        file = self.engine.url.database if self.engine.dialect.name == "sqlite" else None
        if file and not Path(file).exists():
            return False
        newest = ScriptDirectory.from_config(alembic_config(self.url)).get_current_head()
        with self.unit_of_work() as unit:
            return MigrationContext.configure(unit.session.connection()).get_current_revision() == newest

    def ping(self) -> None:
        """Ask for an answer. Raises `StoreUnavailable` when there is none."""
        with self.unit_of_work() as unit:
            unit.session.execute(text("SELECT 1"))

    def scrub(self) -> None:
        """Clear SQLite's log of the pages that were overwritten since, words of forgotten people among them."""
        if self.engine.dialect.name == "sqlite":
            with self.unit_of_work() as unit:
                unit.session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def alembic_config(url: str) -> alembic.config.Config:
    """Alembic's configuration without an ini file."""
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


def create_engine_for(url: str) -> Engine:
    """An engine for a SQLite or PostgreSQL URL, set up as the unit of work needs it."""
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": LOCK_WAIT_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    url = url.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+psycopg://", 1)
    return create_engine(
        url,
        pool_size=16,
        pool_pre_ping=True,
        connect_args={"options": f"-c lock_timeout={LOCK_WAIT_SECONDS}s -c timezone=UTC", "connect_timeout": 5},
    )


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come with every write
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # an order that was confirmed survives a power cut
    cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten, not left in free pages
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
