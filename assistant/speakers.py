"""Who speaks in a turn: the person of the account that the channel vouches for, whoever proved to be at a shared
address, or the person whose address it is."""

from dataclasses import dataclass
from datetime import datetime

from assistant.assurance import Presences, is_aloud
from assistant.database import UnitOfWork
from assistant.holdings import whole_person
from assistant.profiles import LinkOutcome, Person, Profiles
from assistant.transcripts import ConversationRow, Transcripts
from assistant.turns import Address, Turn, TurnKind

ACCOUNT = "account of the channel"
"""The proof that is journalled when a channel vouches for somebody."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who speaks, and the conversation that they bring along, when they do."""

    person: Person
    conversation: ConversationRow | None = None


class Speakers:
    """Who speaks, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now
        self._profiles = Profiles(unit, now)
        self._presences = Presences(unit, now)

    def known(self, turn: Turn) -> Person | None:
        """Who speaks, as far as they are known before the turn. Changes nothing."""
        if turn.account is not None:
            return self._profiles.find(turn.account) or self._newcomer(turn)
        here = self._speaker(turn)
        return self._profiles.get(whole_person(self._unit, here)) if here else self._profiles.present(turn.address)

    def arrive(self, turn: Turn) -> Arrival:
        """Who speaks, known from this turn on. At a call's begin and end whoever was there has left."""
        if is_aloud(turn):
            if _is_threshold(turn):
                self._presences.leave(turn.address)
            else:
                self._presences.stay(turn.address)
        if turn.account is not None:
            return self._with_account(turn, turn.account)
        return Arrival(self.known(turn) or self._profiles.find_or_create(turn.address, turn.assurance))

    def _speaker(self, turn: Turn) -> str | None:
        return self._presences.speaker(turn.address) if is_aloud(turn) and not _is_threshold(turn) else None

    def _newcomer(self, turn: Turn) -> Person | None:
        """Who was at the address without having proved anything; they are the account's person from now on."""
        person = None if turn.shared else self._profiles.find(turn.address)
        return person if person and not any(known.proven_at for known in person.addresses) else None

    def _with_account(self, turn: Turn, account: Address) -> Arrival:
        """The account's person. What was said at the address without the account goes on under it; the address itself
        stays nobody's, for whoever uses that browser without the account is not known to be them."""
        owner, newcomer = self._profiles.find(account), self._newcomer(turn)
        if newcomer is None:
            owner = owner or self._profiles.find_or_create(account, turn.assurance)
            known = next(known for known in owner.addresses if known.address == account)
            if known.proven_at is None:
                _, owner = self._profiles.link(owner.id, account, ACCOUNT)
            return Arrival(owner)
        open_now = Transcripts(self._unit, self._now).open_of(newcomer.id)
        self._profiles.part(turn.address, ACCOUNT)
        outcome, owner = self._profiles.link(newcomer.id, account, ACCOUNT)
        if outcome is LinkOutcome.MERGED and open_now is not None:
            Transcripts(self._unit, self._now).close_others(owner.id, keep=open_now.id)
        return Arrival(owner, open_now)


def _is_threshold(turn: Turn) -> bool:
    return turn.kind in (TurnKind.OPENED, TurnKind.CLOSED)
