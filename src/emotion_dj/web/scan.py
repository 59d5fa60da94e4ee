"""Hears the library in the background and tells those who follow how it goes."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from emotion_dj import errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from emotion_dj.app import EmotionDJ

STILL_HERE_SECONDS: Final = 15.0
"""A line is sent at least as often, so that proxies keep the connection and its end is noticed."""


class Scan:
    """One scan at a time; the first set waits for music, not for all of it."""

    def __init__(self, dj: EmotionDJ) -> None:
        """Nothing runs yet."""
        self._dj = dj
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._followers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self.running = False
        self.done, self.total = 0, 0
        self.failed: list[str] = []
        self.sentence = ""

    def start(self) -> None:
        """Begin, or leave the scan that is running alone."""
        with self._starting:
            if self.running:
                return
            self.running, self.sentence = True, ""
            self._thread = threading.Thread(target=self._run, name="scan", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Return when there is nothing more to wait for."""
        if self._thread is not None:
            self._thread.join()

    def state(self) -> dict[str, Any]:
        """Return how far the scan is."""
        return {"running": self.running, "done": self.done, "total": self.total}

    async def events(self) -> AsyncIterator[str]:
        """Yield server-sent events: `progress` at each step, then `done`, and that is the end."""
        with self._following() as changed:
            while self.running:
                changed.clear()
                yield _event("progress", self.state())
                try:
                    async with asyncio.timeout(STILL_HERE_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    yield ": still hearing\n\n"
            told = {"failed": self.failed, "problem": self.sentence}
            yield _event("done", {**self.state(), **told})

    @contextmanager
    def _following(self) -> Iterator[asyncio.Event]:
        follower = (asyncio.get_running_loop(), asyncio.Event())
        self._followers.add(follower)
        try:
            yield follower[1]
        finally:
            self._followers.discard(follower)

    def _tell(self) -> None:
        for loop, changed in tuple(self._followers):
            loop.call_soon_threadsafe(changed.set)

    def _run(self) -> None:
        try:
            summary = self._dj.library.scan(self._report)
            self.failed = [failure.why for failure in summary.failed]
        except errors.EmotionDJError as error:
            self.sentence = str(error)
        finally:
            self.running = False
            self._tell()

    def _report(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self._tell()


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
