"""Choices: only what this conversation offered can be picked, pressed or in words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.choices import offer, picked
from assistant.transcripts import ISSUED_CHOICES, ConversationRow
from assistant.turns import Address, Assurance, Choice, Message, Modality, Reply, Turn, TurnKind

GREEN, BLACK = Choice("Green", '/choose{"tea": "green"}'), Choice("Black", '/choose{"tea": "black"}')
WORDS = st.text(max_size=12) | st.sampled_from(
    ["1", "2", "12", "0", "-1", "1.", "²", "١", "green", " GREEN. ", "/greet"]
)
CHOICES = st.lists(st.builds(Choice, WORDS, WORDS), max_size=4)


def a_conversation(*replies: tuple[Choice, ...]) -> ConversationRow:
    """A conversation in which these replies were given, one after the other."""
    conversation = ConversationRow(open_choices="[]", issued_choices="[]")
    for choices in replies:
        offer(conversation, Reply((Message("Which?", choices=choices),)))
    return conversation


def turn(text: str, choice: str | None = None) -> Turn:
    moment = datetime(2026, 5, 20, tzinfo=UTC)
    address = Address("web", "x")
    return Turn("web", address, "1", TurnKind.SAID, text, Modality.TEXT, Assurance.ANONYMOUS, moment, choice)


@pytest.mark.parametrize("said", ["2", " 2 ", "2.", "2)", "Black", " BLACK ", "black."])
def test_the_number_or_the_words_pick_it(said: str) -> None:
    assert picked(a_conversation((GREEN, BLACK)), turn(said)) == BLACK


@pytest.mark.parametrize("said", ["", "0", "3", "99", "-1", "2 spoons", "²", "٢", "black tea", BLACK.payload])
def test_anything_else_picks_nothing(said: str) -> None:
    assert picked(a_conversation((GREEN, BLACK)), turn(said)) is None


def test_a_button_of_an_earlier_reply_may_still_be_pressed_but_not_its_number() -> None:
    conversation = a_conversation((GREEN, BLACK), ())
    assert picked(conversation, turn("Green", GREEN.payload)) == GREEN
    assert picked(conversation, turn("1")) is None


def test_numbers_go_on_over_the_messages_of_one_reply() -> None:
    conversation = a_conversation()
    offer(conversation, Reply((Message("a", choices=(GREEN,)), Message("b", choices=(BLACK,)))))
    assert picked(conversation, turn("2")) == BLACK


def test_the_oldest_buttons_stop_working() -> None:
    later = [tuple(Choice(f"{index}", f"/choose{index}") for index in range(ISSUED_CHOICES))]
    assert picked(a_conversation((GREEN,), *later), turn("Green", GREEN.payload)) is None
    assert picked(a_conversation(*later, (GREEN,)), turn("Green", GREEN.payload)) == GREEN


@given(replies=st.lists(CHOICES.map(tuple), max_size=4), text=WORDS, pressed=st.none() | WORDS)
def test_only_what_was_offered_is_ever_picked(
    replies: list[tuple[Choice, ...]], text: str, pressed: str | None
) -> None:
    choice = picked(a_conversation(*replies), turn(text, pressed))
    issued = {offered.payload for choices in replies for offered in choices}
    if pressed is not None:
        assert (choice is not None) == (pressed in issued)
    if choice is not None:
        assert choice.payload in issued
