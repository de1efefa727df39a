"""Users that a host site vouches for: who is believed, and what nobody else sees or says."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import WebSocketTestSession
from wsproto.events import TextMessage

from assistant.errors import SessionRenewed
from assistant.turns import Address, Assurance, Message, TurnKind
from channels.web import WebChannel
from channels.web.frames import FrameRefused, Identity
from channels.web.visitor import LONGEST_USER, HostSite
from tests.channels.conftest import STOREFRONT, serving
from tests.channels.scripted import BOUQUET
from tests.channels.test_web import Site, answer, next_frame, open_socket, say, serve

SECRET = "the-secret-of-the-host-site-and-us"
ANA, BEN = Address("site", "ana"), Address("site", "ben")


def signature(user: str, secret: str = SECRET) -> str:
    """What the README tells host sites to do."""
    return hmac.new(secret.encode(), user.encode(), hashlib.sha256).hexdigest()


def identity(user: str) -> dict[str, str]:
    return {"user": user, "signature": signature(user)}


def hello(given: object) -> str:
    return json.dumps({"type": "hello", "identity": given})


def signed(user: str, text: str, message_id: str = "a1") -> str:
    return json.dumps({"type": "say", "id": message_id, "text": text, "identity": identity(user)})


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(WebChannel(STOREFRONT, site_secret=SECRET)) as site:
        yield site


@contextmanager
def arriving(site: Site, **visit: Any) -> Iterator[WebSocketTestSession]:  # the keywords of `Site.visit`
    """A socket of a page that has announced an identity."""
    with site.visit(query="?identity=1", **visit) as socket:
        yield socket


@contextmanager
def signed_in(site: Site, user: str, **visit: Any) -> Iterator[WebSocketTestSession]:  # as above
    """A socket of a page whose user was believed, past what was said before."""
    with arriving(site, **visit) as socket:
        socket.send_text(hello(identity(user)))
        assert next_frame(socket)["type"] == "ready"
        yield socket


def refused(socket: WebSocketTestSession, frame: str) -> tuple[str, str | None]:
    """Code and message id of the error that answers a frame."""
    socket.send_text(frame)
    complaint = next_frame(socket)
    assert complaint["type"] == "error"
    assert complaint["text"]
    return complaint["code"], complaint["id"]


# Whom we believe


def test_the_signature_is_hmac_sha256_in_hex() -> None:
    """Against a value that OpenSSL made: `printf 42 | openssl dgst -sha256 -hmac` and the secret."""
    made = "247422c28bf3aeef8ce01894d21ecd7ad33b3f888e3ee4e7eb006e0db7cf201e"
    assert HostSite(SECRET).account(Identity("42", made)) == Address("site", "42")


@given(st.text(max_size=LONGEST_USER + 5))
def test_any_printable_id_is_believed_with_its_signature_and_no_other_is(user: str) -> None:
    given_identity = Identity(user, hmac.new(SECRET.encode(), user.encode(), hashlib.sha256).hexdigest())
    if user.isprintable() and 1 <= len(user) <= LONGEST_USER:
        assert HostSite(SECRET).account(given_identity) == Address("site", user)
    else:
        with pytest.raises(FrameRefused):
            HostSite(SECRET).account(given_identity)


def test_a_signature_in_capitals_is_the_same() -> None:
    assert HostSite(SECRET).account(Identity("ana", signature("ana").upper())) == ANA


def test_a_signature_with_any_digit_changed_is_refused() -> None:
    good = signature("ana")
    for at, digit in enumerate(good):
        changed = good[:at] + f"{int(digit, 16) ^ 1:x}" + good[at + 1 :]
        with pytest.raises(FrameRefused) as wrong:
            HostSite(SECRET).account(Identity("ana", changed))
        assert wrong.value.code == "identity_wrong"


@pytest.mark.parametrize(
    "given_identity",
    [
        {"user": "ana", "signature": signature("ben")},
        {"user": "ana", "signature": signature("ana", "another-secret-of-the-right-length")},
        {"user": "ana", "signature": signature("ana")[:-1]},
        {"user": "ana", "signature": signature("ana") + "0"},
        {"user": "ana ", "signature": signature("ana")},
        {"user": "ana", "signature": hashlib.sha256(b"ana").hexdigest()},
        {"user": "ana", "signature": ""},
        {"user": "ana", "signature": "é" * 64},
        {"user": "ana", "signature": "\ud800"},
        {"user": "\ud800", "signature": signature("ana")},
        {"user": "ana", "signature": None},
        {"user": "ana"},
        {"user": 42, "signature": signature("42")},
        {"user": "", "signature": signature("")},
        {"user": "a\nb", "signature": signature("a\nb")},
        {"user": "a" * (LONGEST_USER + 1), "signature": signature("a" * (LONGEST_USER + 1))},
        {},
        "ana",
        [],
        True,
    ],
    ids=str,
)
def test_who_is_not_believed_sees_and_says_nothing(site: Site, given_identity: object) -> None:
    with signed_in(site, "ana") as socket:
        answer(socket, signed("ana", "for Ana only"))
    turns = len(site.assistant.turns)
    with arriving(site) as socket:
        assert refused(socket, hello(given_identity)) == ("identity_wrong", None)
        frame = json.dumps({"type": "say", "id": "a2", "text": "roses", "identity": given_identity})
        assert refused(socket, frame) == ("identity_wrong", "a2")
        assert len(site.assistant.turns) == turns
        # The socket stays: with the right signature all goes on.
        socket.send_text(hello(identity("ana")))
        assert "for Ana only" in json.dumps(next_frame(socket))


def test_who_announced_an_identity_and_shows_none_sees_and_says_nothing(site: Site) -> None:
    with site.open_visit() as socket:
        answer(socket, say("said without an account"))
    turns = len(site.assistant.turns)
    with arriving(site) as socket:
        assert refused(socket, '{"type": "hello"}') == ("identity_missing", None)
        assert refused(socket, hello(None)) == ("identity_missing", None)
        assert refused(socket, say("roses", "a2")) == ("identity_missing", "a2")
    assert len(site.assistant.turns) == turns


def test_a_page_that_stays_silent_hears_that_the_line_is_alive_and_no_more() -> None:
    with serve(WebChannel(STOREFRONT, site_secret=SECRET, beat_seconds=0.01)) as site:
        with site.open_visit() as socket:
            socket.send_text(say("said without an account"))
        with arriving(site) as socket:
            assert [next_frame(socket) for _ in range(3)] == [{"type": "beat"}] * 3


# Every frame


def test_each_message_is_the_user_s_and_proven(site: Site) -> None:
    with signed_in(site, "ana") as socket:
        assert answer(socket, signed("ana", "roses"))["messages"][0]["text"] == "You said: roses"
    opened, said = site.assistant.turns
    assert [opened.kind, said.kind] == [TurnKind.OPENED, TurnKind.SAID]
    for turn in (opened, said):
        assert (turn.account, turn.assurance, turn.address.kind) == (ANA, Assurance.PROVEN, "web")


@pytest.mark.parametrize("kind", ["say", "choose"])
def test_a_frame_without_the_identity_it_began_with_is_refused(site: Site, kind: str) -> None:
    bare = {"type": kind, "id": "a2", "text": "roses", "payload": "/browse"}
    with signed_in(site, "ana") as socket:
        assert refused(socket, json.dumps(bare)) == ("identity_missing", "a2")
        forged = {**bare, "identity": {"user": "ana", "signature": signature("ben")}}
        assert refused(socket, json.dumps(forged)) == ("identity_wrong", "a2")
        assert answer(socket, signed("ana", "lilies"))["type"] == "reply"
    assert site.assistant.said() == ["lilies"]


def test_another_user_on_the_same_socket_is_refused(site: Site) -> None:
    with signed_in(site, "ana") as socket:
        assert refused(socket, signed("ben", "roses", "a2")) == ("identity_changed", "a2")
        assert refused(socket, hello(identity("ben"))) == ("identity_changed", None)
        assert answer(socket, signed("ana", "lilies"))["type"] == "reply"
    assert {turn.account for turn in site.assistant.turns} == {ANA}


def test_an_identity_on_a_socket_that_began_without_one_is_refused(site: Site) -> None:
    with site.open_visit() as socket:
        assert refused(socket, signed("ana", "roses", "a2")) == ("identity_changed", "a2")
        assert answer(socket, say("lilies"))["type"] == "reply"
    assert {turn.account for turn in site.assistant.turns} == {None}


@pytest.mark.parametrize("query", ["", "?identity=1"])
def test_without_the_setting_an_identity_is_refused_in_words(query: str) -> None:
    with serve(WebChannel(STOREFRONT)) as site, site.visit(query=query) as socket:
        if not query:
            assert [next_frame(socket)["type"] for _ in range(3)] == ["ready", "typing", "reply"]
        socket.send_text(hello(identity("ana")))
        complaint = next_frame(socket)
        assert complaint["code"] == "identity_off"
        assert "sign-in is not set up here" in complaint["text"]
        assert refused(socket, signed("ana", "roses", "a1")) == ("identity_off", "a1")
    assert site.assistant.said() == []


# Whose conversation


def test_a_user_finds_the_conversation_in_any_browser(site: Site) -> None:
    with signed_in(site, "ana") as socket:
        answer(socket, signed("ana", "roses"))
    with arriving(site, cookie="") as socket:
        socket.send_text(hello(identity("ana")))
        assert "You said: roses" in json.dumps(next_frame(socket))
    assert [turn.kind for turn in site.assistant.turns].count(TurnKind.OPENED) == 1


def test_a_user_s_browsers_are_in_step(site: Site) -> None:
    with signed_in(site, "ana") as one, signed_in(site, "ana", cookie="") as other:
        reply = answer(one, signed("ana", "roses"))
        assert [next_frame(other)["text"], next_frame(other)] == ["roses", {**reply, "id": None}]
        # Had the first been told its own turn again, that would come before this.
        assert answer(one, signed("ana", "lilies", "a2"))["id"] == "a2"


def test_two_users_of_one_browser_do_not_meet(site: Site) -> None:
    with signed_in(site, "ana") as socket:
        answer(socket, signed("ana", "for Ana only", "same-id"))
    with arriving(site) as socket:
        socket.send_text(hello(identity("ben")))
        assert "Ana" not in json.dumps(next_frame(socket))
        assert "Ana" not in json.dumps(answer(socket, signed("ben", "lilies", "same-id")))


def test_what_was_said_before_signing_in_is_shown_after_it(site: Site) -> None:
    with site.open_visit() as socket:
        answer(socket, say("roses"))
    with arriving(site) as socket:
        socket.send_text(hello(identity("ana")))
        ready = next_frame(socket)
    assert ready["history"][1]["text"] == "roses"
    assert len(ready["history"]) == 4  # the greeting, both sides of the talk, and the greeting of who signed in


def test_a_user_who_was_here_before_goes_on_with_what_was_just_said_without_signing_in(site: Site) -> None:
    with signed_in(site, "ana") as socket:
        answer(socket, signed("ana", "roses"))
    with site.open_visit() as socket:
        answer(socket, say("lilies"))
    for _ in range(2):  # coming again changes nothing
        with arriving(site) as socket:
            socket.send_text(hello(identity("ana")))
            told = [frame["text"] for frame in next_frame(socket)["history"] if frame["type"] == "said"]
            assert told == ["roses", "lilies"]
    assert [turn.kind for turn in site.assistant.turns].count(TurnKind.OPENED) == 3


def test_after_signing_out_the_browser_shows_nothing_of_the_user(site: Site) -> None:
    with signed_in(site, "ana") as socket:
        answer(socket, signed("ana", "for Ana only"))
        with site.open_visit() as signed_out:
            assert "Ana" not in json.dumps(answer(signed_out, say("who am I")))
            answer(socket, signed("ana", "for Ana again", "a2"))
            assert "Ana" not in json.dumps(answer(signed_out, say("still nobody", "b2")))


def test_a_choice_of_the_history_keeps_its_title(site: Site) -> None:
    site.assistant.answers["show"] = (BOUQUET,)
    with signed_in(site, "ana") as socket:
        answer(socket, signed("ana", "show"))
    with signed_in(site, "ana") as socket:
        pressed = {"type": "choose", "id": "a2", "payload": "/browse", "identity": identity("ana")}
        answer(socket, json.dumps(pressed))
    assert site.assistant.turns[-1].text == "Another"


def test_what_the_user_says_elsewhere_shows_at_once(site: Site) -> None:
    with signed_in(site, "ana") as socket:
        assert site.client.portal is not None
        site.client.portal.call(lambda: site.assistant.tell(ANA, "sms", "on Friday", [Message("Friday it is.")]))
        assert next_frame(socket)["text"] == "on Friday"
        assert next_frame(socket)["messages"][0]["text"] == "Friday it is."


def test_a_user_s_socket_too_comes_again_when_the_browser_s_session_is_renewed(site: Site) -> None:
    with signed_in(site, "ana") as socket:
        assert site.client.portal is not None
        site.client.portal.call(lambda: site.assistant.break_off(site.address, SessionRenewed()))
        assert next_frame(socket)["code"] == "session_renewed"


# Where on the network


@pytest.mark.parametrize(
    ("headers", "origin"), [([], "127.0.0.1"), ([(b"x-forwarded-for", b"203.0.113.9")], "203.0.113.9")]
)
def test_a_turn_knows_where_on_the_network_it_came_from(headers: list[tuple[bytes, bytes]], origin: str) -> None:
    with serving(WebChannel(STOREFRONT)) as running, open_socket(running.url, headers) as (listener, connection):
        listener.sendall(connection.send(TextMessage(say("roses"))))
        heard = ""
        while "You said: roses" not in heard:
            connection.receive_data(listener.recv(65_536))
            heard += "".join(event.data for event in connection.events() if isinstance(event, TextMessage))
        assert {turn.origin for turn in running.assistant.turns} == {origin}
