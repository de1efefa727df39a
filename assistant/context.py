"""What a custom action may touch while a turn runs. Actions run in the turn's own unit of work and never commit it."""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from assistant.codes import Codes
from assistant.orders import Orders
from assistant.outbox import Outbox
from assistant.profiles import LinkOutcome, Person, Profiles
from assistant.requests import Requests
from assistant.screens import Screens
from assistant.shop import Shop
from assistant.turns import Address, Modality, Turn


@dataclass(slots=True)
class TurnContext:
    """One turn: who speaks, when, and the stores of its unit of work."""

    turn: Turn
    """What was said and how the answer will be taken in."""
    person: Person
    """Who said it, as known when the turn began or after `link`."""
    conversation_id: str
    """The conversation it belongs to."""
    now: datetime
    """The moment of the turn, in UTC."""
    shop: Shop
    profiles: Profiles
    orders: Orders
    requests: Requests
    codes: Codes
    outbox: Outbox
    screens: Screens
    texting: bool
    """Whether text messages can be sent at all."""
    hold_minutes: int
    """How long staff usually have to answer a conversation that is held."""
    screen: bool = False
    """Whether a screen follows the conversation, so that a voice need not read out what is shown there."""
    hold_reason: str | None = None
    """Set by `hold`."""
    merged: bool = False
    """Set by `link` when two people turned out to be one."""
    forgotten: bool = False
    """Set by `forget`."""

    @property
    def heard_beside_screen(self) -> bool:
        """Whether the answer is heard while a screen shows it: what is long goes there, the voice says the headline."""
        return self.screen and self.turn.modality is Modality.VOICE

    def hold(self, reason: str) -> None:
        """Hand the conversation to staff when this turn is over: the assistant falls silent on every channel."""
        self.hold_reason = reason

    def link(self, address: Address, proof: str) -> LinkOutcome:
        """The person of this turn has proved this address; `person` is who they are from now on."""
        outcome, self.person = self.profiles.link(self.person.id, address, proof)
        self.merged = self.merged or outcome is LinkOutcome.MERGED
        return outcome

    def forget(self) -> None:
        """Forget the person when this turn is over: profile, addresses and the words of every conversation."""
        self.forgotten = True


_current: ContextVar[TurnContext] = ContextVar("turn")


def current() -> TurnContext:
    """The turn that runs in this task. Raises `LookupError` outside of one."""
    return _current.get()


class TurnScope:
    """Makes a context the current one for the length of a `with` block."""

    def __init__(self, context: TurnContext) -> None:
        self._context = context

    def __enter__(self) -> TurnContext:
        self._token = _current.set(self._context)
        return self._context

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
