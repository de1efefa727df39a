"""What is kept of a conversation: every turn once and in order, no code, no card number, nothing of the forgotten."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.database import Database, Overtaken, UnitOfWork
from assistant.transcripts import (
    FORGOTTEN,
    HISTORY_TURNS,
    ConversationRow,
    Transcripts,
    TurnRecord,
    TurnRow,
    kept_reply,
    redact,
    reply_from_json,
    reply_to_json,
)
from assistant.turns import Address, Assurance, Card, Choice, Message, Modality, Reply, Turn, TurnKind

NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)
WEB = Address("web", "a" * 64)
HELLO = Reply((Message("Hello."),))
ANSWERED = TurnRecord("answered")
TEXTS = st.text(max_size=20)
OPTIONAL = st.none() | TEXTS
REPLIES = st.builds(
    Reply,
    st.lists(
        st.builds(
            Message,
            TEXTS,
            OPTIONAL,
            st.lists(st.builds(Choice, TEXTS, TEXTS), max_size=3).map(tuple),
            st.none() | st.builds(Card, TEXTS, TEXTS, OPTIONAL, TEXTS),
        ),
        max_size=3,
    ).map(tuple),
    st.booleans(),
    OPTIONAL,
    st.booleans(),
    st.integers(0, 10_000),
)


def a_turn(text: str, turn_id: str, address: Address = WEB, channel: str = "web") -> Turn:
    return Turn(channel, address, turn_id, TurnKind.SAID, text, Modality.SCREEN, Assurance.ANONYMOUS, NOW)


def keep(unit: UnitOfWork, conversation: ConversationRow, *texts: str, record: TurnRecord = ANSWERED) -> list[int]:
    transcripts = Transcripts(unit, NOW)
    return [
        transcripts.append(conversation, a_turn(text, f"{conversation.id}-{text}"), HELLO, record, 1).turn
        for text in texts
    ]


def test_turns_are_numbered_and_read_back_in_order(database: Database) -> None:
    with database.unit_of_work() as unit:
        conversation = Transcripts(unit, NOW).start("ana", a_turn("", "0"))
        assert keep(unit, conversation, "one", "two", "three") == [1, 2, 3]
        unit.commit()
    with database.unit_of_work() as unit:
        exchanges = Transcripts(unit, NOW).history(conversation.id)
    assert [(exchange.text, exchange.reply.turn) for exchange in exchanges] == [("one", 1), ("two", 2), ("three", 3)]


def test_history_is_the_last_turns(database: Database) -> None:
    with database.unit_of_work() as unit:
        conversation = Transcripts(unit, NOW).start("ana", a_turn("", "0"))
        keep(unit, conversation, *map(str, range(HISTORY_TURNS + 5)))
        unit.commit()
        texts = [exchange.text for exchange in Transcripts(unit, NOW).history(conversation.id)]
    assert texts == [str(number) for number in range(5, HISTORY_TURNS + 5)]


def test_a_turn_is_kept_once_and_its_reply_found_again(database: Database) -> None:
    with database.unit_of_work() as unit:
        conversation = Transcripts(unit, NOW).start("ana", a_turn("", "0"))
        reply = Transcripts(unit, NOW).append(conversation, a_turn("hi", "m1"), HELLO, ANSWERED, 1)
        unit.commit()
    with database.unit_of_work() as unit:
        transcripts = Transcripts(unit, NOW)
        assert transcripts.stored_reply("web", "m1") == reply
        assert transcripts.stored_reply("sms", "m1") is None
        conversation = transcripts.start("ben", a_turn("", "0"))
        transcripts.append(conversation, a_turn("hi", "m1"), HELLO, ANSWERED, 1)
        with pytest.raises(Overtaken):
            unit.commit()


def test_the_latest_of_two_open_conversations_counts_and_the_others_close(database: Database) -> None:
    with database.unit_of_work() as unit:
        old = Transcripts(unit, NOW - timedelta(hours=1)).start("ana", a_turn("", "0"))
        new = Transcripts(unit, NOW).start("ana", a_turn("", "0"))
        other = Transcripts(unit, NOW).start("ben", a_turn("", "0"))
        unit.commit()
        transcripts = Transcripts(unit, NOW)
        assert transcripts.open_of("ana", lock=True) is new
        transcripts.close_others("ana", keep=old.id)
        assert (old.closed_at, new.closed_at, other.closed_at) == (None, NOW, None)


def test_a_held_conversation_is_listed_until_it_is_released_or_over(database: Database) -> None:
    with database.unit_of_work() as unit:
        transcripts = Transcripts(unit, NOW)
        conversation = transcripts.start("ana", a_turn("", "0"))
        conversation.held_until, conversation.hold_reason = NOW + timedelta(minutes=30), "asked"
        unit.commit()
        assert transcripts.held() == [(conversation.id, WEB, NOW + timedelta(minutes=30))]
        assert Transcripts(unit, NOW + timedelta(hours=1)).held() == []
        assert transcripts.release(conversation.id)
        assert not transcripts.release(conversation.id)
        assert not transcripts.release("none")


def test_forgetting_leaves_no_word_of_the_person_and_every_word_of_others(database: Database) -> None:
    with database.unit_of_work() as unit:
        for person in ("ana", "ben"):
            conversation = Transcripts(unit, NOW).start(person, a_turn("", "0"))
            conversation.memory = conversation.hold_reason = f"canary of {person}"
            record = TurnRecord("answered", "greet", 0.9, f'["canary of {person}"]')
            keep(unit, conversation, f"canary of {person}", record=record)
        unit.commit()
        Transcripts(unit, NOW).forget("ana")
        unit.commit()
    with database.unit_of_work() as unit:
        kept = "".join(repr(vars(row)) for row in [*unit.rows(ConversationRow), *unit.rows(TurnRow)])
        kept = kept.replace("-canary of ana", "")  # the id its channel gave the turn
        assert "canary of ana" not in kept
        assert "canary of ben" in kept
        (row,) = unit.rows(ConversationRow, person_id="ana")
        assert (row.closed_at, row.value) == (NOW, "")
        (exchange,) = Transcripts(unit, NOW).history(row.id)
        assert (exchange.text, exchange.reply) == (FORGOTTEN, Reply((Message(FORGOTTEN),), turn=1))


def test_a_code_that_was_asked_for_is_not_kept(database: Database) -> None:
    with database.unit_of_work() as unit:
        conversation = Transcripts(unit, NOW).start("ana", a_turn("", "0"))
        record = TurnRecord("answered", entities='[{"value": "482913"}]', asked_slot="phone_code")
        keep(unit, conversation, "it is 482913", record=record)
        (row,) = unit.rows(TurnRow)
        assert (row.text, row.entities) == ("it is ••••••", None)


def test_a_code_that_was_given_unasked_is_not_kept_however_it_was_said(database: Database) -> None:
    with database.unit_of_work() as unit:
        conversation = Transcripts(unit, NOW).start("ana", a_turn("", "0"))
        record = TurnRecord("answered", "pairing_code")
        keep(unit, conversation, "my pairing code is 1234 5678", record=record)
        keep(unit, conversation, "it's four double Two oh one nine seven six", record=record)
        kept = sorted(row.text for row in unit.rows(TurnRow))
        assert kept == ["it's • • • • • • • •", "my pairing code is •••• ••••"]


def test_a_way_in_is_answered_and_not_kept(database: Database) -> None:
    ways = Message("Say “my pairing code is 1234\u00a05678”.", "Say 1234\u00a05678.")
    link = Message(f"Open this: https://shop.example/go#{'aB-_' * 10}abc")
    other = Message("Call us on 7946 0018, 020 7946 0018 or at https://shop.example/gone#anchor about F-1234.")
    with database.unit_of_work() as unit:
        transcripts = Transcripts(unit, NOW)
        conversation = transcripts.start("ana", a_turn("", "0"))
        reply = Reply((ways, link, other))
        told = transcripts.append(conversation, a_turn("hi", "m1"), reply, ANSWERED, 1)
        assert told.messages == reply.messages
        unit.commit()
    with database.unit_of_work() as unit:
        stored = Transcripts(unit, NOW).stored_reply("web", "m1")
    assert stored == kept_reply(told)
    assert stored is not None
    assert stored.messages == (
        Message("Say “my pairing code is ••••\u00a0••••”.", "Say ••••\u00a0••••."),
        Message("Open this: https://shop.example/go#••••"),
        other,
    )


@settings(max_examples=30)
@given(reply=REPLIES)
def test_a_reply_comes_back_from_the_store_as_it_was(reply: Reply) -> None:
    assert reply_from_json(reply_to_json(reply)) == reply


def luhn(digits: str) -> str:
    """These digits with the check digit that makes them a card number."""
    doubled = [int(digit) * (2 - index % 2) for index, digit in enumerate(reversed(digits))]
    return digits + str(-sum(sum(divmod(number, 10)) for number in doubled) % 10)


CARDS = st.from_regex(r"[2-6][0-9]{11,17}", fullmatch=True).map(luhn)
GAPS = st.sampled_from(["", " ", "-", "  ", " - ", "."])


@given(
    card=CARDS, gap=GAPS, before=st.sampled_from(["", "card", "n°", "12 "]), after=st.sampled_from([" 12/27", " 123"])
)
def test_a_card_number_is_masked_however_it_is_grouped(card: str, gap: str, before: str, after: str) -> None:
    said = before + gap.join(card[start : start + 4] for start in range(0, len(card), 4)) + after
    kept = redact(said, secret=False)
    assert "••••" in kept
    digits = [character for character in kept if character.isdigit()]
    assert card not in "".join(digits)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("my card is 4111 1111 1111 1111 ok", "my card is •••• 1111 ok"),
        ("4111111111111111 12 27 123", "•••• 1111 12 27 123"),
        ("amex 3782 822463 10005.", "amex •••• 0005."),
        ("card4111-1111-1111-1111", "card•••• 1111"),
        ("4111 1111 1111 1111, 5500 0000 0000 0004", "•••• 1111, •••• 0004"),
        ("٤١١١١١١١١١١١١١١١", "•••• ١١١١"),
    ],
)
def test_card_numbers_as_people_write_them(said: str, kept: str) -> None:
    assert redact(said, secret=False) == kept


@given(digits=CARDS.map(lambda card: card[:-1] + str((int(card[-1]) + 1) % 10)))
def test_a_number_with_a_wrong_check_digit_is_no_card(digits: str) -> None:
    assert redact(f"order {digits} please", secret=False) == f"order {digits} please"


@given(text=st.text(st.characters(exclude_categories=["Nd"])) | st.from_regex(r"\+?[0-9]{1,12}", fullmatch=True))
def test_other_words_and_shorter_numbers_are_kept(text: str) -> None:
    assert redact(text, secret=False) == text


@given(text=st.text())
def test_no_digit_of_a_secret_is_kept(text: str) -> None:
    assert not any(character.isdecimal() for character in redact(text, secret=True))
