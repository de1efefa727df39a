"""One-time codes: used once, soon and from where they were asked for, and never sent or tried too often."""

import hashlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from assistant.codes import (
    DIGITS,
    FAILURES_PER_DAY,
    SENDS_PER_DAY,
    SENDS_PER_HOUR_FROM_ORIGIN,
    SENDS_PER_HOUR_IN_ALL,
    SENDS_PER_QUARTER_HOUR,
    VALID,
    WRONG_TRIES,
    CodeCheck,
    CodeResult,
    CodeRow,
    Codes,
)
from assistant.database import Database, Overtaken
from assistant.turns import Address
from tests.assistant.conftest import Clock

PHONE = Address("phone", "+447700900123")
KEY = b"k" * 32


class Desk:
    """Makes and tries codes, each in a transaction of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def make(
        self,
        person: str = "ana",
        address: Address = PHONE,
        conversation: str = "c1",
        origin: str | None = None,
    ) -> str | None:
        with self._database.unit_of_work() as unit:
            digits = Codes(unit, self._clock(), KEY).make(person, conversation, address, origin=origin)
            unit.commit()
        return digits

    def code(self, person: str = "ana", address: Address = PHONE, conversation: str = "c1") -> str:
        digits = self.make(person, address, conversation)
        assert digits is not None
        return digits

    def check(self, digits: str, person: str = "ana", conversation: str = "c1") -> CodeCheck:
        with self._database.unit_of_work() as unit:
            check = Codes(unit, self._clock(), KEY).check(person, conversation, digits)
            unit.commit()
        return check

    def tries(self, digits: str, times: int) -> list[CodeResult]:
        return [self.check(digits).result for _ in range(times)]

    def forget(self, person: str = "ana") -> frozenset[Address]:
        with self._database.unit_of_work() as unit:
            addresses = Codes(unit, self._clock(), KEY).forget(person)
            unit.commit()
        return addresses


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    return Desk(database, clock)


def number(index: int) -> Address:
    return Address("phone", f"+4477009{index:05}")


def other_than(digits: str) -> str:
    return f"{(int(digits) + 1) % 10**DIGITS:0{DIGITS}}"


def test_the_right_code_proves_the_address_once(desk: Desk) -> None:
    code = desk.code()
    assert len(code) == DIGITS
    assert desk.check(code) == CodeCheck(CodeResult.RIGHT, PHONE)
    assert desk.check(code) == CodeCheck(CodeResult.DEAD)


def test_a_code_lives_until_its_last_second(desk: Desk, clock: Clock) -> None:
    code = desk.code()
    clock.forward(seconds=VALID.total_seconds())
    assert desk.check(code).result is CodeResult.RIGHT
    code = desk.code()
    clock.forward(seconds=VALID.total_seconds() + 1)
    assert desk.check(code).result is CodeResult.DEAD


def test_the_last_wrong_try_kills_the_code(desk: Desk) -> None:
    code = desk.code()
    assert desk.tries(other_than(code), WRONG_TRIES) == [CodeResult.WRONG] * (WRONG_TRIES - 1) + [CodeResult.DEAD]
    assert desk.check(code).result is CodeResult.DEAD


def test_the_right_code_after_wrong_tries_is_right(desk: Desk) -> None:
    code = desk.code()
    desk.tries(other_than(code), WRONG_TRIES - 1)
    assert desk.check(code).result is CodeResult.RIGHT


def test_a_new_code_kills_the_one_before_even_in_another_conversation(desk: Desk) -> None:
    old = desk.code(conversation="c1")
    new = desk.code(conversation="c2")
    assert desk.check(old, conversation="c1").result is CodeResult.DEAD
    assert desk.check(new, conversation="c2").result is CodeResult.RIGHT


@pytest.mark.parametrize(("person", "conversation"), [("ana", "c2"), ("eve", "c1")])
def test_a_code_of_somewhere_else_is_no_code(desk: Desk, person: str, conversation: str) -> None:
    code = desk.code("ana", conversation="c1")
    assert desk.check(code, person, conversation).result is CodeResult.DEAD
    assert desk.check(code).result is CodeResult.RIGHT


def test_after_too_many_wrong_tries_a_person_is_locked_for_a_day(desk: Desk, clock: Clock) -> None:
    for _ in range(FAILURES_PER_DAY // WRONG_TRIES):
        desk.tries(other_than(desk.code()), WRONG_TRIES)
        clock.forward(minutes=15)
    assert desk.check(desk.code()).result is CodeResult.LOCKED
    clock.forward(days=1)
    assert desk.check(desk.code()).result is CodeResult.RIGHT


def test_a_quarter_of_an_hour_has_its_limit(desk: Desk, clock: Clock) -> None:
    sent = [desk.make(person) for person in ("ana", "ben", "eve", "joe")]
    assert sent.count(None) == 1
    assert sent[SENDS_PER_QUARTER_HOUR:] == [None]
    assert desk.make(address=Address("phone", "+447700900124")) is not None
    clock.forward(minutes=15)
    assert desk.make() is not None


def test_a_day_has_its_limit(desk: Desk, clock: Clock) -> None:
    for _ in range(SENDS_PER_DAY):
        assert desk.make() is not None
        clock.forward(minutes=20)
    assert desk.make() is None
    clock.forward(days=1)
    assert desk.make() is not None


def test_everybody_together_has_a_limit(desk: Desk, database: Database, clock: Clock) -> None:
    with database.unit_of_work() as unit:
        codes = Codes(unit, clock(), KEY)
        for index in range(SENDS_PER_HOUR_IN_ALL):
            assert codes.make(f"p{index}", f"c{index}", number(index), origin=None) is not None
        unit.commit()
    assert desk.make() is None
    clock.forward(hours=1)
    assert desk.make() is not None


def ask_from(desk: Desk, origins: Iterable[str | None]) -> list[bool]:
    """Whether a code was sent to each of many numbers, asked for from these places, by somebody else each time."""
    return [desk.make(f"p{i}", number(i), f"c{i}", origin) is not None for i, origin in enumerate(origins)]


def test_one_place_on_the_network_has_a_limit_whatever_the_numbers(desk: Desk, clock: Clock) -> None:
    sent = ask_from(desk, ["203.0.113.9"] * (SENDS_PER_HOUR_FROM_ORIGIN + 1))
    assert sent == [True] * SENDS_PER_HOUR_FROM_ORIGIN + [False]
    assert desk.make(origin="203.0.113.10") is not None
    clock.forward(hours=1)
    assert ask_from(desk, ["203.0.113.9"]) == [True]


def test_who_has_one_address_of_an_ipv6_network_has_no_more_than_one_limit(desk: Desk) -> None:
    neighbours = [f"2001:db8:0:1::{index:x}" for index in range(1, SENDS_PER_HOUR_FROM_ORIGIN + 2)]
    assert ask_from(desk, neighbours)[-1] is False
    assert desk.make(origin="2001:db8:0:2::1") is not None


def test_an_ipv4_address_written_as_ipv6_is_the_same_place(desk: Desk) -> None:
    assert ask_from(desk, ["203.0.113.9"] * SENDS_PER_HOUR_FROM_ORIGIN + ["::ffff:203.0.113.9"])[-1] is False
    assert desk.make(origin="::ffff:203.0.113.10") is not None


@pytest.mark.parametrize("origin", [None, "127.0.0.1", "::1"])
def test_this_machine_and_nowhere_are_no_place(desk: Desk, origin: str | None) -> None:
    assert all(ask_from(desk, [origin] * (SENDS_PER_HOUR_FROM_ORIGIN + 1)))


@pytest.mark.parametrize("origin", ["a proxy's socket", "fe80::1%eth0", "203.0.113.999"])
def test_a_place_of_any_form_is_one(desk: Desk, origin: str) -> None:
    assert ask_from(desk, [origin] * (SENDS_PER_HOUR_FROM_ORIGIN + 1))[-2:] == [True, False]


def test_where_a_code_was_asked_for_is_kept_as_a_keyed_digest_only(desk: Desk, database: Database) -> None:
    desk.make(origin="203.0.113.9")
    with database.unit_of_work() as unit:
        (row,) = unit.rows(CodeRow)
        assert row.origin is not None
        plain = hashlib.sha256(b"origin|203.0.113.9").hexdigest()
        assert "203.0.113" not in row.origin
        assert row.origin != plain


def test_the_digits_are_not_kept(desk: Desk, database: Database) -> None:
    code = desk.code()
    with database.unit_of_work() as unit:
        (row,) = unit.rows(CodeRow)
        assert code not in row.digest


def test_what_no_limit_looks_at_any_more_is_deleted(desk: Desk, database: Database, clock: Clock) -> None:
    desk.code()
    clock.forward(days=1)
    desk.code()
    with database.unit_of_work() as unit:
        assert [row.sent_at for row in unit.rows(CodeRow)] == [clock()]


def test_being_forgotten_kills_the_code_and_leaves_no_number(desk: Desk, database: Database) -> None:
    code = desk.code()
    assert desk.forget() == {PHONE}
    assert desk.check(code).result is CodeResult.DEAD
    with database.unit_of_work() as unit:
        (row,) = unit.rows(CodeRow)
        assert (row.person_id, row.conversation_id, row.digest) == ("", "", "")
        assert PHONE.value not in row.value


def test_being_forgotten_does_not_begin_the_limits_anew(desk: Desk) -> None:
    for person in ("ana", "ben", "eve"):
        desk.code(person)
        desk.forget(person)
    assert desk.make("joe") is None


def test_being_forgotten_does_not_begin_the_limit_of_a_place_anew(desk: Desk) -> None:
    for index in range(SENDS_PER_HOUR_FROM_ORIGIN):
        assert desk.make(f"p{index}", number(index), origin="203.0.113.9") is not None
        desk.forget(f"p{index}")
    assert desk.make(origin="203.0.113.9") is None


def outcomes_at_once(tries: int, attempt: Callable[[], CodeResult]) -> list[CodeResult | None]:
    """What several get who have all read before the first of them writes; None for who was overtaken."""
    with ThreadPoolExecutor(tries) as pool:
        return [future.result() for future in [pool.submit(_overtaken_or, attempt) for _ in range(tries)]]


def _overtaken_or(attempt: Callable[[], CodeResult]) -> CodeResult | None:
    try:
        return attempt()
    except Overtaken:
        return None


def test_the_right_code_tried_by_two_at_once_is_right_once(desk: Desk, database: Database, clock: Clock) -> None:
    code = desk.code()
    all_have_read = threading.Barrier(2)

    def attempt() -> CodeResult:
        with database.unit_of_work() as unit:
            check = Codes(unit, clock(), KEY).check("ana", "c1", code)
            all_have_read.wait()
            unit.commit()
        return check.result

    assert set(outcomes_at_once(2, attempt)) == {CodeResult.RIGHT, None}
    assert desk.check(code).result is CodeResult.DEAD


def test_wrong_tries_at_once_all_count(desk: Desk, database: Database, clock: Clock) -> None:
    code = desk.code()

    def attempt() -> CodeResult:
        while True:
            try:
                return desk.check(other_than(code)).result
            except Overtaken:
                continue

    results = outcomes_at_once(WRONG_TRIES, attempt)
    assert results.count(CodeResult.WRONG) == WRONG_TRIES - 1
    assert desk.check(code).result is CodeResult.DEAD


def test_ten_thousand_guesses_from_a_hundred_addresses_find_nothing(desk: Desk, database: Database) -> None:
    """The guessers ask for a new code as soon as theirs is dead, and at last even learn each code."""
    guessers, learnt = [f"guesser {index}" for index in range(100)], dict[str, str]()
    looked_at = right = 0
    for turn in range(10_000):
        guesser = guessers[turn % 100]
        new = desk.make(guesser, origin=f"198.51.100.{turn % 100}") if turn // 100 % WRONG_TRIES == 0 else None
        digits = learnt[guesser] = new or learnt.get(guesser, "")
        result = desk.check(other_than(digits or "000000"), guesser).result
        looked_at += result is CodeResult.WRONG
        right += result is CodeResult.RIGHT
    assert right == 0
    assert looked_at <= SENDS_PER_DAY * WRONG_TRIES
    with database.unit_of_work() as unit:
        alive = {row.person_id for row in unit.rows(CodeRow, done=False)}
    late = {guesser: desk.check(digits, guesser).result for guesser, digits in learnt.items() if guesser not in alive}
    assert CodeResult.RIGHT not in late.values()
