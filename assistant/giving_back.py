"""Giving a conversation that staff had back to the assistant, and telling a person who waits for their text."""

from datetime import datetime

from assistant import apologies
from assistant.choices import offer
from assistant.claims import NUMBERS
from assistant.database import UnitOfWork
from assistant.notices import Notices
from assistant.outbox import Outbox
from assistant.profiles import Profiles
from assistant.shop import Shop
from assistant.transcripts import ConversationRow, Transcripts, TurnRow, reply_from_json
from assistant.turns import Message, Modality, Reply

_KEY = "given back"


def give_back(unit: UnitOfWork, now: datetime, shop: Shop, conversation_id: str, *, texting: bool) -> bool:
    """Give the conversation back to the assistant. False when nobody holds it.

    Somebody who last wrote by text is told in a line, with the question that is open: nothing else would show them that
    the assistant listens again. Elsewhere it says so itself once they are back.
    """
    conversation = unit.row(ConversationRow, id=conversation_id)
    if conversation is None or not Transcripts(unit, now).release(conversation_id):
        return False
    if texting and _is_by_text(unit, conversation):
        question = _open_question(unit, conversation)
        person = Profiles(unit, now).get(conversation.person_id)
        text = f"{shop.name}: {apologies.TAKEN_BACK.text} {_written(question)}"
        key = f"{_KEY} {conversation.id} {conversation.turns}"
        if Notices(Outbox(unit, now), shop, now).notify(person, text, key=key) and question is not None:
            offer(conversation, Reply((question,)))
    return True


def is_moot(unit: UnitOfWork, key: str) -> bool:
    """Whether the outgoing message with this key says that a conversation was given back which went on meanwhile.

    It may have waited for the end of quiet hours in which the person wrote to us.
    """
    if not key.startswith(_KEY):
        return False
    conversation_id, turns = key.removeprefix(_KEY).split()
    conversation = unit.row(ConversationRow, id=conversation_id, closed_at=None)
    return conversation is None or conversation.turns != int(turns)


def _is_by_text(unit: UnitOfWork, conversation: ConversationRow) -> bool:
    """A call and a text from one number have one address, so the last turn has to be looked at."""
    last = unit.row(TurnRow, conversation_id=conversation.id, number=conversation.turns)
    return conversation.kind in NUMBERS and last is not None and last.modality == Modality.TEXT


def _open_question(unit: UnitOfWork, conversation: ConversationRow) -> Message | None:
    """The question that was open when staff took over: it ends each reply of the dialogue before that."""
    if conversation.asked_slot is None:
        return None
    for number in range(conversation.turns, 0, -1):
        turn = unit.row(TurnRow, conversation_id=conversation.id, number=number)
        reply = reply_from_json(turn.reply) if turn and turn.outcome == "answered" else None
        if reply is not None and reply.messages and not reply.handed_off:
            return reply.messages[-1]
    return None


def _written(question: Message | None) -> str:
    if question is None:
        return "Just answer this message."
    return "\n".join((question.text, *(f"{n} {choice.title}" for n, choice in enumerate(question.choices, 1))))
