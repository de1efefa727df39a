"""Nothing a person said, and nothing that tells who they are, gets into the logs."""

import logging
import re

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from assistant import logs
from assistant.errors import StoreUnavailable

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


def test_our_own_event_is_one_line_of_keys_and_values(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    structlog.get_logger("assistant.outbox").info("delivery_failed", push="3f2a", attempt=2)
    line = capfd.readouterr().err
    assert line.count("\n") == 1
    assert "event=delivery_failed" in line
    assert "push=3f2a" in line
    assert "attempt=2" in line


def test_the_level_is_for_our_own_events(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("WARNING")
    structlog.get_logger("assistant.outbox").info("sent")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "value",
    [
        "+447700900123",
        "phone:+447700900123",
        "07700 900123",
        "(0)7700/900-123",
        "whatsapp:+34600111222",
        "ana@shop.example",
        "the code is 493021",
        ["+447700900123"],
        {"to": "+447700900123"},
        StoreUnavailable("could not reach ana@shop.example"),
    ],
)
def test_personal_data_that_got_into_a_value_is_masked(value: object, capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    structlog.get_logger("assistant.app").info("slip", value=value)
    line = re.sub(r"timestamp=\S+", "", capfd.readouterr().err)  # its digits are anybody's
    assert "event=slip" in line
    assert logs.WITHHELD in line
    assert not any(trace in line for trace in ("7700", "900", "600", "ana@", "493021"))


@given(st.integers(0, 999_999), st.sampled_from(["{}", "code {}", "code={},", "<{}>", "{}!", "({})"]))
def test_a_one_time_code_is_masked_wherever_it_stands(code: int, around: str) -> None:
    digits = f"{code:06}"
    event = logs.without_personal_data(None, "info", {"event": "x", "value": around.format(digits)})
    assert digits not in event["value"]


@pytest.mark.parametrize(
    "value",
    ["9f86d081884c7d659a2feaa0c55ad015", "SM1f0e8ae6ade43cb3c0ce4525424e404f", 8000, 1.25, True, "F-1204"],
)
def test_ids_and_figures_stay_readable(value: object) -> None:
    assert logs.without_personal_data(None, "info", {"event": "x", "value": value})["value"] == value


def test_what_a_person_said_is_withheld_whatever_it_is() -> None:
    event = logs.without_personal_data(None, "info", {"event": "x", "text": "a white rose for my aunt"})
    assert event["text"] == logs.WITHHELD


def test_of_a_library_only_the_place_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("DEBUG")
    logging.getLogger("rasa.core.processor").warning("Parsed '%s' as intent '%s'", "my aunt Rose", "greet")
    structlog.get_logger("rasa.core.agent").error("agent.failed", parse_data_text="my aunt Rose")
    lines = capfd.readouterr().err
    assert lines.count("event=library_log") == 2
    assert "logger=rasa.core.processor" in lines
    assert "Rose" not in lines
    assert "greet" not in lines


def test_a_library_is_silent_below_a_warning(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("DEBUG")
    logging.getLogger("rasa.core.processor").debug("Received user message 'my aunt Rose'")
    structlog.get_logger("rasa.core.agent").info("agent.message", text="my aunt Rose")
    assert capfd.readouterr().err == ""


def test_training_may_show_what_rasa_says(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", quote_libraries=True)
    logging.getLogger("rasa.shared.importers").warning("intent 'greet' has one example")
    assert "intent 'greet' has one example" in capfd.readouterr().err


def test_a_warning_about_the_data_is_shown_in_training_only(capfd: pytest.CaptureFixture[str]) -> None:
    about_data = "rules.py:9: UserWarning: rule 'my aunt Rose' is never used\n  rasa.shared.utils.io.raise_warning("
    logs.configure("INFO", quote_libraries=True)
    logging.getLogger("py.warnings").warning("%s", about_data)
    logging.getLogger("py.warnings").warning("%s", "x.py:1: DeprecationWarning: parseString")
    lines = capfd.readouterr().err
    assert "is never used" in lines
    assert "parseString" not in lines
    logs.configure("INFO")
    logging.getLogger("py.warnings").warning("%s", about_data)
    assert capfd.readouterr().err == ""


def test_of_an_exception_the_type_and_the_places_are_kept(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    try:
        int("my aunt Rose")
    except ValueError:
        structlog.get_logger("assistant.conversation").exception("turn_failed", turn="17")
    line = capfd.readouterr().err
    assert "error=ValueError" in line
    assert "test_logs.py:" in line
    assert "Rose" not in line


def test_probes_are_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    for path in ("/health/live", "/health/ready", "/metrics"):
        logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "203.0.113.9:4711", "GET", path, "1.1", 200)
    assert capfd.readouterr().err == ""


def test_a_request_is_logged_without_its_query_and_sender(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "203.0.113.9:4711", "POST", "/channels/sms?From=ana", "1.1", 200
    )
    line = capfd.readouterr().err
    assert "method=POST path=/channels/sms status=200" in line
    assert "ana" not in line
    assert "203.0.113.9" not in line
