"""Screens that follow a conversation: who may pair one, what it may do, and when it stops."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from assistant import apologies
from assistant.conversation import Conversations
from assistant.database import Database, Overtaken
from assistant.screens import (
    IDLE,
    VALID,
    WRONG_TRIES,
    WRONG_TRIES_IN_ALL,
    PairResult,
    ScreenCodes,
    ScreenRow,
    Screens,
)
from assistant.transcripts import ConversationRow
from assistant.turns import Address, Exchange, Modality, Reply
from tests.assistant.conftest import Clock, Device, MakeCore

pytestmark = pytest.mark.anyio

PHONE = Address("phone", "+447700900123")
TELEVISION, TABLET = Address("screen", "a" * 64), Address("screen", "b" * 64)
KEY = b"k" * 32
T = TypeVar("T")


class Store:
    """The store at the clock's moment, each act a unit of work of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    def new_code(self, address: Address = TELEVISION) -> str:
        return self._do(lambda screens: screens.new_code(address))

    def pair(self, digits: str, person: str = "ana", conversation: str = "c1") -> PairResult:
        return self._do(lambda screens: screens.pair(person, conversation, digits))

    def wrong(self, digits: str) -> str:
        return f"{(int(digits) + 1) % 10**8:08}"

    def of(self, conversation: str) -> tuple[Address, ...]:
        with self.database.unit_of_work() as unit:
            return Screens(unit, self.clock(), KEY).of(conversation)

    def _do(self, act: Callable[[Screens], T]) -> T:
        with self.database.unit_of_work() as unit:
            result = act(Screens(unit, self.clock(), KEY))
            unit.commit()
        return result


@pytest.fixture
def store(database: Database, clock: Clock) -> Store:
    return Store(database, clock)


def test_a_code_pairs_once(store: Store) -> None:
    digits = store.new_code()
    assert store.pair(digits) is PairResult.PAIRED
    assert store.of("c1") == (TELEVISION,)
    assert store.pair(digits, "ben", "c2") is PairResult.WRONG
    assert store.of("c2") == ()


def test_a_code_is_good_for_ten_minutes(store: Store, clock: Clock) -> None:
    digits = store.new_code()
    clock.forward(seconds=VALID.total_seconds() + 1)
    assert store.pair(digits) is PairResult.WRONG


def test_a_new_code_kills_the_one_before_and_ends_what_was_followed(store: Store) -> None:
    old = store.new_code()
    assert store.pair(store.new_code()) is PairResult.PAIRED
    assert store.pair(old, "ben", "c2") is PairResult.WRONG
    store.new_code()
    assert store.of("c1") == ()


def test_a_third_wrong_code_ends_it_even_for_the_right_one(store: Store, clock: Clock) -> None:
    digits = store.new_code()
    results = [store.pair(store.wrong(digits)) for _ in range(WRONG_TRIES)]
    assert results == [PairResult.WRONG, PairResult.WRONG, PairResult.LOCKED]
    assert store.pair(digits) is PairResult.LOCKED
    clock.forward(seconds=VALID.total_seconds() + 1)
    assert store.pair(store.new_code()) is PairResult.PAIRED


def test_many_guessers_do_not_get_more_tries_together(store: Store) -> None:
    digits = store.new_code()
    for number in range(WRONG_TRIES_IN_ALL):
        store.pair(store.wrong(digits), f"guesser {number}")
    assert store.pair(digits, "one more") is PairResult.LOCKED


def test_the_digits_are_not_kept(store: Store, database: Database) -> None:
    digits = store.new_code()
    with database.unit_of_work() as unit:
        (row,) = unit.rows(ScreenRow)
    assert digits not in str(vars(row))


def test_a_second_screen_takes_over_from_the_first(store: Store) -> None:
    store.pair(store.new_code(TELEVISION))
    store.pair(store.new_code(TABLET))
    assert store.of("c1") == (TABLET,)


async def test_two_people_give_one_code_at_once_and_one_gets_the_screen(store: Store, database: Database) -> None:
    digits = store.new_code()

    def give(person: str) -> PairResult:
        try:
            return store.pair(digits, person, f"conversation of {person}")
        except Overtaken:
            return PairResult.WRONG

    results = await asyncio.gather(*(asyncio.to_thread(give, str(number)) for number in range(8)))
    assert results.count(PairResult.PAIRED) == 1


@pytest.fixture
def core(make_core: MakeCore) -> Conversations:
    return make_core()


@pytest.fixture
def voice(core: Conversations, clock: Clock) -> Device:
    return Device(core, clock, PHONE, channel="voice", modality=Modality.VOICE)


@pytest.fixture
def screen(core: Conversations, clock: Clock) -> Device:
    return Device(core, clock, TELEVISION, channel="screen")


@pytest.fixture
async def paired(voice: Device, screen: Device, store: Store) -> Device:
    """The screen once it follows the conversation that the voice began."""
    await voice.say("i want tea")
    with store.database.unit_of_work() as unit:
        (conversation,) = unit.rows(ConversationRow)
    assert store.pair(store.new_code(), conversation.person_id, conversation.id) is PairResult.PAIRED
    return screen


def texts(reply: Reply) -> list[str]:
    return [message.text for message in reply.messages]


async def test_the_screen_shows_what_is_said_and_a_press_moves_the_conversation(voice: Device, paired: Device) -> None:
    (shown,) = await paired.core.history(TELEVISION)
    assert shown.text == "i want tea"
    async with paired.core.follow(TELEVISION) as seen, voice.core.follow(PHONE) as heard:
        pressed = await paired.say("Green", choice='/choose{"tea": "green"}')
        assert texts(pressed) == ["With sugar?"]
        for exchanges in (seen, heard):
            exchange: Exchange = await asyncio.wait_for(anext(exchanges), 10)
            assert (exchange.channel, exchange.reply) == ("screen", pressed)
        assert texts(await voice.say("two spoons")) == ["Here is your green tea."]


async def test_a_screen_that_follows_nothing_speaks_for_nobody(screen: Device, store: Store) -> None:
    store.new_code()
    assert await screen.say("x", choice="/greet") == apologies.NOT_FOLLOWING
    assert await screen.core.history(TELEVISION) == ()
    with store.database.unit_of_work() as unit:
        assert unit.rows(ConversationRow) == []


async def test_a_screen_stops_when_nothing_happens_and_stays_while_something_does(
    voice: Device, paired: Device, clock: Clock, store: Store
) -> None:
    codes = ScreenCodes(store.database, clock, KEY)
    clock.moment += IDLE - timedelta(seconds=1)
    await voice.say("green")
    clock.moment += IDLE - timedelta(seconds=1)
    assert await codes.follows(TELEVISION)
    clock.forward(seconds=1)
    assert not await codes.follows(TELEVISION)
    assert await paired.say("x", choice="/greet") == apologies.NOT_FOLLOWING
    assert await paired.core.history(TELEVISION) == ()


async def test_a_screen_stops_when_the_conversation_ends(paired: Device, clock: Clock, store: Store) -> None:
    with store.database.unit_of_work() as unit:
        (conversation,) = unit.rows(ConversationRow)
        conversation.closed_at = clock()
        unit.commit()
    assert not await ScreenCodes(store.database, clock, KEY).follows(TELEVISION)
    assert await paired.say("x", choice="/greet") == apologies.NOT_FOLLOWING
