"""What waits to be sent: claimed by one, tried again with growing pauses, given up in time, wiped when secret."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from assistant.database import Database, Overtaken
from assistant.outbox import ATTEMPTS, CLAIM, SECRET_LIFE, OptOuts, Outbox, OutboxRow, OutboxStatus, Waiting
from assistant.turns import Address
from tests.assistant.conftest import Clock

PHONE = Address("phone", "+447700900123")
OTHER = Address("phone", "+447700900124")


class Post:
    """The outbox, each step in a transaction of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def do(self, step: Callable[[Outbox], object]) -> None:
        with self._database.unit_of_work() as unit:
            step(Outbox(unit, self._clock()))
            unit.commit()

    def text(self, text: str, *, address: Address = PHONE, key: str | None = None, secret: bool = False) -> None:
        self.do(lambda outbox: outbox.text(address, text, key=key, secret=secret))

    def claim(self, limit: int = 10) -> list[Waiting]:
        claimed: list[Waiting] = []
        self.do(lambda outbox: claimed.extend(outbox.claim(limit)))
        return claimed

    def settle(self, message: Waiting, reason: str | None = None, *, final: bool = False) -> None:
        self.do(lambda outbox: outbox.settle(message.id, reason, final=final))

    def row(self) -> OutboxRow:
        with self._database.unit_of_work() as unit:
            (row,) = unit.rows(OutboxRow)
            return row

    def depth(self) -> int:
        with self._database.unit_of_work() as unit:
            return Outbox.depth(unit)

    def next_try_after(self) -> timedelta:
        """How long from now the next try is due."""
        return self.row().due_at - self._clock()


@pytest.fixture
def post(database: Database, clock: Clock) -> Post:
    return Post(database, clock)


def test_the_oldest_is_claimed_first_and_nothing_twice(post: Post, clock: Clock) -> None:
    for text in ("one", "two", "three"):
        post.text(text)
        clock.forward(seconds=1)
    assert [message.text for message in post.claim(2)] == ["one", "two"]
    assert [message.text for message in post.claim(2)] == ["three"]
    assert post.claim() == []


def test_the_same_key_is_written_once(post: Post) -> None:
    post.text("your order F-4821", key="order F-4821")
    with pytest.raises(Overtaken):
        post.text("your order F-4821", key="order F-4821")
    assert post.depth() == 1


def test_what_two_senders_claim_at_once_only_one_gets(post: Post, database: Database, clock: Clock) -> None:
    post.text("hello")
    got: list[str] = []
    with database.unit_of_work() as first, database.unit_of_work() as second:
        claims = [(unit, Outbox(unit, clock()).claim(10)) for unit in (first, second)]
        for unit, claimed in claims:
            try:
                unit.commit()
            except Overtaken:
                continue
            got += [message.text for message in claimed]
    assert got == ["hello"]


def test_what_was_sent_does_not_wait_any_more(post: Post, clock: Clock) -> None:
    post.text("hello")
    post.settle(post.claim()[0])
    clock.forward(days=1)
    assert post.claim() == []
    assert (post.depth(), post.row().status, post.row().text) == (0, OutboxStatus.SENT, "hello")


def test_each_failure_doubles_the_pause_until_the_last(post: Post, clock: Clock) -> None:
    post.text("hello")
    pauses: list[timedelta] = []
    for _ in range(ATTEMPTS - 1):
        post.settle(post.claim()[0], "busy")
        assert post.claim() == []
        pauses.append(post.next_try_after())
        clock.forward(seconds=pauses[-1].total_seconds())
    assert pauses == [timedelta(seconds=2**exponent) for exponent in range(1, ATTEMPTS)]
    post.settle(post.claim()[0], "busy")
    assert (post.row().status, post.row().reason) == (OutboxStatus.FAILED, "busy")


def test_a_final_failure_is_not_tried_again(post: Post, clock: Clock) -> None:
    post.text("hello")
    post.settle(post.claim()[0], "no such number", final=True)
    clock.forward(days=1)
    assert (post.claim(), post.depth(), post.row().reason) == ([], 0, "no such number")


@pytest.mark.parametrize(("reason", "status"), [(None, OutboxStatus.SENT), ("no such number", OutboxStatus.FAILED)])
def test_a_secret_is_wiped_once_it_is_done_with(post: Post, reason: str | None, status: OutboxStatus) -> None:
    post.text("482913", secret=True)
    post.settle(post.claim()[0], reason, final=True)
    assert (post.row().status, post.row().text) == (status, None)


def test_a_secret_is_kept_while_it_is_tried_again_but_not_past_its_life(post: Post, clock: Clock) -> None:
    post.text("482913", secret=True)
    post.settle(post.claim()[0], "busy")
    assert post.row().text == "482913"
    clock.forward(seconds=SECRET_LIFE.total_seconds() - 1)
    (message,) = post.claim()
    clock.forward(seconds=2)
    post.settle(message, "busy")
    assert (post.row().status, post.row().text) == (OutboxStatus.FAILED, None)


def test_a_secret_that_waited_too_long_is_not_sent_at_all(post: Post, clock: Clock) -> None:
    post.text("482913", secret=True)
    clock.forward(seconds=SECRET_LIFE.total_seconds() + 1)
    assert post.claim() == []
    assert (post.row().status, post.row().text) == (OutboxStatus.FAILED, None)


def test_what_a_dead_sender_had_claimed_is_taken_over(post: Post, clock: Clock) -> None:
    post.text("hello")
    post.claim()
    clock.forward(seconds=CLAIM.total_seconds() - 1)
    assert post.claim() == []
    clock.forward(seconds=1)
    assert [message.text for message in post.claim()] == ["hello"]


def test_a_message_that_kills_its_senders_is_given_up(post: Post, clock: Clock) -> None:
    post.text("hello")
    for _ in range(ATTEMPTS):
        assert len(post.claim()) == 1
        clock.forward(seconds=CLAIM.total_seconds())
    assert post.claim() == []
    assert (post.row().status, post.row().reason) == (OutboxStatus.FAILED, "its senders died")


def test_forgetting_an_address_deletes_what_went_there_and_nothing_else(post: Post) -> None:
    post.text("hello")
    post.text("482913", secret=True)
    post.text("hello other", address=OTHER)
    post.do(lambda outbox: outbox.forget(PHONE))
    assert post.row().value == OTHER.value


def test_forgetting_only_the_codes_leaves_what_its_owner_awaits(post: Post) -> None:
    post.text("your order comes today")
    post.text("482913", secret=True)
    post.do(lambda outbox: outbox.forget(PHONE, only_secrets=True))
    assert post.row().text == "your order comes today"


def test_a_message_forgotten_while_it_was_sent_stays_forgotten(post: Post, clock: Clock) -> None:
    post.text("hello")
    (message,) = post.claim()
    post.do(lambda outbox: outbox.forget(PHONE))
    post.settle(message, "busy")
    clock.forward(days=1)
    assert (post.claim(), post.depth()) == ([], 0)


@pytest.mark.anyio
async def test_who_opted_out_is_out_until_they_opt_in(database: Database, clock: Callable[[], datetime]) -> None:
    opt_outs = OptOuts(database, clock)
    for _ in range(2):
        await opt_outs.opt_out(PHONE)
    assert await opt_outs.is_out(PHONE)
    assert not await opt_outs.is_out(OTHER)
    for _ in range(2):
        await opt_outs.opt_in(PHONE)
    assert not await opt_outs.is_out(PHONE)
