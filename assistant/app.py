"""Builds and wires everything. Imported by the command line and the tests only."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby

from babel.dates import get_day_names
from fastapi import FastAPI

from actions import all_actions
from assistant.answer import House
from assistant.conversation import Conversations
from assistant.database import Database
from assistant.delivery import Delivery
from assistant.dialogue import Dialogue
from assistant.forgetting import keep_erasing
from assistant.health import health_router
from assistant.identity.doors import identity_routers
from assistant.identity.sign_in import PATH as SIGN_IN_PATH
from assistant.live import Live, LiveHere
from assistant.metrics import Metrics
from assistant.models import Models
from assistant.outbox import OptOuts
from assistant.replicas import LiveAcross
from assistant.screens import ScreenCodes
from assistant.secret import secret_key
from assistant.settings import Settings
from assistant.shop import WEEKDAYS, Shop
from channels import CHANNELS, ChannelSettings, RoutedChannel, SpeakingChannel
from channels.web.cookie import SessionCookie
from channels.web.storefront import Offer, OpeningHours, Storefront


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


def create_app(settings: Settings, now: Callable[[], datetime] = utc_now) -> FastAPI:
    """The whole assistant behind HTTP. Loads the model, which takes seconds; the database must be migrated.

    Raises `SettingsError` or `ModelError` when it cannot be served.
    """
    shop = Shop.load(settings.data_dir / "shop.yml")
    database = Database(settings.database_url)
    metrics = Metrics(database)
    opt_outs = OptOuts(database, now)
    screen_codes = ScreenCodes(database, now, secret_key(settings))
    channels = [
        channel
        for factory in CHANNELS.values()
        if (channel := factory(_channel_settings(settings, shop, opt_outs, screen_codes))) is not None
    ]
    models = Models(settings, shop, all_actions())
    pushers = {
        kind: channel for channel in channels if isinstance(channel, SpeakingChannel) for kind in channel.address_kinds
    }
    delivery = Delivery(database, pushers, metrics, now)
    live: Live = LiveAcross(database, now) if database.is_postgresql else LiveHere(database)
    conversations = Conversations(
        database,
        House(
            shop=shop,
            key=secret_key(settings),
            texting=settings.texting,
            hold=timedelta(minutes=settings.hold_minutes),
            deadline_seconds=settings.turn_deadline_seconds,
            public_url=settings.public_url,
            screen_idle=timedelta(minutes=settings.screen_minutes),
        ),
        models.load(),
        live,
        metrics,
        turns_per_minute=settings.turns_per_minute,
        idle={kind: timedelta(minutes=minutes) for kind, minutes in settings.idle_minutes.items()},
        now=now,
        on_commit=delivery.wake,
    )

    async def reload() -> None:
        def swap(dialogue: Dialogue) -> None:
            conversations.dialogue = dialogue

        await models.reload(swap)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(delivery.run()),
            asyncio.create_task(keep_erasing(database, shop, now)),
        ]
        if isinstance(live, LiveAcross):
            tasks.append(asyncio.create_task(live.run()))
        with _on_hangup(reload):
            yield
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        conversations.close()
        database.close()

    app = FastAPI(title=shop.name, lifespan=lifespan, openapi_url=None)
    for channel in channels:
        if isinstance(channel, RoutedChannel):
            app.include_router(channel.router(conversations))
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    cookie = SessionCookie(settings.public_url, settings.allowed_origins)
    for router in identity_routers(settings, database, cookie, shop, now, delivery.wake):
        app.include_router(router)
    app.include_router(health_router(database, models, metrics, token))
    app.state.assistant = conversations
    return app


@contextmanager
def _on_hangup(reload: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """SIGHUP reloads the model; only the main thread may listen to signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Future[None]] = set()

    def start() -> None:
        task = asyncio.ensure_future(reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGHUP, start)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def _channel_settings(settings: Settings, shop: Shop, opt_outs: OptOuts, screen_codes: ScreenCodes) -> ChannelSettings:
    token, site_secret = settings.twilio_auth_token, settings.site_secret
    return ChannelSettings(
        storefront=_storefront(shop),
        public_url=settings.public_url,
        allowed_origins=settings.allowed_origins,
        sign_in=SIGN_IN_PATH if settings.oidc_issuer else None,
        site_secret=site_secret.get_secret_value() if site_secret else None,
        twilio_account_sid=settings.twilio_account_sid,
        twilio_auth_token=token.get_secret_value() if token else None,
        twilio_number=settings.twilio_number,
        twilio_api_url=settings.twilio_api_url,
        opt_outs=opt_outs,
        screen_codes=screen_codes,
    )


def _storefront(shop: Shop) -> Storefront:
    return Storefront(
        name=shop.name,
        offers=tuple(
            Offer(bouquet.id, bouquet.name, shop.money(bouquet.price).format(), bouquet.text)
            for bouquet in shop.bouquets
        ),
        hours=tuple(_opening_hours(shop)),
        delivery_areas=shop.delivery_areas,
        delivery_price=shop.money(shop.delivery_price).format(),
        same_day_until=shop.same_day_until.strftime("%H:%M"),
        payments=tuple(payment.title for payment in shop.payments),
    )


def _opening_hours(shop: Shop) -> Iterator[OpeningHours]:
    names = get_day_names("wide", locale="en")
    for hours, group in groupby(range(len(WEEKDAYS)), key=lambda day: shop.hours.get(WEEKDAYS[day], "closed")):
        days = list(group)
        span = names[days[0]] if len(days) == 1 else f"{names[days[0]]} to {names[days[-1]]}"
        yield OpeningHours(span, hours.replace("-", "–"))
