"""What whoever speaks may do, as the table of docs/identity.md: made from what the actions declare.

    python -m tests.actions.table

prints it; paste it there when a test says that the page is not today's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from actions import all_actions
from actions.act import Act
from assistant.needs import ANYONE, Needs, Standing
from assistant.profiles import CUSTOMER, EMPLOYEE
from assistant.turns import Assurance

YES, PROOF, NO = "yes", "proof", "no"


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of standing."""

    title: str
    aloud: bool
    assurance: Assurance
    proved: bool
    """Whether the person ever proved who they are, on whatever channel."""


COLUMNS = (
    Column("written on a page, never proved anything", aloud=False, assurance=Assurance.ANONYMOUS, proved=False),
    Column("written from a number, never proved anything", aloud=False, assurance=Assurance.CLAIMED, proved=False),
    Column("written on a page, not proved here", aloud=False, assurance=Assurance.ANONYMOUS, proved=True),
    Column("written from a number, not proved here", aloud=False, assurance=Assurance.CLAIMED, proved=True),
    Column("written, proven", aloud=False, assurance=Assurance.PROVEN, proved=True),
    Column("written, strong", aloud=False, assurance=Assurance.STRONG, proved=True),
    Column("spoken, never proved anything", aloud=True, assurance=Assurance.CLAIMED, proved=False),
    Column("spoken, not proved in this call", aloud=True, assurance=Assurance.CLAIMED, proved=True),
    Column("spoken, proven", aloud=True, assurance=Assurance.PROVEN, proved=True),
    Column("spoken, strong", aloud=True, assurance=Assurance.STRONG, proved=True),
)
ROLES = {CUSTOMER: frozenset({CUSTOMER}), EMPLOYEE: frozenset({CUSTOMER, EMPLOYEE})}


def subjects() -> dict[str, Act]:
    """The actions by the name that the table gives them: what belongs to a form is one row, for it needs the same."""
    named = {action.name(): action for action in all_actions()}
    return {name: action for name, action in named.items() if not name.startswith("action_ask_")}


def cell(needs: Needs, column: Column, role: str) -> str:
    """Whether somebody may: `yes`, after a `proof`, or `no`."""
    standing = Standing(ROLES[role], column.assurance, column.proved, column.aloud)
    return YES if standing.meets(needs) else PROOF if standing.could_meet(needs) else NO


def rows() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Name, role and cells; actions for anyone are told in one row."""
    everyone = [name for name, action in subjects().items() if action.needs == ANYONE]
    yield f"everything else: {', '.join(f'`{name}`' for name in sorted(everyone))}", "any", (YES,) * len(COLUMNS)
    for name, action in sorted(subjects().items()):
        if action.needs != ANYONE:
            told = {role: tuple(cell(action.needs, column, role) for column in COLUMNS) for role in ROLES}
            if len(set(told.values())) == 1:
                yield f"`{name}`", "any", told[CUSTOMER]
            else:
                yield from ((f"`{name}`", role, cells) for role, cells in told.items())


def table() -> str:
    """The table in Markdown."""
    head = ("action", "role", *(column.title for column in COLUMNS))
    lines = [head, ("---",) * len(head), *((name, role, *cells) for name, role, cells in rows())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(table())  # noqa: T201  # what it is for
