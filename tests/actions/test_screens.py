"""Putting the conversation on a screen, and what a voice leaves to it."""

from dataclasses import replace

import pytest

from actions.screens import eight_digits
from assistant.needs import Below
from assistant.screens import WRONG_TRIES
from assistant.turns import Address, Assurance, Modality
from tests.actions.conftest import MakeTalk, Talk

TELEVISION = Address("screen", "tv")


@pytest.mark.parametrize(
    "text",
    [
        "01234567",
        "0123 4567",
        "it is 0123-4567 i think",
        "oh one two three four five six seven",
        "zero one two three, four five six seven",
        "0 1 2 3 4 5 6 7",
    ],
)
def test_a_code_is_read_however_it_is_said(text: str) -> None:
    assert eight_digits(text) == "01234567"


@pytest.mark.parametrize("text", ["", "1234567", "123456789", "show it on my tv", "1234 5678 or 1234 5679"])
def test_what_is_no_code_is_not_read(text: str) -> None:
    assert eight_digits(text) is None


def code(talk: Talk) -> str:
    return talk.context.screens.new_code(TELEVISION)


def voice(make_talk: MakeTalk, assurance: Assurance) -> Talk:
    talk = make_talk(modality=Modality.VOICE)
    talk.context.turn = replace(talk.context.turn, assurance=assurance)
    return talk


def test_a_screen_is_paired_with_the_code_it_shows(talk: Talk) -> None:
    (asked,) = talk.open("screen_form", "show it on my tv", "pair_screen")
    assert asked.response == "utter_ask_screen_code"
    assert talk.say("one moment")[0].response == "utter_hint_screen_code"
    talk.say(code(talk))
    assert talk.context.screens.of("c1") == (TELEVISION,)
    (done,) = talk.run("action_screen_paired")
    assert done.response == "utter_screen_paired"
    assert talk.slots["screen_code"] is None


def test_a_code_said_with_the_wish_is_not_asked_for(talk: Talk) -> None:
    talk.open("screen_form", f"show it on my tv, the code is {code(talk)}", "pair_screen")
    assert talk.context.screens.of("c1") == (TELEVISION,)


def test_wrong_codes_end_it(talk: Talk) -> None:
    talk.open("screen_form", "show it on my tv", "pair_screen")
    wrong = f"{(int(code(talk)) + 1) % 10**8:08}"
    responses = [talk.say(wrong)[0].response for _ in range(WRONG_TRIES)]
    assert responses == ["utter_screen_code_wrong"] * 2 + ["utter_screen_code_locked"]
    assert talk.loop is None


@pytest.mark.parametrize("assurance", [Assurance.ANONYMOUS, Assurance.CLAIMED])
def test_a_voice_that_may_be_anybodys_gets_no_screen(make_talk: MakeTalk, assurance: Assurance) -> None:
    talk = voice(make_talk, assurance)
    with pytest.raises(Below):
        talk.open("screen_form", f"show it on my tv {code(talk)}", "pair_screen")
    assert talk.context.screens.of("c1") == ()


def test_a_proven_voice_gets_one(make_talk: MakeTalk) -> None:
    talk = voice(make_talk, Assurance.PROVEN)
    talk.open("screen_form", f"show it on my tv {code(talk)}", "pair_screen")
    assert talk.context.screens.of("c1") == (TELEVISION,)


def test_it_is_taken_off_the_screen(talk: Talk) -> None:
    assert talk.run("action_unpair_screen")[0].response == "utter_no_screen"
    talk.open("screen_form", f"show it on my tv {code(talk)}", "pair_screen")
    assert talk.run("action_unpair_screen")[0].response == "utter_screen_unpaired"
    assert talk.context.screens.of("c1") == ()


def test_beside_a_screen_the_voice_says_only_the_headline(make_talk: MakeTalk) -> None:
    talk = make_talk(modality=Modality.VOICE)
    alone = talk.run("action_browse", "what do you have")
    assert [said.card for said in alone] == [None]
    talk.context.screen = True
    headline, *cards = talk.run("action_browse", "what do you have")
    assert (headline.response, headline.speech) == ("utter_on_screen", None)
    assert len(cards) == len(talk.context.shop.bouquets)
    assert {(card.speech, bool(card.card), len(card.choices)) for card in cards} == {("", True, 1)}
    (question,) = talk.open("order_form", "flowers please", "order_bouquet")
    assert "on your screen" in (question.speech or "")
    assert len(question.choices) == len(talk.context.shop.bouquets)
