"""What people have allowed others to do for them: grants, and the codes and tokens that stand for them.

Codes and tokens are 256 random bits; only their digests are kept. One that must be used once and comes again was stolen
or leaked, so its whole grant is revoked (RFC 9700, sections 2.1.1 and 4.14).
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from assistant.database import Base, Database, Overtaken, UnitOfWork, new_id
from assistant.journal import ACCOUNT_LINKED, ACCOUNT_UNLINKED, Journal

CODE_VALID = timedelta(minutes=5)
ACCESS_VALID = timedelta(hours=1)
REFRESH_VALID = timedelta(days=90)


class TokenKind(StrEnum):
    """What a token is for."""

    CODE = "code"
    """Exchanged once for the first two of the others."""
    ACCESS = "access_token"
    """Says who somebody is."""
    REFRESH = "refresh_token"
    """Exchanged once for the next two."""


_VALID = {TokenKind.CODE: CODE_VALID, TokenKind.ACCESS: ACCESS_VALID, TokenKind.REFRESH: REFRESH_VALID}


class GrantRow(Base):
    """A person allowed a client something, once, on our page."""

    __tablename__ = "grants"

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", deferrable=True, initially="DEFERRED"), index=True)
    client_id: Mapped[str]
    redirect_uri: Mapped[str]
    scope: Mapped[str]
    challenge: Mapped[str]
    """PKCE, method S256."""
    given_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy's own declarative form


class TokenRow(Base):
    """A code or token of a grant."""

    __tablename__ = "grant_tokens"

    digest: Mapped[str] = mapped_column(primary_key=True)
    grant_id: Mapped[str] = mapped_column(ForeignKey("grants.id", deferrable=True, initially="DEFERRED"), index=True)
    kind: Mapped[str]
    expires_at: Mapped[datetime]
    spent: Mapped[bool]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy's own declarative form


@dataclass(frozen=True, slots=True)
class Granted:
    """A code or token that is good now, and what it stands for."""

    grant_id: str
    digest: str
    kind: TokenKind
    person_id: str
    client_id: str
    redirect_uri: str
    scope: str
    challenge: str


class Grants:
    """The grants, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now
        self._journal = Journal(unit, now)

    def give(self, person_id: str, client_id: str, *, redirect_uri: str, scope: str, challenge: str, code: str) -> None:
        """The person allows the client this; the code stands for it until it is exchanged."""
        row = GrantRow(
            id=new_id(),
            person_id=person_id,
            client_id=client_id,
            redirect_uri=redirect_uri,
            scope=scope,
            challenge=challenge,
            given_at=self._now,
            revoked_at=None,
        )
        self._unit.add(row)
        self._journal.add(person_id, ACCOUNT_LINKED, f"consent to {client_id}")
        self.issue(row.id, TokenKind.CODE, code)

    def issue(self, grant_id: str, kind: TokenKind, token: str) -> None:
        """One more token of this grant. Those that have expired are dropped, but for the code: it must stay known."""
        for row in self._unit.rows(TokenRow, grant_id=grant_id):
            if row.expires_at <= self._now and row.kind != TokenKind.CODE:
                self._unit.remove(row)
        expires_at = self._now + _VALID[kind]
        self._unit.add(
            TokenRow(digest=_digest(token), grant_id=grant_id, kind=kind.value, expires_at=expires_at, spent=False)
        )

    def find(self, token: str, kind: TokenKind, client_id: str) -> Granted | None:
        """What this client's token stands for; None when it is not good. One that was spent revokes its grant."""
        row = self._unit.row(TokenRow, digest=_digest(token), kind=kind.value)
        grant = self._unit.row(GrantRow, id=row.grant_id) if row else None
        if row is None or grant is None or grant.client_id != client_id:
            return None
        if row.spent:
            self.revoke(grant.id, "a token that was used before")
        if grant.revoked_at is not None or row.expires_at <= self._now:
            return None
        return Granted(
            grant_id=grant.id,
            digest=row.digest,
            kind=kind,
            person_id=grant.person_id,
            client_id=grant.client_id,
            redirect_uri=grant.redirect_uri,
            scope=grant.scope,
            challenge=grant.challenge,
        )

    def spend(self, granted: Granted) -> None:
        """This code or token is exchanged now and must not come again. Raises `Overtaken` when it just was."""
        for row in self._unit.rows(TokenRow, digest=granted.digest):
            if row.spent:  # the row was read again, as somebody else has left it since `find`
                raise Overtaken
            row.spent = True

    def revoke(self, grant_id: str, proof: str) -> None:
        """Take back a grant with every token of it; `proof` says why."""
        for row in self._unit.rows(GrantRow, id=grant_id, revoked_at=None):
            row.revoked_at = self._now
            self._journal.add(row.person_id, ACCOUNT_UNLINKED, proof, actor=row.client_id)

    def forget(self, person_id: str) -> None:
        """Delete every grant of a person."""
        for grant in self._unit.rows(GrantRow, person_id=person_id):
            for token in self._unit.rows(TokenRow, grant_id=grant.id):
                self._unit.remove(token)
            self._unit.remove(grant)


class AccessTokens:
    """Says whose an access token is; for channels whose people linked their account."""

    def __init__(self, database: Database, client_id: str, now: Callable[[], datetime]) -> None:
        self._database = database
        self._client_id = client_id
        self._now = now

    async def person_of(self, token: str) -> str | None:
        """Id of the person whose token this is; None unless it was issued to our client and is good at this moment."""
        return await asyncio.to_thread(self._person_of, token)

    def _person_of(self, token: str) -> str | None:
        with self._database.unit_of_work() as unit:
            granted = Grants(unit, self._now()).find(token, TokenKind.ACCESS, self._client_id)
            return granted.person_id if granted else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
