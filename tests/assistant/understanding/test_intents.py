"""The classifier as a whole, with a small encoder."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ModelError
from assistant.understanding.intents import IntentModel, Sizes, train
from tests.assistant.understanding.conftest import PHRASINGS, Letters, train_small

TEXTS = ["good morning", "tulips for ana please", "do you close today", "qwertz uiop", "cheers", "HELP!", "boquet"]
ODD = [
    "",
    " ",
    "a",
    "?",
    "x" * 1600,
    "word " * 320,
    "日本語のテキスト",
    "مرحبا",
    "\U0001f44d\U0001f3fd",
    "\x00\ufffe",
    "'",
]


def test_what_was_trained_is_understood(small_model: IntentModel) -> None:
    for intent, texts in PHRASINGS.items():
        assert [understood.ranking[0][0] for understood in small_model.understand(texts)] == [intent] * len(texts)


def test_a_ranking_has_every_intent_once_from_likeliest_to_least(small_model: IntentModel) -> None:
    for understood in small_model.understand(TEXTS):
        likely = [probability for _, probability in understood.ranking]
        assert {name for name, _ in understood.ranking} == PHRASINGS.keys()
        assert likely == sorted(likely, reverse=True)
        assert sum(likely) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_any_text_is_ranked(small_model: IntentModel, text: str) -> None:
    (understood,) = small_model.understand([text])
    assert np.isfinite([probability for _, probability in understood.ranking]).all()
    assert 0 <= understood.oos_score <= 1


def test_no_texts_are_nothing(small_model: IntentModel) -> None:
    assert small_model.understand([]) == []


def test_case_and_punctuation_make_no_difference(small_model: IntentModel) -> None:
    first, second = small_model.understand(["Opening hours?", "opening hours"])
    assert first == second


def test_a_typing_error_changes_little(small_model: IntentModel) -> None:
    first, second = small_model.understand(["order a boquet", "order a bouquet"])
    assert first == second


def test_what_is_far_is_told_from_what_is_near(small_model: IntentModel) -> None:
    near, far = small_model.understand(["opening hours today", "zzgj kkqx vvb"])
    assert far.oos_score > near.oos_score


def test_saved_and_loaded_it_says_the_same(small_model: IntentModel, tmp_path: Path) -> None:
    small_model.save(tmp_path)
    loaded = IntentModel.load(tmp_path, Letters())
    for before, after in zip(small_model.understand(TEXTS), loaded.understand(TEXTS), strict=True):
        assert after.ranking == before.ranking
        assert after.oos_score == pytest.approx(before.oos_score, abs=1e-3)  # its vectors are kept in half precision


def test_nothing_that_is_saved_is_a_pickle(small_model: IntentModel, tmp_path: Path) -> None:
    small_model.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".npz", ".json"}
    with np.load(tmp_path / "intents.npz", allow_pickle=False) as arrays:
        assert not [name for name in arrays.files if arrays[name].dtype.hasobject]


def test_another_encoder_cannot_load_it(small_model: IntentModel, tmp_path: Path) -> None:
    small_model.save(tmp_path)
    with pytest.raises(ModelError, match="other weights"):
        IntentModel.load(tmp_path, Letters(weights="b"))


def test_training_twice_gives_the_same_model(small_model: IntentModel) -> None:
    assert train_small(Letters()).understand(TEXTS) == small_model.understand(TEXTS)


def test_eight_threads_hear_the_same_as_one(small_model: IntentModel) -> None:
    expected = [small_model.understand([text]) for text in TEXTS]
    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(lambda text: small_model.understand([text]), TEXTS * 40))
    assert heard == expected * 40


def test_two_intents_are_enough() -> None:
    model = train(["yes", "yes please", "no", "no thanks"], ["affirm", "affirm", "deny", "deny"], Letters(), Sizes())
    assert model.understand(["yes please"])[0].ranking[0][0] == "affirm"


@pytest.mark.parametrize("intents", [[], ["greet", "greet"]])
def test_fewer_than_two_are_not(intents: list[str]) -> None:
    with pytest.raises(ModelError, match="two intents"):
        train(["hello"] * len(intents), intents, Letters(), Sizes())


def test_an_intent_with_one_example_is_trained() -> None:
    texts = ["hello", "hi you", "bye", "see you", "a person"]
    model = train(texts, ["greet", "greet", "goodbye", "goodbye", "person"], Letters(), Sizes())
    assert model.understand(["a person"])[0].ranking[0][0] == "person"
