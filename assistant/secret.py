"""The server's secret key: given by the settings, or made once and kept in the state folder."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from assistant.errors import SettingsError
from assistant.settings import Settings

FILE_NAME = "secret"
BYTES = 32


def secret_key(settings: Settings) -> bytes:
    """The key. Raises `SettingsError` when the kept one is damaged or can be read by other users of the machine."""
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    path = settings.state_dir / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise SettingsError(f"{path} can be read by others; run `chmod 600 {path}` and restart")
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        key = b""
    if len(key) != BYTES:
        raise SettingsError(f"{path} is damaged; delete it and restart: a new one is made, and open codes die")
    return key


def _make(path: Path) -> None:
    """Whole or not at all, and never over one that another process has just made."""
    with tempfile.NamedTemporaryFile("w", encoding="ascii", dir=path.parent) as file:
        file.write(secrets.token_hex(BYTES))
        file.flush()
        os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(file.name, path)
