"""Public sets of intents, read as they are published from a folder that the user names, and the shop's own."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.evaluation import Example, read_examples

ROOT = Path(__file__).resolve().parent.parent
SHOP_OUTSIDE = "out_of_scope"
LAYOUT = """\
FOLDER/clinc150/data_full.json   FOLDER/clinc150/data_small.json
FOLDER/banking77/train.csv       FOLDER/banking77/train_10.csv     FOLDER/banking77/test.csv
FOLDER/hwu64/train.csv           FOLDER/hwu64/train_10.csv         FOLDER/hwu64/test.csv

CLINC150 as in clinc/oos-eval: lists of pairs of text and intent under train, test and oos_test. BANKING77 as in
PolyAI-LDN/task-specific-datasets, and HWU64 as in DialoGLUE: columns text and category; train_10 has ten an intent."""
"""How the folder must look; whatever is missing is left out."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """What to train on and what to measure on."""

    name: str
    train: tuple[Example, ...]
    test: tuple[Example, ...]
    outside: tuple[str, ...]
    """Texts of none of its intents; empty where the set has none."""


class BadCorpus(Exception):
    """A file is not in its published format."""


def shop(data: Path = ROOT / "data" / "nlu", held_out: Path = ROOT / "tests" / "data" / "heldout.yml") -> list[Corpus]:
    """The shop's own: as it is trained, and untold what is out of scope, to see whether that is noticed."""
    train = tuple(example for path in sorted(data.glob("*.yml")) for example in read_examples(path))
    test = read_examples(held_out)
    outside = tuple(example.text for example in test if example.intent == SHOP_OUTSIDE)
    return [Corpus("shop", train, test, ()), Corpus("shop, blind", _inside(train), _inside(test), outside)]


def public(folder: Path) -> tuple[list[Corpus], list[Path]]:
    """The public sets that are in the folder, and the files that are missing. Raises `BadCorpus`."""
    wanted = [
        *((f"CLINC150{kind}", folder / "clinc150" / name, None) for kind, name in _CLINC),
        *(
            (f"{title}{kind}", folder / place / name, folder / place / "test.csv")
            for title, place in (("BANKING77", "banking77"), ("HWU64", "hwu64"))
            for kind, name in (("-10", "train_10.csv"), ("", "train.csv"))
        ),
    ]
    missing = sorted({path for _, *paths in wanted for path in paths if path and not path.exists()})
    found = [
        read_clinc(name, first) if test is None else Corpus(name, read_csv(first), read_csv(test), ())
        for name, first, test in wanted
        if first not in missing and test not in missing
    ]
    return found, missing


_CLINC = (("-small", "data_small.json"), ("", "data_full.json"))


def read_clinc(name: str, path: Path) -> Corpus:
    """CLINC150's JSON. Raises `BadCorpus`."""
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))
        train, test = (tuple(Example(intent, text) for text, intent in parts[part]) for part in ("train", "test"))
        outside = tuple(text for text, _ in parts["oos_test"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadCorpus(
            f"{path} is not CLINC150's format ({error!r}); the folder must look like this:\n{LAYOUT}"
        ) from error
    return Corpus(name, train, test, outside)


def read_csv(path: Path) -> tuple[Example, ...]:
    """A file of texts and categories. Raises `BadCorpus`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            examples = tuple(Example(row["category"], row["text"]) for row in csv.DictReader(file))
    except (OSError, ValueError, KeyError) as error:
        raise BadCorpus(
            f"{path} has no columns text and category; the folder must look like this:\n{LAYOUT}"
        ) from error
    if not examples:
        raise BadCorpus(f"{path} is empty")
    return examples


def _inside(examples: Sequence[Example]) -> tuple[Example, ...]:
    return tuple(example for example in examples if example.intent != SHOP_OUTSIDE)
