"""What an action says: a response of the domain or plain text, with choices and a card."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rasa_sdk.executor import CollectingDispatcher

from assistant.turns import Card, Choice


@dataclass(frozen=True, slots=True)
class Say:
    """One message."""

    response: str = ""
    """Name of a response in `data/domain`; its wording and variants are there."""
    text: str = ""
    """The words themselves, where they are made of what a person decided; never filled in any further."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What fills the placeholders of the response."""
    choices: tuple[Choice, ...] = ()
    """Answers to offer."""
    card: Card | None = None
    """Something to look at."""
    reprompt: str = ""
    """What a voice says into silence."""
    speech: str | None = None
    """What a voice says instead of the words; empty for nothing, because a screen shows it."""

    def utter(self, dispatcher: CollectingDispatcher) -> None:
        """Say it."""
        custom: dict[str, object] = {}
        if self.card is not None:
            custom["card"] = {
                "title": self.card.title,
                "text": self.card.text,
                "image": self.card.image,
                "image_alt": self.card.image_alt,
            }
        if self.reprompt:
            custom["reprompt"] = self.reprompt
        if self.speech is not None:
            custom["speech"] = self.speech
        dispatcher.utter_message(
            response=self.response or None,
            text=self.text or None,
            buttons=[{"title": choice.title, "payload": choice.payload} for choice in self.choices],
            json_message=custom,
            **dict[str, Any](self.values),
        )


def offer(title: str, intent: str, **entities: str) -> Choice:
    """A choice that comes back as this intent with these entities."""
    return Choice(title, f"/{intent}{json.dumps(entities) if entities else ''}")


def answer(title: str, slot: str, value: str) -> Choice:
    """A choice that answers the question for a slot."""
    return offer(title, "choose", **{slot: value})
