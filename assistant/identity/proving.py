"""What a proof does to the browser that gave it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from assistant.assurance import Proofs
from assistant.database import UnitOfWork
from assistant.links import Opened
from assistant.notices import Notices
from assistant.outbox import Outbox
from assistant.profiles import LinkOutcome, Person, Profiles
from assistant.shop import Shop
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

    def __init__(self, unit: UnitOfWork, now: datetime, shop: Shop) -> None:
        self._notices = Notices(Outbox(unit, now), shop, now)
        self._profiles = Profiles(unit, now)
        self._proofs = Proofs(unit, now)
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
        before = self._profiles.find_or_create(browser, Assurance.ANONYMOUS)
        current = self._transcripts.open_of(before.id)
        outcome, person = self._profiles.link(before.id, proved, proof, at=browser)
        if outcome is LinkOutcome.REFUSED:
            return None
        self._notices.connected(before, person)
        if outcome is LinkOutcome.MERGED and current is not None:
            self._transcripts.close_others(person.id, keep=current.id)
        self._profiles.move_address(browser, renewed, proof, level)
        self._transcripts.move_address(browser, renewed)
        return self._profiles.get(person.id)

    def go_on(self, browser: Address, renewed: Address, opened: Opened, proof: str) -> Person | None:
        """Whoever is at `browser` opened a link, so they are the person whose it is; from now on they are at `renewed`.

        The link's conversation goes on, and what was said in this browser before is the person's too. The browser is
        no surer to be theirs than the address where the link was shown or sent to. None, and nothing changes but the
        journal, when the browser belongs to another person who has proofs: nobody gets into what they proved by having
        them open a link.
        """
        owner, here = self._profiles.get(opened.person_id), self._profiles.find(browser)
        if here is not None and here.id != owner.id and self.proven(browser) is not None:
            self._profiles.refuse(owner.id, here.id, browser, proof, actor=here.id)
            return None
        sure = any(known.address == opened.address and known.proven_at for known in owner.addresses)
        goes_on = self._transcripts.going_on(owner.id, opened.conversation_id)
        _, joined = self._profiles.adopt(owner.id, browser, proof)
        self._notices.connected(owner, joined, but=opened.address)
        if sure:
            self._profiles.vouch(owner.id, browser, proof)
        self._profiles.move_address(browser, renewed, proof)
        self._transcripts.move_address(browser, renewed)
        self._proofs.move(browser, renewed)
        if sure and (here is None or here.id != owner.id):
            self._proofs.add(owner.id, renewed, proof, conversation_id=opened.conversation_id)
        if goes_on is not None:
            self._transcripts.close_others(owner.id, keep=goes_on.id)
        return self._profiles.get(owner.id)
