"""What the model is trained on: enough of it, without contradictions, and never what it is measured on."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from assistant.evaluation import Example, read_examples, read_floor

ROOT = Path(__file__).parents[2]
TRAINED = tuple(example for path in sorted((ROOT / "data/nlu").glob("*.yml")) for example in read_examples(path))
HELD_OUT = ROOT / "tests/data/heldout.yml"
DEV = ROOT / "tests/data/dev.yml"
PRESSED_ONLY = {"choose", "need_proof", "need_role"}
"""Intents of pressed choices and of the core: nobody says them."""
ENOUGH_TO_TRAIN = 25
ENOUGH_TO_MEASURE = 8


def spoken_intents() -> set[str]:
    read = YAML(typ="safe").load  # as Rasa reads them; PyYAML refuses some of what YAML 1.2 allows
    declared = (intent for path in (ROOT / "data/domain").glob("*.yml") for intent in read(path).get("intents", ()))
    return {intent if isinstance(intent, str) else next(iter(intent)) for intent in declared} - PRESSED_ONLY


def key(text: str) -> str:
    """A text as the classifier nearly sees it: case and punctuation do not make two phrasings of one."""
    return " ".join(re.findall(r"\w+", text.lower().replace("'", "").replace("\u2019", ""))) or text


def by_intent(examples: tuple[Example, ...]) -> dict[str, set[str]]:
    phrasings: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        phrasings[example.intent].add(key(example.text))
    return phrasings


def test_every_intent_of_the_domain_has_enough_distinct_examples() -> None:
    trained = by_intent(TRAINED)
    few = {intent: len(trained[intent]) for intent in spoken_intents() if len(trained[intent]) < ENOUGH_TO_TRAIN}
    assert not few


def test_nothing_is_trained_that_the_domain_does_not_know() -> None:
    assert by_intent(TRAINED).keys() <= spoken_intents()


def test_no_phrasing_means_two_things() -> None:
    meanings: dict[str, set[str]] = defaultdict(set)
    for example in TRAINED:
        meanings[key(example.text)].add(example.intent)
    assert not {text: intents for text, intents in meanings.items() if len(intents) > 1}


@pytest.mark.parametrize("path", [HELD_OUT, DEV], ids=lambda path: path.stem)
def test_what_is_measured_is_never_trained(path: Path) -> None:
    trained = {key(example.text) for example in TRAINED}
    assert not [example for example in read_examples(path) if key(example.text) in trained]


def test_what_is_tuned_on_is_not_what_is_reported() -> None:
    tuned = {key(example.text) for example in read_examples(DEV)}
    assert not [example for example in read_examples(HELD_OUT) if key(example.text) in tuned]


def test_every_intent_is_measured() -> None:
    held_out = by_intent(read_examples(HELD_OUT))
    few = {intent: len(held_out[intent]) for intent in spoken_intents() if len(held_out[intent]) < ENOUGH_TO_MEASURE}
    assert not few


def test_the_floor_of_the_release_is_set() -> None:
    assert read_floor(HELD_OUT) >= 0.9
