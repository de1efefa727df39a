"""The way up: where its codes go."""

import pytest

from assistant.turns import Address, Assurance, Modality
from tests.actions.conftest import MakeTalk

NUMBER = Address("phone", "+447700900123")
WHATSAPP = Address("whatsapp", "+447700900456")


@pytest.mark.parametrize("address", [NUMBER, WHATSAPP])
def test_codes_go_to_where_the_person_writes_from(make_talk: MakeTalk, address: Address) -> None:
    talk = make_talk(address, Modality.TEXT, assurance=Assurance.CLAIMED)
    talk.open("prove_form", "", "need_proof")
    talk.say("send me a new code")
    assert [Address(row.kind, row.value) for row in talk.outbox] == [address, address]


def test_a_page_of_somebody_proved_sends_to_their_number_and_to_no_other(make_talk: MakeTalk) -> None:
    talk = make_talk()
    talk.context.link(NUMBER, "sms code")
    talk.open("prove_form", "", "need_proof")
    (refused, *_) = talk.say("use 07700 900456 instead")
    assert refused.response == "utter_not_your_number"
    assert {row.value for row in talk.outbox if row.secret} == {NUMBER.value}


def test_without_texting_a_person_helps(make_talk: MakeTalk) -> None:
    talk = make_talk(texting=False)
    (refused,) = talk.open("prove_form", "", "need_proof")
    assert refused.response == "utter_prove_in_person"
    assert "Talk to a person" in refused.choices
    assert talk.loop is None


def test_who_only_ever_signed_in_signs_in_again(make_talk: MakeTalk) -> None:
    talk = make_talk()
    talk.context.link(Address("oidc", "x|kim"), "oidc sign-in")
    (refused,) = talk.open("prove_form", "", "need_proof")
    assert refused.response == "utter_prove_by_sign_in"
