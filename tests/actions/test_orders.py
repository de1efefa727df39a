"""Ordering: answers in any order, corrections, steps back, refusals, and the order that comes of it."""

import pytest

from actions.hearing import SUSPENDED
from assistant.orders import OrderStatus
from assistant.turns import Address
from tests.actions.conftest import MakeTalk, Said, Talk

ALL_AT_ONCE = "rose garden for saturday to 12 Elm Road, Hackney"
FILLED: dict[str, str | None] = {
    "bouquet": "rose-garden",
    "day": "2026-05-23",
    "address": "12 Elm Road, Hackney",
    "card_text": "",
    "payment": "card",
}


def responses(said: list[Said]) -> list[str]:
    """Names of the responses, without plain texts."""
    return [message.response for message in said if message.response]


def start(talk: Talk, text: str = "I want to order flowers") -> list[Said]:
    return talk.open("order_form", text, "order_bouquet")


def confirmed(talk: Talk) -> Talk:
    """At the summary of a whole order."""
    talk.slots |= FILLED
    talk.open("order_form", "", "order_bouquet", 1.0)
    assert talk.asked == "order_confirmed"
    return talk


def test_an_order_is_asked_for_step_by_step_and_placed(talk: Talk) -> None:
    assert start(talk)[-1].text == "Which bouquet would you like?"
    assert talk.say("rose garden")[0].card == "Rose Garden, £55.00"
    assert talk.say("saturday")[0].values["said_day"] == "Saturday 23 May"
    assert talk.say("12 Elm Road, Hackney")[-1].text.startswith("What should the card say?")
    talk.say("Happy birthday Mum!")
    summary = talk.say("cash please")[-1].text
    assert summary == (
        "Rose Garden for Saturday 23 May to 12 Elm Road, Hackney. Card: “Happy birthday Mum!”. Cash on delivery. "
        "£55.00 + £4.95 delivery = £59.95. Shall I place the order?"
    )
    talk.say("yes please", "affirm")
    placed = talk.run("action_place_order")[0]
    (order,) = talk.context.orders.of_person(talk.context.person.id)
    assert placed.values == {
        "number": order.number,
        "said_bouquet": "Rose Garden",
        "said_day": "Saturday 23 May",
        "total": "£59.95",
        "code": order.share_code,
    }
    assert (order.card_text, order.payment, order.address) == ("Happy birthday Mum!", "cash", "12 Elm Road, Hackney")
    assert not any(talk.slots.get(slot) for slot in FILLED)


def test_everything_said_in_one_breath_is_asked_no_more(talk: Talk) -> None:
    said = start(talk, ALL_AT_ONCE)
    assert said[0].values["what"] == "Rose Garden, Saturday 23 May, 12 Elm Road, Hackney"
    assert talk.asked == "card_text"


def test_a_pressed_choice_answers_the_question(talk: Talk) -> None:
    talk.press(start(talk)[-1], "Wild Berry, £42.00")
    assert (talk.slots["bouquet"], talk.asked) == ("wild-berry", "day")


def test_the_bouquet_of_a_pressed_card_is_the_one_that_is_ordered(talk: Talk) -> None:
    talk.open("order_form", "Order Sunny Side", "order_bouquet", 1.0, {"bouquet": "sunny-side"})
    assert (talk.slots["bouquet"], talk.asked) == ("sunny-side", "day")


def test_a_share_code_fills_in_the_bouquet_and_is_shown_as_a_card(talk: Talk) -> None:
    code = talk.context.orders.record_sale("Ana Lopez", "spring-meadow")
    said = talk.open("same_as_form", f"I'd like the same bouquet Ana bought, her code is {code}", "same_as")
    assert (said[0].response, said[0].values["owner"]) == ("utter_same_as_owner", "Ana")
    assert said[0].card == "Spring Meadow, £35.00"
    talk.run("action_take_shared")
    assert (talk.slots["bouquet"], talk.followup) == ("spring-meadow", "order_form")


def test_a_share_code_is_asked_for_when_none_was_said(talk: Talk) -> None:
    assert "What is the code" in talk.open("same_as_form", "the same as my friend please", "same_as")[-1].text
    unknown = talk.say("A7K2Q")
    assert (unknown[0].response, unknown[0].values["code"]) == ("utter_share_code_unknown", "A7K2Q")
    code = talk.context.orders.record_sale(None, "wild-berry")
    assert talk.say(code.lower())[0].response == "utter_same_as"


def test_a_share_code_of_a_bouquet_that_is_gone_says_so(talk: Talk) -> None:
    code = talk.context.orders.record_sale("Ana", "winter-dream")
    assert responses(talk.open("same_as_form", f"the code is {code}", "same_as")) == ["utter_share_code_sold_out"]
    assert talk.loop is None


def test_a_share_code_also_answers_which_bouquet(talk: Talk) -> None:
    start(talk)
    talk.say(talk.context.orders.record_sale("Ana", "white-peace"))
    assert talk.slots["bouquet"] == "white-peace"


def test_quiet_hours_are_no_address(talk: Talk) -> None:
    start(talk, "rose garden for saturday")
    assert talk.asked == "address"
    assert talk.say("don't text me between 11 pm and 7", "set_quiet_hours") == []
    talk.say("7 Elm Road, Camden", "set_quiet_hours")
    assert talk.slots["address"] == "7 Elm Road, Camden"


def test_several_bouquets_are_named_and_asked_again(talk: Talk) -> None:
    start(talk)
    said = talk.say("something red")
    assert said[0].values["names"] == "Rose Garden or Wild Berry"
    assert talk.asked == "bouquet"


@pytest.mark.parametrize(
    ("said", "response", "would_do"),
    [
        ("sunday", "utter_day_closed", "Monday 25 May"),
        ("yesterday", "utter_day_past", "Wednesday 20 May"),
        ("christmas eve", "utter_day_too_far", None),
    ],
)
def test_a_day_that_will_not_do_is_refused_with_one_that_would(
    talk: Talk, said: str, response: str, would_do: str | None
) -> None:
    start(talk, "rose garden")
    refused = talk.say(said)
    assert (refused[0].response, refused[0].values.get("would_do")) == (response, would_do)
    assert talk.asked == "day"


def test_after_two_in_the_afternoon_today_is_over(talk: Talk) -> None:
    start(talk, "rose garden")
    talk.later(hours=5)
    refused = talk.say("today")
    assert (refused[0].response, refused[0].values["would_do"]) == ("utter_day_too_late_today", "Thursday 21 May")
    assert "Wednesday 20 May" not in refused[-1].choices


def test_an_address_without_an_area_is_asked_for_it(talk: Talk) -> None:
    start(talk, "rose garden for saturday")
    assert talk.say("12 Elm Road")[-1].text == "Which area is 12 Elm Road in?"
    talk.say("hackney")
    assert talk.slots["address"] == "12 Elm Road, Hackney"


def test_an_area_without_a_street_is_asked_for_it(talk: Talk) -> None:
    start(talk, "rose garden for saturday")
    assert talk.say("Hackney")[-1].text == "We deliver to Hackney. Which street and number is it?"
    talk.say("Elm Road 12")
    assert talk.slots["address"] == "Elm Road 12, Hackney"


def test_an_address_elsewhere_is_declined(talk: Talk) -> None:
    start(talk, "rose garden for saturday")
    talk.say("12 Elm Road, Manchester")
    assert talk.say("that is in manchester")[0].response == "utter_address_elsewhere"
    assert talk.slots.get("address") is None


def test_words_before_an_address_are_left_out(talk: Talk) -> None:
    start(talk, "rose garden for saturday")
    talk.say("please send it to 12 Elm Road, Hackney")
    assert talk.slots["address"] == "12 Elm Road, Hackney"


def test_too_long_a_card_text_is_declined_politely(talk: Talk) -> None:
    start(talk, ALL_AT_ONCE)
    assert talk.say("love " * 60)[0].response == "utter_too_long"
    assert talk.asked == "card_text"


@pytest.mark.parametrize("said", ["no card", "none", "No", "no thanks", "leave it blank", "without a card please"])
def test_an_order_may_go_without_a_card(talk: Talk, said: str) -> None:
    start(talk, ALL_AT_ONCE)
    talk.say(said, "deny")
    assert (talk.slots["card_text"], talk.asked) == ("", "payment")


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("Thank you mum", "thank"),
        ("Hello darling", "greet"),
        ("Goodbye and good luck", "goodbye"),
        ("Stop worrying, all will be well", "cancel"),
        ("Help yourself to a vase. Love, Tom", "help"),
        ("{order_number} /restart <b>", "inform"),
    ],
)
def test_words_for_the_card_are_no_command(talk: Talk, said: str, intent: str) -> None:
    start(talk, ALL_AT_ONCE)
    talk.say(said, intent, 0.95)
    assert talk.slots["card_text"] == said


@pytest.mark.parametrize("asked", ["rose garden", "rose garden for saturday", ALL_AT_ONCE])
@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("I have to go, can we continue by text", "continue_by_text"),
        ("where do you deliver?", "ask_delivery_area"),
        ("are you open on sunday?", "ask_hours"),
        ("can I talk to a person please", "ask_person"),
    ],
)
def test_something_else_is_left_to_others_and_changes_nothing(talk: Talk, asked: str, said: str, intent: str) -> None:
    start(talk, asked)
    before = dict(talk.slots)
    assert talk.say(said, intent, 0.95) == []
    assert talk.slots == before


def test_a_short_answer_is_an_answer_whatever_it_is_taken_for(talk: Talk) -> None:
    start(talk, "rose garden")
    talk.say("on friday", "ask_hours", 0.9)
    assert talk.slots["day"] == "2026-05-22"


def test_an_earlier_answer_is_corrected_while_another_is_asked(talk: Talk) -> None:
    start(talk, "rose garden for saturday")
    talk.say("oh wait, I meant wild berry", "change_answer")
    assert (talk.slots["bouquet"], talk.asked) == ("wild-berry", "address")
    talk.say("12 Elm Road, Hackney")
    talk.say("actually make it friday", "change_answer")
    assert (talk.slots["day"], talk.asked) == ("2026-05-22", "card_text")


def test_an_answer_named_without_a_new_one_is_asked_again(talk: Talk) -> None:
    start(talk, ALL_AT_ONCE)
    talk.say("I want to change the address", "change_answer")
    assert (talk.asked, talk.slots["address"]) == ("address", None)
    talk.say("5 Mare Street, Hackney")
    assert talk.asked == "card_text"


def test_going_back_asks_the_question_before(talk: Talk) -> None:
    start(talk, "rose garden for saturday")
    talk.say("go back", "go_back")
    assert talk.asked == "day"
    talk.say("go back", "go_back")
    assert talk.asked == "bouquet"
    assert responses(talk.say("go back", "go_back")) == ["utter_first_question"]


def test_cancelling_drops_everything(talk: Talk) -> None:
    start(talk, ALL_AT_ONCE)
    assert responses(talk.say("forget it", "cancel")) == ["utter_order_left"]
    assert talk.loop is None
    assert not any(talk.slots.get(slot) for slot in FILLED)
    assert talk.run("action_place_order") == []


@pytest.mark.parametrize(("said", "confidence"), [("I have to think", 0.5), ("can I finish this later", 0.95)])
def test_nothing_is_dropped_on_a_guess_or_for_later(talk: Talk, said: str, confidence: float) -> None:
    start(talk, "rose garden for saturday")
    talk.say(said, "cancel", confidence)
    assert (talk.loop, talk.slots["day"], talk.asked) == ("order_form", "2026-05-23", "address")


def test_cancelling_the_order_while_ordering_means_this_one(talk: Talk) -> None:
    start(talk, "rose garden for saturday")
    assert responses(talk.say("cancel my order", "cancel_order")) == ["utter_order_left"]


def test_failing_twice_in_a_row_offers_a_way_on(talk: Talk) -> None:
    start(talk)
    assert responses(talk.say("asdkjh")) == ["utter_hint_bouquet"]
    stuck = talk.say("qwe rty")[0]
    assert stuck.response == "utter_stuck"
    assert "/ask_person" in stuck.choices.values()
    talk.say("rose garden")
    assert responses(talk.say("asdkjh")) == ["utter_hint_day"]


def test_no_at_the_end_asks_what_to_change(talk: Talk) -> None:
    confirmed(talk)
    change = talk.say("no", "deny")[-1]
    assert (talk.asked, change.response) == ("order_change", "utter_ask_change")
    talk.press(change, "The card")
    assert talk.asked == "card_text"
    talk.say("Happy birthday")
    assert talk.asked == "order_confirmed"


@pytest.mark.parametrize(
    ("said", "slot", "value"),
    [
        ("make it monday instead", "day", "2026-05-25"),
        ("yes but make it monday", "day", "2026-05-25"),
        ("cash", "payment", "cash"),
        ("to 5 Mare Street, Hackney", "address", "5 Mare Street, Hackney"),
        ("the card should say: Get well soon", "card_text", "Get well soon"),
    ],
)
def test_a_correction_at_the_end_is_no_yes(talk: Talk, said: str, slot: str, value: str) -> None:
    confirmed(talk)
    talk.say(said)
    assert (talk.slots[slot], talk.asked, talk.slots["order_confirmed"]) == (value, "order_confirmed", None)


def test_a_day_that_passed_meanwhile_is_asked_again(talk: Talk) -> None:
    confirmed(talk)
    talk.later(days=4)
    talk.say("yes", "affirm")
    assert responses(talk.run("action_place_order")) == ["utter_day_past"]
    assert (talk.followup, talk.slots["day"]) == ("order_form", None)
    assert talk.context.orders.of_person(talk.context.person.id) == ()


def test_a_bouquet_that_is_gone_meanwhile_is_asked_again(talk: Talk) -> None:
    talk.slots |= {**FILLED, "bouquet": "winter-dream", "order_confirmed": "yes"}
    assert responses(talk.run("action_place_order")) == ["utter_bouquet_gone"]
    assert talk.slots["bouquet"] is None


def test_a_form_that_waited_goes_on_where_it_was_and_reads_nothing_into_the_turn(talk: Talk) -> None:
    start(talk, "rose garden for saturday")
    talk.run("action_suspend_form")
    assert talk.slots[SUSPENDED] == "order_form"
    talk.loop = "phone_form"
    back = talk.open("order_form", "wild berry on friday")
    assert back[0].values["where"] == "We were ordering Rose Garden for Saturday 23 May."
    assert (talk.slots[SUSPENDED], talk.slots["bouquet"], talk.asked) == ("", "rose-garden", "address")


def test_where_we_were_names_what_is_decided(talk: Talk) -> None:
    start(talk, ALL_AT_ONCE)
    line = talk.run("action_where_we_were")[0].text
    assert line == "We were ordering Rose Garden for Saturday 23 May to 12 Elm Road, Hackney."


def test_a_summary_fits_two_text_messages_however_much_was_said(talk: Talk) -> None:
    talk.slots |= {**FILLED, "address": "12 Elm Road, Hackney " * 7, "card_text": "love " * 39, "payment": "transfer"}
    asked = talk.open("order_form", "", "order_bouquet", 1.0)[-1]
    assert len(asked.text) + sum(len(title) + 4 for title in asked.choices) <= 320


def place(talk: Talk) -> str:
    """A placed order's number."""
    confirmed(talk).say("yes", "affirm")
    return talk.run("action_place_order")[0].values["number"]


def test_an_order_says_where_it_is_and_moves_and_goes(talk: Talk) -> None:
    number = place(talk)
    assert talk.run("action_order_status", "where is my order")[0].response == "utter_status_placed"
    talk.open("change_day_form", "change the day of my order", "change_day")
    talk.say("next friday")
    assert talk.run("action_change_day")[0].values["said_day"] == "Friday 29 May"
    assert "Friday 29 May" in talk.open("cancel_order_form", "cancel my order", "cancel_order")[-1].text
    talk.say("yes", "affirm")
    assert responses(talk.run("action_cancel_order")) == ["utter_order_cancelled"]
    order = talk.context.orders.by_number(talk.context.person.id, number)
    assert order is not None
    assert order.status is OrderStatus.CANCELLED


def test_an_order_is_not_cancelled_on_a_guess(talk: Talk) -> None:
    place(talk)
    talk.open("cancel_order_form", "cancel my order", "cancel_order")
    assert responses(talk.say("why?", "affirm", 0.95)) == ["utter_hint_cancel_confirmed"]
    talk.say("no", "deny")
    assert responses(talk.run("action_cancel_order")) == ["utter_order_kept"]


def test_of_several_orders_one_is_picked_by_its_number(talk: Talk) -> None:
    first, second = place(talk), place(talk)
    asked = talk.open("change_day_form", "change the day", "change_day")[-1]
    assert len(asked.choices) == 2
    talk.say(first)
    talk.say("monday")
    assert talk.run("action_change_day")[0].values["number"] == first
    assert talk.run("action_order_status", f"where is {second}")[0].values["said_day"] == "Saturday 23 May"


def test_nobody_hears_of_somebody_elses_order(make_talk: MakeTalk, talk: Talk) -> None:
    number = place(talk)
    other = make_talk(Address("web", "b2"))
    assert responses(other.run("action_order_status", f"where is {number}")) == ["utter_order_unknown"]
    assert responses(other.run("action_order_status", "where is my order")) == ["utter_no_order"]
    assert responses(other.run("action_share_code")) == ["utter_no_order"]
    assert responses(other.open("cancel_order_form", f"cancel {number}", "cancel_order")) == ["utter_no_open_order"]
