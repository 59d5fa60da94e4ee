"""How a scan is followed: server-sent events over a real socket."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import patient
import pytest

from emotion_dj.web.middleware import MAX_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    Serve = Callable[..., AbstractContextManager[str]]


pytestmark = pytest.mark.slow


def follow(address: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (event, data) until the service ends the stream."""
    with httpx.stream("GET", f"{address}/api/v1/library/scan", timeout=120) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            key, _, value = line.partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                yield name, json.loads(value)


def test_a_scan_is_followed_to_its_end(starting: str) -> None:
    """Progress grows, `done` is the last word; who comes later is told at once."""
    events = list(follow(starting))
    assert [name for name, _ in events[:-1]] == ["progress"] * (len(events) - 1)
    counts = [state["done"] for _, state in events]
    assert counts == sorted(counts)
    assert len(set(counts)) > 5
    name, state = events[-1]
    assert (name, state["running"], state["done"]) == ("done", False, state["total"])
    assert [name for name, _ in follow(starting)] == ["done"]


def test_those_who_go_away_free_their_place(starting: str) -> None:
    """More followers than the service takes at once come and hang up: others are served."""
    place = urlsplit(starting)
    for _ in range(MAX_AT_ONCE + 10):
        with socket.create_connection((place.hostname, place.port), timeout=60) as line:
            line.sendall(b"GET /api/v1/library/scan HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            assert line.recv(100).startswith(b"HTTP/1.1 200 ")
    assert patient.get(f"{starting}/api/v1/health").status_code == 200
    assert [name for name, _ in follow(starting)][-1] == "done"


def test_a_library_without_music_is_said(serve: Serve, tmp_path: Path) -> None:
    """The last event carries the sentence."""
    (tmp_path / "empty").mkdir()
    with serve("--library", str(tmp_path / "empty")) as address:
        (_, state) = list(follow(address))[-1]
    assert "there is no music" in state["problem"]


@pytest.fixture
def starting(serve: Serve, tmp_path: Path) -> Iterator[str]:
    """Return a service that has just begun to hear the demo library."""
    new = str(tmp_path / "new.sqlite")
    with serve("--library", "demo", EMOTION_DJ_DATABASE=new) as address:
        yield address
