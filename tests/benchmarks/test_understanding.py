"""The benchmark of understanding: readers on made-up files in the published formats, figures, and one real run."""

import json
from pathlib import Path

import pytest

from assistant.evaluation import Example
from benchmarks.corpora import BadCorpus, Corpus, public, read_csv, shop
from benchmarks.pipelines import Guess, Run, run
from benchmarks.understanding import pipelines, row
from benchmarks.understanding_figures import calibration_error, outside_recall, scores

TINY = Corpus(
    "tiny",
    train=(
        Example("greet", "hello"),
        Example("greet", "hi there"),
        Example("hours", "when do you open"),
        Example("hours", "opening hours"),
    ),
    test=(Example("greet", "hello there"), Example("hours", "are you open now")),
    outside=("why is the sky blue",),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The three sets, a few lines of each, but for HWU64's ten an intent."""
    for place in ("clinc150", "banking77", "hwu64"):
        (tmp_path / place).mkdir()
    parts = {"train": [["what's two plus two", "calculator"]], "val": [], "test": [["add one and one", "calculator"]]}
    parts |= {"oos_train": [], "oos_val": [], "oos_test": [["who invented tea", "oos"]]}
    for name in ("data_full.json", "data_small.json"):
        (tmp_path / "clinc150" / name).write_text(json.dumps(parts))
    for name in ("train.csv", "train_10.csv", "test.csv"):
        (tmp_path / "banking77" / name).write_text('text,category\n"Where, oh where, is my card?\n",card_arrival\n')
    for name in ("train.csv", "test.csv"):
        (tmp_path / "hwu64" / name).write_text("text,category\nwake me at nine,alarm_set\n")
    return tmp_path


def test_the_published_formats_are_read(folder: Path) -> None:
    found, missing = public(folder)
    by_name = {corpus.name: corpus for corpus in found}
    assert set(by_name) == {"CLINC150", "CLINC150-small", "BANKING77", "BANKING77-10", "HWU64"}
    assert missing == [folder / "hwu64" / "train_10.csv"]
    assert by_name["CLINC150"].test == (Example("calculator", "add one and one"),)
    assert by_name["CLINC150"].outside == ("who invented tea",)
    assert by_name["BANKING77-10"].train == (Example("card_arrival", "Where, oh where, is my card?\n"),)


def test_an_empty_folder_misses_everything(tmp_path: Path) -> None:
    found, missing = public(tmp_path)
    assert found == []
    assert len(missing) == 8


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"train": [["a"]], "test": []}'])
def test_what_is_not_clinc150_says_how_it_should_look(folder: Path, content: str) -> None:
    (folder / "clinc150" / "data_full.json").write_text(content)
    with pytest.raises(BadCorpus, match="must look like this"):
        public(folder)


@pytest.mark.parametrize("content", ["", "text,label\na,b\n", "text,category\n"])
def test_what_has_no_texts_and_categories_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "train.csv"
    path.write_text(content)
    with pytest.raises(BadCorpus, match=r"train\.csv"):
        read_csv(path)


def test_the_shop_is_measured_with_and_without_what_it_was_told() -> None:
    told, blind = shop()
    assert "out_of_scope" in {example.intent for example in told.train}
    assert "out_of_scope" not in {example.intent for example in (*blind.train, *blind.test)}
    assert len(blind.test) + len(blind.outside) == len(told.test)


def test_calibration_is_the_gap_between_saying_and_being_right() -> None:
    test = [Example("a", str(number)) for number in range(4)]
    guesses = [Guess("a", 0.95, 0), Guess("b", 0.95, 0), Guess("a", 0.55, 0), Guess("b", 0.55, 0)]
    assert calibration_error(test, guesses) == pytest.approx((0.9 + 0.1) / 4)


def test_what_is_outside_is_refused_at_the_price_of_two_in_a_hundred() -> None:
    test = [Example("a", str(number)) for number in range(100)]
    inside = [Guess("a", 0.9, number / 100) for number in range(100)]
    outside = [Guess("a", 0.9, far) for far in (0.5, 0.975, 0.985, 1.0)]
    assert outside_recall(test, inside, outside) == 0.75


def test_a_perfect_run_is_perfect() -> None:
    guesses = (Guess("greet", 1.0, 0.0), Guess("hours", 1.0, 0.0), Guess("hours", 0.4, 1.0))
    found = scores(TINY, Run(guesses, 1.0, 1.0, 1))
    assert (found.accuracy, found.macro_f1, found.calibration_error, found.outside_recall) == (1.0, 1.0, 0.0, 1.0)


def test_our_pipeline_is_trained_and_asked(tmp_path: Path) -> None:
    texts = [example.text for example in TINY.test]
    done = run(pipelines(1)["ours"], TINY.train, texts, tmp_path)
    assert [guess.intent for guess in done.guesses] == ["greet", "hours"]
    assert all(0 <= guess.outside <= 1 for guess in done.guesses)
    assert done.training_cpu_seconds > 0
    assert done.resident_bytes > 2**27


def test_a_row_of_the_table_is_written() -> None:
    cells = row(TINY, "ours", pipelines(1)["ours"])
    assert cells[:3] == ["tiny", "ours", "100.0%"]
    assert cells[-1].endswith("MB")
