"""How often a service may be asked."""

from __future__ import annotations

import threading
import time
from collections import deque


class RateLimiter:
    """At most ``requests`` in any span of ``seconds``, over all threads of this process.

    It remembers the times of the last requests: a bucket of tokens that refills evenly would let
    twice as many pass in the first span.
    """

    def __init__(self, requests: int, seconds: float) -> None:
        """Begin with nothing spent."""
        self.seconds = seconds
        self._times: deque[float] = deque(maxlen=requests)
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[RateLimiter], tuple[int, float]]:
        """Travel to a worker process as a fresh budget: locks and clocks do not travel."""
        return RateLimiter, (self._times.maxlen or 1, self.seconds)

    def spend(self) -> None:
        """Return when one more request is allowed."""
        with self._lock:
            if len(self._times) == self._times.maxlen:
                wait = self._times[0] + self.seconds - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
            self._times.append(time.monotonic())
