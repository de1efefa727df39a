"""What one turn is answered, inside its unit of work: hold, choices, then the dialogue. Never commits."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from assistant import apologies
from assistant.assurance import Presences, Proofs, is_aloud
from assistant.choices import picked
from assistant.codes import Codes
from assistant.context import TurnContext, TurnScope
from assistant.database import UnitOfWork
from assistant.dialogue import NO_ROLE, PROVE, Answered, Dialogue, Heard, Refused
from assistant.links import Links
from assistant.orders import Orders
from assistant.outbox import Outbox
from assistant.profiles import Person, Profiles
from assistant.requests import Requests
from assistant.screens import IDLE, Screens
from assistant.shop import Shop
from assistant.transcripts import ConversationRow, Transcripts, TurnRecord
from assistant.turns import Assurance, Choice, Message, Reply, Turn, TurnKind

GREET = "/greet"
REPEAT = "/repeat"
"""What the dialogue hears when the person arrived, or stayed silent."""


SIDE_BY_SIDE = timedelta(minutes=10)
"""A channel that the person used this lately they still have before them."""
LONG_SILENCE = timedelta(hours=8)
"""Somebody who said nothing for so long is told where we were."""


@dataclass(frozen=True, slots=True)
class House:
    """What is the same for every turn."""

    shop: Shop
    key: bytes
    """The server's secret, for one-time codes."""
    texting: bool
    hold: timedelta
    deadline_seconds: float
    public_url: str | None = None
    """Where the outside world reaches us, without a slash at the end, if it does."""
    screen_idle: timedelta = IDLE
    """How long a screen follows a conversation in which nothing happens."""

    def screens(self, unit: UnitOfWork, now: datetime) -> Screens:
        """The screens, within this unit of work."""
        return Screens(unit, now, self.key, self.screen_idle)


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply, what is recorded of it, and who the person is from now on."""

    reply: Reply
    record: TurnRecord
    person: Person
    conversation: ConversationRow
    """The one that it ended in, which is another one when a code showed that the person is in the middle of it."""
    guarded: bool = False
    """Whether what was done hangs on who the person is, so that it must still be so at the commit."""
    forgotten: bool = False
    """Whether they asked to be forgotten, which is done once the turn is recorded."""


class Answering:
    """One turn of one conversation."""

    def __init__(
        self,
        house: House,
        dialogue: Dialogue,
        unit: UnitOfWork,
        person: Person,
        conversation: ConversationRow,
        turn: Turn,
        now: datetime,
        *,
        follows: bool = False,
        refused: Refused | None = None,
    ) -> None:
        self._house = house
        self._dialogue = dialogue
        self._unit = unit
        self._person = person
        self._conversation = conversation
        self._turn = turn
        self._now = now
        self._follows = follows
        self._refused = refused

    async def answer(self) -> Answer:
        """Answer the turn, or with `refused` offer the way up to what the first try of it was refused.

        Raises `Refused` when whoever speaks may not do what they asked for; then nothing of it may be kept. Raises
        whatever an action raises, and `TimeoutError` past the deadline.
        """
        if self._turn.kind is TurnKind.CLOSED:
            return self._without_dialogue(Reply((), listen=False), "closed")
        choice = picked(self._conversation, self._turn)
        if self._is_held():
            if choice is None or choice.payload != apologies.TAKE_BACK.payload:
                reply = apologies.HELD if self._turn.kind is TurnKind.OPENED else apologies.SILENT
                return self._without_dialogue(replace(reply, handed_off=True), "held")
            self._end_hold()
            return await self._resume()
        ended = self._end_hold()
        if choice is not None and choice.payload == apologies.TAKE_BACK.payload:
            return await self._resume()
        if self._turn.choice is not None and choice is None:
            return self._without_dialogue(apologies.STALE_CHOICE, "stale_choice")
        return await self._think(self._heard(choice), (apologies.HOLD_ENDED,) if ended else ())

    def _is_held(self) -> bool:
        held_until = self._conversation.held_until
        return held_until is not None and held_until > self._now

    def _end_hold(self) -> bool:
        """Whether a hold was there to end."""
        ended = self._conversation.held_until is not None
        self._conversation.held_until = self._conversation.hold_reason = None
        return ended

    async def _resume(self) -> Answer:
        if self._conversation.asked_slot is None:
            return self._without_dialogue(Reply((apologies.TAKEN_BACK,)), "answered")
        return await self._think(Heard("", REPEAT), (apologies.TAKEN_BACK,))

    def _heard(self, choice: Choice | None) -> Heard:
        conversation, turn = self._conversation, self._turn
        if self._refused is not None:
            return Heard("", PROVE if self._refused.by_proof else NO_ROLE, wish=self._refused.wish)
        came = turn.kind is TurnKind.OPENED or self._comes_from_another_channel() or self._comes_back()
        # A screen shows where the person is; pressing it takes them nowhere else.
        moved = came and conversation.turns > 0 and not self._follows
        if choice is not None:
            return Heard(choice.title, choice.payload, moved)
        if turn.kind is TurnKind.SAID and turn.text.strip():
            return Heard(turn.text, None, moved)
        asks_something = conversation.asked_slot is not None or turn.kind is not TurnKind.OPENED
        return Heard("", REPEAT if asks_something else GREET, moved)

    def _comes_from_another_channel(self) -> bool:
        """Who talks on two channels side by side is told where we were once, not at every step."""
        if self._conversation.channel == self._turn.channel:
            return False
        last = Transcripts(self._unit, self._now).last_on(self._conversation.id, self._turn.channel)
        return last is None or self._now - last > SIDE_BY_SIDE

    def _comes_back(self) -> bool:
        return self._now - self._conversation.last_at > LONG_SILENCE

    async def _think(self, heard: Heard, first: tuple[Message, ...]) -> Answer:
        context = self._context()
        context.showing_the_way = self._refused is not None
        with TurnScope(context):
            async with asyncio.timeout(self._house.deadline_seconds):
                answered = await self._dialogue_answers(heard)
                messages = (*first, *answered.messages)
                if context.arrived or context.goes_on_in is not None:
                    self._go_on_where_they_were(context, answered)
                if context.proved and (answered.wish is not None or context.goes_on_in is not None):
                    answered = await self._dialogue_goes_on(context, answered)
                    messages = (*messages, *answered.messages)
        reply = Reply(messages, answered.listen, answered.reprompt)
        if context.hold_reason is not None:
            self._conversation.held_until = self._now + self._house.hold
            self._conversation.hold_reason = context.hold_reason
            reply = replace(reply, messages=_with_choice(reply.messages, apologies.TAKE_BACK), handed_off=True)
        if context.merged:
            Transcripts(self._unit, self._now).close_others(context.person.id, keep=self._conversation.id)
        return Answer(
            reply,
            _record(answered, context.standing.assurance),
            context.person,
            self._conversation,
            context.guarded,
            context.forgotten,
        )

    async def _dialogue_answers(self, heard: Heard) -> Answered:
        conversation = self._conversation
        answered = await self._dialogue.answer(conversation.id, conversation.memory, heard, self._turn.modality)
        conversation.memory, conversation.asked_slot = answered.memory, answered.asked_slot
        return answered

    async def _dialogue_goes_on(self, context: TurnContext, answered: Answered) -> Answered:
        """Now that they have proved who they are: what they had asked for, or what is open where they go on."""
        context.showing_the_way, wish = False, answered.wish
        elsewhere = self._conversation.id != context.conversation_id
        if wish is None:
            return await self._dialogue_answers(Heard("", REPEAT, moved=True))
        try:
            return await self._dialogue_answers(Heard(wish.text, wish.payload, wish=None if elsewhere else wish))
        except Refused:
            context.showing_the_way = True
            return await self._dialogue_answers(Heard("", NO_ROLE, wish=None if elsewhere else wish))

    def _go_on_where_they_were(self, context: TurnContext, answered: Answered) -> None:
        """Somebody else turned out to speak. What was just begun here is theirs; else they go on with what is open."""
        transcripts, here = Transcripts(self._unit, self._now), self._conversation
        wish = answered.wish
        begun = answered.form is not None or (wish is not None and wish.form is not None)
        theirs = (
            self._unit.row(ConversationRow, id=context.goes_on_in, closed_at=None)
            if context.goes_on_in is not None
            else None
            if begun
            else transcripts.open_of(context.person.id, lock=True)
        )
        if theirs is None and not self._turn.shared and not transcripts.is_of_this_call(here, self._turn.channel):
            theirs = transcripts.start(context.person.id, self._turn)
        if theirs is None:
            here.person_id = context.person.id
            transcripts.close_others(context.person.id, keep=here.id)
        elif theirs is not here:
            transcripts.leave(here)
            self._conversation = theirs

    def _context(self) -> TurnContext:
        unit, now = self._unit, self._now
        screens = self._house.screens(unit, now)
        return TurnContext(
            turn=self._turn,
            person=self._person,
            conversation_id=self._conversation.id,
            now=now,
            shop=self._house.shop,
            profiles=Profiles(unit, now),
            orders=Orders(unit, now),
            requests=Requests(unit, now),
            codes=Codes(unit, now, self._house.key),
            outbox=Outbox(unit, now),
            screens=screens,
            links=Links(unit, now, self._house.key),
            proofs=Proofs(unit, now),
            presences=Presences(unit, now),
            screen=bool(screens.of(self._conversation.id)),
            begun_elsewhere=self._is_begun_elsewhere(),
            public_url=self._house.public_url,
            texting=self._house.texting,
            hold_minutes=round(self._house.hold.total_seconds() / 60),
        )

    def _is_begun_elsewhere(self) -> bool:
        turn, conversation = self._turn, self._conversation
        if not is_aloud(turn) or conversation.turns == 0:
            return False
        if Proofs(self._unit, self._now).assurance(turn, self._person) >= Assurance.PROVEN:
            return False
        transcripts = Transcripts(self._unit, self._now)
        return turn.kind is TurnKind.OPENED or not transcripts.is_of_this_call(conversation, turn.channel)

    def _without_dialogue(self, reply: Reply, outcome: str) -> Answer:
        assurance = Proofs(self._unit, self._now).assurance(self._turn, self._person)
        return Answer(reply, TurnRecord(outcome, assurance=assurance), self._person, self._conversation)


def _with_choice(messages: tuple[Message, ...], choice: Choice) -> tuple[Message, ...]:
    last = messages[-1]
    return (*messages[:-1], replace(last, choices=(*last.choices, choice)))


def _record(answered: Answered, assurance: Assurance) -> TurnRecord:
    return TurnRecord(
        "answered",
        answered.parsed.intent,
        answered.parsed.confidence,
        answered.entities,
        answered.actions,
        assurance=assurance,
    )
