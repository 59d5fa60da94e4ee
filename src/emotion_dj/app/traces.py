"""Traces: how long a service's requests and their steps take, for an OpenTelemetry collector.

Nothing of a listener can get in: a request is known by the template of its route, a method of HTTP
and its status, a step by its name here and by counts. What fails is marked, without what was said.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from emotion_dj import __version__
from emotion_dj.errors import MissingExtra, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Span, Tracer

    Counts = dict[str, int]

METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

OTHER: Final = "_OTHER"
"""What stands for a method that is none: whoever asks may write anything there."""

_TRACER: ContextVar[Tracer | None] = ContextVar("tracer", default=None)
"""Who traces the request that is being answered."""


@dataclass
class Answer:
    """What is known of a request once it is answered; ``route`` is a template, as in the source."""

    route: str = ""
    status: int = 0


class Traces:
    """Sends spans to a collector, in batches of a thread of its own; nobody waits for it."""

    def __init__(self, endpoint: str) -> None:
        """Take the whole address of a collector for OTLP over HTTP. Raises as `check`.

        The provider is no global one: what other libraries would say of requests is not sent.
        """
        check(endpoint)
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from emotion_dj.app.span_exporter import SpanExporter

        about = Resource({"service.name": "emotion-dj", "service.version": __version__})
        self._provider = TracerProvider(resource=about, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(SpanExporter(endpoint)))
        self._tracer = self._provider.get_tracer("emotion_dj", __version__)

    def close(self) -> None:
        """Send what is left; a collector that does not answer is given up soon."""
        from emotion_dj.app.span_exporter import PATIENCE

        sending = Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(PATIENCE)

    @contextmanager
    def request(self, method: str) -> Iterator[Answer]:
        """Trace a request, and the steps within it; give what is to be filled in.

        It begins a trace of its own, whatever the client calls its own.
        """
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind

        answer, token = Answer(), _TRACER.set(self._tracer)
        span = self._tracer.start_span("request", Context(), SpanKind.SERVER)
        try:
            with _current(span):
                yield answer
        finally:
            _TRACER.reset(token)
            _finish(span, method if method in METHODS else OTHER, answer)


@contextmanager
def step(name: str) -> Iterator[Counts]:
    """Trace a step of the request that is traced, if one is; give what takes its counts."""
    counts: Counts = {}
    tracer = _TRACER.get()
    if tracer is None:
        yield counts
        return
    span = tracer.start_span(name)
    try:
        with _current(span):
            yield counts
    finally:
        span.set_attributes({f"emotion_dj.{key}": int(count) for key, count in counts.items()})
        span.end()


def check(endpoint: str) -> None:
    """Raise SettingsError for what is no address of a collector, MissingExtra where the library is
    not installed.
    """
    address = urlsplit(endpoint)
    if address.scheme not in {"http", "https"} or not address.hostname:
        msg = f"the setting 'traces' is '{endpoint}': give http://HOST:4318/v1/traces"
        raise SettingsError(msg)
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter
        import opentelemetry.sdk.trace  # noqa: F401
    except ImportError as error:
        extra = "traces"
        raise MissingExtra(extra, "sending traces") from error


@contextmanager
def _current(span: Span) -> Iterator[None]:
    """Let steps belong to a span; one that fails is marked, and what an error says is kept out."""
    from opentelemetry.trace import StatusCode, use_span

    try:
        with use_span(span, record_exception=False, set_status_on_exception=False):
            yield
    except BaseException:
        span.set_status(StatusCode.ERROR)
        raise


def _finish(span: Span, method: str, answer: Answer) -> None:
    from opentelemetry.trace import StatusCode

    span.update_name(f"{method} {answer.route}".strip())
    span.set_attributes(
        {
            "http.request.method": method,
            "http.route": answer.route,
            "http.response.status_code": answer.status,
        }
    )
    if answer.status >= 500:  # noqa: PLR2004 - as HTTP has it
        span.set_status(StatusCode.ERROR)
    span.end()
