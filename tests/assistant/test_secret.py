"""The server's secret: made once, kept for the owner only, never weak."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from assistant.errors import SettingsError
from assistant.secret import BYTES, FILE_NAME, secret_key
from assistant.settings import Settings


def kept_in(folder: Path) -> Settings:
    return Settings(state_dir=folder)


def test_it_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first = secret_key(kept_in(tmp_path / "new"))
    assert len(first) == BYTES
    assert secret_key(kept_in(tmp_path / "new")) == first
    assert (tmp_path / "new" / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert secret_key(kept_in(tmp_path / "other")) != first


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(secret_key, [kept_in(tmp_path)] * 50))) == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("content", ["", "00", "not hexadecimal", "é" * 32])
def test_a_damaged_one_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    (tmp_path / FILE_NAME).chmod(0o600)
    with pytest.raises(SettingsError, match="damaged"):
        secret_key(kept_in(tmp_path))


def test_one_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret_key(kept_in(tmp_path))
    (tmp_path / FILE_NAME).chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        secret_key(kept_in(tmp_path))


def test_a_given_one_is_used_and_nothing_is_kept(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, secret=SecretStr("x" * 32))
    assert secret_key(settings) == b"x" * 32
    assert list(tmp_path.iterdir()) == []
