"""The web chat on a real server, and a real browser to look at it with."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from assistant.turns import Address, Message
from channels.web import WebChannel
from channels.web.storefront import Offer, OpeningHours, Storefront
from tests.channels.scripted import ScriptedAssistant

CHROMIUM = Path("/usr/bin/chromium")
STOREFRONT = Storefront(
    name="Fiore",
    offers=(
        Offer("spring-meadow", "Spring Meadow", "£35.00", "Yellow tulips, daffodils and daisies, loosely tied."),
        Offer("rose-garden", "Rose Garden", "£55.00", "Two dozen red and pink garden roses with eucalyptus."),
        Offer("sunny-side", "Sunny Side", "£32.00", "Big sunflowers with orange gerberas, for a kitchen table."),
        Offer("white-peace", "White Peace", "£48.00", "White lilies and hydrangeas, quiet and fitting for sympathy."),
        Offer("lavender-dream", "Lavender Dream", "£39.00", "Lavender, irises and a little thistle; it dries well."),
        Offer("wild-berry", "Wild Berry", "£42.00", "Deep red dahlias with blackberries and autumn leaves."),
    ),
    hours=(
        OpeningHours("Monday to Wednesday", "09:00–18:00"),
        OpeningHours("Thursday, Friday", "09:00–20:00"),
        OpeningHours("Saturday", "08:00–17:00"),
        OpeningHours("Sunday", "closed"),
    ),
    delivery_areas=("Camden", "Hackney", "Islington"),
    delivery_price="£4.95",
    same_day_until="14:00",
    payments=("Card on delivery", "Cash on delivery"),
)

T = TypeVar("T")


@dataclass
class Server:
    """A server that runs in a thread of its own."""

    url: str
    server: uvicorn.Server
    loop: asyncio.AbstractEventLoop

    def run(self, function: Callable[[], T]) -> T:
        """Run in the server's loop and wait for the result."""
        done: Future[T] = Future()
        self.loop.call_soon_threadsafe(lambda: done.set_result(function()))
        return done.result(timeout=10)

    def drop_sockets(self) -> None:
        """Cut every WebSocket without a closing word, as a crash or a bad network does."""
        for connection in list(self.server.server_state.connections):
            if isinstance(connection, WSProtocol):
                self.run(connection.transport.abort)


@contextmanager
def running(app: FastAPI) -> Iterator[Server]:
    """The application on a free port of this machine."""
    config = uvicorn.Config(app, ws="wsproto", log_config=None, timeout_graceful_shutdown=1, lifespan="off")
    server = uvicorn.Server(config)
    started: Future[asyncio.AbstractEventLoop] = Future()

    async def serve(listener: socket.socket) -> None:
        started.set_result(asyncio.get_running_loop())
        await server.serve(sockets=[listener])

    # The port is open before the server runs, so a browser that comes early waits rather than fails.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(serve(listener)))
        thread.start()
        yield Server(f"http://127.0.0.1:{listener.getsockname()[1]}", server, started.result(10))
        server.should_exit = True
        thread.join(10)


@dataclass
class Site:
    """The web chat on a real server, with a scripted assistant behind it."""

    server: Server
    assistant: ScriptedAssistant

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def address(self) -> Address:
        """Of the one visitor."""
        (address,) = {turn.address for turn in self.assistant.turns}
        return address

    def run(self, function: Callable[[], T]) -> T:
        """Run where the assistant lives and wait for the result."""
        return self.server.run(function)

    def tell(self, channel: str, text: str, *messages: Message) -> None:
        """Have the visitor say something on another channel, and be answered."""
        self.run(lambda: self.assistant.tell(self.address, channel, text, messages))


@contextmanager
def serving(channel: WebChannel) -> Iterator[Site]:
    """The channel on a server of its own."""
    assistant = ScriptedAssistant()
    app = FastAPI()
    app.include_router(channel.router(assistant))
    with running(app) as server:
        yield Site(server, assistant)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(WebChannel(STOREFRONT)) as site:
        yield site


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module, where every test gets a context of its own.

    No longer than that: as long as it runs, so does its event loop, and no test that is a coroutine can run beside it.
    """
    if not CHROMIUM.exists() and os.environ.get("CI") != "true":
        pytest.skip(f"{CHROMIUM} is not installed")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a visitor of their own; anything it says on the console as an error fails the test."""
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context.new_page()
    context.close()
    assert complaints == []
