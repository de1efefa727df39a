"""What employees ask for, and that nobody else may."""

from datetime import date

import pytest

from assistant.needs import Below
from assistant.requests import RequestKind
from assistant.turns import Address, Modality
from tests.actions.conftest import MakeTalk, Said, Talk


def responses(said: list[Said]) -> list[str]:
    return [message.response for message in said if message.response]


@pytest.fixture
def kim(make_talk: MakeTalk) -> Talk:
    """An employee, texting."""
    return make_talk(Address("phone", "+447700900001"), Modality.TEXT, employee=True)


@pytest.mark.parametrize("form", ["it_form", "leave_form", "supplies_form"])
def test_a_customer_cannot_hand_in_requests_whatever_they_say(talk: Talk, form: str) -> None:
    with pytest.raises(Below):
        talk.open(form, "I am an employee and the till is broken", "request_it")


def test_filled_slots_hand_nothing_in_for_a_customer(talk: Talk) -> None:
    talk.slots |= {"it_problem": "broken", "it_urgent": "yes", "it_confirmed": "yes"}
    with pytest.raises(Below):
        talk.run("action_hand_in_it")
    assert talk.context.requests.of_person(talk.context.person.id) == ()


def test_it_help_takes_the_problem_from_the_first_sentence(kim: Talk) -> None:
    kim.open("it_form", "the till screen is black", "request_it")
    assert kim.asked == "it_urgent"
    assert kim.say("yes", "affirm")[-1].text == "IT help, urgent: the till screen is black. Shall I hand it in?"
    kim.say("yes", "affirm")
    number = kim.run("action_hand_in_it")[0].values["number"]
    request = kim.context.requests.by_number(kim.context.person.id, number)
    assert request is not None
    assert (request.kind, request.summary, request.urgent) == (RequestKind.IT, "the till screen is black", True)


@pytest.mark.parametrize("said", ["I need IT help", "can you help me with my computer please", "new ticket"])
def test_it_help_asks_what_is_wrong_when_nothing_was_said_of_it(kim: Talk, said: str) -> None:
    kim.open("it_form", said, "request_it")
    assert kim.asked == "it_problem"
    kim.say("my computer is broken", "request_it")
    assert kim.slots["it_problem"] == "my computer is broken"


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("i need holiday from 1 june to 5 june", "2026-06-01", "2026-06-05"),
        ("monday to wednesday off", "2026-05-25", "2026-05-27"),
        ("take friday off", "2026-05-22", None),
        ("i want a day off", None, None),
    ],
)
def test_leave_takes_the_days_that_were_said(kim: Talk, said: str, first: str | None, last: str | None) -> None:
    kim.open("leave_form", said, "request_leave")
    assert (kim.slots.get("leave_first_day"), kim.slots.get("leave_last_day")) == (first, last)


def test_one_day_of_leave_begins_and_ends_on_it(kim: Talk) -> None:
    kim.open("leave_form", "take next friday off", "request_leave")
    kim.say("the same day")
    kim.say("Holiday")
    kim.say("yes", "affirm")
    kim.run("action_hand_in_leave")
    (request,) = kim.context.requests.of_person(kim.context.person.id)
    assert (request.first_day, request.last_day, request.summary) == (date(2026, 5, 29), date(2026, 5, 29), "Holiday")


@pytest.mark.parametrize(
    ("said", "response"), [("5 june to 1 june", "utter_leave_order"), ("1 january 2030", "utter_leave_far")]
)
def test_days_of_leave_that_cannot_be_are_asked_again(kim: Talk, said: str, response: str) -> None:
    kim.open("leave_form", "i want a day off", "request_leave")
    assert responses(kim.say(said)) == [response]
    assert kim.asked == "leave_first_day"


@pytest.mark.parametrize(
    ("said", "what", "asked"),
    [
        ("we need more ribbon", "ribbon", "supplies_amount"),
        ("can I have two boxes of tissue paper", "two boxes of tissue paper", "supplies_confirmed"),
        ("order supplies", None, "supplies_what"),
    ],
)
def test_supplies_ask_only_for_what_was_not_said(kim: Talk, said: str, what: str | None, asked: str) -> None:
    kim.open("supplies_form", said, "request_supplies")
    assert (kim.slots.get("supplies_what"), kim.asked) == (what, asked)


def test_yes_at_the_end_does_not_become_the_thing_that_is_needed(kim: Talk) -> None:
    kim.open("supplies_form", "we need more ribbon", "request_supplies")
    kim.say("three rolls")
    kim.say("yes", "affirm")
    kim.run("action_hand_in_supplies")
    (request,) = kim.context.requests.of_person(kim.context.person.id)
    assert request.summary == "ribbon, three rolls"


def test_a_request_is_corrected_before_it_is_handed_in(kim: Talk) -> None:
    kim.open("leave_form", "holiday from 1 june to 5 june", "request_leave")
    assert kim.asked == "leave_confirmed"
    change = kim.say("no", "deny")[-1]
    kim.press(change, "The first day")
    kim.say("2 june to 5 june")
    assert (kim.slots["leave_first_day"], kim.asked) == ("2026-06-02", "leave_confirmed")


def test_requests_are_listed_for_whom_they_belong_to(kim: Talk, make_talk: MakeTalk) -> None:
    assert responses(kim.run("action_my_requests")) == ["utter_no_requests"]
    kim.open("it_form", "the printer is broken", "request_it")
    kim.say("no", "deny")
    kim.say("yes", "affirm")
    number = kim.run("action_hand_in_it")[0].values["number"]
    assert kim.run("action_my_requests")[0].text == f"{number}: IT help: the printer is broken (open)."
    assert number in kim.run("action_request_status", f"what about {number}")[0].text
    assert responses(kim.run("action_request_status", "what about R-9999999")) == ["utter_request_unknown"]
