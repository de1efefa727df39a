"""Signing in, linking an account and opening a link as people do it, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from assistant.links import Link
from assistant.profiles import EMPLOYEE
from assistant.turns import Address
from tests.assistant.identity.conftest import House, MakeHouse
from tests.assistant.identity.test_linking import ASKED, code_sent
from tests.assistant.identity.test_opening import begin, link_of
from tests.channels.conftest import Server, chromium, page, running  # noqa: F401  # the fixtures of the web chat's tests

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def speaker() -> Iterator[Server]:
    """The site that an account is linked with."""
    app = FastAPI()

    @app.get("/back")
    def back(state: str, code: str = "", error: str = "") -> str:
        return f"state {state}, {'linked' if code else error}"

    with running(app) as server:
        yield server


def test_an_employee_signs_in_from_the_chat_and_is_back_in_it(house: House, page: Page) -> None:  # noqa: F811
    page.goto(house.url)
    expect(page.get_by_text("Hello, this is the shop.")).to_be_visible()
    (before,) = page.context.cookies()
    page.get_by_role("link", name="Staff sign-in").click()
    page.wait_for_url(f"{house.url}/#chat")
    expect(page.get_by_role("dialog", name="Chat with Fiore")).to_be_visible()
    expect(page.get_by_label("Your message")).to_be_focused()
    (after,) = page.context.cookies()
    assert before["value"] != after["value"]
    assert after["httpOnly"]
    person = house.person_at(Address("oidc", f"{house.provider.url}|anna"))
    assert person is not None
    assert EMPLOYEE in person.roles


def test_who_is_not_let_in_reads_why_and_finds_the_way_back(house: House, page: Page) -> None:  # noqa: F811
    house.provider.claims = {}
    page.goto(f"{house.url}/sign-in")
    expect(page.get_by_role("heading", name="Not for this account")).to_be_visible()
    page.get_by_role("link", name="Back to the chat").click()
    expect(page.get_by_role("dialog", name="Chat with Fiore")).to_be_visible()


def test_an_account_is_linked_by_keyboard_alone(
    make_house: MakeHouse,
    page: Page,  # noqa: F811
    speaker: Server,
) -> None:
    back = f"{speaker.url}/back"
    house = make_house(oauth_redirect_uris=(back,))
    query = "&".join(f"{name}={value}" for name, value in {**ASKED, "redirect_uri": back, "state": "s"}.items())
    page.goto(f"{house.url}/oauth/authorize?{query}")
    expect(page.get_by_label("Your mobile number")).to_be_focused()
    page.keyboard.type("0123")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("with the country in front")
    field = page.get_by_label("Your mobile number")
    expect(field).to_have_value("0123")
    field.fill("+44 7700 900123")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Six digits")).to_be_focused()
    page.keyboard.type(code_sent(house))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Link your account?")).to_be_visible()
    page.get_by_role("button", name="Yes, link it").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("state s, linked")).to_be_visible()


def test_who_wants_no_link_goes_back_with_nothing(
    make_house: MakeHouse,
    page: Page,  # noqa: F811
    speaker: Server,
) -> None:
    back = f"{speaker.url}/back"
    house = make_house(oauth_redirect_uris=(back,))
    query = "&".join(f"{name}={value}" for name, value in {**ASKED, "redirect_uri": back, "state": "s"}.items())
    page.goto(f"{house.url}/oauth/authorize?{query}")
    page.get_by_role("button", name="No, go back").click()
    expect(page.get_by_text("access_denied")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_has_its_style(house: House, page: Page, scheme: str) -> None:  # noqa: F811
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{house.url}/oauth/authorize?" + "&".join(f"{name}={value}" for name, value in ASKED.items()))
    expect(page.get_by_label("Your mobile number")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    font = page.get_by_role("heading").evaluate("heading => getComputedStyle(heading).fontFamily")
    assert re.search("serif", font)
    button = page.get_by_role("button", name="Send me a code").bounding_box()
    assert button is not None
    assert button["height"] >= 44


@pytest.fixture
def link(house: House) -> Link:
    """A link of somebody who has a conversation."""
    _, here = house.known_browser()
    begin(house, here)
    return link_of(house, here)


def test_a_link_is_opened_with_one_press_and_leads_into_the_chat(
    house: House,
    page: Page,  # noqa: F811
    link: Link,
) -> None:
    seen: list[str] = []
    page.on("request", lambda request: seen.append(f"{request.url} {request.headers}"))
    page.goto(link.url(house.url))
    expect(page.get_by_role("heading", name="Go on with your conversation with Fiore in this browser?")).to_be_visible()
    assert seen
    assert not any(link.token in request for request in seen), "no log and no other site may learn of it"
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Yes, go on here")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{house.url}/#chat")
    expect(page.get_by_role("dialog", name="Chat with Fiore")).to_be_visible()
    (cookie,) = page.context.cookies()
    person = house.person_at(house.cookie.address_of(cookie["value"]))
    assert person is not None
    assert len(person.addresses) == 2
    page.goto(f"{house.url}/nowhere")
    page.goto(link.url(house.url))
    page.get_by_role("button", name="Yes, go on here").click()
    expect(page.get_by_role("heading", name="This link is over")).to_be_visible()
    page.get_by_role("link", name="Back to the chat").click()
    expect(page.get_by_role("dialog", name="Chat with Fiore")).to_be_visible()


def test_a_link_that_lost_its_end_says_so_and_a_whole_one_pasted_over_it_works(
    house: House,
    page: Page,  # noqa: F811
    link: Link,
) -> None:
    page.goto(link.url(house.url)[:-5])
    expect(page.get_by_role("heading", name="A part of this link is missing")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    page.goto(link.url(house.url))
    page.get_by_role("button", name="Yes, go on here").click()
    page.wait_for_url(f"{house.url}/#chat")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_link_fits_a_phone(house: House, page: Page, link: Link, scheme: str) -> None:  # noqa: F811
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(link.url(house.url))
    button = page.get_by_role("button", name="Yes, go on here").bounding_box()
    assert button is not None
    assert button["height"] >= 44
    assert button["y"] + button["height"] <= 740, "the button is seen without scrolling"
    assert page.evaluate("document.documentElement.scrollWidth") == 360
