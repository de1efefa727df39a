"""The whole product: `assistant run` as a process of its own, a stand-in for Twilio, a phone that texts."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx
import pytest

from assistant import training
from assistant.database import Database
from assistant.orders import Orders
from assistant.settings import Settings
from tests.channels.twilio_api import OUR_NUMBER, TwilioApi, sign
from tests.conftest import ENGINES, fresh_database

ROOT = Path(__file__).parents[2]
START_SECONDS = 90.0
TRAIN_SECONDS = 400.0


@dataclass
class Phone:
    """Somebody's phone: texts arrive as Twilio's signed webhooks."""

    url: str
    number: str = "+447700900123"

    def post(self, text: str, message_sid: str | None = None) -> httpx.Response:
        """Send a text; the answer as Twilio gets it."""
        fields = {
            "MessageSid": message_sid or f"SM{uuid.uuid4().hex}",
            "AccountSid": "AC00000000000000000000000000000001",
            "From": self.number,
            "To": OUR_NUMBER,
            "Body": text,
            "NumMedia": "0",
            "NumSegments": "1",
        }
        webhook = f"{self.url}/channels/sms"
        headers = {
            "X-Twilio-Signature": sign(webhook, fields.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return httpx.post(webhook, content=urlencode(fields), headers=headers, timeout=20)

    def text(self, text: str, message_sid: str | None = None) -> str:
        """Send a text; the words of the answer."""
        answer = self.post(text, message_sid)
        assert answer.status_code == 200, answer.text
        return "\n".join(message.text or "" for message in ElementTree.fromstring(answer.text))  # noqa: S314  # our own answer


@dataclass
class Product:
    """The running product."""

    url: str
    settings: dict[str, str]
    process: "subprocess.Popen[str]"
    log: Path = field(default_factory=Path)

    def phone(self, number: str = "+447700900123") -> Phone:
        return Phone(self.url, number)

    def command(self, *arguments: str) -> str:
        """Run an `assistant` command beside it; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "assistant.cli", *arguments],
            env={**os.environ, **self.settings},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=START_SECONDS,
        )
        return done.stdout


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def settings_for(database_url: str, state_dir: Path, twilio: TwilioApi, port: int) -> dict[str, str]:
    """The environment of a product on this database and port."""
    return {
        "ASSISTANT_PORT": str(port),
        "ASSISTANT_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ASSISTANT_DATABASE_URL": database_url,
        "ASSISTANT_STATE_DIR": str(state_dir),
        "ASSISTANT_MODELS_DIR": str(ROOT / "models"),
        "ASSISTANT_TWILIO_ACCOUNT_SID": twilio.account_sid,
        "ASSISTANT_TWILIO_AUTH_TOKEN": twilio.auth_token,
        "ASSISTANT_TWILIO_NUMBER": OUR_NUMBER,
        "ASSISTANT_TWILIO_API_URL": twilio.url,
    }


def wait_until_ready(url: str, process: "subprocess.Popen[str]", log: Path) -> None:
    """Until it can serve; fails with its log when it ends first."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the assistant ended with {process.returncode}:\n{log.read_text()}")
        try:
            if httpx.get(f"{url}/health/ready", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"the assistant was not ready after {START_SECONDS} s:\n{log.read_text()}")


@contextmanager
def serving(settings: dict[str, str], log: Path) -> Iterator[Product]:
    """`assistant run` with these settings, until the block is left."""
    url = settings["ASSISTANT_PUBLIC_URL"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "assistant.cli", "run"],
            env={**os.environ, **settings},
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        wait_until_ready(url, process, log)
        yield Product(url, settings, process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="module", params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all tests of a module, as a shop has; each test is about people of its own."""
    yield from fresh_database(request, tmp_path_factory.mktemp("database"))


@pytest.fixture(scope="module")
def twilio(database: Database) -> Iterator[TwilioApi]:
    """A stand-in for each database: what one product sent is not taken for what the next one did."""
    with TwilioApi() as api:
        yield api


@pytest.fixture(scope="session")
def model() -> None:
    """The shop's model, trained when there is none for its data."""
    settings = Settings(data_dir=ROOT / "data", config_file=ROOT / "config.yml", models_dir=ROOT / "models")
    settings.models_dir.mkdir(exist_ok=True)
    with (settings.models_dir / "README.md").open() as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not training.model_path(settings).exists():
            command = [sys.executable, "-m", "assistant.cli", "train"]
            subprocess.run(command, cwd=ROOT, check=True, timeout=TRAIN_SECONDS)


@pytest.fixture(scope="module")
def product(
    model: None, database: Database, twilio: TwilioApi, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """The running product, once on each engine."""
    folder = tmp_path_factory.mktemp("product")
    with serving(settings_for(database.url, folder / "state", twilio, free_port()), folder / "log") as product:
        yield product


def sell(database: Database, name: str, bouquet_id: str) -> str:
    """A bouquet sold in the shop; its share code."""
    with database.unit_of_work() as unit:
        code = Orders(unit, datetime.now(UTC)).record_sale(name, bouquet_id)
        unit.commit()
    return code
