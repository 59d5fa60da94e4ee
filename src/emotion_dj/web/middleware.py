"""What stands before the service: strangers, floods and endless bodies stop here.

Plain ASGI, so that a body is counted while it arrives and never after it is in memory.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROOT: Final = "/api/v1"
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""The names and addresses by which a machine calls itself."""

MAX_BODY: Final = 20_000_000 + 64_000
"""Bytes: the largest photo and the form around it."""

BODY_SECONDS: Final = 20.0
MAX_AT_ONCE: Final = 64
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

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
    """Wraps an ASGI application.

    ``hosts`` are the names under which the service may be called (against DNS rebinding); ``{"*"}``
    allows all, for a proxy that checks them itself.
    """

    app: ASGIApp
    hosts: Collection[str]
    running: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with a problem document."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal:
            await _answer(send, *refusal)
            return
        self.running += 1
        try:
            await self._pass_on(scope, receive, send)
        finally:
            self.running -= 1

    def _refusal(self, scope: Scope, headers: dict[bytes, str]) -> tuple[int, str, str] | None:
        host = headers.get(b"host", "")
        if "*" not in self.hosts and _name(host) not in self.hosts:
            return 421, "wrong-host", "This service does not answer to that name."
        origin = headers.get(b"origin")
        elsewhere = origin is not None and origin.partition("://")[2] != host
        elsewhere |= headers.get(b"sec-fetch-site") == "cross-site"
        if scope["method"] not in SAFE and elsewhere:
            return 403, "cross-site", "Requests from other sites are not taken."
        length = headers.get(b"content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            return 413, "too-large", "The photo is larger than 20 MB: send a smaller one."
        if self.running >= MAX_AT_ONCE:
            return 503, "busy", "Too many listeners at once: try again in a second."
        return None

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(receive)
        replaced = False

        async def send_on(message: Message) -> None:
            """Add our headers; where the body was cut off, say that and nothing else."""
            nonlocal replaced
            if message["type"] == "http.response.start" and body.fault:
                replaced = True
                await _answer(send, *body.fault)
            elif message["type"] == "http.response.start":
                await send({**message, "headers": _with_ours(message["headers"])})
            elif not replaced:
                await send(message)

        await self.app(scope, body.receive, send_on)


class _Body:
    """Counts and times a request's body while it arrives."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        self._left = MAX_BODY
        self._complete = False
        self.fault: tuple[int, str, str] | None = None

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError as error:
            self.fault = (408, "too-slow", "The photo took too long to arrive: try again.")
            raise BodyCutOff from error
        self._left -= len(message.get("body", b""))
        self._complete = message["type"] != "http.request" or not message.get("more_body")
        if self._left < 0:
            self.fault = (413, "too-large", "The photo is larger than 20 MB: send a smaller one.")
            raise BodyCutOff
        return message


def _with_ours(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Add our headers, but for those that an answer of the application has of its own."""
    own = {name for name, _ in headers}
    return [*headers, *(header for header in HEADERS if header[0] not in own)]


def _name(host: str) -> str:
    """Return the host without its port, for names and for [IPv6] addresses."""
    head, colon, tail = host.rpartition(":")
    return (head if colon and tail.isdigit() else host).strip("[]").lower()


async def _answer(send: Send, status: int, kind: str, detail: str) -> None:
    body = json.dumps(problem(status, kind, detail)).encode()
    retry: Iterable[tuple[bytes, bytes]] = [(b"retry-after", b"1")] if status == 503 else []  # noqa: PLR2004
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *retry,
        *HEADERS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def problem(status: int, kind: str, detail: str) -> dict[str, Any]:
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
