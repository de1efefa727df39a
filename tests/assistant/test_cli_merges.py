"""What staff decide about who is one person with whom: shown masked, asked, journalled, taken back."""

from datetime import UTC, datetime

from typer.testing import CliRunner

from assistant.cli import app
from assistant.database import Database
from assistant.profiles import Profiles
from assistant.turns import Address
from tests.assistant.test_cli import _an_installation_of_its_own as _installation  # noqa: F401  # runs by itself
from tests.assistant.test_cli import assistant
from tests.assistant.test_cli import store as store  # the fixture
from tests.assistant.test_cli_people import PHONE, WEB, merged, names, somebody

OTHER_WEB, OTHER_PHONE = Address("web", "digest-of-another"), Address("phone", "+447700900456")


def disputed(store: Database) -> tuple[str, str]:
    """Two with proofs, of whom the second proved the number of the first, and was refused."""
    ana, ben = somebody(store, WEB, name="Ana"), somebody(store, OTHER_WEB, name="Ben")
    with store.unit_of_work() as unit:
        profiles = Profiles(unit, datetime.now(UTC))
        for person, number in ((ana, PHONE), (ben, OTHER_PHONE), (ben, PHONE)):
            profiles.link(person, number, "sms code")
        unit.commit()
    return ana, ben


def test_merges_are_shown_and_one_is_undone_by_the_id_that_was_shown(store: Database) -> None:
    here, there = merged(store)
    shown = assistant("people", "unmerge").stdout
    assert f"{there} into {here}  by sms code" in shown
    assert set(names(store)) == {here}
    assert "two people again" in assistant("people", "unmerge", shown.split()[0]).stdout
    assert set(names(store)) == {here, there}
    assert "No merge is recent" in assistant("people", "unmerge").stdout


def test_what_cannot_be_undone_ends_in_one_line(store: Database) -> None:
    result = assistant("people", "unmerge", "nobody")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "nobody" in result.stderr


def test_who_was_refused_is_shown_without_a_number_and_merged_when_staff_say_so(store: Database) -> None:
    assert "No two people wait" in assistant("people", "refused").stdout
    ana, ben = disputed(store)
    shown = assistant("people", "refused").stdout
    assert f"{ben} proved a phone of {ana} by sms code" in shown
    assert "assistant people merge" in shown
    assert "7700" not in shown
    done = assistant("people", "merge", ana, ben, "--yes").stdout
    assert f"both are {ana} now" in done
    assert set(names(store)) == {ana}
    assert "No two people wait" in assistant("people", "refused").stdout
    assert "two people again" in assistant("people", "unmerge", ben).stdout
    assert names(store) == {ana: "Ana", ben: "Ben"}


def test_both_are_shown_masked_and_nothing_happens_without_a_yes(store: Database) -> None:
    ana, ben = disputed(store)
    asked = CliRunner().invoke(app, ["people", "merge", ana, ben], input="n\n")
    assert asked.exit_code == 1
    assert f"{ana}  A…  customer  reached by web, phone …123" in asked.stdout
    assert f"{ben}  B…  customer  reached by web, phone …456" in asked.stdout
    assert not any(secret in asked.stdout for secret in ("Ana", "Ben", "7700", "digest"))
    assert set(names(store)) == {ana, ben}
    assert CliRunner().invoke(app, ["people", "merge", ana, ben], input="y\n").exit_code == 0
    assert set(names(store)) == {ana}


def test_a_merge_that_makes_no_sense_ends_in_one_line(store: Database) -> None:
    ana, ben = disputed(store)
    for pair, words in (((ana, ana), "one person already"), ((ana, "nobody"), "nobody has the id")):
        result = assistant("people", "merge", *pair, "--yes")
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        assert words in result.stderr
    assistant("people", "merge", ana, ben, "--yes")
    assert f"{ben} is {ana} since a merge" in assistant("people", "merge", ben, ana, "--yes").stderr


def test_the_journal_of_a_person_tells_who_when_and_by_what_proof(store: Database) -> None:
    ana, ben = disputed(store)
    assistant("people", "merge", ana, ben, "--yes")
    lines = assistant("people", "journal", ben).stdout.splitlines()
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert all(line.startswith(today) for line in lines)
    told = [line.split("  ", 1)[1] for line in lines]
    assert f"{ben}  link refused phone {ana}  by {ben}  (sms code)" in told
    assert f"{ana}  merged {ben}  by staff  (staff)" in told
    assert "7700" not in "".join(lines)
    assert "nobody has the id nobody" in assistant("people", "journal", "nobody").stderr
