"""What the dialogue remembers: all that matters, in a size that does not grow, whatever the next model looks like."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasa.shared.core.constants import ACTION_LISTEN_NAME, REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    AllSlotsReset,
    BotUttered,
    Event,
    Restarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from assistant.tracker import TAIL_TURNS_IN_LOOP, Memory
from tests.conftest import BOT

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Rasa, which reads its schemas the old way

EVENTS_PER_TURN = 6
STEPS = st.lists(st.sampled_from(["greet", "open", "answer", "close", "reset", "restart"]), max_size=120)
WORDS = "these very words"


@pytest.fixture(scope="module")
def domain() -> Domain:
    return Domain.load(str(BOT / "data" / "domain"))


def heard(intent: str, entities: list[dict[str, str]] | None = None) -> UserUttered:
    return UserUttered(WORDS, {"name": intent, "confidence": 1.0}, entities or [])


def turns_of(steps: list[str]) -> Iterator[list[Event]]:
    """The events of each turn; the form is only answered or closed while it is open."""
    is_open = False
    for number, step in enumerate(steps):
        events: list[Event] = [heard("inform", [{"entity": "tea", "value": WORDS, "role": "first"}])]
        if step == "open" or (step == "answer" and is_open):
            events += [ActionExecuted("tea_form")]
            events += [] if is_open else [ActiveLoop("tea_form")]
            events += [SlotSet("tea", f"tea {number}"), SlotSet(REQUESTED_SLOT, "sugar")]
            is_open = True
        elif step == "close" and is_open:
            events += [ActionExecuted("tea_form"), ActiveLoop(None), SlotSet(REQUESTED_SLOT, None)]
            is_open = False
        elif step == "reset" and not is_open:
            events += [AllSlotsReset()]
        elif step == "restart":
            events += [Restarted()]
            is_open = False
        else:
            events += [ActionExecuted("utter_greet"), BotUttered("Hello.")]
        yield [*events, ActionExecuted(ACTION_LISTEN_NAME)]


def state(tracker: DialogueStateTracker) -> tuple[dict[str, Any], str | None, str | None]:
    return tracker.current_slot_values(), tracker.active_loop_name, tracker.latest_action_name


def remembered(saved: str | None, events: list[Event], domain: Domain) -> str:
    memory = Memory.restore(saved, "c1", domain)
    for event in events:
        memory.tracker.update(event, domain)
    return memory.dump()


@settings(max_examples=40)
@given(steps=STEPS)
def test_a_walk_is_remembered_like_the_whole_session_in_a_bounded_size(domain: Domain, steps: list[str]) -> None:
    whole = DialogueStateTracker.from_events("c1", [], slots=domain.slots, domain=domain)
    whole.update(ActionExecuted(ACTION_LISTEN_NAME), domain)
    saved = None
    for events in turns_of(steps):
        saved = remembered(saved, events, domain)
        whole.update_with_events(list(events), domain)
        assert state(Memory.restore(saved, "c1", domain).tracker) == state(whole)
        assert len(json.loads(saved)["tail"]) <= (TAIL_TURNS_IN_LOOP + 1) * EVENTS_PER_TURN
        assert len(saved) < 40_000


def test_turn_300_costs_what_turn_100_does(domain: Domain) -> None:
    saved, sizes = None, list[int]()
    for events in turns_of(["open", "greet", "answer", "close", "greet"] * 60):
        saved = remembered(saved, events, domain)
        sizes.append(len(json.loads(saved)["tail"]))
    assert max(sizes[100:]) <= max(sizes[:100])


def test_what_was_said_is_not_in_the_memory(domain: Domain) -> None:
    saved = remembered(None, next(turns_of(["greet"])), domain)
    assert WORDS not in saved
    (said,) = (event for event in Memory.restore(saved, "c1", domain).tracker.events if isinstance(event, UserUttered))
    assert (said.intent_name, [entity["role"] for entity in said.entities]) == ("inform", ["first"])


def test_a_new_conversation_is_empty_and_listens(domain: Domain) -> None:
    tracker = Memory.restore(None, "c1", domain).tracker
    assert (tracker.active_loop_name, tracker.latest_action_name) == (None, ACTION_LISTEN_NAME)
    assert set(tracker.current_slot_values().values()) == {None}


@pytest.mark.parametrize("long_ago", [False, True], ids=["in the tail", "in the snapshot"])
@pytest.mark.parametrize("lost", ["slots", "forms", "responses", "intents"])
def test_a_domain_that_lost_something_still_restores(domain: Domain, lost: str, long_ago: bool) -> None:
    saved = None
    for events in turns_of(["open", *["greet"] * (40 if long_ago else 1)]):
        saved = remembered(saved, events, domain)
    content = copy.deepcopy(domain.as_dict())
    content[lost] = {} if isinstance(content[lost], dict) else []
    smaller = Domain.from_dict(content)
    tracker = Memory.restore(saved, "c1", smaller).tracker
    kept_form = lost != "forms"
    assert tracker.active_loop_name == ("tea_form" if kept_form else None)
    assert tracker.current_slot_values().get("tea") == (None if lost == "slots" else "tea 0")
    if not kept_form:
        assert tracker.get_slot(REQUESTED_SLOT) is None
    again = remembered(saved, next(turns_of(["greet"])), smaller)
    assert state(Memory.restore(again, "c1", smaller).tracker)[1:] == (tracker.active_loop_name, ACTION_LISTEN_NAME)
