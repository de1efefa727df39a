"""Links and pairing codes: what opens a conversation elsewhere, once, for ten minutes, and everything that does not."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.archive import archive
from assistant.database import Database, Overtaken
from assistant.forgetting import forget
from assistant.links import (
    KEPT,
    SENDS_PER_DAY,
    SENDS_PER_QUARTER_HOUR,
    VALID,
    WRONG_TRIES,
    WRONG_TRIES_IN_ALL,
    Link,
    LinkRow,
    Links,
    LinkTryRow,
    Opened,
    PairResult,
)
from assistant.profiles import LinkOutcome, Profiles
from assistant.turns import Address, Assurance
from assistant.undoing import Merges
from tests.assistant.conftest import Clock

pytestmark = pytest.mark.anyio

KEY = b"k" * 32
WEB, PHONE = Address("web", "a" * 64), Address("phone", "+447700900123")
T = TypeVar("T")


class Store:
    """The store at the clock's moment, each act a unit of work of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    def make(self, person: str = "ana", conversation: str = "c1", address: Address = WEB) -> Link:
        return self.do(lambda links: links.make(person, conversation, address))

    def open(self, token: str) -> Opened | None:
        return self.do(lambda links: links.open(token))

    def pair(self, digits: str, asker: str = "ben") -> Opened | PairResult:
        return self.do(lambda links: links.pair(asker, digits))

    def do(self, act: Callable[[Links], T]) -> T:
        with self.database.unit_of_work() as unit:
            result = act(Links(unit, self.clock(), KEY))
            unit.commit()
        return result


@pytest.fixture
def store(database: Database, clock: Clock) -> Store:
    return Store(database, clock)


def wrong(digits: str) -> str:
    return f"{(int(digits) + 1) % 10**8:08}"


def test_a_token_opens_the_conversation_it_was_made_in(store: Store) -> None:
    link = store.make()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", link.token)
    assert re.fullmatch(r"\d{8}", link.digits)
    assert link.url("https://fiore.example") == f"https://fiore.example/go#{link.token}"
    assert store.open(link.token) == Opened("ana", "c1", WEB)


def test_the_digits_open_it_too(store: Store) -> None:
    assert store.pair(store.make().digits) == Opened("ana", "c1", WEB)


def test_a_foreign_token_opens_nothing(store: Store, database: Database, clock: Clock) -> None:
    link = store.make()
    for token in ("", link.id, link.digits, link.token[:-1], f"{link.token}=", "ü" * 43, "\ud800"):
        assert store.open(token) is None
    with database.unit_of_work() as unit:
        assert Links(unit, clock(), b"another key").open(link.token) is None
    assert store.open(link.token) is not None


Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(["make", "open", "pair", "wait"]), st.integers(0, 400)), max_size=14)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_of_a_persons_links_only_the_latest_opens_anything_once_and_for_ten_minutes(
    database: Database, steps: list[Step]
) -> None:
    """Whatever is done in whatever order, exactly what the plain rule says opens, opens."""
    clock = Clock(datetime(2026, 5, 20, 9, 0, tzinfo=UTC))
    store = Store(database, clock)
    store.do(lambda links: links.forget("ana"))
    links: list[Link] = []
    good_until: datetime | None = None
    for position, (act, number) in enumerate(steps):
        if act == "wait":
            clock.forward(seconds=number)
        elif act == "make":
            links.append(store.make())
            good_until = clock() + VALID
        elif links:
            link = links[number % len(links)]
            is_good = link is links[-1] and good_until is not None and clock() <= good_until
            opened = store.open(link.token) if act == "open" else store.pair(link.digits, asker=f"asker {position}")
            assert isinstance(opened, Opened) == is_good
            good_until = None if is_good else good_until
    with database.unit_of_work() as unit:
        for row in unit.rows(LinkTryRow):  # the next example begins with none
            unit.remove(row)
        unit.commit()


@pytest.mark.parametrize("first", ["token", "digits"])
def test_using_either_kills_both(store: Store, first: str) -> None:
    link = store.make()
    assert isinstance(store.open(link.token) if first == "token" else store.pair(link.digits), Opened)
    assert store.open(link.token) is None
    assert store.pair(link.digits) is PairResult.WRONG


def test_one_persons_links_leave_those_of_others_alone(store: Store) -> None:
    link = store.make("ana")
    store.make("ben", "c2")
    assert store.open(link.token) is not None


async def test_many_use_one_link_at_once_and_one_gets_in(store: Store) -> None:
    link = store.make()

    def use(number: int) -> bool:
        try:
            return isinstance(store.open(link.token) if number % 2 else store.pair(link.digits, str(number)), Opened)
        except Overtaken:
            return False

    assert sum(await asyncio.gather(*(asyncio.to_thread(use, number) for number in range(8)))) == 1


def test_a_third_wrong_code_ends_it_even_for_the_right_one(store: Store, clock: Clock) -> None:
    link = store.make()
    results = [store.pair(wrong(link.digits)) for _ in range(WRONG_TRIES)]
    assert results == [PairResult.WRONG, PairResult.WRONG, PairResult.LOCKED]
    assert store.pair(link.digits) is PairResult.LOCKED
    assert isinstance(store.pair(link.digits, "somebody else"), Opened)
    clock.forward(seconds=VALID.total_seconds() + 1)
    assert isinstance(store.pair(store.make().digits), Opened)


def test_many_guessers_do_not_get_more_tries_together(store: Store) -> None:
    digits = store.make().digits
    for number in range(WRONG_TRIES_IN_ALL):
        store.pair(wrong(digits), f"guesser {number}")
    assert store.pair(digits, "one more") is PairResult.LOCKED


def test_nothing_that_is_stored_or_exported_opens_anything(store: Store, database: Database, clock: Clock) -> None:
    with database.unit_of_work() as unit:
        ana = Profiles(unit, clock()).find_or_create(WEB, Assurance.ANONYMOUS).id
        unit.commit()
    link = store.make(ana)
    with database.unit_of_work() as unit:
        (row,) = unit.rows(LinkRow)
        kept, exported = str(vars(row)), archive(unit, clock(), ana)
        assert row.token is not None
        assert row.code is not None
        assert not any(digest in exported for digest in (row.token, row.code))
    assert not any(secret in kept + exported for secret in (link.token, link.digits))


def test_only_where_it_was_made_its_token_can_be_drawn_again_while_it_is_good(store: Store, clock: Clock) -> None:
    link = store.make()
    assert store.do(lambda links: links.token_for(link.id, WEB)) == link.token
    assert store.do(lambda links: links.token_for(link.id, PHONE)) is None
    assert store.do(lambda links: links.token_for("another", WEB)) is None
    clock.forward(seconds=VALID.total_seconds() + 1)
    assert store.do(lambda links: links.token_for(link.id, WEB)) is None
    used = store.make()
    store.open(used.token)
    assert store.do(lambda links: links.token_for(used.id, WEB)) is None


def test_only_so_many_are_sent_to_one_number(store: Store, clock: Clock) -> None:
    def may_send() -> bool:
        return store.do(lambda links: links.may_send(PHONE))

    for _ in range(SENDS_PER_QUARTER_HOUR):
        assert may_send()
        store.make(address=PHONE)
    assert not may_send()
    clock.forward(minutes=15)
    assert may_send()
    for _ in range(SENDS_PER_DAY - SENDS_PER_QUARTER_HOUR):
        clock.forward(minutes=15)
        store.make(address=PHONE)
    clock.forward(minutes=15)
    assert not may_send()
    clock.forward(days=1)
    assert may_send()


def test_what_no_limit_looks_back_at_is_dropped(store: Store, database: Database, clock: Clock) -> None:
    store.pair(wrong(store.make().digits))
    clock.forward(seconds=KEPT.total_seconds())
    store.make("ben", "c2")
    with database.unit_of_work() as unit:
        assert ([row.person_id for row in unit.rows(LinkRow)], unit.rows(LinkTryRow)) == (["ben"], [])


def test_a_forgotten_persons_link_opens_nothing_and_their_tries_count_on(
    store: Store, database: Database, clock: Clock
) -> None:
    with database.unit_of_work() as unit:
        ana = Profiles(unit, clock()).find_or_create(WEB, Assurance.ANONYMOUS).id
        unit.commit()
    link, other = store.make(ana), store.make("ben", "c2")
    store.pair(wrong(link.digits), ana)
    with database.unit_of_work() as unit:
        forget(unit, clock(), clock().date(), KEY, ana)
        unit.commit()
    with database.unit_of_work() as unit:
        assert [row.person_id for row in unit.rows(LinkRow)] == ["ben"]
        assert [row.person_id for row in unit.rows(LinkTryRow)] == [""]
    assert store.open(link.token) is None
    assert store.open(other.token) is not None


def test_a_merge_takes_a_link_along_and_undoing_it_gives_it_back(
    store: Store, database: Database, clock: Clock
) -> None:
    with database.unit_of_work() as unit:
        profiles = Profiles(unit, clock())
        ana, ben = (profiles.find_or_create(address, Assurance.ANONYMOUS).id for address in (WEB, PHONE))
        unit.commit()
    link = store.make(ben, "c2", PHONE)
    with database.unit_of_work() as unit:
        assert Profiles(unit, clock()).link(ana, PHONE, "sms code")[0] is LinkOutcome.MERGED
        unit.commit()
    with database.unit_of_work() as unit:
        assert Links(unit, clock(), KEY).open(link.token) == Opened(ana, "c2", PHONE)  # and nothing is committed
    clock.forward(minutes=1)
    with database.unit_of_work() as unit:
        Merges(unit, clock()).undo(ben)
        unit.commit()
    assert store.open(link.token) == Opened(ben, "c2", PHONE)


def test_ten_minutes_are_ten_minutes(store: Store, clock: Clock) -> None:
    link = store.make()
    clock.forward(seconds=VALID.total_seconds())
    with store.database.unit_of_work() as unit:
        assert Links(unit, clock(), KEY).open(link.token) is not None
    clock.moment += timedelta(microseconds=1)
    assert store.open(link.token) is None
    assert store.pair(link.digits) is PairResult.WRONG
