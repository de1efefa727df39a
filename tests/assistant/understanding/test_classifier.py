"""The classifier in Rasa's graph, with the encoder that is the default."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.engine.training.fingerprinting import calculate_fingerprint_key
from rasa.nlu.classifiers.fallback_classifier import FallbackClassifier
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from assistant.errors import ModelError
from assistant.understanding import encoder
from assistant.understanding.classifier import OOS_SCORE, RANKED, UNSURE, IntentClassifier
from assistant.understanding.lean import needs_tensorflow
from tests.assistant.understanding.conftest import PHRASINGS, Letters

DEFAULTS = IntentClassifier.get_default_config()
RESOURCE = Resource("train_intents")
CONTEXT = ExecutionContext(GraphSchema({}), node_name="intents")


def examples(phrasings: Mapping[str, tuple[str, ...]]) -> TrainingData:
    return TrainingData([Message.build(text, intent) for intent, texts in phrasings.items() for text in texts])


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> ModelStorage:
    """Where a trained classifier is kept."""
    kept = LocalModelStorage.create(tmp_path_factory.mktemp("storage"))
    IntentClassifier.create(DEFAULTS, kept, RESOURCE, CONTEXT).train(examples(PHRASINGS))
    return kept


@pytest.fixture(scope="module")
def classifier(storage: ModelStorage) -> IntentClassifier:
    return IntentClassifier.load(DEFAULTS, storage, RESOURCE, CONTEXT)


def intent_of(classifier: IntentClassifier, text: str) -> tuple[str, float]:
    (message,) = classifier.process([Message.build(text)])
    return message.get("intent")["name"], message.get("intent")["confidence"]


def test_a_message_gets_what_rasas_classifiers_give(classifier: IntentClassifier) -> None:
    (message,) = classifier.process([Message.build("what time do you shut")])
    ranking = message.get("intent_ranking")
    assert message.get("intent") == ranking[0]
    assert ranking[0]["name"] == "hours"
    assert len(ranking) == min(RANKED, len(PHRASINGS))
    assert {"intent", "intent_ranking", OOS_SCORE} <= message.as_dict(only_output_properties=True).keys()


def test_words_are_never_as_sure_as_a_press(classifier: IntentClassifier) -> None:
    (message,) = classifier.process([Message.build("hello")])
    assert message.get("intent")["confidence"] <= UNSURE < 1


def test_rasas_fallback_takes_over_what_is_unclear(classifier: IntentClassifier) -> None:
    fallback = FallbackClassifier({"threshold": 0.99, "ambiguity_threshold": 0.9})
    (message,) = fallback.process(classifier.process([Message.build("hmm")]))
    assert message.get("intent")["name"] == "nlu_fallback"


def test_another_language_is_understood_from_english(classifier: IntentClassifier) -> None:
    (message,) = classifier.process([Message.build("¿a qué hora abren hoy?")])
    assert message.get("intent")["name"] == "hours"


@pytest.mark.parametrize("text", ["", "a", "x" * 1600, "日本語", "\U0001f44d", None])
def test_any_message_is_answered(classifier: IntentClassifier, text: str | None) -> None:
    (message,) = classifier.process([Message({"text": text})])
    assert message.get("intent")["name"] in PHRASINGS


def test_loaded_it_says_what_it_said_when_it_was_trained(storage: ModelStorage, tmp_path: Path) -> None:
    trained = IntentClassifier.create(DEFAULTS, LocalModelStorage.create(tmp_path), RESOURCE, CONTEXT)
    trained.train(examples(PHRASINGS))
    loaded = IntentClassifier.load(DEFAULTS, storage, RESOURCE, CONTEXT)
    for text in ("good morning", "roses please", "cash or card?"):
        (first,), (second,) = (one.process([Message.build(text)]) for one in (trained, loaded))
        assert first.get("intent_ranking") == second.get("intent_ranking")


def test_eight_threads_hear_the_same_as_one(classifier: IntentClassifier) -> None:
    texts = ["hello", "talk to staff", "¿aceptan tarjeta?", "boquet of roses", "x" * 1600]
    expected = [intent_of(classifier, text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(lambda text: intent_of(classifier, text), texts * 20))
    assert [name for name, _ in heard] == [name for name, _ in expected] * 20
    assert [sure for _, sure in heard] == pytest.approx([sure for _, sure in expected] * 20, abs=1e-4)


def test_without_examples_nothing_is_understood(tmp_path: Path) -> None:
    kept = LocalModelStorage.create(tmp_path)
    IntentClassifier.create(DEFAULTS, kept, RESOURCE, CONTEXT).train(TrainingData([]))
    (message,) = IntentClassifier.load(DEFAULTS, kept, RESOURCE, CONTEXT).process([Message.build("hello")])
    assert message.get("intent") == {"name": None, "confidence": 0.0}


def test_too_few_examples_are_the_datas_fault(tmp_path: Path) -> None:
    empty = IntentClassifier.create(DEFAULTS, LocalModelStorage.create(tmp_path), RESOURCE, CONTEXT)
    with pytest.raises(InvalidConfigException, match="two intents"):
        empty.train(examples({"greet": PHRASINGS["greet"]}))


def test_an_encoder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'bert'"):
        IntentClassifier.fingerprint_addon({**DEFAULTS, "encoder": "bert"})


def test_the_fingerprint_changes_with_settings_and_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "ENCODERS", {**encoder.ENCODERS, "a": lambda: Letters("a"), "b": lambda: Letters("b")})

    def key(**changes: object) -> str:
        return calculate_fingerprint_key(IntentClassifier, {**DEFAULTS, **changes}, {})

    assert key() == key()
    assert len({key(), key(strength=10.0), key(directions=128), key(ngram_weight=0.5), key(encoder="a")}) == 5
    assert IntentClassifier.fingerprint_addon({"encoder": "a"}) != IntentClassifier.fingerprint_addon({"encoder": "b"})


def test_it_needs_no_tensorflow(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text(f"pipeline:\n  - name: {IntentClassifier.__module__}.{IntentClassifier.__name__}\n")
    assert not needs_tensorflow(file)
