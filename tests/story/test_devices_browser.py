"""A conversation carried from one browser to another one, in the product as it runs."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.channels.conftest import chromium, page  # noqa: F401  # fixtures
from tests.channels.twilio_api import TwilioApi
from tests.story.conftest import Product
from tests.story.test_story import Chat

NUMBER = "+447700900321"
SECONDS = 15_000
"""Milliseconds a bubble may take on a busy machine."""


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:  # noqa: F811
    """The browser of a phone, which was never here."""
    context = chromium.new_context(viewport={"width": 390, "height": 780}, locale="en-GB", has_touch=True)
    yield context.new_page()
    context.close()


def bubbles(page: Page) -> list[str]:  # noqa: F811
    """What the chat shows, from the first to the last."""
    return page.get_by_role("log").locator(".bubble").all_inner_texts()


def begin(chat: Chat) -> None:
    chat.say("I'd like the rose garden for saturday")
    chat.expect("Which address should it go to?")


def test_a_link_that_was_texted_opens_the_same_conversation_in_the_phones_browser(
    product: Product,
    page: Page,  # noqa: F811
    phone: Page,
    twilio: TwilioApi,
) -> None:
    chat = Chat(page, product.url)
    begin(chat)
    chat.say("send this to my phone")
    chat.expect("Which mobile number")
    chat.say(NUMBER)
    code = re.search(r"\b\d{6}\b", twilio.wait_for_text(NUMBER))
    assert code is not None
    chat.say(code[0])
    chat.expect("I have texted a link")
    link = re.search(r"http\S+/go#[\w-]{43}$", twilio.wait_for_text(NUMBER, 2))
    assert link is not None
    phone.goto(link[0])
    phone.get_by_role("button", name="Yes, go on here").click()
    phone.wait_for_url(f"{product.url}/#chat")
    expect(phone.get_by_text("Which address should it go to?").last).to_be_visible(timeout=SECONDS)
    assert bubbles(phone) == [text.replace(code[0], "••••••") for text in bubbles(page)]
    phone.get_by_label("Your message").fill("12 Elm Road, Hackney E8 1AA")
    phone.keyboard.press("Enter")
    chat.expect("What should the card say?")
    expect(phone.get_by_text("What should the card say?").last).to_be_visible(timeout=SECONDS)
    assert link[0].rpartition("#")[2] not in product.log.read_text()


def test_digits_that_one_browser_shows_bring_another_one_there(
    product: Product,
    page: Page,  # noqa: F811
    phone: Page,
) -> None:
    chat = Chat(page, product.url)
    begin(chat)
    chat.say("show me a qr code")
    picture = page.get_by_role("img", name="QR code that opens this conversation")
    expect(picture).to_be_visible(timeout=SECONDS)
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    shown = re.search(r"my pairing code is (\d{4}\s\d{4})", bubbles(page)[-2] + bubbles(page)[-1])
    assert shown is not None
    there = Chat(phone, f"{product.url}/#chat")
    there.say(f"my pairing code is {shown[1]}")
    there.expect("We go on here with your conversation.")
    there.expect("Which address should it go to?")
    phone.reload()
    there.expect("I'd like the rose garden for saturday")
    expect(phone.get_by_text("••••\u00a0••••").last).to_be_visible()
    page.reload()
    chat.expect("We go on here with your conversation.")
