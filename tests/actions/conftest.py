"""Somebody talking to the actions: a real store, a real context, Rasa's own tracker and dispatcher, no Rasa."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rasa_sdk import Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import all_actions, all_forms
from actions.act import Act
from actions.hearing import REQUESTED
from assistant.assurance import Presences, Proofs
from assistant.codes import Codes
from assistant.context import TurnContext, TurnScope
from assistant.database import Base, Database, UnitOfWork
from assistant.links import Links
from assistant.orders import Orders
from assistant.outbox import Outbox, OutboxRow
from assistant.profiles import Person, Profiles
from assistant.requests import Requests
from assistant.screens import Screens
from assistant.shop import Shop
from assistant.turns import Address, Assurance, Modality, Turn, TurnKind

SHOP = Shop.load(Path("data/shop.yml"))
NOW = datetime(2026, 5, 20, 9, tzinfo=UTC)  # a Wednesday, ten in the morning in the shop
BROWSER = Address("web", "b1")
NO_DOMAIN = DomainDict(intents=[], entities=[], slots={}, responses={}, actions=[], forms={})


@dataclass
class Said:
    """One message of an action."""

    response: str
    text: str
    values: dict[str, str]
    choices: dict[str, str]
    """Payload by title."""
    card: str | None
    """Title of the card."""
    speech: str | None = None
    """What is heard instead."""


@dataclass
class Talk:
    """One person's conversation with the actions. Does for forms what Rasa does: ask the first open question."""

    unit: UnitOfWork
    context: TurnContext
    slots: dict[str, str | None] = field(default_factory=dict)
    loop: str | None = None
    """The form that is open."""
    followup: str | None = None
    """What an action wants to run next."""

    @property
    def asked(self) -> str | None:
        """The slot of the open question."""
        return self.slots.get(REQUESTED)

    def say(
        self, text: str, intent: str = "inform", confidence: float = 0.9, chosen: dict[str, str] | None = None
    ) -> list[Said]:
        """Say something to the open form. What was said back, with the next question."""
        assert self.loop is not None, "no form is open"
        return self.open(self.loop, text, intent, confidence, chosen)

    def press(self, payload_of: Said, title: str) -> list[Said]:
        """Press a choice that answers the open form."""
        intent, _, rest = payload_of.choices[title].removeprefix("/").partition("{")
        chosen = dict(part.strip('" {}').split('": "') for part in rest.split('", "')) if rest else {}
        return self.say(title, intent, 1.0, chosen)

    def open(
        self,
        form: str,
        text: str = "",
        intent: str = "inform",
        confidence: float = 0.9,
        chosen: dict[str, str] | None = None,
    ) -> list[Said]:
        """Let a form hear this, opening it if it is not open. It says nothing when it leaves the text to others."""
        if self.loop != form:
            self.loop, self.slots[REQUESTED] = form, None
        before = self.asked
        said, events = self._call(f"validate_{form}", text, intent, confidence, chosen)
        changes = {event["name"]: event["value"] for event in events if event["event"] == "slot"}
        self.slots |= changes
        if REQUESTED in changes and changes[REQUESTED] is None:
            self.loop = None
            return said
        if before is not None and not changes:
            return []
        return said + self._ask(changes.get(REQUESTED))

    def run(self, action: str, text: str = "", intent: str = "inform", confidence: float = 0.9) -> list[Said]:
        """Run one action on a text; sets what it sets, and remembers what it wants to run next."""
        said, events = self._call(action, text, intent, confidence, None)
        for event in events:
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
            if event["event"] == "followup":
                self.followup = event["name"]
        return said

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.context.now += timedelta(**span)

    @property
    def outbox(self) -> list[OutboxRow]:
        """What was texted, the oldest first."""
        return sorted(self.unit.rows(OutboxRow), key=lambda row: row.created_at)

    def _ask(self, slot: str | None) -> list[Said]:
        form = next(form for form in all_forms() if form.name == self.loop)
        question = form.question(slot) if slot else form.open_question(self.slots)
        if question is None:
            self.loop, self.slots[REQUESTED] = None, None
            return []
        self.slots[REQUESTED] = question.slot
        return self._call(f"action_ask_{self.loop}_{question.slot}", "", "inform", 0.9, None)[0]

    def _call(
        self, action: str, text: str, intent: str, confidence: float, chosen: dict[str, str] | None
    ) -> tuple[list[Said], list[EventType]]:
        entities = [{"entity": name, "value": value} for name, value in (chosen or {}).items()]
        message = {"text": text, "intent": {"name": intent, "confidence": confidence}, "entities": entities}
        loop = {"name": self.loop} if self.loop else {}
        tracker = Tracker("c1", dict(self.slots), message, [], False, None, loop, "action_listen")
        dispatcher = CollectingDispatcher()
        with TurnScope(self.context):
            self.context.require(_action(action).needs)
            events = asyncio.run(_action(action).run(dispatcher, tracker, NO_DOMAIN))
        return [_said(message) for message in dispatcher.messages], list(events)


def _action(name: str) -> Act:
    return next(action for action in all_actions() if action.name() == name)


def _said(message: dict[str, object]) -> Said:
    known = {"text", "buttons", "elements", "custom", "template", "response", "image", "attachment"}
    buttons, custom = message["buttons"], message["custom"]
    assert isinstance(buttons, list)
    assert isinstance(custom, dict)
    return Said(
        response=str(message["response"] or ""),
        text=str(message["text"] or ""),
        values={name: str(value) for name, value in message.items() if name not in known},
        choices={button["title"]: button["payload"] for button in buttons},
        card=custom["card"]["title"] if "card" in custom else None,
        speech=custom.get("speech"),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    """An empty store with the schema of today."""
    database = Database(f"sqlite:///{tmp_path}/actions.db")
    Base.metadata.create_all(database.engine)
    yield database
    database.close()


MakeTalk = Callable[..., Talk]


@pytest.fixture
def make_talk(store: Database) -> Iterator[MakeTalk]:
    """Makes conversations, each of the person at an address."""
    with ExitStack() as stack:
        unit = stack.enter_context(store.unit_of_work())

        def make(
            address: Address = BROWSER,
            modality: Modality = Modality.SCREEN,
            *,
            employee: bool = False,
            texting: bool = True,
            channel: str = "web",
            assurance: Assurance = Assurance.ANONYMOUS,
            shared: bool = False,
        ) -> Talk:
            profiles = Profiles(unit, NOW)
            person = profiles.find_or_create(address, Assurance.ANONYMOUS)
            if employee:
                number = Address("phone", "+447700900001")
                profiles.add_employee("Kim", number)
                _, person = profiles.link(person.id, number, "sms code")
                person = profiles.vouch(person.id, address, "sms code")
            talk = Talk(unit, _context(unit, person, address, modality, texting))
            talk.context.turn = replace(talk.context.turn, channel=channel, assurance=assurance, shared=shared)
            return talk

        yield make


def _context(unit: UnitOfWork, person: Person, address: Address, modality: Modality, texting: bool) -> TurnContext:
    turn = Turn("web", address, "t1", TurnKind.SAID, "", modality, Assurance.ANONYMOUS, NOW)
    return TurnContext(
        turn=turn,
        person=person,
        conversation_id="c1",
        now=NOW,
        shop=SHOP,
        profiles=Profiles(unit, NOW),
        orders=Orders(unit, NOW),
        requests=Requests(unit, NOW),
        codes=Codes(unit, NOW, b"k" * 32),
        outbox=Outbox(unit, NOW),
        screens=Screens(unit, NOW, b"k" * 32),
        links=Links(unit, NOW, b"k" * 32),
        proofs=Proofs(unit, NOW),
        presences=Presences(unit, NOW),
        public_url="https://shop.example",
        texting=texting,
        hold_minutes=30,
    )


@pytest.fixture
def talk(make_talk: MakeTalk) -> Talk:
    """A customer in the web chat."""
    return make_talk()


def on_voice(talk: Talk) -> Talk:
    """The same person, heard."""
    talk.context.turn = replace(talk.context.turn, modality=Modality.VOICE)
    return talk
