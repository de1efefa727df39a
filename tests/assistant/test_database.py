"""The store's floor: moments with their zone, one transaction a unit of work, migrations that equal the models."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from assistant.database import Base, Database, Overtaken, new_id
from assistant.errors import StoreUnavailable
from assistant.outbox import OptOutRow
from assistant.profiles import PersonRow
from assistant.transcripts import ConversationRow, Transcripts
from assistant.turns import Address, Assurance, Modality, Turn, TurnKind

NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)
OPENED = Turn("web", Address("web", "x"), "t", TurnKind.OPENED, "", Modality.SCREEN, Assurance.ANONYMOUS, NOW)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.builds(
    lambda seconds, zone: datetime.fromtimestamp(seconds, zone), st.floats(0, 32_000_000_000, width=64), ZONES
)


def a_person(person_id: str, name: str | None = None) -> PersonRow:
    return PersonRow(id=person_id, name=name, language=None, roles=[], created_at=NOW, merged_into=None)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moment=MOMENTS)
def test_a_moment_comes_back_as_the_same_moment_in_utc(database: Database, moment: datetime) -> None:
    with database.unit_of_work() as unit:
        row = OptOutRow(kind="phone", value=new_id(), at=moment)
        unit.add(row)
        unit.session.flush()
        unit.session.expire_all()
        assert (row.at, row.at.tzinfo) == (moment, UTC)


def test_a_moment_without_its_zone_is_refused(database: Database) -> None:
    with database.unit_of_work() as unit:
        unit.add(OptOutRow(kind="phone", value="x", at=NOW.replace(tzinfo=None)))
        with pytest.raises(StatementError, match="without a zone"):
            unit.commit()


def test_what_is_not_committed_never_happened(database: Database) -> None:
    with database.unit_of_work() as unit:
        unit.add(a_person("ana"))
    with database.unit_of_work() as unit:
        assert unit.row(PersonRow, id="ana") is None


def test_rows_show_what_is_not_written_yet(database: Database) -> None:
    with database.unit_of_work() as unit:
        for person_id in ("ana", "ben", "eve"):
            unit.add(a_person(person_id, "old"))
        unit.commit()
    with database.unit_of_work() as unit:
        ana, ben, _ = (unit.row(PersonRow, id=person_id) for person_id in ("ana", "ben", "eve"))
        assert ana is not None
        assert ben is not None
        ana.name = "new"
        unit.add(a_person("joe", "new"))
        unit.remove(ben)
        assert {row.id for row in unit.rows(PersonRow, name="new")} == {"ana", "joe"}
        assert [row.id for row in unit.rows(PersonRow, name="old")] == ["eve"]


def test_a_row_added_and_removed_at_once_is_never_written(database: Database) -> None:
    with database.unit_of_work() as unit:
        row = a_person("ana")
        unit.add(row)
        unit.remove(row)
        assert unit.rows(PersonRow) == []
        unit.commit()
    with database.unit_of_work() as unit:
        assert unit.rows(PersonRow) == []


def test_the_second_to_write_the_same_row_is_overtaken_and_writes_nothing(database: Database) -> None:
    with database.unit_of_work() as unit:
        unit.add(a_person("ana"))
        conversation = Transcripts(unit, NOW).start("ana", OPENED)
        unit.commit()
    with database.unit_of_work() as first, database.unit_of_work() as second:
        for unit in (first, second):
            row = unit.row(ConversationRow, id=conversation.id)
            assert row is not None
            row.turns += 1
        second.add(a_person("ben"))
        first.commit()
        with pytest.raises(Overtaken):
            second.commit()
    with database.unit_of_work() as unit:
        assert [row.turns for row in unit.rows(ConversationRow)] == [1]
        assert unit.row(PersonRow, id="ben") is None


def test_two_who_add_the_same_key_at_once_are_told_apart(database: Database) -> None:
    with database.unit_of_work() as first, database.unit_of_work() as second:
        first.add(a_person("ana"))
        second.add(a_person("ana"))
        first.commit()
        with pytest.raises(Overtaken):
            second.commit()


def test_a_reader_does_not_wait_for_who_thinks(database: Database) -> None:
    with database.unit_of_work() as thinking:
        thinking.rows(PersonRow)
        thinking.add(a_person("ana"))
        with database.unit_of_work() as other:
            other.add(a_person("ben"))
            other.commit()
        thinking.commit()
    with database.unit_of_work() as unit:
        assert {row.id for row in unit.rows(PersonRow)} == {"ana", "ben"}


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@127.0.0.1:1/none", "sqlite:////proc/none.db", "sqlite:////nowhere/at/all/none.db"]
)
def test_a_store_that_is_not_there_is_unavailable(url: str) -> None:
    database = Database(url)
    with pytest.raises(StoreUnavailable):
        database.ping()
    database.close()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_server_that_goes_away_is_unavailable_and_comes_back(database: Database) -> None:
    with pytest.raises(StoreUnavailable):
        read_while_the_server_goes_away(database)
    database.ping()


def read_while_the_server_goes_away(database: Database) -> None:
    with database.unit_of_work() as unit:
        unit.rows(PersonRow)
        end_connections_of(database)
        unit.rows(PersonRow)


def end_connections_of(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_migrations_make_exactly_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.fixture
def empty_url(database: Database, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that was never migrated, on the engine of `database`."""
    if database.engine.dialect.name == "sqlite":
        yield f"sqlite:///{tmp_path}/new/folder/empty.db"
        return
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    yield database.url


def test_a_database_is_migrated_twice_without_harm(empty_url: str) -> None:
    database = Database(empty_url)
    assert not database.is_migrated()
    database.migrate()
    with database.unit_of_work() as unit:
        unit.add(a_person("ana"))
        unit.commit()
    database.migrate()
    assert database.is_migrated()
    with database.unit_of_work() as unit:
        assert unit.row(PersonRow, id="ana") is not None
    database.close()


def test_threads_may_migrate_at_once(empty_url: str) -> None:
    starting = threading.Barrier(3)

    def migrate() -> bool:
        database = Database(empty_url)
        starting.wait()
        database.migrate()
        migrated = database.is_migrated()
        database.close()
        return migrated

    with ThreadPoolExecutor(3) as pool:
        assert all(future.result() for future in [pool.submit(migrate) for _ in range(3)])


def test_processes_may_migrate_at_once(empty_url: str) -> None:
    program = "import sys; from assistant.database import Database; input(); Database(sys.argv[1]).migrate()"
    command = [sys.executable, "-c", program, empty_url]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in processes] == [b"", b""]
    database = Database(empty_url)
    assert database.is_migrated()
    database.close()
