"""One transaction, tried again when somebody else wrote first."""

from collections.abc import Callable
from typing import TypeVar

import tenacity

from assistant.database import Database, Overtaken, UnitOfWork
from assistant.errors import StoreUnavailable

ATTEMPTS = 8
LONGEST_PAUSE_SECONDS = 0.05

T = TypeVar("T")


def in_one_transaction(database: Database, work: Callable[[UnitOfWork], T]) -> T:
    """Do this work and commit it. Raises `StoreUnavailable` when it was overtaken again and again."""
    try:
        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Overtaken),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_random(0, LONGEST_PAUSE_SECONDS),
            reraise=True,
        ):
            with attempt, database.unit_of_work() as unit:
                result = work(unit)
                unit.commit()
                return result
    except Overtaken as error:
        raise StoreUnavailable("overtaken too often") from error
    raise AssertionError("unreachable: the last attempt raises")
