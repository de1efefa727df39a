"""Who watches which address right now: carries each committed exchange to the person's other devices.

One interface with two transports: inside one process here, between replicas in `assistant.replicas`.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from assistant.database import UnitOfWork
from assistant.turns import Address, Exchange

WAITING_EXCHANGES = 100
"""A watcher that falls further behind than this loses the oldest and is expected to read the history again."""


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

        In order; one may come again after a broken connection, and is known by its channel and turn id.
        """
        ...


class Watchers:
    """The watchers in this process. Belongs to one event loop."""

    def __init__(self) -> None:
        self._queues: defaultdict[Address, set[asyncio.Queue[Exchange]]] = defaultdict(set)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses that somebody watches."""
        return tuple(self._queues)

    def deliver(self, addresses: Collection[Address], exchange: Exchange) -> None:
        """Give this exchange to everyone who watches one of these addresses. Never waits."""
        for address in addresses:
            for queue in self._queues.get(address, ()):
                if queue.full():
                    queue.get_nowait()
                queue.put_nowait(exchange)

    @asynccontextmanager
    async def follow(self, address: Address) -> AsyncIterator[AsyncIterator[Exchange]]:
        """As `Live.follow`."""
        queue: asyncio.Queue[Exchange] = asyncio.Queue(WAITING_EXCHANGES)
        self._queues[address].add(queue)
        try:
            yield _drain(queue)
        finally:
            self._queues[address].discard(queue)
            if not self._queues[address]:
                del self._queues[address]


class LiveHere:
    """Delivery inside this process: for a store that no other process serves."""

    def __init__(self) -> None:
        self._watchers = Watchers()
        self._loop: asyncio.AbstractEventLoop | None = None

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


async def _drain(queue: asyncio.Queue[Exchange]) -> AsyncIterator[Exchange]:
    while True:
        yield await queue.get()
