"""Hears the library in the background and tells those who follow how it goes."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from emotion_dj import errors
from emotion_dj.json_types import JsonObject
from emotion_dj.web.visit import is_owner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from emotion_dj.app import EmotionDJ
    from emotion_dj.app.library import Library

_log = logging.getLogger(__name__)

STILL_HERE_SECONDS: Final = 15.0
"""A line is sent at least as often, so that proxies keep the connection and its end is noticed."""


TURN_SECONDS: Final = 1.0
"""How often is asked whether another replica that scans the same library has ended."""


class _Stopped(Exception):
    """The service ends."""


class Scan:
    """One scan at a time, of all replicas together; the first set waits for music, not for all.

    While another replica scans, this one says so, shows what is there, and looks for itself when
    that has ended or died: then little or nothing is left to be heard.
    """

    def __init__(self, dj: EmotionDJ) -> None:
        """Nothing runs yet."""
        self._dj = dj
        self._thread: threading.Thread | None = None
        self._moved = threading.Condition()
        self._again = False
        self._stopped, self._watched = threading.Event(), threading.Event()
        self._followers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self.running = self.elsewhere = False
        self.done, self.total = 0, 0
        self.failed: list[str] = []
        self.sentence = ""

    def start(self) -> None:
        """Begin, or have the scan that is running look again at its end, for what came since."""
        with self._moved:
            self._again = True
            if self.running:
                return
            self.running, self.sentence = True, ""
            self._thread = threading.Thread(target=self._run, name="scan", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the scan at its next step, as when the service ends; what was heard is kept."""
        self._stopped.set()
        self._watched.set()

    def watch(self) -> None:
        """Look again whenever something changes in the folders that the library has now."""
        self._watched.set()
        self._watched = threading.Event()
        arguments = (self._dj.library, self._watched)
        threading.Thread(target=self._watch, args=arguments, name="watch", daemon=True).start()

    def _watch(self, library: Library, stop: threading.Event) -> None:
        try:
            for _ in library.changes(stop, _log.warning):
                self.start()
        except Exception:  # noqa: BLE001 - nobody waits for it, and the service goes on
            _log.exception("the library is not watched")

    def wait_until(self, enough: Callable[[], bool]) -> None:
        """Return when enough is there, or when there is nothing more to wait for."""
        with self._moved:
            self._moved.wait_for(lambda: not self.running or enough())

    def state(self) -> JsonObject:
        """Return how far the scan is, and whether it is another replica's."""
        counts = {"done": self.done, "total": self.total}
        return {"running": self.running, "elsewhere": self.elsewhere, **counts}

    def troubles(self) -> JsonObject:
        """Return what failed and why; guests are told no more than whether there is music."""
        failed, problem = (self.failed, self.sentence) if is_owner() else ([], "")
        return {"failed": [_text(why) for why in failed], "problem": _text(problem)}

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
            yield _event("done", {**self.state(), **self.troubles()})

    @contextmanager
    def _following(self) -> Iterator[asyncio.Event]:
        follower = (asyncio.get_running_loop(), asyncio.Event())
        self._followers.add(follower)
        try:
            yield follower[1]
        finally:
            self._followers.discard(follower)

    def _tell(self) -> None:
        with self._moved:
            self._moved.notify_all()
        for loop, changed in tuple(self._followers):
            loop.call_soon_threadsafe(changed.set)

    def _run(self) -> None:
        try:
            while self._look_again():
                self._look()
        finally:
            self.running = self.elsewhere = False
            self._tell()

    def _look_again(self) -> bool:
        """Tell whether there is something to do; where there is not, nothing runs from here on."""
        with self._moved:
            self.running, self._again = self._again, False
            return self.running

    def _look(self) -> None:
        try:
            self.sentence = ""
            with self._turn():
                summary = self._dj.library.refresh(self._report)
            self.failed = [failure.why for failure in summary.failed]
        except _Stopped:
            return
        except errors.EmotionDJError as error:
            self.sentence = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits has to be told
            _log.exception("the scan failed")
            self.sentence = f"the scan failed ({type(error).__name__}): the log says more"

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until no other replica scans the library, then keep others waiting."""
        while True:
            with self._dj.library.turn() as ours:
                self.elsewhere = not ours
                if ours:
                    yield
                    return
            self._tell()
            if self._stopped.wait(TURN_SECONDS):
                raise _Stopped

    def _report(self, done: int, total: int) -> None:
        if self._stopped.is_set():
            raise _Stopped
        self.done, self.total = done, total
        self._tell()


def _text(sentence: str) -> str:
    """Return a sentence as JSON can hold it: a file's name may be no text."""
    return sentence.encode("utf-8", "replace").decode()


def _event(name: str, data: JsonObject) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
