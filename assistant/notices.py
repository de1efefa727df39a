"""What we send a person without being asked in that moment: to the address they prefer, and not in their quiet hours.

Codes, and answers to what was just asked, are no notices: they go where they were asked for, at once.
"""

from datetime import UTC, datetime

from assistant.claims import NUMBERS
from assistant.outbox import Outbox
from assistant.profiles import KnownAddress, Person
from assistant.shop import Shop
from assistant.turns import Address

_NEVER = datetime.min.replace(tzinfo=UTC)
_CALLED = {"phone": "phone number", "whatsapp": "WhatsApp number", "oidc": "sign-in"}
"""What an address is called in a notice, by its kind; the others are devices."""


class Notices:
    """The notices, written with the turn into its outbox."""

    def __init__(self, outbox: Outbox, shop: Shop, now: datetime) -> None:
        self._outbox = outbox
        self._shop = shop
        self._now = now

    def reached_at(self, person: Person) -> Address | None:
        """Where a notice to this person would go now; None when there is nowhere.

        That is a number they have proved and still have, and did not opt out of: of the kind they prefer, else a phone;
        the latest proof wins.
        """
        return self._best(person, person.addresses)

    def notify(self, person: Person, text: str, *, key: str | None = None) -> bool:
        """Send this text to the person, the same `key` once. False, and nothing is sent, when there is nowhere to."""
        return self._send(person, self.reached_at(person), text, key)

    def connected(self, before: Person, after: Person, *, but: Address | None = None) -> None:
        """Warn a person who had proved who they are that a number or a device has just become theirs.

        `before` is who proved it, as they were until then, and `after` who they are now. The warning goes to a number
        that was proved earlier, so never to the new one; with `but`, not to this one either: it served as the proof.
        """
        had = {known.address for known in before.addresses}
        moved_in = before.id != after.id
        new = [known.address for known in after.addresses if (known.address in had) is moved_in]
        others = tuple(
            known
            for known in after.addresses
            if known.address not in {*new, but} and (known.proven_at or self._now) < self._now
        )
        if new:
            called = min((_CALLED.get(address.kind, "device") for address in new), key=_rank)
            text = self._warning(f"a new {called} was connected to your profile")
            self._send(after, self._best(after, others), text, None)

    def account_linked(self, person: Person, site: str) -> None:
        """Tell a person that an account of theirs on this site now speaks for them."""
        self.notify(person, self._warning(f"an account on {site} was connected to your profile"))

    def _warning(self, what: str) -> str:
        return f"{self._shop.name}: {what}. If that was not you, answer “talk to a person” or call us."

    def _best(self, person: Person, addresses: tuple[KnownAddress, ...]) -> Address | None:
        texted = [
            known
            for known in addresses
            if known.address.kind in NUMBERS
            and known.proven_at
            and known.holds
            and not self._outbox.is_opted_out(known.address)
        ]

        def wanted(known: KnownAddress) -> tuple[bool, bool, datetime]:
            kind = known.address.kind
            return kind == person.reach, kind == "phone", known.proven_at or _NEVER

        return max(texted, key=wanted).address if texted else None

    def _send(self, person: Person, address: Address | None, text: str, key: str | None) -> bool:
        if address is None:
            return False
        due_at = person.quiet.over(self._now, self._shop.zone) if person.quiet else None
        self._outbox.text(address, text, key=key, due_at=due_at)
        return True


def _rank(called: str) -> int:
    """A number is worth more to a thief than the rest, so it is named first."""
    return [*_CALLED.values(), "device"].index(called)
