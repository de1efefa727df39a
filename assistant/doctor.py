"""What is wrong with this installation, and how to mend it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from assistant import training
from assistant.database import Database
from assistant.errors import ModelError, SettingsError, StoreUnavailable
from assistant.running import answers, listen, url_of
from assistant.settings import LOOPBACK_HOSTS, Settings

PYTHON = (3, 11)
ANSWER_SECONDS = 10.0
"""How long another service may take to answer."""
SMS_WEBHOOK = "/channels/sms#rc=3&rp=all"
"""Twilio's own retries are on: a repeated webhook gets the same reply."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    """What was looked at, in a word or two."""
    says: str
    """What was seen."""
    mend: str | None = None
    """How to put it right; None when it is right."""


def examine(settings: Settings, *, online: bool) -> Iterator[Finding]:
    """Look at everything, one finding each; with `online` also ask Twilio and our own public address."""
    yield python(sys.version_info[:2])
    yield database(settings)
    yield model(settings)
    yield port(settings)
    yield twilio(settings)
    yield public_address(settings)
    if online and settings.texting:
        yield twilio_answers(settings)
    if online and settings.public_url:
        yield public_address_answers(settings.public_url)


def python(version: tuple[int, int]) -> Finding:
    """The interpreter that runs this."""
    says = f"CPython {version[0]}.{version[1]}"
    return Finding("Python", says, None if version == PYTHON else "Rasa 3.6 needs CPython 3.11: install it, `make run`")


def database(settings: Settings) -> Finding:
    """Whether the database answers and has today's schema."""
    store = Database(settings.database_url)
    try:
        name = store.engine.url.render_as_string(hide_password=True)
        if store.is_migrated():
            return Finding("database", f"{name}, schema is the newest")
        return Finding("database", f"{name}, schema is missing or old", "`assistant run` brings it up to date")
    except StoreUnavailable as error:
        return Finding("database", f"cannot be reached ({error})", "start it, or correct ASSISTANT_DATABASE_URL")
    finally:
        store.close()


def model(settings: Settings) -> Finding:
    """Whether there is a model for the present data, as our training wrote it."""
    try:
        return Finding("model", f"{training.trusted_model(settings).name}, as trained from this data")
    except ModelError as error:
        return Finding("model", str(error), "`assistant train`")


def port(settings: Settings) -> Finding:
    """Whether the port can be had, or is already ours."""
    place = f"{settings.host}:{settings.port}"
    try:
        listen(settings.host, settings.port).close()
    except SettingsError as error:
        if answers(url_of(settings.host, settings.port)):
            return Finding("port", f"the assistant is running on {place}")
        what, _, mend = str(error).partition(": ")
        return Finding("port", what, mend)
    return Finding("port", f"{place} is free")


def twilio(settings: Settings) -> Finding:
    """Whether text messages are on; that their settings are whole, the settings check themselves."""
    if not settings.texting:
        return Finding("Twilio", "off: without its three settings there are no text messages")
    webhook = f"{settings.public_url}{SMS_WEBHOOK}"
    return Finding("Twilio", f"on; the number's webhook for incoming messages must be {webhook}")


def public_address(settings: Settings) -> Finding:
    """Whether the public address is one that others can use safely."""
    if settings.public_url is None:
        if settings.host in LOOPBACK_HOSTS:
            return Finding("public address", "none: for this machine only")
        return Finding("public address", f"none, though {settings.host} is open to others", "set ASSISTANT_PUBLIC_URL")
    if urlsplit(settings.public_url).scheme != "https":
        mend = "put a TLS proxy in front and set ASSISTANT_PUBLIC_URL to its https address"
        return Finding("public address", f"{settings.public_url} is not https", mend)
    return Finding("public address", settings.public_url)


def twilio_answers(settings: Settings) -> Finding:
    """Whether Twilio takes our credentials."""
    subject, sid = "Twilio account", settings.twilio_account_sid or ""
    token = settings.twilio_auth_token.get_secret_value() if settings.twilio_auth_token else ""
    url = f"{settings.twilio_api_url}/2010-04-01/Accounts/{sid}.json"
    try:
        answer = httpx.get(url, auth=(sid, token), timeout=ANSWER_SECONDS)
    except httpx.HTTPError as error:
        mend = "check the network and ASSISTANT_TWILIO_API_URL"
        return Finding(subject, f"does not answer ({type(error).__name__})", mend)
    if answer.status_code == HTTPStatus.OK:
        return Finding(subject, "credentials are right")
    mend = "correct ASSISTANT_TWILIO_ACCOUNT_SID and ASSISTANT_TWILIO_AUTH_TOKEN"
    return Finding(subject, f"refuses the credentials (HTTP {answer.status_code})", mend)


def public_address_answers(public_url: str) -> Finding:
    """Whether the public address leads to a running assistant."""
    subject, url = "public address", f"{public_url}/health/live"
    mend = "start the assistant and check DNS, certificate and the proxy in front"
    try:
        answer = httpx.get(url, timeout=ANSWER_SECONDS)
    except httpx.HTTPError as error:
        return Finding(subject, f"{url} does not answer ({type(error).__name__})", mend)
    if answer.status_code != HTTPStatus.OK:
        return Finding(subject, f"{url} answers HTTP {answer.status_code}", mend)
    return Finding(subject, f"{url} answers")
