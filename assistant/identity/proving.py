"""What a proof does to the browser that gave it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from assistant.database import UnitOfWork
from assistant.profiles import LinkOutcome, Person, Profiles
from assistant.transcripts import Transcripts
from assistant.turns import Address, Assurance


class Browsers(Protocol):
    """Knows browsers by their session; whoever talks to browsers provides it."""

    def session_of(self, cookies: Mapping[str, str]) -> str | None:
        """The session that a browser shows."""
        ...

    def new_session(self) -> str:
        """A session that nobody has."""
        ...

    def address_of(self, session: str) -> Address:
        """The address of the browser with this session."""
        ...

    def header(self, session: str) -> str:
        """The value of `Set-Cookie` that gives a browser this session."""
        ...


class Proving:
    """Proofs given in a browser, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._profiles = Profiles(unit, now)
        self._transcripts = Transcripts(unit, now)

    def proven(self, browser: Address) -> Person | None:
        """The person at this browser, if any address of theirs has been proved."""
        person = self._profiles.find(browser)
        return person if person and any(known.proven_at for known in person.addresses) else None

    def prove(self, browser: Address, renewed: Address, proved: Address, proof: str, level: Assurance) -> Person | None:
        """Whoever is at `browser` has proved the address `proved`; from now on the browser is `renewed`.

        The session changes with what it may do, so that one that somebody else prepared or learnt is worth nothing
        afterwards. The conversation in the browser goes on. None, and nothing changes but the journal, when browser and
        address belong to two people who both have proofs: staff must look at that.
        """
        person = self._profiles.find_or_create(browser, Assurance.ANONYMOUS)
        current = self._transcripts.open_of(person.id)
        outcome, person = self._profiles.link(person.id, proved, proof)
        if outcome is LinkOutcome.REFUSED:
            return None
        if outcome is LinkOutcome.MERGED and current is not None:
            self._transcripts.close_others(person.id, keep=current.id)
        self._profiles.move_address(browser, renewed, level)
        self._transcripts.move_address(browser, renewed)
        return self._profiles.get(person.id)
