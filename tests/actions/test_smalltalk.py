"""The shop front, small talk, not understanding, and handing over."""

import pytest

from assistant.turns import Modality
from tests.actions.conftest import MakeTalk, Said, Talk


def responses(said: list[Said]) -> list[str]:
    return [message.response for message in said if message.response]


def test_on_a_screen_every_bouquet_is_a_card_to_order(talk: Talk) -> None:
    said = talk.run("action_browse", "what do you have", "browse_bouquets")
    assert [message.card for message in said[1:]][:2] == ["Spring Meadow, £35.00", "Rose Garden, £55.00"]
    assert said[2].choices == {"Order Rose Garden": '/order_bouquet{"bouquet": "rose-garden"}'}


def test_without_a_screen_bouquets_are_one_short_list(make_talk: MakeTalk) -> None:
    (said,) = make_talk(modality=Modality.TEXT).run("action_browse", "what do you have", "browse_bouquets")
    assert len(said.choices) == 6
    assert sum(len(title) + 4 for title in said.choices) < 250


def test_only_bouquets_that_fit_are_shown(talk: Talk) -> None:
    said = talk.run("action_browse", "do you have something yellow", "browse_bouquets")
    assert [message.card for message in said[1:]] == ["Spring Meadow, £35.00", "Sunny Side, £32.00"]


def test_bouquets_shown_during_an_order_leave_the_choice_to_its_question(talk: Talk) -> None:
    talk.open("order_form", "order flowers", "order_bouquet")
    assert not any(message.choices for message in talk.run("action_browse", "what do you have"))


@pytest.mark.parametrize(
    ("said", "response", "day"),
    [
        ("when are you open", "utter_open", "today"),
        ("are you open on sunday", "utter_closed_on", "on Sunday 24 May"),
        ("how late on friday", "utter_open_on", "on Friday 22 May"),
    ],
)
def test_hours_are_said_for_the_day_that_is_meant(talk: Talk, said: str, response: str, day: str) -> None:
    (hours,) = talk.run("action_ask_hours", said, "ask_hours")
    assert (hours.response, hours.values["said_day"]) == (response, day)


def test_the_week_is_said_in_a_line(talk: Talk) -> None:
    assert talk.run("action_ask_hours")[0].values["week"] == (
        "Monday to Wednesday 09:00 to 18:00, Thursday and Friday 09:00 to 20:00, Saturday 08:00 to 17:00, Sunday closed"
    )


def test_an_area_is_confirmed_and_others_are_listed(talk: Talk) -> None:
    assert talk.run("action_ask_delivery_area", "do you deliver to hackny")[0].values["area"] == "Hackney"
    assert responses(talk.run("action_ask_delivery_area", "and to Manchester?")) == ["utter_delivery_areas"]


def test_ways_to_pay_are_listed(talk: Talk) -> None:
    assert talk.run("action_ask_payment")[0].values["ways"] == "card on delivery, cash on delivery or bank transfer"


@pytest.mark.parametrize("action", ["action_fallback", "action_out_of_scope", "action_inform"])
def test_not_understanding_twice_offers_a_person(talk: Talk, action: str) -> None:
    first, second = talk.run(action, "blah"), talk.run(action, "blah blah")
    assert first[0].response != second[0].response
    assert "/ask_person" in second[0].choices.values()
    talk.later(minutes=10)
    assert responses(talk.run(action, "blah")) == [first[0].response]


@pytest.mark.parametrize(
    ("said", "form"),
    [
        ("rose garden for saturday to 12 Elm Road Hackney", "order_form"),
        ("A7K2Q", "same_as_form"),
        ("text me on 07700 900123", "phone_form"),
    ],
)
def test_bare_words_that_say_enough_open_what_they_mean(talk: Talk, said: str, form: str) -> None:
    assert talk.run("action_inform", said) == []
    assert talk.followup == form


def test_the_bare_name_of_a_bouquet_shows_it(talk: Talk) -> None:
    assert talk.run("action_inform", "rose garden")[0].card == "Rose Garden, £55.00"


def test_who_gave_a_name_is_greeted_by_it(talk: Talk) -> None:
    assert responses(talk.run("action_greet")) == ["utter_greet"]
    talk.run("action_tell_name", "call me Ana Lopez", "tell_name")
    talk.context.person = talk.context.profiles.get(talk.context.person.id)
    assert talk.run("action_greet")[0].values["said_name"] == "Ana"


def test_who_says_goodbye_with_something_open_can_go_on_by_text(make_talk: MakeTalk) -> None:
    talk, by_text = make_talk(), make_talk(modality=Modality.TEXT)
    assert responses(talk.run("action_goodbye")) == ["utter_goodbye"]
    for one in (talk, by_text):
        one.open("order_form", "order flowers", "order_bouquet")
    assert "/continue_by_text" in talk.run("action_goodbye")[0].choices.values()
    assert responses(by_text.run("action_goodbye")) == ["utter_kept_for_later"]


def test_a_person_is_called_and_the_wait_is_said(talk: Talk) -> None:
    assert talk.run("action_ask_person")[0].values["minutes"] == "30"
    assert talk.context.hold_reason


def test_nothing_open_is_nowhere(talk: Talk) -> None:
    assert talk.run("action_where_we_were") == []
