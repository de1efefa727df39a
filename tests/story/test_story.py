"""Ana's bouquet: begun in the web chat, finished by text, without repeating a word."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from assistant.database import Database
from assistant.orders import OrderRow
from assistant.profiles import Profiles
from assistant.transcripts import ConversationRow, TurnRow
from assistant.turns import Address
from tests.channels.conftest import chromium, page  # noqa: F401  # fixtures
from tests.channels.twilio_api import TwilioApi
from tests.story.conftest import Product, sell

PHONE = "+447700900123"
SECONDS = 15_000
"""Milliseconds a bubble may take on a busy machine."""


class Chat:
    """The chat on the shop page, as somebody uses it."""

    def __init__(self, page: Page, url: str) -> None:  # noqa: F811
        self._page = page
        page.goto(url)
        expect(self.bubbles().first).to_be_visible(timeout=SECONDS)

    def bubbles(self) -> Locator:
        return self._page.get_by_role("log").locator(".bubble")

    def say(self, text: str) -> None:
        self._page.get_by_label("Your message").fill(text)
        self._page.keyboard.press("Enter")

    def press(self, title: str) -> None:
        self._page.get_by_role("button", name=title).last.click()

    def expect(self, text: str) -> None:
        expect(self.bubbles().filter(has_text=text).last).to_be_visible(timeout=SECONDS)


@pytest.fixture
def chat(page: Page, product: Product) -> Chat:  # noqa: F811
    return Chat(page, product.url)


def test_an_order_begun_on_the_web_is_finished_by_text(
    chat: Chat,
    page: Page,  # noqa: F811
    product: Product,
    twilio: TwilioApi,
    database: Database,
) -> None:
    code = sell(database, "Ana", "spring-meadow")
    chat.say(f"I'd like the same bouquet Ana bought, her code is {code}")
    chat.expect("The same as Ana's: Spring Meadow, £35.00")
    expect(page.get_by_role("img", name="Spring Meadow").last).to_be_visible()
    chat.say("saturday")
    chat.expect("Which address should it go to?")
    chat.say("I have to go, can we continue by text?")
    chat.expect("Which mobile number")
    chat.say("07700 900123")
    chat.expect("six-digit code")
    digits = re.search(r"\b\d{6}\b", twilio.wait_for_text(PHONE))
    assert digits
    chat.say(digits[0])
    chat.expect("You can go on by text")
    invitation = twilio.wait_for_text(PHONE, 2)
    assert "Spring Meadow" in invitation
    assert invitation.endswith("Which address should it go to?")

    phone = product.phone(PHONE)
    assert "What should the card say?" in phone.text("12 Elm Road, Hackney E8 1AA")
    payment = phone.text("Happy birthday! With love from Tom")
    assert re.search(r"2\.? Cash on delivery", payment)
    summary = phone.text("2")
    for part in ("Spring Meadow", "Saturday", "12 Elm Road, Hackney E8 1AA", "Happy birthday", "£39.95"):
        assert part in summary
    placed = phone.text("yes")
    number = re.search(r"F-\d+", placed)
    assert number

    chat.expect(f"Your order {number[0]}")
    chat.expect("Shall I place the order?")
    with database.unit_of_work() as unit:
        (order,) = unit.rows(OrderRow, number=number[0])
        assert (order.bouquet_id, order.address) == ("spring-meadow", "12 Elm Road, Hackney E8 1AA")
        assert (order.card_text, order.payment) == ("Happy birthday! With love from Tom", "cash")
        assert (order.price_minor, order.delivery_minor, order.currency) == (3500, 495, "GBP")
        (conversation,) = unit.rows(ConversationRow, id=order.conversation_id)
        assert conversation.channel == "sms"
        channels = {turn.channel for turn in unit.rows(TurnRow, conversation_id=conversation.id)}
        assert channels == {"web", "sms"}


def test_an_unknown_number_is_told_nothing_about_a_person(
    chat: Chat, product: Product, twilio: TwilioApi, database: Database
) -> None:
    chat.say("I'd like the rose garden for saturday")
    chat.expect("Which address should it go to?")
    answer = product.phone("+447700900777").text("where were we?")
    assert "Rose" not in answer
    with database.unit_of_work() as unit:
        strangers = Profiles(unit, datetime.now(UTC))
        stranger = strangers.find(Address("phone", "+447700900777"))
        assert stranger is not None
        assert len(stranger.addresses) == 1


def test_fifty_copies_of_one_webhook_at_once_make_one_order(product: Product, database: Database) -> None:
    phone = product.phone("+447700900555")
    phone.text("I'd like to order the rose garden for saturday")
    phone.text("12 Elm Road, Hackney E8 1AA")
    phone.text("no card")
    assert "Shall I place the order?" in phone.text("1")
    with ThreadPoolExecutor(50) as threads:
        answers = set(threads.map(lambda _: phone.text("yes", "SM" + "7" * 32), range(50)))
    assert len(answers) == 1
    assert "F-" in answers.pop()
    with database.unit_of_work() as unit:
        (turn,) = unit.rows(TurnRow, turn_id="SM" + "7" * 32)
        assert len(unit.rows(OrderRow, conversation_id=turn.conversation_id)) == 1


def test_what_people_say_and_their_numbers_are_not_logged(product: Product) -> None:
    phone = product.phone("+447700900666")
    phone.text("my secret word is marzipan, call me on 020 7946 0018")
    phone.post("forged", None)
    log = product.log.read_text()
    for canary in ("marzipan", "7946", "900666"):
        assert canary not in log


def test_a_new_model_is_served_without_a_failed_turn(product: Product) -> None:
    def greet(index: int) -> int:
        return product.phone(f"+4477009{index:05d}").post("hello").status_code

    with ThreadPoolExecutor(4) as threads:
        statuses = threads.map(greet, range(60))
        assert "Serving" in product.command("reload")
        assert set(statuses) == {200}
