"""The use case: one turn is one transaction, from de-duplication to commit.

A crash at any point leaves the whole turn or nothing, and the same turn again gets the same reply.
"""

import asyncio
import random
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from cachetools import LRUCache

from assistant import apologies
from assistant.answer import Answer, Answering, House
from assistant.choices import offer
from assistant.database import Database, Overtaken, UnitOfWork
from assistant.dialogue import Dialogue, Refused
from assistant.errors import AssistantError, StoreUnavailable, TurnTimedOut
from assistant.forgetting import forget
from assistant.limits import TurnLimit
from assistant.live import Live
from assistant.locks import KeyedLocks
from assistant.metrics import Metrics
from assistant.profiles import Person, Profiles
from assistant.screens import history_at
from assistant.speakers import Speakers
from assistant.transcripts import ConversationRow, Transcripts, TurnRecord, kept_reply, storable
from assistant.turns import Address, Exchange, Reply, Turn

log = structlog.get_logger(__name__)

TURN_THREADS = 4
"""Turns that may think at once; the rest queue. More would only fight over the interpreter."""
ATTEMPTS = 8
"""Tries of a turn that another replica overtook."""
FIRST_PAUSE_SECONDS = 0.01
"""Longest pause before the second try; it doubles each time, and is drawn so that two replicas do not collide again."""
PEOPLE = 10_000
"""Addresses whose person is remembered, so that their turns queue in the right line at once; checked in each turn."""
DEFAULT_IDLE = timedelta(hours=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Done:
    reply: Reply
    is_new: bool
    """False for a turn that was answered before."""
    person_id: str | None = None
    """Who spoke, so that their next turn queues in the right line at once."""


class _Moved(Exception):  # noqa: N818  # not an error: the address belongs to another person than we locked for
    def __init__(self, person_id: str) -> None:
        self.person_id = person_id


class Conversations:
    """The core behind the seam: `assistant.turns.Assistant`."""

    def __init__(
        self,
        database: Database,
        house: House,
        dialogue: Dialogue,
        live: Live,
        metrics: Metrics,
        *,
        turns_per_minute: int,
        idle: dict[str, timedelta],
        now: Callable[[], datetime],
        on_commit: Callable[[], None],
    ) -> None:
        self.dialogue = dialogue
        """The model in use; assign another one to swap it. Turns under way keep theirs."""
        self._database = database
        self._house = house
        self._live = live
        self._metrics = metrics
        self._limit = TurnLimit(turns_per_minute, time.monotonic)
        self._idle = idle
        self._now = now
        self._on_commit = on_commit
        self._locks = KeyedLocks()
        self._people: LRUCache[str, str] = LRUCache(PEOPLE)
        self._threads = ThreadPoolExecutor(TURN_THREADS, thread_name_prefix="turn")

    async def converse(self, turn: Turn) -> Reply:
        """Answer one turn (see `Assistant.converse`)."""
        started = time.perf_counter()
        turn = replace(turn, text=storable(turn.text), turn_id=storable(turn.turn_id))
        if not self._limit.allows(str(turn.address), turn.turn_id):
            self._metrics.turns.labels(turn.channel, "limited").inc()
            return apologies.TOO_MANY
        try:
            done = await self._in_order(turn)
        except StoreUnavailable:
            self._metrics.turns.labels(turn.channel, "store_unavailable").inc()
            raise
        self._metrics.seconds.labels(turn.channel).observe(time.perf_counter() - started)
        if done.is_new:
            self._on_commit()
        return done.reply

    async def history(self, address: Address) -> tuple[Exchange, ...]:
        """The last exchanges of the open conversation at this address."""
        return await self._in_thread(lambda: self._history(address))

    def follow(self, address: Address) -> AbstractAsyncContextManager[AsyncIterator[Exchange]]:
        """Exchanges of this address's person from now on."""
        return self._live.follow(address)

    def close(self) -> None:
        """Let turns under way finish, and stop."""
        self._threads.shutdown(wait=True)

    async def _in_order(self, turn: Turn) -> _Done:
        """One address's turns in their order, and one person's turns one after the other."""
        address = str(turn.account or turn.address)
        async with self._locks.hold(address):
            for attempt in range(ATTEMPTS):
                person_id = self._people.get(address)
                try:
                    if person_id is None:
                        done = await self._answer_or_apologise(turn, None)
                    else:
                        async with self._locks.hold(person_id):
                            done = await self._answer_or_apologise(turn, person_id)
                except _Moved as moved:
                    self._people[address] = moved.person_id
                except Overtaken:
                    await asyncio.sleep(random.uniform(0, FIRST_PAUSE_SECONDS * 2**attempt))  # noqa: S311  # no secret
                else:
                    if done.person_id is not None:
                        self._people[address] = done.person_id
                    return done
        raise StoreUnavailable("the conversation changed too often")

    async def _answer_or_apologise(self, turn: Turn, locked_person: str | None) -> _Done:
        expired = threading.Event()
        try:
            async with asyncio.timeout(self._house.deadline_seconds + 1):
                return await self._in_thread(lambda: self._attempt(turn, locked_person, expired, None))
        except (_Moved, Overtaken, StoreUnavailable):
            raise
        except TimeoutError:
            expired.set()
            log.warning("turn_timed_out", channel=turn.channel)
            apology = apologies.TOO_SLOW
        except Exception as error:  # whatever an action or Rasa raised: the person must hear something
            log.error("turn_failed", channel=turn.channel, code=_code(error), where=_where(error))
            apology = apologies.FAILED
        return await self._in_thread(lambda: self._attempt(turn, locked_person, threading.Event(), apology))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _attempt(self, turn: Turn, locked_person: str | None, expired: threading.Event, apology: Reply | None) -> _Done:
        try:
            return self._once(turn, locked_person, expired, apology, None)
        except Refused as refused:
            # Nothing of what was refused is kept: the way up is offered in a unit of work of its own.
            return self._once(turn, locked_person, expired, apology, refused)

    def _once(
        self,
        turn: Turn,
        locked_person: str | None,
        expired: threading.Event,
        apology: Reply | None,
        refused: Refused | None,
    ) -> _Done:
        started = time.perf_counter()
        now = self._now()
        with self._database.unit_of_work() as unit:
            transcripts = Transcripts(unit, now)
            screens = self._house.screens(unit, now)
            speakers = Speakers(unit, now)
            person = speakers.known(turn)
            followed = screens.followed(turn.address) if person is None else None
            if followed is not None:
                person = Profiles(unit, now).get(followed.person_id)
            elif person is None and screens.knows(turn.address):
                return _Done(apologies.NOT_FOLLOWING, is_new=False)
            if person is not None and person.id != locked_person:
                raise _Moved(person.id)
            latest = transcripts.open_of(person.id, lock=True) if person else None
            stored = transcripts.stored_reply(turn.channel, turn.turn_id)
            if stored is not None:
                self._metrics.turns.labels(turn.channel, "repeated").inc()
                return _Done(stored, is_new=False)
            seen = person
            if followed is None or person is None:
                arrival = speakers.arrive(turn)
                person, latest = arrival.person, arrival.conversation or latest
            conversation = latest if latest and followed else self._current(transcripts, latest, person, turn)
            watchers = set(screens.of(conversation.id))
            asked_slot = conversation.asked_slot
            answer = (
                Answer(apology, TurnRecord("failed"), person, conversation)
                if apology
                else self._think(unit, person, conversation, turn, now, follows=followed is not None, refused=refused)
            )
            conversation = answer.conversation
            took_ms = round((time.perf_counter() - started) * 1000)
            record = replace(answer.record, asked_slot=asked_slot)
            reply = transcripts.append(conversation, turn, answer.reply, record, took_ms, stays=followed is not None)
            # Others see what the transcript keeps: a way in is for whoever asked, not for every screen they have.
            exchange = Exchange(
                turn.channel,
                turn.turn_id,
                record.kept(turn.text),
                kept_reply(reply),
                turn.received_at,
                turn.choice,
            )
            screens.stay(conversation.id)
            watchers |= {turn.account or turn.address, *screens.of(conversation.id)}
            watchers |= {entry.address for entry in answer.person.addresses}
            self._live.publish(unit, conversation.id, exchange, watchers)
            if reply.messages:
                offer(conversation, reply)
            if answer.forgotten:
                forget(unit, now, self._house.shop.today(now), self._house.key, answer.person.id, turn)
            if answer.guarded and seen is not None:
                unit.guard(partial(Profiles(unit, now).is_as_known, seen))
            if expired.is_set():
                raise TurnTimedOut("the deadline passed before the commit")
            unit.commit()
        self._metrics.turns.labels(turn.channel, answer.record.outcome).inc()
        return _Done(reply, is_new=True, person_id=answer.person.id)

    def _think(
        self,
        unit: UnitOfWork,
        person: Person,
        conversation: ConversationRow,
        turn: Turn,
        now: datetime,
        *,
        follows: bool,
        refused: Refused | None,
    ) -> Answer:
        answering = Answering(
            self._house, self.dialogue, unit, person, conversation, turn, now, follows=follows, refused=refused
        )
        return asyncio.run(answering.answer())

    def _current(
        self, transcripts: Transcripts, latest: ConversationRow | None, person: Person, turn: Turn
    ) -> ConversationRow:
        if latest is not None and turn.received_at - latest.last_at > self._idle.get(latest.channel, DEFAULT_IDLE):
            latest.closed_at = turn.received_at
            latest = None
        return latest or transcripts.start(person.id, turn)

    def _history(self, address: Address) -> tuple[Exchange, ...]:
        with self._database.unit_of_work() as unit:
            return history_at(unit, self._now(), address)


def _code(error: Exception) -> str:
    return error.code if isinstance(error, AssistantError) else type(error).__name__


def _where(error: Exception) -> str:
    """File and line, never the message: it may quote what a person said."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or list(frames)
    return f"{ours[-1].filename.rsplit('/', 1)[-1]}:{ours[-1].lineno}" if ours else "unknown"
