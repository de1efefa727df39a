"""Serving: a port of its own, one assistant for each state folder, and an end when told."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

SERVER = """
import sys
from fastapi import FastAPI
from assistant.serving import serve
from assistant.settings import Settings

def make_app():
    app = FastAPI()
    app.get("/")(lambda: "here")
    print("making", flush=True)
    sys.stdin.readline()
    return app

serve(Settings(port=0, state_dir=sys.argv[1]), make_app, lambda url: print(url, flush=True))
"""


@contextmanager
def serving(state_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A small server that has its port, and makes its application once a line is written to it."""
    command = [sys.executable, "-c", SERVER, str(state_dir)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def says(process: subprocess.Popen[str]) -> str:
    """The next line it prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_the_address_is_told_once_it_answers_there(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        assert says(process) == "making"
        go_on(process)
        answer = httpx.get(says(process))
        assert answer.json() == "here"
        assert "server" not in answer.headers


def test_it_ends_when_told_so(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        says(process)
        go_on(process)
        says(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == -signal.SIGTERM


def test_a_reload_that_comes_too_early_does_not_end_it(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        assert says(process) == "making"
        process.send_signal(signal.SIGHUP)
        go_on(process)
        assert says(process).startswith("http://127.0.0.1:")


def test_a_second_one_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        assert says(first) == "making"
        with serving(tmp_path) as second:
            assert second.wait(timeout=20) == 1
            assert second.stderr is not None
            assert "runs already" in second.stderr.read()
