"""Sending what waits: once, whatever a channel raises, by as many senders as there are."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from assistant.database import Database
from assistant.delivery import Delivery
from assistant.errors import DeliveryFailed
from assistant.metrics import Metrics
from assistant.outbox import CLAIM, Outbox, OutboxRow, OutboxStatus
from assistant.turns import Address, Reply
from tests.assistant.conftest import Clock

pytestmark = pytest.mark.anyio

PHONE = Address("phone", "+447700900123")


@dataclass
class Carrier:
    """Fails as the script says, one entry for each message, then takes everything."""

    script: list[Exception] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    something_taken: asyncio.Event = field(default_factory=asyncio.Event)

    async def push(self, address: Address, reply: Reply) -> None:
        if self.script:
            raise self.script.pop(0)
        self.taken += [message.text for message in reply.messages]
        self.something_taken.set()


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
def delivery(database: Database, carrier: Carrier, clock: Clock) -> Delivery:
    return make_delivery(database, carrier, clock)


def make_delivery(database: Database, carrier: Carrier, clock: Clock) -> Delivery:
    return Delivery(database, {"phone": carrier}, Metrics(database), clock)


@asynccontextmanager
async def running(delivery: Delivery) -> AsyncIterator[None]:
    sender = asyncio.create_task(delivery.run())
    yield
    sender.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sender


async def eventually(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came true")


def write(database: Database, clock: Clock, *texts: str, address: Address = PHONE) -> None:
    with database.unit_of_work() as unit:
        for text in texts:
            Outbox(unit, clock()).text(address, text)
        unit.commit()


def states(database: Database) -> list[tuple[str, str | None]]:
    with database.unit_of_work() as unit:
        return [(row.status, row.reason) for row in unit.rows(OutboxRow)]


async def test_what_waits_is_sent_once(database: Database, delivery: Delivery, carrier: Carrier, clock: Clock) -> None:
    write(database, clock, "one", "two")
    assert await delivery.send_due() == 2
    assert await delivery.send_due() == 0
    assert sorted(carrier.taken) == ["one", "two"]
    assert states(database) == [(OutboxStatus.SENT, None)] * 2


async def test_several_senders_at_once_send_everything_once(database: Database, carrier: Carrier, clock: Clock) -> None:
    texts = [f"message {number:02}" for number in range(30)]
    write(database, clock, *texts)
    senders = [make_delivery(database, carrier, clock) for _ in range(3)]
    while any(await asyncio.gather(*(sender.send_due() for sender in senders))):
        pass
    assert sorted(carrier.taken) == texts


async def test_a_failure_is_tried_again_and_sent(
    database: Database, delivery: Delivery, carrier: Carrier, clock: Clock
) -> None:
    carrier.script = [DeliveryFailed("busy", final=False)]
    write(database, clock, "hello")
    await delivery.send_due()
    assert states(database) == [(OutboxStatus.WAITING, "busy")]
    clock.forward(minutes=1)
    await delivery.send_due()
    assert carrier.taken == ["hello"]


async def test_a_final_failure_ends_it(database: Database, delivery: Delivery, carrier: Carrier, clock: Clock) -> None:
    carrier.script = [DeliveryFailed("21610", final=True)]
    write(database, clock, "hello")
    await delivery.send_due()
    assert states(database) == [(OutboxStatus.FAILED, "21610")]


async def test_an_address_that_no_channel_sends_to_is_final(
    database: Database, delivery: Delivery, clock: Clock
) -> None:
    write(database, clock, "hello", address=Address("pigeon", "7"))
    await delivery.send_due()
    assert states(database) == [(OutboxStatus.FAILED, "no channel sends to pigeon")]


async def test_a_channel_with_a_fault_does_not_stop_the_sender_nor_say_a_word_in_the_log(
    database: Database, delivery: Delivery, carrier: Carrier, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    carrier.script = [ValueError("cannot send to +447700900123")]
    async with running(delivery):
        write(database, clock, "hello")
        delivery.wake()
        await eventually(lambda: states(database) == [(OutboxStatus.WAITING, "ValueError")])
        clock.forward(minutes=1)
        delivery.wake()
        await asyncio.wait_for(carrier.something_taken.wait(), 10)
    assert "900123" not in "".join(capsys.readouterr())


async def test_what_a_sender_left_behind_is_sent_by_another(
    database: Database, delivery: Delivery, carrier: Carrier, clock: Clock
) -> None:
    write(database, clock, "hello")
    with database.unit_of_work() as unit:
        Outbox(unit, clock()).claim(10)
        unit.commit()
    assert await delivery.send_due() == 0
    clock.forward(seconds=CLAIM.total_seconds())
    await delivery.send_due()
    assert carrier.taken == ["hello"]


async def test_a_sender_goes_on_when_the_store_comes_back(
    tmp_path: Path, carrier: Carrier, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(f"sqlite:///{tmp_path}/later/assistant.db")
    delivery = make_delivery(database, carrier, clock)
    async with running(delivery):
        delivery.wake()
        await eventually(lambda: "outbox_unreadable" in capsys.readouterr().out)
        await asyncio.to_thread(database.migrate)
        write(database, clock, "hello")
        delivery.wake()
        await asyncio.wait_for(carrier.something_taken.wait(), 10)
    assert carrier.taken == ["hello"]
    database.close()
