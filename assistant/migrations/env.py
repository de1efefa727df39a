"""Runs the migrations for `Database.migrate`, one process at a time."""

from typing import Literal

import alembic.context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import text

from assistant import codes, orders, outbox, profiles, requests, transcripts  # noqa: F401  # they declare the tables
from assistant.database import Base, UtcDateTime, create_engine_for
from assistant.identity import attempts, tokens  # noqa: F401  # likewise

MIGRATION_LOCK = 0x61737374
"""Key of PostgreSQL's advisory lock, so that replicas that start together migrate once."""


def _render_item(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """So that a migration does not depend on what our column type is tomorrow."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def run() -> None:
    """Upgrade the database that `alembic_config` names."""
    engine = create_engine_for(alembic.context.config.attributes["url"])
    with engine.connect() as connection:
        is_postgresql = engine.dialect.name == "postgresql"
        if is_postgresql:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        alembic.context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=not is_postgresql,
            compare_type=True,
            render_item=_render_item,
        )
        with alembic.context.begin_transaction():
            alembic.context.run_migrations()
        connection.commit()
    engine.dispose()


run()
