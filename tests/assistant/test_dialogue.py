"""What Rasa is made to do differently."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.answer import Answering, House
from assistant.database import Database
from assistant.dialogue import MAX_CHARACTERS, Dialogue
from assistant.profiles import Profiles
from assistant.shop import Shop
from assistant.transcripts import Transcripts
from assistant.turns import Address, Assurance, Modality, Reply, Turn, TurnKind
from tests.assistant.conftest import SHOP

NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.anyio


class Talk:
    """One conversation without the use case around it; nothing is written."""

    def __init__(self, dialogue: Dialogue, database: Database) -> None:
        self._dialogue = dialogue
        self._database = database
        self._memory: str | None = None
        self._asked: str | None = None

    async def say(self, text: str, modality: Modality = Modality.TEXT) -> Reply:
        turn = Turn("web", Address("web", "x"), "t", TurnKind.SAID, text, modality, Assurance.ANONYMOUS, NOW)
        house = House(Shop.load(SHOP), b"k" * 32, texting=False, hold=timedelta(minutes=1), deadline_seconds=20)
        with self._database.unit_of_work() as unit:
            person = Profiles(unit, NOW).find_or_create(turn.address, turn.assurance)
            conversation = Transcripts(unit, NOW).start(person.id, turn)
            conversation.memory, conversation.asked_slot = self._memory, self._asked
            answer = await Answering(house, self._dialogue, unit, person, conversation, turn, NOW).answer()
            self._memory, self._asked = conversation.memory, conversation.asked_slot
        return answer.reply


@pytest.fixture
def talk(small_bot: Dialogue, tmp_path: Path) -> Talk:
    database = Database(f"sqlite:///{tmp_path}/assistant.db")
    database.migrate()
    return Talk(small_bot, database)


async def test_the_modality_picks_the_wording(talk: Talk) -> None:
    heard = await talk.say("i want tea", Modality.VOICE)
    assert (heard.messages[0].speech, heard.reprompt) == ("Which tea would you like?", "Green or black?")
    seen = await talk.say("i want tea", Modality.SCREEN)
    assert seen.messages[0].text == "Which tea?"


async def test_a_response_can_show_a_card(talk: Talk) -> None:
    (message,) = (await talk.say("how much is it")).messages
    assert message.card is not None
    assert (message.card.title, message.card.image) == ("Prices", "/channels/web/art/tea.svg")


async def test_a_choice_keeps_its_payload_as_written(talk: Talk) -> None:
    (message,) = (await talk.say("i want tea")).messages
    assert [choice.payload for choice in message.choices] == ['/choose{"tea": "green"}', '/choose{"tea": "black"}']


async def test_a_slot_of_two_turns_ago_is_remembered(talk: Talk) -> None:
    await talk.say("i want tea")
    await talk.say("green")
    await talk.say("how much is it")
    assert [message.text for message in (await talk.say("no")).messages] == ["Here is your green tea."]


def test_what_reaches_understanding_is_capped(small_bot: Dialogue) -> None:
    begin = "how much is it "
    assert small_bot.parse(begin + "x" * MAX_CHARACTERS * 100) == small_bot.parse(begin + "x" * MAX_CHARACTERS)
