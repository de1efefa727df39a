"""A number is somebody's for as long as they are seen there; after a silence in which it may have been given out again,
it is nobody's word any more."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.claims import GIVEN_OUT_AGAIN, Claims
from assistant.database import Database, new_id
from assistant.profiles import Profiles
from assistant.transcripts import Transcripts, TurnRecord
from assistant.turns import Address, Assurance, Modality, Reply, Turn, TurnKind

PROVED = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
PHONE, WEB = Address("phone", "+447700900123"), Address("web", "browser")


def turn(address: Address, at: datetime, channel: str) -> Turn:
    return Turn(channel, address, new_id(), TurnKind.SAID, "hello", Modality.TEXT, Assurance.CLAIMED, received_at=at)


def speak(
    database: Database, person_id: str, *days: float, last_at: Address = PHONE, outcome: str = "answered"
) -> None:
    """One conversation with a text so many days after the proof, each, and where it was at last."""
    with database.unit_of_work() as unit:
        conversation = None
        for day in days:
            at = PROVED + timedelta(days=day)
            transcripts = Transcripts(unit, at)
            said = turn(PHONE, at, "sms")
            conversation = conversation or transcripts.start(person_id, said)
            transcripts.append(conversation, said, Reply(()), TurnRecord(outcome), 1)
        if conversation is not None and last_at != PHONE:
            at = PROVED + timedelta(days=days[-1])
            Transcripts(unit, at).append(conversation, turn(last_at, at, "web"), Reply(()), TurnRecord("answered"), 1)
        unit.commit()


def holds(database: Database, person_id: str, after_days: float, address: Address = PHONE) -> bool:
    with database.unit_of_work() as unit:
        return Claims(unit, PROVED + timedelta(days=after_days)).holds(person_id, address, PROVED)


def test_a_number_may_be_somebody_elses_as_soon_as_carriers_may_give_it_out_again(database: Database) -> None:
    days = GIVEN_OUT_AGAIN.days
    assert [holds(database, "ana", after) for after in (0, days - 0.001, days)] == [True, True, False]


def test_what_is_not_a_number_is_not_given_out_again(database: Database) -> None:
    for address in (WEB, Address("oidc", "issuer|subject"), Address("alexa", "user")):
        assert holds(database, "ana", 10_000, address)


def test_each_text_from_the_number_carries_the_claim_on(database: Database) -> None:
    speak(database, "ana", 40)
    speak(database, "ana", 80, 81)
    assert [holds(database, "ana", after) for after in (90, 120, 126)] == [True, True, False]


def test_after_too_long_a_silence_a_text_may_be_somebody_elses(database: Database) -> None:
    speak(database, "ana", 60, 61, 62)
    assert not holds(database, "ana", 63)


@pytest.mark.parametrize("person", ["ana", "ben"])
def test_only_texts_of_the_person_count(database: Database, person: str) -> None:
    speak(database, person, 30)
    assert holds(database, "ana", 50) is (person == "ana")


def test_what_we_sent_and_what_came_from_elsewhere_are_no_signs_of_life(database: Database) -> None:
    speak(database, "ana", 30, outcome="pushed")
    speak(database, "ana", 31, last_at=WEB)
    assert not holds(database, "ana", 50)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=st.lists(st.integers(1, 70), max_size=6), rest=st.integers(0, 70))
def test_a_claim_holds_if_and_only_if_no_silence_was_too_long(database: Database, gaps: list[int], rest: int) -> None:
    person, days = new_id(), [sum(gaps[: index + 1]) for index in range(len(gaps))]
    speak(database, person, *days)
    assert holds(database, person, sum(gaps) + rest) is all(gap < GIVEN_OUT_AGAIN.days for gap in (*gaps, rest))


def test_a_number_that_may_be_somebody_elses_is_not_the_persons_phone(database: Database) -> None:
    with database.unit_of_work() as unit:
        profiles = Profiles(unit, PROVED)
        person = profiles.find_or_create(WEB, Assurance.ANONYMOUS)
        _, person = profiles.link(person.id, PHONE, "sms code")
        unit.commit()
        later = Profiles(unit, PROVED + GIVEN_OUT_AGAIN).get(person.id)
    assert (person.phone, later.phone) == (PHONE, None)
    assert [known.holds for known in later.addresses if known.address == PHONE] == [False]
