"""Numbers that change hands, and numbers that somebody only says are theirs, through the whole core."""

import asyncio
from datetime import timedelta

import pytest

from assistant.claims import GIVEN_OUT_AGAIN
from assistant.profiles import Profiles
from assistant.turns import Address, TurnKind
from tests.story.test_proving import OTHER, PHONE, Town, aloud, database, dialogue, town  # noqa: F401  # fixtures

GONE = GIVEN_OUT_AGAIN + timedelta(days=1)
ASKED = ("where is my order?", "what do you know about me?", "where were we?", "cancel my order")


@pytest.mark.parametrize("has_proof", [False, True], ids=["texted", "proved"])
def test_who_gets_a_number_that_was_given_up_hears_nothing_of_who_had_it(town: Town, has_proof: bool) -> None:  # noqa: F811
    old = town.texts()
    if has_proof:
        page = town.page("old")
        town.prove(page)
    number = town.order(old)
    old.say("my name is Canary")
    town.clock.forward(GONE)
    new = town.texts()
    answers = [new.say(text) for text in ASKED]
    assert not any(secret in answer for answer in answers for secret in (number, "Canary", "Elm"))
    other = town.page("new")
    town.prove(other)
    answers = [other.say(text) for text in ASKED]
    assert not any(secret in answer for answer in answers for secret in (number, "Canary", "Elm"))


def test_who_had_it_keeps_what_was_theirs(town: Town) -> None:  # noqa: F811
    page = town.page("old")
    town.prove(page)
    number = town.order(page)
    town.clock.forward(GONE)
    town.prove(town.page("new"))
    with town.database.unit_of_work() as unit:
        owner = Profiles(unit, town.clock()).find(page.address)
    assert owner is not None
    assert owner.phone is None
    assert number in page.say("where is my order?")


@pytest.mark.parametrize("victim", ["texted", "called"])
def test_a_forged_caller_who_proves_a_number_of_their_own_hears_nothing_of_whose_it_is(
    town: Town,  # noqa: F811
    victim: str,
) -> None:
    theirs, forger = (town.texts() if victim == "texted" else town.call()), town.call()
    theirs.say("", TurnKind.OPENED)
    number = town.order(theirs)
    theirs.say("I'd like the rose garden for saturday")
    theirs.say("7 Canary Lane, Hackney E8 1AA")
    if victim == "called":  # nothing else would tell the two calls apart
        forger.say("", TurnKind.OPENED)
    forger.say("can we continue by text?")
    forger.say(OTHER.value)
    forger.say(aloud(town.code(OTHER)))
    heard = [forger.say(text) for text in ASKED]
    texter = town.texts(OTHER)
    read = [texter.say(text) for text in ASKED]
    said = [exchange.text for exchange in asyncio.run(town.core.history(OTHER))]
    assert set(ASKED) <= set(said)
    assert not any(secret in text for text in (*heard, *read, *said) for secret in (number, "Elm", "Canary"))
    assert number in town.texts().say("where is my order?")


def test_a_caller_goes_on_by_text_on_another_number_with_what_they_had_begun(town: Town) -> None:  # noqa: F811
    call = town.call(Address("phone", "+442079460018"))
    call.say("", TurnKind.OPENED)
    call.say("I'd like the rose garden for saturday")
    call.say("can we continue by text?")
    call.say(OTHER.value)
    call.say(aloud(town.code(OTHER)))
    texter = town.texts(OTHER)
    texter.say("12 Elm Road, Hackney E8 1AA")
    texter.say("no card")
    texter.say("cash")
    assert "F-" in texter.say("yes")
