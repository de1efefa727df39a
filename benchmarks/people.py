"""The people who talk: the same cheap client for both sides."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count, cycle, islice

import aiohttp

from benchmarks.sides import Side

ANSWER_SECONDS = 60.0
"""How long an answer may take."""
START_SECONDS = 180.0
"""How long a side may take to start."""
LOOK_SECONDS = 0.02
"""How often to try whether a side that starts answers by now."""

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One line said, and what came back."""

    line: str
    answer: bytes
    seconds: float
    """From the first byte sent to the last received."""


class SideFailed(Exception):
    """A side did not start, or answered with an error."""


def newcomer() -> str:
    """The number of a person who has never said anything."""
    return f"+1555{next(_numbers):07d}"


async def first_answer(side: Side, line: str) -> float:
    """Start the side; seconds until a first line is answered. Raises `SideFailed`."""
    started = time.perf_counter()
    side.start()
    async with _session() as session:
        while time.perf_counter() - started < START_SECONDS:
            if not all(server.is_running for server in side.servers):
                raise SideFailed(f"{side.name} ended as it started; see {side.servers[0].log.parent}")
            try:
                await _say(session, side, newcomer(), line)
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return time.perf_counter() - started
    raise SideFailed(f"{side.name} did not start; see {side.servers[0].log.parent}")


async def talk_at_once(side: Side, script: Sequence[str], people: int, seconds: float) -> list[Exchange]:
    """So many people at once go through the script, each time as somebody new, until the seconds are over."""
    end = time.perf_counter() + seconds
    exchanges: list[Exchange] = []

    async def talk(session: aiohttp.ClientSession) -> None:
        while True:
            person = newcomer()
            for line in script:
                if time.perf_counter() >= end:
                    return
                exchanges.append(await _say(session, side, person, line))

    async with _session() as session, asyncio.TaskGroup() as group:
        for _ in range(people):
            group.create_task(talk(session))
    return exchanges


async def talk_long(
    side: Side, script: Sequence[str], turns: int, seconds: float, on_turn: Callable[[], None]
) -> list[Exchange]:
    """One person says the script over and over in one conversation, so many turns or until the seconds are over."""
    end = time.perf_counter() + seconds
    person = newcomer()
    exchanges: list[Exchange] = []
    async with _session() as session:
        for line in islice(cycle(script), turns):
            if time.perf_counter() >= end:
                break
            exchanges.append(await _say(session, side, person, line))
            on_turn()
    return exchanges


async def _say(session: aiohttp.ClientSession, side: Side, person: str, line: str) -> Exchange:
    request = side.request(person, line)
    started = time.perf_counter()
    async with session.post(request.url, data=request.body, headers=request.headers) as response:
        answer = await response.read()
    seconds = time.perf_counter() - started
    if response.status != 200:
        raise SideFailed(f"{side.name} answered HTTP {response.status}; see {side.servers[0].log.parent}")
    return Exchange(line, answer, seconds)


@asynccontextmanager
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        yield session
