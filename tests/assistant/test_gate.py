"""The gate: before an action runs, and again when its turn is committed."""

import warnings
from collections.abc import Callable

import pytest

from assistant import training
from assistant.conversation import Conversations
from assistant.database import Database
from assistant.dialogue import Dialogue
from assistant.profiles import Profiles
from assistant.settings import Settings
from assistant.transcripts import TurnRow
from assistant.turns import Address, Assurance, Modality
from tests.assistant.bot.actions import bot_actions
from tests.assistant.conftest import Clock, Device, MakeCore

pytestmark = pytest.mark.anyio

PHONE = Address("phone", "+447700900123")


class Meanwhile:
    """What somebody else does while an action runs, once."""

    def __init__(self) -> None:
        self.does: Callable[[], None] | None = None
        self.runs = 0

    def __call__(self) -> None:
        self.runs += 1
        does, self.does = self.does, None
        if does is not None:
            does()


@pytest.fixture(scope="module")
def meanwhile() -> Meanwhile:
    return Meanwhile()


@pytest.fixture(scope="module")
def watched_bot(small_bot_settings: Settings, meanwhile: Meanwhile) -> Dialogue:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Rasa's own
        model = training.trusted_model(small_bot_settings)
        return training.load(model, bot_actions(meanwhile), {"shop_name": "Fiore"})


@pytest.fixture
def core(make_core: MakeCore, watched_bot: Dialogue, meanwhile: Meanwhile) -> Conversations:
    meanwhile.does, meanwhile.runs = None, 0
    core = make_core()
    core.dialogue = watched_bot
    return core


@pytest.fixture
def kim(database: Database, clock: Clock) -> str:
    """An employee's id."""
    with database.unit_of_work() as unit:
        person = Profiles(unit, clock()).add_employee("Kim", PHONE)
        unit.commit()
    return person.id


@pytest.fixture
def texts(core: Conversations, clock: Clock) -> Device:
    return Device(core, clock, PHONE, "sms", Modality.TEXT)


def name_of(database: Database, person_id: str) -> str | None:
    with database.unit_of_work() as unit:
        return Profiles(unit, Clock()()).get(person_id).name


async def said(device: Device, text: str) -> list[str]:
    return [message.text for message in (await device.say(text)).messages]


async def test_who_meets_the_needs_is_served(texts: Device, kim: str, database: Database) -> None:
    assert await said(texts, "brew for staff") == ["Tea for the staff."]
    assert name_of(database, kim) == "had staff tea"


async def test_a_refused_action_does_not_run(
    core: Conversations, clock: Clock, kim: str, database: Database, meanwhile: Meanwhile
) -> None:
    call = Device(core, clock, PHONE, "voice", Modality.VOICE)
    assert await said(call, "brew for staff") == ["Prove who you are first."]
    assert meanwhile.runs == 0
    assert name_of(database, kim) == "Kim"


async def test_a_role_that_is_taken_while_the_action_runs_is_missed_at_the_commit(
    texts: Device, kim: str, clock: Clock, database: Database, meanwhile: Meanwhile
) -> None:
    def dismiss() -> None:
        with database.unit_of_work() as unit:
            Profiles(unit, clock()).remove_employee(kim)
            unit.commit()

    meanwhile.does = dismiss
    assert await said(texts, "brew for staff") == ["That is for people who work here."]
    assert meanwhile.runs == 1
    assert name_of(database, kim) == "Kim"


async def test_a_number_that_changes_hands_while_the_action_runs_is_missed_at_the_commit(
    texts: Device, kim: str, clock: Clock, database: Database, meanwhile: Meanwhile
) -> None:
    def part() -> None:
        with database.unit_of_work() as unit:
            Profiles(unit, clock()).part(PHONE, "given up")
            unit.commit()

    meanwhile.does = part
    assert await said(texts, "brew for staff") == ["Prove who you are first."]
    assert name_of(database, kim) == "Kim"


async def test_what_was_said_is_recorded_with_how_sure_we_were(
    texts: Device, kim: str, core: Conversations, database: Database
) -> None:
    await texts.say("hello")
    with database.unit_of_work() as unit:
        (turn,) = unit.rows(TurnRow)
    assert turn.assurance == Assurance.PROVEN
