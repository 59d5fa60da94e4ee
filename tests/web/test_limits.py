"""Limits that hold: who is slow, who does not read, who opens too many; real sockets."""

from __future__ import annotations

import json
import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import patient
import pytest

from emotion_dj.web.connection import HEAD_SECONDS, MOST_STREAMS, Connection
from emotion_dj.web.middleware import MAX_AT_ONCE, MAX_JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Run = Callable[..., AbstractContextManager[Any]]

pytestmark = pytest.mark.slow

API = "/api/v1"
HALF = b"GET /api/v1/health HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: "


def connect(address: str, *, small: bool = False) -> socket.socket:
    """Return a line to a service; one with a small buffer notices sooner that nobody reads."""
    place = urlsplit(address)
    assert place.hostname
    line = socket.socket()
    if small:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(60)
    line.connect((place.hostname, place.port or 80))
    return line


@pytest.fixture(scope="module")
def quick_address(serve_from: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with the demo library, all heard."""
    with serve_from(tmp_path_factory.mktemp("limits"), "--library", "demo") as address:
        httpx.get(f"{address}{API}/library/scan", timeout=120)
        yield address


def answered(address: str, seconds: float) -> list[float]:
    """Ask for health and a set, over and over; return how long each took."""
    times, end = [], time.monotonic() + seconds
    with httpx.Client(base_url=f"{address}{API}", timeout=30) as client:
        while time.monotonic() < end:
            began = time.perf_counter()
            client.get("/health").raise_for_status()
            client.post("/sets", json={"mood": "calm", "n": 5}).raise_for_status()
            times.append(time.perf_counter() - began)
    return times


@pytest.mark.slow  # it waits for real
def test_a_head_that_trickles_ends_in_time(quick_address: str) -> None:
    """A byte now and then does not keep a line: 408 after ten seconds, and the line ends."""
    with connect(quick_address) as line:
        line.sendall(HALF)
        line.settimeout(0.5)
        began, answer = time.monotonic(), b""
        for _ in count():
            try:
                line.sendall(b"x")
                answer = line.recv(1000)
                break
            except TimeoutError:
                assert time.monotonic() - began < HEAD_SECONDS + 5
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began > HEAD_SECONDS - 1


@pytest.mark.slow  # it waits for real
def test_one_who_says_nothing_is_hung_up_on(quick_address: str) -> None:
    """A line on which nothing comes ends without a word."""
    with connect(quick_address) as line:
        began = time.monotonic()
        assert line.recv(100) == b""
    assert HEAD_SECONDS - 1 < time.monotonic() - began < HEAD_SECONDS + 5


def test_half_sent_heads_end_nothing(quick_address: str) -> None:
    """Of 1,600 half-sent heads the oldest make room; others are answered meanwhile."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with ExitStack() as lines:
        for _ in range(1600):
            lines.enter_context(connect(quick_address)).sendall(HALF)
        times = sorted(answered(quick_address, 3))
        assert len(times) > 3
        assert times[int(0.99 * len(times))] < 2


def test_streams_that_nobody_reads_stop_no_other(quick_address: str) -> None:
    """All places for streams are taken by players that do not read: requests go on at once."""
    song = next(
        track["id"] for track in patient.get(f"{quick_address}{API}/tracks").json()["tracks"]
    )
    ask = f"GET {API}/tracks/{song}/stream HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
    with ExitStack() as lines:
        for _ in range(MOST_STREAMS):
            line = lines.enter_context(connect(quick_address, small=True))
            line.sendall(ask)
            assert line.recv(15).startswith(b"HTTP/1.1 200")
        with connect(quick_address) as one_more:
            one_more.sendall(ask)
            head = one_more.recv(1000)
            assert head.startswith((b"HTTP/1.1 503 ", b"HTTP/1.1 200 "))
            assert b"retry-after" in head.lower() or b" 200 " in head
        assert max(answered(quick_address, 2)) < 2


def test_answers_that_nobody_reads_count_as_done(quick_address: str) -> None:
    """More readers of large files that stop reading than requests at once: others are served."""
    card = patient.get(f"{quick_address}/eye/eye.json").json()
    ask = f"GET /eye/{card['files']['reader']} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
    with ExitStack() as lines:
        for _ in range(MAX_AT_ONCE + 10):
            line = lines.enter_context(connect(quick_address, small=True))
            line.sendall(ask)
            assert line.recv(15).startswith(b"HTTP/1.1 200")
        assert max(answered(quick_address, 2)) < 2


def rest(line: socket.socket) -> bytes:
    """Return all that comes on a line until it ends."""
    return b"".join(iter(lambda: line.recv(65_536), b""))


def test_large_json_is_refused_before_it_is_read(quick_address: str) -> None:
    """Nineteen megabytes of JSON are 413, sent whole or in parts; others do not notice."""
    large = b'{"mood": "' + b"x" * 19_000_000 + b'"}'
    kind = {"content-type": "application/json"}

    def send(_: int) -> int:
        try:
            answer = patient.post(f"{quick_address}{API}/sets", content=large, headers=kind)
        except httpx.TransportError:
            return 413  # hung up on while it was sending
        return answer.status_code

    with ThreadPoolExecutor(10) as pool:
        sent = pool.map(send, range(20))
        assert max(answered(quick_address, 2)) < 2
        assert set(sent) == {413}
    parts = (large[i : i + 100_000] for i in range(0, 2_000_000, 100_000))
    try:
        answer = patient.post(f"{quick_address}{API}/sets", content=parts, headers=kind)
    except httpx.TransportError:
        return
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        rb'{"mood": "\ud800"}',
        rb'{"affect": "\udcff,0"}',
        b'{"mood": "\xff\xfe"}',
        b"[" * 100_000,
        b'{"faces": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b"",
        b"NaN",
    ],
    ids=["surrogate", "in a point", "no UTF-8", "deep", "deep and closed", "empty", "NaN"],
)
def test_what_is_no_text_is_refused(quick_address: str, body: bytes) -> None:
    """Halves of surrogate pairs, bytes that are no UTF-8, endless nesting: 422, one sentence."""
    kind = {"content-type": "application/json"}
    for path in ("/sets", "/feedback", "/playlists/m3u8", "/library/places"):
        answer = patient.post(f"{quick_address}{API}{path}", content=body, headers=kind)
        assert answer.status_code == 422, (path, answer.text[:200])
        assert answer.json()["code"] == "invalid_request"


def test_json_as_large_as_allowed_is_read(quick_address: str) -> None:
    """A request of nearly the limit is understood, and its mistake named."""
    spaces = b" " * (MAX_JSON - 100)
    kind = {"content-type": "application/json"}
    body = b'{"mood": "calm", "n": 2}' + spaces
    answer = patient.post(f"{quick_address}{API}/sets", content=body, headers=kind)
    assert (answer.status_code, len(answer.json()["picks"])) == (200, 2)


def test_names_that_are_no_text_do_no_harm(quick_address: str) -> None:
    """Odd names of files and in queries are refused or ignored, never an error of ours."""
    table = b"title,artist,valence,energy\nA,B,0.5,0.5\n"
    for name in ("a\0b.csv", "../../x.csv", "\udcff.csv", "x" * 5000 + ".csv", ".", "a.c\0sv"):
        form = name.encode("utf-8", "surrogateescape").replace(b'"', b"")
        body = (
            b'--x\r\ncontent-disposition: form-data; name="file"; filename="'
            + form
            + b'"\r\n\r\n'
            + table
            + b"\r\n--x--\r\n"
        )
        kind = {"content-type": "multipart/form-data; boundary=x"}
        answer = patient.post(f"{quick_address}{API}/library/tables", content=body, headers=kind)
        assert answer.status_code in {200, 400, 413, 422}, (name[:20], answer.text[:200])
    for query in ("q=%ED%A0%80", "q=%00", "q=%FF", "limit=%ED"):
        assert patient.get(f"{quick_address}{API}/tracks?{query}").status_code in {200, 422}, query


def test_folders_with_odd_names_are_left_out(run_service: Run, tmp_path: Any) -> None:
    """A folder whose name is no text cannot be sent, and stops no other."""
    import os

    (tmp_path / "good").mkdir()
    os.mkdir(os.fsencode(tmp_path) + b"/bad\xff")  # noqa: PTH102 - pathlib takes no bytes
    with run_service("--library", "demo") as service:
        answer = patient.get(f"{service.address}{API}/folders", params={"at": str(tmp_path)})
    names = [folder["name"] for folder in answer.json()["folders"]]
    assert "good" in names
    assert len(names) == len([name for name in names if name.isprintable()])


def test_followers_are_counted_before_they_are_told(quick_address: str) -> None:
    """Sixty-four who ask at once: as many follow as may, and the others are sent away."""
    ask = f"GET {API}/readings/live/{'k' * 20} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
    with ExitStack() as lines:
        asking = [lines.enter_context(connect(quick_address)) for _ in range(64)]
        for line in asking:
            line.sendall(ask)
        codes = [line.recv(12)[9:12] for line in asking]
        assert codes.count(b"200") == 32
        assert codes.count(b"503") == 32
        assert max(answered(quick_address, 1)) < 2


def test_the_log_of_a_flood_is_a_line_a_second(run_service: Run) -> None:
    """Hundreds of refused requests of one kind leave a few lines, which say how many there were."""
    with run_service("--library", "demo", "--name", "music.example", "--log", "json") as service:
        began = time.monotonic()
        with patient.Client(base_url=service.address) as client:
            for _ in range(300):
                assert client.get(f"{API}/library").status_code == 401
        seconds = time.monotonic() - began
        lines = [line for line in service.log.read_text().splitlines() if line.startswith("{")]
        refused = [json.loads(line) for line in lines if '"unpaired"' in line]
        assert 1 <= len(refused) <= seconds + 2
        assert refused[0]["status"] == 401


def test_a_log_that_nobody_reads_stops_nobody(tmp_path: Any) -> None:
    """Stderr is a pipe that is full: requests are answered all the same."""
    import os
    import subprocess
    import sys

    own = {"HOME": str(tmp_path), "EMOTION_DJ_DATABASE": str(tmp_path / "c.sqlite")}
    words = [sys.executable, "-m", "emotion_dj", "serve", "--port", "0", "--library", "demo"]
    with subprocess.Popen(
        [*words, "--log", "lines"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **own},
    ) as server:
        assert server.stdout
        address = server.stdout.readline().strip()
        with httpx.Client(base_url=address, timeout=30) as client:
            for _ in range(900):  # of about 90 bytes each; a pipe holds 65,536
                assert client.get("/icon.svg").status_code == 200
        server.kill()


def test_running_out_of_descriptors_is_survived(run_service: Run) -> None:
    """With few descriptors a flood of lines ends none of the service, nor its later answers."""
    with run_service("--library", "demo") as service:
        held = patient.get(f"{service.address}{API}/health").status_code
        resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (60, 60))
        with ExitStack() as lines:
            for _ in range(100):
                lines.enter_context(connect(service.address)).sendall(HALF)
        assert held == 200
        assert httpx.get(f"{service.address}{API}/health", timeout=30).status_code == 200
        assert len(service.log.read_text()) < 20_000


def test_uvicorn_is_as_we_know_it() -> None:
    """What the connection builds on is there in this version of uvicorn."""
    names = ("connection_made", "connection_lost", "data_received", "on_response_complete")
    for name in (*names, "pause_writing", "resume_writing"):
        assert any(name in vars(kind) for kind in Connection.__mro__[1:3]), name
