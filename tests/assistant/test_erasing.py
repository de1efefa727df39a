"""Erasing a person on staff's word: a canary on every kind of channel and in every table, and afterwards nowhere."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect

from assistant import logs
from assistant.archive import FORMAT, SECRET, VERSION, archive
from assistant.assurance import Presences, Proofs
from assistant.codes import Codes
from assistant.conversation import Conversations
from assistant.database import Base, Database
from assistant.forgetting import WHY, Erasing, Receipt
from assistant.holdings import holdings, silent_since, whole_person
from assistant.identity.attempts import Attempts
from assistant.identity.tokens import Grants, TokenRow
from assistant.links import Links
from assistant.orders import OrderDraft, Orders
from assistant.outbox import OptOuts, Outbox
from assistant.profiles import LinkOutcome, Profiles
from assistant.quiet import QuietHours
from assistant.requests import RequestDraft, RequestKind, Requests
from assistant.shop import Money, Shop
from assistant.transcripts import Transcripts
from assistant.turns import Address, Assurance, Modality
from tests.assistant.conftest import SHOP, Clock, Device, MakeCore

pytestmark = pytest.mark.anyio

KEY = b"k" * 32
WEB = Address("web", "session-canary")
PHONE = Address("phone", "+447700900123")
WHATSAPP = Address("whatsapp", "+447700900777")
NEVER_PROVEN = Address("phone", "+447700900456")
CANARIES = ("canary", "Canary", "7700900123", "7700900777", "7700900456", "482913")
ELSEWHERE = {"screens", "screen_tries"}
"""Tables whose own tests prove that nothing stays in them."""
DRAFT = OrderDraft(
    bouquet_id="rose-garden",
    bouquet_name="Rose Garden",
    day=date(2026, 5, 19),
    address="12 Canary Road",
    card_text="To my canary",
    payment="card",
    price=Money(5500, "GBP"),
    delivery=Money(495, "GBP"),
)


async def plant(core: Conversations, database: Database, clock: Clock) -> tuple[str, str]:
    """A person with a canary in every table, one row at least; their id and that of one merged into them."""
    web = Device(core, clock, WEB)
    phone = Device(core, clock, PHONE, channel="sms", modality=Modality.TEXT)
    whatsapp = Device(core, clock, WHATSAPP, channel="whatsapp", modality=Modality.TEXT)
    for device in (web, phone, whatsapp):
        await device.say("i want tea", turn_id=f"{device.channel}-1")
        await device.say(f"a canary on {device.channel}", turn_id=f"{device.channel}-2")
    with database.unit_of_work() as unit:
        profiles = Profiles(unit, clock())
        ids = {address: person.id for address in (WEB, PHONE, WHATSAPP) if (person := profiles.find(address))}
        for address, person_id in ids.items():
            profiles.rename(person_id, f"Canary {address.kind}")
        for address in (PHONE, WHATSAPP):
            assert profiles.link(ids[WEB], address, "sms code")[0] is LinkOutcome.MERGED
        Transcripts(unit, clock()).close_others(ids[WEB], keep="none")
        unit.commit()
        orders = Orders(unit, clock())
        orders.place(ids[WEB], "c", DRAFT)
        orders.cancel(ids[WEB], orders.place(ids[WEB], "c", replace(DRAFT, day=date(2026, 6, 1))).number)
        Requests(unit, clock()).hand_in(ids[WEB], RequestDraft(kind=RequestKind.IT, summary="the canary is broken"))
        links = Links(unit, clock(), KEY)
        links.pair(ids[WEB], links.make(ids[WEB], "c", NEVER_PROVEN).digits + "0")
        Codes(unit, clock(), KEY).make(ids[WEB], "c", NEVER_PROVEN, origin="203.0.113.9")
        outbox = Outbox(unit, clock())
        outbox.text(NEVER_PROVEN, "482913 is your code", secret=True)
        for address in (PHONE, WHATSAPP):
            outbox.text(address, "your canary is on its way")
        Proofs(unit, clock()).add(ids[WEB], WEB, "sms code")
        Presences(unit, clock()).arrive(PHONE, ids[WEB])
        Attempts(unit, clock()).begin(WEB)
        Grants(unit, clock()).give(
            ids[WEB], "speaker", redirect_uri="https://canary.example", scope="", challenge="c", code="a code"
        )
        unit.commit()
    await web.say("i want tea", turn_id="web-3")
    await web.say("Green canary", choice='/choose{"tea": "green"}', turn_id="web-4")
    return ids[WEB], ids[PHONE]


def erasing(database: Database, clock: Clock) -> Erasing:
    return Erasing(database, Shop.load(SHOP), KEY, clock())


def rows_of(receipt: Receipt) -> dict[str, tuple[int, int, int]]:
    return {line.store: (line.removed, line.anonymised, line.kept) for line in receipt.lines}


def everything_stored(database: Database, folder: Path) -> bytes:
    """The bytes of every file in the folder, and on PostgreSQL every row of every table as a dump has it."""
    stored = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect() as connection:
            for table in inspect(connection).get_table_names():
                rows = connection.exec_driver_sql(f'SELECT t::text FROM "{table}" AS t')  # noqa: S608  # our own names
                stored += [str(row[0]).encode() for row in rows]
    return b"\n".join(stored)


def found(stored: bytes) -> set[str]:
    return {canary for canary in CANARIES if canary.encode() in stored}


@pytest.mark.usefixtures("logging_as_it_was")
async def test_no_canary_is_found_after_erasing(
    make_core: MakeCore, database: Database, clock: Clock, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure("DEBUG")
    person, _ = await plant(make_core(), database, clock)
    assert found(everything_stored(database, tmp_path)) == set(CANARIES)
    receipt = erasing(database, clock).erase(person)
    told = capfd.readouterr()
    stored = everything_stored(database, tmp_path)
    assert found(stored) == set()
    assert found(f"{told.out}{told.err}{receipt}".encode()) == set()


async def test_every_table_is_exported_and_erased(make_core: MakeCore, database: Database, clock: Clock) -> None:
    person, _ = await plant(make_core(), database, clock)
    await OptOuts(database, clock).opt_out(PHONE)
    tables = set(Base.metadata.tables)
    with database.unit_of_work() as unit:
        held = holdings(unit, person)
        exported = json.loads(archive(unit, clock(), person))["stores"]
    assert set(held) == set(exported) == tables, "say in assistant/holdings.py how its rows are found"
    assert {table for table, rows in exported.items() if not rows} <= ELSEWHERE, "plant a canary in this table"
    assert tables <= set(WHY), "say in WHY what becomes of its rows when a person is forgotten"


async def test_an_archive_holds_what_was_said_and_no_secret(
    make_core: MakeCore, database: Database, clock: Clock
) -> None:
    person, merged = await plant(make_core(), database, clock)
    with database.unit_of_work() as unit:
        text = archive(unit, clock(), person)
        digests = [row.digest for row in unit.rows(TokenRow)]
    whole = json.loads(text)
    assert (whole["format"], whole["version"], whole["person_id"]) == (FORMAT, VERSION, person)
    stores = whole["stores"]
    assert [row["id"] for row in stores["people"]][0] == person
    assert merged in [row["id"] for row in stores["people"]]
    assert {row["kind"] for row in stores["addresses"]} == {"web", "phone", "whatsapp"}
    assert {"a canary on web", "a canary on sms", "a canary on whatsapp"} <= {row["text"] for row in stores["turns"]}
    assert stores["turns"][0]["reply"]["messages"]
    assert [row["card_text"] for row in stores["orders"]] == ["To my canary"] * 2
    assert [row["summary"] for row in stores["requests"]] == ["the canary is broken"]
    assert {"merged", "address"} <= {row["act"].split()[0] for row in stores["journal"]}
    assert not SECRET & {column for rows in stores.values() for row in rows for column in row}
    assert not any(secret in text for secret in (*digests, "482913"))


def test_what_somebody_prefers_is_exported_and_erased(database: Database, clock: Clock) -> None:
    with database.unit_of_work() as unit:
        profiles = Profiles(unit, clock())
        person = profiles.find_or_create(WEB, Assurance.ANONYMOUS)
        profiles.set_reach(person.id, "whatsapp")
        profiles.set_quiet(person.id, QuietHours(22 * 60, 7 * 60))
        unit.commit()
        (row,) = json.loads(archive(unit, clock(), person.id))["stores"]["people"]
    assert (row["reach"], row["quiet_from"], row["quiet_until"]) == ("whatsapp", 1320, 420)
    erasing(database, clock).erase(person.id)
    with database.unit_of_work() as unit:
        person = Profiles(unit, clock()).get(person.id)
    assert (person.reach, person.quiet) == (None, None)


async def test_a_receipt_counts_every_row_and_says_why_some_stay(
    make_core: MakeCore, database: Database, clock: Clock
) -> None:
    person, _ = await plant(make_core(), database, clock)
    with database.unit_of_work() as unit:
        held = {table: len(rows) for table, rows in holdings(unit, person).items()}
    receipt = erasing(database, clock).erase(person)
    rows = rows_of(receipt)
    assert {table: sum(counts) for table, counts in rows.items()} == held
    assert rows["people"] == (0, 3, 0)
    assert rows["addresses"] == (3, 0, 0)
    assert rows["turns"] == (0, held["turns"], 0)
    assert rows["orders"] == (0, 2, 0)
    assert rows["grant_tokens"] == (1, 0, 0)
    assert all(line.why for line in receipt.lines if line.anonymised or line.kept)
    again = rows_of(erasing(database, clock).erase(person))
    assert (again["addresses"], again["people"]) == ((0, 0, 0), (0, 0, 3))


async def test_a_neighbour_is_neither_exported_nor_erased(
    make_core: MakeCore, database: Database, clock: Clock
) -> None:
    core = make_core()
    person, _ = await plant(core, database, clock)
    neighbour = Device(core, clock, Address("web", "neighbour"))
    await neighbour.say("hello from next door")
    with database.unit_of_work() as unit:
        ben = Profiles(unit, clock()).find(neighbour.address)
        assert ben is not None
        assert "next door" not in archive(unit, clock(), person)
        before = archive(unit, clock(), ben.id)
    erasing(database, clock).erase(person)
    with database.unit_of_work() as unit:
        assert archive(unit, clock(), ben.id) == before


async def test_somebody_who_was_merged_is_found_as_who_they_are_now(
    make_core: MakeCore, database: Database, clock: Clock
) -> None:
    person, merged = await plant(make_core(), database, clock)
    with database.unit_of_work() as unit:
        assert whole_person(unit, merged) == person
        with pytest.raises(LookupError):
            whole_person(unit, "nobody")


async def test_age_counts_from_the_last_turn_and_not_from_the_first(
    make_core: MakeCore, database: Database, clock: Clock
) -> None:
    device = Device(make_core(), clock, WEB)
    await device.say("hello")
    clock.forward(days=2)
    await device.say("hello again")
    with database.unit_of_work() as unit:
        assert silent_since(unit, clock()) == []
        (person,) = silent_since(unit, clock() + timedelta(seconds=1))
    assert [one.person_id for one in erasing(database, clock).erase_older_than(1)] == []
    clock.forward(days=2)
    assert [one.person_id for one in erasing(database, clock).erase_older_than(1)] == [person]
