"""The chat in the terminal: what is shown, and how a conversation runs."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import StringIO
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from assistant.errors import StoreUnavailable
from assistant.turns import Address, Assurance, Card, Choice, Message, Modality, Reply, TurnKind
from channels.terminal import TerminalChannel, keyboard, read_turn, render
from tests.channels.scripted import GREETING, ScriptedAssistant

WAIT_SECONDS = 10.0
NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)


async def typed(*lines: str) -> AsyncIterator[str]:
    for line in lines:
        yield line


def shown(reply: Reply) -> str:
    console = Console(file=StringIO(), width=80, color_system=None)
    with console.capture() as capture:
        console.print(render(reply))
    return capture.get()


def chat(assistant: ScriptedAssistant, *lines: str) -> str:
    console = Console(file=StringIO(), width=80, color_system=None)
    with console.capture() as capture:
        asyncio.run(TerminalChannel("ana").chat(assistant, typed(*lines), console))
    return capture.get()


def test_a_line_is_a_turn_of_the_user_of_this_machine() -> None:
    turn = read_turn("roses", "ana", "1", NOON)
    assert (turn.channel, turn.address, turn.turn_id, turn.kind) == (
        "terminal",
        Address("terminal", "ana"),
        "1",
        TurnKind.SAID,
    )
    assert (turn.text, turn.modality, turn.assurance, turn.received_at) == (
        "roses",
        Modality.TEXT,
        Assurance.PROVEN,
        NOON,
    )


def test_choices_are_numbered_over_the_whole_reply() -> None:
    reply = Reply(
        (
            Message("Which one?", choices=(Choice("Rose garden", "/a"), Choice("Spring meadow", "/b"))),
            Message("Or else:", choices=(Choice("See more", "/c"),)),
        )
    )
    lines = [line.strip() for line in shown(reply).splitlines()]
    assert lines == ["Which one?", "1 Rose garden", "2 Spring meadow", "Or else:", "3 See more"]


def test_a_card_is_a_panel_with_its_picture_named() -> None:
    card = Card("Spring [bold]meadow", "Tulips and daisies", "/channels/web/art/spring-meadow.svg", "tulips")
    text, top, words, picture, bottom = shown(Reply((Message("Here it is.", card=card),))).splitlines()
    assert text == "Here it is."
    assert "Spring [bold]meadow" in top
    assert "Tulips and daisies" in words
    assert "/channels/web/art/spring-meadow.svg" in picture
    assert bottom.strip("─╰╯ ") == ""


@given(st.text())
def test_nothing_that_is_quoted_commands_the_terminal(text: str) -> None:
    card = Card(text, text, text)
    drawn = shown(Reply((Message(f"\x1b[2J[red]{text}", choices=(Choice(text, "/x"),), card=card),)))
    assert [char for char in drawn if char != "\n" and category(char) in ("Cc", "Cf", "Cs")] == []
    assert "[red]" in drawn


def test_spaces_that_do_not_break_are_kept() -> None:
    assert shown(Reply((Message("35\u00a0pounds"),))).split("\n")[0] == "35\u00a0pounds"


def test_a_conversation_opens_and_answers_line_by_line() -> None:
    assistant = ScriptedAssistant()
    heard = [line.strip() for line in chat(assistant, "roses", "2").splitlines()]
    assert heard == [GREETING.text, "1 See bouquets", "2 Opening hours", "You said: roses", "You said: 2"]
    assert [(turn.kind, turn.text) for turn in assistant.turns] == [
        (TurnKind.OPENED, ""),
        (TurnKind.SAID, "roses"),
        (TurnKind.SAID, "2"),
    ]
    assert len({turn.turn_id for turn in assistant.turns}) == 3


def test_a_store_that_is_down_is_said_and_the_chat_goes_on() -> None:
    assistant = ScriptedAssistant()
    assistant.failures.append(StoreUnavailable("no database"))
    *complaint, answer = chat(assistant, "roses").splitlines()
    assert "store_unavailable" in complaint[0]
    assert answer == "You said: roses"


def test_the_keyboard_is_read_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("roses\n\n2\n"))

    async def lines() -> list[str]:
        return [line async for line in keyboard("")]

    assert asyncio.run(lines()) == ["roses", "", "2"]


def test_leaving_does_not_wait_for_another_line(monkeypatch: pytest.MonkeyPatch) -> None:
    async def leave() -> None:
        reading = asyncio.ensure_future(anext(keyboard("")))
        await asyncio.sleep(0)
        reading.cancel()

    reading_end, writing_end = os.pipe()
    with os.fdopen(reading_end) as terminal, os.fdopen(writing_end, "w") as person:
        monkeypatch.setattr(sys, "stdin", terminal)
        asyncio.run(leave())
        (reader,) = [thread for thread in threading.enumerate() if thread.name == "keyboard"]
        person.write("too late\n")
        person.flush()
        reader.join(WAIT_SECONDS)
    assert (reader.is_alive(), reader.daemon) == (False, True)
