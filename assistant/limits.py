"""How much one address may say in a minute."""

from collections import deque
from collections.abc import Callable

from cachetools import LRUCache

WINDOW_SECONDS = 60.0
ADDRESSES = 10_000
"""Addresses remembered at once; the one that was quiet longest is dropped first."""


class TurnLimit:
    """A sliding window for each address. A repeated turn is not counted again: providers do repeat."""

    def __init__(self, turns_per_minute: int, seconds: Callable[[], float]) -> None:
        self._most = turns_per_minute
        self._seconds = seconds
        self._windows: LRUCache[str, deque[tuple[float, str]]] = LRUCache(ADDRESSES)

    def allows(self, address: str, turn_id: str) -> bool:
        """Count this turn; False when it is one too many."""
        now = self._seconds()
        window = self._windows.setdefault(address, deque())
        while window and now - window[0][0] > WINDOW_SECONDS:
            window.popleft()
        if any(turn_id == seen for _, seen in window):
            return True
        if len(window) >= self._most:
            return False
        window.append((now, turn_id))
        return True
