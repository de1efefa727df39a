"""Where somebody wants messages: only where they have proved to be."""

import pytest

from actions.reach import reach_in
from assistant.outbox import OptOutRow
from assistant.profiles import Profiles
from assistant.turns import Address, Assurance, Modality
from tests.actions.conftest import NOW, MakeTalk, Said, Talk
from tests.actions.test_preferences import PHONE, prove, responses, stored

WHATSAPP = Address("whatsapp", PHONE.value)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("text me on WhatsApp instead", "whatsapp"),
        ("use whats app for messages", "whatsapp"),
        ("use whatsapp rather than texting", "whatsapp"),
        ("don't send sms, i have whatsapp", "whatsapp"),
        ("i don’t want texts any more", "whatsapp"),
        ("use my phone for messages", "phone"),
        ("use sms, not whatsapp", "phone"),
        ("no whatsapp please", "phone"),
        ("no, text me on my phone", "phone"),
        ("i do not have whatsapp", "phone"),
        ("text me instead of using whatsapp", "phone"),
        ("change how you contact me", None),
        ("email me instead", None),
    ],
)
def test_the_way_that_is_wanted_is_found(said: str, kind: str | None) -> None:
    assert reach_in(said) == kind


def reach(talk: Talk, said: str) -> list[Said]:
    return talk.run("action_set_reach", said, "set_reach")


def test_a_proved_number_is_preferred_at_once(talk: Talk) -> None:
    prove(talk)
    (said,) = reach(talk, "use my phone for messages")
    assert (said.response, said.values) == ("utter_reach_set", {"where": "by text to the number ending 123"})
    assert stored(talk).reach == "phone"


def test_proved_whatsapp_is_preferred_at_once(talk: Talk) -> None:
    prove(talk)
    prove(talk, WHATSAPP)
    (said,) = reach(talk, "message me on whatsapp")
    assert said.values == {"where": "on WhatsApp, at the number ending 123"}
    assert stored(talk).reach == "whatsapp"


def test_where_they_said_stop_they_are_told_how_to_start(talk: Talk) -> None:
    prove(talk)
    talk.unit.add(OptOutRow(kind=PHONE.kind, value=PHONE.value, at=NOW))
    assert responses(reach(talk, "use my phone for messages")) == ["utter_reach_stopped"]
    assert "Text us START" in talk.run("action_my_preferences")[0].text


def test_without_a_proved_phone_one_is_connected_first(talk: Talk) -> None:
    (said,) = reach(talk, "text me on my phone")
    assert (said.response, list(said.choices)) == ("utter_no_phone", ["Connect my phone"])
    assert stored(talk).reach is None


def test_an_unclear_way_is_asked_for(talk: Talk) -> None:
    (said,) = reach(talk, "email me instead")
    assert said.choices == {
        "Text messages": '/set_reach{"reach": "phone"}',
        "WhatsApp": '/set_reach{"reach": "whatsapp"}',
    }


def connect(talk: Talk, said: str = "text me on whatsapp") -> str:
    """At the question for the code that came on WhatsApp; the code."""
    assert reach(talk, said) == []
    assert talk.followup == "whatsapp_form"
    talk.open("whatsapp_form", said, "set_reach")
    return (talk.outbox[-1].text or "")[:6]


def test_whatsapp_is_proved_by_a_code_that_is_sent_there_and_then_preferred(talk: Talk) -> None:
    prove(talk)
    code = connect(talk)
    assert [(row.kind, row.value, row.secret) for row in talk.outbox] == [("whatsapp", PHONE.value, True)]
    assert talk.asked == "phone_code"
    talk.say(code)
    assert responses(talk.run("action_connect_whatsapp")) == ["utter_reach_set"]
    person = stored(talk)
    assert person.reach == "whatsapp"
    assert [known.assurance for known in person.addresses if known.address == WHATSAPP] == [Assurance.PROVEN]


def test_a_new_code_goes_to_whatsapp_too(talk: Talk) -> None:
    prove(talk)
    connect(talk)
    assert responses(talk.say("send a new code", "repeat"))[0] == "utter_code_sent"
    assert [row.kind for row in talk.outbox] == ["whatsapp", "whatsapp"]


def test_the_number_is_asked_for_where_none_is_known(talk: Talk) -> None:
    talk.open("whatsapp_form", "text me on whatsapp", "set_reach")
    assert (talk.asked, talk.outbox) == ("phone_number", [])
    talk.say("07700 900123")
    talk.say((talk.outbox[-1].text or "")[:6])
    assert responses(talk.run("action_connect_whatsapp")) == ["utter_reach_set"]


def test_who_writes_on_whatsapp_proves_that_number(make_talk: MakeTalk) -> None:
    talk = make_talk(WHATSAPP, Modality.TEXT, channel="sms", assurance=Assurance.CLAIMED)
    talk.say(connect(talk))
    talk.run("action_connect_whatsapp")
    assert stored(talk).reach == "whatsapp"


def test_somebody_elses_whatsapp_is_not_taken(make_talk: MakeTalk) -> None:
    talk = make_talk()
    prove(talk)
    profiles = Profiles(talk.unit, NOW)
    profiles.link(profiles.find_or_create(WHATSAPP, Assurance.CLAIMED).id, WHATSAPP, "whatsapp code")
    code = connect(talk)
    assert responses(talk.say(code)) == ["utter_link_refused"]
    assert talk.run("action_connect_whatsapp") == []
    assert stored(talk).reach is None


def test_slots_alone_prefer_nothing(talk: Talk) -> None:
    talk.slots |= {"phone_number": PHONE.value, "phone_code": "proven"}
    assert talk.run("action_connect_whatsapp") == []
    assert stored(talk).reach is None


def test_without_texting_no_code_can_be_sent(make_talk: MakeTalk) -> None:
    talk = make_talk(texting=False)
    assert responses(talk.open("whatsapp_form", "text me on whatsapp", "set_reach")) == ["utter_texting_off"]
