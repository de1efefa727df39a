"""Trained models on disk: which one belongs to the data, making it, and opening it only when it is ours.

A model file can run code when it is loaded, so only a file whose SHA-256 lies beside it, written by our own training,
is opened (CVE-2024-49375 shows why).
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from assistant.errors import ModelError
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.dialogue import CustomAction, Dialogue, Parsed

log = structlog.get_logger(__name__)

RASA_VERSION = "3.6.21"
"""Part of the fingerprint: another Rasa needs another model."""
COMPONENTS = Path(__file__).parent / "understanding"
"""Where our components of Rasa's graph are; with other ones a model would not be what it was trained to be."""


def fingerprint(settings: Settings) -> str:
    """Twelve hex digits that change with anything a model is trained from."""
    digest = hashlib.sha256(RASA_VERSION.encode())
    for path in [settings.config_file, *_training_files(settings), *sorted(COMPONENTS.glob("*.py"))]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def model_path(settings: Settings) -> Path:
    """Where the model for the present data is, or would be."""
    return settings.models_dir / f"{fingerprint(settings)}.tar.gz"


def trusted_model(settings: Settings) -> Path:
    """The model for the present data. Raises `ModelError` when it is missing, changed or not ours."""
    path = model_path(settings)
    if not path.exists():
        raise ModelError(f"there is no model for this data ({path.name}); run `assistant train`")
    check(path)
    return path


def check(path: Path) -> None:
    """Raises `ModelError` unless the file is exactly what our training wrote."""
    beside = _sha256_file(path)
    if not beside.exists():
        raise ModelError(f"{path.name} has no SHA-256 beside it, so it is not one of ours")
    if not beside.read_text(encoding="utf-8", errors="replace").startswith(f"{_sha256(path)} "):
        raise ModelError(f"{path.name} is not the file that was trained: its SHA-256 differs")


def train(settings: Settings) -> Path:
    """Train a model for the present data and keep it with its SHA-256. Returns its path.

    Raises `ModelError` with Rasa's complaint when the data cannot be trained.
    """
    import rasa.model_training
    from rasa.shared.exceptions import RasaException

    target = model_path(settings)
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.models_dir) as directory:
        try:
            result = rasa.model_training.train(
                domain=str(settings.data_dir / "domain"),
                config=str(settings.config_file),
                training_files=[str(settings.data_dir / part) for part in ("nlu", "rules", "stories")],
                output=directory,
                force_training=True,
                fixed_model_name="model",
            )
        except RasaException as error:
            raise ModelError(f"training failed: {error}") from error
        except SystemExit as error:  # what Rasa does when it cannot read a file, having said why
            raise ModelError("training failed: Rasa could not read the data; see the lines above") from error
        if result.model is None:
            raise ModelError("training failed: Rasa made no model; see the lines above")
        made = Path(result.model)
        digest = _sha256(made)
        # In this order a crash in between leaves no model, which is trained again, and not one that is refused.
        _sha256_file(target).write_text(f"{digest}  {target.name}\n", encoding="ascii")
        os.replace(made, target)
    log.info("model_trained", model=target.name)
    return target


def load(path: Path, actions: Iterable["CustomAction"], facts: Mapping[str, str]) -> "Dialogue":
    """Open a model that passed `check`, and warm it up. Raises `ModelError` when it cannot be opened."""
    from assistant.dialogue import Dialogue

    with _opening(path):
        dialogue = Dialogue.load(path, actions, facts)
        dialogue.parse("hello")
        return dialogue


def load_parser(path: Path) -> Callable[[str], "Parsed"]:
    """Open a model for its understanding alone: a function from text to intent and confidence. Raises `ModelError`."""
    from assistant.dialogue import Dialogue

    with _opening(path):
        return Dialogue.load_parser(path)


@contextmanager
def _opening(path: Path) -> Iterator[None]:
    check(path)
    try:
        yield
    except Exception as error:  # a broken model can raise anything while it is unpacked; the old one must go on
        raise ModelError(f"{path.name} cannot be opened: {type(error).__name__}: {error}") from error


def _training_files(settings: Settings) -> list[Path]:
    return sorted(
        path for part in ("domain", "nlu", "rules", "stories") for path in (settings.data_dir / part).rglob("*.yml")
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256_file(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")
