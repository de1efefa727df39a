"""The web chat: a page of the shop, one script tag for any site, and the WebSocket behind them.

**Who is speaking.** A browser is known by a session id that we make (256 random bits) and keep in an HttpOnly cookie,
set on the WebSocket handshake so that embedding sites need nothing else. The address is the id's digest: whoever reads
our database, logs or frames cannot become that browser.

**Which sites may connect.** Browsers send cookies along with WebSocket handshakes to any server and apply no
same-origin rule to them, so another site's page could speak as the visitor and read the conversation. They do send an
honest `Origin`: it must be our own (the host the handshake went to, or the public address) or on the allow-list, else
403. No `Origin` at all means no browser, hence nobody's cookie to misuse, and is let in.
"""

import re

import structlog
from fastapi import APIRouter, HTTPException, Response, WebSocket
from fastapi.responses import FileResponse, HTMLResponse

from assistant.errors import SessionRenewed
from assistant.turns import Assistant, Modality
from channels.web import storefront as shop
from channels.web.cookie import SessionCookie
from channels.web.origins import Origins
from channels.web.visit import Visit
from channels.web.visitor import HostSite, Visitor

BEAT_SECONDS = 15.0
"""How often we are heard from on a quiet socket: scripts cannot see WebSocket pings, so ours listens for these."""
SEND_SECONDS = 10.0
"""A reader that takes longer for one frame is given up."""

IDENTITY = "identity"
"""In the socket's address: the page will say whose it is. Ids and signatures never are: addresses end up in logs."""

_LANGUAGE_TAG = re.compile(r"\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)")

_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}
_ASSET_HEADERS = {
    # Embedding sites load these from their own origin.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, max-age=300",
    "X-Content-Type-Options": "nosniff",
}

log = structlog.get_logger(__name__)


def read_locale(accept_language: str) -> str | None:
    """The first language a browser asks for, as a BCP 47 tag."""
    tag = _LANGUAGE_TAG.match(accept_language)
    return tag[1] if tag else None


class WebChannel:
    """The web channel; see the module's docstring for whom it lets in."""

    name = "web"
    modality = Modality.SCREEN

    def __init__(  # noqa: D107 -- the class says what it is
        self,
        storefront: shop.Storefront,
        *,
        public_url: str | None = None,
        allowed_origins: tuple[str, ...] = (),
        sign_in: str | None = None,
        site_secret: str | None = None,
        beat_seconds: float = BEAT_SECONDS,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self._storefront = storefront
        self._sign_in = sign_in
        self._site = HostSite(site_secret)
        self._beat_seconds = beat_seconds
        self._send_seconds = send_seconds
        self._origins = Origins(public_url, allowed_origins)
        self._cookie = SessionCookie(public_url, allowed_origins)

    def router(self, assistant: Assistant) -> APIRouter:
        """The page, the script, the pictures and the socket."""
        router = APIRouter()
        page = shop.page(self._storefront)
        script = shop.script(self._storefront, self._sign_in)

        @router.get("/", include_in_schema=False)
        async def shop_page() -> HTMLResponse:
            return HTMLResponse(page, headers=_PAGE_HEADERS)

        @router.get("/channels/web/chat.js", include_in_schema=False)
        async def chat_script() -> Response:
            return Response(script, media_type="text/javascript", headers=_ASSET_HEADERS)

        @router.get("/channels/web/shop.css", include_in_schema=False)
        async def shop_style() -> FileResponse:
            return FileResponse(shop.ASSETS / "shop.css", headers=_ASSET_HEADERS)

        @router.get("/channels/web/art/{name}.svg", include_in_schema=False)
        async def art(name: str) -> FileResponse:
            drawn = shop.picture(self._storefront, name)
            if drawn is None:
                raise HTTPException(404)
            return FileResponse(drawn, headers=_ASSET_HEADERS)

        @router.websocket("/channels/web/socket")
        async def socket(websocket: WebSocket) -> None:
            if not self._origins.let_in(websocket.headers.get("origin"), websocket.headers.get("host", "")):
                log.warning("origin_refused", channel=self.name)
                await websocket.close()
                return
            session = self._cookie.session_of(websocket.cookies) or self._cookie.new_session()
            visitor = Visitor(
                self._cookie.address_of(session),
                read_locale(websocket.headers.get("accept-language", "")),
                websocket.client.host if websocket.client else None,
            )
            visit = Visit(
                websocket,
                assistant,
                visitor,
                self._site,
                identity=IDENTITY in websocket.query_params,
                beat_seconds=self._beat_seconds,
                send_seconds=self._send_seconds,
            )
            try:
                async with assistant.follow(visitor.browser) as exchanges:
                    await websocket.accept(headers=[(b"set-cookie", self._cookie.header(session).encode())])
                    await visit.run(exchanges)
            except SessionRenewed:
                # Not accepted: that would give the browser back the session that it has just lost.
                await websocket.close()

        return router
