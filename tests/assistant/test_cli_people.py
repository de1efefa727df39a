"""What staff do about people: hand out what is held, erase it, and keep it no longer than they said."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.database import Database
from assistant.profiles import Profiles
from assistant.transcripts import Transcripts
from assistant.turns import Address, Assurance, Modality, Turn, TurnKind
from tests.assistant.test_cli import _an_installation_of_its_own as _installation  # noqa: F401  # runs by itself
from tests.assistant.test_cli import assistant
from tests.assistant.test_cli import store as store  # the fixture

WEB, PHONE = Address("web", "digest-of-a-session"), Address("phone", "+447700900123")


def somebody(store: Database, address: Address, *, days_ago: int = 0, name: str = "Ana") -> str:
    """A person who said something so many days ago; their id."""
    then = datetime.now(UTC) - timedelta(days=days_ago)
    turn = Turn("web", address, "1", TurnKind.OPENED, "", Modality.SCREEN, Assurance.ANONYMOUS, received_at=then)
    with store.unit_of_work() as unit:
        person = Profiles(unit, then).find_or_create(address, Assurance.ANONYMOUS)
        Profiles(unit, then).rename(person.id, name)
        Transcripts(unit, then).start(person.id, turn)
        unit.commit()
    return person.id


def merged(store: Database) -> tuple[str, str]:
    """Two who became one; the second was merged into the first."""
    here, there = somebody(store, WEB), somebody(store, PHONE)
    with store.unit_of_work() as unit:
        Profiles(unit, datetime.now(UTC)).link(here, PHONE, "sms code")
        unit.commit()
    return here, there


def names(store: Database) -> dict[str, str | None]:
    with store.unit_of_work() as unit:
        return {person.id: person.name for person in Profiles(unit, datetime.now(UTC)).newest(9)}


def test_what_is_held_about_somebody_is_written_to_a_file_of_ones_own(store: Database, tmp_path: Path) -> None:
    person, file = somebody(store, WEB), tmp_path / "ana.json"
    assert assistant("people", "export", person, "--to", str(file)).exit_code == 0
    assert json.loads(file.read_text())["stores"]["people"][0]["name"] == "Ana"
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(assistant("people", "export", person).stdout)["person_id"] == person


def test_nobody_is_exported_or_erased_by_an_unknown_id(store: Database) -> None:
    for command in ("export", "erase"):
        result = assistant("people", command, "nobody")
        assert result.exit_code == 1
        assert "nobody has the id nobody" in result.stderr


def test_erasing_is_asked_about_and_leaves_a_receipt(store: Database) -> None:
    here, there = merged(store)
    from typer.testing import CliRunner

    from assistant.cli import app

    assert CliRunner().invoke(app, ["people", "erase", here], input="n\n").exit_code == 1
    assert names(store) == {here: "Ana"}
    receipt = assistant("people", "erase", there, "--yes").stdout
    assert f"{there} was merged into {here}" in receipt
    assert all(store_name in receipt for store_name in ("addresses", "people", "journal", "turns", "opt_outs"))
    assert names(store) == {here: None}


def test_only_who_was_silent_for_long_is_erased_by_age(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    silent, here = somebody(store, WEB, days_ago=31), somebody(store, PHONE, days_ago=29)
    assert assistant("people", "retention").exit_code == 1
    assert "Erased: 0" in assistant("people", "retention", "--older-than", "32").stdout
    monkeypatch.setenv("ASSISTANT_RETENTION_DAYS", "30")
    assert "Erased: 1" in assistant("people", "retention").stdout
    assert names(store) == {silent: None, here: "Ana"}
    assert "Erased: 0" in assistant("people", "retention").stdout


def test_employees_stay_until_staff_remove_them(store: Database) -> None:
    person = somebody(store, PHONE, days_ago=30)
    assistant("people", "add", "--employee", "--name", "Ana", "--phone", PHONE.value)
    assert "Erased: 0" in assistant("people", "retention", "--older-than", "1").stdout
    assistant("people", "remove", "--phone", PHONE.value)
    assert "Erased: 1" in assistant("people", "retention", "--older-than", "1").stdout
    assert names(store) == {person: None}
