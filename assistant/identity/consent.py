"""The page where a person says who they are and allows their account to be linked.

Who has proved an address in this browser is only asked whether they want it. Anybody else proves a mobile number first,
within the limits of `assistant/codes.py`. Each form carries a token bound to the browser's session and to the client's
request, so that no other site can press our buttons (RFC 6749, section 10.12).
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

import structlog
from fastapi import Response
from fastapi.responses import RedirectResponse

from assistant.codes import CodeResult, Codes
from assistant.database import UnitOfWork
from assistant.errors import SettingsError
from assistant.identity.page import Pages, Way
from assistant.identity.proving import Browsers, Proving
from assistant.identity.server import Answer, Asked, Client, Server
from assistant.identity.tokens import Grants
from assistant.notices import Notices
from assistant.outbox import Outbox
from assistant.people import phone_address
from assistant.profiles import Person, Profiles
from assistant.shop import Shop
from assistant.turns import Address, Assurance

PROOF = "sms code, to link an account"

_AGAIN = {
    CodeResult.WRONG: "That is not the code we sent. Please look again.",
    CodeResult.DEAD: "This code is no longer good. Please ask for a new one.",
    CodeResult.LOCKED: "Those were too many wrong codes for today. Please try again tomorrow.",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser at the page."""

    asked: Asked
    """The client's request, which stays in the address of the page."""
    session: str
    """The browser's."""
    fields: Mapping[str, str] | None
    """The form that was sent; None when the page was opened."""
    origin: str | None = None
    """Where on the network the browser is."""


@dataclass(frozen=True, slots=True)
class _Step:
    visit: Visit
    unit: UnitOfWork
    server: Server
    redirect_uri: str

    @property
    def fields(self) -> Mapping[str, str]:
        return self.visit.fields or {}


class Consent:
    """The page, step by step."""

    def __init__(
        self,
        client: Client,
        browsers: Browsers,
        pages: Pages,
        *,
        shop: Shop,
        key: bytes,
        texting: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._browsers = browsers
        self._pages = pages
        self._shop = shop
        self._key = key
        self._texting = texting
        self._now = now
        self._steps = {
            "start": self._start,
            "phone": self._phone,
            "code": self._code,
            "allow": self._allow,
            "deny": self._deny,
        }

    def server(self, unit: UnitOfWork) -> Server:
        """The protocol, over this unit of work."""
        return Server(self._client, Grants(unit, self._now()))

    def answer(self, unit: UnitOfWork, visit: Visit) -> Response:
        """What this visit gets. Raises `OAuth2Error` when the client's request is not in order."""
        server = self.server(unit)
        step = _Step(visit, unit, server, server.consent_to(visit.asked))
        if visit.fields is None:
            return self._start(step)
        if not hmac.compare_digest(visit.fields.get("form", "").encode(), self._form_token(visit).encode()):
            log.warning("oauth_refused", reason="form token")
            words = (
                "This page was open for too long, or your browser's session has changed. Nothing was linked. "
                "Please begin again where you came from."
            )
            return self._pages.refuse("Please begin again", words, Way.CHAT, status=403)
        return self._steps.get(visit.fields.get("step", ""), self._start)(step)

    def _start(self, step: _Step) -> Response:
        person = self._proving(step).proven(self._browsers.address_of(step.visit.session))
        if person is not None:
            return self._consent_page(step, person)
        if self._texting:
            return self._page("phone.html", step, typed="", problem=None)
        words = (
            "To link your account we would send a code to your phone, and text messages are not set up here. "
            "If you work here, sign in through the chat first."
        )
        return self._pages.refuse("We cannot tell who you are", words, Way.CHAT, status=503)

    def _phone(self, step: _Step) -> Response:
        typed = step.fields.get("phone", "")
        try:
            number = phone_address(typed)
        except SettingsError:
            problem = "Please give the whole number with the country in front, such as +44 7700 900123."
            return self._page("phone.html", step, typed=typed, problem=problem)
        browser = self._browsers.address_of(step.visit.session)
        person = Profiles(step.unit, self._now()).find_or_create(browser, Assurance.ANONYMOUS)
        codes, thread = self._codes(step), _thread(browser)
        digits = codes.make(person.id, thread, number, origin=step.visit.origin) if self._texting else None
        if digits is None:
            problem = "We cannot send more codes just now. Please try again in a quarter of an hour."
            return self._page("phone.html", step, typed=typed, problem=problem)
        text = f"{digits} is your {self._shop.name} code to link your account. Do not read it to anyone."
        Outbox(step.unit, self._now()).text(number, text, secret=True)
        return self._page("code.html", step, problem=None)

    def _code(self, step: _Step) -> Response:
        browser = self._browsers.address_of(step.visit.session)
        person = Profiles(step.unit, self._now()).find_or_create(browser, Assurance.ANONYMOUS)
        digits = re.sub(r"\D", "", step.fields.get("code", ""))
        check = self._codes(step).check(person.id, _thread(browser), digits)
        if check.result is not CodeResult.RIGHT or check.address is None:
            return self._page("code.html", step, problem=_AGAIN.get(check.result))
        session = self._browsers.new_session()
        proved = self._proving(step).prove(
            browser, self._browsers.address_of(session), check.address, PROOF, Assurance.PROVEN
        )
        if proved is None:
            log.warning("oauth_refused", reason="two people")
            words = (
                "This browser belongs to somebody who proved who they are, and so does this number. "
                "A machine must not join the two: our staff will look at it. Nothing was linked."
            )
            return self._pages.refuse("This number is somebody else's", words, Way.CHAT, status=409)
        response = self._consent_page(replace(step, visit=replace(step.visit, session=session)), proved)
        response.headers.append("Set-Cookie", self._browsers.header(session))
        return response

    def _allow(self, step: _Step) -> Response:
        person = self._proving(step).proven(self._browsers.address_of(step.visit.session))
        if person is None:
            return self._start(step)
        log.info("account_linked", person=person.id)
        notices = Notices(Outbox(step.unit, self._now()), self._shop, self._now())
        notices.account_linked(person, urlsplit(step.redirect_uri).hostname or "")
        return _send_back(step.server.authorize(step.visit.asked, person.id))

    def _deny(self, step: _Step) -> Response:
        return _send_back(step.server.authorize(step.visit.asked, None))

    def _consent_page(self, step: _Step, person: Person) -> Response:
        number = f"that ends in {person.phone.value[-3:]}" if person.phone else None
        return self._page("consent.html", step, number=number, site=urlsplit(step.redirect_uri).hostname)

    def _page(self, template: str, step: _Step, **values: object) -> Response:
        # Browsers hold a form's target to `form-action` through every redirect that follows, and the client's own
        # page may send people on to places that only the client knows.
        parts = urlsplit(step.redirect_uri)
        targets = "'self' https:" if parts.scheme == "https" else f"'self' {parts.scheme}://{parts.netloc}"
        return self._pages.show(template, {**values, "form": self._form_token(step.visit)}, form_action=targets)

    def _form_token(self, visit: Visit) -> str:
        bound = f"consent|{visit.session}|{visit.asked.query}"
        return hmac.new(self._key, bound.encode(), hashlib.sha256).hexdigest()

    def _proving(self, step: _Step) -> Proving:
        return Proving(step.unit, self._now(), self._shop)

    def _codes(self, step: _Step) -> Codes:
        return Codes(step.unit, self._now(), self._key)


def _thread(browser: Address) -> str:
    """What a code is bound to in place of a conversation: this browser, for this purpose."""
    return f"link an account|{browser.value}"


def _send_back(answer: Answer) -> Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(answer.location or "/", 303, headers=headers)
