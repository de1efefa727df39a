"""Signing in and linking an account as people do it, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from assistant.profiles import EMPLOYEE
from assistant.turns import Address
from tests.assistant.identity.conftest import House, MakeHouse
from tests.assistant.identity.test_linking import ASKED, code_sent
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
