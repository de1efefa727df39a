"""The routes of the authorization server: the page where a person allows it, and the two endpoints of the client."""

import asyncio
from collections.abc import Callable

import structlog
from authlib.oauth2 import OAuth2Error
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from assistant.database import Database
from assistant.errors import MalformedPayload
from assistant.identity.consent import Consent, Visit
from assistant.identity.forms import form_of
from assistant.identity.page import Pages, Way
from assistant.identity.proving import Browsers
from assistant.identity.server import Answer, Asked, Server, fields_of
from assistant.identity.transactions import in_one_transaction

AUTHORIZE_PATH = "/oauth/authorize"
TOKEN_PATH = "/oauth/token"  # noqa: S105  # a path
REVOKE_PATH = "/oauth/revoke"
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache", "Referrer-Policy": "no-referrer"}

log = structlog.get_logger(__name__)


class AccountLinking:
    """The three routes; `on_commit` is told when a code may wait to be sent."""

    def __init__(
        self,
        consent: Consent,
        database: Database,
        browsers: Browsers,
        pages: Pages,
        *,
        public_url: str,
        on_commit: Callable[[], None],
    ) -> None:
        self._consent = consent
        self._database = database
        self._browsers = browsers
        self._pages = pages
        self._public_url = public_url
        self._on_commit = on_commit

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()

        @router.get(AUTHORIZE_PATH, include_in_schema=False)
        async def look(request: Request) -> Response:
            return await self._page(request)

        @router.post(AUTHORIZE_PATH, include_in_schema=False)
        async def decide(request: Request) -> Response:
            return await self._page(request)

        @router.post(TOKEN_PATH, include_in_schema=False)
        async def token(request: Request) -> Response:
            return await self._endpoint(request, TOKEN_PATH, Server.token)

        @router.post(REVOKE_PATH, include_in_schema=False)
        async def revoke(request: Request) -> Response:
            return await self._endpoint(request, REVOKE_PATH, Server.revoke)

        return router

    async def _endpoint(self, request: Request, path: str, act: Callable[[Server, Asked], Answer]) -> Response:
        try:
            asked = Asked(
                "POST",
                f"{self._public_url}{path}",
                form=await form_of(request),
                authorization=request.headers.get("authorization", ""),
            )
            answer = await asyncio.to_thread(
                in_one_transaction, self._database, lambda unit: act(self._consent.server(unit), asked)
            )
        except (MalformedPayload, OAuth2Error, ValueError):  # ValueError is Authlib's for bytes that are no text
            answer = Answer(400, {"error": "invalid_request"})
        if answer.status != 200:
            log.warning("oauth_refused", endpoint=path, reason=answer.fields.get("error"))
        challenge = {"WWW-Authenticate": "Basic"} if answer.status == 401 else {}
        return JSONResponse(dict(answer.fields), answer.status, headers=NO_STORE | challenge)

    async def _page(self, request: Request) -> Response:
        shown = self._browsers.session_of(request.cookies)
        session = shown or self._browsers.new_session()
        asked = Asked("GET", f"{self._public_url}{AUTHORIZE_PATH}", query=request.url.query)
        try:
            fields = fields_of(await form_of(request)) if request.method == "POST" else None
            visit = Visit(asked, session, fields, request.client.host if request.client else None)
            response = await asyncio.to_thread(
                in_one_transaction, self._database, lambda unit: self._consent.answer(unit, visit)
            )
        except (MalformedPayload, OAuth2Error, ValueError) as error:
            return self._refuse(error)
        self._on_commit()
        if shown is None and "set-cookie" not in response.headers:
            response.headers.append("Set-Cookie", self._browsers.header(session))
        return response

    def _refuse(self, error: MalformedPayload | OAuth2Error | ValueError) -> Response:
        if isinstance(error, OAuth2Error) and error.redirect_uri:  # only ever set to one that is the client's
            _, _, headers = error(None)
            return RedirectResponse(dict(headers)["Location"], 303, headers=NO_STORE)
        log.warning("oauth_refused", endpoint=AUTHORIZE_PATH, reason=getattr(error, "error", "malformed"))
        words = (
            "Whoever sent you here did not ask in a way that we can answer. Nothing was linked. "
            "Please begin again there."
        )
        return self._pages.refuse("This cannot be linked", words, Way.CHAT, status=400)
