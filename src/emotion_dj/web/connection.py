"""Connections with limits that hold, which uvicorn leaves to others: who sends a head or a body
slowly, who does not read, and who opens too many.

uvicorn's only deadline is for idle connections between two requests, and any byte takes it back.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

EXTENSION: Final = "emotion_dj.connection"
"""Under which a request's scope holds its connection."""

HEAD_SECONDS: Final = 10.0
BODY_SECONDS: Final = 31.0
"""A second more than the middleware has, which can still say why."""

LAST_SECONDS: Final = 0.5
"""For which a service that ends waits for the first head of a connection that has been made."""

READ_SECONDS: Final = 30.0
"""For which an answer may wait for its reader."""

PATIENCE_SECONDS: Final = 600.0
"""The same of streams: a player whose buffer is full reads nothing, nor does one that pauses."""

STALLED_SECONDS: Final = 10.0
"""After which a stream that nobody reads makes room for another."""

MOST: Final = 1500
"""Connections at once, as far as descriptors reach."""

SPARE: Final = 256
"""Descriptors that are left for files, the catalogue and worker processes."""

MOST_OF_ONE: Final = 128
"""Connections at once of one address, but for this machine and proxies that were named."""

MOST_STREAMS: Final = 64

TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n"
    b"content-length: 0\r\n\r\n"
)


@dataclass(slots=True)
class Connections:
    """All connections of a service; those that have waited longest for a head make room.

    ``shared`` tells of an address that it stands for many, as that of a proxy.
    """

    shared: Callable[[str], bool]
    most: int = MOST
    waiting: dict[Connection, None] = field(default_factory=dict)
    open: set[Connection] = field(default_factory=set)
    by_address: Counter[str] = field(default_factory=Counter)

    def enter(self, connection: Connection) -> bool:
        """Take a connection in; tell whether there was room."""
        address = connection.address
        self.open.add(connection)
        self.by_address[address] += 1
        many = self.by_address[address] > MOST_OF_ONE and not self.shared(address)
        if many:
            return self._make_room(address)
        return len(self.open) <= self.most or self._make_room()

    def leave(self, connection: Connection) -> None:
        """Count a connection no more."""
        if connection in self.open:
            self.open.discard(connection)
            self.waiting.pop(connection, None)
            self.by_address[connection.address] -= 1
            self.by_address += Counter()  # drops who has none left

    def _make_room(self, address: str | None = None) -> bool:
        """End the connection that has waited longest for a head, or that nobody has read longest;
        of one address, where it is given.
        """
        stalled = sorted(
            (one for one in self.open if one.stalled() > STALLED_SECONDS), key=Connection.stalled
        )
        for one in (*self.waiting, *reversed(stalled)):
            if address in (None, one.address):
                one.drop()
                return True
        return False


@dataclass(slots=True)
class Streams:
    """The answers that last: songs and events."""

    open: set[Connection | object] = field(default_factory=set)

    @contextmanager
    def one(self, connection: Connection | None) -> Iterator[bool]:
        """Count a stream while the block lasts; give whether there is room for it."""
        place = connection or object()
        room = len(self.open) < MOST_STREAMS or self._make_room()
        if room:
            self.open.add(place)
        if connection:
            connection.patience, connection.streams = PATIENCE_SECONDS, True
        try:
            yield room
        finally:
            self.open.discard(place)

    def _make_room(self) -> bool:
        """End the stream that nobody has read longest."""
        streams = (one for one in self.open if isinstance(one, Connection))
        longest = max(streams, key=Connection.stalled, default=None)
        if longest is None or longest.stalled() < STALLED_SECONDS:
            return False
        self.open.discard(longest)
        longest.drop()
        return True


class Connection(H11Protocol):  # type: ignore[misc] # untyped
    """One connection, with a deadline for each head and body and for what is not read."""

    def __init__(self, connections: Connections, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._connections = connections
        self._application: ASGIApp = uvicorn["config"].loaded_app
        self.app = self._with_connection
        self._phase: Any = None
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._unread_since: float | None = None
        self._received = False
        self.address = ""
        self.patience = READ_SECONDS
        self.streams = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Wait for a head, where there is room."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        if self._connections.enter(self):
            self._follow()
        else:
            transport.write(BUSY)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        self._connections.leave(self)
        for timer in (self._deadline, self._unread):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take more of a head or a body; its deadline stays what it was."""
        if self.transport.is_closing():
            return
        self._received = True
        super().data_received(data)
        self._follow()

    def on_response_complete(self) -> None:
        """Wait for the next head."""
        self.patience, self.streams = READ_SECONDS, False
        self._received = False
        super().on_response_complete()
        self._follow()

    def shutdown(self) -> None:
        """End, once what was sent is answered: also a first head that was not read yet, as of a
        proxy, which has sent it with the connection.
        """
        if self.cycle is None:
            self.loop.call_later(LAST_SECONDS, super().shutdown)
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        """Wait for the reader, not for ever."""
        super().pause_writing()
        self._unread_since = self.loop.time()
        self._unread = self.loop.call_later(self.patience, self.drop)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        self._unread_since = None
        if self._unread:
            self._unread.cancel()

    def stalled(self) -> float:
        """Return for how many seconds nobody has read what is sent."""
        return 0.0 if self._unread_since is None else self.loop.time() - self._unread_since

    def drop(self) -> None:
        """End at once, whatever was not sent."""
        self._connections.leave(self)
        self.transport.abort()

    def _follow(self) -> None:
        """Set the deadline of what is waited for now, once as it begins."""
        phase = self.conn.their_state
        if phase is self._phase:
            return
        self._phase = phase
        if self._deadline:
            self._deadline.cancel()
        seconds = {h11.IDLE: HEAD_SECONDS, h11.SEND_BODY: BODY_SECONDS}.get(phase)
        self._deadline = self.loop.call_later(seconds, self._too_slow) if seconds else None
        if phase is h11.IDLE:
            self._connections.waiting[self] = None
        else:
            self._connections.waiting.pop(self, None)

    def _too_slow(self) -> None:
        if self._phase is h11.IDLE and self._received:
            self.transport.write(TOO_SLOW)
        if self._phase is h11.IDLE:
            self.transport.close()
        else:
            self.drop()

    async def _with_connection(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application know the connection of a request."""
        scope["extensions"] = {**scope.get("extensions", {}), EXTENSION: self}
        await self._application(scope, receive, send)


def room_for_connections() -> int:
    """Take all descriptors that this process may have; return for how many connections they do."""
    if find_spec("resource") is None:  # Windows, where sockets are no descriptors
        return MOST
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(SPARE, min(MOST, hard - SPARE)) if hard != resource.RLIM_INFINITY else MOST
