"""Measure what listeners notice while a service is attacked, each way for a while.

    python benchmarks/attack.py [SECONDS]

1,100 half-sent heads, 64 streams that nobody reads, 64 followers, and 20 clients that send 19 MB of
JSON over and over, at a service on its own socket; meanwhile one listener asks for the health and
for a set, again and again. Printed are the shares answered within 0.3 and 1 second, and errors.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

API = "/api/v1"
HALF = b"GET /api/v1/health HTTP/1.1\r\nhost: 127.0.0.1\r\nx: "


def main() -> None:
    """Measure each attack and print it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with service() as address:
        measure("nothing", address, seconds)
        for attack in (half_heads, unread_streams, followers, large_json):
            with ExitStack() as held:
                held.enter_context(attack(address))
                measure((attack.__doc__ or "").split(":")[0], address, seconds)


@contextmanager
def service() -> Iterator[str]:
    """Run the demo library's service, heard to its end."""
    with tempfile.TemporaryDirectory() as home:
        own = {"HOME": home, "EMOTION_DJ_DATABASE": f"{home}/c.sqlite"}
        words = [sys.executable, "-m", "emotion_dj", "serve", "--port", "0", "--library", "demo"]
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, text=True, env={**os.environ, **own}
        ) as process:
            assert process.stdout
            address = process.stdout.readline().strip()
            httpx.get(f"{address}{API}/library/scan", timeout=300)
            try:
                yield address
            finally:
                process.terminate()


def measure(what: str, address: str, seconds: float) -> None:
    """Ask as a listener does, and print how long that took."""
    times, errors, end = [], 0, time.monotonic() + seconds
    with httpx.Client(base_url=f"{address}{API}", timeout=60) as client:
        while time.monotonic() < end:
            for ask in (ask_health, ask_set):
                began = time.perf_counter()
                errors += not ask(client)
                times.append(time.perf_counter() - began)
    quick = [100 * float(np.mean(np.array(times) < limit)) for limit in (0.3, 1)]
    p50, p99 = 1000 * np.percentile(times, [50, 99])
    print(
        f"{what}: {len(times)} requests, p50 {p50:.0f} ms, p99 {p99:.0f} ms, "
        f"{quick[0]:.2f} % under 0.3 s, {quick[1]:.2f} % under 1 s, {errors} errors",
        flush=True,
    )


def ask_health(client: httpx.Client) -> bool:
    """Tell whether the service says that it is up."""
    return _answered(lambda: client.get("/health"))


def ask_set(client: httpx.Client) -> bool:
    """Tell whether a set is made."""
    return _answered(lambda: client.post("/sets", json={"mood": "calm", "n": 10}))


def _answered(ask: Callable[[], httpx.Response]) -> bool:
    try:
        return ask().is_success
    except httpx.TransportError:
        return False


def connect(address: str) -> socket.socket:
    """Return a line with a small buffer."""
    place = urlsplit(address)
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(60)
    line.connect((place.hostname or "", place.port or 80))
    return line


@contextmanager
def kept_up(address: str, ask: bytes, count: int) -> Iterator[None]:
    """Hold so many lines on which this was sent; those that are ended are opened anew."""
    done = threading.Event()

    def hold() -> None:
        lines = [opened(address, ask) for _ in range(count)]
        while not done.wait(0.5):
            for place, line in enumerate(lines):
                if ended(line):
                    line.close()
                    lines[place] = opened(address, ask)
        for line in lines:
            line.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def opened(address: str, ask: bytes) -> socket.socket:
    """Return a line on which this was sent."""
    line = connect(address)
    with suppress(OSError):
        line.sendall(ask)
    return line


def ended(line: socket.socket) -> bool:
    """Tell whether the service has ended a line, without reading what it sent."""
    try:
        return line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def half_heads(address: str) -> AbstractContextManager[None]:
    """1,100 half-sent heads: opened anew as they end."""
    return kept_up(address, HALF, 1100)


def unread_streams(address: str) -> AbstractContextManager[None]:
    """64 streams that nobody reads: each of a whole song."""
    song = httpx.get(f"{address}{API}/tracks").json()["tracks"][0]["id"]
    ask = f"GET {API}/tracks/{song}/stream HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    return kept_up(address, ask.encode(), 64)


def followers(address: str) -> AbstractContextManager[None]:
    """64 followers: of a camera that shows nothing."""
    ask = f"GET {API}/readings/live/{'k' * 20} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    return kept_up(address, ask.encode(), 64)


@contextmanager
def large_json(address: str) -> Iterator[None]:
    """20 clients with 19 MB of JSON: half with its length, half in parts."""
    done, body = threading.Event(), b'{"mood": "' + b"x" * 19_000_000 + b'"}'

    def send(in_parts: bool) -> None:  # noqa: FBT001 - for a thread
        parts = [body[i : i + 65_536] for i in range(0, len(body), 65_536)]
        while not done.wait(0.1):
            with suppress(httpx.TransportError):
                content = iter(parts) if in_parts else body
                httpx.post(f"{address}{API}/sets", content=content, headers=_JSON, timeout=60)

    threads = [threading.Thread(target=send, args=(n % 2 == 0,)) for n in range(20)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


_JSON = {"content-type": "application/json"}


if __name__ == "__main__":
    main()
