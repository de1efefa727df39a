"""One conversation carried from device to device: by a code that is said, typed or keyed in, and by a link."""

import asyncio
import re

import pytest

from assistant.links import Links, Opened
from assistant.outbox import OutboxRow
from assistant.profiles import Profiles
from assistant.transcripts import ConversationRow, TurnRow
from assistant.turns import Address, Exchange
from tests.story.test_proving import PHONE, Device, Town, aloud, database, dialogue, town  # noqa: F401  # fixtures


def begin(device: Device) -> None:
    """An order, up to the question where to."""
    assert "address" in device.say("I'd like the rose garden for saturday")


def digits(answer: str) -> str:
    """The pairing code in an answer."""
    found = re.search(r"\b(\d{4})\u00a0(\d{4})\b", answer)
    assert found is not None, answer
    return found[1] + found[2]


def finish(device: Device) -> str:
    """The rest of that order; its number."""
    for line in ("12 Elm Road, Hackney E8 1AA", "no card", "cash"):
        device.say(line)
    number = re.search(r"F-\d+", device.say("yes"))
    assert number is not None
    return number[0]


def follow(town: Town, device: Device, text: str, watcher: Address) -> Exchange:  # noqa: F811
    """What somebody who watches at this address sees of what is said."""

    async def seen() -> Exchange:
        async with town.core.follow(watcher) as exchanges:
            await town.core.converse(device.turn(text))
            return await asyncio.wait_for(anext(exchanges), 20)

    return asyncio.run(seen())


@pytest.mark.parametrize("where", ["call", "speaker"])
def test_an_order_begun_on_the_page_is_finished_aloud(town: Town, where: str) -> None:  # noqa: F811
    page = town.page()
    begin(page)
    code = digits(page.say("connect my speaker please"))
    voice = town.call() if where == "call" else town.speaker()
    answer = voice.say(f"my pairing code is {aloud(code)}")
    assert "connected" in answer
    assert "Rose Garden" in answer
    assert "address" in answer
    number = finish(voice)
    assert number in page.say("where is my order?")


def test_a_code_is_keyed_in_when_it_is_asked_for(town: Town) -> None:  # noqa: F811
    page, call = town.page(), town.call()
    begin(page)
    code = digits(page.say("show me a pairing code"))
    assert "eight digits" in call.say("i have a pairing code")
    assert "connected" in call.say(code)
    assert finish(call)


def test_a_call_that_ended_is_a_strangers_again(town: Town) -> None:  # noqa: F811
    page, call = town.page(), town.call()
    begin(page)
    call.say(f"my pairing code is {digits(page.say('connect my phone'))}")
    number = finish(call)
    assert number not in town.texts().say("where is my order?")
    with town.database.unit_of_work() as unit:
        stranger = Profiles(unit, town.clock()).find(PHONE)
    assert stranger is not None
    assert [known.proven_at for known in stranger.addresses] == [None]


def test_another_browser_goes_on_with_the_same_conversation(town: Town) -> None:  # noqa: F811
    laptop, tablet = town.page("laptop"), town.page("tablet")
    begin(laptop)
    assert "bouquet" in tablet.say("I'd like to order flowers")
    code = digits(laptop.say("connect another device"))
    answer = tablet.say(f"my pairing code is {code}")
    assert "address" in answer
    assert asyncio.run(town.core.history(tablet.address)) == asyncio.run(town.core.history(laptop.address))
    with town.database.unit_of_work() as unit:
        assert len(unit.rows(ConversationRow, closed_at=None)) == 1
    assert finish(tablet)


def test_a_text_message_pairs_nothing(town: Town) -> None:  # noqa: F811
    page = town.page()
    begin(page)
    code = digits(page.say("connect my phone"))
    answer = town.texts().say(f"my pairing code is {code}")
    assert "continue by text" in answer
    assert "Rose" not in town.texts().say("where were we?")
    assert "connected" in town.call().say(f"my pairing code is {code}")


def test_no_transcript_holds_a_code_or_a_link_that_is_good(town: Town) -> None:  # noqa: F811
    page, texts = town.page(), town.texts()
    begin(page)
    town.prove(page)
    code = digits(page.say("connect my phone"))
    texts.say(f"my pairing code is {code}")
    link = re.search(r"/go#([\w-]{43})", texts.say("send me a link"))
    assert link is not None
    with town.database.unit_of_work() as unit:
        rows = [*unit.rows(TurnRow), *unit.rows(ConversationRow)]
        kept = "".join(repr(vars(row)) for row in rows)
        assert "••••" in kept
        for secret in (code, f"{code[:4]} {code[4:]}", f"{code[:4]}\u00a0{code[4:]}", link[1]):
            assert secret not in kept
        assert isinstance(Links(unit, town.clock(), b"k" * 32).open(link[1]), Opened)


def test_other_screens_of_the_person_see_that_there_is_a_code_but_not_which(town: Town) -> None:  # noqa: F811
    laptop, tablet = town.page("laptop"), town.page("tablet")
    begin(laptop)
    tablet.say(f"my pairing code is {digits(laptop.say('connect another device'))}")
    seen = follow(town, laptop, "connect another device", tablet.address)
    assert "••••\u00a0••••" in seen.reply.messages[0].text


def test_a_phone_that_was_proved_for_it_gets_the_link_and_the_page_goes_on(town: Town) -> None:  # noqa: F811
    page = town.page()
    begin(page)
    assert "Which mobile number" in page.say("send this to my phone")
    page.say("07700 900123")
    answer = page.say(town.code())
    assert "texted a link" in answer
    assert answer.rstrip().endswith("Which address should it go to?")
    with town.database.unit_of_work() as unit:
        sent = max(unit.rows(OutboxRow), key=lambda row: row.created_at)
        token = re.search(r"https://shop\.example/go#([\w-]{43})$", sent.text or "")
        assert sent.secret
        assert token is not None
        assert isinstance(Links(unit, town.clock(), b"k" * 32).open(token[1]), Opened)


def test_who_was_let_in_before_anything_was_proved_is_out_once_somebody_proves_who_they_are(town: Town) -> None:  # noqa: F811
    laptop, tablet, third = town.page("laptop"), town.page("tablet"), town.page("third")
    begin(laptop)
    tablet.say(f"my pairing code is {digits(laptop.say('connect another device'))}")
    town.prove(laptop)
    third.say(f"my pairing code is {digits(tablet.say('connect another device'))}")
    for device in (tablet, third):
        assert "Rose" not in device.say("where were we?")
        assert "Rose" not in repr(asyncio.run(town.core.history(device.address)))
    assert "Rose" in repr(asyncio.run(town.core.history(laptop.address)))
