"""The screen as people meet it: a television and a web page in a real browser, a voice, and the real core between."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, ViewportSize, expect

from assistant.answer import House
from assistant.conversation import Conversations
from assistant.database import Database
from assistant.dialogue import Dialogue
from assistant.live import LiveHere
from assistant.metrics import Metrics
from assistant.profiles import Profiles
from assistant.screens import PairResult, ScreenCodes, Screens
from assistant.shop import Shop
from assistant.transcripts import ConversationRow, Transcripts
from assistant.turns import Address, Assurance, Modality, Reply, Turn, TurnKind
from channels.web import WebChannel
from channels.web.screen import ScreenChannel
from tests.channels.conftest import STOREFRONT, Server, running

SHOP = Path(__file__).parents[1] / "assistant" / "bot" / "data" / "shop.yml"
TELEVISION: ViewportSize = {"width": 1920, "height": 1080}
PHONE = Address("phone", "+447700900123")
KEY = b"k" * 32
SECONDS_TO_THE_SCREEN = 0.3
BEAT_SECONDS = 0.2

T = TypeVar("T")


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Home:
    """A caller at home: the phone in the hand, the television on the wall."""

    server: Server
    core: Conversations
    database: Database
    spoken: list[str] = field(default_factory=list)

    def say(self, text: str) -> Reply:
        """Say something on the phone; what is answered there."""
        self.spoken.append(text)
        turn = Turn(
            channel="voice",
            address=PHONE,
            turn_id=f"call-{len(self.spoken)}",
            kind=TurnKind.SAID,
            text=text,
            modality=Modality.VOICE,
            assurance=Assurance.PROVEN,
            received_at=now(),
        )
        return self.run(lambda: self.core.converse(turn))

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run in the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work(), self.server.loop).result(30)

    def pair(self, digits: str) -> PairResult:
        """What the dialogue does with a code that was said."""
        with self.database.unit_of_work() as unit:
            person = Profiles(unit, now()).find(PHONE)
            assert person is not None
            (conversation,) = unit.rows(ConversationRow, person_id=person.id, closed_at=None)
            result = Screens(unit, now(), KEY).pair(person.id, conversation.id, digits)
            unit.commit()
        return result

    def unpair(self) -> None:
        with self.database.unit_of_work() as unit:
            (conversation,) = unit.rows(ConversationRow, closed_at=None)
            Screens(unit, now(), KEY).unpair(conversation.id)
            unit.commit()

    def own(self, address: Address) -> None:
        """The caller has proved that this address is theirs too."""
        with self.database.unit_of_work() as unit:
            person = Profiles(unit, now()).find(PHONE)
            assert person is not None
            conversation = Transcripts(unit, now()).open_of(person.id)
            assert conversation is not None
            _, person = Profiles(unit, now()).link(person.id, address, "test")
            Transcripts(unit, now()).close_others(person.id, keep=conversation.id)
            unit.commit()


@pytest.fixture
def home(tmp_path: Path, small_bot: Dialogue) -> Iterator[Home]:
    database = Database(f"sqlite:///{tmp_path}/assistant.db")
    database.migrate()
    house = House(Shop.load(SHOP), KEY, texting=False, hold=timedelta(minutes=30), deadline_seconds=20)
    core = Conversations(
        database,
        house,
        small_bot,
        LiveHere(database),
        Metrics(database),
        turns_per_minute=1000,
        idle={},
        now=now,
        on_commit=lambda: None,
    )
    app = FastAPI()
    app.include_router(WebChannel(STOREFRONT).router(core))
    codes = ScreenCodes(database, now, KEY)
    app.include_router(ScreenChannel(codes, STOREFRONT, beat_seconds=BEAT_SECONDS).router(core))
    with running(app) as server:
        yield Home(server, core, database)
    core.close()
    database.close()


@pytest.fixture
def television(chromium: Browser, home: Home) -> Iterator[Page]:
    complaints: list[str] = []
    context = chromium.new_context(viewport=TELEVISION, color_scheme="dark")
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("console", lambda message: complaints.append(message.text) if "Security" in message.text else None)
    page = context.new_page()
    page.goto(f"{home.server.url}/screen")
    expect(page.locator(".code")).to_be_visible()
    yield page
    context.close()
    assert complaints == []


def pair(home: Home, television: Page) -> None:
    home.say("hello")
    assert home.pair(television.locator(".code").inner_text().replace(" ", "")) is PairResult.PAIRED
    home.say("hello")
    expect(television.get_by_role("heading", name="Hello from Fiore.")).to_be_visible()


def test_what_a_voice_says_is_on_the_screen_at_once_and_a_press_moves_both(home: Home, television: Page) -> None:
    pair(home, television)
    television.evaluate(
        "new MutationObserver(() => { window.changed ??= Date.now(); }).observe("
        "document.getElementById('stage'), {childList: true})"
    )
    home.say("i want tea")
    answered = time.time()
    expect(television.get_by_role("heading", name="Which tea would you like?")).to_be_visible()
    delay = television.evaluate("window.changed") / 1000 - answered
    print(f"on the screen {delay * 1000:.0f} ms after the answer")  # noqa: T201  # a figure to look at
    assert delay < SECONDS_TO_THE_SCREEN
    expect(television.locator("#said")).to_have_text("i want tea")
    expect(television.get_by_role("button", name="Green")).to_be_focused()
    television.get_by_role("button", name="Green").click()
    expect(television.get_by_role("heading", name="With sugar?")).to_be_visible()
    assert home.say("two spoons").messages[-1].text == "Here is your green tea."
    expect(television.get_by_role("heading", name="Here is your green tea.")).to_be_visible()


def test_the_persons_web_page_and_the_screen_show_the_same_conversation(
    home: Home, television: Page, page: Page
) -> None:
    page.goto(home.server.url)
    expect(page.get_by_text("Hello from Fiore.").first).to_be_visible()
    home.say("hello")
    with home.database.unit_of_work() as unit:
        known = Profiles(unit, now()).newest(5)
    (web,) = [entry.address for person in known for entry in person.addresses if entry.address.kind == "web"]
    home.own(web)
    pair(home, television)
    home.say("i want tea")
    expect(page.get_by_text("Which tea would you like?")).to_be_visible()
    television.bring_to_front()
    television.keyboard.press("ArrowRight")
    expect(television.get_by_role("button", name="Black")).to_be_focused()
    television.keyboard.press("Enter")
    for shown in (page.get_by_text("With sugar?"), television.get_by_role("heading", name="With sugar?")):
        expect(shown).to_be_visible()


def test_a_screen_comes_back_to_the_conversation_after_a_break(home: Home, television: Page) -> None:
    pair(home, television)
    home.server.drop_sockets()
    expect(television.get_by_text("Connection lost")).to_be_visible()
    home.say("i want tea")
    expect(television.get_by_role("heading", name="Which tea would you like?")).to_be_visible()
    television.reload()
    expect(television.get_by_role("heading", name="Which tea would you like?")).to_be_visible()


def test_a_screen_that_is_taken_off_shows_a_new_code_and_nothing_said(home: Home, television: Page) -> None:
    first = television.locator(".code").inner_text()
    pair(home, television)
    home.unpair()
    expect(television.locator(".code")).to_be_visible()
    expect(television.locator(".code")).not_to_have_text(first)
    home.say("i want tea")
    expect(television.locator(".code")).to_be_visible()
    expect(television.locator("#said")).to_be_empty()


def test_another_browser_does_not_see_it(home: Home, television: Page, page: Page) -> None:
    pair(home, television)
    page.goto(f"{home.server.url}/screen")
    expect(page.locator(".code")).to_be_visible()
    home.say("i want tea")
    expect(television.get_by_role("heading", name="Which tea would you like?")).to_be_visible()
    expect(page.locator(".code")).to_be_visible()
