"""Live delivery between replicas: PostgreSQL's LISTEN and NOTIFY.

The notice is part of the turn's own transaction: PostgreSQL sends it with the commit, in the order of the commits, and
never without one, so no crash comes between the two. It names the exchange and digests of the addresses it is for, and
says nothing else: a payload holds 8,000 bytes at most. A replica where somebody watches one of them reads the exchange
from the store. What is committed while the listening connection is down is read from the history once it is back.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import psycopg
import structlog
import tenacity

from assistant.database import Database, UnitOfWork
from assistant.errors import StoreUnavailable
from assistant.live import LEFT, Watchers, digest
from assistant.screens import history_at
from assistant.transcripts import Transcripts
from assistant.turns import Address, Exchange

log = structlog.get_logger(__name__)

CHANNEL = "assistant_exchanges"
APPLICATION_NAME = "assistant live"
"""How the listening connection is called in PostgreSQL's own views."""
ADDRESSES_IN_A_NOTICE = 200
"""Digests of this many addresses stay well under the limit of a payload."""
LONGEST_PAUSE_SECONDS = 5.0
"""Between two tries to listen again."""
CONNECT_SECONDS = 5
KEEP_ALIVE_SECONDS = 5
KEEP_ALIVE_TRIES = 3
"""A server that vanished without a word is noticed after as many silent intervals."""


class LiveAcross:
    """Delivery to the watchers of every replica on one PostgreSQL database. `run` has to run for those here."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self.listening = asyncio.Event()
        """Set while notices arrive."""
        self._database = database
        self._now = now
        self._watchers = Watchers()

    def publish(
        self, unit: UnitOfWork, conversation_id: str, exchange: Exchange, addresses: Collection[Address]
    ) -> None:
        """As `Live.publish`."""
        digests = [digest(address) for address in addresses]
        for start in range(0, len(digests), ADDRESSES_IN_A_NOTICE):
            some = digests[start : start + ADDRESSES_IN_A_NOTICE]
            unit.notify(CHANNEL, json.dumps([conversation_id, exchange.reply.turn, some]))

    def follow(self, address: Address) -> AbstractAsyncContextManager[AsyncIterator[Exchange]]:
        """As `Live.follow`."""
        return self._watchers.follow(address)

    async def run(self) -> None:
        """Listen until cancelled; a broken connection is made anew."""
        while True:
            connection = await self._connect()
            try:
                async for notice in connection.notifies():
                    if notice.channel == LEFT:
                        self._watchers.leave(notice.payload)
                    else:
                        await self._heed(notice.payload)
            except (psycopg.OperationalError, StoreUnavailable) as error:
                log.warning("live_connection_lost", code=type(error).__name__)
            finally:
                self.listening.clear()
                await connection.close()

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type((psycopg.OperationalError, StoreUnavailable)),
        wait=tenacity.wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE_SECONDS),
    )
    async def _connect(self) -> psycopg.AsyncConnection:
        """A connection that listens, and to every watcher what it may have missed before."""
        connection = await psycopg.AsyncConnection.connect(
            self._database.url,
            autocommit=True,
            application_name=APPLICATION_NAME,
            connect_timeout=CONNECT_SECONDS,
            keepalives_idle=KEEP_ALIVE_SECONDS,
            keepalives_interval=KEEP_ALIVE_SECONDS,
            keepalives_count=KEEP_ALIVE_TRIES,
        )
        try:
            for channel in (CHANNEL, LEFT):
                await connection.execute(f"LISTEN {channel}")
            for address in self._watchers.addresses:
                for exchange in await asyncio.to_thread(self._history, address):
                    self._watchers.deliver([address], exchange)
        except BaseException:
            await connection.close()
            raise
        self.listening.set()
        return connection

    async def _heed(self, payload: str) -> None:
        conversation_id, number, digests = json.loads(payload)
        watched = [address for address in self._watchers.addresses if digest(address) in digests]
        if not watched:
            return
        exchange = await asyncio.to_thread(self._exchange, conversation_id, number)
        if exchange is not None:
            self._watchers.deliver(watched, exchange)

    def _exchange(self, conversation_id: str, number: int) -> Exchange | None:
        with self._database.unit_of_work() as unit:
            return Transcripts(unit, self._now()).exchange(conversation_id, number)

    def _history(self, address: Address) -> tuple[Exchange, ...]:
        with self._database.unit_of_work() as unit:
            return history_at(unit, self._now(), address)
