"""The `assistant` command, as somebody at a terminal meets it."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from assistant.cli import app
from assistant.database import Database
from assistant.profiles import EMPLOYEE, Profiles
from assistant.transcripts import Transcripts
from assistant.turns import Address, Assurance, Modality, Turn, TurnKind

NUMBER = "+447700900123"
HELD = Address("web", "digest")


@pytest.fixture(autouse=True)
def _an_installation_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    bot = Path(__file__).parent / "bot"
    monkeypatch.setenv("ASSISTANT_DATABASE_URL", f"sqlite:///{tmp_path}/assistant.db")
    monkeypatch.setenv("ASSISTANT_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("ASSISTANT_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("ASSISTANT_DATA_DIR", str(bot / "data"))
    monkeypatch.setenv("ASSISTANT_CONFIG_FILE", str(bot / "config.yml"))
    monkeypatch.setenv("ASSISTANT_PORT", "0")
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    """The installation's database, migrated."""
    database = Database(f"sqlite:///{tmp_path}/assistant.db")
    database.migrate()
    yield database
    database.close()


def assistant(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def is_employee(store: Database, number: str) -> bool:
    with store.unit_of_work() as unit:
        person = Profiles(unit, datetime.now(UTC)).find(Address("phone", number))
    return person is not None and EMPLOYEE in person.roles


def hold(store: Database) -> str:
    """A conversation that waits for the staff; its id."""
    now = datetime.now(UTC)
    turn = Turn("web", HELD, "1", TurnKind.SAID, "a person please", Modality.SCREEN, Assurance.ANONYMOUS, now)
    with store.unit_of_work() as unit:
        person = Profiles(unit, now).find_or_create(HELD, Assurance.ANONYMOUS)
        conversation = Transcripts(unit, now).start(person.id, turn)
        conversation.held_until = now + timedelta(minutes=30)
        unit.commit()
        return conversation.id


def held(store: Database) -> int:
    with store.unit_of_work() as unit:
        return len(Transcripts(unit, datetime.now(UTC)).held())


def test_help_comes_without_loading_the_assistant() -> None:
    heavy = "{'rasa', 'tensorflow', 'sqlalchemy', 'fastapi', 'pydantic', 'twilio', 'structlog'}"
    script = f"import sys, assistant.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_wrong_setting_ends_in_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_PORT", "99999")
    result = assistant("doctor")
    assert result.exit_code == 1
    assert "ASSISTANT_PORT" in result.stderr
    assert "Traceback" not in result.output


def test_an_employee_is_added_listed_and_removed(store: Database) -> None:
    added = assistant("people", "add", "--employee", "--name", "Ben [b]Bee", "--phone", "+44 7700 900123")
    assert added.exit_code == 0
    assert is_employee(store, NUMBER)
    listed = assistant("people", "list").stdout
    assert "Ben [b]Bee" in listed
    assert "employee" in listed
    assert assistant("people", "remove", "--phone", NUMBER).exit_code == 0
    assert not is_employee(store, NUMBER)


def test_people_can_be_added_before_the_first_start(tmp_path: Path) -> None:
    result = assistant("people", "add", "--employee", "--name", "Ben", "--phone", NUMBER)
    assert result.exit_code == 0
    assert is_employee(Database(f"sqlite:///{tmp_path}/assistant.db"), NUMBER)


def test_only_employees_are_added_by_hand(store: Database) -> None:
    result = assistant("people", "add", "--name", "Ben", "--phone", NUMBER)
    assert result.exit_code == 1
    assert "--employee" in result.stderr
    assert not is_employee(store, NUMBER)


def test_who_is_no_employee_cannot_be_removed(store: Database) -> None:
    assert "no employee" in assistant("people", "remove", "--phone", NUMBER).stderr


def test_a_file_of_employees_is_taken_whole(store: Database, tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    file.write_text(f"name,phone\nBen,{NUMBER}\nZoe,+34600111222\n")
    assert assistant("people", "import", str(file)).exit_code == 0
    assert is_employee(store, NUMBER)
    assert is_employee(store, "+34600111222")


def test_a_file_with_a_fault_adds_nobody(store: Database, tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    file.write_text(f"name,phone\nBen,{NUMBER}\nZoe,12\n")
    result = assistant("people", "import", str(file))
    assert result.exit_code == 1
    assert "line 3" in result.stderr
    assert not is_employee(store, NUMBER)


def test_held_conversations_are_shown_and_stay_held(store: Database) -> None:
    conversation = hold(store)
    assert conversation in assistant("release").stdout
    assert held(store) == 1


def test_a_held_conversation_is_given_back_by_the_start_of_its_id(store: Database) -> None:
    conversation = hold(store)
    hold(store)
    assert "Given back: 1" in assistant("release", conversation[:12]).stdout
    assert held(store) == 1


def test_all_held_conversations_are_given_back(store: Database) -> None:
    hold(store)
    hold(store)
    assert "Given back: 2" in assistant("release", "--all").stdout
    assert held(store) == 0


def test_giving_back_an_unknown_conversation_is_refused(store: Database) -> None:
    hold(store)
    assert assistant("release", "zz").exit_code == 1
    assert held(store) == 1


def test_there_is_nothing_to_give_back(store: Database) -> None:
    assert "No conversation is held" in assistant("release").stdout


def test_a_reload_needs_a_running_assistant() -> None:
    result = assistant("reload")
    assert result.exit_code == 1
    assert "no assistant is running" in result.stderr


def test_the_doctor_finds_faults_and_says_how_to_mend_them() -> None:
    result = assistant("doctor")
    assert result.exit_code == 1
    assert "✗ model" in result.stdout
    assert "→ `assistant train`" in result.stdout
    assert "✓ Python" in result.stdout
