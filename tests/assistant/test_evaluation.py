"""The figures of an evaluation, and the files they are made from."""

from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.evaluation import Example, IntentScore, evaluate, read_examples, read_floor

EXAMPLES = (
    Example("greet", "hello"),
    Example("greet", "morning"),
    Example("thank", "cheers"),
    Example("thank", "ta"),
    Example("goodbye", "bye"),
)


def test_figures_of_a_known_confusion() -> None:
    answers = {"hello": "greet", "morning": "greet", "cheers": "goodbye", "ta": "thank", "bye": "goodbye"}
    result = evaluate(EXAMPLES, answers.__getitem__)
    assert result.scores == (
        IntentScore("goodbye", precision=0.5, recall=1.0, support=1),
        IntentScore("greet", precision=1.0, recall=1.0, support=2),
        IntentScore("thank", precision=1.0, recall=0.5, support=2),
    )
    assert result.accuracy == pytest.approx(4 / 5)
    assert result.macro_f1 == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert result.mistakes == ((Example("thank", "cheers"), "goodbye"),)


def test_an_intent_that_is_never_found_scores_nothing() -> None:
    result = evaluate(EXAMPLES, lambda _: "nlu_fallback")
    assert [score.f1 for score in result.scores] == [0, 0, 0]
    assert result.accuracy == 0


def test_examples_are_read_without_marks_of_entities(tmp_path: Path) -> None:
    file = tmp_path / "held.yml"
    file.write_text(
        "version: '3.1'\nnlu:\n- intent: order\n  examples: |\n"
        '    - send [roses](flower) to [aunt]{"entity": "whom"}\n    - flowers, please\n'
    )
    assert read_examples(file) == (Example("order", "send roses to aunt"), Example("order", "flowers, please"))


@pytest.mark.parametrize("content", ["", "nlu: []", "nlu:\n- lookup: x\n", "[", "version: '3.1'"])
def test_a_file_without_examples_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "held.yml"
    file.write_text(content)
    with pytest.raises(SettingsError, match="examples"):
        read_examples(file)


def test_the_floor_is_kept_beside_the_examples(tmp_path: Path) -> None:
    (tmp_path / "held.floor").write_text("0.9\n")
    assert read_floor(tmp_path / "held.yml") == pytest.approx(0.9)


def test_examples_without_a_floor_may_score_anything(tmp_path: Path) -> None:
    assert read_floor(tmp_path / "held.yml") == 0


@pytest.mark.parametrize("content", ["", "high", "90", "-0.1", "nan"])
def test_a_floor_that_is_no_share_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "held.floor").write_text(content)
    with pytest.raises(SettingsError, match=r"held\.floor"):
        read_floor(tmp_path / "held.yml")
