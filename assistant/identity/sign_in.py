"""Signing in with the provider, from the chat and back to it.

The state of a sign-in is kept here, belongs to one browser and is good once; PKCE's verifier and the nonce are derived
from it with our key, so that nothing that is stored could finish a sign-in. Where people go afterwards is fixed.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from assistant.database import Database, UnitOfWork
from assistant.errors import ProviderUnavailable, SignInRefused
from assistant.identity.attempts import Attempts
from assistant.identity.page import Pages, Way
from assistant.identity.provider import Identity, Provider
from assistant.identity.proving import Browsers, Proving
from assistant.identity.transactions import in_one_transaction
from assistant.profiles import Profiles
from assistant.shop import Shop
from assistant.turns import Address, Assurance

PATH = "/sign-in"
CALLBACK_PATH = "/sign-in/callback"
PROOF = "oidc sign-in"
LONGEST = 2_000
"""Characters of a code or state; more is nothing a provider sends."""

log = structlog.get_logger(__name__)


class SignIn:
    """The two routes of signing in."""

    def __init__(
        self,
        provider: Provider,
        database: Database,
        browsers: Browsers,
        pages: Pages,
        shop: Shop,
        key: bytes,
        now: Callable[[], datetime],
    ) -> None:
        self._provider = provider
        self._database = database
        self._browsers = browsers
        self._pages = pages
        self._shop = shop
        self._key = key
        self._now = now

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()

        @router.get(PATH, include_in_schema=False)
        async def sign_in(request: Request) -> Response:
            return await self._send_away(self._browsers.session_of(request.cookies))

        @router.get(CALLBACK_PATH, include_in_schema=False)
        async def callback(
            request: Request, state: str = "", code: str = "", error: str = "", iss: str | None = None
        ) -> Response:
            session = self._browsers.session_of(request.cookies)
            return await self._come_back(session, state[:LONGEST], code[:LONGEST], error, iss)

        return router

    async def _send_away(self, session: str | None) -> Response:
        shown, session = session, session or self._browsers.new_session()
        browser = self._browsers.address_of(session)
        state = await asyncio.to_thread(
            in_one_transaction, self._database, lambda unit: Attempts(unit, self._now()).begin(browser)
        )
        try:
            url = await self._provider.authorization_url(
                state=state, nonce=self._derived("nonce", state), verifier=self._derived("verifier", state)
            )
        except ProviderUnavailable as failure:
            return self._unavailable(failure)
        return self._redirect(url, None if shown else session)

    async def _come_back(self, session: str | None, state: str, code: str, error: str, named: str | None) -> Response:
        browser = self._browsers.address_of(session) if session else None
        if browser is None or not await self._is_ours(browser, state):
            log.warning("sign_in_refused", reason="state")
            return self._pages.refuse(
                "This sign-in is over",
                "It was begun in another browser, took over ten minutes, or was finished before. Nothing was changed.",
                Way.SIGN_IN,
                Way.CHAT,
                status=400,
            )
        if error or not code:
            log.info("sign_in_cancelled")
            words = "The sign-in was not finished. You can go on in the chat without it."
            return self._pages.refuse("Not signed in", words, Way.CHAT, Way.SIGN_IN, status=403)
        try:
            identity = await self._provider.identify(
                code, named=named, nonce=self._derived("nonce", state), verifier=self._derived("verifier", state)
            )
        except SignInRefused as refused:
            log.warning("sign_in_refused", reason=str(refused))
            words = "What your sign-in service sent could not be trusted, so nothing was changed. Please try once more."
            return self._pages.refuse("Not signed in", words, Way.SIGN_IN, Way.CHAT, status=403)
        except ProviderUnavailable as failure:
            return self._unavailable(failure)
        return await asyncio.to_thread(self._link, browser, identity)

    def _link(self, browser: Address, identity: Identity) -> Response:
        session = self._browsers.new_session()
        renewed = self._browsers.address_of(session)
        account = Address("oidc", f"{identity.issuer}|{identity.subject}")

        def link(unit: UnitOfWork) -> str | None:
            profiles = Profiles(unit, self._now())
            if not identity.is_employee:
                known = profiles.find(account)
                if known is not None:
                    profiles.withdraw_employee(known.id, PROOF)
                return None
            proving = Proving(unit, self._now(), self._shop)
            person = proving.prove(browser, renewed, account, PROOF, Assurance.STRONG)
            if person is None:
                return None
            profiles.give_employee(person.id, PROOF)
            return person.id

        person_id = in_one_transaction(self._database, link)
        if person_id is not None:
            log.info("signed_in", person=person_id)
            return self._redirect(Way.CHAT.href, session)
        if not identity.is_employee:
            log.warning("sign_in_refused", reason="not an employee")
            words = (
                "Signing in is for people who work here, and your account does not say so. You can go on in the chat."
            )
            return self._pages.refuse("Not for this account", words, Way.CHAT, status=403)
        log.warning("sign_in_refused", reason="two people")
        words = (
            "This chat belongs to somebody who proved who they are, and so does the account you signed in with. "
            "A machine must not join the two: our staff will look at it. Nothing was changed."
        )
        return self._pages.refuse("This chat is somebody else's", words, Way.CHAT, status=409)

    async def _is_ours(self, browser: Address, state: str) -> bool:
        return await asyncio.to_thread(
            in_one_transaction, self._database, lambda unit: Attempts(unit, self._now()).take(browser, state)
        )

    def _derived(self, purpose: str, state: str) -> str:
        return hmac.new(self._key, f"sign-in {purpose}|{state}".encode(), hashlib.sha256).hexdigest()

    def _redirect(self, url: str, session: str | None) -> Response:
        response = RedirectResponse(url, 303, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
        if session is not None:
            response.headers.append("Set-Cookie", self._browsers.header(session))
        return response

    def _unavailable(self, failure: ProviderUnavailable) -> Response:
        log.warning("provider_unavailable", reason=str(failure))
        words = "The service you sign in with cannot be reached just now. Please try again in a moment."
        return self._pages.refuse("Signing in does not work right now", words, Way.SIGN_IN, Way.CHAT, status=502)
