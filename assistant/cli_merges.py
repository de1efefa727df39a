"""The commands `assistant people ...` about who is one person with whom: staff decide it, and may take it back."""

from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli_people import PHONE_KINDS, known, people
from assistant.commands import open_store, prepare

if TYPE_CHECKING:
    from assistant.profiles import Person
    from assistant.turns import Address

__all__ = ["people"]

SHOWN_MERGES = 50


@people.command("refused")
def refused() -> None:
    """Show the pairs of people that were not made one, because both had proofs. Only staff may decide about them."""
    settings = prepare()
    from datetime import UTC, datetime

    from assistant.disputes import Disputes

    with open_store(settings) as database, database.unit_of_work() as unit:
        disputes = Disputes(unit, datetime.now(UTC)).open(SHOWN_MERGES)
    if not disputes:
        typer.echo("No two people wait for a decision.")
        return
    for dispute in disputes:
        typer.echo(
            f"{dispute.at:%d %b %H:%M}  {dispute.person_id} proved a {dispute.kind} of {dispute.other_id} "
            f"by {dispute.proof}"
        )
    typer.echo("If you are sure that two of them are one person: assistant people merge ID ID")


@people.command("merge")
def merge(
    kept: Annotated[str, typer.Argument(metavar="ID", help="Of the person who stays.")],
    gone: Annotated[str, typer.Argument(metavar="ID", help="Of the person who becomes part of the first.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Make two people one, after showing both and asking. `unmerge` takes it back for 30 days."""
    settings = prepare()
    from datetime import UTC, datetime

    from assistant.disputes import Disputes
    from assistant.identity.transactions import in_one_transaction

    now = datetime.now(UTC)
    with open_store(settings) as database:
        with database.unit_of_work() as unit:
            both = [Disputes(unit, now).person(person_id) for person_id in (kept, gone)]
        for person in both:
            typer.echo(_masked(person))
        if not yes:
            typer.confirm("Are these one person? The second becomes part of the first.", abort=True)
        in_one_transaction(database, lambda unit: Disputes(unit, now).settle(kept, gone))
    typer.echo(f"Merged: both are {kept} now. For 30 days, this takes it back: assistant people unmerge {gone}")


@people.command("unmerge")
def unmerge(
    identifier: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Of a merge, or of a person.", show_default=False)
    ] = None,
) -> None:
    """Undo a merge of the last 30 days: both people are who they were. Without an id, show the merges."""
    settings = prepare()
    from datetime import UTC, datetime

    from assistant.identity.transactions import in_one_transaction
    from assistant.undoing import Merges

    now = datetime.now(UTC)
    with open_store(settings) as database:
        if identifier is not None:
            undone = in_one_transaction(database, lambda unit: Merges(unit, now).undo(identifier))
            typer.echo(f"Undone: {undone.person_id} and {undone.absorbed_id} are two people again.")
            return
        with database.unit_of_work() as unit:
            merges = Merges(unit, now).recent(SHOWN_MERGES)
    if not merges:
        typer.echo("No merge is recent enough to be undone.")
    for one in merges:
        typer.echo(f"{one.id}  {one.at:%d %b %H:%M}  {one.absorbed_id} into {one.person_id}  by {one.proof}")


@people.command("journal")
def journal(
    person_id: Annotated[str, typer.Argument(metavar="ID", help="Of the person; `people list` shows it.")],
) -> None:
    """Print what was linked, merged or changed about a person: when, by whom, by what proof."""
    settings = prepare()
    from datetime import UTC, datetime

    from assistant.journal import Journal

    with open_store(settings) as database, database.unit_of_work() as unit:
        known(unit, person_id)
        entries = Journal(unit, datetime.now(UTC)).about(person_id)
    for entry in entries:
        typer.echo(f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.person_id}  {entry.act}  by {entry.actor}  ({entry.proof})")


def _masked(person: "Person") -> str:
    """Somebody as staff may recognise them, without what a look over the shoulder could use."""
    name = f"{person.name[:1]}…" if person.name else "no name"
    reached = ", ".join(_masked_address(one.address) for one in person.addresses) or "nowhere"
    return f"{person.id}  {name}  {', '.join(sorted(person.roles))}  reached by {reached}"


def _masked_address(address: "Address") -> str:
    return f"{address.kind} …{address.value[-3:]}" if address.kind in PHONE_KINDS else address.kind
