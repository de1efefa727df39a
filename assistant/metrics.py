"""What Prometheus reads at /metrics. Never holds what a person said or who they are."""

import math

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from assistant.database import Database
from assistant.errors import StoreUnavailable
from assistant.outbox import Outbox

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counters of one process."""

    def __init__(self, database: Database) -> None:
        self.registry = CollectorRegistry()
        self.turns = Counter(
            "assistant_turns", "Turns by channel and outcome", ("channel", "outcome"), registry=self.registry
        )
        self.seconds = Histogram(
            "assistant_turn_seconds", "Seconds to answer a turn", ("channel",), buckets=SECONDS, registry=self.registry
        )
        self.deliveries = Counter(
            "assistant_deliveries", "Outgoing messages by outcome", ("outcome",), registry=self.registry
        )
        outbox = Gauge("assistant_outbox_depth", "Messages waiting to be sent", registry=self.registry)
        outbox.set_function(lambda: _depth(database))


def _depth(database: Database) -> float:
    try:
        with database.unit_of_work() as unit:
            return Outbox.depth(unit)
    except StoreUnavailable:
        return math.nan  # the other figures are wanted most when the store is away
