"""The README tells every setting and command, and points only at what is there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from assistant import cli
from assistant.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ("README.md", "models/README.md")

MADE_AT_THE_START = {"secret"}
"""Settings whose default is not a value."""


def rows(start: str) -> dict[str, list[str]]:
    """The rows of the README's tables whose first cell is code that starts so, by that code."""
    cells = ([cell.strip() for cell in line[1:-1].split("|")] for line in README.splitlines() if line[:1] == "|")
    return {row[0].strip("`"): row[1:] for row in cells if row[0].startswith(f"`{start}")}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_is_told_with_its_default(name: str) -> None:
    default = Settings.model_fields[name].default
    told, meaning = rows("ASSISTANT_")[f"ASSISTANT_{name.upper()}"]
    assert meaning
    if name not in MADE_AT_THE_START:
        value = "" if default is None else json.dumps(default) if isinstance(default, dict | tuple) else str(default)
        assert told.strip("`") == value


def test_no_setting_is_told_that_is_not_there() -> None:
    assert set(rows("ASSISTANT_")) == {f"ASSISTANT_{name.upper()}" for name in Settings.model_fields}


def commands(command: object, path: str = "assistant") -> Iterator[str]:
    """Every command with the groups that it is in, such as `assistant people list`."""
    if isinstance(command, typer.core.TyperGroup):
        for name, inner in command.commands.items():
            yield from commands(inner, f"{path} {name}")
    else:
        yield path


def test_every_command_is_told() -> None:
    told = {re.sub(r" [A-Z].*", "", row) for row in rows("assistant ")}  # what follows in capitals is what one gives
    assert told == set(commands(typer.main.get_command(cli.app)))


def test_every_make_target_is_told() -> None:
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {target for target in targets if f"`make {target}`" not in README} == {"help"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    page = ROOT / document
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert {link for link in links if not (page.parent / link).exists()} == set()


def test_links_within_the_readme_lead_to_a_heading() -> None:
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^##+ (.+)$", README, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings
