"""Proving a number and going on there, names, what we know, being forgotten."""

import re
from dataclasses import replace

import pytest

from actions.hearing import SUSPENDED
from assistant.codes import SENDS_PER_HOUR_FROM_ORIGIN, SENDS_PER_QUARTER_HOUR
from assistant.needs import Below
from assistant.profiles import Profiles
from assistant.turns import Address, Assurance, Modality
from tests.actions.conftest import MakeTalk, Said, Talk

PHONE = Address("phone", "+447700900123")


def responses(said: list[Said]) -> list[str]:
    return [message.response for message in said if message.response]


def code_sent(talk: Talk) -> str:
    """The code in the last text."""
    return (talk.outbox[-1].text or "")[:6]


def ask_for_code(talk: Talk, number: str = "07700 900123") -> str:
    """At the question for the code; the code."""
    talk.open("phone_form", "can we do this by text", "continue_by_text")
    talk.say(number)
    assert talk.asked == "phone_code"
    return code_sent(talk)


def test_a_number_is_asked_for_and_gets_a_code_that_says_what_it_is_for(talk: Talk) -> None:
    code = ask_for_code(talk)
    (text,) = talk.outbox
    assert (text.kind, text.value, text.secret) == ("phone", "+447700900123", True)
    assert text.text == f"{code} is your Fiore code to continue your chat by text. Do not read it to anyone."
    assert re.fullmatch(r"\d{6}", code)


def test_the_right_code_proves_the_number(talk: Talk) -> None:
    talk.say(f"it is {ask_for_code(talk)}")
    assert talk.loop is None
    assert talk.context.person.phone == PHONE
    assert responses(talk.run("action_continue_by_text")) == ["utter_go_on_by_text"]


def test_an_order_that_was_open_goes_on_and_its_question_waits_on_the_phone(talk: Talk) -> None:
    talk.open("order_form", "rose garden for saturday", "order_bouquet")
    talk.run("action_suspend_form")
    code = ask_for_code(talk)
    talk.say(code)
    talk.run("action_continue_by_text")
    assert talk.followup == "order_form"
    assert talk.outbox[-1].text == (
        "Fiore: we can go on here. We were ordering Rose Garden for Saturday 23 May. Which address should it go to?"
    )
    back = talk.open("order_form", code)
    assert (responses(back), talk.asked, talk.slots[SUSPENDED]) == (["utter_back"], "address", "")


def test_neither_the_code_nor_a_proof_stays_in_the_slots(talk: Talk) -> None:
    code = ask_for_code(talk)
    talk.say(code)
    assert code not in str(talk.slots)
    talk.run("action_continue_by_text")
    assert (talk.slots["phone_number"], talk.slots["phone_code"]) == (None, None)


def test_a_number_said_with_the_wish_is_not_asked_for(talk: Talk) -> None:
    talk.open("phone_form", "text me on 07700 900123", "continue_by_text")
    assert talk.asked == "phone_code"


def test_a_wrong_code_can_be_tried_again(talk: Talk) -> None:
    code = ask_for_code(talk)
    wrong = "000000" if code != "000000" else "111111"
    assert responses(talk.say(wrong)) == ["utter_code_wrong"]
    assert talk.context.person.phone is None
    talk.say(code)
    assert talk.context.person.phone == PHONE


def test_after_too_many_wrong_tries_a_new_code_is_needed(talk: Talk) -> None:
    code = ask_for_code(talk)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(4):
        assert responses(talk.say(wrong)) == ["utter_code_wrong"]
    assert responses(talk.say(wrong)) == ["utter_code_dead"]
    assert responses(talk.say(code)) == ["utter_code_dead"]
    talk.say("send a new code")
    talk.say(code_sent(talk))
    assert talk.context.person.phone == PHONE


def test_after_ten_wrong_tries_in_a_day_it_ends(talk: Talk) -> None:
    ask_for_code(talk)
    for _ in range(2):
        for _ in range(5):
            talk.say("000000" if code_sent(talk) != "000000" else "111111")
            talk.unit.commit()
        talk.say("send a new code")
        talk.unit.commit()
    assert responses(talk.say(code_sent(talk))) == ["utter_code_locked"]
    assert (talk.loop, talk.context.person.phone) == (None, None)


@pytest.mark.parametrize("said", ["I didn't get it", "send a new code please", "nothing came", "resend"])
def test_a_code_that_did_not_come_is_sent_again(talk: Talk, said: str) -> None:
    first = ask_for_code(talk)
    assert responses(talk.say(said, "repeat")) == ["utter_code_sent"]
    assert len(talk.outbox) == 2
    talk.say(code_sent(talk))
    assert talk.context.person.phone == PHONE
    assert first in (talk.outbox[0].text or "")


def test_another_number_gets_a_code_of_its_own(talk: Talk) -> None:
    ask_for_code(talk, "07700 900999")
    talk.say("sorry, it is 07700 900123")
    assert talk.outbox[-1].value == "+447700900123"
    talk.say(code_sent(talk))
    assert talk.context.person.phone == PHONE


def test_a_number_can_be_taken_back(talk: Talk) -> None:
    ask_for_code(talk)
    talk.say("that is the wrong number", "change_answer")
    assert talk.asked == "phone_number"


def test_too_many_codes_are_not_sent(talk: Talk) -> None:
    ask_for_code(talk)
    for _ in range(SENDS_PER_QUARTER_HOUR):
        talk.unit.commit()
        said = talk.say("send a new code")
    assert responses(said) == ["utter_code_limit"]
    assert (talk.loop, len(talk.outbox)) == (None, SENDS_PER_QUARTER_HOUR)


def test_too_many_codes_are_not_sent_from_one_place_on_the_network(make_talk: MakeTalk) -> None:
    for number in range(SENDS_PER_HOUR_FROM_ORIGIN + 1):
        talk = make_talk(Address("web", f"b{number}"))
        talk.context.turn = replace(talk.context.turn, origin="203.0.113.9")
        talk.open("phone_form", "by text please", "continue_by_text")
        said = talk.say(f"07700 90012{number}")
        talk.unit.commit()
    assert responses(said) == ["utter_code_limit"]
    assert len(talk.outbox) == SENDS_PER_HOUR_FROM_ORIGIN


def test_a_known_number_is_answered_like_an_unknown_one(make_talk: MakeTalk) -> None:
    unknown = make_talk(Address("web", "b1"))
    unknown.open("phone_form", "by text please", "continue_by_text")
    to_nobody = unknown.say("07700 900555")
    known = make_talk(Address("web", "b2"))
    owner = known.context.profiles.find_or_create(PHONE, Assurance.CLAIMED)
    known.context.profiles.link(owner.id, PHONE, "sms code")
    known.open("phone_form", "by text please", "continue_by_text")
    to_somebody = known.say("07700 900123")
    assert responses(to_nobody) == responses(to_somebody) == ["utter_code_sent"]
    assert [message.text for message in to_nobody] == [message.text for message in to_somebody]


def test_proving_the_number_of_a_known_person_makes_both_one(make_talk: MakeTalk) -> None:
    talk = make_talk()
    profiles = talk.context.profiles
    owner = profiles.find_or_create(PHONE, Assurance.CLAIMED)
    profiles.link(owner.id, PHONE, "sms code")
    talk.say(ask_for_code(talk))
    assert (talk.context.person.id, talk.context.merged) == (owner.id, True)


def test_a_second_number_is_told_to_the_first(talk: Talk) -> None:
    talk.say(ask_for_code(talk))
    talk.run("action_continue_by_text")
    talk.later(minutes=1)
    talk.open("phone_form", "text me on 07700 900999", "continue_by_text")
    talk.say(code_sent(talk))
    told = [row.text or "" for row in talk.outbox if row.value == PHONE.value and "connected" in (row.text or "")]
    assert [text.split(".")[0] for text in told] == ["Fiore: a new phone number was connected to your profile"]


def test_two_proved_people_are_not_made_one(make_talk: MakeTalk) -> None:
    talk = make_talk()
    profiles = talk.context.profiles
    owner = profiles.find_or_create(PHONE, Assurance.CLAIMED)
    profiles.link(owner.id, PHONE, "sms code")
    talk.context.link(Address("phone", "+447700900999"), "sms code")
    talk.open("phone_form", "text me on 07700 900123", "continue_by_text")
    assert responses(talk.say(code_sent(talk))) == ["utter_link_refused"]
    assert talk.run("action_continue_by_text") == []


def test_a_landline_is_declined(talk: Talk) -> None:
    talk.open("phone_form", "by text", "continue_by_text")
    assert responses(talk.say("020 7946 0018")) == ["utter_phone_landline"]
    assert talk.outbox == []


def test_without_texting_it_says_so(make_talk: MakeTalk) -> None:
    talk = make_talk(texting=False)
    assert responses(talk.open("phone_form", "by text", "continue_by_text")) == ["utter_texting_off"]
    assert talk.loop is None


def test_who_writes_on_whatsapp_can_prove_a_phone_there(make_talk: MakeTalk) -> None:
    whatsapp = Address("whatsapp", "+447700900124")
    talk = make_talk(whatsapp, Modality.TEXT, channel="sms", assurance=Assurance.CLAIMED)
    talk.say(ask_for_code(talk))
    known = {known.address: known.proven_at is not None for known in talk.context.person.addresses}
    assert known == {PHONE: True, whatsapp: False}


def test_who_writes_by_text_is_told_so(make_talk: MakeTalk) -> None:
    talk = make_talk(PHONE, Modality.TEXT)
    assert responses(talk.open("phone_form", "by text", "continue_by_text")) == ["utter_already_by_text"]


def test_a_proved_number_needs_no_code_again(talk: Talk) -> None:
    talk.say(ask_for_code(talk))
    talk.run("action_continue_by_text")
    talk.open("phone_form", "continue by text", "continue_by_text")
    assert talk.loop is None
    assert responses(talk.run("action_continue_by_text")) == ["utter_go_on_by_text"]
    assert talk.outbox[-1].text == "Fiore: we can go on here. Just answer this message."


def test_leaving_the_proof_goes_on_with_the_order(talk: Talk) -> None:
    talk.open("order_form", "rose garden", "order_bouquet")
    talk.run("action_suspend_form")
    ask_for_code(talk)
    assert responses(talk.say("never mind", "cancel")) == ["utter_phone_left"]
    talk.run("action_continue_by_text")
    assert (talk.followup, talk.slots["bouquet"]) == ("order_form", "rose-garden")


def test_a_name_is_kept(talk: Talk) -> None:
    assert talk.run("action_tell_name", "my name is ana", "tell_name")[0].values["said_name"] == "Ana"
    assert Profiles(talk.unit, talk.context.now).get(talk.context.person.id).name == "Ana"
    assert responses(talk.run("action_tell_name", "I have a name", "tell_name")) == ["utter_hint_name"]


def test_what_is_known_is_told_with_the_number_masked(talk: Talk) -> None:
    talk.say(ask_for_code(talk))
    known = talk.run("action_what_you_know")[0].text
    assert "the number ending 123" in known
    assert "7700" not in known
    assert "b1" not in known


def test_a_proved_person_needs_more_for_what_cannot_be_taken_back(talk: Talk) -> None:
    talk.context.link(PHONE, "sms code")
    with pytest.raises(Below) as below:
        talk.open("forget_form", "forget me", "forget_me")
    assert below.value.by_proof
    talk.context.link(PHONE, "sms code")  # a second time, within ten minutes
    assert "This cannot be undone" in talk.open("forget_form", "forget me", "forget_me")[-1].text


def test_forgetting_is_explained_and_confirmed(talk: Talk) -> None:
    assert "This cannot be undone" in talk.open("forget_form", "forget me", "forget_me")[-1].text
    talk.say("yes", "affirm")
    assert responses(talk.run("action_forget")) == ["utter_forgotten"]
    assert talk.context.forgotten


@pytest.mark.parametrize(("said", "intent"), [("why?", "affirm"), ("rose garden", "inform"), ("no", "deny")])
def test_nobody_is_forgotten_without_a_plain_yes(talk: Talk, said: str, intent: str) -> None:
    talk.open("forget_form", "forget me", "forget_me")
    talk.say(said, intent, 0.95)
    talk.run("action_forget")
    assert not talk.context.forgotten


def test_slots_alone_prove_nothing(talk: Talk) -> None:
    talk.slots |= {"phone_number": "+447700900123", "phone_code": "proven"}
    assert talk.run("action_continue_by_text") == []
    assert talk.outbox == []
