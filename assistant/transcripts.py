"""Conversations and their turns: open, append, read, redact."""

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import ClassVar
from unicodedata import category

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.database import Base, Remembered, UnitOfWork, new_id
from assistant.turns import Address, Assurance, Card, Choice, Exchange, Message, Reply, Turn, TurnKind

HISTORY_TURNS = 50
ISSUED_CHOICES = 60
"""How many of the choices offered last may still be pressed."""
FORGOTTEN = "(removed)"
_SPOKEN_DIGITS = "zero|nought|oh|o|one|two|three|four|five|six|seven|eight|nine|double|triple|treble"


class ConversationRow(Base):
    """The thread of one person over all channels, and the state of its dialogue."""

    __tablename__ = "conversations"
    __table_args__ = (Index("conversations_open", "person_id", "closed_at"),)
    undone: ClassVar[tuple[str, ...]] = (
        *("last_at", "closed_at", "kind", "value", "channel", "turns", "memory", "asked_slot"),
        *("open_choices", "issued_choices", "held_until", "hold_reason"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str]
    opened_at: Mapped[datetime]
    last_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    kind: Mapped[str]
    """Kind of the address that the person used last."""
    value: Mapped[str]
    channel: Mapped[str]
    """Channel that the person used last."""
    turns: Mapped[int]
    memory: Mapped[str | None]
    """What the dialogue remembers (`assistant/tracker.py`)."""
    asked_slot: Mapped[str | None]
    """What the open form waits for."""
    open_choices: Mapped[str]
    """The choices of the last reply, as JSON pairs of title and payload: what "2" picks from."""
    issued_choices: Mapped[str]
    """Payloads that may be pressed, as JSON."""
    held_until: Mapped[datetime | None] = mapped_column(index=True)
    """While staff have it; the assistant is silent."""
    hold_reason: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy's own declarative form

    def remembered(self) -> Remembered:
        """Nothing of one that is closed, which does not change any more."""
        return {} if self.closed_at else super().remembered()


class TurnRow(Base):
    """One turn. Also the inbox: the same (channel, turn_id) gets the stored reply."""

    __tablename__ = "turns"
    __table_args__ = (UniqueConstraint("channel", "turn_id"), UniqueConstraint("conversation_id", "number"))

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", deferrable=True, initially="DEFERRED"))
    number: Mapped[int]
    channel: Mapped[str]
    turn_id: Mapped[str]
    kind: Mapped[str]
    text: Mapped[str]
    choice: Mapped[str | None]
    modality: Mapped[str]
    assurance: Mapped[int]
    reply: Mapped[str]
    intent: Mapped[str | None]
    confidence: Mapped[float | None]
    entities: Mapped[str | None]
    actions: Mapped[str]
    outcome: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(index=True)
    took_ms: Mapped[int]


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """What is kept of a turn beside the turn itself and its reply."""

    outcome: str
    """`answered`, `stale_choice`, `held`, `failed`, `closed` or `pushed`."""
    intent: str | None = None
    confidence: float | None = None
    entities: str | None = None
    actions: tuple[str, ...] = ()
    asked_slot: str | None = None
    """What the open form had asked for when the turn came."""
    assurance: Assurance | None = None
    """How sure we were of who spoke; as the channel says when None."""

    def kept(self, text: str) -> str:
        """What may be kept and shown of what was said in this turn."""
        secret = any((name or "").endswith("_code") for name in (self.asked_slot, self.intent))
        return redact(text, secret=secret)


class Transcripts:
    """The conversations, within one unit of work."""

    def __init__(self, unit: UnitOfWork, now: datetime) -> None:
        self._unit = unit
        self._now = now

    def open_of(self, person_id: str, *, lock: bool = False) -> ConversationRow | None:
        """The person's open conversation, the latest if there are two. `lock` makes other replicas wait for it."""
        query = (
            select(ConversationRow)
            .where(ConversationRow.person_id == person_id, ConversationRow.closed_at.is_(None))
            .order_by(ConversationRow.last_at.desc())
            .limit(1)
        )
        if lock and self._unit.is_postgresql:
            query = query.with_for_update()
        return self._unit.session.scalars(query.execution_options(populate_existing=lock)).first()

    def going_on(self, person_id: str, conversation_id: str) -> ConversationRow | None:
        """This conversation of the person if it is still open, else whichever is."""
        row = self._unit.row(ConversationRow, id=conversation_id, person_id=person_id, closed_at=None)
        return row or self.open_of(person_id)

    def start(self, person_id: str, turn: Turn) -> ConversationRow:
        """A new conversation, begun by this turn."""
        row = ConversationRow(
            id=new_id(),
            person_id=person_id,
            opened_at=self._now,
            last_at=self._now,
            closed_at=None,
            kind=turn.address.kind,
            value=turn.address.value,
            channel=turn.channel,
            turns=0,
            memory=None,
            asked_slot=None,
            open_choices="[]",
            issued_choices="[]",
            held_until=None,
            hold_reason=None,
        )
        self._unit.add(row)
        return row

    def leave(self, conversation: ConversationRow) -> None:
        """The turn that began this conversation went on in another one; nothing was said here."""
        if conversation.turns == 0:
            self._unit.remove(conversation)

    def close_others(self, person_id: str, keep: str) -> None:
        """Close every open conversation of the person but this one."""
        for row in self._unit.rows(ConversationRow, person_id=person_id, closed_at=None):
            if row.id != keep:
                row.closed_at = self._now

    def move_address(self, old: Address, new: Address) -> None:
        """Conversations that were last at `old` are at `new`."""
        for row in self._unit.rows(ConversationRow, kind=old.kind, value=old.value):
            row.kind, row.value = new.kind, new.value

    def stored_reply(self, channel: str, turn_id: str) -> Reply | None:
        """The reply that this turn was given before, if it was."""
        text = self._unit.session.scalar(
            select(TurnRow.reply).where(TurnRow.channel == channel, TurnRow.turn_id == turn_id)
        )
        return reply_from_json(text) if text is not None else None

    def append(
        self,
        conversation: ConversationRow,
        turn: Turn,
        reply: Reply,
        record: TurnRecord,
        took_ms: int,
        *,
        stays: bool = False,
    ) -> Reply:
        """Add a turn to the conversation, which is where the turn came from from now on unless it `stays` where it is.

        Returns the numbered reply, whole; what is kept of it is `kept_reply`.
        """
        text = record.kept(turn.text)
        conversation.turns += 1
        conversation.last_at = self._now
        if not stays:
            conversation.channel = turn.channel
            conversation.kind, conversation.value = turn.address.kind, turn.address.value
        numbered = replace(reply, turn=conversation.turns)
        self._unit.add(
            TurnRow(
                id=new_id(),
                conversation_id=conversation.id,
                number=conversation.turns,
                channel=turn.channel,
                turn_id=turn.turn_id,
                kind=turn.kind.value,
                text=text,
                choice=turn.choice,
                modality=turn.modality.value,
                assurance=int(turn.assurance if record.assurance is None else record.assurance),
                reply=reply_to_json(kept_reply(numbered)),
                intent=record.intent,
                confidence=record.confidence,
                entities=record.entities if text == turn.text else None,  # they quote the text
                actions=json.dumps(record.actions),
                outcome=record.outcome,
                received_at=turn.received_at,
                took_ms=took_ms,
            )
        )
        return numbered

    def is_of_this_call(self, conversation: ConversationRow, channel: str) -> bool:
        """Whether all that was said in the conversation was said in the call that goes on now, on this channel.

        Who texts from the number, or called from it before, need not be who calls: a caller's number is easily forged.
        """
        turns = self._unit.rows(TurnRow, conversation_id=conversation.id)
        begun = max((row.number for row in turns if row.kind == TurnKind.OPENED), default=0)
        return all(row.channel == channel and row.number >= begun for row in turns)

    def last_on(self, conversation_id: str, channel: str) -> datetime | None:
        """When the conversation last had a turn on this channel."""
        query = select(func.max(TurnRow.received_at)).where(
            TurnRow.conversation_id == conversation_id, TurnRow.channel == channel
        )
        return self._unit.session.scalar(query)

    def history(self, conversation_id: str) -> tuple[Exchange, ...]:
        """The last turns of a conversation, oldest first."""
        query = (
            select(TurnRow)
            .where(TurnRow.conversation_id == conversation_id)
            .order_by(TurnRow.number.desc())
            .limit(HISTORY_TURNS)
        )
        return tuple(map(_exchange, reversed(self._unit.session.scalars(query).all())))

    def exchange(self, conversation_id: str, number: int) -> Exchange | None:
        """One turn of a conversation as it is shown elsewhere."""
        row = self._unit.row(TurnRow, conversation_id=conversation_id, number=number)
        return _exchange(row) if row else None

    def forget(self, person_id: str, last: Turn | None = None) -> None:
        """Take out every word of the person's conversations and close them; that there were turns remains.

        Of the `last` turn, in which they asked for it, our reply stays: the same turn again gets it.
        """
        for conversation in self._unit.rows(ConversationRow, person_id=person_id):
            conversation.closed_at = conversation.closed_at or self._now
            conversation.memory = conversation.asked_slot = None
            conversation.held_until = conversation.hold_reason = None
            conversation.open_choices = conversation.issued_choices = "[]"
            conversation.value = ""
            for turn in self._unit.rows(TurnRow, conversation_id=conversation.id):
                turn.text, turn.entities, turn.choice = FORGOTTEN, None, None
                if last is None or (turn.channel, turn.turn_id) != (last.channel, last.turn_id):
                    turn.reply = reply_to_json(Reply((Message(FORGOTTEN),), turn=turn.number))

    def held(self) -> list[tuple[str, Address, datetime]]:
        """Conversations that staff have: id, where the person is, until when."""
        query = select(ConversationRow).where(ConversationRow.held_until > self._now)
        return [
            (row.id, Address(row.kind, row.value), row.held_until)
            for row in self._unit.session.scalars(query)
            if row.held_until
        ]

    def release(self, conversation_id: str) -> bool:
        """Give a held conversation back to the assistant. False when it is not held."""
        row = self._unit.row(ConversationRow, id=conversation_id)
        if row is None or row.held_until is None or row.held_until <= self._now:
            return False
        row.held_until = row.hold_reason = None
        return True


def _exchange(row: TurnRow) -> Exchange:
    return Exchange(row.channel, row.turn_id, row.text, reply_from_json(row.reply), row.received_at, row.choice)


def storable(text: str) -> str:
    """The text without what no database takes (lone surrogates, NUL) and no reader sees (other control characters)."""
    return "".join(character for character in text if character in "\n\t" or category(character) not in ("Cc", "Cs"))


def redact(text: str, *, secret: bool) -> str:
    """What may be kept of what a person said: no code they were asked for, no payment card number."""
    if secret:
        return re.sub(rf"\d|\b(?:{_SPOKEN_DIGITS})\b", "•", text, flags=re.IGNORECASE)
    return re.sub(r"(?<!\d)\d(?:[\s.–-]{0,3}\d){12,}", _mask_cards, text)


def kept_reply(reply: Reply) -> Reply:
    """What may be kept of a reply and shown elsewhere: nothing that opens a conversation for who reads it there."""
    return replace(
        reply,
        messages=tuple(
            replace(message, text=_mask_ways_in(message.text), speech=message.speech and _mask_ways_in(message.speech))
            for message in reply.messages
        ),
    )


def _mask_ways_in(text: str) -> str:
    """Pairing codes are written with a no-break space, which tells them from other numbers (`assistant/links.py`)."""
    masked = re.sub(r"\b\d{4}\u00a0\d{4}\b", "••••\u00a0••••", text)
    return re.sub(r"(?<=/go#)[\w-]+", "••••", masked)


def _mask_cards(run: re.Match[str]) -> str:
    """Mask each card number in a run of digits, which may hold others before and after it: an expiry date, a CVV."""
    groups = [(group.start(), group.end()) for group in re.finditer(r"\d+", run[0])]
    kept, at = "", 0
    for start, _ in groups:
        ends = [end for _, end in groups if end > start >= at and _is_card(run[0][start:end])]
        if ends:
            digits = "".join(re.findall(r"\d", run[0][start : max(ends)]))
            kept += f"{run[0][at:start]}•••• {digits[-4:]}"
            at = max(ends)
    return kept + run[0][at:]


def _is_card(text: str) -> bool:
    """Whether these digits, however grouped, have the length, the first digit and the check digit of a card number."""
    digits = [int(character) for character in text if character.isdigit()]
    doubled = [digit if index % 2 == 0 else sum(divmod(2 * digit, 10)) for index, digit in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and 2 <= digits[0] <= 6 and sum(doubled) % 10 == 0


def reply_to_json(reply: Reply) -> str:
    """A reply as text for the store."""
    return json.dumps(asdict(reply), ensure_ascii=False, separators=(",", ":"))


def reply_from_json(text: str) -> Reply:
    """The same, back."""
    fields = json.loads(text)
    messages = tuple(
        Message(
            message["text"],
            message["speech"],
            tuple(Choice(choice["title"], choice["payload"]) for choice in message["choices"]),
            Card(**message["card"]) if message["card"] else None,
        )
        for message in fields.pop("messages")
    )
    return Reply(messages=messages, **fields)
