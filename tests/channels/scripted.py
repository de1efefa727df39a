"""A scripted assistant: what channels talk to in their tests. Answers from a script and records every turn."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from assistant.errors import AssistantError, SessionRenewed
from assistant.turns import Address, Card, Choice, Exchange, Message, Reply, Turn, TurnKind

GREETING = Message(
    "Hello, this is the shop. What can I do for you?",
    choices=(Choice("See bouquets", "/browse"), Choice("Opening hours", "/hours")),
)
BOUQUET = Message(
    "This is Spring Meadow, £35.00. Shall it be this one?",
    choices=(Choice("Yes, this one", '/choose{"bouquet":"spring-meadow"}'), Choice("Another", "/browse")),
    card=Card(
        "Spring Meadow",
        "£35.00. Yellow tulips, daffodils and daisies.",
        "/channels/web/art/spring-meadow.svg",
        "Yellow and white flowers",
    ),
)


def echo(turn: Turn) -> tuple[Message, ...]:
    """The answer of a script that has nothing better: who did not get this one did not get theirs."""
    return (Message(f"You said: {turn.text or turn.choice}"),)


class ScriptedAssistant:
    """Keeps the promises of `assistant.turns.Assistant` in memory.

    `answers` maps what is said, or the payload that is pressed, to messages. `failures` are raised, one a turn, before
    anything is recorded. `gate` holds answers back until it is set.
    """

    def __init__(
        self,
        answers: dict[str, tuple[Message, ...]] | None = None,
        *,
        otherwise: Callable[[Turn], tuple[Message, ...]] = echo,
    ) -> None:
        self.answers = answers or {}
        self.otherwise = otherwise
        self.failures: list[AssistantError] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.left = asyncio.Event()
        """Set once somebody who followed has left."""
        self.turns: list[Turn] = []
        """Every turn that arrived, repeats included."""
        self.exchanges: dict[Address, list[Exchange]] = {}
        """What was recorded, by address."""
        self.renewed: set[Address] = set()
        """Addresses of browsers whose session was replaced."""
        self.followers: dict[Address, list[asyncio.Queue[Exchange | AssistantError]]] = {}

    async def converse(self, turn: Turn) -> Reply:
        """Answer by the script, once for each id."""
        self.turns.append(turn)
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        where = turn.account or turn.address
        if turn.account is not None:
            # What was said there without the account is the account's from now on.
            self.exchanges.setdefault(where, []).extend(self.exchanges.pop(turn.address, []))
        told = self.exchanges.setdefault(where, [])
        for exchange in itertools.chain.from_iterable(self.exchanges.values()):
            if (exchange.channel, exchange.turn_id) == (turn.channel, turn.turn_id):
                return exchange.reply
        messages = (
            (GREETING,)
            if turn.kind is TurnKind.OPENED
            else self.answers.get(turn.choice or turn.text) or self.otherwise(turn)
        )
        exchange = Exchange(
            turn.channel, turn.turn_id, turn.text, Reply(messages, turn=len(told) + 1), turn.received_at, turn.choice
        )
        self._record(where, exchange)
        return exchange.reply

    async def history(self, address: Address) -> tuple[Exchange, ...]:
        """Everything recorded for the address."""
        if self.failures:
            raise self.failures.pop(0)
        return tuple(self.exchanges.get(address, ()))

    @asynccontextmanager
    async def follow(self, address: Address) -> AsyncIterator[AsyncIterator[Exchange]]:
        """Everything recorded for the address from now on."""
        if address in self.renewed:
            raise SessionRenewed
        queue: asyncio.Queue[Exchange | AssistantError] = asyncio.Queue()
        self.followers.setdefault(address, []).append(queue)
        try:
            yield _until_failure(queue)
        finally:
            self.followers[address].remove(queue)
            self.left.set()

    def tell(self, address: Address, channel: str, text: str, messages: Iterable[Message]) -> None:
        """Have the person say something on another channel, and be answered."""
        turn = len(self.exchanges.get(address, ())) + 1
        reply = Reply(tuple(messages), turn=turn)
        self._record(address, Exchange(channel, f"{channel}-{turn}", text, reply, datetime.now(UTC)))

    def break_off(self, address: Address, error: AssistantError) -> None:
        """Have everybody who follows the address lose the store."""
        for queue in self.followers[address]:
            queue.put_nowait(error)

    def said(self) -> list[str]:
        """What was recorded as said, in order, whoever said it."""
        return [exchange.text for told in self.exchanges.values() for exchange in told if exchange.text]

    def _record(self, address: Address, exchange: Exchange) -> None:
        self.exchanges.setdefault(address, []).append(replace(exchange))
        for queue in self.followers.get(address, ()):
            queue.put_nowait(exchange)


async def _until_failure(queue: "asyncio.Queue[Exchange | AssistantError]") -> AsyncIterator[Exchange]:
    while True:
        told = await queue.get()
        if isinstance(told, AssistantError):
            raise told
        yield told
