"""The web chat as people meet it: in a real browser, against a real server."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from assistant.errors import DialogueFailed, StoreUnavailable
from assistant.turns import Message, TurnKind
from channels.web import WebChannel
from tests.channels.conftest import STOREFRONT, Site, running, serving
from tests.channels.scripted import BOUQUET

PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture
def chat(page: Page, site: Site) -> Page:
    """The shop page with the chat open and the visitor greeted."""
    site.assistant.answers["/browse"] = (BOUQUET,)
    page.goto(site.url)
    expect(page.get_by_text("Hello, this is the shop.")).to_be_visible()
    return page


@pytest.fixture
def phone(chromium: Browser, site: Site) -> Iterator[Page]:
    """The shop page on a phone."""
    context = chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(site.url)
    yield page
    context.close()


def composer(page: Page) -> Locator:
    return page.get_by_label("Your message")


def say(page: Page, text: str) -> None:
    composer(page).fill(text)
    composer(page).press("Enter")


def log(page: Page) -> Locator:
    return page.get_by_role("log")


def bubbles(page: Page) -> Locator:
    return log(page).locator(".bubble")


def test_what_is_typed_is_shown_and_answered(chat: Page) -> None:
    say(chat, "roses, please")
    expect(bubbles(chat)).to_have_text([re.compile("Hello"), "roses, please", "You said: roses, please"])
    expect(composer(chat)).to_have_value("")


def test_a_choice_is_a_button_and_a_card_has_its_picture(chat: Page, site: Site) -> None:
    chat.get_by_role("button", name="See bouquets").click()
    expect(chat.get_by_role("heading", name="Spring Meadow").last).to_be_visible()
    picture = chat.get_by_role("img", name="Yellow and white flowers")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    expect(chat.get_by_role("button", name="See bouquets")).to_have_count(0)
    expect(bubbles(chat).nth(1)).to_have_text("See bouquets")
    assert (site.assistant.turns[-1].choice, site.assistant.turns[-1].text) == ("/browse", "See bouquets")


def test_the_typing_sign_lasts_as_long_as_the_answer_takes(chat: Page, site: Site) -> None:
    sign = log(chat).locator(".typing")
    expect(sign).to_be_hidden()
    site.run(site.assistant.gate.clear)
    say(chat, "roses")
    expect(sign).to_be_visible()
    site.run(site.assistant.gate.set)
    expect(chat.get_by_text("You said: roses")).to_be_visible()
    expect(sign).to_be_hidden()


def test_markup_is_shown_and_not_run(chat: Page) -> None:
    text = "<img src=x onerror=\"document.title='run'\"><b>bold</b>"
    say(chat, text)
    expect(bubbles(chat).last).to_have_text(f"You said: {text}")
    assert chat.title() != "run"
    expect(log(chat).locator(".bubble b, .bubble img")).to_have_count(0)


def test_a_picture_from_elsewhere_is_not_fetched(chat: Page, site: Site) -> None:
    assert BOUQUET.card is not None
    foreign = Message("Look", card=type(BOUQUET.card)("Elsewhere", "…", "https://evil.example/x.svg", "nothing"))
    site.assistant.answers["show"] = (foreign,)
    say(chat, "show")
    expect(chat.get_by_role("heading", name="Elsewhere")).to_be_visible()
    expect(log(chat).locator("img")).to_have_count(0)


def test_messages_sent_while_the_line_is_cut_arrive_once_and_in_order(chat: Page, site: Site) -> None:
    say(chat, "before")
    expect(chat.get_by_text("You said: before")).to_be_visible()
    chat.context.set_offline(True)
    site.server.drop_sockets()
    expect(chat.get_by_text("You are offline")).to_be_visible()
    say(chat, "first")
    say(chat, "second")
    chat.context.set_offline(False)
    expect(chat.get_by_text("You said: second")).to_be_visible()
    expect(chat.get_by_text("You are offline")).to_be_hidden()
    expect(bubbles(chat)).to_have_text(
        [
            re.compile("Hello"),
            "before",
            "You said: before",
            "first",
            "second",
            "You said: first",
            "You said: second",
        ]
    )
    assert site.assistant.said() == ["before", "first", "second"]


def test_a_line_cut_in_the_middle_of_an_answer_loses_and_doubles_nothing(chat: Page, site: Site) -> None:
    site.run(site.assistant.gate.clear)
    say(chat, "roses")
    expect(log(chat).locator(".typing")).to_be_visible()
    site.server.drop_sockets()
    expect(chat.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    site.run(site.assistant.gate.set)
    expect(bubbles(chat)).to_have_text([re.compile("Hello"), "roses", "You said: roses"])
    expect(chat.get_by_text("Connection lost")).to_be_hidden()
    assert site.assistant.said() == ["roses"]


def test_a_reload_in_the_middle_of_an_answer_loses_and_doubles_nothing(chat: Page, site: Site) -> None:
    site.run(site.assistant.gate.clear)
    say(chat, "roses")
    expect(log(chat).locator(".typing")).to_be_visible()
    chat.reload()
    expect(bubbles(chat).last).to_have_text("roses")
    site.run(site.assistant.gate.set)
    expect(bubbles(chat)).to_have_text([re.compile("Hello"), "roses", "You said: roses"])
    assert site.assistant.said() == ["roses"]


def test_what_happened_meanwhile_is_there_after_a_reconnect(chat: Page, site: Site) -> None:
    chat.context.set_offline(True)
    site.server.drop_sockets()
    expect(chat.get_by_text("You are offline")).to_be_visible()
    site.tell("sms", "on Friday", Message("Friday it is."))
    chat.context.set_offline(False)
    expect(bubbles(chat)).to_have_text([re.compile("Hello"), "on Friday", "Friday it is."])


def test_many_cuts_in_a_row_lose_and_double_nothing(chat: Page, site: Site) -> None:
    words = [f"message {number}" for number in range(6)]
    for word in words:
        say(chat, word)
        site.server.drop_sockets()
    expect(chat.get_by_text(f"You said: {words[-1]}")).to_be_visible(timeout=30_000)
    shown = bubbles(chat).all_inner_texts()
    assert sorted(shown[1:]) == sorted([*words, *(f"You said: {word}" for word in words)])
    assert site.assistant.said() == words


def test_two_tabs_are_in_step(chat: Page, site: Site) -> None:
    other = chat.context.new_page()
    other.goto(site.url)
    expect(other.get_by_text("Hello, this is the shop.")).to_be_visible()
    say(chat, "from one")
    expect(bubbles(other)).to_have_text([re.compile("Hello"), "from one", "You said: from one"])
    say(other, "from the other")
    for page in (chat, other):
        expect(bubbles(page).last).to_have_text("You said: from the other")
        expect(bubbles(page)).to_have_count(5)
    assert [turn.kind for turn in site.assistant.turns].count(TurnKind.OPENED) == 1


def test_what_is_said_by_text_message_says_so(chat: Page, site: Site) -> None:
    site.tell("sms", "on Friday", Message("Friday it is."))
    said = log(chat).locator(".turn", has_text="on Friday").first
    expect(said).to_contain_text("by text message")
    expect(chat.get_by_text("Friday it is.")).to_be_visible()


def test_a_store_that_is_down_for_a_moment_is_waited_for(chat: Page, site: Site) -> None:
    site.run(lambda: site.assistant.failures.append(StoreUnavailable("no database")))
    say(chat, "roses")
    expect(chat.get_by_text("Something on our side cannot be reached")).to_be_visible()
    expect(chat.get_by_text("You said: roses")).to_be_visible()
    expect(chat.get_by_text("Something on our side cannot be reached")).to_have_count(0)
    assert site.assistant.said() == ["roses"]


def test_an_answer_that_failed_can_be_tried_again(chat: Page, site: Site) -> None:
    site.run(lambda: site.assistant.failures.append(DialogueFailed("none")))
    say(chat, "roses")
    chat.get_by_role("button", name="Try again").click()
    expect(bubbles(chat)).to_have_text([re.compile("Hello"), "roses", "You said: roses"])


def test_a_text_that_is_too_long_is_kept_and_says_by_how_much(chat: Page, site: Site) -> None:
    say(chat, "x" * 4_321)
    expect(chat.get_by_text("4,000 characters fit in a message; this has 4,321.")).to_be_visible()
    expect(composer(chat)).to_have_value("x" * 4_321)
    say(chat, "roses")
    expect(chat.get_by_text("You said: roses")).to_be_visible()
    assert site.assistant.said() == ["roses"]


def test_everything_works_by_keyboard(chat: Page, site: Site) -> None:
    launcher = chat.get_by_role("button", name="Chat with us")
    composer(chat).focus()
    chat.keyboard.press("Escape")
    expect(launcher).to_be_focused()
    chat.keyboard.press("Enter")
    expect(composer(chat)).to_be_focused()
    chat.keyboard.press("Shift+Tab")
    chat.keyboard.press("Shift+Tab")
    expect(chat.get_by_role("button", name="See bouquets")).to_be_focused()
    chat.keyboard.press("Space")
    expect(chat.get_by_text("Shall it be this one?")).to_be_visible()
    expect(composer(chat)).to_be_focused()
    chat.keyboard.type("one line")
    chat.keyboard.press("Shift+Enter")
    chat.keyboard.type("and another")
    chat.keyboard.press("Enter")
    expect(bubbles(chat).last).to_have_text("You said: one line\nand another")
    assert site.assistant.turns[-1].text == "one line\nand another"


def test_new_messages_are_announced_and_old_ones_are_not(chat: Page) -> None:
    expect(log(chat)).to_have_attribute("aria-live", "polite")
    say(chat, "roses")
    expect(chat.get_by_text("You said: roses")).to_be_visible()
    # The setting of the live region at the moment the first message of the history is put into it.
    chat.add_init_script(
        """
        const put = Node.prototype.insertBefore;
        Node.prototype.insertBefore = function (node, before) {
          if (node.className?.includes?.("turn")) window.announced = (window.announced ?? []).concat(this.ariaLive);
          return put.call(this, node, before);
        };
        """
    )
    chat.reload()
    expect(bubbles(chat)).to_have_count(3)
    assert chat.evaluate("announced") == ["off", "off", "off"]
    expect(log(chat)).to_have_attribute("aria-live", "polite")
    say(chat, "lilies")
    expect(bubbles(chat)).to_have_count(5)
    assert chat.evaluate("announced") == ["off", "off", "off", "polite", "polite"]


def test_a_closed_chat_counts_what_is_new(chat: Page, site: Site) -> None:
    chat.get_by_role("button", name="Close chat").click()
    for word in ("Friday", "Saturday"):
        site.tell("sms", word, Message(f"{word} it is."))
    launcher = chat.get_by_role("button", name="Chat with us, 2 new messages")
    expect(launcher).to_be_visible()
    launcher.click()
    expect(bubbles(chat).last).to_be_in_viewport()
    chat.keyboard.press("Escape")
    expect(chat.get_by_role("button", name="Chat with us", exact=True)).to_be_visible()


def test_a_button_of_the_page_starts_the_talk(chat: Page) -> None:
    chat.get_by_role("button", name="Order Rose Garden in the chat").click()
    expect(chat.get_by_text("You said: I'd like to order Rose Garden")).to_be_visible()


def test_opening_the_page_leaves_the_focus_on_the_page(chat: Page) -> None:
    assert chat.evaluate("document.activeElement === document.body")


def test_a_visitor_who_opens_nothing_costs_no_conversation(phone: Page, site: Site) -> None:
    expect(phone.get_by_role("button", name="Chat with us")).to_be_visible()
    assert site.run(lambda: len(site.assistant.followers)) == 0


def test_on_a_phone_the_chat_is_a_sheet_over_everything(phone: Page) -> None:
    phone.get_by_role("button", name="Chat with us").tap()
    sheet = phone.get_by_role("dialog", name="Chat with Fiore")
    expect(phone.get_by_text("Hello, this is the shop.")).to_be_visible()
    box = sheet.bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, PHONE["width"], PHONE["height"])
    # A modal: the page behind can be reached neither by touch nor by tab.
    assert phone.evaluate("document.elementFromPoint(195, 400).tagName") == "ASSISTANT-CHAT"
    say(phone, "roses")
    expect(bubbles(phone).last).to_be_in_viewport()
    expect(bubbles(phone).last).to_have_text("You said: roses")
    phone.get_by_role("button", name="Close chat").tap()
    expect(sheet).to_be_hidden()


def test_nothing_is_wider_than_a_phone(phone: Page) -> None:
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    phone.get_by_role("button", name="Chat with us").tap()
    say(phone, "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente" * 3)
    expect(bubbles(phone).last).to_contain_text("You said")
    assert log(phone).evaluate("log => log.scrollWidth <= log.clientWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_light_and_dark(chromium: Browser, site: Site, scheme: str) -> None:
    context = chromium.new_context(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(site.url)
    expect(page.get_by_text("Hello, this is the shop.")).to_be_visible()
    say(page, "roses")
    expect(bubbles(page)).to_have_count(3)
    expect(log(page).locator(".waiting")).to_have_count(0)
    read_colours = "bubble => [getComputedStyle(bubble).color, getComputedStyle(bubble).backgroundColor]"
    colours = [bubbles(page).nth(which).evaluate(read_colours) for which in (0, 1)]
    sheet = page.get_by_role("dialog").evaluate("d => getComputedStyle(d).backgroundColor")
    context.close()
    # 4.5 is what WCAG 2.2 asks of text of this size (1.4.3).
    assert [pair for pair in colours if contrast(*pair) < 4.5] == []
    assert (luminance(sheet) < 0.1) == (scheme == "dark")


def test_one_script_tag_puts_the_chat_on_another_site(page: Page) -> None:
    blog = FastAPI()
    with running(blog) as home, serving(WebChannel(STOREFRONT, allowed_origins=(home.url,))) as shop:
        # As strict as sites have them; no style and no inline script is allowed.
        allowed = f"script-src {shop.url}; img-src {shop.url}; connect-src {shop.url.replace('http', 'ws')}"
        headers = {"Content-Security-Policy": f"default-src 'none'; {allowed}"}
        words = f'<!doctype html><title>Blog</title><p>Words.<script src="{shop.url}/channels/web/chat.js"></script>'
        blog.get("/")(lambda: HTMLResponse(words, headers=headers))
        shop.assistant.answers["show"] = (BOUQUET,)
        page.goto(home.url)
        page.get_by_role("button", name="Chat with us").click()
        expect(page.get_by_role("heading", name="Fiore")).to_be_visible()
        say(page, "show")
        picture = page.get_by_role("img", name="Yellow and white flowers")
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        assert page.get_by_role("dialog").evaluate("dialog => getComputedStyle(dialog).position") == "fixed"
        page.reload()
        page.get_by_role("button", name="Chat with us").click()
        expect(bubbles(page)).to_have_count(3)


def test_a_line_that_goes_silent_is_given_up_and_made_anew(page: Page, site: Site) -> None:
    page.clock.install()
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(site.url)
    expect(page.get_by_text("Hello, this is the shop.")).to_be_visible()
    # No beat comes from the server in these 46 seconds: for the browser they pass in an instant.
    page.clock.fast_forward(46_000)
    expect(page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    page.clock.run_for(2_000)
    say(page, "roses")
    expect(page.get_by_text("You said: roses")).to_be_visible()
    assert len(sockets) == 2


def luminance(colour: str) -> float:
    """Relative luminance of `rgb(…)`, as WCAG defines it."""
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
