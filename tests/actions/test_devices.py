"""Going on elsewhere: a link by text, a code for other devices, and whom a code brings where."""

import re
from dataclasses import replace

import pytest

from assistant.links import SENDS_PER_QUARTER_HOUR, WRONG_TRIES, LinkRow, Opened
from assistant.profiles import LinkOutcome
from assistant.turns import Address, Assurance, Modality
from tests.actions.conftest import BROWSER, MakeTalk, Said, Talk, on_voice

NUMBER = Address("phone", "+447700900123")
OTHER = Address("web", "b2")


def on_text(talk: Talk) -> Talk:
    """The same person, by text message."""
    talk.context.turn = replace(talk.context.turn, modality=Modality.TEXT, address=NUMBER)
    return talk


def proven(talk: Talk, number: Address = NUMBER) -> Talk:
    """The same person, once they have proved a number here."""
    assert talk.context.link(number, "sms code") is not LinkOutcome.REFUSED
    return talk


def opened_by(talk: Talk, text: str) -> Opened | None:
    """What the link in a text opens."""
    found = re.search(r"https://shop\.example/go#([\w-]{43})$", text)
    assert found is not None, text
    return talk.context.links.open(found[1])


def digits(said: Said) -> str:
    """The code that was shown."""
    assert re.fullmatch(r"\d{4}\u00a0\d{4}", said.values["digits"])
    return said.values["digits"]


def shown(talk: Talk) -> str:
    """A code that this person is shown."""
    return digits(talk.run("action_connect_device")[0])


def test_by_text_the_answer_holds_a_link_to_this_conversation(talk: Talk) -> None:
    (said,) = on_text(talk).run("action_go_on_in_browser")
    assert said.response == "utter_link_here"
    assert opened_by(talk, said.values["link"]) == Opened(talk.context.person.id, "c1", NUMBER)
    assert talk.outbox == []


def test_in_a_browser_there_is_nothing_to_do(talk: Talk) -> None:
    assert talk.run("action_go_on_in_browser")[0].response == "utter_in_browser_already"
    assert talk.unit.rows(LinkRow) == []


def test_by_voice_the_link_goes_to_the_proven_number(talk: Talk) -> None:
    (said,) = on_voice(proven(talk)).run("action_go_on_in_browser")
    assert (said.response, said.values) == ("utter_link_sent", {"masked": "the number ending 123"})
    (sent,) = talk.outbox
    assert (sent.kind, sent.value, sent.secret) == ("phone", NUMBER.value, True)
    assert opened_by(talk, sent.text or "") == Opened(talk.context.person.id, "c1", NUMBER)


def test_the_chat_sends_a_link_to_the_proven_number(talk: Talk) -> None:
    (said,) = proven(talk).run("action_send_to_phone")
    assert said.response == "utter_link_sent"
    (sent,) = talk.outbox
    assert opened_by(talk, sent.text or "") == Opened(talk.context.person.id, "c1", NUMBER)


@pytest.mark.parametrize("heard", [False, True], ids=["in the chat", "by voice"])
def test_without_a_proven_number_one_is_proved_first_and_then_gets_the_link(talk: Talk, heard: bool) -> None:
    action = "action_go_on_in_browser" if heard else "action_send_to_phone"
    assert (on_voice(talk) if heard else talk).run(action) == []
    assert talk.followup == "phone_form"
    talk.open("phone_form", "send this to my phone", "send_to_phone")
    talk.say("07700 900123")
    code = re.match(r"\d{6}", talk.outbox[0].text or "")
    assert code is not None
    talk.say(code[0])
    assert talk.run("action_continue_by_text")[0].response == "utter_link_sent"
    opened = opened_by(talk, talk.outbox[-1].text or "")
    assert opened is not None
    assert opened.person_id == talk.context.person.id
    assert talk.slots["link_wanted"] is None
    assert talk.run("action_continue_by_text") == []


def test_what_was_open_waits_while_a_number_is_proved(talk: Talk) -> None:
    talk.open("order_form", "flowers please", "order_bouquet")
    talk.run("action_send_to_phone")
    assert (talk.slots["suspended_forms"], talk.followup) == ("order_form", "phone_form")


def test_on_the_phone_itself_send_it_here_is_answered_with_a_link(talk: Talk) -> None:
    assert on_text(talk).run("action_send_to_phone")[0].response == "utter_link_here"


@pytest.mark.parametrize("action", ["action_send_to_phone", "action_go_on_in_browser"])
def test_without_texting_nothing_is_sent(make_talk: MakeTalk, action: str) -> None:
    talk = on_voice(make_talk(texting=False)) if action == "action_go_on_in_browser" else make_talk(texting=False)
    assert talk.run(action)[0].response == "utter_link_not_texted"
    assert talk.unit.rows(LinkRow) == []


def test_without_a_public_address_there_are_no_links(talk: Talk) -> None:
    talk.context.public_url = None
    assert proven(talk).run("action_send_to_phone")[0].response == "utter_no_links"
    assert on_text(talk).run("action_go_on_in_browser")[0].response == "utter_no_links"
    assert (talk.outbox, talk.unit.rows(LinkRow)) == ([], [])


def test_a_number_is_not_flooded_with_links(talk: Talk) -> None:
    proven(talk)
    responses = [talk.run("action_send_to_phone")[0].response for _ in range(SENDS_PER_QUARTER_HOUR + 1)]
    assert responses == ["utter_link_sent"] * SENDS_PER_QUARTER_HOUR + ["utter_link_limit"]
    assert len(talk.outbox) == SENDS_PER_QUARTER_HOUR


def test_another_device_is_shown_a_picture_and_eight_digits(talk: Talk) -> None:
    (said,) = talk.run("action_connect_device")
    assert (said.response, said.card) == ("utter_pairing_picture", "Connect another device")
    assert list(said.choices) == ["Text it to my phone"]
    (row,) = talk.unit.rows(LinkRow)
    assert talk.context.links.token_for(row.id, BROWSER) is not None
    assert talk.context.links.pair("somebody", digits(said).replace("\u00a0", "")) == Opened(
        talk.context.person.id, "c1", BROWSER
    )


def test_without_a_public_address_the_digits_remain(talk: Talk) -> None:
    talk.context.public_url = None
    (said,) = talk.run("action_connect_device")
    assert (said.response, said.card) == ("utter_pairing_digits", None)


def test_by_text_the_digits_come_alone_and_by_voice_none(talk: Talk) -> None:
    assert on_text(talk).run("action_connect_device")[0].response == "utter_pairing_digits"
    (said,) = on_voice(talk).run("action_connect_device")
    assert (said.response, said.values) == ("utter_connect_on_page", {})


@pytest.mark.parametrize("spoken", [False, True], ids=["typed", "spoken"])
def test_a_code_brings_who_gives_it_to_who_was_shown_it(make_talk: MakeTalk, spoken: bool) -> None:
    owner, asker = make_talk(), make_talk(OTHER)
    asker.context.conversation_id = "c2"
    code = shown(owner)
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    said = " ".join(words[int(digit)] for digit in code if digit.isdigit()) if spoken else code
    asker.open("pairing_form", f"my pairing code is {said}", "pairing_code")
    (done,) = asker.run("action_paired")
    assert done.response == "utter_paired"
    assert (asker.context.person.id, asker.context.goes_on_in) == (owner.context.person.id, "c1")
    assert asker.slots["pairing_code"] is None


def test_a_call_is_the_persons_while_they_are_there_and_says_nothing_about_the_number(make_talk: MakeTalk) -> None:
    owner, call = make_talk(), on_voice(make_talk(NUMBER))
    number_of = call.context.person.id
    code = shown(owner)
    assert call.open("pairing_form", "i have a pairing code", "pairing_code")[0].response == "utter_ask_pairing_code"
    assert call.say("one moment")[0].response == "utter_hint_pairing_code"
    call.say(code.replace("\u00a0", ""))  # keyed in
    assert call.run("action_paired")[0].response == "utter_paired"
    assert call.context.person.id == owner.context.person.id
    assert call.context.standing.assurance is Assurance.PROVEN
    keeper = call.context.profiles.find(NUMBER)
    assert keeper is not None
    assert (keeper.id, keeper.addresses[0].proven_at) == (number_of, None)


def test_nobody_who_proved_who_they_are_is_drawn_to_whoever_had_them_type_a_code(make_talk: MakeTalk) -> None:
    attacker, victim = make_talk(), proven(make_talk(OTHER))
    (said,) = victim.open("pairing_form", f"my pairing code is {shown(attacker)}", "pairing_code")
    assert said.response == "utter_pairing_refused"
    assert victim.loop is None
    ids = {talk.context.profiles.get(talk.context.person.id).id for talk in (attacker, victim)}
    assert len(ids) == 2
    assert victim.context.goes_on_in is None


def test_ones_own_code_makes_nobody_surer(talk: Talk) -> None:
    before = proven(talk).context.standing.assurance
    for _ in range(3):
        (said,) = talk.open("pairing_form", f"my pairing code is {shown(talk)}", "pairing_code")
        assert said.response == "utter_pairing_here_already"
    assert talk.context.standing.assurance is before


@pytest.mark.parametrize("asked", [False, True], ids=["with the wish", "when asked"])
def test_a_text_message_takes_no_code_and_uses_none_up(make_talk: MakeTalk, asked: bool) -> None:
    owner, texter = make_talk(), make_talk(NUMBER)
    code = shown(owner)
    if asked:
        texter.open("pairing_form", "i have a pairing code", "pairing_code")
    on_text(texter)
    said = texter.say(code) if asked else texter.open("pairing_form", f"my pairing code is {code}", "pairing_code")
    assert said[0].response == "utter_pairing_by_text"
    assert texter.loop is None
    assert isinstance(owner.context.links.pair("somebody", code.replace("\u00a0", "")), Opened)


def test_wrong_codes_end_it(make_talk: MakeTalk) -> None:
    owner, asker = make_talk(), make_talk(OTHER)
    wrong = f"{(int(shown(owner).replace(chr(0xA0), '')) + 1) % 10**8:08}"
    asker.open("pairing_form", "i have a pairing code", "pairing_code")
    responses = [asker.say(wrong)[0].response for _ in range(WRONG_TRIES)]
    assert responses == ["utter_pairing_code_wrong"] * 2 + ["utter_pairing_code_locked"]
    assert asker.loop is None


def test_who_wants_to_leave_leaves(talk: Talk) -> None:
    talk.open("pairing_form", "i have a pairing code", "pairing_code")
    assert talk.say("cancel that", "cancel")[0].response == "utter_pairing_left"
    assert talk.run("action_paired") == []
