"""The seam between channels and the core: what a person said, and what the assistant answers.

Frozen standard-library types only, so that a channel needs nothing else of the core and the core nothing of a vendor.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Protocol


class Modality(StrEnum):
    """How a reply is taken in."""

    VOICE = "voice"
    """Heard."""
    TEXT = "text"
    """Read, without buttons."""
    SCREEN = "screen"
    """Read, with buttons and cards."""


class Assurance(IntEnum):
    """How sure we are that this address is this person now; ordered, so levels compare."""

    ANONYMOUS = 0
    """Anyone."""
    CLAIMED = 1
    """Caller ID, a shared speaker: easily forged."""
    PROVEN = 2
    """A code, a link or an account token was used."""
    STRONG = 3
    """Signed in, or two proofs within ten minutes."""


class TurnKind(StrEnum):
    """What happened in the channel."""

    OPENED = "opened"
    """The person arrived and has not said anything yet."""
    SAID = "said"
    """The person said, typed or pressed something."""
    SILENCE = "silence"
    """The person was asked and did not answer."""
    CLOSED = "closed"
    """The person hung up or left; no answer can be heard."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person is reached."""

    kind: str
    """`phone`, `whatsapp`, `web`, `screen`, `terminal`, `alexa`, …; a call and an SMS from one number share `phone`."""
    value: str
    """Unique within the kind: a number in E.164, the digest of a session id, a device id."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that happened in a channel, in the channel-free form the core takes."""

    channel: str
    """The channel's name, for transcripts and metrics; the core never branches on it."""
    address: Address
    """Where it came from and where the answer goes."""
    turn_id: str
    """The provider's own id of the message; the same id again gets the same reply."""
    kind: TurnKind
    """What happened."""
    text: str
    """What the person said, as said; empty unless `kind` is `said`."""
    modality: Modality
    """How the reply will be taken in."""
    assurance: Assurance
    """What the channel itself vouches for; the profile may know more."""
    received_at: datetime
    """When it reached us, with time zone."""
    choice: str | None = None
    """The payload of the choice that was pressed, when one was; `text` then holds its title."""
    locale: str | None = None
    """BCP 47 tag that the channel reports, if it does."""
    account: Address | None = None
    """Who the channel has proved to speak in this very turn, where that is more than the address says: the user that a
    host site signed for, the person whose account a speaker was linked with."""
    shared: bool = False
    """Whether several people use the address: a speaker in a kitchen. A proof given there holds for a while, not for
    good."""
    origin: str | None = None
    """Where on the network it came from, where the channel knows; for limits only, never kept as it is."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer the person can pick."""

    title: str
    """What is shown or read out."""
    payload: str
    """What comes back in `Turn.choice`; opaque to channels, valid only in the conversation it was offered in."""


@dataclass(frozen=True, slots=True)
class Card:
    """A thing to look at. A channel that cannot show it drops it: the message's text says enough."""

    title: str
    """Its name."""
    text: str
    """A line or two about it."""
    image: str | None = None
    """Path of a picture on our own server, such as `/channels/web/art/spring-meadow.svg`."""
    image_alt: str = ""
    """What the picture shows, for people who do not see it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One part of a reply."""

    text: str
    """What is read. Always there."""
    speech: str | None = None
    """What is heard instead of `text`, where the two should differ; empty when it is only there to be looked at."""
    choices: tuple[Choice, ...] = ()
    """Answers to offer."""
    card: Card | None = None
    """Something to look at."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the assistant answers to one turn."""

    messages: tuple[Message, ...]
    """In the order they are to be shown or said; empty when there is nothing to say."""
    listen: bool = True
    """Whether an answer is expected, so that a voice channel keeps listening."""
    reprompt: str | None = None
    """What to say when the person stays silent."""
    handed_off: bool = False
    """Whether a person of the staff has the conversation now."""
    turn: int = 0
    """The turn's number in its conversation, from 1; 0 when the turn was not recorded."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A turn as somebody else sees it: another tab, a second screen, the history."""

    channel: str
    """Where the person spoke, or where a message of ours was sent."""
    turn_id: str
    """As in `Turn`; channels use it to know their own turns again."""
    text: str
    """What the person said; empty when the assistant spoke first."""
    reply: Reply
    """What was answered."""
    at: datetime
    """When, with time zone."""
    choice: str | None = None
    """The payload that was pressed, if one was."""


class Assistant(Protocol):
    """The whole interface to the core."""

    async def converse(self, turn: Turn) -> Reply:
        """Answer one turn. The same (channel, turn_id) again gets the same reply.

        Raises `assistant.errors.AssistantError` only when nothing could be recorded (the store is down): the provider
        should try again. Everything else is answered in words.
        """
        ...

    async def history(self, address: Address) -> tuple[Exchange, ...]:
        """The last exchanges of the open conversation at this address, oldest first."""
        ...

    def follow(self, address: Address) -> AbstractAsyncContextManager[AsyncIterator[Exchange]]:
        """Exchanges of this address's person from now on, whichever device they happen on.

        Raises `assistant.errors.SessionRenewed`, at the beginning or later, when whoever was at this address is at
        another one since.
        """
        ...


@dataclass(frozen=True, slots=True)
class Push:
    """Something the assistant sends without being asked in that moment."""

    address: Address
    """Where it goes."""
    reply: Reply
    """What it says."""
    key: str = field(default="")
    """Idempotency key: the same key is sent once."""
