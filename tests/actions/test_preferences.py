"""When somebody wants no messages, and in which language; what is told about it."""

import pytest

from actions.hearing import SUSPENDED
from assistant.needs import Below
from assistant.profiles import Person, Profiles
from assistant.quiet import QuietHours
from assistant.turns import Address
from tests.actions.conftest import Said, Talk, on_voice

PHONE = Address("phone", "+447700900123")
NIGHT = QuietHours(21 * 60, 8 * 60)


def responses(said: list[Said]) -> list[str]:
    return [message.response for message in said if message.response]


def stored(talk: Talk) -> Person:
    talk.context.person = Profiles(talk.unit, talk.context.now).get(talk.context.person.id)
    return talk.context.person


def prove(talk: Talk, address: Address = PHONE) -> None:
    profiles = talk.context.profiles
    _, talk.context.person = profiles.link(talk.context.person.id, address, "sms code")
    talk.context.person = profiles.vouch(talk.context.person.id, talk.context.turn.address, "sms code")


def test_hours_that_were_said_are_kept_without_asking(talk: Talk) -> None:
    assert talk.open("quiet_form", "don't text me after 9 pm", "set_quiet_hours") == []
    (said,) = talk.run("action_set_quiet")
    assert (said.response, said.values) == ("utter_quiet_set", {"hours": "9 pm to 8 am, London time"})
    assert stored(talk).quiet == NIGHT
    assert talk.slots["quiet_hours"] is None


def test_vague_hours_are_asked_for_once_with_choices(talk: Talk) -> None:
    (asked,) = talk.open("quiet_form", "don't text me at night", "set_quiet_hours")
    assert (asked.response, talk.asked) == ("utter_ask_quiet_hours", "quiet_hours")
    talk.press(asked, "10 pm to 7 am")
    talk.run("action_set_quiet")
    assert stored(talk).quiet == QuietHours(22 * 60, 7 * 60)


@pytest.mark.parametrize(("said", "intent"), [("23:00 to 6", "inform"), ("between 11 pm and 6", "ask_hours")])
def test_hours_are_an_answer_whatever_they_are_taken_for(talk: Talk, said: str, intent: str) -> None:
    talk.open("quiet_form", "quiet hours", "set_quiet_hours")
    talk.say(said, intent)
    talk.run("action_set_quiet")
    assert stored(talk).quiet == QuietHours(23 * 60, 6 * 60)


def test_days_are_not_kept_and_that_is_said(talk: Talk) -> None:
    said = talk.open("quiet_form", "no texts on sundays", "set_quiet_hours")
    assert responses(said) == ["utter_quiet_every_day", "utter_ask_quiet_hours"]


def test_what_is_no_time_gets_a_hint(talk: Talk) -> None:
    talk.open("quiet_form", "quiet hours", "set_quiet_hours")
    assert responses(talk.say("in the moonlight")) == ["utter_hint_quiet_hours", "utter_ask_quiet_hours"]


def test_quiet_hours_are_taken_back(talk: Talk) -> None:
    talk.context.profiles.set_quiet(talk.context.person.id, NIGHT)
    talk.open("quiet_form", "you can text me any time again", "set_quiet_hours")
    assert responses(talk.run("action_set_quiet")) == ["utter_quiet_over"]
    assert stored(talk).quiet is None


def test_leaving_changes_nothing_and_goes_on_with_the_order(talk: Talk) -> None:
    talk.context.profiles.set_quiet(talk.context.person.id, NIGHT)
    talk.open("order_form", "rose garden", "order_bouquet")
    talk.run("action_suspend_form")
    talk.open("quiet_form", "change my quiet hours", "set_quiet_hours")
    assert talk.slots[SUSPENDED] == "order_form"
    assert responses(talk.say("never mind", "cancel")) == ["utter_preference_left"]
    assert talk.run("action_set_quiet") == []
    assert talk.followup == "order_form"
    assert stored(talk).quiet == NIGHT


def test_a_voice_that_is_not_proved_changes_and_hears_nothing(talk: Talk) -> None:
    on_voice(talk)
    for action in ("action_set_quiet", "action_my_preferences"):
        with pytest.raises(Below):
            talk.run(action)


@pytest.mark.parametrize(
    ("said", "response", "language"),
    [
        ("do you speak spanish", "utter_language_kept", "es"),
        ("english please", "utter_language_spoken", "en"),
        ("which languages do you speak", "utter_change_language", None),
    ],
)
def test_a_language_is_kept_and_what_is_spoken_is_said(
    talk: Talk, said: str, response: str, language: str | None
) -> None:
    assert responses(talk.run("action_change_language", said, "change_language")) == [response]
    assert stored(talk).language == language


def test_the_language_is_named_in_the_answer(talk: Talk) -> None:
    (said,) = talk.run("action_change_language", "en français", "change_language")
    assert said.values == {"said_language": "French"}


def test_everything_that_is_preferred_is_told(talk: Talk) -> None:
    prove(talk)
    talk.context.profiles.set_quiet(talk.context.person.id, NIGHT)
    talk.context.profiles.set_language(talk.context.person.id, "fr")
    talk.context.profiles.set_reach(talk.context.person.id, "phone")
    stored(talk)
    (said,) = talk.run("action_my_preferences")
    assert said.text == (
        "I write to you by text to the number ending 123. I send you nothing unasked from 9 pm to 8 am, London time. "
        "You would like French; so far I only speak English."
    )
    known = talk.run("action_what_you_know")[0].text
    for wish in ("You prefer text messages.", "9 pm to 8 am, London time.", "You would like French"):
        assert wish in known


def test_who_prefers_nothing_is_told_what_happens_then(talk: Talk) -> None:
    (said,) = talk.run("action_my_preferences")
    assert said.text == (
        "I have no proven number of yours, so I only answer where you talk to me. I may write to you at any time."
    )
    assert list(said.choices) == ["Change quiet hours", "Write to me on WhatsApp"]
    assert "You prefer" not in talk.run("action_what_you_know")[0].text
