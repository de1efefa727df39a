"""The doors of identity on a real server, beside the web chat, with a real store; and a provider to sign in with."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from assistant.database import Database
from assistant.identity.doors import identity_routers
from assistant.outbox import OutboxRow
from assistant.profiles import Person, Profiles
from assistant.settings import Settings
from assistant.shop import Shop
from assistant.turns import Address, Assurance
from channels.web import WebChannel
from channels.web.cookie import SessionCookie
from tests.assistant.conftest import SHOP
from tests.assistant.identity.openid import CLIENT_ID, CLIENT_SECRET, StandInProvider
from tests.channels.conftest import STOREFRONT, Server, running
from tests.channels.scripted import ScriptedAssistant

LINK_CLIENT_ID = "speaker"
LINK_CLIENT_SECRET = "s" * 43
BACK = "https://speaker.example/link/M2"
OTHER_BACK = "https://speaker.example/link/M3"


@dataclass
class Clock:
    """The real clock, which tests may turn forward: the provider's tokens are made by the real one."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def forward(self, **span: float) -> None:
        self.ahead += timedelta(**span)


@dataclass
class House:
    """A running assistant without its dialogue, and what is in its store."""

    server: Server
    database: Database
    clock: Clock
    provider: StandInProvider
    cookie: SessionCookie
    open: ExitStack
    state_dir: Path

    @property
    def url(self) -> str:
        return self.server.url

    def browser(self, session: str | None = None) -> httpx.Client:
        """A browser with this session, or one that was never here."""
        client = self.open.enter_context(httpx.Client(base_url=self.url))
        if session is not None:
            client.cookies.set("assistant", session, domain="127.0.0.1")
        return client

    def known_browser(self) -> tuple[httpx.Client, Address]:
        """A browser that has chatted, and its address."""
        session = self.cookie.new_session()
        address = self.cookie.address_of(session)
        with self.database.unit_of_work() as unit:
            Profiles(unit, self.clock()).find_or_create(address, Assurance.ANONYMOUS)
            unit.commit()
        return self.browser(session), address

    def proven_browser(self, number: str = "+447700900123") -> tuple[httpx.Client, Address]:
        """A browser whose person has proved a phone number."""
        browser, address = self.known_browser()
        with self.database.unit_of_work() as unit:
            profiles = Profiles(unit, self.clock())
            person = profiles.find(address)
            assert person is not None
            profiles.link(person.id, Address("phone", number), "sms code")
            unit.commit()
        return browser, address

    def address_of(self, browser: httpx.Client) -> Address:
        return self.cookie.address_of(browser.cookies["assistant"])

    def person_at(self, address: Address) -> Person | None:
        with self.database.unit_of_work() as unit:
            return Profiles(unit, self.clock()).find(address)

    def texts(self) -> list[str]:
        """What waits to be sent, oldest first."""
        with self.database.unit_of_work() as unit:
            rows = unit.session.scalars(select(OutboxRow).order_by(OutboxRow.created_at)).all()
            return [row.text or "" for row in rows]


MakeHouse = Callable[..., House]


@pytest.fixture(scope="session")
def one_provider() -> Iterator[StandInProvider]:
    provider = StandInProvider()
    with running(provider.app()) as server:
        provider.url = server.url
        yield provider


@pytest.fixture
def provider(one_provider: StandInProvider) -> StandInProvider:
    """The provider as new; making one takes a while."""
    one_provider.forget()
    return one_provider


@pytest.fixture
def make_house(database: Database, provider: StandInProvider, tmp_path: Path) -> Iterator[MakeHouse]:
    """Makes houses on one store; keywords change their settings."""
    with ExitStack() as stack:

        def make(**changed: object) -> House:
            app, clock = FastAPI(), Clock()
            server = stack.enter_context(running(app))
            given: dict[str, object] = {
                "public_url": server.url,
                "state_dir": tmp_path,
                "oidc_issuer": provider.url,
                "oidc_client_id": CLIENT_ID,
                "oidc_client_secret": CLIENT_SECRET,
                "oidc_employee_claim": "groups=staff",
                "oauth_client_id": LINK_CLIENT_ID,
                "oauth_client_secret": LINK_CLIENT_SECRET,
                "oauth_redirect_uris": (BACK, OTHER_BACK),
                "twilio_account_sid": "AC1",
                "twilio_auth_token": "t",
                "twilio_number": "+447700900100",
                **changed,
            }
            settings = Settings.model_validate(given)
            cookie = SessionCookie(settings.public_url, ())
            for router in identity_routers(settings, database, cookie, Shop.load(SHOP), clock, lambda: None):
                app.include_router(router)
            app.include_router(WebChannel(STOREFRONT, sign_in="/sign-in").router(ScriptedAssistant()))
            return House(server, database, clock, provider, cookie, stack, tmp_path)

        yield make


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house()
