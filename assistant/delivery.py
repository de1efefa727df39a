"""Sends what waits in the outbox: after the commit, by age, again with growing pauses until it is sent or final."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

import structlog
import tenacity

from assistant.database import Database, Overtaken
from assistant.errors import DeliveryFailed, StoreUnavailable
from assistant.giving_back import is_moot
from assistant.metrics import Metrics
from assistant.outbox import Outbox, Waiting
from assistant.turns import Address, Message, Reply

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
"""How often the outbox is looked at when nothing wakes us."""
BATCH = 20
"""Messages sent at once."""
PUSH_SECONDS = 30.0
"""A message that a provider took no longer than this over is settled well before its claim ends."""


class Pusher(Protocol):
    """A channel that can speak first."""

    async def push(self, address: Address, reply: Reply) -> None:
        """Send this. Raises `DeliveryFailed`."""
        ...


class Delivery:
    """The sender of one process. Replicas share the outbox: each message is claimed before it is sent."""

    def __init__(
        self,
        database: Database,
        pushers: Mapping[str, Pusher],
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._pushers = pushers
        self._metrics = metrics
        self._now = now
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look now: something was written."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
            self._wake.clear()
            try:
                while await self.send_due():
                    pass
            except (StoreUnavailable, Overtaken) as error:
                log.warning("outbox_unreadable", code=type(error).__name__)

    async def send_due(self) -> int:
        """Send what is due now; returns how many messages were tried."""
        waiting = await asyncio.to_thread(self._claim)
        await asyncio.gather(*map(self._deliver, waiting))
        return len(waiting)

    async def _deliver(self, message: Waiting) -> None:
        failure = await self._send(message)
        outcome = "sent" if failure is None else "failed" if failure.final else "retried"
        self._metrics.deliveries.labels(outcome).inc()
        await asyncio.to_thread(self._settle, message, failure)

    async def _send(self, message: Waiting) -> DeliveryFailed | None:
        pusher = self._pushers.get(message.address.kind)
        if pusher is None:
            return DeliveryFailed(f"no channel sends to {message.address.kind}", final=True)
        try:
            async with asyncio.timeout(PUSH_SECONDS):
                await pusher.push(message.address, Reply((Message(message.text),)))
        except DeliveryFailed as error:
            failure = error
        except Exception as error:  # one channel's fault must not stop what the others send
            failure = DeliveryFailed(type(error).__name__, final=False)
        else:
            return None
        log.warning("delivery_failed", id=message.id, reason=str(failure), final=failure.final)
        return failure

    def _claim(self) -> list[Waiting]:
        with self._database.unit_of_work() as unit:
            outbox = Outbox(unit, self._now())
            waiting = outbox.claim(BATCH)
            moot = [message for message in waiting if is_moot(unit, message.key)]
            for message in moot:
                outbox.settle(message.id, "not needed any more", final=True)
            try:
                unit.commit()
            except Overtaken:
                return []  # another sender has them
            return [message for message in waiting if message not in moot]

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type((Overtaken, StoreUnavailable)),
        wait=tenacity.wait_exponential(multiplier=0.1),
        stop=tenacity.stop_after_attempt(5),
        reraise=True,
    )
    def _settle(self, message: Waiting, failure: DeliveryFailed | None) -> None:
        with self._database.unit_of_work() as unit:
            Outbox(unit, self._now()).settle(
                message.id, None if failure is None else str(failure), final=failure is not None and failure.final
            )
            unit.commit()
