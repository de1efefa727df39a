"""What a person said in this turn, as the actions take it: typed, and out of Rasa's tracker once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from rasa_sdk import Tracker

from assistant.context import TurnContext, current

REQUESTED = "requested_slot"
"""Rasa's slot for the question that is open."""
SUSPENDED = "suspended_forms"
"""Our slot for the forms that wait until another one is done, the latest last."""

PRESSED = 1.0
"""Confidence of a choice that was pressed; no classifier is ever as sure of words."""

Slots = Mapping[str, str | None]
"""All our slots hold text."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said, understood and known."""

    text: str
    """As said; empty when a choice was pressed, whose title is our own words."""
    intent: str
    """What NLU takes it for, or what a pressed choice means."""
    confidence: float
    """How sure that is, from 0 to 1."""
    chosen: Mapping[str, str]
    """What a pressed choice carries; empty for words, however they look."""
    slots: Slots
    context: TurnContext

    @classmethod
    def of(cls, tracker: Tracker) -> "Heard":
        """What was said in the turn that runs now."""
        message = tracker.latest_message
        intent = message.get("intent") or {}
        confidence = float(intent.get("confidence") or 0)
        return cls(
            text=str(message.get("text") or "") if confidence < PRESSED else "",
            intent=str(intent.get("name") or ""),
            confidence=confidence,
            chosen={str(entity["entity"]): str(entity["value"]) for entity in message.get("entities") or ()},
            slots=slots_of(tracker),
            context=current(),
        )

    @property
    def now(self) -> datetime:
        """The moment of the turn on the shop's clock."""
        return self.context.now.astimezone(self.context.shop.zone)

    def saying(self, text: str) -> "Heard":
        """The same, had these been the words."""
        return replace(self, text=text)

    def with_slots(self, changes: Slots) -> "Heard":
        """The same, with these slots changed."""
        return replace(self, slots={**self.slots, **changes})


def slots_of(tracker: Tracker) -> Slots:
    """The slots of a conversation."""
    return {name: value if isinstance(value, str) else None for name, value in tracker.slots.items()}


def suspended(slots: Slots) -> tuple[str, ...]:
    """The forms that wait, the latest last."""
    return tuple((slots.get(SUSPENDED) or "").split())
