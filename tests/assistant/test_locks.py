"""Locks by key: in order for one key, no waiting between keys, nothing kept of who is gone."""

import asyncio

import pytest

from assistant.locks import KeyedLocks

pytestmark = pytest.mark.anyio


async def test_one_key_is_held_by_one_at_a_time_in_order() -> None:
    locks, log = KeyedLocks(), list[str]()

    async def work(name: str) -> None:
        async with locks.hold("ana"):
            log.append(f"{name} in")
            await asyncio.sleep(0)
            log.append(f"{name} out")

    await asyncio.gather(*(work(name) for name in "abc"))
    assert log == [f"{name} {what}" for name in "abc" for what in ("in", "out")]


async def test_another_key_does_not_wait() -> None:
    locks = KeyedLocks()
    async with locks.hold("ana"), asyncio.timeout(5), locks.hold("ben"):
        pass


@pytest.mark.parametrize("fault", [RuntimeError, asyncio.CancelledError])
async def test_a_fault_gives_the_lock_back(fault: type[BaseException]) -> None:
    locks = KeyedLocks()
    with pytest.raises(fault):
        async with locks.hold("ana"):
            raise fault
    async with asyncio.timeout(5), locks.hold("ana"):
        pass


async def test_who_gives_up_waiting_is_passed_over_and_forgotten() -> None:
    locks = KeyedLocks()

    async def work() -> None:
        async with locks.hold("ana"):
            pass

    async with locks.hold("ana"):
        waiting = [asyncio.create_task(work()) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
    async with asyncio.timeout(5):
        await waiting[1]
    assert locks._locks == {}
