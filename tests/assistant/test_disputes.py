"""Two people whom the machine would not make one: they are put before staff, once, for as long as it is open."""

from datetime import timedelta

import pytest

from assistant.database import Database, UnitOfWork, new_id
from assistant.disputes import Dispute, Disputes
from assistant.errors import MergeRefused
from assistant.forgetting import forget
from assistant.journal import STAFF, JournalRow
from assistant.profiles import LinkOutcome, Profiles
from assistant.transcripts import ConversationRow
from assistant.turns import Address, Assurance
from tests.assistant.somebody import BEGIN, KEY, say, start

NOW = BEGIN + timedelta(days=1)


def proved(unit: UnitOfWork) -> tuple[str, Address]:
    """Somebody with a browser, and the number that they have proved."""
    profiles, phone = Profiles(unit, BEGIN), Address("phone", new_id())
    person = profiles.find_or_create(Address("web", new_id()), Assurance.ANONYMOUS)
    profiles.link(person.id, phone, "sms code")
    return person.id, phone


def disputed(database: Database) -> tuple[str, str]:
    """Somebody who tried to prove the number of somebody else, twice; and whose it is."""
    with database.unit_of_work() as unit:
        (owner, phone), (prover, _) = proved(unit), proved(unit)
        for at in (BEGIN, NOW):
            assert Profiles(unit, at).link(prover, phone, "sms code")[0] is LinkOutcome.REFUSED
        unit.commit()
    return prover, owner


def listed(database: Database, limit: int = 9) -> list[Dispute]:
    with database.unit_of_work() as unit:
        return Disputes(unit, NOW).open(limit)


def test_a_pair_is_listed_once_with_its_latest_try(database: Database) -> None:
    prover, owner = disputed(database)
    assert listed(database) == [Dispute(NOW, prover, owner, "phone", "sms code")]


def test_no_more_are_listed_than_asked_for(database: Database) -> None:
    for _ in range(3):
        disputed(database)
    assert [len(listed(database, limit)) for limit in (2, 9)] == [2, 3]


def test_the_entry_holds_both_and_the_kind_of_address_but_no_number(database: Database) -> None:
    prover, owner = disputed(database)
    with database.unit_of_work() as unit:
        entry = max(unit.rows(JournalRow, person_id=prover), key=lambda row: row.at)
        assert (entry.act, entry.moved, entry.before) == (f"link refused phone {owner}", {}, None)


def test_whoever_became_one_since_is_listed_as_who_they_are_now(database: Database) -> None:
    prover, owner = disputed(database)
    with database.unit_of_work() as unit:
        other, _ = proved(unit)
        Disputes(unit, NOW).settle(other, owner)
        unit.commit()
    assert [(one.person_id, one.other_id) for one in listed(database)] == [(prover, other)]
    with database.unit_of_work() as unit:
        Disputes(unit, NOW).settle(other, prover)
        unit.commit()
    assert listed(database) == []


@pytest.mark.parametrize("which", [0, 1])
def test_nobody_decides_about_somebody_who_was_forgotten(database: Database, which: int) -> None:
    pair = disputed(database)
    with database.unit_of_work() as unit:
        forget(unit, NOW, NOW.date(), KEY, pair[which])
        unit.commit()
    assert listed(database) == []
    with database.unit_of_work() as unit, pytest.raises(MergeRefused, match="forgotten"):
        Disputes(unit, NOW).settle(*pair)


def test_the_latest_conversation_goes_on_and_staff_are_named(database: Database) -> None:
    prover, owner = disputed(database)
    with database.unit_of_work() as unit:
        ids = []
        for person, minutes in ((prover, 5), (owner, 3)):
            at, address = BEGIN + timedelta(minutes=minutes), Address("web", person)
            conversation = start(unit, at, person, address)
            say(unit, at, conversation, "hello", address)
            ids.append(conversation.id)
        unit.commit()
        Disputes(unit, NOW).settle(owner, prover)
        unit.commit()
    with database.unit_of_work() as unit:
        assert [row.id for row in unit.rows(ConversationRow, person_id=owner, closed_at=None)] == ids[:1]
        entry = unit.row(JournalRow, person_id=owner, act=f"merged {prover}")
        assert entry is not None
        assert (entry.actor, entry.proof) == (STAFF, STAFF)
