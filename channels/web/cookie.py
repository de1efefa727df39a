"""The cookie that a browser is known by: a session id that we make, 256 random bits."""

import hashlib
import re
import secrets
from collections.abc import Mapping

from assistant.turns import Address

COOKIE_SECONDS = 30 * 24 * 3600

_SESSION = re.compile(r"[A-Za-z0-9_-]{43}")


class SessionCookie:
    """The name and attributes of the cookie, which depend on where we are reached and who embeds us."""

    def __init__(self, public_url: str | None, allowed_origins: tuple[str, ...]) -> None:
        secure = (public_url or "").startswith("https://")
        # The prefix makes browsers refuse a cookie of this name from a subdomain or over plain http.
        self._name = "__Host-assistant" if secure else "assistant"
        self._attributes = f"Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; " + (
            # Partitioned: an embedding site gets a session of its own, even where third-party cookies are blocked.
            "Secure; SameSite=None; Partitioned"
            if secure and allowed_origins
            else "Secure; SameSite=Lax"
            if secure
            else "SameSite=Lax"
        )

    def session_of(self, cookies: Mapping[str, str]) -> str | None:
        """The session that a browser shows, if it has the form of one of ours."""
        session = cookies.get(self._name, "")
        return session if _SESSION.fullmatch(session) else None

    def new_session(self) -> str:
        """A session that nobody has."""
        return secrets.token_urlsafe(32)

    def address_of(self, session: str) -> Address:
        """The address of a browser: its session's digest, so that no address gives a session away."""
        return Address("web", hashlib.sha256(session.encode()).hexdigest())

    def header(self, session: str) -> str:
        """The value of `Set-Cookie` that gives a browser this session."""
        return f"{self._name}={session}; {self._attributes}"
