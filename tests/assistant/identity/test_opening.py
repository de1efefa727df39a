"""Opening a link in a browser: whose conversation goes on there, and every way to get at somebody else's."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from assistant.assurance import Proofs
from assistant.database import Overtaken
from assistant.journal import JournalRow
from assistant.links import VALID, Link, LinkRow, Links
from assistant.profiles import Profiles
from assistant.secret import secret_key
from assistant.settings import Settings
from assistant.transcripts import ConversationRow, Transcripts
from assistant.turns import Address, Assurance, Modality, Turn, TurnKind
from tests.assistant.identity.conftest import House, MakeHouse

NUMBER = Address("phone", "+447700900123")


def begin(house: House, address: Address, turn_id: str = "t") -> str:
    """Begin a conversation there; its id."""
    turn = Turn("web", address, turn_id, TurnKind.OPENED, "", Modality.SCREEN, Assurance.ANONYMOUS, house.clock())
    with house.database.unit_of_work() as unit:
        person = Profiles(unit, house.clock()).find(address)
        assert person is not None
        conversation = Transcripts(unit, house.clock()).start(person.id, turn)
        unit.commit()
        return conversation.id


def links(house: House, unit: object) -> Links:
    settings = Settings.model_validate({"state_dir": house.state_dir})
    return Links(unit, house.clock(), secret_key(settings))  # type: ignore[arg-type]


def link_of(house: House, address: Address, shown_at: Address | None = None) -> Link:
    """A link of whoever is at this address, to their open conversation, shown there or sent elsewhere."""
    with house.database.unit_of_work() as unit:
        person = Profiles(unit, house.clock()).find(address)
        assert person is not None
        conversation = Transcripts(unit, house.clock()).open_of(person.id)
        made = links(house, unit).make(person.id, conversation.id if conversation else "none", shown_at or address)
        unit.commit()
        return made


def form_in(page: httpx.Response) -> str:
    found = re.search(r'name="form" value="([0-9a-f]{64})"', page.text)
    assert found is not None, page.text
    return found[1]


def open_link(browser: httpx.Client, token: str) -> httpx.Response:
    """Open the page and press the button."""
    return browser.post("/go", data={"form": form_in(browser.get("/go")), "token": token})


def is_open(house: House, conversation: str) -> bool:
    with house.database.unit_of_work() as unit:
        return unit.rows(ConversationRow, id=conversation, closed_at=None) != []


def assurance_at(house: House, address: Address) -> Assurance:
    turn = Turn("web", address, "x", TurnKind.SAID, "", Modality.SCREEN, Assurance.ANONYMOUS, house.clock())
    person = house.person_at(address)
    assert person is not None
    with house.database.unit_of_work() as unit:
        return Proofs(unit, house.clock()).assurance(turn, person)


def acts(house: House) -> list[str]:
    with house.database.unit_of_work() as unit:
        entries = sorted(unit.rows(JournalRow), key=lambda entry: entry.at)
        return [entry.act.split()[0] for entry in entries if entry.proof == "link"]


def test_a_conversation_goes_on_in_another_browser(house: House) -> None:
    _, here = house.known_browser()
    conversation, owner = begin(house, here), house.person_at(here)
    there = house.browser()
    answer = open_link(there, link_of(house, here).token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/#chat")
    assert "HttpOnly" in answer.headers["set-cookie"]
    person = house.person_at(house.address_of(there))
    assert owner is not None
    assert person is not None
    assert person.id == owner.id
    assert {known.address for known in person.addresses} == {here, house.address_of(there)}
    assert is_open(house, conversation)


def test_two_browsers_of_nobody_known_prove_nothing(house: House) -> None:
    _, here = house.known_browser()
    begin(house, here)
    there = house.browser()
    open_link(there, link_of(house, here).token)
    person = house.person_at(here)
    assert person is not None
    assert [known.proven_at for known in person.addresses] == [None, None]
    assert assurance_at(house, house.address_of(there)) is Assurance.ANONYMOUS


def test_a_link_sent_to_a_proven_number_proves_the_browser(house: House) -> None:
    _, here = house.proven_browser(NUMBER.value)
    begin(house, here)
    there = house.browser()
    open_link(there, link_of(house, here, NUMBER).token)
    assert assurance_at(house, house.address_of(there)) is Assurance.PROVEN
    assert assurance_at(house, here) is Assurance.ANONYMOUS


def test_a_browser_is_no_surer_than_the_one_that_showed_the_link(house: House) -> None:
    _, unsure = house.proven_browser(NUMBER.value)  # its person has proved a number, but not from here
    begin(house, unsure)
    there = house.browser()
    open_link(there, link_of(house, unsure).token)
    assert assurance_at(house, house.address_of(there)) is Assurance.ANONYMOUS
    with house.database.unit_of_work() as unit:
        person = house.person_at(unsure)
        assert person is not None
        Profiles(unit, house.clock()).vouch(person.id, unsure, "sms code")
        unit.commit()
    another = house.browser()
    open_link(another, link_of(house, unsure).token)
    assert assurance_at(house, house.address_of(another)) is Assurance.PROVEN


def test_opening_ones_own_link_again_and_again_makes_nobody_surer(house: House) -> None:
    browser, here = house.proven_browser(NUMBER.value)
    begin(house, here)
    for _ in range(3):
        open_link(browser, link_of(house, house.address_of(browser), NUMBER).token)
    assert assurance_at(house, house.address_of(browser)) is Assurance.PROVEN


def test_what_was_said_in_the_browser_before_comes_along_and_the_links_conversation_goes_on(house: House) -> None:
    _, here = house.known_browser()
    there, stranger = house.known_browser()
    goes_on, other = begin(house, here, "a"), begin(house, stranger, "b")
    house.clock.forward(minutes=1)
    open_link(there, link_of(house, here).token)
    assert (is_open(house, goes_on), is_open(house, other)) == (True, False)
    owner = house.person_at(here)
    assert owner is not None
    with house.database.unit_of_work() as unit:
        assert {row.person_id for row in unit.rows(ConversationRow)} == {owner.id}
        assert [row.value for row in unit.rows(ConversationRow, id=other)] == [house.address_of(there).value]
    assert house.person_at(stranger) is None


def test_every_other_open_conversation_of_the_person_is_closed(house: House) -> None:
    _, here = house.known_browser()
    older = begin(house, here, "a")
    token = link_of(house, here).token
    house.clock.forward(minutes=1)
    newer = begin(house, here, "b")
    open_link(house.browser(), token)
    assert (is_open(house, older), is_open(house, newer)) == (True, False)


def test_a_conversation_that_ended_meanwhile_is_not_opened_again(house: House) -> None:
    _, here = house.known_browser()
    ended = begin(house, here, "a")
    token = link_of(house, here).token
    with house.database.unit_of_work() as unit:
        for row in unit.rows(ConversationRow):
            row.closed_at = house.clock()
        unit.commit()
    present = begin(house, here, "b")
    open_link(house.browser(), token)
    assert (is_open(house, ended), is_open(house, present)) == (False, True)


def test_the_person_themselves_gets_on_where_they_were(house: House) -> None:
    browser, here = house.known_browser()
    conversation, owner = begin(house, here), house.person_at(here)
    assert open_link(browser, link_of(house, here).token).status_code == 303
    person = house.person_at(house.address_of(browser))
    assert owner is not None
    assert person is not None
    assert person.id == owner.id
    assert house.person_at(here) is None
    assert is_open(house, conversation)


def test_a_link_works_once(house: House) -> None:
    _, here = house.known_browser()
    begin(house, here)
    token = link_of(house, here).token
    assert open_link(house.browser(), token).status_code == 303
    thief = house.browser()
    answer = open_link(thief, token)
    assert answer.status_code == 410
    assert "set-cookie" not in answer.headers
    assert "send me a link" in answer.text
    assert house.person_at(house.address_of(thief)) is None


def test_a_link_works_for_ten_minutes(house: House) -> None:
    _, here = house.known_browser()
    begin(house, here)
    token = link_of(house, here).token
    house.clock.forward(seconds=VALID.total_seconds() + 1)
    assert open_link(house.browser(), token).status_code == 410


@pytest.mark.parametrize("token", ["", "x" * 43, "../../etc/passwd", "ü" * 43, "'; DROP TABLE links; --", "x" * 9_000])
def test_a_foreign_token_opens_nothing(house: House, token: str) -> None:
    _, here = house.known_browser()
    begin(house, here)
    link_of(house, here)
    browser = house.browser()
    assert open_link(browser, token).status_code == 410
    assert house.person_at(house.address_of(browser)) is None


def test_a_link_of_another_house_opens_nothing(house: House, make_house: MakeHouse) -> None:
    _, here = house.known_browser()
    begin(house, here)
    token = link_of(house, here).token
    other = make_house(secret="another house's secret, long enough")
    assert open_link(other.browser(), token).status_code == 410
    assert open_link(house.browser(), token).status_code == 303


def test_looking_uses_nothing_up(house: House) -> None:
    """Messengers and mail scanners fetch what they see in a message, and some keep cookies and follow every address."""
    _, here = house.known_browser()
    begin(house, here)
    link = link_of(house, here)
    preview = house.browser()
    for _ in range(3):
        assert preview.get("/go").status_code == 200
        assert preview.head("/go").status_code in (200, 405)
    assert house.person_at(house.address_of(preview)) is None
    assert open_link(house.browser(), link.token).status_code == 303


def test_the_page_says_nothing_of_whoever_made_the_link(house: House) -> None:
    """The server does not even learn of the link until the button is pressed."""
    page = house.browser().get("/go")
    assert "Go on with your conversation with Fiore in this browser?" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


def test_a_session_that_somebody_prepared_does_not_become_the_persons(house: House) -> None:
    prepared = house.cookie.new_session()
    victim, attacker = house.browser(prepared), house.browser(prepared)
    _, here = house.known_browser()
    begin(house, here)
    assert open_link(victim, link_of(house, here).token).status_code == 303
    assert house.address_of(victim) != house.cookie.address_of(prepared)
    assert house.person_at(house.cookie.address_of(prepared)) is None
    attacker.get("/go")
    assert house.person_at(house.address_of(attacker)) is None


def test_who_prepared_a_session_and_kept_another_door_to_it_does_not_get_in(house: House) -> None:
    """The attacker made their session one with a second browser of theirs before they planted it."""
    planted, address = house.known_browser()
    begin(house, address)
    second = house.browser()
    open_link(second, link_of(house, address).token)
    prepared = planted.cookies["assistant"]
    _, here = house.known_browser()
    conversation, owner = begin(house, here, "victim's"), house.person_at(here)
    victim = house.browser(prepared)
    assert open_link(victim, link_of(house, here).token).status_code == 303
    assert owner is not None
    person = house.person_at(house.address_of(victim))
    assert person is not None
    assert person.id == owner.id
    assert {known.address for known in person.addresses} == {here, house.address_of(victim)}
    for door in (house.address_of(second), house.cookie.address_of(prepared)):
        assert house.person_at(door) is None
    assert is_open(house, conversation)


@pytest.mark.parametrize("proven", [True, False], ids=["of somebody proven", "of nobody known"])
def test_nobody_who_proved_who_they_are_is_drawn_into_somebody_elses_conversation(house: House, proven: bool) -> None:
    _, there = house.proven_browser("+447700900124") if proven else house.known_browser()
    begin(house, there, "theirs")
    browser, here = house.proven_browser(NUMBER.value)
    conversation, before = begin(house, here, "mine"), house.person_at(here)
    session = browser.cookies["assistant"]
    answer = open_link(browser, link_of(house, there).token)
    assert answer.status_code == 409
    assert "somebody else" in answer.text
    assert "set-cookie" not in answer.headers
    assert browser.cookies["assistant"] == session
    assert house.person_at(here) == before
    assert is_open(house, conversation)
    assert acts(house) == ["link"]
    assert open_link(house.browser(), "x" * 43).status_code == 410


def test_another_site_cannot_press_the_button(house: House) -> None:
    """Else its visitors would go on in the attacker's conversation, and tell it what they want."""
    _, attacker = house.known_browser()
    begin(house, attacker)
    token = link_of(house, attacker).token
    victim, here = house.known_browser()
    before = house.person_at(here)
    foreign = form_in(house.browser().get("/go"))
    for form in ("", "x" * 64, foreign, "ü"):
        answer = victim.post("/go", data={"form": form, "token": token})
        assert answer.status_code == 403
        assert "open the link again" in answer.text
    no_cookie = house.browser().post("/go", data={"form": foreign, "token": token})
    assert no_cookie.status_code == 403
    assert house.person_at(here) == before
    assert open_link(house.browser(), token).status_code == 303


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/json", b'{"token": "x"}'),
        ("application/x-www-form-urlencoded", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 20_000),
        ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 500)),
        ("", b""),
    ],
)
def test_what_is_no_form_of_ours_is_refused_in_words(house: House, content_type: str, content: bytes) -> None:
    browser, _ = house.known_browser()
    answer = browser.post("/go", content=content, headers={"Content-Type": content_type})
    assert answer.status_code == 403
    assert "Back to the chat" in answer.text


def test_two_browsers_press_at_once_and_one_gets_in(house: House) -> None:
    _, here = house.known_browser()
    begin(house, here)
    token = link_of(house, here).token
    browsers = [house.browser() for _ in range(6)]
    forms = [form_in(browser.get("/go")) for browser in browsers]

    def press(browser: httpx.Client, form: str) -> int:
        return browser.post("/go", data={"form": form, "token": token}).status_code

    with ThreadPoolExecutor(len(browsers)) as pool:
        statuses = sorted(pool.map(press, browsers, forms))
    assert statuses == [303, *[410] * (len(browsers) - 1)]
    person = house.person_at(here)
    assert person is not None
    assert len(person.addresses) == 2


def test_an_opening_that_overtakes_a_turn_makes_it_think_again(house: House) -> None:
    """A turn under way in the absorbed browser must not write into what is somebody else's by then."""
    _, here = house.known_browser()
    there, stranger = house.known_browser()
    begin(house, here, "a")
    other = begin(house, stranger, "b")
    token = link_of(house, here).token
    with house.database.unit_of_work() as unit:
        (conversation,) = unit.rows(ConversationRow, id=other)
        assert open_link(there, token).status_code == 303
        conversation.turns += 1
        with pytest.raises(Overtaken):
            unit.commit()


def test_a_forgotten_persons_link_opens_nothing(house: House) -> None:
    _, here = house.known_browser()
    begin(house, here)
    token = link_of(house, here).token
    person = house.person_at(here)
    assert person is not None
    with house.database.unit_of_work() as unit:
        links(house, unit).forget(person.id)
        unit.commit()
    assert open_link(house.browser(), token).status_code == 410


def test_the_picture_is_for_the_browser_that_made_the_link_alone(house: House) -> None:
    browser, here = house.known_browser()
    begin(house, here)
    made = link_of(house, here)
    picture = browser.get(made.picture)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
    assert picture.headers["cache-control"] == "no-store"
    assert "nosniff" in picture.headers["x-content-type-options"]
    assert made.token not in picture.text
    for other in (house.browser(), house.known_browser()[0], house.proven_browser()[0]):
        assert other.get(made.picture).status_code == 404
    assert browser.get("/channels/web/pairing/another.svg").status_code == 404
    open_link(house.browser(), made.token)
    assert browser.get(made.picture).status_code == 404


def test_a_picture_is_there_as_long_as_the_link_is_good(house: House) -> None:
    browser, here = house.known_browser()
    begin(house, here)
    made = link_of(house, here)
    house.clock.forward(seconds=(VALID + timedelta(seconds=1)).total_seconds())
    assert browser.get(made.picture).status_code == 404


def test_without_a_public_address_there_are_no_links(make_house: MakeHouse) -> None:
    nothing = dict.fromkeys(
        ("public_url", "oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_employee_claim")
        + ("oauth_client_id", "oauth_client_secret", "twilio_account_sid", "twilio_auth_token", "twilio_number")
    )
    house = make_house(**nothing, oauth_redirect_uris=())
    assert house.browser().get("/go").status_code == 404


def test_no_log_names_a_token(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    _, here = house.known_browser()
    begin(house, here)
    token = link_of(house, here).token
    for browser in (house.browser(), house.browser()):
        open_link(browser, token)
    told = capfd.readouterr()
    assert token not in told.out + told.err
    with house.database.unit_of_work() as unit:
        assert [row.token for row in unit.rows(LinkRow)] == [None]


def test_a_browser_that_joins_is_told_to_a_proven_number_unless_the_link_went_there(house: House) -> None:
    _, here = house.proven_browser(NUMBER.value)
    begin(house, here)
    open_link(house.browser(), link_of(house, here, NUMBER).token)
    assert house.texts() == []
    open_link(house.browser(), link_of(house, here).token)
    (text,) = house.texts()
    assert text.startswith("Fiore: a new device was connected to your profile.")


def test_opening_ones_own_link_warns_nobody(house: House) -> None:
    browser, here = house.proven_browser(NUMBER.value)
    begin(house, here)
    open_link(browser, link_of(house, here).token)
    assert house.texts() == []
