"""Who somebody is: found by address, linked by proof, merged without losing anything, never merged against a proof."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest

from assistant.database import Database, Overtaken
from assistant.journal import JournalRow
from assistant.orders import OrderDraft, Orders
from assistant.profiles import CUSTOMER, EMPLOYEE, AddressRow, LinkOutcome, PersonRow, Profiles
from assistant.shop import Money
from assistant.turns import Address, Assurance

NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)
WEB, OTHER_WEB = Address("web", "a" * 64), Address("web", "b" * 64)
PHONE, OTHER_PHONE = Address("phone", "+447700900123"), Address("phone", "+447700900124")
DRAFT = OrderDraft(
    bouquet_id="rose-garden",
    bouquet_name="Rose Garden",
    day=date(2026, 5, 23),
    address="12 Elm Road",
    card_text=None,
    payment="card",
    price=Money(5500, "GBP"),
    delivery=Money(495, "GBP"),
)


@contextmanager
def profiles_of(database: Database, now: datetime = NOW) -> Iterator[Profiles]:
    """The profiles in a transaction that is committed at the end."""
    with database.unit_of_work() as unit:
        yield Profiles(unit, now)
        unit.commit()


def person_at(database: Database, address: Address, *proven: Address) -> str:
    """Somebody at this address who has proved these others; their id."""
    with profiles_of(database) as profiles:
        person = profiles.find_or_create(address, Assurance.ANONYMOUS)
        for other in proven:
            profiles.link(person.id, other, "test")
    return person.id


def id_at(database: Database, address: Address) -> str | None:
    with database.unit_of_work() as unit:
        person = Profiles(unit, NOW).find(address)
        return person.id if person else None


def acts(database: Database, person_id: str) -> list[str]:
    with database.unit_of_work() as unit:
        return [row.act for row in unit.rows(JournalRow, person_id=person_id)]


def test_an_address_leads_to_one_person(database: Database) -> None:
    ana = person_at(database, WEB)
    assert person_at(database, WEB) == ana
    assert person_at(database, OTHER_WEB) != ana
    assert id_at(database, PHONE) is None


def test_a_stranger_is_a_customer_who_proved_nothing(database: Database) -> None:
    with profiles_of(database) as profiles:
        person = profiles.find_or_create(PHONE, Assurance.CLAIMED)
    assert (person.roles, person.name, person.phone) == (frozenset({CUSTOMER}), None, None)
    assert [(known.address, known.assurance) for known in person.addresses] == [(PHONE, Assurance.CLAIMED)]


def test_two_replicas_that_meet_a_stranger_at_once_make_one_person(database: Database) -> None:
    with database.unit_of_work() as first, database.unit_of_work() as second:
        for unit in (first, second):
            Profiles(unit, NOW).find_or_create(WEB, Assurance.ANONYMOUS)
        first.commit()
        with pytest.raises(Overtaken):
            second.commit()


def test_a_number_that_nobody_has_is_linked(database: Database) -> None:
    ana = person_at(database, WEB)
    with profiles_of(database) as profiles:
        outcome, person = profiles.link(ana, PHONE, "sms code")
    assert (outcome, person.id, person.phone) == (LinkOutcome.LINKED, ana, PHONE)
    assert id_at(database, PHONE) == ana
    assert acts(database, ana) == ["address proven"]


def test_proving_the_same_number_again_renews_the_proof(database: Database) -> None:
    ana = person_at(database, WEB, PHONE)
    with profiles_of(database, NOW + timedelta(days=1)) as profiles:
        outcome, person = profiles.link(ana, PHONE, "sms code")
    assert outcome is LinkOutcome.LINKED
    assert [known.proven_at for known in person.addresses if known.address == PHONE] == [NOW + timedelta(days=1)]


def test_the_number_proved_last_is_the_persons_phone(database: Database) -> None:
    ana = person_at(database, WEB, PHONE)
    with profiles_of(database, NOW + timedelta(days=1)) as profiles:
        _, person = profiles.link(ana, OTHER_PHONE, "sms code")
    assert person.phone == OTHER_PHONE


def test_who_only_texted_joins_who_proved_the_number(database: Database) -> None:
    ana, texter = person_at(database, WEB), person_at(database, PHONE)
    with database.unit_of_work() as unit:
        order = Orders(unit, NOW).place(texter, "c1", DRAFT)
        Profiles(unit, NOW).rename(texter, "Ana")
        unit.commit()
    with profiles_of(database) as profiles:
        outcome, person = profiles.link(ana, PHONE, "sms code")
    assert (outcome, person.id, person.name) == (LinkOutcome.MERGED, ana, "Ana")
    assert {known.address for known in person.addresses} == {WEB, PHONE}
    with database.unit_of_work() as unit:
        assert Orders(unit, NOW).of_person(ana) == (order,)


def test_an_unproven_browser_joins_the_person_whose_number_it_proves(database: Database) -> None:
    ana, browser = person_at(database, WEB, PHONE), person_at(database, OTHER_WEB)
    with profiles_of(database) as profiles:
        profiles.rename(ana, "Ana")
        profiles.rename(browser, "somebody")
        outcome, person = profiles.link(browser, PHONE, "sms code")
    assert (outcome, person.id, person.name) == (LinkOutcome.MERGED, ana, "Ana")
    assert {known.address for known in person.addresses} == {WEB, PHONE, OTHER_WEB}
    assert id_at(database, OTHER_WEB) == ana


def test_two_who_both_proved_something_are_not_merged(database: Database) -> None:
    ana, ben = person_at(database, WEB, PHONE), person_at(database, OTHER_WEB, OTHER_PHONE)
    with profiles_of(database) as profiles:
        outcome, person = profiles.link(ben, PHONE, "sms code")
    assert (outcome, person.id) == (LinkOutcome.REFUSED, ben)
    assert (id_at(database, PHONE), id_at(database, OTHER_PHONE)) == (ana, ben)
    assert acts(database, ben)[-1] == f"link refused phone {ana}"


def test_a_merge_says_what_it_moved(database: Database) -> None:
    ana, texter = person_at(database, WEB), person_at(database, PHONE)
    with profiles_of(database) as profiles:
        profiles.link(ana, PHONE, "sms code")
    with database.unit_of_work() as unit:
        moved = next(row.moved for row in unit.rows(JournalRow, act=f"merged {texter}"))
        assert moved == {"addresses": [row.id for row in unit.rows(AddressRow, value=PHONE.value)]}
        assert [row.merged_into for row in unit.rows(PersonRow, id=texter)] == [ana]


def test_two_merges_of_one_person_at_once_have_one_winner(database: Database) -> None:
    ana, ben = person_at(database, WEB), person_at(database, OTHER_WEB)
    person_at(database, PHONE)
    with database.unit_of_work() as first, database.unit_of_work() as second:
        Profiles(first, NOW).link(ana, PHONE, "sms code")
        Profiles(second, NOW).link(ben, PHONE, "sms code")
        first.commit()
        with pytest.raises(Overtaken):
            second.commit()
    assert id_at(database, PHONE) == ana


def test_staff_make_an_employee_and_take_it_back(database: Database) -> None:
    with profiles_of(database) as profiles:
        person = profiles.add_employee("Ana", PHONE)
    assert (person.roles, person.phone, person.name) == (frozenset({CUSTOMER, EMPLOYEE}), PHONE, "Ana")
    with profiles_of(database) as profiles:
        profiles.remove_employee(person.id)
        assert profiles.get(person.id).roles == {CUSTOMER}
    assert sorted(acts(database, person.id)) == ["address proven", "role employee given", "role employee taken"]


def test_an_unproven_browser_that_proves_an_employees_number_is_the_employee(database: Database) -> None:
    browser = person_at(database, WEB)
    with profiles_of(database) as profiles:
        employee = profiles.add_employee("Ana", PHONE)
        _, person = profiles.link(browser, PHONE, "sms code")
    assert (person.id, EMPLOYEE in person.roles) == (employee.id, True)


def test_a_forgotten_person_has_no_name_and_no_address_even_from_before_a_merge(database: Database) -> None:
    ana, texter = person_at(database, WEB), person_at(database, PHONE)
    with profiles_of(database) as profiles:
        profiles.rename(texter, "Ana Canary")
        profiles.link(ana, PHONE, "sms code")
        profiles.forget(ana, "asked")
    assert (id_at(database, WEB), id_at(database, PHONE)) == (None, None)
    with database.unit_of_work() as unit:
        assert [row.name for row in unit.rows(PersonRow)] == [None, None]
    assert acts(database, ana)[-1] == "forgotten"


def test_an_unknown_person_is_a_lookup_error(database: Database) -> None:
    with database.unit_of_work() as unit, pytest.raises(LookupError):
        Profiles(unit, NOW).get("nobody")


def test_the_newest_people_come_first_and_merged_ones_not_at_all(database: Database) -> None:
    with profiles_of(database, NOW - timedelta(days=1)) as profiles:
        old = profiles.find_or_create(OTHER_WEB, Assurance.ANONYMOUS)
    ana = person_at(database, WEB)
    person_at(database, PHONE)
    with profiles_of(database) as profiles:
        profiles.link(ana, PHONE, "sms code")
    with profiles_of(database) as profiles:
        assert [person.id for person in profiles.newest(5)] == [ana, old.id]
