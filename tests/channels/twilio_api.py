"""A stand-in for Twilio: its REST interface on loopback, and its signature, worked out by hand.

with TwilioApi() as twilio:
    channel = SmsChannel(..., api_url=twilio.url, account_sid=twilio.account_sid, auth_token=twilio.auth_token)
    ...
    text = twilio.wait_for_text("+447700900123")
"""

import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

ACCOUNT_SID = "AC00000000000000000000000000000001"
AUTH_TOKEN = "token-of-the-stand-in"
OUR_NUMBER = "+447700900999"
WAIT_SECONDS = 10.0


def sign(url: str, fields: Iterable[tuple[str, str]], token: str = AUTH_TOKEN) -> str:
    """Twilio's X-Twilio-Signature: HMAC-SHA1 over the address and every distinct name and value, sorted."""
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


@dataclass(frozen=True)
class Sent:
    """One text that was handed to Twilio."""

    to: str
    sender: str
    body: str


@dataclass(frozen=True)
class Refusal:
    """What Twilio answers instead of taking a text."""

    status: int
    code: int
    message: str = "The 'To' number +447700900123 said no."


HANG = Refusal(0, 0)
"""No answer at all, until the stand-in is closed."""


@dataclass
class TwilioApi:
    """Takes texts and remembers them; what is in `script` is answered first, one entry a request."""

    account_sid: str = ACCOUNT_SID
    auth_token: str = AUTH_TOKEN
    sent: list[Sent] = field(default_factory=list)
    script: deque[Refusal] = field(default_factory=deque)
    requests: int = 0

    def __enter__(self) -> Self:
        self._arrived = Condition()
        self._closing = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """What to set as the base address of Twilio's REST interface."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def texts_to(self, number: str) -> list[str]:
        """The bodies of all texts this number got, in order."""
        return [text.body for text in self.sent if text.to == number]

    def wait_for_text(self, number: str, nth: int = 1, timeout: float = WAIT_SECONDS) -> str:
        """The body of the nth text to this number, from 1, waiting for it. Raises `TimeoutError`."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.texts_to(number)) >= nth, timeout):
                raise TimeoutError(f"{len(self.texts_to(number))} texts to {number}, waited for {nth}")
        return self.texts_to(number)[nth - 1]

    def _take(self, path: str, authorization: str, form: dict[str, list[str]]) -> tuple[int, object]:
        self.requests += 1
        expected = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        if authorization != f"Basic {expected}":
            return _refused(Refusal(401, 20003, "Authenticate"))
        if path != f"/2010-04-01/Accounts/{self.account_sid}/Messages.json":
            return _refused(Refusal(404, 20404, "Not found"))
        if self.script:
            refusal = self.script.popleft()
            if refusal is HANG:
                self._closing.wait()
            return _refused(refusal)
        sent = Sent(form["To"][0], form["From"][0], form["Body"][0])
        with self._arrived:
            self.sent.append(sent)
            self._arrived.notify_all()
        return 201, {
            "sid": f"SM{len(self.sent):032x}",
            "account_sid": self.account_sid,
            "to": sent.to,
            "from": sent.sender,
            "body": sent.body,
            "status": "queued",
            "error_code": None,
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, answer = api._take(self.path, self.headers.get("Authorization", ""), form)
                if status == HANG.status:
                    return
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: the test says what went wrong."""

        return Handler


def _refused(refusal: Refusal) -> tuple[int, object]:
    return refusal.status, {"status": refusal.status, "code": refusal.code, "message": refusal.message}
