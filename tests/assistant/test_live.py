"""What a person's other devices see, on the replica they spoke to and on every other."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import text

from assistant.database import Database
from assistant.errors import SessionRenewed
from assistant.live import WAITING_EXCHANGES, Live, LiveHere, Watchers, digest, leave
from assistant.replicas import ADDRESSES_IN_A_NOTICE, APPLICATION_NAME, LiveAcross
from assistant.transcripts import Transcripts
from assistant.turns import Address, Exchange, Message, Reply
from tests.assistant.conftest import Clock, Device, MakeCore

pytestmark = pytest.mark.anyio

WEB, PHONE = Address("web", "a" * 64), Address("phone", "+447700900123")
SECONDS_TO_A_SECOND_DEVICE = 0.3


def exchange(number: int) -> Exchange:
    return Exchange("web", str(number), "hi", Reply((Message("Hello."),)), datetime(2026, 5, 20, tzinfo=UTC))


@asynccontextmanager
async def listening(live: LiveAcross) -> AsyncIterator[LiveAcross]:
    """A replica's transport while it runs."""
    task = asyncio.create_task(live.run())
    try:
        await asyncio.wait_for(live.listening.wait(), 10)
        yield live
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def replicas(database: Database, clock: Clock) -> AsyncIterator[tuple[Live, Live]]:
    """The transports of two replicas on PostgreSQL; SQLite has one process, so the same one twice."""
    if not database.is_postgresql:
        here = LiveHere(database)
        yield here, here
        return
    async with listening(LiveAcross(database, clock)) as one, listening(LiveAcross(database, clock)) as two:
        yield one, two


async def next_of(exchanges: AsyncIterator[Exchange]) -> Exchange:
    return await asyncio.wait_for(anext(exchanges), 10)


async def next_said(exchanges: AsyncIterator[Exchange], text: str) -> Exchange:
    """The next one with this text: on another replica a watcher may still be told of what was just before."""
    while (shown := await next_of(exchanges)).text != text:
        pass
    return shown


async def nothing_comes(exchanges: AsyncIterator[Exchange]) -> bool:
    try:
        async with asyncio.timeout(0.2):
            await anext(exchanges)
    except TimeoutError:
        return True
    return False


async def test_every_watcher_of_an_address_sees_it_and_nobody_else() -> None:
    watchers = Watchers()
    async with watchers.follow(WEB) as one, watchers.follow(WEB) as two, watchers.follow(PHONE) as other:
        watchers.deliver([WEB], exchange(1))
        watchers.deliver([WEB, PHONE], exchange(2))
        assert [(await anext(one)).turn_id for _ in range(2)] == ["1", "2"]
        assert [(await anext(two)).turn_id for _ in range(2)] == ["1", "2"]
        assert (await anext(other)).turn_id == "2"


async def test_who_falls_behind_loses_the_oldest_and_holds_up_nobody() -> None:
    watchers = Watchers()
    async with watchers.follow(WEB) as slow:
        for number in range(WAITING_EXCHANGES + 5):
            watchers.deliver([WEB], exchange(number))
        assert (await anext(slow)).turn_id == "5"


async def test_who_left_is_forgotten() -> None:
    watchers = Watchers()
    async with watchers.follow(WEB):
        assert set(watchers.addresses) == {WEB}
    watchers.deliver([WEB], exchange(2))
    assert set(watchers.addresses) == set()


async def test_who_falls_behind_is_still_told_that_the_address_was_left() -> None:
    watchers = Watchers()
    async with watchers.follow(WEB) as slow:
        for number in range(WAITING_EXCHANGES):
            watchers.deliver([WEB], exchange(number))
        watchers.leave(digest(WEB))
        with pytest.raises(SessionRenewed):
            [told async for told in slow]


async def test_whoever_follows_an_address_that_was_left_is_told_so_on_both_replicas(
    database: Database, replicas: tuple[Live, Live]
) -> None:
    one, two = replicas
    async with one.follow(WEB) as here, two.follow(WEB) as there, two.follow(PHONE) as elsewhere:
        with database.unit_of_work() as unit:
            leave(unit, WEB)
            unit.commit()
        for tab in (here, there):
            with pytest.raises(SessionRenewed):
                await next_of(tab)
        # So soon only a browser comes again that has not got its new session yet.
        with pytest.raises(SessionRenewed):
            async with two.follow(WEB):
                pass
        assert await nothing_comes(elsewhere)


async def test_an_address_is_not_left_without_a_commit(database: Database, replicas: tuple[Live, Live]) -> None:
    one, two = replicas
    async with two.follow(WEB) as there:
        with database.unit_of_work() as unit:
            leave(unit, WEB)
        assert await nothing_comes(there)
    async with one.follow(WEB):
        pass


async def test_a_turn_shows_on_both_replicas_as_it_is_kept(
    make_core: MakeCore, clock: Clock, replicas: tuple[Live, Live]
) -> None:
    one, two = (make_core(live=live) for live in replicas)
    speaker = Device(one, clock, WEB)
    await speaker.say("before anybody watched")
    async with one.follow(WEB) as here, two.follow(WEB) as there, two.follow(PHONE) as elsewhere:
        reply = await speaker.say("my card is 4111 1111 1111 1111")
        for watcher in (here, there):
            shown = await next_said(watcher, "my card is •••• 1111")
            assert shown.reply == reply
            assert shown in await two.history(WEB)
        assert await nothing_comes(elsewhere)


async def test_a_second_device_on_the_other_replica_is_not_behind(
    make_core: MakeCore, clock: Clock, replicas: tuple[Live, Live]
) -> None:
    one, two = (make_core(live=live) for live in replicas)
    speaker = Device(one, clock, WEB)
    delays: list[float] = []
    async with two.follow(WEB) as there:
        for _ in range(20):
            await speaker.say("hello")
            answered = time.perf_counter()
            await next_of(there)
            delays.append(time.perf_counter() - answered)
    typical, worst = statistics.median(delays) * 1000, max(delays) * 1000
    print(f"shown after the answer: median {typical:.1f} ms, max {worst:.1f} ms")  # noqa: T201  # a figure to look at
    assert statistics.median(delays) < SECONDS_TO_A_SECOND_DEVICE


async def test_a_turn_that_is_not_committed_shows_nowhere(database: Database, replicas: tuple[Live, Live]) -> None:
    one, two = replicas
    async with two.follow(WEB) as there:
        with database.unit_of_work() as unit:
            one.publish(unit, "conversation", exchange(1), [WEB])
        assert await nothing_comes(there)


async def test_turns_of_many_replicas_come_in_the_order_of_their_commits(
    make_core: MakeCore, clock: Clock, replicas: tuple[Live, Live]
) -> None:
    one, two = (make_core(live=live) for live in replicas)
    async with two.follow(WEB) as there:
        for index in range(10):
            await Device((one, two)[index % 2], clock, WEB).say("hello", turn_id=str(index))
        assert [(await next_of(there)).reply.turn for _ in range(10)] == list(range(1, 11))


async def test_more_addresses_than_a_notice_holds_are_all_told(
    database: Database, make_core: MakeCore, clock: Clock, replicas: tuple[Live, Live]
) -> None:
    one, two = replicas
    await Device(make_core(), clock, WEB).say("hello")
    shown, conversation_id = await asyncio.to_thread(first_turn, database)
    many = [Address("web", f"{number:064x}") for number in range(2 * ADDRESSES_IN_A_NOTICE)]
    async with two.follow(many[0]) as first, two.follow(many[-1]) as last:
        with database.unit_of_work() as unit:
            one.publish(unit, conversation_id, shown, many)
            unit.commit()
        assert [await next_of(first), await next_of(last)] == [shown, shown]


def first_turn(database: Database) -> tuple[Exchange, str]:
    with database.unit_of_work() as unit:
        conversation_id = unit.session.execute(text("SELECT id FROM conversations")).scalar_one()
        found = Transcripts(unit, datetime.now(UTC)).exchange(conversation_id, 1)
    assert found is not None
    return found, conversation_id


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_what_is_said_while_the_connection_is_cut_is_shown_once_it_is_back(
    database: Database, make_core: MakeCore, clock: Clock
) -> None:
    speaker = Device(make_core(live=LiveAcross(database, clock)), clock, WEB)
    await speaker.say("hello")
    async with listening(LiveAcross(database, clock)) as live, live.follow(WEB) as there:
        assert live.listening.is_set()
        assert cut_listeners(database) == 1
        await speaker.say("in between")
        seen = [(await next_of(there)).text]
        while "in between" not in seen:
            seen.append((await next_of(there)).text)
        await asyncio.wait_for(live.listening.wait(), 10)
        await speaker.say("afterwards")
        while "afterwards" not in seen:
            seen.append((await next_of(there)).text)
    assert list(dict.fromkeys(seen))[-2:] == ["in between", "afterwards"]


def cut_listeners(database: Database) -> int:
    """What the server does to connections when it restarts."""
    query = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = %s"
    )
    with psycopg.connect(database.url, autocommit=True) as connection:
        row = connection.execute(query, [APPLICATION_NAME]).fetchone()
    return int(row[0]) if row else 0
