"""The terminal: `assistant chat`, for developers. A text channel like SMS, with cards drawn as panels.

Whoever is at the keyboard has signed in to this machine, which counts as proof of the terminal's own address.
"""

import asyncio
import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from unicodedata import category
from uuid import uuid4

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from assistant.errors import AssistantError
from assistant.turns import Address, Assistant, Assurance, Card, Message, Modality, Reply, Turn, TurnKind

PROMPT = "> "
PANEL_COLUMNS = 60
NO_STORE = "Nothing could be recorded: {code}. Is the database there? `assistant doctor` looks."

_COMMANDS = ("Cc", "Cf", "Cs")
"""Unicode categories of what is no character to look at: controls, marks of direction, halves of characters."""


def read_turn(line: str, user: str, turn_id: str, received_at: datetime, kind: TurnKind = TurnKind.SAID) -> Turn:
    """One line typed by a user of this machine."""
    return Turn(
        channel="terminal",
        address=Address("terminal", user),
        turn_id=turn_id,
        kind=kind,
        text=line,
        modality=Modality.TEXT,
        assurance=Assurance.PROVEN,
        received_at=received_at,
    )


def render(reply: Reply) -> RenderableType:
    """The reply as rich draws it: words, cards as panels, choices numbered over the whole reply."""
    numbers = count(1)
    return Group(*(part for message in reply.messages for part in _drawn(message, numbers)))


def _drawn(message: Message, numbers: Iterator[int]) -> Iterator[RenderableType]:
    yield _literal(message.text)
    if message.card:
        yield _panel(message.card)
    for choice in message.choices:
        yield Padding(Text.assemble((f"{next(numbers)}", "bold cyan"), " ", _literal(choice.title)), (0, 0, 0, 2))


def _panel(card: Card) -> Panel:
    picture = [_literal(card.image)] if card.image else []
    title = escape(_literal(card.title).plain)
    return Panel(Group(_literal(card.text), *picture), title=title, width=PANEL_COLUMNS)


def _literal(text: str) -> Text:
    # What a customer once said may be quoted here: neither markup nor the terminal's own commands may work.
    return Text("".join(char for char in text if char == "\n" or category(char) not in _COMMANDS))


class TerminalChannel:
    """A conversation in the terminal, as one user of this machine."""

    name = "terminal"
    modality = Modality.TEXT

    def __init__(self, user: str) -> None:
        self._user = user

    async def chat(self, assistant: Assistant, lines: AsyncIterable[str], console: Console) -> None:
        """Greet, then answer each line until there are no more."""
        await self._turn(assistant, console, "", TurnKind.OPENED)
        async for line in lines:
            await self._turn(assistant, console, line, TurnKind.SAID)

    async def _turn(self, assistant: Assistant, console: Console, line: str, kind: TurnKind) -> None:
        turn = read_turn(line, self._user, uuid4().hex, datetime.now(UTC), kind)
        try:
            console.print(render(await assistant.converse(turn)))
        except AssistantError as failure:
            console.print(NO_STORE.format(code=failure.code), style="red")


async def keyboard(prompt: str = PROMPT) -> AsyncIterator[str]:
    """Lines typed at the terminal, until Ctrl-D."""
    while (line := await _line(prompt)) is not None:
        yield line


async def _line(prompt: str) -> str | None:
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str | None] = loop.create_future()

    def settle(line: str | None) -> None:
        if not typed.done():
            typed.set_result(line)

    def read() -> None:
        try:
            line = input(prompt)
        except EOFError:
            line = None
        with suppress(RuntimeError):  # the loop is closed: nobody waits for this line any more
            loop.call_soon_threadsafe(settle, line)

    # A daemon, not the loop's own pool: that is waited for at the end, so Ctrl-C would hang until Enter is pressed.
    threading.Thread(target=read, name="keyboard", daemon=True).start()
    return await typed
