"""What a run of a pipeline on a corpus says: accuracy, honesty, and what of the rest of the world is noticed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.evaluation import Example, evaluate
from benchmarks.corpora import Corpus
from benchmarks.pipelines import Guess, Run

ACCURACY_GIVEN_UP = 0.02
"""Share of all requests that may be refused although they were understood."""
BINS = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """All shares from 0 to 1."""

    accuracy: float
    macro_f1: float
    calibration_error: float
    """Expected difference of confidence and accuracy, in ten bins."""
    outside_recall: float | None
    """Share noticed of the texts of no intent; none where the corpus has no such texts."""


def scores(corpus: Corpus, run: Run) -> Scores:
    """How a run did on its corpus; its guesses are those of the test followed by those of what is outside."""
    inside, outside = run.guesses[: len(corpus.test)], run.guesses[len(corpus.test) :]
    guessed = {example.text: guess.intent for example, guess in zip(corpus.test, inside, strict=True)}
    evaluation = evaluate(corpus.test, guessed.__getitem__)
    return Scores(
        evaluation.accuracy,
        evaluation.macro_f1,
        calibration_error(corpus.test, inside),
        outside_recall(corpus.test, inside, outside) if outside else None,
    )


def calibration_error(test: Sequence[Example], guesses: Sequence[Guess]) -> float:
    """How far confidences are from how often they are right, on average."""
    bins: list[list[float]] = [[] for _ in range(BINS)]
    for example, guess in zip(test, guesses, strict=True):
        bins[min(int(guess.confidence * BINS), BINS - 1)].append(guess.confidence - (guess.intent == example.intent))
    return sum(abs(sum(gaps)) for gaps in bins) / len(test)


def outside_recall(test: Sequence[Example], inside: Sequence[Guess], outside: Sequence[Guess]) -> float:
    """Share of what is outside that is refused at the threshold that costs `ACCURACY_GIVEN_UP` and no more."""
    right = sorted(
        (guess.outside for example, guess in zip(test, inside, strict=True) if guess.intent == example.intent),
        reverse=True,
    )
    allowed = int(len(test) * ACCURACY_GIVEN_UP)
    threshold = right[allowed] if allowed < len(right) else 0.0
    return sum(guess.outside > threshold for guess in outside) / len(outside)
