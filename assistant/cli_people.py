"""The commands `assistant people ...`: who is known, who works here, and what is held about somebody."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from assistant.commands import open_store, prepare
from assistant.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assistant.database import Database, UnitOfWork
    from assistant.forgetting import Erasing, Receipt
    from assistant.people import Employee
    from assistant.profiles import Profiles
    from assistant.settings import Settings

SHOWN_PEOPLE = 100
PHONE_KINDS = ("phone", "whatsapp")

people = typer.Typer(no_args_is_help=True, help="Who is known, who works here, and what is held about somebody.")


@people.command("add")
def add_person(
    name: Annotated[str, typer.Option(help="Their name.")],
    phone: Annotated[str, typer.Option(help="Their number in international form, such as +44 7700 900123.")],
    is_employee: Annotated[bool, typer.Option("--employee", help="They work here.")] = False,
) -> None:
    """Make an employee known. Customers make themselves known by talking to the assistant."""
    settings = prepare()
    from assistant.people import employee

    if not is_employee:
        raise SettingsError("only employees are added by hand: say --employee")
    _add_employees(settings, [employee(name, phone)])


@people.command("import")
def import_people(file: Annotated[Path, typer.Argument(help="CSV with the columns name and phone.")]) -> None:
    """Make every employee in a file known, or nobody when a line of it is wrong."""
    settings = prepare()
    from assistant.people import read_employees

    _add_employees(settings, read_employees(file))


@people.command("remove")
def remove_person(phone: Annotated[str, typer.Option(help="The number of an employee.")]) -> None:
    """Take the role of an employee away; who they are as a customer stays."""
    settings = prepare()
    from assistant.people import phone_address
    from assistant.profiles import EMPLOYEE

    address = phone_address(phone)
    with _profiles(settings) as profiles:
        person = profiles.find(address)
        if person is None or EMPLOYEE not in person.roles:
            raise SettingsError("no employee has this number")
        profiles.remove_employee(person.id)
    typer.echo("No longer an employee.")


@people.command("list")
def list_people() -> None:
    """Show the people who came last."""
    settings = prepare()
    table = Table(Column("id", no_wrap=True), "name", "roles", "reached by")
    with _profiles(settings) as profiles:
        for person in profiles.newest(SHOWN_PEOPLE):
            reached = (known.address for known in person.addresses)
            # What stands behind the other kinds are digests that tell nobody anything.
            shown = (str(address) if address.kind in PHONE_KINDS else address.kind for address in reached)
            table.add_row(person.id, Text(person.name or ""), ", ".join(sorted(person.roles)), ", ".join(shown))
    Console().print(table)


@people.command("export")
def export(
    person_id: Annotated[str, typer.Argument(metavar="ID", help="Of the person; `people list` shows it.")],
    to: Annotated[Path | None, typer.Option(help="File to write; stdout without it.", show_default=False)] = None,
) -> None:
    """Write everything that is held about a person as JSON: see assistant/archive.py for its form."""
    settings = prepare()
    from datetime import UTC, datetime

    from assistant.archive import archive

    with open_store(settings) as database, database.unit_of_work() as unit:
        text = archive(unit, datetime.now(UTC), known(unit, person_id))
    if to is None:
        typer.echo(text)
        return
    to.touch(mode=0o600)  # it is all about one person
    to.write_text(text + "\n", encoding="utf-8")
    typer.echo(f"Written to {to}")


@people.command("erase")
def erase(
    person_id: Annotated[str, typer.Argument(metavar="ID", help="Of the person; `people list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget a person, with everybody who was merged into them, and say what became of every row."""
    settings = prepare()
    with open_store(settings) as database:
        with database.unit_of_work() as unit:
            whole = known(unit, person_id)
        if whole != person_id:
            typer.echo(f"{person_id} was merged into {whole}; both are erased.")
        if not yes:
            typer.confirm("This cannot be taken back. Erase?", abort=True)
        receipt = _erasing(settings, database).erase(whole)
    _show(receipt)


@people.command("retention")
def retention(
    older_than: Annotated[
        int | None,
        typer.Option(min=1, help="Days; ASSISTANT_RETENTION_DAYS when not given.", show_default=False),
    ] = None,
) -> None:
    """Forget every customer whose last turn is older than this, and say so of each; meant for cron."""
    settings = prepare()
    days = older_than or settings.retention_days
    if days is None:
        raise SettingsError("say --older-than DAYS, or set ASSISTANT_RETENTION_DAYS")
    with open_store(settings) as database:
        receipts = _erasing(settings, database).erase_older_than(days)
    for receipt in receipts:
        _show(receipt)
    typer.echo(f"Erased: {len(receipts)}")


def known(unit: "UnitOfWork", person_id: str) -> str:
    """Who this is by now. Raises `SettingsError` when nobody has or had the id."""
    from assistant.holdings import whole_person

    try:
        return whole_person(unit, person_id)
    except LookupError:
        raise SettingsError(f"nobody has the id {person_id}; `assistant people list` shows them") from None


def _erasing(settings: "Settings", database: "Database") -> "Erasing":
    from datetime import UTC, datetime

    from assistant.forgetting import Erasing
    from assistant.secret import secret_key
    from assistant.shop import Shop

    return Erasing(database, Shop.load(settings.data_dir / "shop.yml"), secret_key(settings), datetime.now(UTC))


def _show(receipt: "Receipt") -> None:
    typer.echo(f"Person {receipt.person_id}, {receipt.at:%Y-%m-%d %H:%M} UTC")
    table = Table(Column("store", no_wrap=True), "removed", "anonymised", "kept", "why")
    for line in receipt.lines:
        table.add_row(line.store, str(line.removed), str(line.anonymised), str(line.kept), line.why)
    Console().print(table)


def _add_employees(settings: "Settings", employees: "Sequence[Employee]") -> None:
    with _profiles(settings) as profiles:
        for employee in employees:
            profiles.add_employee(employee.name, employee.phone)
    typer.echo(f"Employees added or confirmed: {len(employees)}")


@contextmanager
def _profiles(settings: "Settings") -> "Iterator[Profiles]":
    """The people, in one transaction that is committed at the end."""
    from datetime import UTC, datetime

    from assistant.profiles import Profiles

    with open_store(settings) as database, database.unit_of_work() as unit:
        yield Profiles(unit, datetime.now(UTC))
        unit.commit()
