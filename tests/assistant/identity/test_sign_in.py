"""Signing in with OpenID Connect: who gets in, as whom, and everybody who does not."""

import secrets
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from assistant.database import Overtaken
from assistant.identity.attempts import Attempts
from assistant.profiles import CUSTOMER, EMPLOYEE, Profiles
from assistant.transcripts import ConversationRow, Transcripts
from assistant.turns import Address, Assurance, Modality, Turn, TurnKind
from tests.assistant.identity.conftest import House, MakeHouse
from tests.assistant.identity.openid import new_key


def send_away(browser: httpx.Client) -> str:
    """Press the link; the provider's address it leads to."""
    answer = browser.get("/sign-in")
    assert answer.status_code == 303
    return answer.headers["location"]


def come_back(browser: httpx.Client, url: str) -> httpx.Response:
    """Sign in there and come back, to the first answer of ours."""
    return browser.get(httpx.get(url).headers["location"])


def sign_in(browser: httpx.Client) -> httpx.Response:
    return come_back(browser, send_away(browser))


def account(house: House) -> Address:
    return Address("oidc", f"{house.provider.url}|{house.provider.subject}")


def talk(house: House, address: Address) -> str:
    """Begin a conversation there; its id."""
    turn = Turn("web", address, "t", TurnKind.OPENED, "", Modality.SCREEN, Assurance.ANONYMOUS, house.clock())
    with house.database.unit_of_work() as unit:
        person = Profiles(unit, house.clock()).find(address)
        assert person is not None
        conversation = Transcripts(unit, house.clock()).start(person.id, turn)
        unit.commit()
        return conversation.id


def open_conversation(house: House, address: Address) -> str | None:
    person = house.person_at(address)
    with house.database.unit_of_work() as unit:
        row = Transcripts(unit, house.clock()).open_of(person.id) if person else None
        return row.id if row else None


def test_an_employee_signs_in_and_goes_on_in_the_same_conversation(house: House) -> None:
    browser, before = house.known_browser()
    conversation = talk(house, before)
    known = house.person_at(before)
    answer = sign_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/#chat")
    person = house.person_at(house.address_of(browser))
    assert person is not None
    assert known is not None
    assert person.id == known.id
    assert person.roles == {CUSTOMER, EMPLOYEE}
    assert {entry.address for entry in person.addresses} == {house.address_of(browser), account(house)}
    assert open_conversation(house, house.address_of(browser)) == conversation
    with house.database.unit_of_work() as unit:
        assert [row.value for row in unit.rows(ConversationRow)] == [house.address_of(browser).value]


def test_the_session_is_renewed_and_the_old_one_is_nobodys(house: House) -> None:
    browser, before = house.known_browser()
    cookie = sign_in(browser).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert house.address_of(browser) != before
    assert house.person_at(before) is None


def test_a_session_that_somebody_prepared_does_not_become_the_signed_in_one(house: House) -> None:
    prepared = house.cookie.new_session()
    victim, attacker = house.browser(prepared), house.browser(prepared)
    assert sign_in(victim).status_code == 303
    assert house.person_at(house.cookie.address_of(prepared)) is None
    assert attacker.get("/sign-in").status_code == 303
    person = house.person_at(house.address_of(victim))
    assert person is not None
    assert house.cookie.address_of(prepared) not in [known.address for known in person.addresses]


def test_somebody_who_was_never_here_can_sign_in(house: House) -> None:
    browser = house.browser()
    assert sign_in(browser).headers["location"] == "/#chat"
    person = house.person_at(house.address_of(browser))
    assert person is not None
    assert EMPLOYEE in person.roles


def test_a_second_browser_becomes_the_same_person_and_its_conversation_goes_on(house: House) -> None:
    first, address = house.known_browser()
    old = talk(house, address)
    sign_in(first)
    second, address = house.known_browser()
    new = talk(house, address)
    sign_in(second)
    one, two = (house.person_at(house.address_of(browser)) for browser in (first, second))
    assert one == two
    assert open_conversation(house, house.address_of(second)) == new
    with house.database.unit_of_work() as unit:
        (closed,) = [row for row in unit.rows(ConversationRow) if row.closed_at]
        assert closed.id == old


def test_a_chat_of_somebody_proven_is_not_joined_to_another_proven_account(house: House) -> None:
    sign_in(house.browser())
    browser, address = house.proven_browser()
    answer = sign_in(browser)
    assert answer.status_code == 409
    assert "Back to the chat" in answer.text
    person = house.person_at(address)
    assert person is not None
    assert EMPLOYEE not in person.roles


@pytest.mark.parametrize(
    "misbehaves",
    [
        "nonce",
        "no nonce",
        "issuer",
        "audience",
        "party",
        "expired",
        "future",
        "nobody",
        "signature",
        "none",
        "public key as secret",
        "no JSON",
        "garbage",
        "no token",
        "mix-up",
    ],
)
def test_a_token_that_is_not_right_signs_nobody_in(house: House, misbehaves: str) -> None:
    house.provider.misbehaves = misbehaves
    browser, address = house.known_browser()
    answer = sign_in(browser)
    assert answer.status_code == 403
    assert "Sign in again" in answer.text
    assert "set-cookie" not in answer.headers
    assert house.person_at(account(house)) is None
    person = house.person_at(address)
    assert person is not None
    assert person.roles == {CUSTOMER}


@pytest.mark.parametrize("misbehaves", ["discovery", "plain"])
def test_a_provider_that_describes_itself_wrongly_is_not_used(house: House, misbehaves: str) -> None:
    house.provider.misbehaves = misbehaves
    answer = house.browser().get("/sign-in")
    assert answer.status_code == 502
    assert "try again" in answer.text


def test_a_provider_that_cannot_be_reached_is_said(make_house: MakeHouse) -> None:
    house = make_house(oidc_issuer="http://127.0.0.1:1")
    assert house.browser().get("/sign-in").status_code == 502


def test_a_key_that_is_new_is_asked_for(house: House) -> None:
    sign_in(house.browser())
    house.provider.key = new_key(secrets.token_hex(4))
    assert sign_in(house.browser()).status_code == 403  # asked less than a minute ago
    house.clock.forward(seconds=30)
    house.provider.misbehaves = "signature"
    assert sign_in(house.browser()).status_code == 403
    house.provider.misbehaves = ""
    house.clock.forward(seconds=29)
    browser = house.browser()
    url = send_away(browser)
    house.clock.forward(seconds=2)
    assert come_back(browser, url).status_code == 303


def test_the_state_of_another_session_is_refused(house: House) -> None:
    attacker, victim = house.browser(), house.known_browser()[0]
    callback = httpx.get(send_away(attacker)).headers["location"]
    assert victim.get(callback).status_code == 400
    assert house.browser().get(callback).status_code == 400
    assert house.person_at(account(house)) is None


def test_a_sign_in_is_good_once(house: House) -> None:
    browser = house.browser()
    callback = httpx.get(send_away(browser)).headers["location"]
    assert browser.get(callback).status_code == 303
    assert browser.get(callback).status_code == 400


def test_a_sign_in_that_comes_back_twice_at_once_is_good_once(house: House) -> None:
    browser = Address("web", "x")
    with house.database.unit_of_work() as unit:
        state = Attempts(unit, house.clock()).begin(browser)
        unit.commit()
    with house.database.unit_of_work() as first, house.database.unit_of_work() as second:
        assert all(Attempts(unit, house.clock()).take(browser, state) for unit in (first, second))
        first.commit()
        with pytest.raises(Overtaken):
            second.commit()


def test_a_sign_in_is_good_for_ten_minutes(house: House) -> None:
    browser = house.browser()
    callback = httpx.get(send_away(browser)).headers["location"]
    house.clock.forward(minutes=10, seconds=1)
    assert browser.get(callback).status_code == 400


@pytest.mark.parametrize("query", ["", "state=", "state=x&code=y", "code=y", f"state={'x' * 5_000}&code=y"])
def test_a_state_that_was_never_given_is_refused(house: House, query: str) -> None:
    assert house.known_browser()[0].get(f"/sign-in/callback?{query}").status_code == 400


def test_a_code_for_somebody_elses_sign_in_is_refused(house: House) -> None:
    victim, attacker = house.browser(), house.browser()
    stolen = parse_qs(urlsplit(httpx.get(send_away(victim)).headers["location"]).query)["code"][0]
    own = parse_qs(urlsplit(httpx.get(send_away(attacker)).headers["location"]).query)["state"][0]
    query = {"state": own, "code": stolen, "iss": house.provider.url}
    assert attacker.get("/sign-in/callback", params=query).status_code == 403  # PKCE


def test_somebody_who_thinks_better_of_it_is_led_back(house: House) -> None:
    house.provider.denies = True
    answer = sign_in(house.browser())
    assert answer.status_code == 403
    assert 'href="/#chat"' in answer.text


@pytest.mark.parametrize("name", ["next", "redirect", "return_to", "redirect_uri"])
def test_nobody_is_sent_elsewhere(house: House, name: str) -> None:
    browser = house.browser()
    answer = browser.get("/sign-in", params={name: "https://evil.example"})
    assert urlsplit(answer.headers["location"]).netloc == urlsplit(house.provider.url).netloc
    callback = httpx.get(answer.headers["location"]).headers["location"]
    assert browser.get(f"{callback}&{name}=https://evil.example").headers["location"] == "/#chat"


@pytest.mark.parametrize(
    ("wanted", "claims", "is_employee"),
    [
        (None, {}, True),
        ("groups=staff", {"groups": ["customers", "staff"]}, True),
        ("groups=staff", {"groups": "staff"}, True),
        ("groups=staff", {"groups": "staffing"}, False),
        ("groups=staff", {"groups": ["staffing"]}, False),
        ("groups=staff", {}, False),
        ("groups=staff", {"groups": None}, False),
        ("groups=staff", {"groups": {"staff": True}}, False),
        ("works_here=true", {"works_here": True}, True),
        ("works_here=true", {"works_here": False}, False),
        ("hd=shop.example", {"hd": "shop.example"}, True),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_providers_claim_makes_an_employee(
    make_house: MakeHouse, wanted: str | None, claims: dict[str, object], is_employee: bool
) -> None:
    house = make_house(oidc_employee_claim=wanted)
    house.provider.claims = claims
    answer = sign_in(house.browser())
    assert answer.status_code == (303 if is_employee else 403)
    assert (house.person_at(account(house)) is not None) == is_employee


def test_who_works_here_no_more_loses_the_role_when_signing_in(house: House) -> None:
    sign_in(house.browser())
    house.provider.claims = {"groups": []}
    assert sign_in(house.browser()).status_code == 403
    person = house.person_at(account(house))
    assert person is not None
    assert person.roles == {CUSTOMER}


def test_a_role_that_staff_gave_is_not_the_providers_to_take(house: House) -> None:
    sign_in(house.browser())
    with house.database.unit_of_work() as unit:
        profiles = Profiles(unit, house.clock())
        person = profiles.find(account(house))
        assert person is not None
        profiles.remove_employee(person.id)
        profiles.give_employee(person.id, "staff")
        unit.commit()
    house.provider.claims = {}
    sign_in(house.browser())
    person = house.person_at(account(house))
    assert person is not None
    assert EMPLOYEE in person.roles


def test_pages_run_nothing_and_are_shown_nowhere_else(house: House) -> None:
    answer = house.browser().get("/sign-in/callback")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")


def test_a_new_sign_in_and_a_new_browser_are_told_to_the_proven_number_once_each(house: House) -> None:
    browser, _ = house.proven_browser()
    for _ in range(2):
        sign_in(browser)
    assert [text.split(" was")[0] for text in house.texts()] == ["Fiore: a new sign-in"]
    another = house.browser()
    sign_in(another)
    assert [text.split(" was")[0] for text in house.texts()] == ["Fiore: a new sign-in", "Fiore: a new device"]
