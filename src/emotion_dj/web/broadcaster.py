"""Passes readings on, as they are made, to those who follow them; nothing is kept."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.web.scan import STILL_HERE_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

KEY: Final = "^[A-Za-z0-9_-]{16,64}$"
"""Whoever knows the key of a camera may follow it, so keys are long and made by chance."""

MOST: Final = 32
"""Followers at once; each holds a connection for as long as it likes."""


@dataclass(eq=False, slots=True)
class _Follower:
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    last: str = ""


class ReadingBroadcaster:
    """Who follows which camera, in this process alone; used on one event loop."""

    def __init__(self) -> None:
        """Nobody follows yet."""
        self._followers: dict[str, set[_Follower]] = {}

    @property
    def full(self) -> bool:
        """No more followers are taken."""
        return sum(map(len, self._followers.values())) >= MOST

    def tell(self, key: str | None, event: str, data: dict[str, Any]) -> None:
        """Pass a reading on to the followers of a key; who is slow gets the newest only."""
        for follower in self._followers.get(key or "", ()):
            follower.last = f"event: {event}\ndata: {json.dumps(data)}\n\n"
            follower.changed.set()

    async def events(self, key: str) -> AsyncIterator[str]:
        """Yield server-sent events for as long as somebody listens."""
        with self._following(key) as follower:
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

    @contextmanager
    def _following(self, key: str) -> Iterator[_Follower]:
        follower = _Follower()
        self._followers.setdefault(key, set()).add(follower)
        try:
            yield follower
        finally:
            self._followers[key].discard(follower)
            if not self._followers[key]:
                del self._followers[key]
