"""Messages between processes that share a PostgreSQL: its LISTEN and NOTIFY.

The server keeps none of them; whoever is not connected misses what is sent meanwhile.
"""

from __future__ import annotations

import base64
import json
import logging
import secrets
import zlib
from dataclasses import dataclass, field
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

    from emotion_dj.catalogue.backends.postgres import PostgreSQL

CHANNEL: Final = "emotion_dj_live"

LONGEST: Final = 7_900
"""Bytes of a message: the server takes less than 8,000. That is the readings of some forty faces;
what is longer stays with its own process."""

RETRY_S: Final = 2.0
"""How long is waited before a server that went away is connected to again."""

_MOST: Final = 1_000_000
"""Bytes that a message may unpack to."""

_LISTENS_S: Final = 1.0
"""How often it is looked whether to stop listening."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Messages:
    """Passes the messages of other processes to ``heard``, in a thread; a context manager.

    ``backend`` says how the server is reached. While it is not, messages are lost in silence, but
    for one line in the log.
    """

    backend: PostgreSQL
    heard: Callable[[str, str], None]
    _origin: str = field(default_factory=lambda: secrets.token_hex(8))
    _waiting: dict[str, str] = field(default_factory=dict)
    _changed: Condition = field(default_factory=Condition)
    _stopped: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        """Begin to send and to listen, on a connection each."""
        for work in (self._send, self._listen):
            Thread(target=self._connected, args=(work,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop soon, without waiting for a server."""
        self._stopped.set()
        with self._changed:
            self._changed.notify()

    def publish(self, topic: str, text: str) -> None:
        """Send a text to all others, soon; of one topic only the newest is sent where sending takes
        longer than writing. Never waits and never raises.
        """
        with self._changed:
            self._waiting[topic] = text
            self._changed.notify()

    def _connected(self, work: Callable[[Connection[Any]], None]) -> None:
        """Do work on a connection, and again on a new one where that broke, until it is stopped."""
        said = ""
        while not self._stopped.is_set():
            try:
                with self.backend.session() as connection:
                    work(connection)
            except self.backend.errors as error:
                why = self.backend.sentence(error)
                if why != said and not self._stopped.is_set():
                    _log.warning("replicas tell each other nothing: %s", why)
                said = why
                self._stopped.wait(RETRY_S)
                with self._changed:
                    self._waiting.clear()  # old readings are none

    def _send(self, connection: Connection[Any]) -> None:
        for topic, text in self._next():
            payload = _packed(self._origin, topic, text)
            if len(payload) <= LONGEST:
                connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))

    def _next(self) -> Iterator[tuple[str, str]]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopped.is_set())
                if self._stopped.is_set():
                    return
                waiting, self._waiting = self._waiting, {}
            yield from waiting.items()

    def _listen(self, connection: Connection[Any]) -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        while not self._stopped.is_set():
            for notice in connection.notifies(timeout=_LISTENS_S):
                origin, topic, text = _unpacked(notice.payload)
                if origin != self._origin and not self._stopped.is_set():
                    self.heard(topic, text)


def _packed(origin: str, topic: str, text: str) -> str:
    """Return a message as text without a NUL: JSON, compressed, as base64."""
    return base64.b64encode(zlib.compress(json.dumps([origin, topic, text]).encode())).decode()


def _unpacked(payload: str) -> tuple[str, str, str]:
    """Return origin, topic and text of a message; of what is none of ours, nothing."""
    try:
        told = zlib.decompressobj().decompress(base64.b64decode(payload), _MOST)
        origin, topic, text = json.loads(told)
    except (ValueError, zlib.error):
        return "", "", ""
    return str(origin), str(topic), str(text)
