"""What the service says of itself on stderr: a line for each request, and what goes wrong.

No photo, no token, no title: of a request its method, path without query, status and time. What
strangers can cause is said once a second at most, and a log that nobody reads stops nobody.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from logging.handlers import QueueHandler, QueueListener
from queue import Full, Queue
from typing import TYPE_CHECKING, Any, Final, Literal

from emotion_dj.json_types import JsonObject
from emotion_dj.web.visit import CURRENT

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Form = Literal["off", "lines", "json"]

WAITING: Final = 1000
"""Lines that wait for a reader of the log; more are dropped."""

KINDS: Final = 1000
"""Kinds of lines whose time is remembered."""

REFUSED: Final = 400
PROBLEM: Final = b"application/problem+json"
_KEY: Final = re.compile(r"(/readings/live/).+")
_log = logging.getLogger("emotion_dj.requests")


@dataclass(frozen=True, slots=True)
class RequestLog:
    """Wraps an ASGI application; says of each request how it was answered."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, told = time.perf_counter(), _Told()

        async def send_on(message: Message) -> None:
            told.take(message)
            await send(message)

        try:
            await self.app(scope, receive, send_on)
        finally:
            _say(scope, told, time.perf_counter() - began)


class _Told:
    """What an answer says: its status, who it was for, and the code of its problem."""

    def __init__(self) -> None:
        self.status = 0
        self.code = ""
        self.device = ""
        self.client = ""
        self.known = False
        self._is_problem = False

    def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            visit = CURRENT.get()
            self.device, self.client = visit.device, visit.client
            self.known = visit.here or bool(visit.device)
            self._is_problem = (b"content-type", PROBLEM) in message["headers"]
        elif self._is_problem and not self.code:
            self.code = _code(message.get("body", b""))


def _code(body: bytes) -> str:
    try:
        return str(json.loads(body)["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def _say(scope: Scope, told: _Told, seconds: float) -> None:
    fields = {
        "client": told.client,
        "method": scope["method"],
        "path": _shown(scope["path"]),
        "status": told.status,
        "ms": round(1000 * seconds),
        "device": told.device,
        "code": told.code,
    }
    kind = None if told.known and told.status < REFUSED else f"{told.status} {told.code}"
    _log.info("request", extra={"fields": fields, "kind": kind})


def _shown(path: str) -> str:
    """Return a path on one line, without the key that a camera is followed by."""
    return _KEY.sub(r"\1KEY", path)[:200].encode("unicode_escape").decode("ascii")


class Sparing(logging.Filter):
    """Lets one line of a kind through each second, with how many more there were."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[object, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line is said."""
        kind = getattr(record, "kind", (record.name, record.msg))
        if kind is None:
            return True
        now = time.monotonic()
        at, more = self._last.get(kind, (now - 2, 0))
        said = now - at >= 1
        if len(self._last) > KINDS:
            self._last.clear()
        self._last[kind] = (now, 0) if said else (at, more + 1)
        record.more = more if said else 0
        return said


class Lines(logging.Formatter):
    """Writes lines for people, or one JSON object a line."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and a traceback below it where there is one (in JSON inside it)."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        fields: JsonObject = dict(getattr(record, "fields", {}))
        if more := getattr(record, "more", 0):
            fields["more"] = more
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        if self._as_json:
            line = {"at": at, "level": record.levelname.lower(), "message": record.getMessage()}
            return json.dumps(line | fields | ({"trace": trace} if trace else {}))
        words = [f"{name}={value}" for name, value in fields.items() if value != ""]
        line_words = " ".join((at, record.levelname.lower(), record.getMessage().strip(), *words))
        return f"{line_words}\n{trace}".rstrip()


class _Patient(QueueHandler):
    """Drops what does not fit; who logs never waits."""

    def enqueue(self, record: logging.LogRecord) -> None:
        with suppress(Full):
            self.queue.put_nowait(record)

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record  # formatted in the listener's thread


class _Unmoved(logging.StreamHandler[Any]):
    """Goes on where stderr is closed or its disk is full."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        pass


def start(form: Form) -> QueueListener:
    """Log to stderr from now on: warnings in lines where ``form`` is off, else requests too."""
    handler = _Unmoved(sys.stderr)
    handler.setFormatter(Lines(as_json=form == "json"))
    waiting: Queue[logging.LogRecord] = Queue(WAITING)
    entry = _Patient(waiting)
    entry.addFilter(Sparing())
    logging.getLogger().addHandler(entry)
    _log.setLevel(logging.WARNING if form == "off" else logging.INFO)
    listener = QueueListener(waiting, handler)
    listener.start()
    return listener
