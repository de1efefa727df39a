"""One open socket of the web chat: turns in, replies out, and what happens on the person's other devices."""

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import nullcontext, suppress
from datetime import UTC, datetime

import structlog
from fastapi import WebSocket, WebSocketDisconnect

from assistant.errors import AssistantError, SessionRenewed
from assistant.turns import Assistant, Exchange, Modality, Reply, Turn, TurnKind
from channels.web.frames import (
    Frame,
    FrameRefused,
    ReplyFrame,
    Said,
    SaidFrame,
    read_frame,
    refusal,
    render,
    render_exchange,
)
from channels.web.visitor import HostSite, Visitor

MAX_WAITING_FRAMES = 60
"""Per socket; with frames of 16 KB this keeps a socket under 1 MB."""
MAX_REMEMBERED = 300
"""Turn ids and choices kept per socket, to know its own turns and the titles of what is pressed."""
CLOSE_TRY_AGAIN_LATER = 1013

log = structlog.get_logger(__name__)


def read_turn(said: Said, visitor: Visitor, *, title: str, now: datetime) -> Turn:
    """The turn of a frame; `title` is what the pressed choice read."""
    return Turn(
        channel="web",
        address=visitor.browser,
        turn_id=f"{visitor.namespace}:{said.id}",
        kind=TurnKind.SAID,
        text=title if said.choice is not None else said.text,
        modality=Modality.SCREEN,
        assurance=visitor.assurance,
        received_at=now,
        choice=said.choice,
        locale=visitor.locale,
        account=visitor.account,
        origin=visitor.origin,
    )


def opening_turn(visitor: Visitor, *, now: datetime, after: Exchange | None = None) -> Turn:
    """The turn of a visitor who has not said anything; tabs that open in the same minute share its one greeting.

    `after` is what was said last in the browser before it was known whose it is: once for that is enough.
    """
    which = str(int(now.timestamp() // 60)) if after is None else hashlib.sha256(after.turn_id.encode()).hexdigest()
    return Turn(
        channel="web",
        address=visitor.browser,
        turn_id=f"{visitor.namespace}/opened/{which}",
        kind=TurnKind.OPENED,
        text="",
        modality=Modality.SCREEN,
        assurance=visitor.assurance,
        received_at=now,
        locale=visitor.locale,
        account=visitor.account,
        origin=visitor.origin,
    )


class Visit:
    """One open socket: frames are answered one at a time and in order, while other devices' turns are shown.

    Where an `identity` is announced, nothing is shown or answered before the first frame that proves one.
    """

    def __init__(
        self,
        websocket: WebSocket,
        assistant: Assistant,
        visitor: Visitor,
        site: HostSite,
        *,
        identity: bool,
        beat_seconds: float,
        send_seconds: float,
    ) -> None:
        self._websocket = websocket
        self._assistant = assistant
        self._visitor = visitor
        self._site = site
        self._beat_seconds = beat_seconds
        self._send_seconds = send_seconds
        self._known = asyncio.Event()
        """Set once it is known whom the socket is for."""
        if not identity:
            self._known.set()
        self._waiting: asyncio.Queue[Said | None] = asyncio.Queue()
        self._shown: OrderedDict[str, str] = OrderedDict()
        self._titles: OrderedDict[str, str] = OrderedDict()
        self._gone = False

    async def run(self, exchanges: AsyncIterator[Exchange]) -> None:
        """Serve the socket until the browser leaves; what it has sent by then is still answered.

        `exchanges` are those of the browser's address.
        """
        async with asyncio.TaskGroup() as tasks:
            talking = tasks.create_task(self._talk(exchanges))
            listening = tasks.create_task(self._listen())
            beating = tasks.create_task(self._beat())
            await asyncio.wait((listening, beating), return_when=asyncio.FIRST_COMPLETED)
            self._gone = True
            listening.cancel()
            beating.cancel()
            self._waiting.put_nowait(None)
            if not self._known.is_set():
                talking.cancel()

    async def _talk(self, of_browser: AsyncIterator[Exchange]) -> None:
        """Greet, answer and show, once it is known whom the socket is for."""
        await self._known.wait()
        account = self._visitor.account
        try:
            # Followed before the history is read, so that nothing said in between is missed.
            async with self._assistant.follow(account) if account else nullcontext(of_browser) as exchanges:
                greeting = await self._welcome()
                async with asyncio.TaskGroup() as tasks:
                    following = [tasks.create_task(self._follow(exchanges))]
                    if account is not None:
                        following.append(tasks.create_task(self._follow(of_browser, shown=False)))
                    await self._answer(greeting)
                    for task in following:
                        task.cancel()
        except AssistantError as error:
            await self._give_up(error)

    async def _welcome(self) -> Turn | None:
        visitor, now = self._visitor, datetime.now(UTC)
        history = await self._assistant.history(visitor.person_at)
        greeting = None if history else opening_turn(visitor, now=now)
        if visitor.account is not None:
            before = await self._assistant.history(visitor.browser)
            if before or greeting is not None:
                # What was said in this browser before becomes the user's with this turn, and is shown with it.
                await self._assistant.converse(opening_turn(visitor, now=now, after=before[-1] if before else None))
                history, greeting = await self._assistant.history(visitor.account), None
        frames: list[SaidFrame | ReplyFrame] = []
        for exchange in history:
            frames += self._show(exchange)
        await self._send({"type": "ready", "history": frames})
        return greeting

    async def _listen(self) -> None:
        while (message := await self._websocket.receive())["type"] == "websocket.receive":
            try:
                if message.get("text") is None:
                    raise FrameRefused("malformed_frame", "binary")
                frame = read_frame(message["text"])
                self._visitor = self._site.recognise(self._visitor, frame, expected=not self._known.is_set())
                self._known.set()
                if isinstance(frame, Said) and self._waiting.qsize() >= MAX_WAITING_FRAMES:
                    raise FrameRefused("too_many", "waiting frames", frame.id)
            except FrameRefused as refused:
                log.info("frame_refused", channel="web", code=refused.code, detail=str(refused))
                await self._send(refusal(refused.code, refused.message_id))
            else:
                if isinstance(frame, Said):
                    self._waiting.put_nowait(frame)

    async def _answer(self, greeting: Turn | None) -> None:
        if greeting is not None:
            await self._converse(greeting, None)
        while (said := await self._waiting.get()) is not None:
            title = self._titles.get(said.choice or "", "")
            turn = read_turn(said, self._visitor, title=title, now=datetime.now(UTC))
            await self._converse(turn, said.id)

    async def _converse(self, turn: Turn, message_id: str | None) -> None:
        _remember(self._shown, turn.turn_id)
        await self._send({"type": "typing"})
        try:
            reply = await self._assistant.converse(turn)
        except AssistantError as error:
            log.warning("turn_failed", channel="web", code=error.code, turn_id=turn.turn_id)
            await self._send(refusal(error.code, message_id))
        else:
            self._learn(reply)
            await self._send(render(reply, message_id))

    async def _follow(self, exchanges: AsyncIterator[Exchange], *, shown: bool = True) -> None:
        try:
            async for exchange in exchanges:
                if shown and exchange.turn_id not in self._shown:
                    for frame in self._show(exchange):
                        await self._send(frame)
        except AssistantError as error:
            await self._give_up(error)

    async def _beat(self) -> None:
        while not self._gone:
            await asyncio.sleep(self._beat_seconds)
            await self._send({"type": "beat"})

    def _show(self, exchange: Exchange) -> list[SaidFrame | ReplyFrame]:
        _remember(self._shown, exchange.turn_id)
        self._learn(exchange.reply)
        namespace, _, own_id = exchange.turn_id.partition(":")
        return render_exchange(exchange, own_id if namespace == self._visitor.namespace else None)

    def _learn(self, reply: Reply) -> None:
        for message in reply.messages:
            for choice in message.choices:
                _remember(self._titles, choice.payload, choice.title)

    async def _send(self, frame: Frame) -> None:
        if self._gone:
            return
        try:
            async with asyncio.timeout(self._send_seconds):
                await self._websocket.send_text(json.dumps(frame, ensure_ascii=False))
        except (TimeoutError, WebSocketDisconnect):
            self._gone = True

    async def _give_up(self, error: AssistantError) -> None:
        if isinstance(error, SessionRenewed):
            while not self._waiting.empty():
                self._waiting.get_nowait()  # said again, by whom the browser is now
        log.warning("visit_failed", channel="web", code=error.code)
        await self._send(refusal(error.code))
        if not self._gone:
            self._gone = True
            with suppress(WebSocketDisconnect):
                await self._websocket.close(CLOSE_TRY_AGAIN_LATER)


def _remember(memory: OrderedDict[str, str], key: str, value: str = "") -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > MAX_REMEMBERED:
        memory.popitem(last=False)
