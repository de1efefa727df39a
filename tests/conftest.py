"""Shared fixtures: a fresh database on each engine, and the small bot's model."""

from pathlib import Path

from assistant.understanding.lean import prepare_for_rasa

BOT = Path(__file__).parent / "assistant" / "bot"
prepare_for_rasa(BOT / "config.yml")  # as the product does: before anything else is imported

# isort: split
import logging
import os
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import hypothesis
import psycopg
import pytest
import structlog
from psycopg import sql

from assistant.database import Database
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.dialogue import Dialogue

POSTGRESQL_URL = "ASSISTANT_TEST_POSTGRESQL_URL"
ENGINES = ("sqlite", "postgresql")


hypothesis.settings.register_profile("assistant", deadline=None)  # a busy machine is not a fault of the code
hypothesis.settings.load_profile("assistant")


@pytest.fixture
def anyio_backend() -> str:
    """Tests that are coroutines run on asyncio, as the product does."""
    return "asyncio"


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """Undoes what a test sets up of the logs, which are the whole process's."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgresql_template() -> Iterator[str]:
    """A migrated database that each test's own is copied from; its URL."""
    server = os.environ.get(POSTGRESQL_URL)
    if not server:
        if os.environ.get("CI"):
            pytest.fail(f"CI runs the tests on PostgreSQL too: set {POSTGRESQL_URL}")
        pytest.skip(f"{POSTGRESQL_URL} is not set")
    with _postgresql_database(server) as url:
        database = Database(url)
        database.migrate()
        database.close()
        yield url


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database; the test runs once on each engine."""
    yield from fresh_database(request, tmp_path)


def fresh_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """An empty, migrated database on the engine that the fixture's parameter names."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{folder}/assistant.db")
        database.migrate()
        yield database
        database.close()
        return
    template: str = request.getfixturevalue("postgresql_template")
    with _postgresql_database(template, template.rsplit("/", 1)[1]) as url:
        database = Database(url)
        yield database
        database.close()


@pytest.fixture(scope="session")
def small_bot_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the small bot, whose model is trained now."""
    from assistant import training

    settings = Settings(
        data_dir=BOT / "data", config_file=BOT / "config.yml", models_dir=tmp_path_factory.mktemp("models")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # training is Rasa's own code, with warnings that are Rasa's own
        training.train(settings)
    return settings


@pytest.fixture(scope="session")
def small_bot(small_bot_settings: Settings) -> "Dialogue":
    """The small bot."""
    from assistant import training
    from tests.assistant.bot.actions import bot_actions

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # likewise of loading
        return training.load(training.trusted_model(small_bot_settings), bot_actions(), {"shop_name": "Fiore"})


@contextmanager
def _postgresql_database(url: str, template: str = "template1") -> Iterator[str]:
    """A database of its own on the server of this URL, dropped at the end."""
    server, name = url.rsplit("/", 1)[0], f"assistant_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    try:
        yield f"{server}/{name}"
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
