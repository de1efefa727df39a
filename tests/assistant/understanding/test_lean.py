"""TensorFlow and scikit-learn stay out of a process unless a component computes with them."""

import subprocess
import sys
from pathlib import Path

import pytest

from assistant.understanding.lean import WITHOUT_SCIKIT_LEARN, WITHOUT_TENSORFLOW, needs_tensorflow

ROOT = Path(__file__).parents[3]
REPORT = """
import sys
from pathlib import Path
from assistant.understanding.lean import prepare_for_rasa
left_out = prepare_for_rasa(Path(sys.argv[1]))
print(left_out, "skops" in sys.modules)
import tensorflow, sklearn
print(hasattr(tensorflow, "__version__"), hasattr(sklearn, "__version__"))
if left_out:
    import rasa.core.processor, rasa.model_training, rasa.nlu.classifiers.diet_classifier, rasa.core.policies.ted_policy
"""


def config(tmp_path: Path, *components: str) -> Path:
    file = tmp_path / "config.yml"
    file.write_text("pipeline:\n" + "".join(f"  - name: {name}\n" for name in components))
    return file


def imported(config_file: Path) -> list[str]:
    command = [sys.executable, "-W", "ignore", "-c", REPORT, str(config_file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout.split()


def test_the_shop_needs_none() -> None:
    assert not needs_tensorflow(ROOT / "config.yml")


@pytest.mark.parametrize("name", ["DIETClassifier", "ResponseSelector", "SomethingOfAnotherPackage"])
def test_what_may_compute_with_it_needs_it(tmp_path: Path, name: str) -> None:
    assert needs_tensorflow(config(tmp_path, "WhitespaceTokenizer", name))


def test_a_pipeline_that_rasa_would_choose_needs_it(tmp_path: Path) -> None:
    assert needs_tensorflow(config(tmp_path))


def test_all_of_rasa_is_imported_without_it(tmp_path: Path) -> None:
    assert imported(config(tmp_path, *WITHOUT_TENSORFLOW)) == ["True", "True", "False", "True"]


def test_a_pipeline_of_ours_needs_neither_scikit_learn_nor_skops(tmp_path: Path) -> None:
    ours = "assistant.understanding.classifier.IntentClassifier"
    assert imported(config(tmp_path, ours, *WITHOUT_SCIKIT_LEARN)) == ["True", "False", "False", "False"]


def test_the_real_one_is_imported_where_it_is_needed(tmp_path: Path) -> None:
    assert imported(config(tmp_path, "DIETClassifier")) == ["False", "False", "True", "True"]
