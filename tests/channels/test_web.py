"""The web channel by its protocol: frames, sessions, origins, and what happens when things go wrong."""

import asyncio
import json
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import Request, TextMessage

from assistant.errors import DialogueFailed, SessionRenewed, StoreUnavailable
from assistant.turns import Address, Assurance, Message, Modality, Reply, TurnKind
from channels.web import WebChannel, read_locale
from channels.web.frames import (
    MAX_FRAME_BYTES,
    MAX_PAYLOAD_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    FrameRefused,
    Hello,
    Said,
    plain,
    read_frame,
    render,
)
from channels.web.storefront import Offer, Storefront
from channels.web.visit import MAX_REMEMBERED, MAX_WAITING_FRAMES, opening_turn, read_turn
from channels.web.visitor import Visitor
from tests.channels.conftest import STOREFRONT, serving
from tests.channels.scripted import BOUQUET, GREETING, ScriptedAssistant

FIXTURES = Path(__file__).parent / "fixtures" / "web"
SOCKET = "/channels/web/socket"
ADDRESS = Address("web", "5f" * 32)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
OWN_ORIGIN = {"Origin": "http://testserver"}


def fixture(name: str) -> str:
    return (FIXTURES / f"{name}.json").read_text(encoding="utf-8")


def say(text: str, message_id: str = "a1") -> str:
    return json.dumps({"type": "say", "id": message_id, "text": text})


def read(raw: str) -> Said:
    """A frame that says something."""
    frame = read_frame(raw)
    assert isinstance(frame, Said)
    return frame


class Site:
    """The web channel in an application, with one visitor's browser."""

    def __init__(self, client: TestClient, assistant: ScriptedAssistant) -> None:
        self.client = client
        self.assistant = assistant
        self.cookie = ""

    @contextmanager
    def visit(self, *, cookie: str | None = None, query: str = "", **headers: str) -> Iterator[WebSocketTestSession]:
        """An open socket, with the cookie of the visits before."""
        sent = {**OWN_ORIGIN, "Cookie": self.cookie if cookie is None else cookie, **headers}
        with self.client.websocket_connect(SOCKET + query, headers=sent) as socket:
            accepted: Iterable[tuple[bytes, bytes]] = socket.extra_headers or ()
            (set_cookie,) = [value for name, value in accepted if name == b"set-cookie"]
            self.cookie, _, self.cookie_attributes = set_cookie.decode().partition("; ")
            yield socket

    @contextmanager
    def open_visit(self, **headers: str) -> Iterator[WebSocketTestSession]:
        """A socket past its greeting."""
        with self.visit(**headers) as socket:
            if not next_frame(socket)["history"]:
                assert [next_frame(socket)["type"] for _ in range(2)] == ["typing", "reply"]
            yield socket

    def tell(self, channel: str, text: str, *messages: Message) -> None:
        assert self.client.portal is not None
        self.client.portal.call(lambda: self.assistant.tell(self.address, channel, text, messages))

    @property
    def address(self) -> Address:
        return self.assistant.turns[-1].address


def next_frame(socket: WebSocketTestSession) -> dict[str, Any]:  # frames are compared with JSON, whatever is in it
    frame: dict[str, Any] = json.loads(socket.receive_text())
    return frame


def answer(socket: WebSocketTestSession, frame: str) -> dict[str, Any]:
    """Send a frame; the frame that answers it, after the typing sign."""
    socket.send_text(frame)
    assert next_frame(socket) == {"type": "typing"}
    return next_frame(socket)


@contextmanager
def serve(channel: WebChannel) -> Iterator[Site]:
    assistant = ScriptedAssistant()
    app = FastAPI()
    app.include_router(channel.router(assistant))
    with TestClient(app) as client:
        yield Site(client, assistant)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(WebChannel(STOREFRONT)) as site:
        yield site


# Frames in


def test_typed_text_is_read() -> None:
    said = Said("0b7e1f6c9a3d42e58c11f0aa", "I'd like the same bouquet Ana bought, her code is K7QX2M")
    assert read(fixture("say")) == said


def test_a_pressed_choice_is_read() -> None:
    assert read(fixture("choose")) == Said("a1", "", choice='/choose{"bouquet": "spring-meadow"}')


def test_characters_that_no_store_keeps_are_left_out() -> None:
    assert read(fixture("say_with_what_no_store_keeps")).text == "roses for\ufffd Zoë\n\tand Ben"


def test_commands_and_markup_are_plain_text() -> None:
    text = "/restart <script>alert(1)</script>'; DROP TABLE people; --"
    assert read(fixture("say_that_looks_like_a_command")).text == text


@pytest.mark.parametrize(
    ("name", "code", "message_id", "detail"),
    [
        ("unknown_type", "unknown_frame", None, "type"),
        ("type_that_is_a_list", "unknown_frame", None, "type"),
        ("say_without_id", "malformed_frame", None, "id"),
        ("say_with_a_number_as_id", "malformed_frame", None, "id"),
        ("say_with_an_endless_id", "malformed_frame", None, "id"),
        ("say_without_text", "malformed_frame", "a1", "text"),
        ("say_with_text_that_is_no_text", "malformed_frame", "a1", "text"),
        ("choose_without_payload", "malformed_frame", "a1", "payload"),
        ("list", "malformed_frame", None, "object"),
        ("cut_off", "malformed_frame", None, "JSON"),
    ],
)
def test_a_frame_of_another_shape_is_refused_by_its_field(
    name: str, code: str, message_id: str | None, detail: str
) -> None:
    with pytest.raises(FrameRefused, match=detail) as refused:
        read_frame(fixture(name))
    assert (refused.value.code, refused.value.message_id) == (code, message_id)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (say("x" * MAX_FRAME_BYTES), "frame_too_large"),
        (json.dumps({"type": "say", "id": "a", "text": "€" * 6_000}, ensure_ascii=False), "frame_too_large"),
        (say("x" * (MAX_TEXT_CHARACTERS + 1)), "text_too_long"),
        (json.dumps({"type": "choose", "id": "a", "payload": "x" * (MAX_PAYLOAD_CHARACTERS + 1)}), "malformed_frame"),
        ("[" * 10_000, "malformed_frame"),
        ('{"type": "say", "id": "a", "text": ' + "9" * 9_000 + "}", "malformed_frame"),
    ],
    ids=["bytes", "bytes of wide characters", "characters", "payload", "depth", "digits"],
)
def test_what_is_too_much_is_refused(raw: str, code: str) -> None:
    with pytest.raises(FrameRefused) as refused:
        read_frame(raw)
    assert refused.value.code == code


def test_the_longest_text_is_read() -> None:
    assert len(read(say("x" * MAX_TEXT_CHARACTERS)).text) == MAX_TEXT_CHARACTERS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FRAMES = st.fixed_dictionaries(
    {"type": st.sampled_from(["say", "choose", "hello"]) | JSON},
    optional={
        "id": st.text(max_size=70) | JSON,
        "text": st.text() | JSON,
        "payload": st.text() | JSON,
        "identity": st.fixed_dictionaries({"user": st.text() | JSON, "signature": st.text() | JSON}) | JSON,
    },
)


@given(FRAMES | JSON)
def test_any_json_is_read_or_refused(frame: object) -> None:
    with suppress(FrameRefused):
        said = read_frame(json.dumps(frame))
        assert isinstance(said, Hello) or plain(said.text) == said.text


@given(st.text())
def test_any_text_is_read_or_refused(raw: str) -> None:
    with pytest.raises(FrameRefused):
        read_frame(raw + "}{")


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=200))
def test_plain_text_can_be_stored_and_stays_as_it_is(text: str) -> None:
    kept = plain(text)
    assert kept.encode().decode() == kept
    assert "\x00" not in kept
    assert plain(kept) == kept


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs"))))
def test_plain_text_loses_nothing_that_can_be_read(text: str) -> None:
    assert plain(text) == text.strip()


# Turns


def test_a_frame_becomes_a_turn_of_its_session() -> None:
    visitor = Visitor(ADDRESS, "en-GB", "203.0.113.9")
    turn = read_turn(Said("a1", "roses"), visitor, title="", now=NOON)
    assert (turn.channel, turn.address, turn.turn_id) == ("web", ADDRESS, "5f5f5f5f5f5f5f5f:a1")
    assert (turn.kind, turn.text, turn.choice) == (TurnKind.SAID, "roses", None)
    assert (turn.modality, turn.assurance, turn.locale) == (Modality.SCREEN, Assurance.ANONYMOUS, "en-GB")
    assert (turn.account, turn.origin, turn.received_at) == (None, "203.0.113.9", NOON)


def test_the_same_id_from_two_browsers_makes_two_turns() -> None:
    other = Address("web", "6e" * 32)
    said = Said("a1", "roses")
    turns = [read_turn(said, Visitor(address), title="", now=NOON) for address in (ADDRESS, other)]
    assert turns[0].turn_id != turns[1].turn_id


def test_tabs_that_open_together_share_a_greeting_and_later_ones_do_not() -> None:
    ids = [opening_turn(Visitor(ADDRESS), now=NOON + timedelta(seconds=seconds)).turn_id for seconds in (0, 5, 3600)]
    assert ids[0] == ids[1] != ids[2]


@given(st.from_regex(r"[\x21-\x7e]{1,64}", fullmatch=True))
def test_no_browser_can_name_the_turn_of_a_greeting(message_id: str) -> None:
    said = read(say("roses", message_id))
    turn = read_turn(said, Visitor(ADDRESS), title="", now=NOON)
    assert not turn.turn_id.startswith(opening_turn(Visitor(ADDRESS), now=NOON).turn_id.rpartition("/")[0])


@pytest.mark.parametrize(
    ("header", "locale"),
    [("en-GB,en;q=0.9", "en-GB"), ("id", "id"), (" es-419 ;q=1", "es-419"), ("*", None), ("", None), ("ä", None)],
)
def test_the_language_a_browser_asks_for(header: str, locale: str | None) -> None:
    assert read_locale(header) == locale


# Frames out


def test_a_reply_with_choices_and_a_card() -> None:
    reply = Reply((Message("Found it.", speech="not for eyes"), BOUQUET), turn=3, reprompt="not for eyes")
    assert render(reply, "a1") == json.loads(fixture("reply"))


# The socket


def test_a_new_visitor_is_greeted(site: Site) -> None:
    with site.visit() as socket:
        assert next_frame(socket) == {"type": "ready", "history": []}
        assert next_frame(socket) == {"type": "typing"}
        assert next_frame(socket) == render(Reply((GREETING,), turn=1), None)
    assert [turn.kind for turn in site.assistant.turns] == [TurnKind.OPENED]


def test_what_is_said_is_answered_under_its_id(site: Site) -> None:
    with site.open_visit(**{"Accept-Language": "en-GB"}) as socket:
        reply = answer(socket, say("roses", "a1"))
    assert (reply["id"], reply["messages"][0]["text"]) == ("a1", "You said: roses")
    assert site.assistant.turns[-1].locale == "en-GB"


def test_a_pressed_choice_carries_its_title(site: Site) -> None:
    with site.open_visit() as socket:
        answer(socket, json.dumps({"type": "choose", "id": "a1", "payload": "/browse"}))
    turn = site.assistant.turns[-1]
    assert (turn.choice, turn.text) == ("/browse", "See bouquets")


def test_a_choice_from_before_a_reload_still_carries_its_title(site: Site) -> None:
    with site.open_visit():
        pass
    with site.open_visit() as socket:
        answer(socket, json.dumps({"type": "choose", "id": "a1", "payload": "/browse"}))
    assert site.assistant.turns[-1].text == "See bouquets"


def test_a_choice_that_was_never_offered_has_no_title(site: Site) -> None:
    with site.open_visit() as socket:
        answer(socket, json.dumps({"type": "choose", "id": "a1", "payload": "/restart"}))
    turn = site.assistant.turns[-1]
    assert (turn.choice, turn.text) == ("/restart", "")


def test_the_same_id_again_is_answered_the_same_and_recorded_once(site: Site) -> None:
    with site.open_visit() as socket:
        first = answer(socket, say("roses"))
    with site.open_visit() as socket:
        assert answer(socket, say("roses")) == first
    assert site.assistant.said() == ["roses"]


def test_who_comes_back_finds_the_conversation_of_all_channels(site: Site) -> None:
    with site.open_visit() as socket:
        answer(socket, say("roses"))
    site.tell("sms", "on Friday", Message("Friday it is."))
    with site.visit() as socket:
        assert next_frame(socket) == json.loads(fixture("history_of_two_channels"))
    assert [turn.kind for turn in site.assistant.turns].count(TurnKind.OPENED) == 1


def test_messages_are_answered_in_order(site: Site) -> None:
    with site.open_visit() as socket:
        for number in range(20):
            socket.send_text(say(f"{number}", f"id{number}"))
        replies = [next_frame(socket) for _ in range(40)][1::2]
    assert [reply["id"] for reply in replies] == [f"id{number}" for number in range(20)]
    assert site.assistant.said() == [str(number) for number in range(20)]


def test_what_is_said_in_one_tab_shows_in_the_other_and_once(site: Site) -> None:
    with site.open_visit() as one, site.open_visit() as other:
        reply = answer(one, say("roses"))
        assert next_frame(other) == {"type": "said", "channel": "web", "text": "roses", "turn": 2}
        assert next_frame(other) == reply
        # Had the first tab been told its own turn again, that would come before this.
        assert answer(one, say("lilies", "a2"))["id"] == "a2"


def test_what_is_said_on_another_channel_shows_at_once(site: Site) -> None:
    with site.open_visit() as socket:
        site.tell("sms", "on Friday", Message("Friday it is."))
        assert next_frame(socket) == {"type": "said", "channel": "sms", "text": "on Friday", "turn": 2}
        reply = next_frame(socket)
    assert (reply["id"], reply["turn"], reply["messages"][0]["text"]) == (None, 2, "Friday it is.")


def test_what_the_assistant_says_by_itself_comes_without_a_said(site: Site) -> None:
    with site.open_visit() as socket:
        site.tell("web", "", Message("Your bouquet is on its way."))
        assert next_frame(socket)["messages"][0]["text"] == "Your bouquet is on its way."


def test_two_visitors_do_not_see_each_other(site: Site) -> None:
    with site.open_visit() as ana, site.open_visit(cookie="") as ben:
        answer(ana, say("for Ana only"))
        assert "Ana" not in json.dumps(answer(ben, say("lilies")))
    assert len({turn.address for turn in site.assistant.turns}) == 2


# Bad input


@pytest.mark.parametrize("name", ["unknown_type", "say_without_id", "cut_off", "list"])
def test_a_bad_frame_is_told_so_and_the_socket_stays(site: Site, name: str) -> None:
    with site.open_visit() as socket:
        socket.send_text(fixture(name))
        complaint = next_frame(socket)
        assert (complaint["type"], bool(complaint["text"])) == ("error", True)
        assert answer(socket, say("roses"))["type"] == "reply"


def test_a_binary_frame_is_told_so_and_the_socket_stays(site: Site) -> None:
    with site.open_visit() as socket:
        socket.send_bytes(b"\x00\xff")
        assert next_frame(socket)["code"] == "malformed_frame"
        assert answer(socket, say("roses"))["type"] == "reply"


def test_a_text_that_is_too_long_says_the_limit_and_reaches_nobody(site: Site) -> None:
    with site.open_visit() as socket:
        socket.send_text(say("x" * (MAX_TEXT_CHARACTERS + 1), "a1"))
        complaint = next_frame(socket)
    assert (complaint["id"], complaint["code"]) == ("a1", "text_too_long")
    assert "4,000 characters" in complaint["text"]
    assert site.assistant.said() == []


def test_an_empty_text_is_answered_like_any_other(site: Site) -> None:
    with site.open_visit() as socket:
        assert answer(socket, say(""))["type"] == "reply"


def test_more_messages_than_can_wait_are_refused_by_id_and_the_rest_answered(site: Site) -> None:
    with site.open_visit() as socket:
        site.assistant.gate.clear()
        # One is being answered while the others wait.
        assert site.client.portal is not None
        socket.send_text(say("first", "first"))
        assert next_frame(socket) == {"type": "typing"}
        for number in range(MAX_WAITING_FRAMES + 1):
            socket.send_text(say(f"{number}", f"id{number}"))
        refused = next_frame(socket)
        assert (refused["code"], refused["id"]) == ("too_many", f"id{MAX_WAITING_FRAMES}")
        site.client.portal.call(site.assistant.gate.set)
        frames = [next_frame(socket) for _ in range(1 + 2 * MAX_WAITING_FRAMES)]
    assert [frame["id"] for frame in frames if frame["type"] == "reply"][-1] == f"id{MAX_WAITING_FRAMES - 1}"


def test_what_a_socket_remembers_is_bounded(site: Site) -> None:
    with site.open_visit() as socket:
        for number in range(MAX_REMEMBERED + 1):
            answer(socket, say("x", f"id{number}"))
        answer(socket, json.dumps({"type": "choose", "id": "late", "payload": "/browse"}))
        assert site.assistant.turns[-1].text == "See bouquets"


# Trouble behind us


def test_a_store_that_is_down_is_told_by_id_and_the_same_message_goes_through_later(site: Site) -> None:
    with site.open_visit() as socket:
        site.assistant.failures.append(StoreUnavailable("no database"))
        failed = answer(socket, say("roses", "a1"))
        assert (failed["type"], failed["id"], failed["code"]) == ("error", "a1", "store_unavailable")
        assert answer(socket, say("roses", "a1"))["id"] == "a1"
    assert site.assistant.said() == ["roses"]


def test_an_answer_that_failed_is_said_in_words(site: Site) -> None:
    with site.open_visit() as socket:
        site.assistant.failures.append(DialogueFailed("none"))
        failed = answer(socket, say("roses", "a1"))
    assert (failed["id"], failed["code"]) == ("a1", "dialogue_failed")
    assert "try again" in failed["text"]


def test_a_history_that_cannot_be_read_closes_the_socket_for_another_try(site: Site) -> None:
    site.assistant.failures.append(StoreUnavailable("no database"))
    with site.visit() as socket:
        failed = next_frame(socket)
        assert (failed["type"], failed["id"], failed["code"]) == ("error", None, "store_unavailable")
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 1013


def test_other_devices_that_cannot_be_followed_close_the_socket_for_another_try(site: Site) -> None:
    with site.open_visit() as socket:
        assert site.client.portal is not None
        site.client.portal.call(lambda: site.assistant.break_off(site.address, StoreUnavailable("no database")))
        assert next_frame(socket)["code"] == "store_unavailable"
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 1013


def test_a_session_that_was_renewed_is_told_to_come_again_and_says_nothing_more(site: Site) -> None:
    with site.open_visit() as socket:
        assert site.client.portal is not None
        site.client.portal.call(site.assistant.gate.clear)
        socket.send_text(say("under way", "a1"))
        assert next_frame(socket) == {"type": "typing"}
        socket.send_text(say("left to be said again", "a2"))
        socket.send_text(fixture("cut_off"))
        assert next_frame(socket)["code"] == "malformed_frame"  # so what came before it has been heard
        site.client.portal.call(lambda: site.assistant.break_off(site.address, SessionRenewed()))
        assert next_frame(socket)["code"] == "session_renewed"
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        site.client.portal.call(site.assistant.gate.set)
    assert closed.value.code == 1013
    assert site.assistant.said() == ["under way"]


def test_a_session_that_was_renewed_is_not_let_in_which_would_give_it_to_the_browser_again(site: Site) -> None:
    with site.open_visit():
        pass
    site.assistant.renewed.add(site.address)
    with pytest.raises(WebSocketDisconnect), site.visit():
        pass
    assert len(site.assistant.turns) == 1


def test_what_was_sent_before_leaving_is_still_answered(site: Site) -> None:
    with site.open_visit() as socket:
        site.assistant.gate.clear()
        for number in range(3):
            socket.send_text(say(f"{number}", f"id{number}"))
        assert next_frame(socket) == {"type": "typing"}
        socket.close()
        assert site.client.portal is not None
        site.client.portal.call(site.assistant.gate.set)
    assert site.assistant.said() == ["0", "1", "2"]


def test_a_quiet_socket_hears_a_beat() -> None:
    with serve(WebChannel(STOREFRONT, beat_seconds=0.01)) as site, site.open_visit() as socket:
        assert next_frame(socket) == {"type": "beat"}


def test_a_browser_that_stops_reading_is_given_up_and_still_answered() -> None:
    channel = WebChannel(STOREFRONT, beat_seconds=0.05, send_seconds=0.2)
    with serving(channel) as site, open_socket(site.url) as (listener, connection):
        site.assistant.otherwise = lambda turn: (Message("x" * 8_000_000),)
        for number in range(3):
            listener.sendall(connection.send(TextMessage(say(str(number), f"id{number}"))))
        left = asyncio.run_coroutine_threadsafe(site.assistant.left.wait(), site.server.loop)
        assert left.result(timeout=20)
        assert site.assistant.said() == ["0", "1", "2"]


@contextmanager
def open_socket(url: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> Iterator[tuple[socket.socket, WSConnection]]:
    """A WebSocket that nobody reads from."""
    address = urlsplit(url)
    assert address.port is not None
    connection = WSConnection(ConnectionType.CLIENT)
    with socket.create_connection(("127.0.0.1", address.port)) as stalled:
        stalled.sendall(connection.send(Request(host=address.netloc, target=SOCKET, extra_headers=list(headers))))
        while connection.state is ConnectionState.CONNECTING:
            connection.receive_data(stalled.recv(1))
        yield stalled, connection


# Sessions


def test_the_session_is_made_here_and_kept_from_scripts(site: Site) -> None:
    with site.open_visit():
        attributes = site.cookie_attributes.split("; ")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} < set(attributes)
    assert len(site.cookie.partition("=")[2]) >= 43


@pytest.mark.parametrize("forged", ["assistant=me", "assistant=" + "a" * 42, "assistant=" + "a" * 42 + "%"])
def test_a_session_id_of_another_shape_is_replaced(site: Site, forged: str) -> None:
    with site.open_visit(cookie=forged):
        assert site.cookie != forged


def test_the_session_id_is_in_no_turn(site: Site) -> None:
    with site.open_visit():
        session = site.cookie.partition("=")[2]
    assert all(session not in repr(turn) for turn in site.assistant.turns)


@pytest.mark.parametrize(
    ("allowed", "attributes"),
    [
        ((), {"Secure", "SameSite=Lax", "HttpOnly", "Path=/"}),
        (("https://blog.example",), {"Secure", "SameSite=None", "Partitioned", "HttpOnly", "Path=/"}),
    ],
)
def test_over_https_the_cookie_is_bound_to_the_host(allowed: tuple[str, ...], attributes: set[str]) -> None:
    channel = WebChannel(STOREFRONT, public_url="https://shop.example", allowed_origins=allowed)
    with serve(channel) as site, site.open_visit():
        assert site.cookie.startswith("__Host-")
        assert attributes < set(site.cookie_attributes.split("; "))


# Origins


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://testserver.evil.example",
        "http://testserver:81",
        "https://blog.example.evil.example",
        "http://blog.example",
        "https://blog.example@evil.example",
        "http://[",
    ],
)
def test_other_sites_are_refused(origin: str) -> None:
    with serve(WebChannel(STOREFRONT, allowed_origins=("https://blog.example",))) as site:
        with pytest.raises(WebSocketDisconnect), site.visit(Origin=origin):
            pass
        assert site.assistant.turns == []


@pytest.mark.parametrize("origin", ["https://shop.example", "https://blog.example", "HTTPS://Blog.example"])
def test_our_public_address_and_listed_sites_are_let_in(origin: str) -> None:
    channel = WebChannel(STOREFRONT, public_url="https://shop.example", allowed_origins=("https://blog.example/",))
    with serve(channel) as site, site.visit(Origin=origin) as socket:
        assert next_frame(socket)["type"] == "ready"


def test_a_program_that_is_no_browser_is_let_in(site: Site) -> None:
    with site.client.websocket_connect(SOCKET) as socket:
        assert next_frame(socket)["type"] == "ready"


# What the page is made of


def test_the_shop_page_shows_the_storefront_and_runs_our_scripts_only(site: Site) -> None:
    page = site.client.get("/")
    for offer in STOREFRONT.offers:
        assert offer.name in page.text
        assert offer.price in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_script_carries_the_shop_s_name(site: Site) -> None:
    script = site.client.get("/channels/web/chat.js")
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert script.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert 'SHOP_NAME = "Fiore"' in script.text


@pytest.mark.parametrize("offer", [offer.id for offer in STOREFRONT.offers])
def test_every_bouquet_has_a_drawing_of_its_own(site: Site, offer: str) -> None:
    picture = site.client.get(f"/channels/web/art/{offer}.svg")
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert picture.text.startswith("<svg")


def test_a_bouquet_that_nobody_drew_has_a_plain_picture() -> None:
    with serve(WebChannel(Storefront("Fiore", (Offer("new-year", "New Year", "£40.00", "Gold and white."),)))) as site:
        assert site.client.get("/channels/web/art/new-year.svg").text.startswith("<svg")


@pytest.mark.parametrize("name", ["bouquet", "chat", "nothing", "..%2f..%2fpyproject", "%00"])
def test_there_are_no_other_pictures(site: Site, name: str) -> None:
    assert site.client.get(f"/channels/web/art/{name}.svg").status_code == 404
