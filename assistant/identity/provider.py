"""An OpenID Connect provider: where to send people, and who they are when they come back.

Discovery, authorization code with PKCE and nonce, and an ID token that is believed only when issuer, audience, times,
nonce and signature are right (OpenID Connect Core 1.0, section 3.1.3.7).
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import InvalidKeyTypeError, JoseError
from joserfc.jwk import Key, import_key

from assistant.errors import ProviderUnavailable, SignInRefused
from assistant.settings import is_safe_url

SCOPE = "openid profile email"
TIMEOUT_SECONDS = 5.0
KEPT = timedelta(hours=1)
"""How long the provider's addresses and keys are believed without asking again."""
KEYS_AGAIN = timedelta(minutes=1)
"""A key we do not know may be new: the provider is asked again, but no more often than this."""
LEEWAY_SECONDS = 60
"""By how much clocks may differ."""
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Asymmetric ones only: `none` proves nothing, and with HS256 a public key would do as the secret."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What provider and we have agreed on."""

    issuer: str
    client_id: str
    client_secret: str | None
    employee_claim: tuple[str, str] | None
    """Name and value of the claim that makes somebody an employee; None when everybody is one."""
    redirect_uri: str
    """Where people come back to us."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody, as the provider vouches for them."""

    issuer: str
    subject: str
    """The provider's own id of the person; never given to anybody else."""
    is_employee: bool


@dataclass(frozen=True, slots=True)
class _Metadata:
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    auth_method: str
    names_itself: bool
    """Whether it says who it is when it sends people back (RFC 9207)."""
    keys: tuple[Key, ...]
    read_at: datetime


class Provider:
    """The provider, spoken to over HTTP; what it says about itself is read when it is first needed."""

    def __init__(self, registration: Registration, now: Callable[[], datetime]) -> None:
        self._registration = registration
        self._now = now
        self._metadata: _Metadata | None = None
        self._reading = asyncio.Lock()

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where to send a person to sign in. Raises `ProviderUnavailable`."""
        metadata = await self._known(KEPT)
        url: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            self._registration.client_id,
            "code",
            redirect_uri=self._registration.redirect_uri,
            scope=SCOPE,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return url

    async def identify(self, code: str, *, named: str | None, nonce: str, verifier: str) -> Identity:
        """Who came back with this code; `named` is the issuer that the answer named, if it did.

        Raises `SignInRefused` when what the provider gave is not right, `ProviderUnavailable` when it gave nothing.
        """
        metadata = await self._known(KEPT)
        if named != self._registration.issuer and (named is not None or metadata.names_itself):
            raise SignInRefused("the answer names another issuer")
        token = await self._exchange(metadata, code, verifier)
        return self._believed(await self._verified(token), nonce)

    async def _exchange(self, metadata: _Metadata, code: str, verifier: str) -> str:
        """The ID token for this code."""
        registration = self._registration
        body = prepare_token_request(
            "authorization_code", redirect_uri=registration.redirect_uri, code=code, code_verifier=verifier
        )
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        client = ClientAuth(registration.client_id, registration.client_secret, metadata.auth_method)
        url, headers, body = client.prepare("POST", metadata.token_endpoint, headers, body)
        answer = await self._ask("POST", url, headers, body)
        if answer.is_client_error:
            raise SignInRefused("the provider does not take the code")
        token = _read(answer).get("id_token")
        if not isinstance(token, str):
            raise SignInRefused("no ID token came")
        return token

    async def _verified(self, token: str) -> jwt.Token:
        """The token, with a good signature of one of the provider's keys."""
        try:
            key_id = jws.extract_compact(token.encode()).headers().get("kid")
        except (JoseError, ValueError):
            raise SignInRefused("the ID token cannot be read") from None
        metadata = await self._known(KEPT)
        if key_id is not None and all(key.kid != key_id for key in metadata.keys):
            metadata = await self._known(KEYS_AGAIN)
        for key in metadata.keys:
            if key_id in (None, key.kid):
                try:
                    return jwt.decode(token, key, algorithms=SIGNATURES)
                except (JoseError, ValueError):
                    continue
        raise SignInRefused("the ID token is not signed by the provider")

    def _believed(self, token: jwt.Token, nonce: str) -> Identity:
        registration = self._registration
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": registration.issuer},
                "sub": {"essential": True, "allow_blank": False},
                "aud": {"essential": True, "value": registration.client_id},
            },
            params={"nonce": nonce, "client_id": registration.client_id},
        )
        try:
            claims.validate(now=int(self._now().timestamp()), leeway=LEEWAY_SECONDS)
        except JoseError as error:
            raise SignInRefused(f"the ID token is not for us now ({error.error})") from None
        return Identity(registration.issuer, str(claims["sub"]), _holds(claims, registration.employee_claim))

    async def _known(self, no_older_than: timedelta) -> _Metadata:
        """What the provider says about itself, read again when it is older than this."""
        async with self._reading:
            if self._metadata is None or self._now() - self._metadata.read_at > no_older_than:
                self._metadata = await self._discover()
            return self._metadata

    async def _discover(self) -> _Metadata:
        issuer = self._registration.issuer
        document = _read(await self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
        if document.get("issuer") != issuer:
            raise ProviderUnavailable("its discovery document names another issuer")
        keys_url = _url(document, "jwks_uri")
        return _Metadata(
            authorization_endpoint=_url(document, "authorization_endpoint"),
            token_endpoint=_url(document, "token_endpoint"),
            jwks_uri=keys_url,
            auth_method=self._auth_method(document.get("token_endpoint_auth_methods_supported")),
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
            keys=_keys(_read(await self._ask("GET", keys_url))),
            read_at=self._now(),
        )

    def _auth_method(self, offered: object) -> str:
        if self._registration.client_secret is None:
            return "none"
        basic, post = "client_secret_basic", "client_secret_post"
        # Basic is the default of OpenID Connect Discovery 1.0 where nothing is said.
        return post if isinstance(offered, list) and post in offered and basic not in offered else basic

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: str = ""
    ) -> httpx.Response:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
                answer = await client.request(method, url, headers=headers, content=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProviderUnavailable(type(error).__name__) from error
        if method == "GET" and not answer.is_success or answer.is_server_error or answer.is_redirect:
            raise ProviderUnavailable(f"it answered {answer.status_code}")
        return answer


def _read(answer: httpx.Response) -> dict[str, object]:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ProviderUnavailable("it answered with something else than a JSON object")
    return document


def _url(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not is_safe_url(value):
        raise ProviderUnavailable(f"its {name} is missing or not https")
    return value


def _keys(document: Mapping[str, object]) -> tuple[Key, ...]:
    listed = document.get("keys")
    keys = []
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and entry.get("use", "sig") == "sig":
            try:
                keys.append(import_key(entry))
            except (InvalidKeyTypeError, JoseError, ValueError):
                continue  # RFC 7517, section 5: a key we do not understand is none of ours
    return tuple(keys)


def _holds(claims: Mapping[str, object], wanted: tuple[str, str] | None) -> bool:
    """Whether a claim has the value, alone or in a list. What is not text is compared as JSON writes it: `true`."""
    if wanted is None:
        return True
    name, value = wanted
    found = claims.get(name)
    held = found if isinstance(found, list) else [] if found is None else [found]
    return any((entry if isinstance(entry, str) else json.dumps(entry)) == value for entry in held)
