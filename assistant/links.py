"""Links and pairing codes: a person's conversation goes on in another browser, on a phone call or at a speaker.

A link holds a token of 256 bits, to be opened in a browser; its eight digits are for where nothing can be opened, and
are said or typed there. Both are good for ten minutes and once, and using one kills the other (FACTS 5.1: link token).
The token is derived from the row's id with the server's secret, so it can be drawn again for who made it, and nothing
that is stored opens it.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.database import Base, UnitOfWork, new_id
from assistant.turns import Address

PATH = "/go"
"""Of the page that opens links."""
PICTURES = "/channels/web/pairing"
"""Where their QR codes are."""
DIGITS = 8
VALID = timedelta(minutes=10)
WRONG_TRIES = 3
"""Wrong tries of one person within `VALID` after which no code is checked any more."""
WRONG_TRIES_IN_ALL = 100
"""The same for everybody together: a code is looked for among all of them, so guessers must not share the work."""
SENDS_PER_QUARTER_HOUR = 3
SENDS_PER_DAY = 10
"""To one address, as with one-time codes."""
KEPT = timedelta(days=1)
"""The longest span that any limit looks back; what is older is deleted."""


class LinkRow(Base):
    """A link that was made. Neither its token nor its digits are kept."""

    __tablename__ = "links"

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(index=True)
    conversation_id: Mapped[str]
    kind: Mapped[str]
    """Kind of the address where it was shown or sent to."""
    value: Mapped[str]
    token: Mapped[str | None] = mapped_column(unique=True)
    """Keyed digest of the token; none once the link was used or replaced."""
    code: Mapped[str | None] = mapped_column(unique=True)
    """The same of the digits."""
    made_at: Mapped[datetime] = mapped_column(index=True)
    version: Mapped[int] = mapped_column()

    # With a version, two who use the same link at once are told apart.
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy's own declarative form


class LinkTryRow(Base):
    """A wrong pairing code that somebody gave."""

    __tablename__ = "link_tries"

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Link:
    """A new link, as it is shown or sent."""

    id: str
    """Names it, and opens nothing."""
    token: str
    """Opens it in a browser: 43 characters that an address may hold."""
    digits: str
    """Opens it where it is said or typed."""

    def url(self, public_url: str) -> str:
        """Its address."""
        return url_of(public_url, self.token)

    @property
    def picture(self) -> str:
        """Path of its QR code, which only the browser that the link was made in gets."""
        return f"{PICTURES}/{self.id}.svg"


@dataclass(frozen=True, slots=True)
class Opened:
    """Whose link was just used, and which conversation is to go on."""

    person_id: str
    conversation_id: str
    address: Address
    """Where it was shown or sent to: whoever uses it is no surer to be the person than whoever is there."""


class PairResult(StrEnum):
    """Why a pairing code opened nothing."""

    WRONG = "wrong"
    """No link has this code now: mistyped, used or expired."""
    LOCKED = "locked"
    """Too many wrong tries."""


class Links:
    """The links, within one unit of work. `key` is the server's secret."""

    def __init__(self, unit: UnitOfWork, now: datetime, key: bytes) -> None:
        self._unit = unit
        self._now = now
        self._key = key

    def make(self, person_id: str, conversation_id: str, address: Address) -> Link:
        """A new link to this conversation, to be shown at or sent to this address. It kills the person's one before."""
        for old in self._unit.rows(LinkRow, person_id=person_id):
            _kill(old)
        self._drop_old()
        link_id, digits = new_id(), f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        token = self._token(link_id)
        row = LinkRow(
            id=link_id,
            person_id=person_id,
            conversation_id=conversation_id,
            kind=address.kind,
            value=address.value,
            token=self._digest("token", token),
            code=self._digest("code", digits),
            made_at=self._now,
        )
        self._unit.add(row)
        return Link(link_id, token, digits)

    def may_send(self, address: Address) -> bool:
        """Whether one more link may be sent there; more than a few would be a nuisance, and cost the shop."""
        made = [row.made_at for row in self._unit.rows(LinkRow, kind=address.kind, value=address.value)]
        lately = sum(at > self._now - timedelta(minutes=15) for at in made)
        return lately < SENDS_PER_QUARTER_HOUR and sum(at > self._now - KEPT for at in made) < SENDS_PER_DAY

    def open(self, token: str) -> Opened | None:
        """Use the link with this token; None when there is none that is good."""
        return self._use(self._unit.row(LinkRow, token=self._digest("token", token)))

    def pair(self, asker_id: str, digits: str) -> Opened | PairResult:
        """Use the link with these digits. `asker_id` is who gives them, as known so far; their wrong tries count."""
        if self._is_locked(asker_id):
            return PairResult.LOCKED
        opened = self._use(self._unit.row(LinkRow, code=self._digest("code", digits)))
        if opened is not None:
            return opened
        self._unit.add(LinkTryRow(id=new_id(), person_id=asker_id, at=self._now))
        return PairResult.LOCKED if self._is_locked(asker_id) else PairResult.WRONG

    def token_for(self, link_id: str, address: Address) -> str | None:
        """The token of a link that is still good, for the address that it was made at; None for any other."""
        row = self._unit.row(LinkRow, id=link_id, kind=address.kind, value=address.value)
        return self._token(row.id) if row and self._is_good(row) else None

    def forget(self, person_id: str) -> None:
        """Delete the person's links, and take them out of wrong tries, which go on counting in all."""
        for row in self._unit.rows(LinkRow, person_id=person_id):
            self._unit.remove(row)
        for wrong in self._unit.rows(LinkTryRow, person_id=person_id):
            wrong.person_id = ""

    def _use(self, row: LinkRow | None) -> Opened | None:
        if row is None or not self._is_good(row):
            return None
        _kill(row)
        return Opened(row.person_id, row.conversation_id, Address(row.kind, row.value))

    def _is_good(self, row: LinkRow) -> bool:
        return row.token is not None and self._now - row.made_at <= VALID

    def _is_locked(self, person_id: str) -> bool:
        since = self._now - VALID
        own = [row for row in self._unit.rows(LinkTryRow, person_id=person_id) if row.at > since]
        query = select(func.count()).select_from(LinkTryRow).where(LinkTryRow.at > since)
        return len(own) >= WRONG_TRIES or (self._unit.session.scalar(query) or 0) >= WRONG_TRIES_IN_ALL

    def _drop_old(self) -> None:
        old = self._now - KEPT
        links = self._unit.session.scalars(select(LinkRow).where(LinkRow.made_at <= old)).all()
        wrong = self._unit.session.scalars(select(LinkTryRow).where(LinkTryRow.at <= old)).all()
        for row in (*links, *wrong):
            self._unit.remove(row)

    def _token(self, link_id: str) -> str:
        derived = hmac.new(self._key, f"link|{link_id}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(derived).rstrip(b"=").decode()

    def _digest(self, purpose: str, secret: str) -> str:
        return hmac.new(self._key, f"link {purpose}|{secret}".encode(errors="replace"), hashlib.sha256).hexdigest()


def url_of(public_url: str, token: str) -> str:
    """Address of the link with this token, which is in the fragment: browsers keep that from logs and previews."""
    return f"{public_url}{PATH}#{token}"


def _kill(row: LinkRow) -> None:
    row.token = row.code = None
