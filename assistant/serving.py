"""Serves the application: on a socket of its own, known to other commands, until it is told to stop."""

import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from assistant.running import listen, registered, url_of
from assistant.settings import Settings

LARGEST_FRAME_BYTES = 64 * 1024
"""More in one WebSocket message than anybody types."""
DRAIN_SECONDS = 20
"""How long turns under way may go on after the order to stop."""


def serve(settings: Settings, make_app: Callable[[], FastAPI], on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` gets our address on this machine once we answer there.

    The port is taken before the application is made, so that a busy one is said at once. Raises `SettingsError` when
    the address cannot be had or another assistant runs with the same state directory.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the application takes it as the order to reload
    with listen(settings.host, settings.port) as listener:
        url = url_of(settings.host, listener.getsockname()[1])
        with registered(settings.state_dir, url):
            config = uvicorn.Config(
                make_app(),
                ws="wsproto",
                ws_max_size=LARGEST_FRAME_BYTES,
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
            _Server(config, lambda: on_ready(url)).run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()
