"""The two that are compared, each behind its own HTTP door: how to start it, to speak to it and to read it."""

import html
import json
import re
import socket
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from assistant.database import Database, new_id
from assistant.settings import Settings
from assistant.turns import Choice, Message, Reply
from benchmarks.material import places
from benchmarks.processes import Server
from channels.sms import PATH
from channels.sms.texts import texts

AUTH_TOKEN = "made-up-for-the-benchmark"  # noqa: S105  # nobody else's
QUIET_ENVIRONMENT = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "LOG_LEVEL": "WARNING"}


@dataclass(frozen=True, slots=True)
class Request:
    """One thing said, as it is posted."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Side(Protocol):
    """One of the two."""

    name: str
    servers: tuple[Server, ...]
    """Its processes while it runs."""

    def start(self) -> None:
        """Start its processes; they answer some seconds later."""
        ...

    def stop(self) -> None:
        """End its processes."""
        ...

    def request(self, person: str, text: str) -> Request:
        """What to post when this person, a number in E.164, says this."""
        ...

    def texts(self, answer: bytes) -> tuple[str, ...]:
        """The answer as the texts a phone would show."""
        ...


class ThisAssistant:
    """`assistant run`, spoken to through its webhook for text messages, signature check included."""

    name = "this assistant"

    def __init__(self, folder: Path, settings: Settings, database_url: str | None) -> None:
        self.servers: tuple[Server, ...] = ()
        self._folder = folder
        port = free_port()
        self._url = f"http://127.0.0.1:{port}{PATH}"
        self._validator = RequestValidator(AUTH_TOKEN)
        self._environment = (
            QUIET_ENVIRONMENT
            | places(settings)
            | {
                "ASSISTANT_PORT": str(port),
                "ASSISTANT_PUBLIC_URL": f"http://127.0.0.1:{port}",
                "ASSISTANT_DATABASE_URL": migrated(database_url or f"sqlite:///{folder / 'assistant.db'}"),
                "ASSISTANT_STATE_DIR": str(folder / "state"),
                "ASSISTANT_TURNS_PER_MINUTE": "1000000",
                "ASSISTANT_TWILIO_ACCOUNT_SID": "AC" + 32 * "0",
                "ASSISTANT_TWILIO_AUTH_TOKEN": AUTH_TOKEN,
                "ASSISTANT_TWILIO_NUMBER": "+15550000000",
                "ASSISTANT_TWILIO_API_URL": f"http://127.0.0.1:{port}/nowhere",
            }
        )

    def start(self) -> None:
        """Start `assistant run`."""
        command = [sys.executable, "-m", "assistant.cli", "run"]
        self.servers = (Server(command, self._folder / "assistant.log", self._environment),)

    def stop(self) -> None:
        """End it."""
        for server in self.servers:
            server.stop()

    def request(self, person: str, text: str) -> Request:
        """A signed webhook as Twilio posts it, with what matters of it."""
        form = {"MessageSid": f"SM{new_id()}", "From": person, "To": "+15550000000", "Body": text, "NumMedia": "0"}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": self._validator.compute_signature(self._url, form),
        }
        return Request(self._url, headers, urlencode(form).encode())

    def texts(self, answer: bytes) -> tuple[str, ...]:
        """The messages of the TwiML."""
        return tuple(html.unescape(text) for text in re.findall(r"<Message>(.*?)</Message>", answer.decode(), re.S))


class StockRasa:
    """`rasa run` with its REST channel, its SQL tracker store and a rasa-sdk action server."""

    name = "stock Rasa"

    def __init__(
        self, folder: Path, rasa: Path, model: Path, settings: Settings, database_urls: tuple[str, str] | None
    ) -> None:
        """`database_urls` are those of the tracker store and of the actions; SQLite files below `folder` when None."""
        self.servers: tuple[Server, ...] = ()
        self._folder = folder
        port, actions_port = free_port(), free_port()
        self._url = f"http://127.0.0.1:{port}/webhooks/rest/webhook"
        tracker_url, actions_url = database_urls or (None, f"sqlite:///{folder / 'actions.db'}")
        self._rasa = [str(rasa), "run", "--model", str(model), "-i", "127.0.0.1", "-p", str(port)]
        self._actions = [sys.executable, "-m", "benchmarks.action_server", "--port", str(actions_port)]
        self._actions_environment = (
            QUIET_ENVIRONMENT
            | places(settings)
            | {
                "ASSISTANT_DATABASE_URL": migrated(actions_url),
                "ASSISTANT_STATE_DIR": str(folder / "state"),
            }
        )
        store = {"type": "SQL", "dialect": "sqlite", "db": str(folder / "tracker.db")}
        if tracker_url is None:
            # A file stays in the journal mode it was made with: like ours, WAL, which SQLite syncs fully unless told
            # otherwise. Rasa closes its connection after each turn, and the last to close folds the log into the
            # file; the one held open here spares it that.
            self._held = sqlite3.connect(folder / "tracker.db")
            self._held.execute("PRAGMA journal_mode=WAL")
            self._held.execute("SELECT * FROM sqlite_master").fetchall()
        else:
            store = {"type": "SQL", "url": tracker_url}
        # JSON is YAML.
        action_endpoint = {"url": f"http://127.0.0.1:{actions_port}/webhook"}
        endpoints = json.dumps({"tracker_store": store, "action_endpoint": action_endpoint})
        (folder / "endpoints.yml").write_text(endpoints, encoding="utf-8")
        (folder / "credentials.yml").write_text('{"rest": null}', encoding="utf-8")

    def start(self) -> None:
        """Start `rasa run` and the action server at once."""
        configuration = ["--endpoints", "endpoints.yml", "--credentials", "credentials.yml"]
        self.servers = (
            Server([*self._rasa, *configuration], self._folder / "rasa.log", QUIET_ENVIRONMENT),
            Server(self._actions, self._folder / "actions.log", self._actions_environment),
        )

    def stop(self) -> None:
        """End both."""
        for server in self.servers:
            server.stop()

    def request(self, person: str, text: str) -> Request:
        """A message for the REST channel."""
        body = json.dumps({"sender": person, "message": text}).encode()
        return Request(self._url, {"Content-Type": "application/json"}, body)

    def texts(self, answer: bytes) -> tuple[str, ...]:
        """The messages of the REST channel, written as our own channel writes them."""
        messages = (
            Message(part["text"], choices=tuple(Choice(button["title"], "") for button in part.get("buttons", ())))
            for part in json.loads(answer)
            if "text" in part
        )
        return texts(Reply(tuple(messages)))


def migrated(url: str) -> str:
    """This URL, once its database has our schema."""
    database = Database(url)
    database.migrate()
    database.close()
    return url


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
