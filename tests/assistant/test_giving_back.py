"""Staff give a conversation back: who waits for their text is told, with the question that was open."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant import apologies
from assistant.conversation import Conversations
from assistant.database import Database
from assistant.delivery import Delivery
from assistant.giving_back import give_back
from assistant.metrics import Metrics
from assistant.outbox import OutboxRow, OutboxStatus
from assistant.profiles import Profiles
from assistant.quiet import QuietHours
from assistant.shop import Shop
from assistant.transcripts import ConversationRow, Transcripts
from assistant.turns import Address, Modality, Reply
from tests.assistant.conftest import SHOP, Clock, Device, MakeCore

pytestmark = pytest.mark.anyio

PHONE = Address("phone", "+447700900123")
BACK = "Fiore: I'm back. My colleagues keep what you wrote."


class Inbox:
    """Takes what is pushed."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def push(self, address: Address, reply: Reply) -> None:
        self.texts += [message.text for message in reply.messages]


class Phone(Device):
    """Somebody who writes from a proved number, and what is sent there."""

    def __init__(self, core: Conversations, clock: Clock, database: Database, address: Address = PHONE) -> None:
        super().__init__(core, clock, address, channel="sms", modality=Modality.TEXT)
        self.database = database
        self.inbox = Inbox()
        self.delivery = Delivery(database, {address.kind: self.inbox}, Metrics(database), clock)

    @property
    def person_id(self) -> str:
        with self.database.unit_of_work() as unit:
            person = Profiles(unit, self.clock()).find(self.address)
            assert person is not None
            return person.id

    def prove(self) -> None:
        with self.database.unit_of_work() as unit:
            Profiles(unit, self.clock()).link(self.person_id, self.address, "sms code")
            unit.commit()

    def stay_quiet(self, quiet: QuietHours) -> None:
        with self.database.unit_of_work() as unit:
            Profiles(unit, self.clock()).set_quiet(self.person_id, quiet)
            unit.commit()

    def given_back(self, *, texting: bool = True) -> bool:
        with self.database.unit_of_work() as unit:
            transcripts = Transcripts(unit, self.clock())
            current = transcripts.open_of(self.person_id)
            assert current is not None
            given = give_back(unit, self.clock(), Shop.load(Path(SHOP)), current.id, texting=texting)
            unit.commit()
            return given

    async def received(self) -> list[str]:
        await self.delivery.send_due()
        return self.inbox.texts


@pytest.fixture
def phone(make_core: MakeCore, clock: Clock, database: Database) -> Phone:
    return Phone(make_core(), clock, database)


async def test_the_open_question_is_asked_again_with_its_choices(phone: Phone) -> None:
    asked = await phone.say("i want tea")
    phone.prove()
    question = asked.messages[-1]
    assert question.choices
    await phone.say("a person please")
    assert phone.given_back()
    numbered = "\n".join(f"{n} {choice.title}" for n, choice in enumerate(question.choices, 1))
    assert await phone.received() == [f"{BACK} {question.text}\n{numbered}"]
    reply = await phone.say("1")
    assert apologies.TAKEN_BACK not in reply.messages
    assert reply.messages[-1].text != question.text


async def test_without_an_open_question_they_may_just_answer(phone: Phone) -> None:
    await phone.say("hello")
    phone.prove()
    await phone.say("a person please")
    phone.given_back()
    assert await phone.received() == [f"{BACK} Just answer this message."]


async def test_what_waited_over_night_is_not_sent_once_they_went_on(phone: Phone, clock: Clock) -> None:
    clock.moment = datetime(2026, 5, 20, 21, 30, tzinfo=UTC)
    await phone.say("a person please")
    phone.prove()
    phone.stay_quiet(QuietHours(22 * 60, 7 * 60))
    phone.given_back()
    assert await phone.received() == []
    await phone.say("hello again")
    clock.forward(hours=10)
    assert await phone.received() == []
    with phone.database.unit_of_work() as unit:
        (row,) = unit.rows(OutboxRow)
        assert (row.status, row.reason) == (OutboxStatus.FAILED, "not needed any more")


async def test_what_waited_over_night_is_sent_in_the_morning(phone: Phone, clock: Clock) -> None:
    clock.moment = datetime(2026, 5, 20, 21, 30, tzinfo=UTC)
    await phone.say("a person please")
    phone.prove()
    phone.stay_quiet(QuietHours(22 * 60, 7 * 60))
    phone.given_back()
    clock.forward(hours=8, minutes=29)
    assert await phone.received() == []
    clock.forward(minutes=1)
    assert await phone.received() == [f"{BACK} Just answer this message."]


async def test_a_number_that_nobody_proved_is_not_written_to(phone: Phone) -> None:
    await phone.say("a person please")
    assert phone.given_back()
    assert await phone.received() == []


async def test_nothing_is_written_where_texting_is_off(phone: Phone) -> None:
    await phone.say("a person please")
    phone.prove()
    assert phone.given_back(texting=False)
    assert await phone.received() == []


async def test_who_talks_on_a_screen_or_a_call_is_not_written_to(phone: Phone) -> None:
    phone.modality = Modality.VOICE
    await phone.say("a person please")
    phone.prove()
    assert phone.given_back()
    assert await phone.received() == []


async def test_what_nobody_holds_is_not_given_back(phone: Phone) -> None:
    await phone.say("hello")
    phone.prove()
    assert not phone.given_back()
    with phone.database.unit_of_work() as unit:
        assert not give_back(unit, phone.clock(), Shop.load(Path(SHOP)), "nobody", texting=True)
        assert [row.held_until for row in unit.rows(ConversationRow)] == [None]
    assert await phone.received() == []
