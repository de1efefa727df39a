"""One turn, one transaction: answered once, in order, whole or not at all."""

import asyncio
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from assistant import apologies
from assistant.answer import LONG_SILENCE
from assistant.conversation import Conversations
from assistant.database import Database
from assistant.dialogue import Dialogue
from assistant.profiles import Profiles
from assistant.transcripts import ConversationRow, Transcripts, TurnRow
from assistant.turns import Address, Modality, Reply, TurnKind
from tests.assistant.conftest import Clock, Device, MakeCore

pytestmark = pytest.mark.anyio

WEB = Address("web", "a" * 64)
OTHER_WEB = Address("web", "b" * 64)
PHONE = Address("phone", "+447700900123")


@pytest.fixture
def core(make_core: MakeCore) -> Conversations:
    return make_core()


@pytest.fixture
def web(core: Conversations, clock: Clock) -> Device:
    return Device(core, clock, WEB)


def texts(reply: Reply) -> list[str]:
    return [message.text for message in reply.messages]


def count_turns(database: Database) -> int:
    with database.unit_of_work() as unit:
        return unit.session.scalar(select(func.count()).select_from(TurnRow)) or 0


def names(database: Database) -> list[str | None]:
    with database.unit_of_work() as unit:
        return [person.name for person in Profiles(unit, Clock()()).newest(10)]


async def test_a_turn_is_answered_and_kept(web: Device, database: Database) -> None:
    reply = await web.say("hello")
    assert texts(reply) == ["Hello from Fiore."]
    assert reply.turn == 1
    (exchange,) = await web.core.history(WEB)
    assert (exchange.text, exchange.reply) == ("hello", reply)


async def test_the_same_turn_again_gets_the_same_reply_and_happens_once(web: Device, database: Database) -> None:
    first = await web.say("i want tea", turn_id="m1")
    assert await web.say("i want tea", turn_id="m1") == first
    assert count_turns(database) == 1


async def test_fifty_copies_of_one_turn_at_once_are_one_turn(web: Device, database: Database) -> None:
    replies = await asyncio.gather(*(web.say("i want tea", turn_id="m1") for _ in range(50)))
    assert set(replies) == {replies[0]}
    assert count_turns(database) == 1


async def test_copies_on_two_replicas_at_once_are_one_turn(
    make_core: MakeCore, clock: Clock, database: Database
) -> None:
    devices = [Device(make_core(), clock, WEB) for _ in range(2)]
    replies = await asyncio.gather(*(devices[index % 2].say("i want tea", turn_id="m1") for index in range(20)))
    assert set(replies) == {replies[0]}
    assert count_turns(database) == 1


async def test_turns_on_two_replicas_at_once_lose_nothing(
    make_core: MakeCore, clock: Clock, database: Database
) -> None:
    devices = [Device(make_core(), clock, WEB) for _ in range(2)]
    await devices[0].say("hello")
    replies = await asyncio.gather(
        *(device.say("hello", turn_id=f"{index}-{turn}") for turn in range(5) for index, device in enumerate(devices))
    )
    assert sorted(reply.turn for reply in replies) == list(range(2, 12))


async def test_two_devices_of_one_person_are_answered_in_order(
    web: Device, core: Conversations, clock: Clock, database: Database
) -> None:
    await web.say("hello")
    phone = await linked_phone(web, core, clock, database)
    await phone.say("hello")  # from now on we know whose it is
    replies = await asyncio.gather(*(device.say("hello") for _ in range(5) for device in (web, phone)))
    assert [reply.turn for reply in replies] == list(range(replies[0].turn, replies[0].turn + 10))


async def linked_phone(web: Device, core: Conversations, clock: Clock, database: Database) -> Device:
    with database.unit_of_work() as unit:
        profiles = Profiles(unit, clock())
        person = profiles.find(web.address)
        assert person is not None
        profiles.link(person.id, PHONE, "test")
        unit.commit()
    return Device(core, clock, PHONE, channel="sms", modality=Modality.TEXT)


async def test_nobody_waits_for_another_persons_turn(core: Conversations, web: Device, clock: Clock) -> None:
    stuck = asyncio.create_task(web.say("hang forever"))
    other = Device(core, clock, OTHER_WEB)
    try:
        async with asyncio.timeout(10):
            assert texts(await other.say("hello")) == ["Hello from Fiore."]
        assert not stuck.done()
    finally:
        stuck.cancel()


async def test_a_form_goes_on_where_it_was_on_another_channel(
    web: Device, core: Conversations, clock: Clock, database: Database
) -> None:
    await web.say("i want tea")
    await web.say("Green", choice='/choose{"tea": "green"}')
    phone = await linked_phone(web, core, clock, database)
    assert texts(await phone.say("two spoons")) == ["We were at your green tea.", "Here is your green tea."]


async def test_two_channels_side_by_side_are_told_where_it_was_once(
    web: Device, core: Conversations, clock: Clock, database: Database
) -> None:
    await web.say("i want tea")
    phone = await linked_phone(web, core, clock, database)
    assert texts(await phone.say("how much is it")) == [
        "We were at your first tea.",
        "A cup is two pounds.",
        "Which tea?",
    ]
    assert texts(await web.say("how much is it")) == ["A cup is two pounds.", "Which tea?"]
    clock.forward(minutes=11)
    assert texts(await phone.say("how much is it"))[0] == "We were at your first tea."


async def test_after_a_digression_the_open_question_is_asked_again(web: Device) -> None:
    await web.say("i want tea")
    assert texts(await web.say("how much is it")) == ["A cup is two pounds.", "Which tea?"]


async def test_an_action_that_raises_leaves_nothing_and_the_person_is_told(web: Device, database: Database) -> None:
    await web.say("i want tea")
    reply = await web.say("break it")
    assert reply.messages == apologies.FAILED.messages
    assert names(database) == [None]
    assert texts(await web.say("Green", choice='/choose{"tea": "green"}')) == ["With sugar?"]


async def test_what_an_action_raised_is_logged_without_its_words(
    web: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    await web.say("break it")
    written = "".join(capsys.readouterr())
    assert "RuntimeError" in written
    assert "actions.py:" in written
    assert "900123" not in written


async def test_a_dialogue_that_never_listens_fails_the_turn(web: Device) -> None:
    assert (await web.say("loop loop loop")).messages == apologies.FAILED.messages


async def test_an_answer_that_takes_too_long_becomes_an_apology(
    make_core: MakeCore, clock: Clock, database: Database
) -> None:
    web = Device(make_core(deadline_seconds=0.3), clock, WEB)
    first = await web.say("hang forever", turn_id="m1")
    assert first.messages == apologies.TOO_SLOW.messages
    assert await web.say("hang forever", turn_id="m1") == first


async def test_the_number_or_the_words_pick_an_open_choice(core: Conversations, clock: Clock) -> None:
    for said in ("2", "2.", "black", " BLACK "):
        device = Device(core, clock, Address("phone", f"+4477009001{len(said)}{said.strip()[-1]}"), "sms")
        await device.say("i want tea")
        assert texts(await device.say(said)) == ["With sugar?"]


async def test_a_payload_we_did_not_offer_is_not_obeyed(web: Device) -> None:
    await web.say("i want tea")
    reply = await web.say("x", choice='/choose{"tea": "polonium"}')
    assert reply.messages == apologies.STALE_CHOICE.messages
    assert texts(await web.say("", choice='/choose{"tea": "black"}')) == ["With sugar?"]


@pytest.mark.parametrize("text", ["/restart", "/session_start", '/choose{"tea": "polonium"}', "//greet", " /greet"])
async def test_a_command_of_the_dialogue_is_only_text(web: Device, text: str) -> None:
    await web.say("i want tea")
    reply = await web.say(text)
    assert reply.messages[-1].text in ("Which tea?", "With sugar?")
    assert "polonium" not in str(await web.core.history(WEB))[: -len(text)] or text.startswith("/choose")


async def test_staff_hold_a_conversation_and_the_person_takes_it_back(web: Device, database: Database) -> None:
    await web.say("i want tea")
    handed = await web.say("a human please")
    assert handed.handed_off
    assert handed.messages[-1].choices == (apologies.TAKE_BACK,)
    silent = await web.say("hello?")
    assert (silent.messages, silent.handed_off) == ((), True)
    back = await web.say("go on with the assistant")
    assert texts(back) == [apologies.TAKEN_BACK.text, "Which tea?"]
    assert not back.handed_off


async def test_a_hold_ends_by_itself(web: Device, clock: Clock) -> None:
    await web.say("a human please")
    clock.forward(minutes=31)
    assert texts(await web.say("hello")) == [apologies.HOLD_ENDED.text, "Hello from Fiore."]


async def test_a_released_conversation_is_answered_again(web: Device, clock: Clock, database: Database) -> None:
    await web.say("a human please")
    with database.unit_of_work() as unit:
        transcripts = Transcripts(unit, clock())
        ((conversation_id, address, _),) = transcripts.held()
        assert address == WEB
        assert transcripts.release(conversation_id)
        unit.commit()
    assert texts(await web.say("hello")) == ["Hello from Fiore."]


async def test_after_a_long_silence_a_new_conversation_begins(web: Device, clock: Clock, database: Database) -> None:
    await web.say("i want tea")
    clock.forward(hours=25)
    assert texts(await web.say("hello")) == ["Hello from Fiore."]
    with database.unit_of_work() as unit:
        closed = [row.closed_at is not None for row in unit.rows(ConversationRow)]
    assert sorted(closed) == [False, True]


async def test_after_hours_of_silence_it_is_said_where_it_was_before_going_on(web: Device, clock: Clock) -> None:
    await web.say("i want tea")
    clock.forward(seconds=LONG_SILENCE.total_seconds())
    assert texts(await web.say("green")) == ["With sugar?"]
    clock.forward(seconds=LONG_SILENCE.total_seconds() + 1)
    assert texts(await web.say("hello")) == ["We were at your green tea.", "Hello from Fiore.", "With sugar?"]


async def test_how_long_a_conversation_waits_hangs_on_the_channel(core: Conversations, clock: Clock) -> None:
    call = Device(core, clock, PHONE, channel="voice", modality=Modality.VOICE)
    await call.say("i want tea")
    clock.forward(hours=1, seconds=1)  # of this channel nothing is set, so an hour
    assert texts(await call.say("hello")) == ["Hello from Fiore."]


async def test_opening_again_with_a_form_open_says_where_it_was(web: Device) -> None:
    assert texts(await web.do(TurnKind.OPENED)) == ["Hello from Fiore."]
    await web.say("i want tea")
    assert texts(await web.do(TurnKind.OPENED)) == ["We were at your first tea.", "Which tea?"]


async def test_hanging_up_is_recorded_and_not_answered(web: Device, database: Database) -> None:
    await web.say("hello")
    reply = await web.do(TurnKind.CLOSED)
    assert (reply.messages, reply.listen) == ((), False)
    assert count_turns(database) == 2


async def test_too_many_turns_get_a_polite_limit_and_repeats_do_not_count(
    make_core: MakeCore, clock: Clock, database: Database
) -> None:
    web = Device(make_core(turns_per_minute=3), clock, WEB)
    for index in range(3):
        assert texts(await web.say("hello", turn_id=f"m{index}")) == ["Hello from Fiore."]
    assert texts(await web.say("hello", turn_id="m2")) == ["Hello from Fiore."]
    limited = await web.say("hello", turn_id="m4")
    assert (limited.messages, limited.turn) == (apologies.TOO_MANY.messages, 0)
    assert count_turns(database) == 3


async def test_other_devices_are_shown_what_was_said(
    web: Device, core: Conversations, clock: Clock, database: Database
) -> None:
    await web.say("hello")
    phone = await linked_phone(web, core, clock, database)
    async with core.follow(WEB) as exchanges:
        await phone.say("i want tea")
        exchange = await anext(exchanges)
    assert (exchange.channel, exchange.text, texts(exchange.reply)) == ("sms", "i want tea", ["Which tea?"])


async def test_a_model_is_swapped_while_people_talk(web: Device, core: Conversations, small_bot: Dialogue) -> None:
    turns = asyncio.gather(*(web.say("hello") for _ in range(10)))
    core.dialogue = Dialogue(small_bot._processor)
    assert all(texts(reply) == ["Hello from Fiore."] for reply in await turns)


async def test_a_card_number_is_not_kept(web: Device) -> None:
    await web.say("my card is 4111 1111 1111 1111 ok")
    (exchange,) = await web.core.history(WEB)
    assert exchange.text == "my card is •••• 1111 ok"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(
        st.text(max_size=200),
        st.sampled_from(
            [
                "",
                " ",
                "/",
                "/restart",
                '/choose{"tea": "x"}',
                "\x00\ud800\x07\x1b[2J",
                "\u202egnitirw\u202c",
                "<speak><audio src='x'/></speak>",
                "'; DROP TABLE people; --",
                "{tea} {shop_name} {0.__class__}",
                "🍵" * 400,
                "word " * 500,
            ]
        ),
    )
)
async def test_whatever_is_said_is_only_text_and_is_answered(core: Conversations, clock: Clock, text: str) -> None:
    stranger = Device(core, clock, Address("web", uuid.uuid4().hex))
    assert (await stranger.say(text)).messages
