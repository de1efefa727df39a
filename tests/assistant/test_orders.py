"""Orders: placed, found only by whom they belong to, changed, shared."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.database import Base, Database, Overtaken
from assistant.numbers import is_share_code, new_number, new_share_code, tidy_share_code
from assistant.orders import OrderDraft, Orders, OrderStatus
from assistant.profiles import Profiles
from assistant.shop import Money
from assistant.turns import Address, Assurance

NOW = datetime(2026, 5, 20, 10, tzinfo=UTC)
DRAFT = OrderDraft(
    bouquet_id="spring-meadow",
    bouquet_name="Spring Meadow",
    day=date(2026, 5, 23),
    address="12 Elm Road, Hackney",
    card_text="Happy birthday!",
    payment="card",
    price=Money(3500, "GBP"),
    delivery=Money(495, "GBP"),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    """An empty store with the schema of today."""
    database = Database(f"sqlite:///{tmp_path}/orders.db")
    Base.metadata.create_all(database.engine)
    yield database
    database.close()


def add_person(store: Database, browser: str, name: str | None = None) -> str:
    """A person with a web address, kept."""
    with store.unit_of_work() as unit:
        profiles = Profiles(unit, NOW)
        person = profiles.find_or_create(Address("web", browser), Assurance.ANONYMOUS)
        if name:
            profiles.rename(person.id, name)
        unit.commit()
    return person.id


def test_a_placed_order_reads_back_as_it_was_decided(store: Database) -> None:
    person = add_person(store, "b1")
    with store.unit_of_work() as unit:
        placed = Orders(unit, NOW).place(person, "c1", DRAFT)
        unit.commit()
    with store.unit_of_work() as unit:
        found = Orders(unit, NOW).by_number(person, placed.number.lower())
    assert found == placed
    assert (found.day, found.address, found.card_text, found.status) == (
        DRAFT.day,
        DRAFT.address,
        DRAFT.card_text,
        OrderStatus.PLACED,
    )
    assert found.total.format() == "£39.95"


def test_an_order_is_seen_in_the_unit_of_work_that_placed_it(store: Database) -> None:
    person = add_person(store, "b1")
    with store.unit_of_work() as unit:
        orders = Orders(unit, NOW)
        placed = orders.place(person, "c1", DRAFT)
        assert orders.of_person(person) == (placed,)
        assert orders.by_share_code(placed.share_code) is not None


def test_nobody_finds_somebody_elses_order(store: Database) -> None:
    ana, ben = add_person(store, "b1"), add_person(store, "b2")
    with store.unit_of_work() as unit:
        orders = Orders(unit, NOW)
        placed = orders.place(ana, "c1", DRAFT)
        assert orders.by_number(ben, placed.number) is None
        assert orders.of_person(ben) == ()
        with pytest.raises(LookupError):
            orders.cancel(ben, placed.number)
        with pytest.raises(LookupError):
            orders.change_day(ben, placed.number, date(2026, 5, 25))


def test_the_newest_order_comes_first(store: Database) -> None:
    person = add_person(store, "b1")
    with store.unit_of_work() as unit:
        first = Orders(unit, NOW).place(person, "c1", DRAFT)
        second = Orders(unit, NOW + timedelta(minutes=1)).place(person, "c1", DRAFT)
        unit.commit()
    with store.unit_of_work() as unit:
        assert Orders(unit, NOW).of_person(person) == (second, first)


def test_a_cancelled_order_cannot_be_moved_or_cancelled_again(store: Database) -> None:
    person = add_person(store, "b1")
    with store.unit_of_work() as unit:
        orders = Orders(unit, NOW)
        number = orders.place(person, "c1", DRAFT).number
        assert orders.cancel(person, number).status is OrderStatus.CANCELLED
        with pytest.raises(LookupError):
            orders.cancel(person, number)
        with pytest.raises(LookupError):
            orders.change_day(person, number, date(2026, 5, 25))


def test_of_two_who_change_one_order_at_once_the_second_fails(store: Database) -> None:
    person = add_person(store, "b1")
    with store.unit_of_work() as unit:
        number = Orders(unit, NOW).place(person, "c1", DRAFT).number
        unit.commit()
    with store.unit_of_work() as first, store.unit_of_work() as second:
        Orders(first, NOW).change_day(person, number, date(2026, 5, 25))
        Orders(second, NOW).cancel(person, number)
        first.commit()
        with pytest.raises(Overtaken):
            second.commit()


@pytest.mark.parametrize("written", ["{code}", " {code} ", "{code}.", "{spaced}", "{lower}"])
def test_a_share_code_works_however_it_is_written(store: Database, written: str) -> None:
    with store.unit_of_work() as unit:
        code = Orders(unit, NOW).record_sale("Ana Maria Lopez", "spring-meadow")
        unit.commit()
    said = written.format(code=code, spaced="-".join(code), lower=code.lower())
    with store.unit_of_work() as unit:
        shared = Orders(unit, NOW).by_share_code(said)
    assert shared is not None
    assert (shared.bouquet_id, shared.owner) == ("spring-meadow", "Ana")


def test_an_order_shares_the_first_name_its_owner_gave(store: Database) -> None:
    named, unnamed = add_person(store, "b1", "Ana Lopez"), add_person(store, "b2")
    with store.unit_of_work() as unit:
        orders = Orders(unit, NOW)
        shared = orders.by_share_code(orders.place(named, "c1", DRAFT).share_code)
        nameless = orders.by_share_code(orders.place(unnamed, "c2", DRAFT).share_code)
    assert shared is not None
    assert shared.owner == "Ana"
    assert nameless is not None
    assert nameless.owner is None


def test_a_forgotten_owner_is_not_named_any_more(store: Database) -> None:
    person = add_person(store, "b1", "Ana")
    with store.unit_of_work() as unit:
        code = Orders(unit, NOW).place(person, "c1", DRAFT).share_code
        Profiles(unit, NOW).forget(person, "asked")
        unit.commit()
    with store.unit_of_work() as unit:
        shared = Orders(unit, NOW).by_share_code(code)
    assert shared is not None
    assert shared.owner is None


def test_an_unknown_share_code_leads_nowhere(store: Database) -> None:
    with store.unit_of_work() as unit:
        assert Orders(unit, NOW).by_share_code("QQQ22") is None


def test_orders_follow_a_person_who_turns_out_to_be_another(store: Database) -> None:
    browser, phone = add_person(store, "b1"), Address("phone", "+447700900123")
    with store.unit_of_work() as unit:
        profiles = Profiles(unit, NOW)
        known = profiles.link(profiles.find_or_create(phone, Assurance.CLAIMED).id, phone, "sms code")[1]
        placed = Orders(unit, NOW).place(browser, "c1", DRAFT)
        _, merged = profiles.link(browser, phone, "sms code")
        unit.commit()
    with store.unit_of_work() as unit:
        assert merged.id == known.id
        assert Orders(unit, NOW).of_person(known.id) == (placed,)


def test_numbers_grow_when_the_short_ones_are_taken() -> None:
    number = new_number("F", lambda number: len(number) < len("F-12345"))
    assert len(number) == len("F-12345")


def test_every_new_share_code_survives_being_tidied() -> None:
    for _ in range(500):
        code = new_share_code(lambda _code: False)
        assert is_share_code(code)
        assert tidy_share_code(code) == code


@given(st.text())
def test_tidying_twice_changes_nothing(said: str) -> None:
    assert tidy_share_code(tidy_share_code(said)) == tidy_share_code(said)
