"""What a custom action may touch while a turn runs. Actions run in the turn's own unit of work and never commit it."""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from assistant.assurance import Presences, Proofs, is_aloud
from assistant.codes import Codes
from assistant.links import Links
from assistant.needs import ANYONE, Below, Needs, Standing
from assistant.notices import Notices
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
    links: Links
    proofs: Proofs
    presences: Presences
    public_url: str | None
    """Where the outside world reaches us, without a slash at the end, if it does."""
    texting: bool
    """Whether text messages can be sent at all."""
    hold_minutes: int
    """How long staff usually have to answer a conversation that is held."""
    screen: bool = False
    """Whether a screen follows the conversation, so that a voice need not read out what is shown there."""
    begun_elsewhere: bool = False
    """Whether a voice that has proved nothing speaks in a conversation that it did not begin in this call."""
    hold_reason: str | None = None
    """Set by `hold`."""
    merged: bool = False
    """Set by `link` when two people turned out to be one."""
    proved: bool = False
    """Set by `link` and `join`: in this turn the person has proved who they are."""
    arrived: bool = False
    """Set by `link` and `join` when somebody else than before turned out to speak, for as long as they do."""
    goes_on_in: str | None = None
    """Set by `join`: the conversation that goes on from here instead of this one."""
    guarded: bool = False
    """Set by `require` when what was done hangs on who speaks, so that it is looked at again at the commit."""
    showing_the_way: bool = False
    """Whether this turn only offers the way up after a refusal, so that nothing the person asked for is done in it."""
    forgotten: bool = False
    """Set by `forget`."""

    @property
    def heard_beside_screen(self) -> bool:
        """Whether the answer is heard while a screen shows it: what is long goes there, the voice says the headline."""
        return self.screen and self.turn.modality is Modality.VOICE

    def hold(self, reason: str) -> None:
        """Hand the conversation to staff when this turn is over: the assistant falls silent on every channel."""
        self.hold_reason = reason

    @property
    def keeps_to_itself(self) -> bool:
        """Whether what stands in this conversation must not be told: whoever hears it may be somebody else."""
        return self.begun_elsewhere and not self.proved

    @property
    def standing(self) -> Standing:
        """Who speaks, as far as it decides what they may do."""
        return Standing(
            roles=self.person.roles,
            assurance=self.proofs.assurance(self.turn, self.person),
            proved=any(known.proven_at for known in self.person.addresses),
            aloud=is_aloud(self.turn),
        )

    def may(self, needs: Needs) -> bool:
        """Whether whoever speaks meets these needs."""
        if needs == ANYONE:
            return True
        self.guarded = True
        return self.standing.meets(needs)

    def require(self, needs: Needs) -> None:
        """The gate. Raises `Below` when whoever speaks does not meet these needs."""
        if not self.showing_the_way and not self.may(needs):
            raise Below(by_proof=self.standing.could_meet(needs))

    def link(self, address: Address, proof: str) -> LinkOutcome:
        """Whoever speaks has proved this address; `person` is who they are from now on.

        At a shared address, and on a call that may come from anywhere, that is whose address it is, and only while they
        are there: nothing tells that they are who is known by the number that the call seems to come from.
        """
        before = self.person
        if self.turn.shared or (is_aloud(self.turn) and address != self.turn.address):
            owner = self.profiles.find(address)
            outcome, self.person = self.profiles.link(None, address, proof, at=address)
            before = owner if owner is not None and owner.id == self.person.id else self.person
            self.arrived = True
        else:
            outcome, self.person = self.profiles.link(self.person.id, address, proof, at=self.turn.address)
        if outcome is LinkOutcome.REFUSED:
            return outcome
        Notices(self.outbox, self.shop, self.now).connected(before, self.person)
        self.merged = self.merged or outcome is LinkOutcome.MERGED
        if is_aloud(self.turn) or address != self.turn.address:
            self.proofs.add(self.person.id, address, proof)
        self._prove_here(proof)
        return outcome

    def join(self, person_id: str, conversation_id: str, proof: str) -> LinkOutcome:
        """Whoever speaks has shown a code that this person was shown in that conversation, which goes on from here.

        In a browser it makes the two one, for good; a voice is that person's while they are there. It proves nothing
        about a phone number.
        """
        outcome = LinkOutcome.LINKED
        if is_aloud(self.turn):
            self.person, self.arrived = self.profiles.get(person_id), True
        else:
            before = self.profiles.get(person_id)
            outcome, self.person = self.profiles.adopt(person_id, self.turn.address, proof)
            if outcome is LinkOutcome.REFUSED:
                return outcome
            Notices(self.outbox, self.shop, self.now).connected(before, self.person)
            self.merged = self.merged or outcome is LinkOutcome.MERGED
        self.goes_on_in = conversation_id
        self._prove_here(proof)
        return outcome

    def _prove_here(self, proof: str) -> None:
        self.proved = True
        here, aloud = self.turn.address, is_aloud(self.turn)
        self.proofs.add(self.person.id, here, proof, conversation_id=self.conversation_id, aloud=aloud)
        if aloud:
            self.presences.arrive(here, self.person.id)
        else:
            self.person = self.profiles.vouch(self.person.id, here, proof)

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
