"""The protocol of the authorization server: Authlib's, with our stores behind it.

RFC 6749's authorization code with PKCE (RFC 7636, S256 only), refresh tokens that are exchanged at each use, and
revocation (RFC 7009). One server lives as long as one unit of work.
"""

import hmac
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import (
    AuthorizationCodeMixin,
    AuthorizationServer,
    BaseGrant,
    ClientMixin,
    InvalidRequestError,
    OAuth2Payload,
    TokenMixin,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge

from assistant.identity.tokens import ACCESS_VALID, Granted, Grants, TokenKind

SCOPE = "assistant"
"""The one thing that can be allowed: to speak to the assistant as this person."""
MOST_FIELDS = 50
AUTH_METHODS = ("client_secret_basic", "client_secret_post")


@dataclass(frozen=True)
class Client(ClientMixin):
    """Who may link accounts."""

    id: str
    secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]

    def get_client_id(self) -> str:
        """Its id."""
        return self.id

    def get_default_redirect_uri(self) -> str:
        """None: every request says where it wants people sent."""
        return ""

    def get_allowed_scope(self, scope: Collection[str] | str) -> str:
        """The one scope, whether it was asked for or not."""
        return SCOPE

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """To the letter."""
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """In constant time."""
        return hmac.compare_digest(self.secret.encode(), client_secret.encode(errors="replace"))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """With its secret, in the header or in the form."""
        return method in AUTH_METHODS

    def check_response_type(self, response_type: str) -> bool:
        """Codes only."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Codes and refresh tokens."""
        return grant_type in ("authorization_code", "refresh_token")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as it came."""

    method: str
    url: str
    """On our public address: what a proxy makes of it does not matter."""
    query: str = ""
    form: str = ""
    authorization: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be answered."""

    status: int
    fields: Mapping[str, object]
    location: str | None = None


class Server(AuthorizationServer):
    """The endpoints' logic over the grants of one unit of work, for one client."""

    def __init__(self, client: Client, grants: Grants) -> None:
        super().__init__(scopes_supported=(SCOPE,))
        self.client = client
        self.grants = grants
        self.register_token_generator("default", BearerTokenGenerator(new_token, new_token, _expires_in))
        self.register_grant(_CodeGrant, [_Pkce(required=True)])
        self.register_grant(_RefreshGrant)
        self.register_endpoint(_Revocation)

    def consent_to(self, asked: Asked) -> str:
        """Where the person will be sent if the request for authorization is in order. Raises `OAuth2Error`."""
        uri: str = self.get_consent_grant(asked).redirect_uri  # type: ignore[no-untyped-call]  # untyped in Authlib's stubs
        return uri

    def authorize(self, asked: Asked, person_id: str | None) -> Answer:
        """Send the person back: with a code, or without when they said no. Raises `OAuth2Error`."""
        grant = self.get_consent_grant(asked)  # type: ignore[no-untyped-call]  # untyped in Authlib's stubs
        answer = self.create_authorization_response(asked, grant_user=person_id, grant=grant)
        return _is_answer(answer)

    def token(self, asked: Asked) -> Answer:
        """Exchange a code or a refresh token."""
        return _is_answer(self.create_token_response(asked))

    def revoke(self, asked: Asked) -> Answer:
        """Take back what a token stands for."""
        return _is_answer(self.create_endpoint_response("revocation", asked))  # type: ignore[no-untyped-call]  # untyped in Authlib's stubs

    def query_client(self, client_id: str) -> ClientMixin:
        """The client, if it is this one."""
        return self.client if hmac.compare_digest(client_id.encode(), self.client.id.encode()) else None  # type: ignore[return-value]  # Authlib takes None for unknown

    def save_token(self, token: dict[str, str | int], request: OAuth2Request) -> None:
        """Keep the digests of what is about to be given out."""
        granted = _held(request).granted
        self.grants.issue(granted.grant_id, TokenKind.ACCESS, str(token["access_token"]))
        self.grants.issue(granted.grant_id, TokenKind.REFRESH, str(token["refresh_token"]))

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Asked) -> OAuth2Request:
        """In Authlib's form."""
        return _Request(request)

    def handle_response(self, status: int, body: object, headers: Iterable[tuple[str, str]]) -> Answer:  # type: ignore[override]  # the stub is wrong about headers
        """In ours."""
        location = dict(headers).get("Location")
        return Answer(status, body if isinstance(body, dict) else {}, location)


def fields_of(form: str) -> dict[str, str]:
    """The fields of a URL-encoded form. Raises `ValueError` when there are too many."""
    return dict(parse_qsl(form, max_num_fields=MOST_FIELDS))


def new_token(**_: object) -> str:
    """A token, 256 random bits."""
    return secrets.token_urlsafe(32)


def _expires_in(_client: ClientMixin, _grant_type: str) -> int:
    return int(ACCESS_VALID.total_seconds())


def _held(request: OAuth2Request) -> "_Held":
    held = request.authorization_code or request.refresh_token
    assert isinstance(held, _Held)  # noqa: S101  # both grants put one there before anything is issued
    return held


class _Payload(OAuth2Payload):
    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._lists: dict[str, list[str]] = {}
        for name, value in pairs:
            self._lists.setdefault(name, []).append(value)

    @property
    def data(self) -> dict[str, str]:
        return {name: values[0] for name, values in self._lists.items()}

    @property
    def datalist(self) -> dict[str, list[str]]:
        return self._lists


class _Request(OAuth2Request):
    def __init__(self, asked: Asked) -> None:
        super().__init__(asked.method, asked.url, headers={"Authorization": asked.authorization})
        # Codes, tokens and secrets are taken from the body alone: addresses end up in logs (RFC 6749, section 2.3.1).
        sent = asked.query if asked.method == "GET" else asked.form
        self.payload = _Payload(parse_qsl(sent, max_num_fields=MOST_FIELDS))
        for name, values in self.payload.datalist.items():
            if len(values) > 1:
                raise InvalidRequestError(f"Multiple '{name}' in request." if name.isidentifier() else None)

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data if self.payload else {}


@dataclass(frozen=True)
class _Held(AuthorizationCodeMixin, TokenMixin):
    """A code or refresh token in the form that Authlib asks."""

    granted: Granted

    @property
    def code_challenge(self) -> str:
        return self.granted.challenge

    def get_redirect_uri(self) -> str:
        return self.granted.redirect_uri

    def get_scope(self) -> str:
        return self.granted.scope

    def check_client(self, client: ClientMixin) -> bool:
        return self.granted.client_id == client.get_client_id()


class _Pkce(CodeChallenge):
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012  # Authlib's own form

    def validate_code_challenge(self, grant: BaseGrant, redirect_uri: str) -> None:
        """Authlib lets confidential clients do without; RFC 9700, section 2.1.1, does not."""
        payload = _payload(grant.request)
        if not payload.get("code_challenge") or payload.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A 'code_challenge' with method S256 is required.")
        super().validate_code_challenge(grant, redirect_uri)

    def get_authorization_code_challenge_method(self, authorization_code: _Held) -> str:
        return "S256"


class _CodeGrant(AuthorizationCodeGrant):
    server: Server
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def generate_authorization_code(self) -> str:
        return new_token()

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        payload = _payload(request)
        self.server.grants.give(
            str(request.user),
            self.server.client.id,
            redirect_uri=payload["redirect_uri"],
            scope=SCOPE,
            challenge=payload["code_challenge"],
            code=code,
        )

    def query_authorization_code(self, code: str, client: ClientMixin) -> _Held | None:
        granted = self.server.grants.find(code, TokenKind.CODE, client.get_client_id())
        return _Held(granted) if granted else None

    def delete_authorization_code(self, authorization_code: _Held) -> None:
        self.server.grants.spend(authorization_code.granted)

    def authenticate_user(self, authorization_code: _Held) -> str:
        return authorization_code.granted.person_id


class _RefreshGrant(RefreshTokenGrant):
    server: Server
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> _Held | None:  # type: ignore[override]  # None is for unknown
        granted = self.server.grants.find(refresh_token, TokenKind.REFRESH, self.server.client.id)
        return _Held(granted) if granted else None

    def authenticate_user(self, refresh_token: _Held) -> str:
        return refresh_token.granted.person_id

    def revoke_old_credential(self, refresh_token: TokenMixin) -> None:
        self.server.grants.spend(_held(self.request).granted)


class _Revocation(RevocationEndpoint):
    server: Server
    CLIENT_AUTH_METHODS = AUTH_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> _Held | None:
        for kind in (TokenKind.REFRESH, TokenKind.ACCESS):  # the hint only says where to look first
            granted = self.server.grants.find(token_string, kind, self.server.client.id)
            if granted:
                return _Held(granted)
        return None

    def revoke_token(self, token: _Held, request: OAuth2Request) -> None:
        self.server.grants.revoke(token.granted.grant_id, "a request of the client")


def _payload(request: OAuth2Request) -> dict[str, str]:
    return request.payload.data if request.payload else {}


def _is_answer(answer: object) -> Answer:
    assert isinstance(answer, Answer)  # noqa: S101  # Authlib's own types do not say what `handle_response` returned
    return answer
