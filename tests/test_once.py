"""What is made once for many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from emotion_dj.app.once import once


class Slow:
    """Counts how often its value is made."""

    def __init__(self) -> None:
        self.made = 0
        self.ready = Barrier(4)

    @once
    def value(self) -> object:
        """Something that takes a while to make."""
        self.made += 1
        return object()

    def ask(self) -> object:
        """Ask for the value at the same moment as the others."""
        self.ready.wait()
        return self.value


def test_threads_that_ask_at_once_get_one_value() -> None:
    """Made a single time, and the same for everybody."""
    for _ in range(50):
        slow = Slow()
        with ThreadPoolExecutor(4) as pool:
            values = {pool.submit(slow.ask) for _ in range(4)}
        assert len({id(future.result()) for future in values}) == slow.made == 1
