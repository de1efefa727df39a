"""The choices a conversation offered: which one a person picks, pressed or in words."""

import json
import re

from assistant.transcripts import ISSUED_CHOICES, ConversationRow
from assistant.turns import Choice, Reply, Turn


def picked(conversation: ConversationRow, turn: Turn) -> Choice | None:
    """The choice this turn picks: the one that was pressed, its number in the last reply, or its very words.

    Only what was offered in this conversation counts: a payload is a command to the dialogue, and none may come from
    outside.
    """
    if turn.choice is not None:
        issued = json.loads(conversation.issued_choices)
        return Choice(turn.text, turn.choice) if turn.choice in issued else None
    offered = [Choice(title, payload) for title, payload in json.loads(conversation.open_choices)]
    said = turn.text.strip().rstrip(".)").strip()
    if re.fullmatch(r"[0-9]{1,2}", said):
        index = int(said) - 1
        return offered[index] if 0 <= index < len(offered) else None
    return next((choice for choice in offered if choice.title.casefold() == said.casefold()), None)


def offer(conversation: ConversationRow, reply: Reply) -> None:
    """Remember what this reply offers."""
    offered = [choice for message in reply.messages for choice in message.choices]
    payloads = [choice.payload for choice in offered]
    earlier = [payload for payload in json.loads(conversation.issued_choices) if payload not in payloads]
    conversation.open_choices = json.dumps([[choice.title, choice.payload] for choice in offered], ensure_ascii=False)
    conversation.issued_choices = json.dumps([*earlier, *payloads][-ISSUED_CHOICES:], ensure_ascii=False)
