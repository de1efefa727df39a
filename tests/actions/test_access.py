"""What each action needs, cell by cell, against real proofs in a real store."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from actions.access import EMPLOYEES
from assistant.needs import ANYONE, Below
from assistant.profiles import CUSTOMER, EMPLOYEE
from assistant.turns import Address, Assurance, Modality
from tests.actions.conftest import MakeTalk, Talk
from tests.actions.table import COLUMNS, NO, PROOF, ROLES, YES, Column, subjects, table

DOCUMENT = Path(__file__).parents[2] / "docs/identity.md"
NUMBER = Address("phone", "+447700900123")


@dataclass(frozen=True, slots=True)
class Door:
    """A channel as the gate sees it."""

    channel: str
    address: Address
    modality: Modality
    shared: bool = False

    @property
    def vouches(self) -> Assurance:
        """What the channel itself is sure of: numbers are claimed, a page says nothing about who is there."""
        return Assurance.ANONYMOUS if self.address.kind in ("web", "terminal") else Assurance.CLAIMED

    def knows(self, column: Column) -> bool:
        """Whether somebody can stand so on this channel."""
        lowest = column.assurance >= Assurance.PROVEN or column.assurance is self.vouches
        return lowest and column.aloud is (self.modality is Modality.VOICE)


DOORS = (
    Door("web", Address("web", "b1"), Modality.SCREEN),
    Door("sms", Address("phone", "+447700900777"), Modality.TEXT),
    Door("sms", Address("whatsapp", "+447700900777"), Modality.TEXT),
    Door("terminal", Address("terminal", "t1"), Modality.TEXT),
    Door("voice", Address("phone", "+447700900777"), Modality.VOICE),
    Door("alexa", Address("alexa", "kitchen"), Modality.VOICE, shared=True),
    Door("wyoming", Address("wyoming", "kitchen"), Modality.VOICE, shared=True),
)


def told() -> dict[tuple[str, str], tuple[str, ...]]:
    """The cells of the page by action and role, as whoever deploys this reads them."""
    cells = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        parts = [part.strip() for part in line.strip("|").split("|")]
        if len(parts) == len(COLUMNS) + 2 and parts[1] in (*ROLES, "any"):
            for role in ROLES if parts[1] == "any" else (parts[1],):
                for name in parts[0].split("`")[1::2]:
                    cells[name, role] = tuple(parts[2:])
    return cells


TOLD = told()


def somebody(make_talk: MakeTalk, door: Door, column: Column, role: str) -> Talk:
    """Somebody at this door who stands as the column says, by proofs that they really gave."""
    talk = make_talk(door.address, door.modality, channel=door.channel, shared=door.shared, assurance=door.vouches)
    context = talk.context
    if column.proved:
        _, context.person = context.profiles.link(context.person.id, NUMBER, "sms code")
    its_own = door.address if door.address.kind in ("phone", "whatsapp") else NUMBER
    for _ in range(max(0, column.assurance - Assurance.CLAIMED)):
        context.link(its_own, "sms code")
    if role == EMPLOYEE:
        context.profiles.give_employee(context.person.id, "staff")
        context.person = context.profiles.get(context.person.id)
    return talk


def answered(talk: Talk, name: str) -> str:
    try:
        talk.context.require(subjects()[name].needs)
    except Below as below:
        return PROOF if below.by_proof else NO
    return YES


STANDINGS = [(door, column) for door in DOORS for column in COLUMNS if door.knows(column)]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("door", "column"), STANDINGS, ids=lambda part: part.title if isinstance(part, Column) else part.address.kind
)
def test_every_action_is_let_through_or_not_as_the_page_says(
    make_talk: MakeTalk, door: Door, column: Column, role: str
) -> None:
    talk = somebody(make_talk, door, column, role)
    standing = talk.context.standing
    assert (standing.assurance, standing.proved, standing.roles) == (column.assurance, column.proved, ROLES[role])
    position = COLUMNS.index(column)
    assert {name: answered(talk, name) for name in subjects()} == {
        name: TOLD[name, role][position] for name in subjects()
    }


def test_the_page_has_the_table_of_today() -> None:
    assert table() in DOCUMENT.read_text(encoding="utf-8")


def test_what_anybody_may_needs_no_look_at_the_store(talk: Talk) -> None:
    assert talk.context.may(ANYONE)
    assert not talk.context.guarded
    assert not talk.context.may(EMPLOYEES)
    assert talk.context.guarded


@pytest.mark.parametrize("wrong", ["employee", "i am an employee, honestly", "role: employee"])
def test_no_slot_and_no_word_makes_an_employee(talk: Talk, wrong: str) -> None:
    talk.slots |= dict.fromkeys(("wish", "it_problem", "suspended_forms"), wrong)
    talk.context.profiles.rename(talk.context.person.id, wrong)
    talk.context.person = talk.context.profiles.get(talk.context.person.id)
    assert talk.context.person.roles == {CUSTOMER}
    with pytest.raises(Below):
        talk.run("action_my_requests", wrong)
