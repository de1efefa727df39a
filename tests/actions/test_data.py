"""The domain and the actions name the same things."""

import re
from pathlib import Path

import pytest
import yaml

from actions import all_actions, all_forms
from actions.forms import Form

ROOT = Path(__file__).parents[2]
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "actions").glob("*.py"))
RULES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "data" / "rules").glob("*.yml"))
MADE_OF = re.compile(r'f"(utter_\w+_)\{')
"""Names of responses that end in a value."""


def domain(part: str) -> dict[str, object]:
    """One part of the domain, from all its files; lists become keys."""
    found: dict[str, object] = {}
    for path in (ROOT / "data" / "domain").glob("*.yml"):
        loaded = yaml.safe_load(path.read_text(encoding="utf-8")).get(part, {})
        found.update(loaded if isinstance(loaded, dict) else dict.fromkeys(loaded))
    return found


def test_the_domain_names_exactly_the_actions_there_are() -> None:
    assert {action.name() for action in all_actions()} - {"action_default_fallback"} == set(domain("actions"))


@pytest.mark.parametrize("form", all_forms(), ids=lambda form: form.name)
def test_a_form_asks_for_the_slots_the_domain_requires_in_that_order(form: Form) -> None:
    required = [question.slot for question in form.questions if question.required]
    assert domain("forms")[form.name] == {"required_slots": required}


@pytest.mark.parametrize("form", all_forms(), ids=lambda form: form.name)
def test_every_question_can_be_answered_by_a_choice_and_has_a_hint(form: Form) -> None:
    slots = {question.slot for question in form.questions}
    assert slots <= set(domain("entities"))
    assert set(form.empty) <= set(domain("slots"))
    assert {f"utter_hint_{slot}" for slot in slots} <= set(domain("responses"))


def test_every_response_that_is_said_has_words() -> None:
    said = set(re.findall(r'"(utter_\w+)"', SOURCES)) | set(re.findall(r"action: (utter_\w+)", RULES))
    assert said <= set(domain("responses"))


def test_every_response_with_words_is_said() -> None:
    beginnings = tuple(MADE_OF.findall(SOURCES))
    assert beginnings
    said = set(re.findall(r'"(utter_\w+)"', SOURCES)) | set(re.findall(r"action: (utter_\w+)", RULES))
    assert {name for name in domain("responses") if name not in said and not name.startswith(beginnings)} == set()


def test_every_intent_has_a_rule_and_every_rule_an_intent() -> None:
    assert set(re.findall(r"intent: (\w+)", RULES)) - {"nlu_fallback"} == set(domain("intents"))


def test_no_message_is_longer_than_two_text_messages() -> None:
    for name, variants in domain("responses").items():
        assert isinstance(variants, list)
        for variant in variants:
            choices = "".join(f"9 {button['title']}\n" for button in variant.get("buttons", []))
            assert len(variant["text"]) + len(choices) <= 320, name
