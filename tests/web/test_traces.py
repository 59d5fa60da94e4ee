"""What a collector on a real socket gets of a real service: times and counts, nobody's data."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from emotion_dj.app import traces
from emotion_dj.app.traces import Traces, step
from emotion_dj.errors import MissingExtra, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

API = "/api/v1"
ERROR = 2
CANARY = "canary"
STEPS = {
    "read": {"emotion_dj.faces"},
    "query": {"emotion_dj.tracks"},
    "rank": {"emotion_dj.tracks", "emotion_dj.picks"},
}
REQUEST = {"http.request.method", "http.route", "http.response.status_code"}


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP, and keeps every byte of it."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen at a free port."""
        super().__init__(("127.0.0.1", 0), _Taking)
        self.bodies: list[bytes] = []
        self.endpoint = f"http://127.0.0.1:{self.server_port}/v1/traces"

    def spans(self) -> list[Span]:
        """Return all spans that came."""
        return [
            span
            for body in self.bodies
            for about in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in about.scope_spans
            for span in scope.spans
        ]


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        """Keep what was sent."""
        self.server.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Run a collector."""
    with Collector() as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def attributes(span: Span) -> dict[str, str | int]:
    """Return the attributes of a span, which are texts and whole numbers."""
    given: dict[str, str | int] = {}
    for one in span.attributes:
        kind = one.value.WhichOneof("value")
        assert kind in {"string_value", "int_value"}
        given[one.key] = getattr(one.value, kind)
    return given


@pytest.mark.slow
def test_a_collector_gets_times_and_counts_and_nothing_of_anybody(
    collector: Collector,
    run_service: Callable[..., AbstractContextManager[Any]],
    smiling_photo: Path,
) -> None:
    """A photo, a set, a song, requests that are refused, with canaries wherever a client can put
    them: all spans are known by names of ours, and no canary, title, key or token is in a byte.
    """
    key, parent = f"{CANARY}-{secrets.token_urlsafe(16)}", secrets.token_hex(16)
    own = {"EMOTION_DJ_TRACES": collector.endpoint}
    sent = {"traceparent": f"00-{parent}-{parent[:16]}-01", "x-name": CANARY, "user-agent": CANARY}
    with run_service("--library", "demo", "--name", "127.0.0.1", **own) as service:
        with httpx.Client(base_url=service.address, timeout=120, headers=sent) as client:
            code = service.code
            assert client.get("/pair", params={"code": code}).status_code < 400
            token = next(iter(client.cookies.values()))
            photo = {"photo": smiling_photo.read_bytes()}
            look = client.post(f"{API}/readings", params={"live": key}, files=photo).json()
            wish = {"affect": "0.1234,-0.5678", "n": 3}
            picks = client.post(f"{API}/sets", json=wish).json()["picks"]
            client.get(picks[0]["stream"])
            client.post(f"{API}/sets", json={"say": CANARY})
            client.get(f"{API}/tracks", params={"q": CANARY})
            client.get(f"{API}/{CANARY}")
            client.request(CANARY, f"{API}/sets")
            client.get(f"/{CANARY}.html")
            client.cookies.clear()
            client.get(f"{API}/readings/live/{key}", headers={"authorization": f"Bearer {CANARY}"})
        service.process.terminate()
        service.process.wait(60)  # what is left is sent at the end
    by_name: dict[str, list[Span]] = {}
    for span in collector.spans():
        by_name.setdefault(span.name, []).append(span)
    assert {"POST /readings", "POST /sets", *STEPS} <= by_name.keys()
    ids = {span.span_id: span.name for spans in by_name.values() for span in spans}
    assert [ids[span.parent_span_id] for span in by_name["read"]] == ["POST /readings"]
    assert {ids[span.parent_span_id] for span in by_name["rank"]} == {"POST /sets"}
    for name, spans in by_name.items():
        for span in spans:
            assert set(attributes(span)) == STEPS.get(name, REQUEST)
            assert not span.events
            assert not span.status.message
            assert name in STEPS or not span.parent_span_id
    assert [attributes(span) for span in by_name["read"]] == [{"emotion_dj.faces": 1}]
    assert attributes(by_name["rank"][0])["emotion_dj.picks"] == 3
    assert any(name.startswith(traces.OTHER) for name in by_name)
    statuses = {attributes(one)["http.response.status_code"] for one in by_name["POST /sets"]}
    assert 200 in statuses
    told = b"".join(collector.bodies)
    titles = [pick[field] for pick in picks for field in ("title", "uri")]
    for canary in (CANARY, key, parent, code, token, token.split(".")[1], *titles, "0.1234"):
        assert canary.encode().lower() not in told.lower(), canary
    for word in (*look["faces"][0]["emotions"], "valence", "arousal", "127.0.0.1"):
        assert word.encode() not in told, word
    assert bytes.fromhex(parent) not in told


INSTRUMENTED = f"""
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient
from emotion_dj import EmotionDJ
from emotion_dj.web.app import create
told = InMemorySpanExporter()
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(told))
client = TestClient(create(EmotionDJ(library="demo")), base_url="http://127.0.0.1")
assert client.get("{API}/health?q={CANARY}").status_code == 200
assert client.get("{API}/tracks/{CANARY}").status_code >= 400
print([span.to_json() for span in told.get_finished_spans()])
"""


def test_the_framework_tells_nobody_of_requests() -> None:
    """Its own spans hold paths: there are none, even where the program runs under something that
    collects the spans of all libraries.
    """
    done = subprocess.run(
        [sys.executable, "-c", INSTRUMENTED], capture_output=True, text=True, check=False
    )
    assert done.stdout == "[]\n", done.stderr


def test_what_fails_is_marked_and_not_quoted(collector: Collector) -> None:
    """An error within a step ends both spans, marked, without its words; steps outside of a
    request are not told of.
    """
    telling = Traces(collector.endpoint)
    with step("alone") as counts:
        counts["picks"] = 1
    with pytest.raises(ValueError, match=CANARY), telling.request("GET"), step("read"):
        raise ValueError(CANARY)
    telling.close()
    spans = {span.name: span for span in collector.spans()}
    assert set(spans) == {"GET", "read"}
    assert all(span.status.code == ERROR for span in spans.values())
    assert CANARY.encode() not in b"".join(collector.bodies)


def test_a_collector_that_does_not_answer_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """It takes connections and says nothing, or is not there: requests and the end go on, and one
    line for each says so, without its address.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (silent.getsockname()[1], 1):
            telling = Traces(f"http://127.0.0.1:{port}/v1/traces")
            with telling.request("GET") as answer:
                answer.status = 200
            telling._provider.shutdown()  # as `close`, which would not wait for the line
    assert [line.partition(":")[0] for line in caplog.messages] == [
        "the collector does not take our traces"
    ] * 2


def test_its_library_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not installed it is told the line; what is no address is said, too."""
    for address in ("localhost:4318", "ftp://localhost", "http://"):
        with pytest.raises(SettingsError, match="give http://HOST:4318/v1/traces"):
            Traces(address)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(MissingExtra, match=r"sending traces needs an extra: run .*\[traces\]"):
        Traces("http://localhost:4318/v1/traces")
