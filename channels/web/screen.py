"""The screen beside the voice: a page for a television or a kiosk that follows a conversation held elsewhere.

It shows a code of eight digits until somebody says it in their conversation, then what is answered there, with cards
and choices to press. It knows nobody: it has the cookie session of the browser (see `channels.web`), which proves that
it is the screen that showed the code and no more; whose conversation it shows, and how long, the core decides.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Literal, Protocol, TypedDict

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from assistant.errors import AssistantError
from assistant.turns import Address, Assistant, Assurance, Exchange, Modality, Turn, TurnKind
from channels.web.cookie import SessionCookie
from channels.web.frames import ErrorFrame, FrameRefused, MessageFrame, Said, SignFrame, read_frame, refusal, render
from channels.web.origins import Origins
from channels.web.storefront import ASSETS, Storefront

BEAT_SECONDS = 15.0
"""How often we are heard from, and see whether the screen still follows: that may end without a turn."""
CODE_SECONDS = 9 * 60.0
"""A code is replaced before its ten minutes are over."""
SEND_SECONDS = 10.0
MAX_WAITING_PRESSES = 10
CLOSE_TRY_AGAIN_LATER = 1013

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

log = structlog.get_logger(__name__)


class ScreenCodes(Protocol):
    """What the core does for a screen that follows nothing yet."""

    async def new_code(self, address: Address) -> str:
        """Eight digits to show, good for ten minutes; the ones before are dead. Raises `AssistantError`."""
        ...

    async def follows(self, address: Address) -> bool:
        """Whether the screen follows a conversation now. Raises `AssistantError`."""
        ...


class CodeFrame(TypedDict):
    """Nothing is followed: the code to show."""

    type: Literal["code"]
    code: str


class ShowFrame(TypedDict):
    """What was said last, and what was answered."""

    type: Literal["show"]
    said: str
    messages: list[MessageFrame]


Frame = CodeFrame | ShowFrame | ErrorFrame | SignFrame


def render_exchange(exchange: Exchange) -> ShowFrame:
    """The last exchange, as the screen shows it."""
    return {"type": "show", "said": exchange.text, "messages": render(exchange.reply, None)["messages"]}


def read_turn(said: Said, address: Address, title: str, now: datetime) -> Turn:
    """The turn of a pressed choice, whose title is known from what was shown."""
    return Turn(
        channel="screen",
        address=address,
        turn_id=f"{address.value[:16]}:{said.id}",
        kind=TurnKind.SAID,
        text=title,
        modality=Modality.SCREEN,
        assurance=Assurance.ANONYMOUS,
        received_at=now,
        choice=said.choice,
    )


class ScreenChannel:
    """The screen's page and its socket."""

    name = "screen"
    modality = Modality.SCREEN

    def __init__(  # noqa: D107 -- the class says what it is
        self,
        codes: ScreenCodes,
        storefront: Storefront,
        *,
        public_url: str | None = None,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        self._codes = codes
        self._storefront = storefront
        self._beat_seconds = beat_seconds
        self._origins = Origins(public_url)
        self._cookie = SessionCookie(public_url, ())

    def router(self, assistant: Assistant) -> APIRouter:
        """The page, its script and style, and the socket."""
        router = APIRouter()
        templates = Environment(loader=FileSystemLoader(ASSETS), autoescape=True, undefined=StrictUndefined)
        page = templates.get_template("screen.html").render(shop=self._storefront)

        @router.get("/screen", include_in_schema=False)
        async def screen_page() -> HTMLResponse:
            return HTMLResponse(page, headers=_HEADERS)

        @router.get("/screen/screen.js", include_in_schema=False)
        async def screen_script() -> FileResponse:
            return FileResponse(ASSETS / "screen.js", headers=_HEADERS)

        @router.get("/screen/screen.css", include_in_schema=False)
        async def screen_style() -> FileResponse:
            return FileResponse(ASSETS / "screen.css", headers=_HEADERS)

        @router.websocket("/screen/socket")
        async def socket(websocket: WebSocket) -> None:
            if not self._origins.let_in(websocket.headers.get("origin"), websocket.headers.get("host", "")):
                log.warning("origin_refused", channel=self.name)
                await websocket.close()
                return
            session = self._cookie.session_of(websocket.cookies) or self._cookie.new_session()
            await websocket.accept(headers=[(b"set-cookie", self._cookie.header(session).encode())])
            address = Address("screen", self._cookie.address_of(session).value)
            await _Showing(websocket, assistant, self._codes, address, self._beat_seconds).run()

        return router


class _Showing:
    """One open socket of a screen."""

    def __init__(
        self, websocket: WebSocket, assistant: Assistant, codes: ScreenCodes, address: Address, beat_seconds: float
    ) -> None:
        self._websocket = websocket
        self._assistant = assistant
        self._codes = codes
        self._address = address
        self._beat_seconds = beat_seconds
        self._pressed: asyncio.Queue[Said] = asyncio.Queue(MAX_WAITING_PRESSES)
        self._titles: dict[str, str] = {}
        self._code_from: float | None = None
        """When the code that is shown was made, on the loop's clock; None while a conversation is shown."""

    async def run(self) -> None:
        """Show what there is to show until the screen leaves."""
        try:
            # Followed before anything is shown, so that nothing said in between is missed.
            async with self._assistant.follow(self._address) as exchanges:
                history = await self._assistant.history(self._address)
                await self._show(history[-1] if history else None)
                parts = (self._listen(), self._answer(), self._follow(exchanges), self._beat())
                tasks = [asyncio.ensure_future(part) for part in parts]
                try:
                    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
                for task in done:
                    task.result()
        except (TimeoutError, WebSocketDisconnect):
            return
        except AssistantError as error:
            log.warning("screen_failed", code=error.code)
            with contextlib.suppress(WebSocketDisconnect):
                await self._websocket.close(CLOSE_TRY_AGAIN_LATER)

    async def _show(self, exchange: Exchange | None) -> None:
        if exchange is not None and await self._codes.follows(self._address):
            choices = [choice for message in exchange.reply.messages for choice in message.choices]
            self._titles = {choice.payload: choice.title for choice in choices}
            self._code_from = None
            await self._send(render_exchange(exchange))
        else:
            await self._show_code()

    async def _show_code(self) -> None:
        self._titles = {}
        self._code_from = asyncio.get_running_loop().time()
        await self._send({"type": "code", "code": await self._codes.new_code(self._address)})

    async def _listen(self) -> None:
        while (message := await self._websocket.receive())["type"] == "websocket.receive":
            try:
                said = read_frame(message.get("text") or "")
                if not isinstance(said, Said):
                    raise FrameRefused("unknown_frame", "type: a screen is nobody's")
                if said.choice not in self._titles or self._pressed.full():
                    raise FrameRefused("unknown_frame", "choice: not one that is shown", said.id)
            except FrameRefused as refused:
                log.info("frame_refused", channel="screen", code=refused.code, detail=str(refused))
                await self._send(refusal(refused.code, refused.message_id))
            else:
                self._pressed.put_nowait(said)

    async def _answer(self) -> None:
        while True:
            said = await self._pressed.get()
            turn = read_turn(said, self._address, self._titles.get(said.choice or "", ""), datetime.now(UTC))
            await self._assistant.converse(turn)  # shown as everybody else sees it, when it is committed

    async def _follow(self, exchanges: AsyncIterator[Exchange]) -> None:
        async for exchange in exchanges:
            if exchange.reply.messages:
                await self._show(exchange)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._beat_seconds)
            if self._code_from is None:
                if not await self._codes.follows(self._address):
                    await self._show_code()
            elif asyncio.get_running_loop().time() - self._code_from > CODE_SECONDS:
                await self._show_code()
            await self._send({"type": "beat"})

    async def _send(self, frame: Frame) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._websocket.send_text(json.dumps(frame, ensure_ascii=False))
