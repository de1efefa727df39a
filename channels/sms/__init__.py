"""Twilio Messaging: SMS, and WhatsApp through the same webhook.

The webhook to enter at Twilio, with POST and with its retries on (a repeated message gets the stored reply again):

    https://<public address>/channels/sms#rc=3&rp=all

- A reply is one text as long as it has at most 320 characters. Beyond that each message of the reply that no longer
  fits starts a text of its own. A message is never torn from its choices unless it breaks Twilio's limit by itself.
- Choices are a numbered list that goes on over the whole reply; cards are dropped, since a message's text stands alone.
- STOP and its like: the opt-out is recorded, nothing is answered, the assistant is not asked. Twilio confirms it, and
  refuses whatever we send afterwards, so the assistant is not asked either until the person opts in again.
- START, UNSTOP and YES opt in again, and are confirmed by Twilio. From a person who is not opted out they are ordinary
  words: "yes" may well confirm an order.
- HELP and INFO: Twilio's stock answer only says how to unsubscribe, so ours says what the assistant can do. With
  `OptOutType=HELP` the shop has written its own answer at Twilio, and a second one would be noise.
"""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.messaging_response import MessagingResponse

from assistant.errors import AssistantError, DeliveryFailed, MalformedPayload, SenderRefused
from assistant.turns import Address, Assistant, Assurance, Message, Modality, Reply, Turn, TurnKind
from channels.sms.texts import MAX_BODY_CHARACTERS, STOP_WORDS, segments, texts

PATH = "/channels/sms"
WHATSAPP_PREFIX = "whatsapp:"
MAX_FORM_BYTES = 65_536
"""Twilio's own forms stay below 25 kB: 1,600 characters, percent-encoded, and ten media addresses."""
MAX_FORM_FIELDS = 1_000
REST_TIMEOUT_SECONDS = 10.0
WHATSAPP_STOP_WORDS = STOP_WORDS - {"revoke", "end", "quit", "cancel"}
"""Twilio blocks nothing here by itself, so "cancel" may mean the order."""
START_WORDS = frozenset({"start", "unstop", "yes"})
UNREADABLE = "I can only read words here, not pictures, sounds or files."
FINAL_CODES = frozenset({21211, 21610, 21614, 21617})
"""Not a number, opted out, not a mobile number, too long: the same whatever the HTTP status."""
PASSING_CODES = frozenset({21611})
"""The number's queue at Twilio is full."""
PASSING_STATUSES = frozenset({401, 408, 429})
"""401 passes once the operator corrects the token; the messages must not be lost for it."""

_NUMBER = re.compile(r"\+[1-9][0-9]{4,14}")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9]{1,64}")

log = structlog.get_logger(__name__)


class OptOuts(Protocol):
    """Who does not want texts from our number. Every method raises `StoreUnavailable` when the store is down."""

    async def opt_out(self, address: Address) -> None:
        """Send nothing to this address any more; a repeat changes nothing."""
        ...

    async def opt_in(self, address: Address) -> None:
        """Send to this address again; a repeat changes nothing."""
        ...

    async def is_out(self, address: Address) -> bool:
        """Whether nothing may be sent to this address."""
        ...


class Keyword(StrEnum):
    """What a text asks of the carrier rather than of the assistant; named as Twilio's `OptOutType` is."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


class Form(dict[str, list[str]]):
    """The parameters of a webhook, each with all its values in the order they came."""

    @classmethod
    def parse(cls, body: bytes) -> "Form":
        """Keeps blanks, repeats and unknown names: all of them are signed. Raises `MalformedPayload`."""
        form = cls()
        try:
            pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
        except ValueError:
            raise MalformedPayload(f"more than {MAX_FORM_FIELDS} fields") from None
        for name, value in pairs:
            form.setdefault(name, []).append(value)
        return form

    def getlist(self, name: str) -> list[str]:
        """All values of a parameter; the name is the one Twilio's validator calls."""
        return self[name]

    def one(self, name: str, default: str | None = None) -> str:
        """The only value of a parameter. Raises `MalformedPayload` for none (without a default) or several."""
        values = self.get(name, [] if default is None else [default])
        if len(values) != 1:
            raise MalformedPayload(f"{name} is there {len(values)} times")
        return values[0]


def read_turn(form: Form, received_at: datetime) -> Turn:
    """Read an incoming text. A picture without words is a turn without words.

    Raises `MalformedPayload` naming the parameter.
    """
    sender = form.one("From")
    number = sender.removeprefix(WHATSAPP_PREFIX)
    message_id = form.one("MessageSid")
    if not _NUMBER.fullmatch(number):
        raise MalformedPayload("From is not a number in E.164")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise MalformedPayload("MessageSid is not an id")
    return Turn(
        channel="sms",
        address=Address("phone" if number == sender else "whatsapp", number),
        turn_id=message_id,
        kind=TurnKind.SAID,
        text=form.one("Body", ""),
        modality=Modality.TEXT,
        assurance=Assurance.CLAIMED,
        received_at=received_at,
    )


def read_keyword(form: Form) -> Keyword | None:
    """What the text asks of the carrier. What Twilio says it recognised comes before our own list of words."""
    recognised = form.one("OptOutType", "").upper()
    if recognised in Keyword.__members__:
        return Keyword[recognised]
    on_whatsapp = form.one("From").startswith(WHATSAPP_PREFIX)
    word = form.one("Body", "").strip().casefold()
    if word in (WHATSAPP_STOP_WORDS if on_whatsapp else STOP_WORDS):
        return Keyword.STOP
    return Keyword.START if word in START_WORDS else None


def has_unreadable_parts(form: Form) -> bool:
    """Whether the person sent something else than words: a picture, a voice note, a place."""
    return form.one("NumMedia", "0") not in ("", "0") or not form.one("Body", "").strip()


def render(reply: Reply) -> str:
    """The reply as TwiML; an empty `<Response />` when there is nothing to say."""
    response = MessagingResponse()
    for text in texts(reply):
        response.message(text)
    return str(response)


class SmsChannel:
    """SMS and WhatsApp through one Twilio number."""

    name = "sms"
    modality = Modality.TEXT
    address_kinds = frozenset({"phone", "whatsapp"})

    def __init__(
        self,
        opt_outs: OptOuts,
        *,
        public_url: str,
        account_sid: str,
        auth_token: str,
        number: str,
        api_url: str = "https://api.twilio.com",
        timeout_seconds: float = REST_TIMEOUT_SECONDS,
    ) -> None:
        """`public_url` has no slash at the end, `number` is ours in E.164, `api_url` is Twilio's REST interface."""
        self._opt_outs = opt_outs
        self._webhook_url = public_url + PATH
        self._number = number
        self._validator = RequestValidator(auth_token)
        self._client = Client(
            account_sid,
            auth_token,
            http_client=TwilioHttpClient(timeout=timeout_seconds),
            # Without one, the client would read settings of its own from the process's environment.
            environment={"TWILIO_ACCOUNT_SID": account_sid},
        )
        self._client.api.base_url = api_url

    def router(self, assistant: Assistant) -> APIRouter:
        """The webhook. 403 for a sender who is not Twilio, 400 for what cannot be read, 503 when the store is down."""
        router = APIRouter()

        @router.post(PATH, response_class=Response)
        async def receive(request: Request) -> Response:
            try:
                twiml = await self._answer(await self._read_form(request), assistant)
            except SenderRefused as refusal:
                log.warning("sms_refused", reason=str(refusal))
                return Response(status_code=403)
            except MalformedPayload as fault:
                log.warning("sms_malformed", reason=str(fault))
                return Response(status_code=400)
            except AssistantError as failure:
                log.error("sms_not_recorded", code=failure.code)
                return Response(status_code=503)
            return Response(twiml, media_type="text/xml")

        return router

    async def push(self, address: Address, reply: Reply) -> None:
        """Send a reply nobody is waiting for, in as few texts as Twilio allows. Raises `DeliveryFailed`."""
        if address.kind not in self.address_kinds:
            raise DeliveryFailed(f"no texts to the kind {address.kind}", final=True)
        if await self._opt_outs.is_out(address):
            raise DeliveryFailed("opted out", final=True)
        prefix = WHATSAPP_PREFIX if address.kind == "whatsapp" else ""
        # A retry repeats the whole reply, so it goes out in one call wherever it can.
        for text in texts(reply, aim=MAX_BODY_CHARACTERS):
            await asyncio.to_thread(self._send, prefix + address.value, prefix + self._number, text)

    async def _read_form(self, request: Request) -> Form:
        signature = request.headers.get("X-Twilio-Signature")
        if not signature:
            raise SenderRefused("no signature")
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_FORM_BYTES:
                    raise MalformedPayload(f"form over {MAX_FORM_BYTES} bytes")
        except ClientDisconnect:
            raise MalformedPayload("the sender hung up") from None
        form = Form.parse(bytes(body))
        if not self._validator.validate(self._webhook_url, form, signature):
            raise SenderRefused("signature does not fit this form and our public address")
        return form

    async def _answer(self, form: Form, assistant: Assistant) -> str:
        turn = read_turn(form, datetime.now(UTC))
        keyword = read_keyword(form)
        nothing = render(Reply(()))
        if keyword is Keyword.STOP:
            await self._opt_outs.opt_out(turn.address)
            log.info("sms_opted_out", turn_id=turn.turn_id)
            return nothing
        if await self._opt_outs.is_out(turn.address):
            if keyword is Keyword.START:
                await self._opt_outs.opt_in(turn.address)
                log.info("sms_opted_in", turn_id=turn.turn_id)
            return nothing
        if keyword is Keyword.HELP:
            return nothing
        unreadable = has_unreadable_parts(form)
        reply = await assistant.converse(turn)
        # A colleague who has the conversation can look at the picture at Twilio's.
        if unreadable and not reply.handed_off:
            reply = replace(reply, messages=(Message(UNREADABLE), *reply.messages))
        return render(reply)

    def _send(self, to: str, sender: str, text: str) -> None:
        # Twilio's own words name the number, so neither they nor the exception that holds them go any further.
        try:
            self._client.messages.create(to=to, from_=sender, body=text)
        except (TwilioRestException, TwilioServiceException) as fault:
            raise DeliveryFailed(
                f"Twilio answered {fault.status}, error {fault.code}", final=_is_final(fault.status, fault.code)
            ) from None
        except (TwilioException, ValueError) as fault:
            raise DeliveryFailed(f"Twilio's answer could not be read: {type(fault).__name__}", final=False) from None
        except OSError as fault:
            raise DeliveryFailed(f"Twilio could not be reached: {type(fault).__name__}", final=False) from None
        log.info("sms_sent", segments=segments(text))


def _is_final(status: int, code: int | None) -> bool:
    if code in FINAL_CODES:
        return True
    return 400 <= status < 500 and status not in PASSING_STATUSES and code not in PASSING_CODES
