"""What stands before the service: strangers, floods and endless bodies stop here.

Plain ASGI, so that a body is counted while it arrives and never after it is in memory.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from emotion_dj.json_types import JsonObject
from emotion_dj.web.connection import EXTENSION, Streams
from emotion_dj.web.visit import CURRENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from emotion_dj.web.network import Network, Refusal

ROOT: Final = "/api/v1"
MAX_BODY: Final = 20_000_000 + 64_000
"""Bytes: the largest photo and the form around it."""

MAX_JSON: Final = 256_000
"""Bytes of any other body."""

LARGE: Final = ("multipart/", "image/")
"""What bodies may be as large as a photo."""

BODY_SECONDS: Final = 30.0
MAX_AT_ONCE: Final = 64
"""Requests that are worked on; answers that are being sent are not counted."""

STREAMS: Final = (f"{ROOT}/tracks/", f"{ROOT}/readings/live/", f"{ROOT}/library/scan")
"""Where answers have no end of their own, or last as long as a song."""

SERVICE_UNAVAILABLE: Final = 503
CLOSING: Final = {408, 413, SERVICE_UNAVAILABLE}
"""Refusals after which what is left of a body is not waited for."""

HEADERS: Final = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
            b"img-src 'self' blob: data:; "
            b"media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
            b"frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class BodyCutOff(Exception):
    """The body was cut off: too large or too slow."""


@dataclass(slots=True)
class Middleware:
    """Wraps an ASGI application."""

    app: ASGIApp
    network: Network
    running: set[_Body] = field(default_factory=set)
    streams: Streams = field(default_factory=Streams)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with a problem document."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope, visit = self.network.arrive(scope)
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self.network.refusal(scope, headers) or _too_large(headers)
        if refusal:
            await refuse(send, *refusal)
            return
        token = CURRENT.set(visit)
        try:
            await self._take(scope, _Body(receive, _limit(headers)), send)
        finally:
            CURRENT.reset(token)

    async def _take(self, scope: Scope, body: _Body, send: Send) -> None:
        """Work on a request, or on a stream apart from requests, where there is room for it."""
        if _is_stream(scope):
            with self.streams.one(scope.get("extensions", {}).get(EXTENSION)) as room:
                await (self._pass_on(scope, body, send) if room else _busy(send))
        elif len(self.running) >= MAX_AT_ONCE:
            await _busy(send)
        else:
            self.running.add(body)
            try:
                await self._pass_on(scope, body, send)
            finally:
                self.running.discard(body)

    async def _pass_on(self, scope: Scope, body: _Body, send: Send) -> None:
        replaced = False

        async def send_on(message: Message) -> None:
            """Add our headers; where the body was cut off, say that and nothing else."""
            nonlocal replaced
            if message["type"] == "http.response.start":
                self.running.discard(body)
            if message["type"] == "http.response.start" and body.fault:
                replaced = True
                await refuse(send, *body.fault)
            elif message["type"] == "http.response.start":
                await send({**message, "headers": _with_ours(message["headers"])})
            elif not replaced:
                await send(message)

        await self.app(scope, body.receive, send_on)


def _is_stream(scope: Scope) -> bool:
    path = scope["path"]
    sound = path.endswith("/stream") or not path.startswith(STREAMS[0])
    return scope["method"] == "GET" and path.startswith(STREAMS) and sound


async def _busy(send: Send) -> None:
    msg = "Too many listeners at once: try again in a second."
    await refuse(send, SERVICE_UNAVAILABLE, "busy", msg)


def _limit(headers: Mapping[bytes, str]) -> int:
    large = headers.get(b"content-type", "").lower().startswith(LARGE)
    return MAX_BODY if large else MAX_JSON


def _too_large(headers: Mapping[bytes, str]) -> Refusal | None:
    length, limit = headers.get(b"content-length", "0"), _limit(headers)
    return None if length.isdigit() and int(length) <= limit else _over(limit)


def _over(limit: int) -> Refusal:
    if limit == MAX_BODY:
        return 413, "too-large", "The photo is larger than 20 MB: send a smaller one."
    return 413, "too-large", "The request is larger than 256 kB: ask for less at once."


class _Body:
    """Counts and times a request's body while it arrives."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        self._limit = self._left = limit
        self._complete = False
        self.fault: Refusal | None = None

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError as error:
            self.fault = (408, "too-slow", "The request took too long to arrive: try again.")
            raise BodyCutOff from error
        self._left -= len(message.get("body", b""))
        self._complete = message["type"] != "http.request" or not message.get("more_body")
        if self._left < 0:
            self.fault = _over(self._limit)
            raise BodyCutOff
        return message


def _with_ours(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Add our headers, but for those that an answer of the application has of its own."""
    own = {name for name, _ in headers}
    return [*headers, *(header for header in HEADERS if header[0] not in own)]


async def refuse(
    send: Send, status: int, kind: str, detail: str, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Answer with a problem document, without a look at the body."""
    body = json.dumps(problem(status, kind, detail)).encode()
    retry = [(b"retry-after", b"1")] if status == SERVICE_UNAVAILABLE else []
    closing = [(b"connection", b"close")] if status in CLOSING else []
    every = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        *(closing + retry),
        *headers,
        *HEADERS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body})


def problem(status: int, kind: str, detail: str) -> JsonObject:
    """Return a problem document (RFC 9457)."""
    title = kind.replace("-", " ").capitalize()
    code = kind.replace("-", "_")
    return {
        "type": f"urn:emotion-dj:{kind}",
        "code": code,
        "title": title,
        "status": status,
        "detail": detail,
    }
