"""What machines ask: alive, ready, and how much; figures only for who may have them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from assistant.database import Database
from assistant.health import health_router
from assistant.metrics import Metrics
from assistant.models import Models
from assistant.outbox import Outbox
from assistant.settings import Settings
from assistant.shop import Shop
from assistant.turns import Address
from tests.assistant.conftest import SHOP, Clock

pytestmark = pytest.mark.anyio

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
TOKEN = "a token of some length"


@asynccontextmanager
async def asking(
    database: Database, *, token: str | None = None, client: str = "127.0.0.1"
) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    metrics = Metrics(database)
    metrics.turns.labels("web", "answered").inc()
    app.include_router(health_router(database, Models(Settings(), Shop.load(SHOP), ()), metrics, token))
    transport = httpx.ASGITransport(app, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as asker:
        yield asker


async def test_it_is_alive_and_ready(database: Database) -> None:
    async with asking(database) as asker:
        assert (await asker.get("/health/live")).text == "alive\n"
        answer = await asker.get("/health/ready")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


async def test_without_its_store_it_is_alive_and_not_ready() -> None:
    async with asking(Database(NOWHERE)) as asker:
        assert (await asker.get("/health/live")).status_code == 200
        answer = await asker.get("/health/ready")
    assert (answer.status_code, answer.json()["ready"], answer.json()["reason"]) == (503, False, "database")


async def test_the_figures_count_turns_and_what_waits(database: Database, clock: Clock) -> None:
    with database.unit_of_work() as unit:
        Outbox(unit, clock()).text(Address("phone", "+447700900123"), "hello")
        unit.commit()
    async with asking(database) as asker:
        figures = (await asker.get("/metrics")).text
    assert 'assistant_turns_total{channel="web",outcome="answered"} 1.0' in figures
    assert "assistant_outbox_depth 1.0" in figures
    assert "900123" not in figures


async def test_the_figures_are_told_even_without_the_store() -> None:
    async with asking(Database(NOWHERE)) as asker:
        answer = await asker.get("/metrics")
    assert answer.status_code == 200
    assert "assistant_turns_total" in answer.text
    assert "assistant_outbox_depth NaN" in answer.text


@pytest.mark.parametrize(
    ("token", "client", "headers", "status"),
    [
        (None, "127.0.0.1", {}, 200),
        (None, "::1", {}, 200),
        (None, "203.0.113.7", {}, 403),
        (None, "127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 403),
        (None, "127.0.0.1", {"Forwarded": "for=203.0.113.7"}, 403),
        (TOKEN, "203.0.113.7", {"Authorization": f"Bearer {TOKEN}"}, 200),
        (TOKEN, "203.0.113.7", {"Authorization": f"Bearer {TOKEN}x"}, 403),
        (TOKEN, "203.0.113.7", {"Authorization": "Bearer"}, 403),
        (TOKEN, "127.0.0.1", {}, 403),
    ],
)
async def test_only_who_may_reads_the_figures(
    token: str | None, client: str, headers: dict[str, str], status: int
) -> None:
    database = Database("sqlite://")
    async with asking(database, token=token, client=client) as asker:
        assert (await asker.get("/metrics", headers=headers)).status_code == status
    database.close()
