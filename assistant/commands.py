"""What every command begins with: the settings, the store, and where words go that are no result."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assistant.database import Database
    from assistant.settings import Settings


def prepare(*, training: bool = False) -> "Settings":
    """The settings, with logs going where they say. Raises `SettingsError`."""
    from assistant import logs
    from assistant.settings import Settings, quiet_libraries

    quiet_libraries()
    settings = Settings.load()
    logs.configure(settings.log_level, quote_libraries=training)
    return settings


def migrate(settings: "Settings") -> None:
    """Bring the store up to date, saying so when it takes a while."""
    from assistant.database import Database
    from assistant.progress import step

    database = Database(settings.database_url)
    if not database.is_migrated():
        with step(aside(), "Bringing the database up to date", "Database is up to date"):
            database.migrate()
    database.close()


@contextmanager
def open_store(settings: "Settings") -> "Iterator[Database]":
    """The store, brought up to date, and closed at the end."""
    from assistant.database import Database

    migrate(settings)
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.close()


def aside() -> Console:
    """For progress and complaints; results go to stdout."""
    return Console(stderr=True)
