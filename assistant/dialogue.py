"""Turn -> Rasa -> reply: the only place that drives Rasa.

Rasa predicts; custom actions run in this process. Four things differ from stock Rasa, by subclassing: the graph runs
without a scheduler, actions are called and not posted, an open form is asked again after a digression, and an action
that raises fails the turn instead of leaving the person in silence.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from rasa.core.actions.action import Action as RasaAction
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction, action_for_name_or_text
from rasa.core.actions.forms import FormAction
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.core.nlg.interpolator import interpolate
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.engine import loader
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.storage import ModelMetadata
from rasa.shared.core.constants import ACTION_LISTEN_NAME, REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    Event,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.common import TempDirectoryPath, get_temp_dir_name
from rasa_sdk import Tracker as CustomTracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from assistant.context import current
from assistant.errors import DialogueFailed
from assistant.needs import Below, Needs
from assistant.tracker import Memory, events_of
from assistant.turns import Card, Choice, Message, Modality
from assistant.understanding.runner import SequentialGraphRunner

MAX_CHARACTERS = 1600
MAX_TOKENS = 300
"""What reaches NLU at the most: its time and memory are quadratic in the tokens."""
RESUME_POLICY = "assistant"
"""Named in events as the policy, where the core and not Rasa decided what comes next."""
WHERE_WE_WERE = "action_where_we_were"
WISH = "wish"
"""Slot that keeps what somebody asked for while they prove who they are: what to do again, never what they may."""
WAITING = "suspended_forms"
"""Slot of the forms that wait until another one is done."""
PROVED = "action_proved"
"""What ends the way up."""
PROVE, NO_ROLE = "/need_proof", "/need_role"
"""What the dialogue hears instead of something that whoever speaks may not do: the way up, or that there is none."""


class CustomAction(Protocol):
    """An action of ours: Rasa's, with what it needs."""

    @property
    def needs(self) -> Needs:
        """What it asks of whoever speaks; checked by the gate before it runs."""
        ...

    def name(self) -> str:
        """Rasa's name for it."""
        ...

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: CustomTracker, domain: DomainDict
    ) -> list[EventType]:
        """Do it, in the turn that runs now."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for and may not do yet; done again once they have proved who they are."""

    text: str
    payload: str | None
    form: str | None
    """The form that was open."""
    slot: str | None
    """What it had asked for."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What NLU made of a text."""

    intent: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What the person did, as the dialogue takes it."""

    text: str
    """What they said."""
    payload: str | None = None
    """The payload of a choice that we had offered; then `text` is not interpreted."""
    moved: bool = False
    """Whether they come from another channel, or come back, so that an open form first says where it was."""
    wish: Wish | None = None
    """With `PROVE`, what they shall get afterwards; without, where they were when they asked for what they get now."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the dialogue made of it."""

    messages: tuple[Message, ...]
    """The answer; its choices carry the dialogue's own payloads."""
    listen: bool
    reprompt: str | None
    memory: str
    """What to save for the next turn."""
    parsed: Parsed
    entities: str
    """What was read from the text, as JSON."""
    actions: tuple[str, ...]
    """Actions that ran, in order."""
    asked_slot: str | None
    """What the open form waits for now."""
    form: str | None
    """The open form."""
    wish: Wish | None
    """What they had asked for before, when in this turn they have proved who they are for it."""


class Dialogue:
    """One loaded model. Safe to use from several threads, one conversation at a time in each."""

    def __init__(self, processor: "_Processor") -> None:
        self._processor = processor

    @classmethod
    def load(cls, model: Path, actions: Iterable[CustomAction], facts: Mapping[str, str]) -> "Dialogue":
        """Load a model file. `facts` fill `{placeholders}` in every response (the shop's name).

        Raises `DialogueFailed` when the domain names actions that are not given, and whatever Rasa raises on a broken
        file; `training.load` turns both into a `ModelError`.
        """
        processor = _Processor(model, {action.name(): action for action in actions}, dict(facts))
        if processor.missing_actions:
            raise DialogueFailed(f"the domain names actions that do not exist: {', '.join(processor.missing_actions)}")
        return cls(processor)

    @staticmethod
    def load_parser(model: Path) -> Callable[[str], Parsed]:
        """Load a model file for its understanding alone: a function from text to intent and confidence."""
        processor = _Processor(model, {}, {})
        return lambda text: _parsed(processor.understand(text))

    def parse(self, text: str) -> Parsed:
        """Intent and confidence of a text, outside any conversation."""
        return _parsed(self._processor.understand(text))

    async def answer(self, conversation_id: str, saved: str | None, heard: Heard, modality: Modality) -> Answered:
        """Let the dialogue answer. Custom actions run inside, with `assistant.context` as the caller set it.

        Raises `DialogueFailed` when the prediction loop did not end or nothing was said, `Refused` when whoever speaks
        may not do what they asked for, and whatever an action raises.
        """
        memory = Memory.restore(saved, conversation_id, self._processor.domain)
        tracker = memory.tracker
        output = _Collector(modality)
        if heard.wish is not None:
            tracker.update_with_events(_with_wish(heard, heard.wish, tracker), self._processor.domain)
        wish = Wish(heard.text, heard.payload, tracker.active_loop_name, _text(tracker, REQUESTED_SLOT))
        waiting = _text(tracker, WISH)
        if tracker.is_active_loop_rejected:
            # The last text was not for the form and it was not asked again, since staff took over; this one is for it.
            tracker.update(ActiveLoop(tracker.active_loop_name), self._processor.domain)
        before = len(tracker.events)
        parse_data = (
            self._processor.unpack(heard.payload, heard.text)
            if heard.payload
            else self._processor.understand(heard.text)
        )
        tracker.update(UserUttered(heard.text, parse_data["intent"], parse_data["entities"]), self._processor.domain)
        try:
            if heard.moved and tracker.active_loop_name:
                await self._processor.say_where_we_were(output, tracker)
            await self._processor.run_action_extract_slots(output, tracker)
            await self._processor.run_until_listening(output, tracker)
        except Below as below:
            raise Refused(wish, by_proof=below.by_proof) from below
        if not output.messages:
            raise DialogueFailed("nothing was said")
        executed = [event for event in list(tracker.events)[before:] if isinstance(event, ActionExecuted)]
        granted = current().proved and _ran_in_this_turn(PROVED, tracker)
        return Answered(
            messages=tuple(output.messages),
            listen=output.listen,
            reprompt=output.reprompt,
            memory=memory.dump(),
            parsed=_parsed(parse_data),
            entities=json.dumps(parse_data["entities"], ensure_ascii=False, default=str),
            actions=tuple(str(event.action_name) for event in executed if event.action_name != ACTION_LISTEN_NAME),
            asked_slot=_text(tracker, REQUESTED_SLOT),
            form=tracker.active_loop_name,
            wish=Wish(**json.loads(waiting)) if waiting and granted else None,
        )


class Refused(Exception):  # noqa: N818  # not a fault: the turn is answered with the way up instead
    """Whoever speaks may not do what they asked for."""

    def __init__(self, wish: Wish, *, by_proof: bool) -> None:
        super().__init__("below what an action needs")
        self.wish = wish
        self.by_proof = by_proof
        """Whether proving who they are could be enough."""


def _with_wish(heard: Heard, wish: Wish, tracker: DialogueStateTracker) -> list[Event]:
    if heard.payload == PROVE:
        return [SlotSet(WISH, json.dumps(asdict(wish)))]
    waiting = [form for form in (_text(tracker, WAITING) or "").split() if form != wish.form]
    return [
        SlotSet(WISH, None),
        ActiveLoop(wish.form),
        SlotSet(WAITING, " ".join(waiting) or None),
        SlotSet(REQUESTED_SLOT, wish.slot),
    ]


def _text(tracker: DialogueStateTracker, slot: str) -> str | None:
    value = tracker.get_slot(slot)
    return str(value) if value else None


def _parsed(parse_data: dict[str, Any]) -> Parsed:
    intent = parse_data["intent"]
    return Parsed(str(intent["name"]), float(intent["confidence"]))


class _Collector(OutputChannel):
    """Collects what is said in a turn. Rasa picks response variants by `name()`: here the modality."""

    def __init__(self, modality: Modality) -> None:
        self._modality = modality
        self.messages: list[Message] = []
        self.listen = True
        self.reprompt: str | None = None

    def name(self) -> str:  # type: ignore[override]  # Rasa declares a class method and calls it on instances
        return self._modality.value

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        custom = message.get("custom") or {}
        text = message.get("text") or custom.get("text")
        if not text:
            return
        card = custom.get("card")
        self.messages.append(
            Message(
                text=text,
                speech=custom.get("speech"),
                choices=tuple(Choice(button["title"], button["payload"]) for button in message.get("buttons") or ()),
                card=Card(card["title"], card["text"], card.get("image"), card.get("image_alt", "")) if card else None,
            )
        )
        self.reprompt = custom.get("reprompt", self.reprompt)
        self.listen = bool(custom.get("listen", True))


_NO_DOMAIN = DomainDict(intents=[], entities=[], slots={}, responses={}, actions=[], forms={})
"""Custom actions get none: ours read the shop, and copying the domain for each call is most of a call's cost."""


class _CustomActionCall(RasaAction):
    """A custom action, called in this process."""

    def __init__(self, action: CustomAction) -> None:
        self._action = action

    def name(self) -> str:
        return self._action.name()

    async def run(
        self,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        tracker: DialogueStateTracker,
        domain: Domain,
    ) -> list[Event]:
        current().require(self._action.needs)
        dispatcher = CollectingDispatcher()
        events = await self._action.run(dispatcher, _custom_tracker(tracker), _NO_DOMAIN)
        said = await RemoteAction._utter_responses(dispatcher.messages, output_channel, nlg, tracker)
        return [*said, *events_of(events or ())]


def _custom_tracker(tracker: DialogueStateTracker) -> CustomTracker:
    state = tracker.current_state()
    return CustomTracker(
        state["sender_id"],
        state["slots"],
        state["latest_message"],
        [],
        state["paused"],
        state["followup_action"],
        state["active_loop"],
        state["latest_action_name"],
    )


class _Form(FormAction):
    """Rasa's form, with our own action calls, and no second validation when it is asked again after a digression."""

    def __init__(self, name: str, processor: "_Processor") -> None:
        super().__init__(name, None)
        self._processor = processor

    async def validate_slots(
        self,
        slot_candidates: dict[str, Any],
        tracker: DialogueStateTracker,
        domain: Domain,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
    ) -> list[Event]:
        validation = self._processor.action_named(f"validate_{self.name()}")
        return await validation.run(output_channel, nlg, tracker, domain)

    async def _validate_if_required(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
    ) -> list[Event]:
        if tracker.active_loop is None or tracker.latest_action_name == ACTION_LISTEN_NAME:
            return await self.validate(tracker, domain, output_channel, nlg)
        return []

    async def _ask_for_slot(
        self,
        domain: Domain,
        nlg: NaturalLanguageGenerator,
        output_channel: OutputChannel,
        slot_name: str,
        tracker: DialogueStateTracker,
    ) -> list[Event]:
        question = self._name_of_utterance(domain, slot_name)
        if question is None:
            return []
        return await self._processor.action_named(question).run(output_channel, nlg, tracker, domain)


class _Responses(TemplatedNaturalLanguageGenerator):
    """Rasa's response templates, with the business's facts beside the slots."""

    def __init__(self, responses: dict[str, list[dict[str, Any]]], facts: dict[str, str]) -> None:
        super().__init__(responses)
        self._facts = facts

    async def generate(
        self,
        utter_action: str,
        tracker: DialogueStateTracker,
        output_channel: str,
        **kwargs: Any,  # any: Rasa's own signature
    ) -> dict[str, Any] | None:
        return await super().generate(utter_action, tracker, output_channel, **(self._facts | kwargs))

    def _fill_response(
        self,
        response: dict[str, Any],
        filled_slots: dict[str, Any] | None = None,
        **kwargs: Any,  # any: Rasa's own signature
    ) -> dict[str, Any]:
        """As in Rasa, but a button's payload stays as it is: Rasa would read its JSON as a placeholder, and log every
        slot when it finds no such one."""
        buttons = response.pop("buttons", None)
        filled = super()._fill_response(response, filled_slots, **kwargs)
        if buttons:
            variables = self._response_variables(filled_slots or {}, kwargs)
            filled["buttons"] = [{**button, "title": interpolate(button["title"], variables)} for button in buttons]
        return filled


class _Processor(MessageProcessor):
    """Rasa's message processor without its stores, locks and sessions, which are ours."""

    def __init__(self, model: Path, actions: dict[str, CustomAction], facts: dict[str, str]) -> None:
        super().__init__(
            model,
            tracker_store=InMemoryTrackerStore(Domain.empty()),
            lock_store=InMemoryLockStore(),
            generator=_Responses({}, facts),
        )
        self.on_circuit_break = _never_listens  # type: ignore[assignment]  # Rasa asks for a lambda and calls it
        self.nlg = _Responses(self.domain.responses, facts)
        custom = {name: _CustomActionCall(action) for name, action in actions.items()}
        self.missing_actions = sorted(set(self.domain.user_actions) - set(custom) - set(self.domain.responses))
        forms = {name: _Form(name, self) for name in self.domain.form_names}
        others = set(self.domain.action_names_or_texts) - set(custom) - set(forms)
        self._actions: dict[str, RasaAction] = {
            **{name: action_for_name_or_text(name, self.domain, None) for name in others},
            **custom,
            **forms,
        }

    @staticmethod
    def _load_model(model_path: str | Path) -> tuple[str, ModelMetadata, GraphRunner]:
        with TempDirectoryPath(get_temp_dir_name()) as directory:
            metadata, runner = loader.load_predict_graph_runner(
                Path(directory), Path(model_path), LocalModelStorage, SequentialGraphRunner
            )
        return Path(model_path).name, metadata, runner

    def action_named(self, name: str) -> RasaAction:
        """The action, form or response with this name."""
        return self._actions[name]

    def understand(self, text: str) -> dict[str, Any]:
        """Rasa's parse data of what a person said. Never an intent command, however the text begins."""
        spoken = " ".join(text[:MAX_CHARACTERS].split()[:MAX_TOKENS]).lstrip("/ ")
        if not spoken:
            return _parse_data("nlu_fallback", text, [])
        message = UserMessage(spoken, sender_id="")
        parsed = self._parse_message_with_graph(message, DialogueStateTracker.from_events("", []))
        return {**_parse_data(parsed["intent"]["name"], text, parsed["entities"]), "intent": parsed["intent"]}

    def unpack(self, payload: str, title: str) -> dict[str, Any]:
        """Parse data of a choice we offered: `/intent{"entity": "value"}`."""
        intent, brace, rest = payload.removeprefix("/").partition("{")
        entities = json.loads(brace + rest) if brace else {}
        return _parse_data(intent, title, [{"entity": name, "value": value} for name, value in entities.items()])

    async def say_where_we_were(self, output: _Collector, tracker: DialogueStateTracker) -> None:
        """Let the action that sums up the open form speak first."""
        events = await self.action_named(WHERE_WE_WERE).run(output, self.nlg, tracker, self.domain)
        await self._send_bot_messages(events, tracker, output)

    async def run_until_listening(self, output: _Collector, tracker: DialogueStateTracker) -> None:
        """Run actions until the dialogue waits for the person. Raises `DialogueFailed` when it never does."""
        await self._run_prediction_loop(output, tracker)

    def predict_next_with_tracker_if_should(self, tracker: DialogueStateTracker) -> tuple[RasaAction, PolicyPrediction]:
        """Rasa's prediction, but an open form that was not asked in this turn is asked again before listening.

        Nothing is asked once the conversation is handed to staff or forgotten, or what was wished is done next.
        """
        action, prediction = super().predict_next_with_tracker_if_should(tracker)
        name, loop = action.name(), tracker.active_loop_name
        context = current()
        if (
            context.hold_reason is not None
            or context.forgotten
            or (_ran_in_this_turn(PROVED, tracker) and _text(tracker, WISH))
        ):
            name = ACTION_LISTEN_NAME
        elif name == ACTION_LISTEN_NAME and loop and not _ran_in_this_turn(loop, tracker):
            name = loop
        if name != action.name():
            prediction = PolicyPrediction.for_action_name(self.domain, name, RESUME_POLICY)
        return self.action_named(name), prediction

    async def _run_action(
        self,
        action: RasaAction,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        prediction: PolicyPrediction,
    ) -> bool:
        """As in Rasa, but whatever an action raises goes on to the caller, and nothing is scheduled."""
        before = tracker
        if prediction.events:
            before = tracker.copy()
            before.update_with_events(prediction.events, self.domain)
        try:
            events = await action.run(output_channel, nlg, before, self.domain)
        except ActionExecutionRejection:
            tracker.update(ActionExecutionRejected(action.name(), prediction.policy_name, prediction.max_confidence))
            return self.should_predict_another_action(action.name())
        self._log_action_on_tracker(tracker, action, events, prediction)
        await self._send_bot_messages(events, tracker, output_channel)
        return self.should_predict_another_action(action.name())


def _never_listens(*_: object) -> None:
    raise DialogueFailed("the prediction loop did not end")


def _ran_in_this_turn(name: str, tracker: DialogueStateTracker) -> bool:
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            return False
        if isinstance(event, ActionExecuted) and event.action_name == name:
            return True
    return False


def _parse_data(intent: str, text: str, entities: list[dict[str, Any]]) -> dict[str, Any]:
    return {"text": text, "intent": {"name": intent, "confidence": 1.0}, "entities": entities, "intent_ranking": []}
