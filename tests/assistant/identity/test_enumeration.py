"""Nobody learns from the page that links accounts whether we know a number: same words, same work, same message."""

import re
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select

from assistant.outbox import OutboxRow
from assistant.turns import Address
from tests.assistant.identity.conftest import House
from tests.assistant.identity.test_linking import Page, open_page
from tests.assistant.numbers_known import KNOWN, UNKNOWN, make_known
from tests.assistant.statements import recorded


@dataclass
class Seen:
    """What somebody may notice of a number that they gave, and what it took."""

    statuses: list[int] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    statements: list[list[str]] = field(default_factory=list)
    sent: int = 0


def tried(house: House, number: Address) -> Seen:
    """A code is sent to this number, and wrong ones are tried until it is dead."""
    browser, _ = house.known_browser()
    page, seen, before = open_page(browser), Seen(), messages(house)
    for step in ({"step": "phone", "phone": number.value}, *[{"step": "code", "code": "000000"}] * 5):
        with recorded(house.database) as statements:
            page = send(page, step)
        seen.statuses.append(page.answer.status_code)
        seen.pages.append(re.sub(r'name="form" value="[0-9a-f]{64}"', "", page.answer.text))
        seen.statements.append(statements)
    seen.sent = messages(house) - before
    return seen


def send(page: Page, step: dict[str, str]) -> Page:
    return page.send(**step)


def messages(house: House) -> int:
    with house.database.unit_of_work() as unit:
        return unit.session.scalar(select(func.count()).select_from(OutboxRow)) or 0


@pytest.mark.parametrize("number", KNOWN, ids=lambda number: number.value)
def test_a_number_that_we_know_is_like_one_that_we_do_not_know(house: House, number: Address) -> None:
    make_known(house.database, house.clock())
    known, unknown = tried(house, number), tried(house, UNKNOWN)
    assert known == unknown
    assert (known.sent, set(known.statuses)) == (1, {200})
    assert all(known.statements)
