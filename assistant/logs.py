"""Logs: one line of key=value to stderr for each event, with ids only.

What a person said must not get here in the first place. Two guards stand behind that rule: of what libraries log, only
the place is kept, because their words may quote a person; and values that look like a phone number, an e-mail address
or a one-time code are masked.
"""

import logging
import re
import sys
import traceback
from pathlib import Path

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from assistant.errors import AssistantError

WITHHELD = "[withheld]"

FRAMES = 6
"""How many frames of a traceback are kept, the innermost ones."""

_OURS = ("assistant", "channels", "actions")
_REQUESTS = "uvicorn.access"
_KEPT_OF_LIBRARIES = ("timestamp", "level", "logger", "exc_info", "_record", "_from_structlog")
_SPOKEN_KEYS = frozenset({"text", "body", "said", "utterance", "token", "secret", "password"})
_SAFE_KEYS = frozenset({"timestamp", "level", "logger"})
_PERSONAL = re.compile(
    r"""[^\s@=:,;<>"']+@[^\s@=:,;<>"']+\.\w+      # an e-mail address
    | (?<!\w)\+?\d(?:[\s()./-]{0,2}\d){6,}(?!\w)  # a phone number, however it is spaced
    | (?<!\w)\d{6}(?!\w)                          # a one-time code
    """,
    re.VERBOSE,
)


def configure(level: str, *, quote_libraries: bool = False) -> None:
    """Send every log of this process to stderr, from `level` (DEBUG, INFO …) on; of libraries, warnings and worse.

    With `quote_libraries` their words are kept: for training, where nobody speaks and Rasa's words are what helps.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            pass_foreign_args=not quote_libraries,
            processors=[
                *([] if quote_libraries else [only_the_place_of_libraries]),
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                without_messages_of_exceptions,
                without_personal_data,
                structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], drop_missing=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in (*_OURS, _REQUESTS):
        logging.getLogger(name).setLevel(level.upper())
    logging.getLogger(_REQUESTS).filters = [_is_not_a_probe]
    # Rasa turns what it is unsure about into warnings of Python, with the words in them.
    logging.captureWarnings(True)
    warnings = logging.getLogger("py.warnings")
    warnings.disabled = not quote_libraries
    warnings.filters = [_is_about_the_data]
    structlog.configure(
        # Rasa logs through structlog too: by the name of the calling module it falls under the levels set above.
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
    )


def only_the_place_of_libraries(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Of an event that is not ours keep where it was logged; of a request also method, path and status."""
    name, record = str(event["logger"]), event["_record"]
    if name.partition(".")[0] in _OURS or not isinstance(record, logging.LogRecord):
        return event
    kept = {key: event[key] for key in _KEPT_OF_LIBRARIES if key in event}
    if name == _REQUESTS:
        _client, method, path, _version, status = event["positional_args"]
        return {**kept, "event": "request", "method": method, "path": str(path).partition("?")[0], "status": status}
    return {**kept, "event": "library_log", "line": record.lineno}


def without_messages_of_exceptions(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace a traceback by its innermost places: the message of an exception may quote a person."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = f"{error.code}: {error}" if isinstance(error, AssistantError) else type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        event["at"] = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return event


def without_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask whatever looks like a phone number, an e-mail address or a one-time code, in every value of an event."""
    return {key: value if key in _SAFE_KEYS else _masked(key, value) for key, value in event.items()}


def _masked(key: str, value: object) -> object:
    if key in _SPOKEN_KEYS:
        return WITHHELD
    if value is None or isinstance(value, bool | int | float):
        return value
    return _PERSONAL.sub(WITHHELD, str(value))


def _is_not_a_probe(record: logging.LogRecord) -> bool:
    """Whether a request is worth a line: probes come every few seconds and say nothing that metrics do not."""
    return not (isinstance(record.args, tuple) and str(record.args[2]).startswith(("/health/", "/metrics")))


def _is_about_the_data(record: logging.LogRecord) -> bool:
    """Whether a warning is Rasa's about what it is trained from, and not one library's about another."""
    message = record.getMessage()
    return "raise_warning" in message and "Slot auto-fill has been removed" not in message  # it says that of any data
