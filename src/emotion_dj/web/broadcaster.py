"""Passes readings on, as they are made, to those who follow them; nothing is kept."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from emotion_dj.app import replicas
from emotion_dj.json_types import JsonObject
from emotion_dj.web.scan import STILL_HERE_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from emotion_dj.app.settings import Settings

KEY: Final = "^[A-Za-z0-9_-]{16,64}$"
"""Whoever knows the key of a camera may follow it, so keys are long and made by chance."""

MOST: Final = 32
"""Followers at once; each holds a connection for as long as it likes."""


@dataclass(eq=False, slots=True, weakref_slot=True)
class _Follower:
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    last: str = ""


class ReadingBroadcaster:
    """Who follows which camera, by a digest of its key; used on one event loop."""

    def __init__(self) -> None:
        """Nobody follows yet."""
        self._followers: dict[str, WeakSet[_Follower]] = {}
        self._publish: replicas.Publish | None = None

    @contextmanager
    def connected(self, settings: Settings) -> Iterator[None]:
        """Tell the followers of other replicas, too, and hear what those tell, for the block."""
        loop = asyncio.get_running_loop()

        def heard(topic: str, event: str) -> None:
            with suppress(RuntimeError):  # the loop was closed a moment ago
                loop.call_soon_threadsafe(self._pass_on, topic, event)

        with replicas.connected(settings, heard) as self._publish:
            yield
        self._publish = None

    @property
    def full(self) -> bool:
        """No more followers are taken."""
        return sum(map(len, self._followers.values())) >= MOST

    def tell(self, key: str | None, event: str, data: JsonObject) -> None:
        """Pass a reading on to the followers of a key; who is slow gets the newest only."""
        if key is None:
            return
        topic, told = _topic(key), f"event: {event}\ndata: {json.dumps(data)}\n\n"
        self._pass_on(topic, told)
        if self._publish is not None:
            self._publish(topic, told)

    def _pass_on(self, topic: str, event: str) -> None:
        for follower in self._followers.get(topic, ()):
            follower.last = event
            follower.changed.set()

    def events(self, key: str) -> AsyncIterator[str]:
        """Return server-sent events for as long as somebody listens.

        They count from now on, also before the first one is asked for.
        """
        self._followers = {topic: some for topic, some in self._followers.items() if some}
        followers = self._followers.setdefault(_topic(key), WeakSet())
        follower = _Follower()
        followers.add(follower)
        return _events(follower, followers)


def _topic(key: str) -> str:
    """Return what a camera is called among replicas, of which nobody learns the key."""
    return hashlib.sha256(key.encode()).hexdigest()


async def _events(follower: _Follower, followers: WeakSet[_Follower]) -> AsyncIterator[str]:
    try:
        yield ": following\n\n"
        while True:
            try:
                async with asyncio.timeout(STILL_HERE_SECONDS):
                    await follower.changed.wait()
            except TimeoutError:
                yield ": still here\n\n"
            else:
                follower.changed.clear()
                yield follower.last
    finally:
        followers.discard(follower)
