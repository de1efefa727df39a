"""Our intent classifier in Rasa's graph. In `config.yml`: `name: assistant.understanding.classifier.IntentClassifier`.

It needs no tokenizer or featurizer before it. A message gets `intent` and `intent_ranking` as Rasa's own classifiers
give them, with calibrated confidences, and beside them `oos_score`, the distance from all that was trained.
"""

from __future__ import annotations

from typing import Any

import threadpoolctl
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier as RasaIntentClassifier
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from assistant.errors import ModelError
from assistant.understanding.encoder import Encoder, Multilingual, encoder_named
from assistant.understanding.intents import IntentModel, Sizes, Understood, train

OOS_SCORE = "oos_score"
"""Where a message carries how far it is from everything that was trained."""
RANKED = 10
"""Intents in a message's ranking, as of Rasa's classifiers."""
UNSURE = 0.999
"""The most that a guess is given: a confidence of 1 stands for a choice that was pressed."""

Config = dict[str, Any]  # any: Rasa's own type of what stands in config.yml


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(RasaIntentClassifier, GraphComponent):
    """An `IntentModel` as a component of Rasa's graph."""

    def __init__(self, config: Config, storage: ModelStorage, resource: Resource, model: IntentModel | None) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> Config:
        """The encoder and the sizes that were measured."""
        sizes = Sizes()
        return {
            "encoder": Multilingual.name,
            "strength": sizes.strength,
            "directions": sizes.directions,
            "ngram_weight": sizes.ngram_weight,
        }

    @classmethod
    def fingerprint_addon(cls, config: Config) -> str | None:
        """Other weights of the encoder make Rasa train again."""
        return _encoder_of({**cls.get_default_config(), **config}).weights

    @classmethod
    def create(
        cls, config: Config, model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> IntentClassifier:
        """One that is yet to be trained."""
        return cls(config, model_storage, resource, None)

    @classmethod
    def load(
        cls,
        config: Config,
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,  # any: Rasa's own signature
    ) -> IntentClassifier:
        """One that was trained. Raises `ModelError` when its encoder is not the one it was trained with."""
        # One message is too little work for several threads, which would spin while they wait for each other.
        threadpoolctl.threadpool_limits(1, user_api="blas")
        try:
            with model_storage.read_from(resource) as folder:
                return cls(config, model_storage, resource, IntentModel.load(folder, _encoder_of(config)))
        except ValueError:  # Rasa's way to say that nothing was stored: there were no intents to train
            return cls(config, model_storage, resource, None)

    def train(self, training_data: TrainingData) -> Resource:
        """Train on the examples that have a text and an intent. Raises `InvalidConfigException` when they are too few.

        Without any, nothing is trained and nothing is ever understood.
        """
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        if not examples:
            return self._resource
        texts, intents = zip(*((example.get(TEXT), example.get(INTENT)) for example in examples), strict=True)
        sizes = Sizes(
            float(self._config["strength"]), int(self._config["directions"]), float(self._config["ngram_weight"])
        )
        try:
            self._model = train(texts, intents, _encoder_of(self._config), sizes)
        except ModelError as error:
            raise InvalidConfigException(str(error)) from error
        with self._storage.write_to(self._resource) as folder:
            self._model.save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Say of each message what it means."""
        texts = [str(message.get(TEXT) or "") for message in messages]
        understood = self._model.understand(texts) if self._model else [Understood((), 1.0)] * len(texts)
        for message, meaning in zip(messages, understood, strict=True):
            ranking = [{"name": name, "confidence": min(likely, UNSURE)} for name, likely in meaning.ranking[:RANKED]]
            message.set(INTENT, ranking[0] if ranking else {"name": None, "confidence": 0.0}, add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
            message.set(OOS_SCORE, meaning.oos_score, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing that is trained after it looks at what it would have guessed."""
        return training_data


def _encoder_of(config: Config) -> Encoder:
    return encoder_named(str(config["encoder"]))
