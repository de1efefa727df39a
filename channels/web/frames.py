"""The frames of the web chat's socket: JSON in and out, read and rendered without any I/O."""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, TypedDict

from assistant.errors import MalformedPayload
from assistant.turns import Card, Exchange, Message, Reply

MAX_FRAME_BYTES = 16 * 1024
MAX_TEXT_CHARACTERS = 4_000
MAX_PAYLOAD_CHARACTERS = 1_000

_ID = re.compile(r"[\x21-\x7e]{1,64}")
_KEPT_CONTROLS = "\n\t"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the page says is there, to be checked (`channels.web.visitor`)."""

    user: str
    """The host site's id of the user."""
    signature: str
    """The site's signature of it, in hex."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A frame in: who is there, before anything is said."""

    identity: Identity | None


@dataclass(frozen=True, slots=True)
class Said:
    """A frame in: the person typed something or pressed a choice."""

    id: str
    """The browser's own id of the message; comes back in the reply."""
    text: str
    """What was typed; empty when a choice was pressed."""
    choice: str | None = None
    """The payload that was pressed."""
    identity: Identity | None = None
    """Who the page says is there, where it says so."""


class CardFrame(TypedDict):
    """A card as the script draws it."""

    title: str
    text: str
    image: str | None
    image_alt: str


class ChoiceFrame(TypedDict):
    """A button."""

    title: str
    payload: str


class MessageFrame(TypedDict):
    """One message of a reply."""

    text: str
    choices: list[ChoiceFrame]
    card: CardFrame | None


class ReplyFrame(TypedDict):
    """The assistant's answer; `id` is null when this browser did not ask."""

    type: Literal["reply"]
    id: str | None
    turn: int
    messages: list[MessageFrame]
    listen: bool


class SaidFrame(TypedDict):
    """What the person said in another tab or on another channel."""

    type: Literal["said"]
    channel: str
    text: str
    turn: int


class ReadyFrame(TypedDict):
    """The first frame: the open conversation as the frames that would have told it."""

    type: Literal["ready"]
    history: list[SaidFrame | ReplyFrame]


class ErrorFrame(TypedDict):
    """Something went wrong; `id` is there when it concerns one message."""

    type: Literal["error"]
    id: str | None
    code: str
    text: str


class SignFrame(TypedDict):
    """`typing`: an answer is being made. `beat`: the line is alive."""

    type: Literal["typing", "beat"]


Frame = ReadyFrame | ReplyFrame | SaidFrame | ErrorFrame | SignFrame

_WORDS = {
    "frame_too_large": "That was too much at once for this chat. Please send it in smaller parts.",
    "malformed_frame": "This chat could not read that message. Reloading the page usually helps.",
    "unknown_frame": "This chat does not know that kind of message. Reloading the page usually helps.",
    "text_too_long": f"That message is too long for this chat: {MAX_TEXT_CHARACTERS:,} characters at most, please.",
    "too_many": "Those were many messages at once. Please wait for the answers and send this one again.",
    "identity_off": "This site's sign-in is not set up here. Please tell the people who run this site.",
    "identity_wrong": "This chat could not be sure that it is you. Please sign in to this site again.",
    "identity_missing": "This chat lost track of who you are. Please reload the page.",
    "identity_changed": "Somebody else has signed in on this page. Please reload it.",
    "session_renewed": "One moment, this chat is catching up with you.",
    "store_unavailable": "Something on our side cannot be reached just now. This will be tried again in a moment.",
}
_SORRY = "Something went wrong here. Please try again."


class FrameRefused(MalformedPayload):
    """A frame that is not one of ours, with the code for the error frame and the message's id if it has one."""

    def __init__(self, code: str, detail: str, message_id: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.message_id = message_id


def read_frame(raw: str) -> Hello | Said:
    """Read a frame in. Raises `FrameRefused`, naming the field; its words never hold what the person said."""
    if len(raw) > MAX_FRAME_BYTES or len(raw.encode("utf-8", "surrogatepass")) > MAX_FRAME_BYTES:
        raise FrameRefused("frame_too_large", f"more than {MAX_FRAME_BYTES} bytes")
    try:
        frame = json.loads(raw)
    except (ValueError, RecursionError):
        raise FrameRefused("malformed_frame", "not JSON") from None
    if not isinstance(frame, dict):
        raise FrameRefused("malformed_frame", "not an object")
    kind, message_id = frame.get("type"), frame.get("id")
    if kind == "hello":
        return Hello(_identity(frame, None))
    if kind not in ("say", "choose"):
        raise FrameRefused("unknown_frame", "type: not hello, say or choose")
    if not isinstance(message_id, str) or not _ID.fullmatch(message_id):
        raise FrameRefused("malformed_frame", "id: not 1 to 64 printable ASCII characters")
    identity = _identity(frame, message_id)
    if kind == "say":
        text = _text(frame, "text", MAX_TEXT_CHARACTERS, "text_too_long", message_id)
        return Said(message_id, plain(text), identity=identity)
    payload = _text(frame, "payload", MAX_PAYLOAD_CHARACTERS, "malformed_frame", message_id)
    return Said(message_id, "", choice=plain(payload), identity=identity)


def plain(text: str) -> str:
    """The text without what no store can keep or nobody can read: lone surrogates and control characters."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return "".join(
        character for character in whole if character in _KEPT_CONTROLS or unicodedata.category(character) != "Cc"
    ).strip()


def render(reply: Reply, message_id: str | None) -> ReplyFrame:
    """A reply as a frame; `message_id` is the browser's id of the message it answers, if it was this browser's."""
    return {
        "type": "reply",
        "id": message_id,
        "turn": reply.turn,
        "messages": [_render_message(message) for message in reply.messages],
        "listen": reply.listen,
    }


def render_exchange(exchange: Exchange, message_id: str | None) -> list[SaidFrame | ReplyFrame]:
    """An exchange as the frames that tell it: what was said, if anything was, and what was answered."""
    reply = render(exchange.reply, message_id)
    if not exchange.text:
        return [reply]
    return [{"type": "said", "channel": exchange.channel, "text": exchange.text, "turn": exchange.reply.turn}, reply]


def refusal(code: str, message_id: str | None = None) -> ErrorFrame:
    """An error in words a visitor can do something with."""
    return {"type": "error", "id": message_id, "code": code, "text": _WORDS.get(code, _SORRY)}


def _render_message(message: Message) -> MessageFrame:
    return {
        "text": message.text,
        "choices": [{"title": choice.title, "payload": choice.payload} for choice in message.choices],
        "card": _render_card(message.card) if message.card else None,
    }


def _render_card(card: Card) -> CardFrame:
    return {"title": card.title, "text": card.text, "image": card.image, "image_alt": card.image_alt}


def _identity(frame: dict[str, object], message_id: str | None) -> Identity | None:
    given = frame.get("identity")
    if given is None:
        return None
    user, signature = (given.get("user"), given.get("signature")) if isinstance(given, dict) else (None, None)
    if not isinstance(user, str) or not isinstance(signature, str):
        raise FrameRefused("identity_wrong", "identity: not a user and a signature", message_id)
    return Identity(user, signature)


def _text(frame: dict[str, object], field: str, limit: int, too_long: str, message_id: str) -> str:
    value = frame.get(field)
    if not isinstance(value, str):
        raise FrameRefused("malformed_frame", f"{field}: not text", message_id)
    if len(value) > limit:
        raise FrameRefused(too_long, f"{field}: more than {limit} characters", message_id)
    return value
