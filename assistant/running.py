"""The running assistant as other commands see it: whether it runs, where, and how to have it reload its model."""

import fcntl
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from assistant.errors import NotAnswering, SettingsError

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # recognised, not listened on
"""Addresses that mean all of them, and what to call instead."""
PROBE_SECONDS = 2.0
"""How long a running assistant may take to say how it is."""
RELOAD_SECONDS = 60.0
"""How long opening a model may take."""
LOOK_SECONDS = 0.2
"""How often to look whether it is done."""


@dataclass(frozen=True, slots=True)
class Running:
    """A running assistant."""

    pid: int
    """Its process."""
    url: str
    """Where it answers on this machine."""

    def health(self) -> "Health":
        """How it is. Raises `NotAnswering`."""
        try:
            state = httpx.get(f"{self.url}/health/ready", timeout=PROBE_SECONDS).json()
            return Health(state["model"], state["reloads"], state["reload_refused"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise NotAnswering(f"{self.url} does not answer as an assistant ({type(error).__name__})") from error

    def reload(self, wait_seconds: float = RELOAD_SECONDS) -> "Health":
        """Have it open the model for the present data, and say how it is then. Raises `NotAnswering`."""
        reloads = self.health().reloads
        os.kill(self.pid, signal.SIGHUP)
        deadline = time.monotonic() + wait_seconds
        while time.monotonic() < deadline:
            health = self.health()
            if health.reloads > reloads:
                return health
            time.sleep(LOOK_SECONDS)
        raise NotAnswering(f"process {self.pid} did not reload within {wait_seconds:.0f} seconds")


@dataclass(frozen=True, slots=True)
class Health:
    """What a running assistant serves."""

    model: str
    """File name of its model."""
    reloads: int
    """How many reloads came to an end."""
    refused: str | None
    """Why the last reload kept the old model; None when it did not."""


def url_of(host: str, port: int) -> str:
    """Where an assistant that listens there answers on this machine."""
    host = WILDCARDS.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. Raises `SettingsError` when the address cannot be had."""
    try:
        return socket.create_server((host, port), family=_family(host), backlog=1024)
    except OSError as error:
        mend = "set ASSISTANT_PORT to another one, or to 0 for any" if port else "correct ASSISTANT_HOST"
        raise SettingsError(f"cannot listen on {host}:{port} ({error.strerror}): {mend}") from error


def answers(url: str) -> bool:
    """Whether an assistant answers there."""
    try:
        return httpx.get(f"{url}/health/live", timeout=PROBE_SECONDS).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def registered(state_dir: Path, url: str) -> Iterator[None]:
    """Let other commands find this process for the length of the block.

    Raises `SettingsError` when another one runs with the same state directory.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    with _pid_file(state_dir).open("a+", encoding="utf-8") as file:
        try:
            # The lock goes with the process, however it ends, so that the file never names a stranger's process.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = find(state_dir)
            where = f"at {other.url} (process {other.pid})" if other else "and is just starting"
            raise SettingsError(f"the assistant runs already {where}; stop it or set ASSISTANT_STATE_DIR") from None
        file.truncate(0)
        file.write(json.dumps(asdict(Running(os.getpid(), url))))
        file.flush()
        yield
        file.truncate(0)


def find(state_dir: Path) -> Running | None:
    """The assistant that runs with this state directory."""
    try:
        with _pid_file(state_dir).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                written = file.read()
                return Running(**json.loads(written)) if written else None
    except FileNotFoundError:
        pass
    return None


def _pid_file(state_dir: Path) -> Path:
    return state_dir / "assistant.pid"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
