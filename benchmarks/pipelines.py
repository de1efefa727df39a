"""One pipeline of Rasa trained and asked, each in a process of its own, so that neither's memory counts for the other.

python -m benchmarks.pipelines train CONFIG TRAINING MODEL FIGURES
python -m benchmarks.pipelines ask CONFIG TEXTS MODEL FIGURES
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from assistant.evaluation import Example

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Guess:
    """What a text was taken for."""

    intent: str
    confidence: float
    outside: float
    """How likely it is of no intent; one less the confidence where the pipeline says nothing about it."""


@dataclass(frozen=True, slots=True)
class Run:
    """A pipeline on a corpus."""

    guesses: tuple[Guess, ...]
    """In the order of the texts."""
    training_cpu_seconds: float
    """Beyond the import of what it needs."""
    milliseconds: float
    """CPU time of a message, the median."""
    resident_bytes: int
    """Memory of the process that answers, with all it needs."""


def run(pipeline: Sequence[dict[str, object]], train: Sequence[Example], texts: Sequence[str], folder: Path) -> Run:
    """Train a pipeline and ask it, below this folder. Raises `subprocess.CalledProcessError`; its log says why."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"recipe": "default.v1", "assistant_id": "benchmark", "language": "en", "pipeline": list(pipeline)}
    (folder / "config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    examples = {"rasa_nlu_data": {"common_examples": [asdict(example) for example in train]}}
    (folder / "nlu.json").write_text(json.dumps(examples), encoding="utf-8")
    (folder / "texts.json").write_text(json.dumps(list(texts)), encoding="utf-8")
    trained = _in_a_process(folder, "train", "nlu.json")
    asked = _in_a_process(folder, "ask", "texts.json")
    return Run(
        tuple(Guess(*guess) for guess in asked["guesses"]),
        trained["cpu_seconds"],
        asked["milliseconds"],
        asked["resident_bytes"],
    )


def _in_a_process(folder: Path, what: str, source: str) -> dict:  # type: ignore[type-arg]  # read from JSON
    places = [str(folder / name) for name in ("config.yml", source, "model.tar.gz", f"{what}.json")]
    with (folder / f"{what}.log").open("w") as log:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.pipelines", what, *places]
        subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=True)
    return dict(json.loads((folder / f"{what}.json").read_text(encoding="utf-8")))


def train_here(config: Path, training: Path, model: Path) -> dict[str, object]:
    """Train in this process."""
    from rasa.model_training import train_nlu

    before = time.process_time()
    train_nlu(str(config), str(training), str(model.parent), fixed_model_name=model.name.removesuffix(".tar.gz"))
    return {"cpu_seconds": time.process_time() - before}


def ask_here(texts: Path, model: Path) -> dict[str, object]:
    """Load a model and ask it everything, in this process."""
    import asyncio
    import statistics

    from rasa.core.agent import Agent

    agent, said = Agent.load(str(model)), json.loads(texts.read_text(encoding="utf-8"))
    times: list[float] = []
    guesses: list[tuple[str, float, float]] = []

    async def ask() -> None:
        await agent.parse_message("hello")
        for text in said:
            before = time.process_time()
            parsed = await agent.parse_message(text)
            times.append(time.process_time() - before)
            name, confidence = parsed["intent"]["name"], parsed["intent"]["confidence"]
            guesses.append((str(name), float(confidence), float(parsed.get("oos_score", 1 - confidence))))

    asyncio.run(ask())
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return {"guesses": guesses, "milliseconds": statistics.median(times) * 1000, "resident_bytes": pages * 4096}


def main(what: str, config: Path, source: Path, model: Path, figures: Path) -> None:
    """Do one half of a run."""
    from assistant.understanding.lean import prepare_for_rasa

    prepare_for_rasa(config)
    import rasa.core.agent
    import rasa.model_training  # noqa: F401  # their cost is everybody's, and no training

    done = train_here(config, source, model) if what == "train" else ask_here(source, model)
    figures.write_text(json.dumps(done), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
