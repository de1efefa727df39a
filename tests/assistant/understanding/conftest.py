"""A small encoder without weights, and texts of a few intents."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.understanding.intents import IntentModel, Sizes, train

PHRASINGS = {
    "greet": ("hello", "hi there", "good morning", "hey you", "hello again", "good evening to you"),
    "goodbye": ("bye", "see you later", "goodbye now", "i have to go, bye", "see you tomorrow", "good night"),
    "order": ("i want flowers", "order a bouquet", "send roses to ana", "flowers please", "buy tulips", "some roses"),
    "hours": (
        "when do you open",
        "opening hours",
        "are you open today",
        "when do you close",
        "open on sunday",
        "hours?",
    ),
    "pay": ("can i pay by card", "do you take cash", "payment methods", "is card fine", "pay later", "cash or card"),
    "person": ("a person please", "talk to staff", "give me a human", "someone real", "real person", "human now"),
    "thank": ("thank you", "thanks a lot", "many thanks", "cheers for that", "thanks so much", "thank you all"),
    "cancel": ("cancel it", "forget it", "never mind", "stop this", "drop it please", "cancel my order"),
    "help": ("help", "what can you do", "i need help", "help me out", "how does this work", "what do you offer"),
}


class Letters:
    """Counts triples of letters: texts with the same words lie close, which is all that these tests ask of it."""

    name = "letters"
    dimensions = 64

    def __init__(self, weights: str = "a") -> None:
        self.weights = weights

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for start in range(len(text)):
                row[hashlib.sha256(text[start : start + 3].encode()).digest()[0] % self.dimensions] += 1
            row /= max(float(np.linalg.norm(row)), 1e-9)
        return rows

    def knows(self, word: str) -> bool:
        return word == "oder"


@pytest.fixture(scope="session")
def small_model() -> IntentModel:
    return train_small(Letters())


def train_small(encoder: Letters) -> IntentModel:
    examples = [(text, intent) for intent, texts in PHRASINGS.items() for text in texts]
    texts, intents = zip(*examples, strict=True)
    return train(texts, intents, encoder, Sizes(directions=20))
