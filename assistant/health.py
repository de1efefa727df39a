"""What machines ask: is it alive, can it serve, what does it count."""

import asyncio
import hmac
from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from assistant.database import Database
from assistant.errors import StoreUnavailable
from assistant.metrics import Metrics
from assistant.models import Models
from assistant.settings import LOOPBACK_HOSTS

log = structlog.get_logger(__name__)

PROXY_HEADERS = ("forwarded", "x-forwarded-for")


def health_router(database: Database, models: Models, metrics: Metrics, metrics_token: str | None) -> APIRouter:
    """`/health/live`, `/health/ready` and `/metrics`."""
    router = APIRouter()

    @router.get("/health/live")
    async def live() -> PlainTextResponse:
        return PlainTextResponse("alive\n")

    @router.get("/health/ready")
    async def ready() -> JSONResponse:
        served = models.served
        state = {"model": served.model, "reloads": served.reloads, "reload_refused": served.refused}
        try:
            await asyncio.to_thread(database.ping)
        except StoreUnavailable:
            return JSONResponse(state | {"ready": False, "reason": "database"}, HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse(state | {"ready": True})

    @router.get("/metrics")
    async def read_metrics(request: Request) -> Response:
        if not _may_read(request, metrics_token):
            log.warning("metrics_refused", reason="not from this machine and no right token")
            return PlainTextResponse("forbidden\n", HTTPStatus.FORBIDDEN)
        body = await asyncio.to_thread(generate_latest, metrics.registry)
        return Response(body, media_type=CONTENT_TYPE_LATEST)

    return router


def _may_read(request: Request, token: str | None) -> bool:
    if token is not None:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    through_proxy = any(name in request.headers for name in PROXY_HEADERS)
    return request.client is not None and request.client.host in LOOPBACK_HOSTS and not through_proxy
