"""Linking an account by OAuth 2: what the client gets, and everything that gets nothing."""

import base64
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

from assistant.database import Overtaken
from assistant.identity.tokens import AccessTokens, GrantRow, Grants, TokenKind, TokenRow
from assistant.profiles import Profiles
from assistant.turns import Address
from tests.assistant.identity.conftest import (
    BACK,
    LINK_CLIENT_ID,
    LINK_CLIENT_SECRET,
    OTHER_BACK,
    House,
    MakeHouse,
)

NUMBER = "+447700900123"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "response_type": "code",
    "client_id": LINK_CLIENT_ID,
    "redirect_uri": BACK,
    "state": "their own",
    "scope": "assistant",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
SECRET = (LINK_CLIENT_ID, LINK_CLIENT_SECRET)


@dataclass
class Page:
    """The page in a browser."""

    browser: httpx.Client
    url: str
    answer: httpx.Response

    @property
    def form(self) -> str:
        found = re.search(r'name="form" value="([0-9a-f]{64})"', self.answer.text)
        assert found is not None, self.answer.text
        return found[1]

    def send(self, step: str, **fields: str) -> "Page":
        answer = self.browser.post(self.url, data={"form": self.form, "step": step, **fields})
        return Page(self.browser, self.url, answer)


def open_page(browser: httpx.Client, **changed: str | None) -> Page:
    asked = {name: value for name, value in {**ASKED, **changed}.items() if value is not None}
    url = f"/oauth/authorize?{urlencode(asked)}"
    return Page(browser, url, browser.get(url))


def sent_back(page: Page) -> dict[str, str]:
    """What the client is told in the address that the person is sent back to."""
    assert page.answer.status_code == 303, page.answer.text
    location = page.answer.headers["location"]
    assert location.startswith(f"{BACK}?")
    return dict(parse_qsl(urlsplit(location).query))


def code_sent(house: House) -> str:
    found = re.match(r"(\d{6}) is your Fiore code to link your account", house.texts()[-1])
    assert found is not None
    return found[1]


def allowed(house: House, browser: httpx.Client | None = None) -> str:
    """An authorization code."""
    browser = browser or house.proven_browser()[0]
    return sent_back(open_page(browser).send("allow"))["code"]


def exchange(house: House, code: str, **changed: str) -> httpx.Response:
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    return httpx.post(f"{house.url}/oauth/token", data={**fields, **changed}, auth=SECRET)


def refresh(house: House, token: str) -> httpx.Response:
    fields = {"grant_type": "refresh_token", "refresh_token": token}
    return httpx.post(f"{house.url}/oauth/token", data=fields, auth=SECRET)


def error(answer: httpx.Response) -> tuple[int, str]:
    assert "access_token" not in answer.text
    return answer.status_code, answer.json()["error"]


async def person_of(house: House, token: str, client_id: str = LINK_CLIENT_ID) -> str | None:
    return await AccessTokens(house.database, client_id, house.clock).person_of(token)


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_client_of_the_standard_kind_links_an_account(house: House, method: str) -> None:
    verifier = generate_token(48)
    with OAuth2Session(
        *SECRET,
        redirect_uri=BACK,
        scope="assistant",
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    ) as client:
        client.trust_env = False
        url, state = client.create_authorization_url(f"{house.url}/oauth/authorize", code_verifier=verifier)
        browser, address = house.proven_browser()
        page = Page(browser, url, browser.get(url)).send("allow")
        assert sent_back(page)["state"] == state
        token = client.fetch_token(
            f"{house.url}/oauth/token", authorization_response=page.answer.headers["location"], code_verifier=verifier
        )
        person = house.person_at(address)
        assert person is not None
        assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 3600, "assistant")
        assert await person_of(house, token["access_token"]) == person.id
        again = client.refresh_token(f"{house.url}/oauth/token", refresh_token=token["refresh_token"])
        assert again["refresh_token"] != token["refresh_token"]
        assert await person_of(house, again["access_token"]) == person.id
        assert client.revoke_token(f"{house.url}/oauth/revoke", token=again["refresh_token"]).status_code == 200
        assert await person_of(house, again["access_token"]) is None
        assert await person_of(house, token["access_token"]) is None


def test_somebody_unknown_proves_a_number_and_links(house: House) -> None:
    browser, before = house.known_browser()
    page = open_page(browser)
    assert "Your mobile number" in page.answer.text
    page = page.send("phone", phone="+44 7700 900123")
    assert "Six digits" in page.answer.text
    page = page.send("code", code=code_sent(house))
    assert "that ends in 123" in page.answer.text
    person = house.person_at(Address("phone", NUMBER))
    assert person is not None
    assert house.person_at(before) is None, "the session is renewed with what it may do"
    assert house.person_at(house.address_of(browser)) == person
    assert exchange(house, sent_back(page.send("allow"))["code"]).status_code == 200


def test_somebody_new_gets_a_session_with_the_page(house: House) -> None:
    browser = house.browser()
    page = open_page(browser).send("phone", phone=NUMBER)
    assert "Six digits" in page.answer.text


def test_a_known_number_leads_to_the_person_who_has_it(house: House) -> None:
    _, address = house.proven_browser(NUMBER)
    known = house.person_at(address)
    page = open_page(house.browser()).send("phone", phone=NUMBER)
    page = page.send("code", code=code_sent(house))
    assert house.person_at(house.address_of(page.browser)) == house.person_at(address)
    assert known is not None
    person = house.person_at(address)
    assert person is not None
    assert person.id == known.id


def test_the_page_does_not_tell_whether_a_number_is_known(house: House) -> None:
    house.proven_browser(NUMBER)
    known, unknown = (
        open_page(house.browser()).send("phone", phone=number).answer for number in (NUMBER, "+447700900124")
    )
    hide = re.compile(r'value="[0-9a-f]{64}"')
    assert hide.sub("", known.text) == hide.sub("", unknown.text)


def test_a_number_of_another_proven_person_is_not_linked(house: House) -> None:
    house.proven_browser("+447700900124")
    browser, _ = house.proven_browser(NUMBER)
    page = open_page(browser).send("phone", phone="+447700900124").send("code", code=code_sent(house))
    assert page.answer.status_code == 409


def test_who_says_no_goes_back_with_nothing(house: House) -> None:
    told = sent_back(open_page(house.proven_browser()[0]).send("deny"))
    assert (told["error"], told["state"]) == ("access_denied", "their own")
    assert "code" not in told
    with house.database.unit_of_work() as unit:
        assert unit.rows(GrantRow) == []


@pytest.mark.parametrize("step", ["allow", "start", "", "drop table"])
def test_nobody_allows_anything_without_a_proof(house: House, step: str) -> None:
    page = open_page(house.known_browser()[0]).send(step)
    assert page.answer.status_code == 200
    assert "Your mobile number" in page.answer.text


def test_wrong_codes_are_counted_and_prove_nothing(house: House) -> None:
    page = open_page(house.browser()).send("phone", phone=NUMBER)
    right = code_sent(house)
    for guess in range(4):
        wrong = f"{(int(right) + 1 + guess) % 10**6:06}"
        page = page.send("code", code=wrong)
        assert "not the code we sent" in page.answer.text
    page = page.send("code", code=f"{(int(right) + 9) % 10**6:06}")
    assert "no longer good" in page.answer.text
    assert "no longer good" in page.send("code", code=right).answer.text
    assert house.person_at(Address("phone", NUMBER)) is None


def test_a_code_expires_and_belongs_to_one_browser(house: House) -> None:
    page = open_page(house.browser()).send("phone", phone=NUMBER)
    other = open_page(house.browser()).send("phone", phone="+447700900124")
    digits = next(text[:6] for text in house.texts())
    assert "Link your account?" not in other.send("code", code=digits).answer.text
    house.clock.forward(minutes=6)
    assert "no longer good" in page.send("code", code=digits).answer.text


def test_only_so_many_codes_go_to_a_number(house: House) -> None:
    for _ in range(3):
        assert "Six digits" in open_page(house.browser()).send("phone", phone=NUMBER).answer.text
    assert "cannot send more codes" in open_page(house.browser()).send("phone", phone=NUMBER).answer.text
    assert len(house.texts()) == 3


def test_only_so_many_codes_are_asked_for_from_one_place_on_the_network(house: House) -> None:
    def ask(number: str, place: str) -> str:
        browser = house.browser()
        browser.headers["X-Forwarded-For"] = place  # as a proxy on this machine says it
        return open_page(browser).send("phone", phone=number).answer.text

    for digit in range(5):
        assert "Six digits" in ask(f"+44770090012{digit}", "203.0.113.9")
    assert "cannot send more codes" in ask("+447700900125", "203.0.113.9")
    assert "Six digits" in ask("+447700900125", "203.0.113.10")


@pytest.mark.parametrize("typed", ["", "07700 900123", "not a number", "+", "<script>alert(1)</script>", "+44" * 30])
def test_what_is_no_number_is_said_and_kept(house: House, typed: str) -> None:
    page = open_page(house.browser()).send("phone", phone=typed)
    assert "with the country in front" in page.answer.text
    assert "<script" not in page.answer.text
    assert house.texts() == []


def test_without_text_messages_it_is_said_what_to_do(make_house: MakeHouse) -> None:
    house = make_house(twilio_account_sid=None, twilio_auth_token=None, twilio_number=None)
    page = open_page(house.browser())
    assert page.answer.status_code == 503
    assert "sign in through the chat" in page.answer.text


def test_another_site_cannot_press_the_button(house: House) -> None:
    victim, attacker = house.proven_browser()[0], house.proven_browser("+447700900124")[0]
    for form in ("", "0" * 64, open_page(attacker).form):
        page = open_page(victim)
        answer = victim.post(page.url, data={"form": form, "step": "allow"})
        assert answer.status_code == 403
    page, elsewhere = open_page(victim), open_page(victim, state="another")
    answer = victim.post(page.url, data={"form": elsewhere.form, "step": "allow"})
    assert answer.status_code == 403
    with house.database.unit_of_work() as unit:
        assert unit.rows(GrantRow) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": f"{BACK}/"},
        {"redirect_uri": f"{BACK}?x=1"},
        {"redirect_uri": BACK.upper()},
        {"redirect_uri": f"{BACK}.evil.example"},
        {"redirect_uri": 'https://evil.example/"<é>'},
        {"redirect_uri": None},
        {"client_id": "another"},
        {"client_id": None},
        {"client_id": "é\x00"},
    ],
)
def test_nobody_is_sent_where_the_client_did_not_say(house: House, changed: dict[str, str | None]) -> None:
    answer = open_page(house.proven_browser()[0], **changed).answer
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "cannot be linked" in answer.text


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
    ],
)
def test_a_client_that_asks_wrongly_is_told_where_it_said(
    house: House, changed: dict[str, str | None], told: str
) -> None:
    answer = sent_back(open_page(house.proven_browser()[0], **changed))
    assert (answer["error"], answer["state"]) == (told, "their own")


def test_a_request_that_says_a_thing_twice_is_refused(house: House) -> None:
    browser = house.proven_browser()[0]
    assert browser.get(f"/oauth/authorize?{urlencode(ASKED)}&redirect_uri={OTHER_BACK}").status_code == 400
    assert browser.get(f"/oauth/authorize?{urlencode(ASKED)}&code_challenge=x").status_code == 400


@pytest.mark.anyio
async def test_a_code_that_comes_again_ends_everything_it_gave(house: House) -> None:
    code = allowed(house)
    tokens = exchange(house, code).json()
    assert error(exchange(house, code)) == (400, "invalid_grant")
    assert await person_of(house, tokens["access_token"]) is None
    assert error(refresh(house, tokens["refresh_token"])) == (400, "invalid_grant")


def test_a_code_is_good_for_five_minutes(house: House) -> None:
    code = allowed(house)
    house.clock.forward(minutes=5, seconds=1)
    assert error(exchange(house, code)) == (400, "invalid_grant")


def test_the_code_of_another_client_is_refused(house: House, make_house: MakeHouse) -> None:
    other = make_house(oauth_client_id="another", oauth_client_secret="a" * 43)
    fields = {"grant_type": "authorization_code", "code": allowed(house), "redirect_uri": BACK}
    answer = httpx.post(
        f"{other.url}/oauth/token", data={**fields, "code_verifier": VERIFIER}, auth=("another", "a" * 43)
    )
    assert error(answer) == (400, "invalid_grant")


@pytest.mark.parametrize("verifier", ["w" * 43, "short", "", CHALLENGE])
def test_a_wrong_verifier_is_refused(house: House, verifier: str) -> None:
    status, _ = error(exchange(house, allowed(house), code_verifier=verifier))
    assert status == 400


@pytest.mark.parametrize("redirect_uri", [OTHER_BACK, "", "https://evil.example"])
def test_another_redirect_address_than_before_is_refused(house: House, redirect_uri: str) -> None:
    assert error(exchange(house, allowed(house), redirect_uri=redirect_uri)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "auth", [None, (LINK_CLIENT_ID, "wrong"), ("another", LINK_CLIENT_SECRET), (LINK_CLIENT_ID, "")]
)
def test_a_client_that_does_not_prove_itself_gets_nothing(house: House, auth: tuple[str, str] | None) -> None:
    fields = {"grant_type": "authorization_code", "code": allowed(house), "redirect_uri": BACK}
    answer = httpx.post(
        f"{house.url}/oauth/token", data={**fields, "code_verifier": VERIFIER, "client_id": LINK_CLIENT_ID}, auth=auth
    )
    assert error(answer) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b""),
        ({"content-type": "application/json"}, b"{}"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"grant_type=" + b"x" * 20_000),
        ({"content-type": "application/x-www-form-urlencoded"}, b"&".join(b"a%d=1" % n for n in range(60))),
        ({"content-type": "application/x-www-form-urlencoded"}, "grant_type=é".encode()),
        ({"content-type": "application/x-www-form-urlencoded"}, b"grant_type=refresh_token&grant_type=password"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"grant_type=password&username=a&password=b"),
        (
            {"content-type": "application/x-www-form-urlencoded", "authorization": "Basic /w=="},
            b"grant_type=refresh_token&refresh_token=x",
        ),
    ],
)
def test_what_is_no_request_for_a_token_is_refused(house: House, headers: dict[str, str], body: bytes) -> None:
    for path in ("/oauth/token", "/oauth/revoke"):
        assert httpx.post(f"{house.url}{path}", content=body, headers=headers).status_code in (400, 401)


def test_tokens_in_an_address_are_not_taken(house: House) -> None:
    fields = {"grant_type": "authorization_code", "code": allowed(house), "redirect_uri": BACK}
    answer = httpx.post(
        f"{house.url}/oauth/token", params={**fields, "code_verifier": VERIFIER}, auth=SECRET, data={"x": "y"}
    )
    assert answer.status_code == 400


@pytest.mark.anyio
async def test_a_refresh_token_that_comes_again_ends_the_family(house: House) -> None:
    first = exchange(house, allowed(house)).json()
    second = refresh(house, first["refresh_token"]).json()
    assert await person_of(house, second["access_token"]) is not None
    assert error(refresh(house, first["refresh_token"])) == (400, "invalid_grant")
    assert error(refresh(house, second["refresh_token"])) == (400, "invalid_grant")
    for tokens in (first, second):
        assert await person_of(house, tokens["access_token"]) is None


def test_of_many_exchanges_at_once_one_succeeds(house: House) -> None:
    with ThreadPoolExecutor(6) as pool:
        for code in [allowed(house, house.proven_browser(f"+44770090020{n}")[0]) for n in range(5)]:
            answers = list(pool.map(lambda _, code=code: exchange(house, code).status_code, range(6)))
            assert sorted(answers) == [200, 400, 400, 400, 400, 400]


def test_a_code_exchanged_by_another_replica_in_between_is_not_exchanged_again(house: House) -> None:
    code = allowed(house)
    with house.database.unit_of_work() as unit:
        grants = Grants(unit, house.clock())
        granted = grants.find(code, TokenKind.CODE, LINK_CLIENT_ID)
        assert granted is not None
        assert exchange(house, code).status_code == 200
        with pytest.raises(Overtaken):
            grants.spend(granted)


@pytest.mark.anyio
async def test_tokens_expire(house: House) -> None:
    tokens = exchange(house, allowed(house)).json()
    house.clock.forward(minutes=59)
    assert await person_of(house, tokens["access_token"]) is not None
    house.clock.forward(minutes=2)
    assert await person_of(house, tokens["access_token"]) is None
    house.clock.forward(days=89)
    tokens = refresh(house, tokens["refresh_token"]).json()
    house.clock.forward(days=90, seconds=1)
    assert error(refresh(house, tokens["refresh_token"])) == (400, "invalid_grant")


@pytest.mark.anyio
async def test_an_access_token_is_for_its_client_and_nothing_else_is_one(house: House) -> None:
    tokens = exchange(house, allowed(house)).json()
    assert await person_of(house, tokens["access_token"], "another") is None
    for other in (tokens["refresh_token"], tokens["access_token"][:-1], "", "é", "\udc80"):
        assert await person_of(house, other) is None


@pytest.mark.anyio
async def test_a_token_follows_a_person_who_is_merged_and_goes_with_one_who_is_forgotten(house: House) -> None:
    browser, address = house.proven_browser()
    tokens = exchange(house, allowed(house, browser)).json()
    anonymous = house.person_at(house.known_browser()[1])
    person = house.person_at(address)
    assert person is not None
    assert anonymous is not None
    with house.database.unit_of_work() as unit:
        Profiles(unit, house.clock()).link(anonymous.id, Address("phone", NUMBER), "sms code")
        unit.commit()
    merged = house.person_at(address)
    assert merged is not None
    assert await person_of(house, tokens["access_token"]) == merged.id
    with house.database.unit_of_work() as unit:
        Grants(unit, house.clock()).forget(merged.id)
        unit.commit()
    assert await person_of(house, tokens["access_token"]) is None


def test_what_is_given_out_is_long_and_never_stored(house: House) -> None:
    code = allowed(house)
    tokens = exchange(house, code).json()
    secrets = [code, tokens["access_token"], tokens["refresh_token"]]
    assert all(len(secret) >= 43 for secret in secrets)
    with house.database.unit_of_work() as unit:
        rows = [str(vars(row)) for model in (GrantRow, TokenRow) for row in unit.rows(model)]
    assert rows
    assert not any(secret in row for row in rows for secret in secrets)


def test_the_answer_of_the_token_endpoint_is_kept_nowhere(house: House) -> None:
    answer = exchange(house, allowed(house))
    assert answer.headers["cache-control"] == "no-store"


def test_the_page_lets_forms_go_to_us_and_then_on_to_the_client(house: House) -> None:
    policy = open_page(house.proven_browser()[0]).answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' https:;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy


def test_what_the_client_says_is_shown_as_text(house: House) -> None:
    page = open_page(house.proven_browser()[0], state="<script>alert(1)</script>")
    assert "<script" not in page.answer.text
    told = parse_qs(urlsplit(page.send("allow").answer.headers["location"]).query)
    assert told["state"] == ["<script>alert(1)</script>"]


def test_a_linked_account_is_told_to_the_proven_number(house: House) -> None:
    allowed(house)
    (text,) = house.texts()
    assert text.startswith("Fiore: an account on speaker.example was connected to your profile.")


def test_what_was_not_allowed_is_not_told(house: House) -> None:
    open_page(house.proven_browser()[0]).send("deny")
    assert house.texts() == []
