"""Whom staff make known: phone numbers as they type them, and lists of employees as other programs export them."""

import csv
from dataclasses import dataclass
from pathlib import Path

import phonenumbers

from assistant.errors import SettingsError
from assistant.turns import Address

COLUMNS = ("name", "phone")


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody who works here."""

    name: str
    """Their name."""
    phone: Address
    """Where they call and write from."""


def phone_address(text: str) -> Address:
    """The address of a number in international form, however spaced. Raises `SettingsError`."""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise SettingsError(f"{text!r} is not a phone number in international form, such as +44 7700 900123")
    return Address("phone", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def employee(name: str, phone: str) -> Employee:
    """An employee as typed. Raises `SettingsError` naming what is wrong."""
    if not name.strip():
        raise SettingsError("the name is empty")
    return Employee(name.strip(), phone_address(phone))


def read_employees(path: Path) -> tuple[Employee, ...]:
    """The employees in a CSV file whose first line names the columns `name` and `phone`; others are ignored.

    Raises `SettingsError` naming the first line that is wrong, so that a file is taken whole or not at all.
    """
    try:
        # The mark that Excel puts at the start of UTF-8 would become part of the first column's name.
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
            if missing:
                raise SettingsError(f"{path}: the first line must name the columns {' and '.join(COLUMNS)}")
            return tuple(_employee_in(path, rows.line_num, row) for row in rows)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"{path} cannot be read as CSV in UTF-8: {error}") from error


def _employee_in(path: Path, line: int, row: dict[str, str | None]) -> Employee:
    try:
        return employee(row["name"] or "", row["phone"] or "")
    except SettingsError as error:
        raise SettingsError(f"{path}, line {line}: {error}") from error
