"""Nobody learns from a chat whether we know a number: the same words, the same work, the same message leaves.

What is counted is what is asked of the store, on both engines: a clock would only be right on average.
"""

from dataclasses import dataclass

import pytest

from assistant.database import Database
from assistant.outbox import OutboxRow
from assistant.turns import Address
from tests.actions.conftest import NOW, MakeTalk, Said, Talk
from tests.assistant.numbers_known import KNOWN, UNKNOWN, make_known
from tests.assistant.statements import recorded

WAYS = {"phone_form": "continue_by_text", "prove_form": "need_proof"}
"""Forms that send a code to any number, and what opens them."""


@pytest.fixture
def store(database: Database) -> Database:
    """The talks' store, on each engine, with numbers that are known."""
    make_known(database, NOW)
    return database


@dataclass
class Seen:
    """What somebody may notice of a number that they gave, and what it took."""

    said: list[list[Said]]
    statements: list[list[str]]
    sent: int


def tried(talk: Talk, store: Database, form: str, number: Address) -> Seen:
    """A code is sent to this number, sent again, and wrong ones are tried until it is dead."""
    talk.open(form, "can we do this", WAYS[form])
    talk.unit.commit()
    seen = Seen([], [], 0)
    before = len(talk.unit.rows(OutboxRow))
    for text in (number.value, "send a new code", *["000000"] * 5, "send a new code"):
        with recorded(store) as statements:
            said = talk.say(text)
            talk.unit.commit()
        seen.said.append(said)
        seen.statements.append(statements)
    seen.sent = len(talk.unit.rows(OutboxRow)) - before
    return seen


@pytest.mark.parametrize("form", WAYS)
@pytest.mark.parametrize("number", KNOWN, ids=lambda number: number.value)
def test_a_number_that_we_know_is_like_one_that_we_do_not_know(
    make_talk: MakeTalk, store: Database, form: str, number: Address
) -> None:
    known = tried(make_talk(Address("web", "b1")), store, form, number)
    unknown = tried(make_talk(Address("web", "b2")), store, form, UNKNOWN)
    assert known == unknown
    assert known.sent == 3
    assert all(known.statements)
