"""Whom a socket of the web chat is for: a browser, or with it a user that the host site vouches for.

A site that embeds the chat and knows its visitors signs the id of each with a secret that it shares with us: hex
HMAC-SHA256 over the id in UTF-8. The page gives both to the chat, which shows them with every frame; a signature that
was only looked at once would leave the frames after it to anybody (FACTS 5.1, web identify call).
"""

import hashlib
import hmac
from dataclasses import dataclass, replace

from assistant.turns import Address, Assurance
from channels.web.frames import FrameRefused, Hello, Identity, Said

LONGEST_USER = 200
"""Characters of a user's id."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose turns come over a socket."""

    browser: Address
    """The browser's address."""
    locale: str | None = None
    """BCP 47 tag that the browser asks for."""
    origin: str | None = None
    """Its address on the network."""
    account: Address | None = None
    """The user of the host site, once the site's signature was seen."""

    @property
    def person_at(self) -> Address:
        """Where whose conversation it is, is found: a user's is the same in every browser."""
        return self.account or self.browser

    @property
    def assurance(self) -> Assurance:
        """What we vouch for."""
        return Assurance.PROVEN if self.account else Assurance.ANONYMOUS

    @property
    def namespace(self) -> str:
        """What makes the browser's ids of messages unique; two users of one browser share none of them."""
        if self.account is None:
            return self.browser.value[:16]
        return hashlib.sha256(f"{self.browser}|{self.account}".encode()).hexdigest()[:16]


class HostSite:
    """The host site's word for who its visitors are; nobody is taken for its user without a secret."""

    def __init__(self, secret: str | None) -> None:
        self._secret = secret.encode() if secret else None

    def account(self, identity: Identity, message_id: str | None = None) -> Address:
        """The user with this identity. Raises `FrameRefused`."""
        if self._secret is None:
            raise FrameRefused("identity_off", "identity: no site secret is set", message_id)
        user, shown = identity.user, identity.signature.lower().encode("utf-8", "replace")
        if not (1 <= len(user) <= LONGEST_USER and user.isprintable()):
            raise FrameRefused("identity_wrong", f"user: not 1 to {LONGEST_USER} printable characters", message_id)
        if not hmac.compare_digest(hmac.new(self._secret, user.encode(), hashlib.sha256).hexdigest().encode(), shown):
            raise FrameRefused("identity_wrong", "signature: not the site's", message_id)
        return Address("site", user)

    def recognise(self, visitor: Visitor, frame: Hello | Said, *, expected: bool) -> Visitor:
        """Who sends this frame. `expected` says that they have still to say whose they are.

        Raises `FrameRefused` when that is not who the socket is for.
        """
        message_id = frame.id if isinstance(frame, Said) else None
        account = self.account(frame.identity, message_id) if frame.identity else None
        if account is None and (expected or visitor.account is not None):
            raise FrameRefused("identity_missing", "identity: none", message_id)
        if expected:
            return replace(visitor, account=account)
        if account != visitor.account:
            raise FrameRefused("identity_changed", "identity: another one than before", message_id)
        return visitor
