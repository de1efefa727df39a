"""Who a browser is, and when that changes while the chat is open: a real browser, the real core and a real store."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from assistant.answer import House
from assistant.conversation import Conversations
from assistant.database import Database
from assistant.dialogue import Dialogue
from assistant.identity.proving import Proving
from assistant.live import LiveHere
from assistant.metrics import Metrics
from assistant.profiles import AddressRow, Profiles
from assistant.shop import Shop
from assistant.turns import Address, Assurance
from channels.web import WebChannel
from channels.web.cookie import SessionCookie
from tests.channels.conftest import STOREFRONT, Server, running

SHOP = Path(__file__).parents[1] / "assistant" / "bot" / "data" / "shop.yml"
SECRET = "the-secret-of-the-host-site-and-us"
STAFF = Address("oidc", "https://login.example|ana")
COOKIE = SessionCookie(None, ())


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Home:
    """A running assistant, whose `/sign-in` renews a browser's session as any proof given on a page of ours does.

    `/site` is another page on the same site, which signs its visitors in by itself.
    """

    server: Server
    database: Database
    user: str = ""

    @property
    def site(self) -> str:
        return f"{self.server.url}/site"

    def script(self) -> str:
        signed = hmac.new(SECRET.encode(), self.user.encode(), hashlib.sha256).hexdigest()
        given = f'data-user="{self.user}" data-signature="{signed}"' if self.user else ""
        return f'<!doctype html><title>Site</title><script src="/channels/web/chat.js" data-open {given}></script>'

    def prove(self, session: str) -> str:
        """What a sign-in does to the browser with this session; its new one."""
        renewed = COOKIE.new_session()
        with self.database.unit_of_work() as unit:
            old, new = COOKIE.address_of(session), COOKIE.address_of(renewed)
            assert Proving(unit, now(), Shop.load(SHOP)).prove(old, new, STAFF, "oidc sign-in", Assurance.STRONG)
            unit.commit()
        return renewed

    def people(self) -> set[str]:
        """Who has an address."""
        with self.database.unit_of_work() as unit:
            return {row.person_id for row in unit.rows(AddressRow)}

    def person_at(self, address: Address) -> str | None:
        with self.database.unit_of_work() as unit:
            person = Profiles(unit, now()).find(address)
            return person.id if person else None


@pytest.fixture
def home(tmp_path: Path, small_bot: Dialogue) -> Iterator[Home]:
    database = Database(f"sqlite:///{tmp_path}/assistant.db")
    database.migrate()
    core = Conversations(
        database,
        House(Shop.load(SHOP), b"k" * 32, texting=False, hold=timedelta(minutes=30), deadline_seconds=20),
        small_bot,
        LiveHere(database),
        Metrics(database),
        turns_per_minute=1000,
        idle={},
        now=now,
        on_commit=lambda: None,
    )
    app = FastAPI()
    app.include_router(WebChannel(STOREFRONT, site_secret=SECRET).router(core))
    with running(app) as server:
        home = Home(server, database)

        @app.get("/site")
        async def site() -> HTMLResponse:
            return HTMLResponse(home.script())

        @app.get("/sign-in")
        async def sign_in(request: Request) -> Response:
            return Response(headers={"Set-Cookie": COOKIE.header(home.prove(request.cookies["assistant"]))})

        yield home
    core.close()
    database.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[BrowserContext]:
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    assert complaints == []


def open_chat(browser: BrowserContext, url: str) -> Page:
    page = browser.new_page()
    page.goto(url)
    expect(bubbles(page).first).to_be_visible()
    return page


def bubbles(page: Page) -> Locator:
    return page.get_by_role("log").locator(".bubble")


def say(page: Page, text: str) -> None:
    page.get_by_label("Your message").fill(text)
    page.get_by_label("Your message").press("Enter")
    expect(bubbles(page).last).not_to_have_text(text)


def said_in(page: Page) -> list[str]:
    return page.get_by_role("log").locator(".mine .bubble").all_inner_texts()


def session_of(browser: BrowserContext) -> str:
    (session,) = [cookie["value"] for cookie in browser.cookies() if cookie["name"] == "assistant"]
    return session


def test_after_a_sign_in_every_tab_is_who_signed_in_and_shows_nothing_twice(
    home: Home, browser: BrowserContext
) -> None:
    tabs = [open_chat(browser, home.server.url) for _ in range(3)]
    say(tabs[0], "hello one")
    for tab in tabs[1:]:
        expect(tab.get_by_text("hello one", exact=True)).to_be_visible()
    sockets: list[str] = []
    for tab in tabs:
        tab.on("websocket", lambda socket: sockets.append(socket.url))
    signed_in = browser.new_page()
    signed_in.goto(f"{home.server.url}/sign-in")
    for number, tab in enumerate(tabs):
        expect(tab.get_by_text("Connection lost")).to_have_count(0)
        say(tab, f"hello from {number}")
    for tab in tabs:
        expect(tab.get_by_text("hello from 2", exact=True)).to_be_visible()
        assert said_in(tab) == ["hello one", "hello from 0", "hello from 1", "hello from 2"]
    assert len(sockets) == 3
    # Nobody else came of it: the tabs are the person who signed in.
    assert home.people() == {home.person_at(STAFF)} == {home.person_at(COOKIE.address_of(session_of(browser)))}


def test_a_tab_that_comes_again_before_the_browser_has_its_new_session_does_not_undo_it(
    home: Home, browser: BrowserContext
) -> None:
    tab = open_chat(browser, home.server.url)
    say(tab, "hello one")
    old = session_of(browser)
    renewed = home.prove(old)  # and the answer with the cookie is still on its way
    tab.wait_for_event("console", lambda message: "403" in message.text)
    assert session_of(browser) == old
    browser.add_cookies([{"name": "assistant", "value": renewed, "url": home.server.url, "httpOnly": True}])
    say(tab, "hello two")
    assert session_of(browser) == renewed
    assert said_in(tab) == ["hello one", "hello two"]
    assert home.people() == {home.person_at(STAFF)}


def test_a_user_of_the_host_site_is_one_person_in_two_browsers(home: Home, browser: BrowserContext, page: Page) -> None:
    home.user = "ana"
    one = open_chat(browser, home.site)
    say(one, "hello one")
    other = page
    other.goto(home.site)
    expect(other.get_by_text("hello one", exact=True)).to_be_visible()
    say(other, "hello other")
    expect(one.get_by_text("hello other", exact=True)).to_be_visible()
    assert said_in(one) == said_in(other) == ["hello one", "hello other"]
    assert home.people() == {home.person_at(Address("site", "ana"))}


def test_signing_in_takes_along_what_was_said_and_signing_out_leaves_it_behind(
    home: Home, browser: BrowserContext
) -> None:
    tab = open_chat(browser, home.site)
    say(tab, "hello before")
    home.user = "ana"
    tab.reload()
    expect(tab.get_by_text("hello before", exact=True)).to_be_visible()
    say(tab, "hello from Ana")
    home.user = ""
    tab.reload()
    say(tab, "hello from nobody")
    assert said_in(tab) == ["hello from nobody"]
    home.user = "ben"
    tab.reload()
    expect(tab.get_by_text("hello from nobody", exact=True)).to_be_visible()
    assert said_in(tab) == ["hello from nobody"]


def test_a_user_in_a_browser_of_somebody_who_proved_who_they_are_is_not_taken_for_them(
    home: Home, browser: BrowserContext
) -> None:
    tab = open_chat(browser, home.server.url)
    say(tab, "hello other")
    tab.goto(f"{home.server.url}/sign-in")
    home.user = "ana"
    tab.goto(home.site)
    say(tab, "hello from Ana")
    tab.reload()  # and is not greeted again each time
    expect(tab.get_by_text("hello from Ana", exact=True)).to_be_visible()
    assert said_in(tab) == ["hello from Ana"]
    assert bubbles(tab).count() == 3
    assert len(home.people()) == 2


def test_a_tab_that_is_not_signed_in_does_not_see_what_the_user_says_beside_it(
    home: Home, browser: BrowserContext
) -> None:
    signed_out = open_chat(browser, home.site)
    home.user = "ana"
    signed_in = open_chat(browser, home.site)
    say(signed_in, "hello from Ana")
    say(signed_out, "hello from nobody")
    assert said_in(signed_out) == ["hello from nobody"]
