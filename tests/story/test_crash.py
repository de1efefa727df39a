"""kill -9 at any moment of a turn leaves the whole turn or nothing, and a repeated webhook gets the same reply."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from assistant.database import Database
from assistant.orders import OrderRow
from assistant.transcripts import TurnRow
from tests.channels.twilio_api import TwilioApi
from tests.story.conftest import ROOT, Phone, free_port, settings_for

POINTS = [
    ("assistant/conversation.py", "converse", "call"),
    ("assistant/transcripts.py", "stored_reply", "return"),
    ("assistant/dialogue.py", "answer", "call"),
    ("assistant/dialogue.py", "understand", "return"),
    ("assistant/orders.py", "place", "return"),
    ("assistant/transcripts.py", "append", "return"),
    ("assistant/database.py", "commit", "call"),
    ("orm/session.py", "_flush", "return"),
    ("assistant/database.py", "commit", "return"),
    ("channels/sms/__init__.py", "render", "call"),
]
AFTER_COMMIT = POINTS[-2:]
START_SECONDS = 60.0


class Stable:
    """Starts servers. The next one is always warming up, so that nobody waits for its imports."""

    def __init__(self) -> None:
        self._next = self._warm_up()

    def serve(self, settings: dict[str, str], point: tuple[str, str, str] | None = None) -> "subprocess.Popen[str]":
        """Start a server and wait until it is ready."""
        server, self._next = self._next, self._warm_up()
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        server.stdin.write(json.dumps({"settings": settings, "point": point}) + "\n")
        server.stdin.flush()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and server.poll() is None:
            try:
                if httpx.get(f"{settings['ASSISTANT_PUBLIC_URL']}/health/ready", timeout=2).status_code == 200:
                    return server
            except httpx.TransportError:
                time.sleep(0.05)
        pytest.fail("the server did not start")

    def close(self) -> None:
        """End the one that was never needed."""
        self._next.kill()
        wait_for_end(self._next)

    @staticmethod
    def _warm_up() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.story.crashing"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )


@pytest.fixture(scope="module")
def stable(model: None) -> Iterator[Stable]:
    stable = Stable()
    yield stable
    stable.close()


def stop(server: "subprocess.Popen[str]") -> None:
    server.terminate()
    wait_for_end(server)


def wait_for_end(server: "subprocess.Popen[str]") -> None:
    with server:  # closes its pipes
        server.wait(START_SECONDS)


def test_a_crash_leaves_the_whole_turn_or_nothing(
    stable: Stable, database: Database, twilio: TwilioApi, tmp_path: Path
) -> None:
    """Ten people are about to order; each one's "yes" meets a server that dies at another point."""
    settings = settings_for(database.url, tmp_path / "state", twilio, free_port())
    phones = [Phone(settings["ASSISTANT_PUBLIC_URL"], f"+44770090{index:04d}") for index in range(len(POINTS))]
    sids = [f"SM{index:032d}" for index in range(len(POINTS))]
    server = stable.serve(settings)
    for phone in phones:
        for text in ("I'd like to order the rose garden for saturday", "12 Elm Road, Hackney E8 1AA", "no card", "1"):
            answer = phone.text(text)
        assert "Shall I place the order?" in answer
    stop(server)

    for phone, sid, point in zip(phones, sids, POINTS, strict=True):
        orders = count(database, sid).orders
        server = stable.serve(settings, point)
        with pytest.raises(httpx.TransportError):
            phone.post("yes", sid)
        wait_for_end(server)
        whole = point in AFTER_COMMIT
        assert count(database, sid) == (Count(1, orders + 1) if whole else Count(0, orders)), point

    server = stable.serve(settings)
    for phone, sid in zip(phones, sids, strict=True):
        answer = phone.text("yes", sid)
        assert "F-" in answer
        assert phone.text("yes", sid) == answer
        assert count(database, sid).turns == 1
    stop(server)
    assert count(database, sids[0]).orders == len(POINTS)


@dataclass(frozen=True)
class Count:
    """What is in the database: of one turn, and of all orders."""

    turns: int
    orders: int


def count(database: Database, sid: str) -> Count:
    with database.unit_of_work() as unit:
        return Count(len(unit.rows(TurnRow, turn_id=sid)), len(unit.rows(OrderRow)))
