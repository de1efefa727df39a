"""Serves the product and kills itself, with SIGKILL, at a named point of a turn.

    python -m tests.story.crashing

Imports what is slow, says "ready", and reads one JSON object: {"settings": {...}, "point": [file, function, "call" or
"return"] or null}. Then it serves with these settings and, at the point, dies as `kill -9` would have it: no handler,
no clean-up, nothing flushed. The product knows nothing of it: the interpreter's own profiling hook watches for the
point.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

FIRST = ("conversation.py", "converse", "call")
"""Start-up calls some of the same functions: points count from here on."""


class Killer:
    """A profiling hook that dies at the point, once a turn has begun."""

    def __init__(self, point: tuple[str, str, str]) -> None:
        self._point = point
        self._armed = False

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:  # any: whatever is called or returned
        if event not in ("call", "return"):
            return
        code = frame.f_code
        here = ("/".join(code.co_filename.split("/")[-self._point[0].count("/") - 1 :]), code.co_name, event)
        first = (code.co_filename.rsplit("/", 1)[-1], code.co_name, event)
        self._armed = self._armed or first == FIRST
        if self._armed and here == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Serve until killed or told to stop."""
    from assistant.understanding.lean import prepare_for_rasa

    prepare_for_rasa(Path("config.yml"))
    from assistant import logs
    from assistant.app import create_app
    from assistant.serving import serve
    from assistant.settings import Settings

    print("ready", flush=True)  # noqa: T201  # the test waits for it
    order = json.loads(sys.stdin.readline())
    os.environ.update(order["settings"])

    def watch(_url: str) -> None:
        """From the moment it is ready: turns run in threads that start later, and slow start-up is nobody's gain."""
        if order["point"]:
            killer = Killer(tuple(order["point"]))
            threading.setprofile(killer)
            sys.setprofile(killer)

    settings = Settings.load()
    logs.configure(settings.log_level)
    serve(settings, lambda: create_app(settings), watch)


if __name__ == "__main__":
    main()
