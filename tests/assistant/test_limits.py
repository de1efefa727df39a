"""How much one address may say in a minute."""

from assistant.limits import WINDOW_SECONDS, TurnLimit


class Stopwatch:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_one_too_many_is_refused_until_the_window_has_passed() -> None:
    watch = Stopwatch()
    limit = TurnLimit(2, watch)
    assert limit.allows("web:a", "1")
    watch.seconds = 30
    assert limit.allows("web:a", "2")
    assert not limit.allows("web:a", "3")
    watch.seconds = WINDOW_SECONDS
    assert not limit.allows("web:a", "3")
    watch.seconds = WINDOW_SECONDS + 0.1
    assert limit.allows("web:a", "3")
    assert not limit.allows("web:a", "4")


def test_a_repeated_turn_counts_once() -> None:
    limit = TurnLimit(2, Stopwatch())
    assert all(limit.allows("web:a", "1") for _ in range(10))
    assert limit.allows("web:a", "2")
    assert limit.allows("web:a", "1")


def test_one_address_does_not_use_up_anothers() -> None:
    limit = TurnLimit(1, Stopwatch())
    assert limit.allows("web:a", "1")
    assert limit.allows("web:b", "2")
