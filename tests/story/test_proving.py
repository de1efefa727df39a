"""What somebody may not do yet: the way up that fits the channel, and then what they had asked for."""

import asyncio
import re
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actions import all_actions
from assistant import training
from assistant.answer import House
from assistant.assurance import ALOUD
from assistant.conversation import Conversations
from assistant.database import Database
from assistant.dialogue import Dialogue
from assistant.live import LiveHere
from assistant.metrics import Metrics
from assistant.orders import OrderRow
from assistant.outbox import OutboxRow
from assistant.profiles import Profiles
from assistant.settings import Settings
from assistant.shop import Shop
from assistant.transcripts import TurnRow
from assistant.turns import Address, Assurance, Modality, Reply, Turn, TurnKind
from tests.conftest import ENGINES, fresh_database

ROOT = Path(__file__).parents[2]
SHOP = Shop.load(ROOT / "data/shop.yml")
PHONE = Address("phone", "+447700900123")
OTHER = Address("phone", "+447700900456")
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@dataclass
class Clock:
    """A clock that stands still until it is turned."""

    moment: datetime = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, span: timedelta) -> None:
        self.moment += span


@dataclass
class Device:
    """One way in: a call, a text, a page, a speaker."""

    core: Conversations
    clock: Clock
    channel: str
    address: Address
    modality: Modality
    assurance: Assurance = Assurance.ANONYMOUS
    shared: bool = False
    account: Address | None = None
    last: Reply | None = None
    last_turn_id: str = ""

    def turn(self, text: str, kind: TurnKind = TurnKind.SAID) -> Turn:
        self.last_turn_id = uuid.uuid4().hex
        return Turn(
            self.channel,
            self.address,
            self.last_turn_id,
            kind,
            text,
            self.modality,
            self.assurance,
            self.clock(),
            account=self.account,
            shared=self.shared,
        )

    def say(self, text: str, kind: TurnKind = TurnKind.SAID) -> str:
        """What is answered, in one string. It takes a second."""
        self.clock.forward(timedelta(seconds=1))
        self.last = asyncio.run(self.core.converse(self.turn(text, kind)))
        return "\n".join(message.text for message in self.last.messages)


@dataclass
class Town:
    """A shop with everybody's devices."""

    core: Conversations
    clock: Clock
    database: Database

    def page(self, name: str = "b1", account: Address | None = None) -> Device:
        assurance = Assurance.PROVEN if account else Assurance.ANONYMOUS
        return Device(
            self.core, self.clock, "web", Address("web", name), Modality.SCREEN, assurance=assurance, account=account
        )

    def texts(self, number: Address = PHONE) -> Device:
        return Device(self.core, self.clock, "sms", number, Modality.TEXT, Assurance.CLAIMED)

    def call(self, number: Address = PHONE) -> Device:
        return Device(self.core, self.clock, "voice", number, Modality.VOICE, Assurance.CLAIMED)

    def speaker(self) -> Device:
        place = Address("wyoming", "kitchen")
        return Device(self.core, self.clock, "wyoming", place, Modality.VOICE, Assurance.CLAIMED, shared=True)

    def code(self, number: Address = PHONE) -> str:
        """The last code that was sent to a number."""
        with self.database.unit_of_work() as unit:
            sent = unit.rows(OutboxRow, kind=number.kind, value=number.value, secret=True)
        last = max(sent, key=lambda row: row.created_at)
        found = re.search(r"\b\d{6}\b", last.text or "")
        assert found
        return found[0]

    def texted(self, number: Address = PHONE) -> int:
        with self.database.unit_of_work() as unit:
            return len(unit.rows(OutboxRow, kind=number.kind, value=number.value))

    def prove(self, device: Device, number: Address = PHONE) -> str:
        """Go on by text from a page."""
        device.say("can we continue by text?")
        device.say(number.value)
        return device.say(self.code(number))

    def order(self, device: Device) -> str:
        """Order something; its number."""
        for line in ("I'd like the rose garden for saturday", "12 Elm Road, Hackney E8 1AA", "no card", "cash"):
            device.say(line)
        number = re.search(r"F-\d+", device.say("yes"))
        assert number
        return number[0]

    def hire(self, name: str, number: Address) -> None:
        with self.database.unit_of_work() as unit:
            Profiles(unit, self.clock()).add_employee(name, number)
            unit.commit()


@pytest.fixture(scope="module")
def dialogue(model: None) -> Dialogue:
    settings = Settings(data_dir=ROOT / "data", config_file=ROOT / "config.yml", models_dir=ROOT / "models")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Rasa's own
        return training.load(training.model_path(settings), all_actions(), {"shop_name": SHOP.name})


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database for each test: they are about the same few numbers."""
    yield from fresh_database(request, tmp_path)


@pytest.fixture
def town(database: Database, dialogue: Dialogue) -> Iterator[Town]:
    clock = Clock()
    house = House(SHOP, b"k" * 32, True, timedelta(minutes=30), 20.0, "https://shop.example")
    core = Conversations(
        database,
        house,
        dialogue,
        LiveHere(database),
        Metrics(database),
        turns_per_minute=10_000,
        idle={},
        now=clock,
        on_commit=lambda: None,
    )
    yield Town(core, clock, database)
    core.close()


def aloud(digits: str) -> str:
    """A code as somebody reads it out."""
    return " ".join(WORDS[int(digit)] for digit in digits)


def test_a_caller_proves_themselves_and_then_hears_what_they_asked_for(town: Town) -> None:
    page = town.page()
    number = town.order(page)
    town.prove(page)
    call = town.call()
    assert "Rose" not in call.say("", TurnKind.OPENED)
    assert "six-digit code" in call.say("where is my order?")
    answer = call.say(aloud(town.code()))
    assert answer.startswith("Thank you.")
    assert number in answer
    assert number in call.say("what's the status of my order")  # no code again in this call
    call.say("", TurnKind.CLOSED)
    assert number not in town.call().say("where is my order?")


def test_a_proof_given_aloud_ends_with_silence(town: Town) -> None:
    page = town.page()
    number = town.order(page)
    town.prove(page)
    call = town.call()
    call.say("where is my order?")
    call.say(town.code())
    town.clock.forward(ALOUD - timedelta(seconds=2))
    assert number in call.say("where is my order?")
    town.clock.forward(ALOUD - timedelta(seconds=2))
    assert number in call.say("where is my order?")
    town.clock.forward(ALOUD)
    assert number not in call.say("where is my order?")


def test_what_cannot_be_taken_back_needs_a_fresh_proof(town: Town) -> None:
    page = town.page()
    town.prove(page)
    town.clock.forward(timedelta(hours=1))
    assert "code" in page.say("please forget me")
    answer = page.say(town.code())
    assert "Shall I forget you?" in answer
    assert "forgotten" in page.say("yes")


def test_somebody_who_proved_nothing_is_asked_for_nothing(town: Town) -> None:
    page = town.page()
    assert "Shall I forget you?" in page.say("please forget me")


def test_an_employee_on_a_strange_page_proves_the_number_and_goes_on(town: Town) -> None:
    town.hire("Kim", PHONE)
    page = town.page()
    assert "Which mobile number" in page.say("my printer is broken, can IT help?")
    page.say("07700 900123")
    answer = page.say(town.code())
    assert "Noted: my printer is broken" in answer
    assert answer.endswith("Does it keep you from working?")


def test_a_customer_who_proves_themselves_still_is_no_employee(town: Town) -> None:
    page = town.page()
    page.say("my printer is broken, can IT help?")
    page.say("07700 900123")
    assert "for people who work at Fiore" in page.say(town.code())


def test_the_order_goes_on_after_the_way_up(town: Town) -> None:
    page = town.page()
    town.prove(page)
    call = town.call()
    assert "day" in call.say("I'd like to order the rose garden")
    call.say("what do you know about me?")
    answer = call.say(town.code())
    assert "You have not ordered yet" in answer
    assert "day" in answer.rsplit("\n", 1)[-1]
    assert "address" in call.say("saturday")


def test_the_order_goes_on_when_the_way_up_is_left(town: Town) -> None:
    page = town.page()
    town.prove(page)
    call = town.call()
    call.say("I'd like to order the rose garden")
    call.say("what do you know about me?")
    answer = call.say("never mind")
    assert "You have not ordered yet" not in answer
    assert "day" in answer
    assert "address" in call.say("saturday")


def test_a_proved_person_cannot_prove_themselves_with_another_number(town: Town) -> None:
    town.prove(town.page())
    speaker_of_an_attacker = town.call()
    speaker_of_an_attacker.say("what do you know about me?")
    refused = speaker_of_an_attacker.say("text it to 07700 900456 instead")
    assert town.texted(OTHER) == 0
    assert "proved before" in refused


def test_a_forged_caller_cannot_add_a_number_of_their_own(town: Town) -> None:
    town.prove(town.page())
    forged = town.call()
    forged.say("can we continue by text on 07700 900456?")
    forged.say("07700 900456")
    assert town.texted(OTHER) == 0


def test_a_speaker_is_nobodys_until_somebody_proves_who_they_are(town: Town) -> None:
    page = town.page()
    number = town.order(page)
    town.prove(page)
    speaker = town.speaker()
    assert "Which mobile number" in speaker.say("where is my order?")
    assert number not in speaker.say("07700 900123")
    answer = speaker.say(aloud(town.code()))
    assert number in answer
    page_history = asyncio.run(town.core.history(page.address))
    assert page_history[-1].channel == "wyoming"  # one conversation
    town.clock.forward(ALOUD)
    assert number not in speaker.say("where is my order?")  # whoever speaks now


def test_two_people_at_one_speaker_hear_only_of_themselves(town: Town) -> None:
    numbers = {}
    for phone, name in ((PHONE, "b1"), (OTHER, "b2")):
        page = town.page(name)
        numbers[phone] = town.order(page)
        town.prove(page, phone)
    speaker = town.speaker()
    for phone, other in ((PHONE, OTHER), (OTHER, PHONE)):
        speaker.say("", TurnKind.OPENED)
        speaker.say("where is my order?")
        speaker.say(phone.value)
        answer = speaker.say(town.code(phone))
        assert numbers[phone] in answer
        assert numbers[other] not in answer


def test_what_was_begun_at_the_speaker_goes_on_with_whoever_proves_who_they_are(town: Town) -> None:
    page = town.page()
    town.prove(page)
    page.say("I'd like the wild berry")  # another order, begun before
    speaker = town.speaker()
    speaker.say("I'd like to order the rose garden")
    speaker.say("what do you know about me?")
    speaker.say("07700 900123")
    speaker.say(town.code())
    assert "address" in speaker.say("saturday")
    assert "Rose Garden" in town.texts().say("where were we?")


def test_a_channels_account_is_the_same_person_everywhere(town: Town) -> None:
    user = Address("site", "42")
    first, second = town.page("b1"), town.page("b2", user)
    first.say("I'd like the rose garden")  # before signing in
    first.account = user
    assert "address" in first.say("saturday")
    assert "Rose Garden" in second.say("", TurnKind.OPENED)
    first.account = None  # signed out, on a browser that others use too
    assert "Rose Garden" not in first.say("", TurnKind.OPENED)
    with town.database.unit_of_work() as unit:
        person = Profiles(unit, town.clock()).find(user)
        assert person is not None
        assert [known.address for known in person.addresses] == [user]
        turns = unit.rows(TurnRow, turn_id=second.last_turn_id)
        assert [turn.assurance for turn in turns] == [Assurance.PROVEN]


def test_an_account_does_not_take_over_a_page_of_somebody_who_proved_who_they_are(town: Town) -> None:
    page = town.page()
    number = town.order(page)
    town.prove(page)
    page.account = Address("site", "42")
    assert number not in page.say("where is my order?")
    page.account = None
    assert number in page.say("where is my order?")


def pairing_code(page: Device) -> str:
    """The digits that connect another device, as the page shows them."""
    found = re.search(r"\b\d{4}\s\d{4}\b", page.say("how do I connect my speaker?"))
    assert found
    return found[0]


def test_a_code_from_the_page_brings_a_call_into_its_conversation(town: Town) -> None:
    page = town.page()
    number = town.order(page)
    town.prove(page)
    page.say("I'd like the wild berry")
    call = town.call(OTHER)  # from a friend's phone
    answer = call.say(f"my pairing code is {aloud(pairing_code(page).replace(chr(160), ''))}")
    assert "Wild Berry" in answer
    assert "day" in answer.rsplit("\n", 1)[-1]
    assert "address" in call.say("saturday")
    assert number in call.say("where is my last order?")
    call.say("", TurnKind.CLOSED)
    assert "Wild Berry" not in town.call(OTHER).say("", TurnKind.OPENED)
    assert "Wild Berry" not in town.texts(OTHER).say("hello")  # the code proved nothing about the number
    assert "Wild Berry" in town.page().say("", TurnKind.OPENED)


def test_a_code_from_the_page_tells_a_speaker_who_speaks(town: Town) -> None:
    page = town.page()
    number = town.order(page)
    town.prove(page)
    speaker = town.speaker()
    speaker.say(f"my pairing code is {pairing_code(page)}")
    assert number in speaker.say("where is my order?")
    speaker.say("", TurnKind.OPENED)
    assert number not in speaker.say("where is my order?")


def test_a_code_from_one_page_goes_on_on_another(town: Town) -> None:
    first, second = town.page("b1"), town.page("b2")
    first.say("I'd like the rose garden")
    assert "Rose Garden" in second.say(f"my pairing code is {pairing_code(first)}")
    assert "address" in second.say("saturday")
    assert "card say" in first.say("12 Elm Road, Hackney E8 1AA")
    with town.database.unit_of_work() as unit:
        people = {Profiles(unit, town.clock()).find(device.address) for device in (first, second)}
    assert len(people) == 1
    (person,) = people
    assert person is not None
    assert all(known.proven_at is None for known in person.addresses)  # two anonymous browsers prove nobody


def test_a_code_is_good_once(town: Town) -> None:
    page = town.page()
    page.say("I'd like the rose garden")
    code = pairing_code(page)
    town.call().say(f"my pairing code is {code}")
    assert "Rose Garden" not in town.call(OTHER).say(f"my pairing code is {code}")


def test_a_forged_caller_hears_nothing_of_an_order_that_was_begun_by_text(town: Town) -> None:
    texts = town.texts()
    for line in ("I'd like the rose garden for saturday", "7 Canary Lane, Hackney E8 1AA", "no card"):
        texts.say(line)
    forged = town.call()
    heard = [forged.say("", TurnKind.OPENED), forged.say("say that again"), forged.say("cash"), forged.say("yes")]
    for told in ("Rose", "Canary", "Saturday"):
        assert told not in "".join(heard)
    with town.database.unit_of_work() as unit:
        assert unit.rows(OrderRow) == []


def test_who_calls_back_proves_who_they_are_before_hearing_the_whole_order(town: Town) -> None:
    page = town.page()
    town.prove(page)
    for line in ("I'd like the rose garden for saturday", "12 Elm Road, Hackney E8 1AA", "no card"):
        page.say(line)
    call = town.call()
    assert "Rose Garden" not in call.say("", TurnKind.OPENED)
    assert "six-digit code" in call.say("cash on delivery")
    summary = call.say(aloud(town.code()))
    for told in ("Thank you.", "Rose Garden", "12 Elm Road", "Cash on delivery", "Shall I place the order?"):
        assert told in summary
    assert re.search(r"F-\d+", call.say("yes"))


def test_a_call_that_began_an_order_hears_it_through_without_a_code(town: Town) -> None:
    call = town.call()
    call.say("", TurnKind.OPENED)
    for line in ("I'd like the rose garden for saturday", "12 Elm Road, Hackney E8 1AA", "no card"):
        call.say(line)
    assert "12 Elm Road" in call.say("cash on delivery")
    assert re.search(r"F-\d+", call.say("yes"))
