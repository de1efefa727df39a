"""Opening a link: somebody's conversation goes on in this browser (`assistant/links.py`).

Looking at the page uses nothing up, so that previews of a link in a message do no harm; pressing the button does. The
form carries a token bound to the browser's session, so that no other site can press it and have its visitors go on in
somebody else's conversation.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from assistant.database import Database, UnitOfWork
from assistant.errors import MalformedPayload
from assistant.identity.forms import form_of
from assistant.identity.page import Pages, Way
from assistant.identity.picture import qr_code
from assistant.identity.proving import Browsers, Proving
from assistant.identity.server import fields_of
from assistant.identity.transactions import in_one_transaction
from assistant.links import PATH, PICTURES, Links, url_of
from assistant.profiles import Person
from assistant.shop import Shop
from assistant.turns import Address

PROOF = "link"

_PICTURE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "Cache-Control": "no-store",
    # Other sites embed the chat, and its pictures with it.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}

log = structlog.get_logger(__name__)


class Opening:
    """The page that opens links, and the pictures of those that are to be scanned."""

    def __init__(
        self,
        database: Database,
        browsers: Browsers,
        pages: Pages,
        shop: Shop,
        *,
        public_url: str,
        key: bytes,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._browsers = browsers
        self._pages = pages
        self._shop = shop
        self._public_url = public_url
        self._key = key
        self._now = now

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()

        @router.get(PATH, include_in_schema=False)
        async def look(request: Request) -> Response:
            shown = self._browsers.session_of(request.cookies)
            session = shown or self._browsers.new_session()
            values = {"action": PATH, "form": self._form_token(session)}
            response = self._pages.show("opening.html", values, form_action="'self'", runs=True)
            if shown is None:
                response.headers.append("Set-Cookie", self._browsers.header(session))
            return response

        @router.post(PATH, include_in_schema=False)
        async def go_on(request: Request) -> Response:
            try:
                fields = fields_of(await form_of(request))
            except (MalformedPayload, ValueError):
                fields = {}
            session = self._browsers.session_of(request.cookies)
            if session is None or not self._is_ours(session, fields.get("form", "")):
                return self._refuse_form()
            return await asyncio.to_thread(self._open, self._browsers.address_of(session), fields.get("token", ""))

        @router.get(f"{PICTURES}/{{link_id}}.svg", include_in_schema=False)
        async def picture(request: Request, link_id: str) -> Response:
            session = self._browsers.session_of(request.cookies)
            url = await asyncio.to_thread(self._url_of, link_id, session) if session else None
            if url is None:
                raise HTTPException(404)
            return Response(qr_code(url), media_type="image/svg+xml", headers=_PICTURE_HEADERS)

        return router

    def _open(self, browser: Address, token: str) -> Response:
        session = self._browsers.new_session()
        renewed = self._browsers.address_of(session)

        def open_link(unit: UnitOfWork) -> tuple[bool, Person | None]:
            opened = Links(unit, self._now(), self._key).open(token)
            if opened is None:
                return False, None
            return True, Proving(unit, self._now(), self._shop).go_on(browser, renewed, opened, PROOF)

        was_good, person = in_one_transaction(self._database, open_link)
        if person is not None:
            log.info("link_opened", person=person.id)
            headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
            response = RedirectResponse(Way.CHAT.href, 303, headers=headers)
            response.headers.append("Set-Cookie", self._browsers.header(session))
            return response
        if was_good:
            log.warning("link_refused", reason="two people")
            words = (
                "This browser belongs to somebody else who proved who they are, so the conversation cannot go on here. "
                "Nothing was changed, but the link is used up: ask for a new one, and open it in a browser of your own."
            )
            return self._pages.refuse("This browser is somebody else's", words, Way.CHAT, status=409)
        log.info("link_refused", reason="not good")
        words = (
            "A link is good for ten minutes and works once. Where you talked with us, say “send me a link” and you get "
            "a new one."
        )
        return self._pages.refuse("This link is over", words, Way.CHAT, status=410)

    def _refuse_form(self) -> Response:
        log.warning("link_refused", reason="form token")
        words = (
            "This page was open for too long, or your browser does not keep our cookie. Nothing was changed. "
            "Please open the link again."
        )
        return self._pages.refuse("Please open the link again", words, Way.CHAT, status=403)

    def _url_of(self, link_id: str, session: str) -> str | None:
        with self._database.unit_of_work() as unit:
            links = Links(unit, self._now(), self._key)
            token = links.token_for(link_id, self._browsers.address_of(session))
            return url_of(self._public_url, token) if token else None

    def _is_ours(self, session: str, form_token: str) -> bool:
        return hmac.compare_digest(form_token.encode(errors="replace"), self._form_token(session).encode())

    def _form_token(self, session: str) -> str:
        return hmac.new(self._key, f"go on|{session}".encode(), hashlib.sha256).hexdigest()
