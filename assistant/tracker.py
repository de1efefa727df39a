"""What Rasa remembers of a conversation, in a form that does not grow: a snapshot of slots and loop, and a bounded tail
of events.

Rasa's own store replays the whole session each turn (`benchmarks/turns.py` shows it). Here a turn costs the same at
turn 1,000 as at turn 10, because what fell off the tail is kept only as the slots and the loop it led to.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

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
from rasa.shared.utils.common import all_subclasses

TAIL_TURNS = 6
"""User turns kept as events; more than any policy in `config.yml` looks back (`max_history`)."""
TAIL_TURNS_IN_LOOP = 24
"""The same while a form is open, where an older event may still matter."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state before the tail."""

    slots: dict[str, Any] = field(default_factory=dict)  # any: a slot holds whatever JSON an action put there
    loop: str | None = None

    def after(self, events: list[Event]) -> "Snapshot":
        """The state once these events have happened as well."""
        slots, loop = dict(self.slots), self.loop
        for event in events:
            if isinstance(event, SlotSet):
                slots[event.key] = event.value
            elif isinstance(event, AllSlotsReset | Restarted):
                slots.clear()
            if isinstance(event, ActiveLoop):
                loop = event.name
            elif isinstance(event, Restarted):
                loop = None
        return Snapshot({key: value for key, value in slots.items() if value is not None}, loop)


class Memory:
    """A conversation's tracker for the length of one turn, and its form at rest."""

    def __init__(self, snapshot: Snapshot, tail: list[Event], conversation_id: str, domain: Domain) -> None:
        self._snapshot = snapshot
        prefix = _events_before(snapshot)
        self.tracker = DialogueStateTracker.from_events(
            conversation_id, prefix + tail, slots=domain.slots, domain=domain
        )
        self._prefix_length = len(prefix)

    @classmethod
    def restore(cls, saved: str | None, conversation_id: str, domain: Domain) -> "Memory":
        """Bring a saved conversation back; a new one when `saved` is None.

        Slots and loops that the domain no longer has (a new model) are dropped.
        """
        if saved is None:
            return cls(Snapshot(), [], conversation_id, domain)
        state = json.loads(saved)
        known_slots = {slot.name for slot in domain.slots}
        slots = {key: value for key, value in state["slots"].items() if key in known_slots}
        loop = state["loop"] if state["loop"] in domain.form_names else None
        tail = [event for event in events_of(state["tail"]) if _is_known(event, known_slots, domain)]
        memory = cls(Snapshot(slots, loop), tail, conversation_id, domain)
        if not memory.tracker.active_loop_name and memory.tracker.get_slot(REQUESTED_SLOT) is not None:
            memory.tracker.update(SlotSet(REQUESTED_SLOT, None))  # what a form asked that is no more
        return memory

    def dump(self) -> str:
        """As JSON, with the tail cut to its bound."""
        events = [event for event in list(self.tracker.events)[self._prefix_length :] if _is_kept(event)]
        cut = self._cut(events)
        snapshot = self._snapshot.after(events[:cut])
        return json.dumps(
            {"slots": snapshot.slots, "loop": snapshot.loop, "tail": [_as_dict(event) for event in events[cut:]]},
            ensure_ascii=False,
            separators=(",", ":"),
        )

    def _cut(self, events: list[Event]) -> int:
        starts = [index for index, event in enumerate(events) if isinstance(event, UserUttered)]
        limit = TAIL_TURNS_IN_LOOP if self.tracker.active_loop_name else TAIL_TURNS
        return starts[-TAIL_TURNS] if len(starts) > limit else 0


def events_of(written: Iterable[Mapping[str, Any]]) -> list[Event]:
    """Events as Rasa and rasa-sdk write them, as events again. Raises `KeyError` for a kind that Rasa does not have."""
    kinds = _kinds()
    events = (kinds[event["event"]]._from_parameters(dict(event)) for event in written)
    return [event for event in events if event is not None]


@cache
def _kinds() -> dict[str, type[Event]]:
    """Rasa looks at every class of events for each event it reads, which takes a tenth of a turn."""
    return {kind.type_name: kind for kind in all_subclasses(Event)}


def _events_before(snapshot: Snapshot) -> list[Event]:
    events: list[Event] = [SlotSet(key, value) for key, value in snapshot.slots.items()]
    if snapshot.loop:
        events = [ActionExecuted(snapshot.loop), ActiveLoop(snapshot.loop), *events]
    return [*events, ActionExecuted(ACTION_LISTEN_NAME)]


def _is_kept(event: Event) -> bool:
    return not isinstance(event, BotUttered)  # the transcript has our words; no policy looks at them


def _is_known(event: Event, slots: set[str], domain: Domain) -> bool:
    if isinstance(event, SlotSet):
        return event.key in slots
    if isinstance(event, ActiveLoop):
        return event.name is None or event.name in domain.form_names
    if isinstance(event, ActionExecuted):
        return event.action_name in domain.action_names_or_texts
    return True


def _as_dict(event: Event) -> dict[str, Any]:
    kept = {key: value for key, value in event.as_dict().items() if value is not None and key != "metadata"}
    if isinstance(event, UserUttered):
        # The words are the transcript's, which hides codes and card numbers; policies look at the meaning alone.
        meant = [
            {key: entity[key] for key in ("entity", "role", "group") if key in entity} for entity in event.entities
        ]
        kept |= {"text": "", "parse_data": {"intent": event.intent, "entities": meant, "text": ""}}
    return kept
