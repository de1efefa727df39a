"""Requests of employees: handed in, and found only by whom they belong to."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from assistant.database import Base, Database
from assistant.profiles import Profiles
from assistant.requests import RequestDraft, RequestKind, Requests, RequestStatus
from assistant.turns import Address

NOW = datetime(2026, 5, 20, 10, tzinfo=UTC)
LEAVE = RequestDraft(kind=RequestKind.LEAVE, summary="holiday", first_day=date(2026, 6, 1), last_day=date(2026, 6, 5))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    """An empty store with the schema of today."""
    database = Database(f"sqlite:///{tmp_path}/requests.db")
    Base.metadata.create_all(database.engine)
    yield database
    database.close()


def add_employee(store: Database, name: str, phone: str) -> str:
    """An employee, kept."""
    with store.unit_of_work() as unit:
        person = Profiles(unit, NOW).add_employee(name, Address("phone", phone))
        unit.commit()
    return person.id


def test_a_request_reads_back_as_it_was_handed_in(store: Database) -> None:
    person = add_employee(store, "Kim", "+447700900001")
    with store.unit_of_work() as unit:
        handed_in = Requests(unit, NOW).hand_in(person, LEAVE)
        unit.commit()
    with store.unit_of_work() as unit:
        found = Requests(unit, NOW).by_number(person, handed_in.number.lower())
    assert found == handed_in
    assert found.status is RequestStatus.OPEN
    assert (found.first_day, found.last_day) == (LEAVE.first_day, LEAVE.last_day)


def test_nobody_finds_somebody_elses_request(store: Database) -> None:
    kim, lee = add_employee(store, "Kim", "+447700900001"), add_employee(store, "Lee", "+447700900002")
    with store.unit_of_work() as unit:
        requests = Requests(unit, NOW)
        handed_in = requests.hand_in(kim, LEAVE)
        assert requests.by_number(lee, handed_in.number) is None
        assert requests.of_person(lee) == ()


def test_the_newest_request_comes_first(store: Database) -> None:
    person = add_employee(store, "Kim", "+447700900001")
    supplies = RequestDraft(kind=RequestKind.SUPPLIES, summary="three rolls of ribbon")
    with store.unit_of_work() as unit:
        first = Requests(unit, NOW).hand_in(person, LEAVE)
        second = Requests(unit, NOW + timedelta(seconds=1)).hand_in(person, supplies)
        unit.commit()
    with store.unit_of_work() as unit:
        assert Requests(unit, NOW).of_person(person) == (second, first)
