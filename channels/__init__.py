"""Ways in and out, one module each: every module knows one vendor and the seam (`assistant.turns`), nothing else.

The protocols say what the application can do with a channel; `CHANNELS` says which there are. The terminal is not among
them: it is somebody's command (`assistant chat`), not a part of the running service.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import structlog
from fastapi import APIRouter

from assistant.turns import Address, Assistant, Modality, Reply
from channels.sms import OptOuts, SmsChannel
from channels.web import WebChannel
from channels.web.screen import ScreenChannel, ScreenCodes
from channels.web.storefront import Storefront

log = structlog.get_logger(__name__)


class Channel(Protocol):
    """What every channel is."""

    @property
    def name(self) -> str:
        """As in `Turn.channel`, transcripts and metrics."""
        ...

    @property
    def modality(self) -> Modality:
        """How its replies are taken in."""
        ...


@runtime_checkable
class RoutedChannel(Channel, Protocol):
    """A channel that people reach over HTTP or WebSocket."""

    def router(self, assistant: Assistant) -> APIRouter:
        """Its routes, with their full paths. Each proves the sender before it reads anything else."""
        ...


@runtime_checkable
class ServedChannel(Channel, Protocol):
    """A channel that listens on a socket of its own."""

    def serve(self, assistant: Assistant) -> AbstractAsyncContextManager[None]:
        """Listens as long as the context is open."""
        ...


@runtime_checkable
class SpeakingChannel(Channel, Protocol):
    """A channel that can speak first."""

    @property
    def address_kinds(self) -> frozenset[str]:
        """The kinds of address it can speak to."""
        ...

    async def push(self, address: Address, reply: Reply) -> None:
        """Send a reply nobody is waiting for. Raises `assistant.errors.DeliveryFailed`."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """What channels are built from, as plain values; `assistant/app.py` fills it from the settings and the shop."""

    storefront: Storefront
    """What the shop page shows."""
    public_url: str | None = None
    """Where the outside world reaches us, without a slash at the end; webhooks are verified against it."""
    allowed_origins: tuple[str, ...] = ()
    """Other sites, such as https://blog.example, that may embed the chat; our own origin always may."""
    sign_in: str | None = None
    """Path of the page where staff sign in, if they can."""
    site_secret: str | None = field(default=None, repr=False)
    """What sites that embed the chat sign the ids of their users with."""
    twilio_account_sid: str | None = None
    """Twilio account."""
    twilio_auth_token: str | None = field(default=None, repr=False)
    """Signs Twilio's webhooks and our REST calls."""
    twilio_number: str | None = None
    """Our own number in E.164."""
    twilio_api_url: str = "https://api.twilio.com"
    """Base address of Twilio's REST interface."""
    opt_outs: OptOuts | None = None
    """Who does not want texts; SMS needs it."""
    screen_codes: ScreenCodes | None = None
    """Codes that screens show and whether they follow; screens need it."""


ChannelFactory = Callable[[ChannelSettings], Channel | None]
"""Builds a channel; None, with the reason in the log, when its settings are not given."""


def _web(settings: ChannelSettings) -> Channel | None:
    return WebChannel(
        settings.storefront,
        public_url=settings.public_url,
        allowed_origins=settings.allowed_origins,
        sign_in=settings.sign_in,
        site_secret=settings.site_secret,
    )


def _sms(settings: ChannelSettings) -> Channel | None:
    account_sid, auth_token, number = (
        settings.twilio_account_sid,
        settings.twilio_auth_token,
        settings.twilio_number,
    )
    if not (account_sid and auth_token and number and settings.public_url and settings.opt_outs):
        log.info("channel_off", channel="sms", reason="needs Twilio's account, token and number, and a public address")
        return None
    return SmsChannel(
        settings.opt_outs,
        public_url=settings.public_url,
        account_sid=account_sid,
        auth_token=auth_token,
        number=number,
        api_url=settings.twilio_api_url,
    )


def _screen(settings: ChannelSettings) -> Channel | None:
    if settings.screen_codes is None:
        log.info("channel_off", channel="screen", reason="nothing pairs screens")
        return None
    return ScreenChannel(settings.screen_codes, settings.storefront, public_url=settings.public_url)


CHANNELS: Mapping[str, ChannelFactory] = {
    "web": _web,
    "screen": _screen,
    "sms": _sms,
}
"""Every channel of the running service by its name."""
