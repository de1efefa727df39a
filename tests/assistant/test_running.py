"""How other commands find the running assistant and have it reload."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.errors import NotAnswering, SettingsError
from assistant.running import Health, Running, find, listen, registered, url_of
from tests.assistant.answering import Answer, answering

HERE = "http://127.0.0.1:8000"


def test_it_is_found_while_it_runs_and_not_after(tmp_path: Path) -> None:
    assert find(tmp_path) is None
    with registered(tmp_path, HERE):
        assert find(tmp_path) == Running(os.getpid(), HERE)
    assert find(tmp_path) is None


def test_a_second_one_with_the_same_state_is_refused(tmp_path: Path) -> None:
    with registered(tmp_path, HERE):
        with pytest.raises(SettingsError, match=f"already at {HERE}"), registered(tmp_path, HERE):
            pass
        assert find(tmp_path) == Running(os.getpid(), HERE)


def test_one_that_was_killed_is_not_found_and_does_not_stand_in_the_way(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time\nfrom assistant.running import registered\n"
        "with registered(pathlib.Path(sys.argv[1]), 'http://x'):\n    print('up', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        found = find(tmp_path)
        process.kill()
    assert found == Running(process.pid, "http://x")
    assert find(tmp_path) is None
    with registered(tmp_path, HERE):
        assert find(tmp_path) is not None


def test_a_busy_port_is_said_with_a_way_on() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(SettingsError, match="set ASSISTANT_PORT"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_a_strange_address_is_said() -> None:
    with pytest.raises(SettingsError, match="ASSISTANT_HOST"):
        listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", HERE), ("0.0.0.0", HERE), ("::1", "http://[::1]:8000"), ("::", "http://[::1]:8000")],  # noqa: S104  # nothing listens
)
def test_the_address_to_call_on_this_machine(host: str, url: str) -> None:
    assert url_of(host, 8000) == url


@pytest.fixture
def hangups() -> Iterator[list[int]]:
    """The SIGHUPs that this process was sent."""
    received: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _frame: received.append(number))
    yield received
    signal.signal(signal.SIGHUP, before)


def test_a_reload_is_waited_for(hangups: list[int]) -> None:
    def state(_path: str, _authorization: str) -> Answer:
        return 200, json.dumps({"model": "new", "reloads": 4 + len(hangups), "reload_refused": None}).encode()

    with answering(state) as url:
        assert Running(os.getpid(), url).reload() == Health("new", 5, None)
    assert hangups == [signal.SIGHUP]


def test_one_that_does_not_reload_is_given_up(hangups: list[int]) -> None:
    state = json.dumps({"model": "old", "reloads": 4, "reload_refused": None}).encode()
    with answering(lambda *_: (200, state)) as url, pytest.raises(NotAnswering, match="did not reload"):
        Running(os.getpid(), url).reload(wait_seconds=0.3)
    assert hangups == [signal.SIGHUP]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>"])
def test_a_stranger_on_the_port_is_not_sent_a_signal(body: bytes, hangups: list[int]) -> None:
    with answering(lambda *_: (200, body)) as url, pytest.raises(NotAnswering, match="does not answer"):
        Running(os.getpid(), url).reload()
    assert hangups == []
