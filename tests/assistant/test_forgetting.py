"""Being forgotten: a search through the store's own bytes finds nothing but what the law or a promise keeps."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from assistant.codes import Codes
from assistant.conversation import Conversations
from assistant.database import Database
from assistant.forgetting import erase_over, forget
from assistant.identity.tokens import GrantRow, Grants
from assistant.orders import OrderDraft, OrderRow, Orders, OrderStatus
from assistant.outbox import OptOuts, Outbox, OutboxRow
from assistant.profiles import LinkOutcome, Person, PersonRow, Profiles
from assistant.requests import RequestDraft, RequestKind, RequestRow, Requests
from assistant.shop import Money, Shop
from assistant.turns import Address, Assurance, Modality
from tests.assistant.conftest import SHOP, Clock, Device, MakeCore

pytestmark = pytest.mark.anyio

KEY = b"k" * 32
WEB = Address("web", "browser-of-ana")
PHONE = Address("phone", "+447700900123")
NEVER_PROVEN = Address("phone", "+447700900456")
TODAY = date(2026, 5, 20)
DRAFT = OrderDraft(
    bouquet_id="rose-garden",
    bouquet_name="Rose Garden",
    day=TODAY,
    address="12 Canary Road",
    card_text="To my canary",
    payment="card",
    price=Money(5500, "GBP"),
    delivery=Money(495, "GBP"),
)
SAID = ("hello canary", "what is the price with 4111 1111 1111 1111")
CANARIES = ("browser-of-ana", "7700900123", "7700900456", "4111 1111", "anary", "482913", "pt-BR", "is broken")


@pytest.fixture
def core(make_core: MakeCore) -> Conversations:
    return make_core()


def person_at(database: Database, clock: Clock, address: Address) -> Person | None:
    with database.unit_of_work() as unit:
        return Profiles(unit, clock()).find(address)


async def plant(core: Conversations, database: Database, clock: Clock) -> str:
    """A person with something in every store; their id."""
    web = Device(core, clock, WEB)
    phone = Device(core, clock, PHONE, channel="sms", modality=Modality.TEXT)
    for index, device in enumerate((web, phone)):
        for number, text in enumerate(SAID):
            await device.say(text, turn_id=f"{index}-{number}")
    with database.unit_of_work() as unit:
        profiles = Profiles(unit, clock())
        there, here = profiles.find(PHONE), profiles.find(WEB)
        assert there is not None
        assert here is not None
        profiles.rename(there.id, "Ana Canary")
        profiles.set_language(there.id, "pt-BR")
        outcome, person = profiles.link(here.id, PHONE, "sms code")
        assert outcome is LinkOutcome.MERGED
        orders = Orders(unit, clock())
        orders.place(person.id, "c1", DRAFT)
        orders.cancel(person.id, orders.place(person.id, "c1", replace(DRAFT, day=date(2026, 6, 1))).number)
        Requests(unit, clock()).hand_in(person.id, RequestDraft(kind=RequestKind.IT, summary="the canary is broken"))
        Codes(unit, clock(), KEY).make(person.id, "c1", NEVER_PROVEN, origin=None)
        outbox = Outbox(unit, clock())
        outbox.text(NEVER_PROVEN, "482913 is your code", secret=True)
        outbox.text(PHONE, "your canary is on its way")
        unit.commit()
    await web.say("i want tea", turn_id="2-0")
    await web.say("Green", choice='/choose{"tea": "green"}', turn_id="2-1")
    return person.id


def found_in(folder: Path) -> set[str]:
    """The canaries in any file of the folder."""
    content = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    return {canary for canary in CANARIES if canary.encode() in content}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_no_byte_of_a_forgotten_person_stays_in_the_store(
    core: Conversations, database: Database, clock: Clock, tmp_path: Path
) -> None:
    await plant(core, database, clock)
    assert found_in(tmp_path) == set(CANARIES) - {"4111 1111"}
    web = Device(core, clock, WEB)
    reply = await web.say("forget me, the canary", turn_id="last")
    assert [message.text for message in reply.messages] == ["You are forgotten."]
    clock.forward(days=1)
    erase_over(database, Shop.load(SHOP), clock())
    assert found_in(tmp_path) == set()


async def test_forgetting_asked_twice_by_a_provider_is_answered_the_same(
    core: Conversations, database: Database, clock: Clock
) -> None:
    await plant(core, database, clock)
    web = Device(core, clock, WEB)
    reply = await web.say("forget me", turn_id="last")
    assert await web.say("forget me", turn_id="last") == reply
    assert person_at(database, clock, WEB) is None


async def test_who_comes_back_is_a_stranger(core: Conversations, database: Database, clock: Clock) -> None:
    old = await plant(core, database, clock)
    web = Device(core, clock, WEB)
    await web.say("forget me")
    assert await core.history(WEB) == ()
    assert (await web.say("hello")).turn == 1
    stranger = person_at(database, clock, WEB)
    assert stranger is not None
    assert (stranger.id != old, stranger.name) == (True, None)
    assert person_at(database, clock, PHONE) is None


async def test_a_person_forgotten_in_their_first_turn_is_never_known(
    core: Conversations, database: Database, clock: Clock
) -> None:
    reply = await Device(core, clock, WEB).say("forget me")
    assert [message.text for message in reply.messages] == ["You are forgotten."]
    assert person_at(database, clock, WEB) is None


async def test_the_books_keep_the_order_and_the_courier_the_address_until_it_is_delivered(
    core: Conversations, database: Database, clock: Clock
) -> None:
    person = await plant(core, database, clock)
    with database.unit_of_work() as unit:
        forget(unit, clock(), TODAY, KEY, person)
        unit.commit()
    assert orders(database) == [
        (OrderStatus.CANCELLED, "Rose Garden", 5500, "", None),
        (OrderStatus.PLACED, "Rose Garden", 5500, "12 Canary Road", "To my canary"),
    ]
    erase_over(database, Shop.load(SHOP), clock())
    assert orders(database)[1][3:] == ("12 Canary Road", "To my canary")
    clock.forward(days=1)
    erase_over(database, Shop.load(SHOP), clock())
    assert orders(database)[1] == (OrderStatus.PLACED, "Rose Garden", 5500, "", None)


def orders(database: Database) -> list[tuple[str, str, int, str, str | None]]:
    with database.unit_of_work() as unit:
        rows = sorted(unit.rows(OrderRow), key=lambda row: row.status)
        return [(row.status, row.bouquet_name, row.price_minor, row.address, row.card_text) for row in rows]


async def test_nobody_else_is_forgotten(core: Conversations, database: Database, clock: Clock) -> None:
    ana = await plant(core, database, clock)
    neighbour = Device(core, clock, Address("web", "browser-of-ben"))
    await neighbour.say("hello")
    with database.unit_of_work() as unit:
        ben = Profiles(unit, clock()).find(neighbour.address)
        assert ben is not None
        Profiles(unit, clock()).link(ben.id, NEVER_PROVEN, "sms code")
        Profiles(unit, clock()).rename(ben.id, "Ben")
        Orders(unit, clock()).place(ben.id, "c2", DRAFT)
        Outbox(unit, clock()).text(NEVER_PROVEN, "your order comes today")
        unit.commit()
    with database.unit_of_work() as unit:
        forget(unit, clock(), TODAY + timedelta(days=30), KEY, ana)
        unit.commit()
    with database.unit_of_work() as unit:
        assert [order.address for order in Orders(unit, clock()).of_person(ben.id)] == [DRAFT.address]
        assert [row.text for row in unit.rows(OutboxRow)] == ["your order comes today"]
        assert [row.name for row in unit.rows(PersonRow, id=ben.id)] == ["Ben"]
    assert [exchange.text for exchange in await core.history(neighbour.address)] == ["hello"]


async def test_an_address_that_opted_out_stays_out(core: Conversations, database: Database, clock: Clock) -> None:
    person = await plant(core, database, clock)
    opt_outs = OptOuts(database, clock)
    await opt_outs.opt_out(PHONE)
    with database.unit_of_work() as unit:
        forget(unit, clock(), TODAY, KEY, person)
        unit.commit()
    assert await opt_outs.is_out(PHONE)


def test_the_words_of_requests_go_and_their_numbers_stay(database: Database, clock: Clock) -> None:
    with database.unit_of_work() as unit:
        person = Profiles(unit, clock()).find_or_create(WEB, Assurance.ANONYMOUS)
        draft = RequestDraft(kind=RequestKind.LEAVE, summary="canary", first_day=TODAY, last_day=TODAY)
        number = Requests(unit, clock()).hand_in(person.id, draft).number
        forget(unit, clock(), TODAY, KEY, person.id)
        unit.commit()
    with database.unit_of_work() as unit:
        (row,) = unit.rows(RequestRow)
        assert (row.number, row.summary, row.first_day) == (number, "", TODAY)


def test_accounts_linked_elsewhere_are_taken_back(database: Database, clock: Clock) -> None:
    with database.unit_of_work() as unit:
        people = [Profiles(unit, clock()).find_or_create(address, Assurance.ANONYMOUS).id for address in (WEB, PHONE)]
        for person in people:
            Grants(unit, clock()).give(
                person, "speaker", redirect_uri="https://speaker.example", scope="", challenge="c", code=person
            )
        unit.commit()
        forget(unit, clock(), TODAY, KEY, people[0])
        unit.commit()
        assert [row.person_id for row in unit.rows(GrantRow)] == people[1:]
