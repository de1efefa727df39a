"""What we send unasked: where the person prefers it, when it is not quiet, and never where nobody proved to be."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.claims import GIVEN_OUT_AGAIN
from assistant.database import Database, UnitOfWork
from assistant.notices import Notices
from assistant.outbox import OptOutRow, Outbox, OutboxRow
from assistant.profiles import LinkOutcome, Person, Profiles
from assistant.quiet import QuietHours
from assistant.shop import Shop
from assistant.turns import Address, Assurance
from tests.assistant.conftest import SHOP

EARLIER = datetime(2026, 5, 19, 12, tzinfo=UTC)
NOW = datetime(2026, 5, 20, 21, 30, tzinfo=UTC)  # half past ten in the evening in London
WEB = Address("web", "b1")
PHONE = Address("phone", "+447700900123")
SECOND = Address("phone", "+447700900124")
WHATSAPP = Address("whatsapp", "+447700900125")
NIGHT = QuietHours(22 * 60, 7 * 60)
MORNING = datetime(2026, 5, 21, 6, tzinfo=UTC)


def known_at(unit: UnitOfWork, *addresses: Address, at: Address = WEB) -> Person:
    """Somebody at one address who proved the others, one a minute."""
    person = Profiles(unit, EARLIER).find_or_create(at, Assurance.ANONYMOUS)
    for minute, address in enumerate(addresses):
        _, person = Profiles(unit, EARLIER + timedelta(minutes=minute)).link(person.id, address, "sms code")
    unit.commit()
    return Profiles(unit, NOW).get(person.id)


def notices(unit: UnitOfWork, now: datetime = NOW) -> Notices:
    return Notices(Outbox(unit, now), Shop.load(Path(SHOP)), now)


def written(unit: UnitOfWork) -> list[tuple[Address, datetime]]:
    unit.commit()
    return [(Address(row.kind, row.value), row.due_at) for row in unit.rows(OutboxRow)]


@pytest.mark.parametrize(
    ("proven", "reach", "out", "where"),
    [
        ((PHONE,), None, (), PHONE),
        ((PHONE, SECOND), None, (), SECOND),
        ((PHONE, WHATSAPP), None, (), PHONE),
        ((WHATSAPP,), None, (), WHATSAPP),
        ((WHATSAPP, PHONE), "whatsapp", (), WHATSAPP),
        ((PHONE, SECOND), "whatsapp", (), SECOND),
        ((PHONE, SECOND), None, (SECOND,), PHONE),
        ((PHONE, WHATSAPP), "whatsapp", (WHATSAPP,), PHONE),
        ((PHONE,), None, (PHONE,), None),
        ((), "phone", (), None),
    ],
)
def test_a_notice_goes_where_the_person_prefers_it(
    database: Database,
    proven: tuple[Address, ...],
    reach: str | None,
    out: tuple[Address, ...],
    where: Address | None,
) -> None:
    with database.unit_of_work() as unit:
        person = known_at(unit, *proven)
        Profiles(unit, NOW).set_reach(person.id, reach)
        for address in out:
            unit.add(OptOutRow(kind=address.kind, value=address.value, at=EARLIER))
        unit.commit()
        person = Profiles(unit, NOW).get(person.id)
        assert notices(unit).reached_at(person) == where
        assert notices(unit).notify(person, "hello") is (where is not None)
        assert [address for address, _ in written(unit)] == ([where] if where else [])


def test_a_number_that_is_only_claimed_gets_nothing(database: Database) -> None:
    with database.unit_of_work() as unit:
        assert not notices(unit).notify(known_at(unit, at=PHONE), "hello")
        assert written(unit) == []


def test_a_number_that_may_be_somebody_elses_by_now_gets_nothing(database: Database) -> None:
    with database.unit_of_work() as unit:
        person = known_at(unit, PHONE)
        late = NOW + GIVEN_OUT_AGAIN
        assert not notices(unit, late).notify(Profiles(unit, late).get(person.id), "hello")


@pytest.mark.parametrize(("quiet", "due"), [(NIGHT, MORNING), (QuietHours(60, 120), NOW), (None, NOW)])
def test_it_waits_until_the_quiet_hours_are_over(database: Database, quiet: QuietHours | None, due: datetime) -> None:
    with database.unit_of_work() as unit:
        person = known_at(unit, PHONE)
        Profiles(unit, NOW).set_quiet(person.id, quiet)
        notices(unit).notify(Profiles(unit, NOW).get(person.id), "hello")
        assert written(unit) == [(PHONE, due)]
        claims = [Outbox(unit, moment).claim(9) for moment in (due - timedelta(seconds=1), due)]
        assert [len(claimed) for claimed in claims] == [0, 1]


def test_codes_and_answers_never_wait_and_go_where_they_were_asked_for(database: Database) -> None:
    with database.unit_of_work() as unit:
        person = known_at(unit, PHONE, WHATSAPP)
        Profiles(unit, NOW).set_quiet(person.id, NIGHT)
        Profiles(unit, NOW).set_reach(person.id, "whatsapp")
        Outbox(unit, NOW).text(PHONE, "482913 is your code", secret=True)
        assert written(unit) == [(PHONE, NOW)]


def test_a_new_number_is_told_to_the_one_proved_before(database: Database) -> None:
    with database.unit_of_work() as unit:
        before = known_at(unit, PHONE)
        outcome, after = Profiles(unit, NOW).link(before.id, SECOND, "sms code")
        assert outcome is LinkOutcome.LINKED
        notices(unit).connected(before, after)
        assert written(unit) == [(PHONE, NOW)]
        text = unit.rows(OutboxRow)[0].text or ""
        assert "a new phone number was connected" in text
        assert SECOND.value not in text


def test_a_browser_that_joins_is_told_to_the_numbers_that_did_not_prove_it(database: Database) -> None:
    with database.unit_of_work() as unit:
        owner = known_at(unit, PHONE, SECOND)
        stranger = Profiles(unit, NOW).find_or_create(Address("web", "b2"), Assurance.ANONYMOUS)
        outcome, after = Profiles(unit, NOW).link(stranger.id, SECOND, "sms code")
        assert (outcome, after.id) == (LinkOutcome.MERGED, owner.id)
        notices(unit).connected(stranger, after)
        assert written(unit) == [(PHONE, NOW)]
        assert "a new device was connected" in (unit.rows(OutboxRow)[0].text or "")


def test_a_warning_is_not_sent_to_where_the_proof_came_from(database: Database) -> None:
    with database.unit_of_work() as unit:
        before = known_at(unit, PHONE)
        _, after = Profiles(unit, NOW).adopt(before.id, Address("web", "b2"), "link")
        notices(unit).connected(before, after, but=PHONE)
        assert written(unit) == []
        notices(unit).connected(before, after)
        assert written(unit) == [(PHONE, NOW)]


def test_the_first_proof_of_all_warns_nobody(database: Database) -> None:
    with database.unit_of_work() as unit:
        before = known_at(unit)
        notices(unit).connected(before, Profiles(unit, NOW).link(before.id, PHONE, "sms code")[1])
        assert written(unit) == []


def test_a_number_proved_again_is_nothing_new(database: Database) -> None:
    with database.unit_of_work() as unit:
        before = known_at(unit, PHONE, SECOND)
        notices(unit).connected(before, Profiles(unit, NOW).link(before.id, SECOND, "sms code")[1])
        assert written(unit) == []
