"""What proofs are worth, where, and for how long."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from assistant.assurance import ALOUD, CARRIED, FRESH, PROOFS_KEPT, SIGNED_IN, Presences, ProofRow, Proofs
from assistant.database import Database, UnitOfWork
from assistant.profiles import Person, Profiles
from assistant.turns import Address, Assurance, Modality, Turn, TurnKind
from tests.assistant.conftest import Clock

PAGE = Address("web", "b" * 64)
PHONE = Address("phone", "+447700900123")
SPEAKER = Address("wyoming", "kitchen")


@pytest.fixture
def unit(database: Database) -> Iterator[UnitOfWork]:
    with database.unit_of_work() as unit:
        yield unit


def a_turn(clock: Clock, address: Address = PAGE, modality: Modality = Modality.SCREEN) -> Turn:
    return Turn("web", address, "t1", TurnKind.SAID, "hello", modality, Assurance.ANONYMOUS, clock())


def proved(unit: UnitOfWork, clock: Clock, address: Address = PAGE) -> Person:
    """Somebody who has just proved a number from this address."""
    profiles = Profiles(unit, clock())
    person = profiles.find_or_create(address, Assurance.ANONYMOUS)
    _, person = profiles.link(person.id, PHONE, "sms code")
    Proofs(unit, clock()).add(person.id, address, "sms code")
    return profiles.vouch(person.id, address, "sms code")


def sure(unit: UnitOfWork, clock: Clock, person: Person, turn: Turn) -> Assurance:
    return Proofs(unit, clock()).assurance(turn, person)


def test_a_page_that_proved_something_is_proven_from_then_on(unit: UnitOfWork, clock: Clock) -> None:
    person = proved(unit, clock)
    clock.forward(days=20)
    assert sure(unit, clock, person, a_turn(clock)) is Assurance.PROVEN


def test_another_page_of_the_same_person_is_not(unit: UnitOfWork, clock: Clock) -> None:
    person = proved(unit, clock)
    assert sure(unit, clock, person, a_turn(clock, Address("web", "c" * 64))) is Assurance.ANONYMOUS


def test_two_proofs_are_strong_for_ten_minutes_after_the_second(unit: UnitOfWork, clock: Clock) -> None:
    person = proved(unit, clock)
    clock.forward(days=3)
    Proofs(unit, clock()).add(person.id, PAGE, "sms code")
    clock.forward(seconds=FRESH.total_seconds())
    assert sure(unit, clock, person, a_turn(clock)) is Assurance.STRONG
    clock.forward(seconds=1)
    assert sure(unit, clock, person, a_turn(clock)) is Assurance.PROVEN


@pytest.mark.parametrize("method", sorted(CARRIED))
def test_what_was_carried_over_twice_is_no_second_proof(unit: UnitOfWork, clock: Clock, method: str) -> None:
    person = proved(unit, clock)
    clock.forward(days=1)
    for _ in range(PROOFS_KEPT):
        Proofs(unit, clock()).add(person.id, PAGE, method)
    assert sure(unit, clock, person, a_turn(clock)) is Assurance.PROVEN
    Proofs(unit, clock()).add(person.id, PAGE, "sms code")
    assert sure(unit, clock, person, a_turn(clock)) is Assurance.STRONG


def test_proofs_of_somebody_else_at_the_same_page_count_for_nothing(unit: UnitOfWork, clock: Clock) -> None:
    person = proved(unit, clock)
    for _ in range(PROOFS_KEPT):
        Proofs(unit, clock()).add("somebody else", PAGE, "sms code")
    assert sure(unit, clock, person, a_turn(clock)) is Assurance.PROVEN


def test_only_the_latest_proofs_of_an_address_are_kept(unit: UnitOfWork, clock: Clock) -> None:
    for number in range(5):
        clock.forward(minutes=1)
        Proofs(unit, clock()).add("ana", PAGE, f"proof {number}")
    assert {row.method for row in unit.rows(ProofRow)} == {"proof 3", "proof 4"}


def test_a_sign_in_is_strong_for_a_working_day(unit: UnitOfWork, clock: Clock) -> None:
    profiles = Profiles(unit, clock())
    person = profiles.find_or_create(PAGE, Assurance.ANONYMOUS)
    profiles.link(person.id, Address("oidc", "x|kim"), "oidc sign-in")
    profiles.move_address(PAGE, PAGE, "oidc sign-in", Assurance.STRONG)
    person = profiles.get(person.id)
    clock.forward(seconds=SIGNED_IN.total_seconds())
    assert sure(unit, clock, person, a_turn(clock)) is Assurance.STRONG
    clock.forward(seconds=1)
    assert sure(unit, clock, person, a_turn(clock)) is Assurance.PROVEN
    person = Profiles(unit, clock()).vouch(person.id, PAGE, "sms code")  # a code does not begin the sign-in's time anew
    assert sure(unit, clock, person, a_turn(clock)) is Assurance.PROVEN


@pytest.mark.parametrize("shared", [False, True])
def test_a_voice_is_proven_only_while_the_one_who_proved_it_is_there(
    unit: UnitOfWork, clock: Clock, *, shared: bool
) -> None:
    address = SPEAKER if shared else PHONE
    person = proved(unit, clock, address)
    turn = replace(a_turn(clock, address, Modality.VOICE), shared=shared)
    assert sure(unit, clock, person, turn) is Assurance.ANONYMOUS
    Presences(unit, clock()).arrive(address, person.id)
    assert sure(unit, clock, person, turn) is Assurance.PROVEN
    clock.forward(seconds=ALOUD.total_seconds())
    assert sure(unit, clock, person, turn) is Assurance.ANONYMOUS


def test_a_proof_in_writing_is_none_aloud(unit: UnitOfWork, clock: Clock) -> None:
    person = proved(unit, clock, PHONE)
    for _ in range(PROOFS_KEPT):
        Proofs(unit, clock()).add(person.id, PHONE, "sms code")
    assert sure(unit, clock, person, a_turn(clock, PHONE, Modality.VOICE)) is Assurance.ANONYMOUS


def test_what_the_channel_vouches_for_counts(unit: UnitOfWork, clock: Clock) -> None:
    person = Profiles(unit, clock()).find_or_create(PAGE, Assurance.ANONYMOUS)
    turn = replace(a_turn(clock), assurance=Assurance.PROVEN)
    assert sure(unit, clock, person, turn) is Assurance.PROVEN


def test_who_comes_next_takes_the_place_of_who_was_there(unit: UnitOfWork, clock: Clock) -> None:
    presences = Presences(unit, clock())
    presences.arrive(SPEAKER, "ana")
    presences.arrive(SPEAKER, "ben")
    assert presences.speaker(SPEAKER) == "ben"
    presences.arrive(SPEAKER, "ana")
    assert presences.speaker(SPEAKER) == "ana"
    presences.leave(SPEAKER)
    assert presences.speaker(SPEAKER) is None


def test_whoever_speaks_stays(unit: UnitOfWork, clock: Clock) -> None:
    Presences(unit, clock()).arrive(SPEAKER, "ana")
    for _ in range(3):
        clock.forward(seconds=ALOUD.total_seconds() - 1)
        Presences(unit, clock()).stay(SPEAKER)
    assert Presences(unit, clock()).speaker(SPEAKER) == "ana"
    clock.forward(seconds=ALOUD.total_seconds())
    Presences(unit, clock()).stay(SPEAKER)
    assert Presences(unit, clock()).speaker(SPEAKER) is None


def test_being_forgotten_takes_proofs_and_presences_along(unit: UnitOfWork, clock: Clock) -> None:
    person = proved(unit, clock)
    Presences(unit, clock()).arrive(SPEAKER, person.id)
    Proofs(unit, clock()).forget(person.id)
    Presences(unit, clock()).forget(person.id)
    assert unit.rows(ProofRow) == []
    assert Presences(unit, clock()).speaker(SPEAKER) is None
