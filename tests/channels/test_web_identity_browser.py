"""Users that a host site vouches for, in a real browser: what the page hands over, and what each of them sees."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Locator, Page, WebSocket, expect

from assistant.turns import Address, Assurance, Message
from channels.web import WebChannel
from tests.channels.conftest import STOREFRONT, Server, Site, running, serving

SECRET = "the-secret-of-the-host-site-and-us"
ANA = Address("site", "ana")


def signature(user: str) -> str:
    return hmac.new(SECRET.encode(), user.encode(), hashlib.sha256).hexdigest()


@dataclass
class Host:
    """A site that embeds the chat, and signs in whom the test wants."""

    server: Server
    chat: Site
    attributes: dict[str, str] = field(default_factory=dict)

    def sign_in(self, user: str, signature: str) -> None:
        self.attributes = {"data-user": user, "data-signature": signature}

    def sign_out(self) -> None:
        self.attributes = {}

    def page(self) -> str:
        given = "".join(f' {name}="{escape(value)}"' for name, value in self.attributes.items())
        script = f'<script src="{self.chat.url}/channels/web/chat.js" data-open{given}></script>'
        return f"<!doctype html><title>Flowers daily</title><h1>Flowers daily</h1>{script}"


@pytest.fixture
def host() -> Iterator[Host]:
    app = FastAPI()
    with running(app) as home, serving(WebChannel(STOREFRONT, allowed_origins=(home.url,), site_secret=SECRET)) as chat:
        host = Host(home, chat)
        app.get("/")(lambda: HTMLResponse(host.page()))
        yield host


@dataclass
class Wire:
    """What went over the sockets of a page."""

    urls: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)


@pytest.fixture
def wire(page: Page) -> Wire:
    wire = Wire()

    def tap(socket: WebSocket) -> None:
        wire.urls.append(socket.url)
        socket.on("framesent", lambda text: wire.sent.append(str(text)))
        socket.on("framereceived", lambda text: wire.heard.append(str(text)))

    page.on("websocket", tap)
    return wire


def say(page: Page, text: str) -> None:
    page.get_by_label("Your message").fill(text)
    page.get_by_label("Your message").press("Enter")


def bubbles(page: Page) -> Locator:
    return page.get_by_role("log").locator(".bubble")


def test_a_signed_user_talks_as_who_they_are_and_every_frame_says_so(page: Page, host: Host, wire: Wire) -> None:
    host.sign_in("ana", signature("ana"))
    page.goto(host.server.url)
    expect(page.get_by_text("Hello, this is the shop.")).to_be_visible()
    say(page, "roses")
    page.get_by_text("You said: roses").wait_for()
    assert {(turn.account, turn.assurance) for turn in host.chat.assistant.turns} == {(ANA, Assurance.PROVEN)}
    frames = [json.loads(frame) for frame in wire.sent]
    assert [frame["type"] for frame in frames] == ["hello", "say"]
    assert [frame["identity"] for frame in frames] == [{"user": "ana", "signature": signature("ana")}] * 2
    assert [urlsplit(url).query for url in wire.urls] == ["identity=1"]
    page.reload()
    expect(bubbles(page)).to_have_text([re.compile("Hello"), "roses", "You said: roses"])


def test_a_page_without_a_user_says_nothing_of_one(page: Page, host: Host, wire: Wire) -> None:
    page.goto(host.server.url)
    say(page, "roses")
    page.get_by_text("You said: roses").wait_for()
    assert [set(json.loads(frame)) for frame in wire.sent] == [{"type", "id", "text"}]
    assert [urlsplit(url).query for url in wire.urls] == [""]
    assert {turn.account for turn in host.chat.assistant.turns} == {None}


@pytest.mark.parametrize("shown", [signature("ben"), ""], ids=["another's", "none"])
def test_a_user_whose_signature_is_wrong_sees_nothing_and_is_told(
    page: Page, host: Host, wire: Wire, shown: str
) -> None:
    host.sign_in("ana", signature("ana"))
    page.goto(host.server.url)
    say(page, "for Ana only")
    page.get_by_text("You said: for Ana only").wait_for()
    wire.heard.clear()
    host.sign_in("ana", shown)
    page.reload()
    expect(page.get_by_text("This chat could not be sure that it is you.")).to_be_visible()
    expect(page.get_by_text("Connection lost")).to_have_count(0)
    say(page, "let me in")
    expect(bubbles(page)).to_have_text(["let me in"])
    expect(page.get_by_text("This chat could not be sure that it is you.")).to_be_visible()
    assert [json.loads(frame)["type"] for frame in wire.heard] == ["error"]
    assert host.chat.assistant.said() == ["for Ana only"]
    # Once the site has signed her in again, what she wrote meanwhile is answered.
    host.sign_in("ana", signature("ana"))
    page.reload()
    expect(bubbles(page).last).to_have_text("You said: let me in")
    assert host.chat.assistant.said() == ["for Ana only", "let me in"]


def test_who_signs_in_sees_what_they_said_before_and_who_signs_out_does_not(page: Page, host: Host) -> None:
    page.goto(host.server.url)
    say(page, "before")
    page.get_by_text("You said: before").wait_for()
    host.sign_in("ana", signature("ana"))
    page.reload()
    expect(page.get_by_text("You said: before")).to_be_visible()
    say(page, "for Ana only")
    page.get_by_text("You said: for Ana only").wait_for()
    host.sign_out()
    page.reload()
    expect(bubbles(page)).to_have_text([re.compile("Hello")])


def test_what_one_user_could_not_send_is_not_sent_by_the_next(page: Page, host: Host) -> None:
    host.sign_in("ana", signature("ana"))
    page.goto(host.server.url)
    expect(bubbles(page)).to_have_count(1)
    page.context.set_offline(True)
    host.chat.server.drop_sockets()
    expect(page.get_by_text("You are offline")).to_be_visible()
    say(page, "mine alone")
    host.sign_in("ben", signature("ben"))
    page.context.set_offline(False)
    page.goto(host.server.url)
    say(page, "hello from Ben")
    page.get_by_text("You said: hello from Ben").wait_for()
    assert "mine alone" not in [turn.text for turn in host.chat.assistant.turns if turn.account != ANA]
    expect(page.get_by_text("mine alone")).to_have_count(0)


def test_a_line_cut_in_the_middle_of_an_answer_loses_and_doubles_nothing(page: Page, host: Host) -> None:
    host.sign_in("ana", signature("ana"))
    page.goto(host.server.url)
    expect(bubbles(page)).to_have_count(1)
    host.chat.run(host.chat.assistant.gate.clear)
    say(page, "roses")
    expect(page.get_by_role("log").locator(".typing")).to_be_visible()
    host.chat.server.drop_sockets()
    expect(page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    host.chat.run(host.chat.assistant.gate.set)
    expect(bubbles(page)).to_have_text([re.compile("Hello"), "roses", "You said: roses"])
    assert host.chat.assistant.said() == ["roses"]


def test_a_page_that_signs_somebody_in_without_loading_anew_replaces_the_chat(page: Page, host: Host) -> None:
    page.goto(host.server.url)
    expect(bubbles(page)).to_have_count(1)
    page.evaluate(
        """([user, signature]) => {
          const chat = document.createElement("assistant-chat");
          for (const [name, value] of Object.entries({ user, signature, open: "" })) chat.setAttribute(name, value);
          document.querySelector("assistant-chat").replaceWith(chat);
        }""",
        ["ana", signature("ana")],
    )
    say(page, "roses")
    page.get_by_text("You said: roses").wait_for()
    assert host.chat.assistant.turns[-1].account == ANA


def test_what_the_user_says_by_phone_shows_on_the_page(page: Page, host: Host) -> None:
    host.sign_in("ana", signature("ana"))
    page.goto(host.server.url)
    expect(bubbles(page)).to_have_count(1)
    host.chat.run(lambda: host.chat.assistant.tell(ANA, "sms", "on Friday", [Message("Friday it is.")]))
    expect(page.get_by_text("Friday it is.")).to_be_visible()
