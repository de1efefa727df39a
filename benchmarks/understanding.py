"""Rasa's default pipeline, its n-grams with logistic regression, and ours, on the same sets in one run.

    python benchmarks/understanding.py                       # on the shop's own held-out phrasings
    python benchmarks/understanding.py --folder ~/intents    # and on CLINC150, BANKING77 and HWU64
    python benchmarks/understanding.py --epochs 10           # a smoke run: DIET takes half an hour else

The public sets are not ours to give away: put them into a folder as `--help` says. Times are CPU time of all threads.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console
from rich.table import Table

from assistant.progress import step
from benchmarks.corpora import LAYOUT, ROOT, BadCorpus, Corpus, public, shop
from benchmarks.pipelines import run
from benchmarks.understanding_figures import scores

DIET = "DIETClassifier"
DEFAULT_PIPELINE: list[dict[str, object]] = [
    {"name": "WhitespaceTokenizer"},
    {"name": "RegexFeaturizer"},
    {"name": "LexicalSyntacticFeaturizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
    {"name": DIET, "constrain_similarities": True},
]
"""What `rasa init` writes, less what answers nothing here: synonyms, response selectors and the fallback."""


def main(
    folder: Annotated[
        Path | None, typer.Option(help=f"Where the public sets are:\n\n\b\n{LAYOUT}", exists=True, file_okay=False)
    ] = None,
    epochs: Annotated[int, typer.Option(help="Epochs of DIET; Rasa's default is what it is compared with.")] = 100,
    only: Annotated[str, typer.Option(help="Only pipelines whose name has this in it.")] = "",
) -> None:
    """Compare how well intents are understood, and what it costs."""
    notes, corpora = Console(stderr=True), shop()
    if folder is None:
        notes.print("no folder of public sets was named (see --help): the shop's own set only")
    else:
        try:
            found, missing = public(folder)
        except BadCorpus as error:
            raise typer.BadParameter(str(error)) from error
        corpora += found
        for path in missing:
            notes.print(f"missing: {path}", soft_wrap=True)
    table = Table(
        "set", "pipeline", "accuracy", "macro F1", "outside", "calibration", "training", "a message", "memory"
    )
    for corpus in corpora:
        for name, pipeline in pipelines(epochs).items():
            if only in name:
                with step(notes, f"{corpus.name}: {name} ...", f"{corpus.name}: {name}"):
                    table.add_row(*row(corpus, name, pipeline))
        table.add_section()
    Console(highlight=False, width=140).print(table)


def pipelines(epochs: int) -> dict[str, list[dict[str, object]]]:
    """The pipelines by name."""
    default = [{**part, "epochs": epochs} if part["name"] == DIET else part for part in DEFAULT_PIPELINE]
    ngrams = yaml.safe_load((ROOT / "benchmarks" / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    return {
        f"Rasa's default, {epochs} epochs": default,
        "n-grams": [part for part in ngrams if part["name"] != "FallbackClassifier"],
        "ours": [{"name": "assistant.understanding.classifier.IntentClassifier"}],
    }


def row(corpus: Corpus, name: str, pipeline: list[dict[str, object]]) -> list[str]:
    """Run a pipeline on a corpus, and write what came of it."""
    texts = [*(example.text for example in corpus.test), *corpus.outside]
    with tempfile.TemporaryDirectory() as folder:
        done = run(pipeline, corpus.train, texts, Path(folder))
    found = scores(corpus, done)
    return [
        corpus.name,
        name,
        f"{found.accuracy:.1%}",
        f"{found.macro_f1:.1%}",
        "" if found.outside_recall is None else f"{found.outside_recall:.1%}",
        f"{found.calibration_error:.1%}",
        f"{done.training_cpu_seconds:,.0f} s",
        f"{done.milliseconds:.1f} ms",
        f"{done.resident_bytes / 2**20:,.0f} MB",
    ]


if __name__ == "__main__":
    typer.run(main)
