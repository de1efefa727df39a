"""Whom staff make known: what they may type and which files are taken."""

from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.people import Employee, employee, phone_address, read_employees
from assistant.turns import Address


@pytest.mark.parametrize("typed", ["+447700900123", "+44 7700 900123", "+44 (7700) 900-123", " +44.7700.900.123 "])
def test_a_number_is_the_same_however_it_is_spaced(typed: str) -> None:
    assert phone_address(typed) == Address("phone", "+447700900123")


@pytest.mark.parametrize("typed", ["", "Ben", "07700 900123", "+44", "+44 7700 900123 900123 900123"])
def test_what_is_no_international_number_is_refused(typed: str) -> None:
    with pytest.raises(SettingsError, match="international form"):
        phone_address(typed)


def test_an_employee_has_a_name() -> None:
    with pytest.raises(SettingsError, match="name is empty"):
        employee("  ", "+447700900123")


@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "as Excel saves it"])
def test_a_file_may_have_more_columns_in_any_order(tmp_path: Path, start: str) -> None:
    file = tmp_path / "staff.csv"
    file.write_text(
        f'{start}phone,team,name\n+44 7700 900123,Shop,"Bee, Ben"\n+34600111222,Van,Zoë\n', encoding="utf-8"
    )
    assert read_employees(file) == (
        Employee("Bee, Ben", Address("phone", "+447700900123")),
        Employee("Zoë", Address("phone", "+34600111222")),
    )


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "first line must name the columns"),
        (b"name\nBen\n", "first line must name the columns"),
        (b"name,phone\nBen,+447700900123\nZoe,12\n", "line 3: '12' is not a phone number"),
        (b"name,phone\nBen\n", "line 2: '' is not a phone number"),
        (b"name,phone\n,+447700900123\n", "line 2: the name is empty"),
        (b"name,phone\nZo\xeb,+447700900123\n", "cannot be read as CSV in UTF-8"),
    ],
)
def test_a_file_with_a_fault_is_refused_with_its_line(tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / "staff.csv"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=complaint):
        read_employees(file)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_employees(tmp_path / "staff.csv")
