"""Who watches which address right now: carries each committed exchange to the person's other devices.

One interface with two transports: inside one process here, between replicas in `assistant.replicas`.
"""

import asyncio
import functools
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from cachetools import TTLCache

from assistant.database import Database, UnitOfWork
from assistant.errors import SessionRenewed
from assistant.turns import Address, Exchange

WAITING_EXCHANGES = 100
"""A watcher that falls further behind than this loses the oldest and is expected to read the history again."""
LEFT = "assistant_addresses_left"
"""Where it is notified that an address was left."""
LEFT_SECONDS = 60.0
"""How long it is remembered: a browser has its new session long before."""
ADDRESSES_REMEMBERED = 10_000
DIGEST_BYTES = 16


class Live(Protocol):
    """Delivery to whoever watches."""

    def publish(
        self, unit: UnitOfWork, conversation_id: str, exchange: Exchange, addresses: Collection[Address]
    ) -> None:
        """Show this exchange, which the unit of work adds to the conversation, to everyone who watches one of these
        addresses: once it is committed, and never if it is not. Called from any thread; never waits for a watcher.
        """
        ...

    def follow(self, address: Address) -> AbstractAsyncContextManager[AsyncIterator[Exchange]]:
        """Exchanges from now on, until the block is left.

        In order; one may come again after a broken connection, and is known by its channel and turn id. Raises
        `SessionRenewed`, at the beginning or later, once whoever was at this address has left it (`leave`).
        """
        ...


def leave(unit: UnitOfWork, address: Address) -> None:
    """Whoever was at this address is at another one, once this is committed: nobody may follow it any more.

    What still shows the old address, such as a tab that was open when its browser's session was renewed, is told so
    and connects again as who it is by then. One that comes too early, before the browser has got its new session, is
    told so again.
    """
    unit.notify(LEFT, digest(address))


@functools.lru_cache(ADDRESSES_REMEMBERED)
def digest(address: Address) -> str:
    """An address as notices name it."""
    return hashlib.blake2b(str(address).encode(), digest_size=DIGEST_BYTES).hexdigest()


class Watchers:
    """The watchers in this process. Belongs to one event loop."""

    def __init__(self) -> None:
        self._queues: defaultdict[Address, set[asyncio.Queue[Exchange | None]]] = defaultdict(set)
        self._left: TTLCache[str, bool] = TTLCache(ADDRESSES_REMEMBERED, LEFT_SECONDS)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses that somebody watches."""
        return tuple(self._queues)

    def deliver(self, addresses: Collection[Address], exchange: Exchange) -> None:
        """Give this exchange to everyone who watches one of these addresses. Never waits."""
        for address in addresses:
            for queue in self._queues.get(address, ()):
                _put(queue, exchange)

    def leave(self, left: str) -> None:
        """Nobody may follow the address with this digest any more."""
        self._left[left] = True
        for address, queues in self._queues.items():
            if digest(address) == left:
                for queue in queues:
                    _put(queue, None)

    @asynccontextmanager
    async def follow(self, address: Address) -> AsyncIterator[AsyncIterator[Exchange]]:
        """As `Live.follow`."""
        if digest(address) in self._left:
            raise SessionRenewed
        queue: asyncio.Queue[Exchange | None] = asyncio.Queue(WAITING_EXCHANGES)
        self._queues[address].add(queue)
        try:
            yield _drain(queue)
        finally:
            self._queues[address].discard(queue)
            if not self._queues[address]:
                del self._queues[address]


class LiveHere:
    """Delivery inside this process: for a store that no other process serves."""

    def __init__(self, database: Database) -> None:
        self._watchers = Watchers()
        self._loop: asyncio.AbstractEventLoop | None = None
        database.listen(LEFT, self._leave)

    def publish(
        self, unit: UnitOfWork, conversation_id: str, exchange: Exchange, addresses: Collection[Address]
    ) -> None:
        """As `Live.publish`."""
        unit.after_commit(lambda: self._deliver(addresses, exchange))

    @asynccontextmanager
    async def follow(self, address: Address) -> AsyncIterator[AsyncIterator[Exchange]]:
        """As `Live.follow`."""
        self._loop = asyncio.get_running_loop()
        async with self._watchers.follow(address) as exchanges:
            yield exchanges

    def _deliver(self, addresses: Collection[Address], exchange: Exchange) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._watchers.deliver, addresses, exchange)

    def _leave(self, left: str) -> None:
        if self._loop is not None:  # else nobody has ever followed
            self._loop.call_soon_threadsafe(self._watchers.leave, left)


def _put(queue: asyncio.Queue[Exchange | None], exchange: Exchange | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(exchange)


async def _drain(queue: asyncio.Queue[Exchange | None]) -> AsyncIterator[Exchange]:
    while (exchange := await queue.get()) is not None:
        yield exchange
    raise SessionRenewed
