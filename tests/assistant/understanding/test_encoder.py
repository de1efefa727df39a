"""The encoder that is installed is the one that was measured, and does what the classifier asks."""

from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ModelError
from assistant.understanding.encoder import Encoder, Multilingual, check, encoder_named

ODD = [
    "",
    " ",
    "a",
    "x" * 1600,
    "日本語のテキスト",
    "مرحبا",
    "สวัสดี",
    "\U0001f44d\U0001f3fd",
    "\x00\ufffe",
    "word " * 320,
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return encoder_named("multilingual")


def test_any_text_becomes_a_vector_of_length_one(encoder: Encoder) -> None:
    vectors = encoder.encode(ODD)
    assert vectors.shape == (len(ODD), encoder.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-3)


def test_no_texts_are_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dimensions)


def test_a_text_is_the_same_alone_and_among_others(encoder: Encoder) -> None:
    among = encoder.encode(["hello", "where is my order", "a much longer sentence about something else"])[1]
    assert encoder.encode(["where is my order"])[0] == pytest.approx(among, abs=1e-5)


@pytest.mark.parametrize("text", ["¿dónde está mi pedido?", "où est ma commande", "di mana pesanan saya"])
def test_the_same_meaning_is_near_in_another_language(encoder: Encoder, text: str) -> None:
    said, meant, other = encoder.encode([text, "where is my order", "tell me a joke"])
    assert said @ meant > said @ other + 0.2


def test_it_knows_words_of_its_languages(encoder: Encoder) -> None:
    assert all(map(encoder.knows, ("rice", "cancelar", "fleurs")))
    assert not any(map(encoder.knows, ("bouqett", "qquestion")))


def test_it_is_opened_once() -> None:
    assert encoder_named("multilingual") is encoder_named("multilingual")


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(ModelError, match="multilingual"):
        encoder_named("bert")


def test_other_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.npz").write_bytes(b"something else")
    with pytest.raises(ModelError, match="SHA-256"):
        check(Multilingual.package, Multilingual.release, tmp_path, Multilingual.files)


def test_another_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"0\.1\.0"):
        check(Multilingual.package, "0.1.0", tmp_path, {})
