"""The real service in a process of its own, on a real socket, with real music."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


@contextmanager
def serving(home: Path, *arguments: str) -> Iterator[str]:
    """Run `emotion-dj serve` and give its address once it answers."""
    environment = {**os.environ, "HOME": str(home), "EMOTION_DJ_DATABASE": str(home / "c.sqlite")}
    command = [sys.executable, "-m", "emotion_dj", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stderr is not None
            line = server.stderr.readline()
            address = re.search(r"http://\S+", line)
            assert address, line + server.stderr.read()
            yield address.group()
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def serve_from() -> Callable[..., AbstractContextManager[str]]:
    """Return the block that runs a service from a home folder, with these arguments."""
    return serving


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., AbstractContextManager[str]]:
    """Return a block that runs a service of its own; of two equal options the last one counts."""
    return partial(serving, tmp_path)


@contextmanager
def serving_demo(home: Path) -> Iterator[str]:
    """Serve the demo library, heard to the end before the block begins."""
    with serving(home, "--library", "demo") as address:
        with httpx.Client(base_url=address, timeout=120) as client:
            client.post("/api/v1/sets", json={"mood": "calm"}).raise_for_status()
            for _ in range(10_000):
                if not client.get("/api/v1/library").json()["scan"]["running"]:
                    break
        yield address


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the demo library to the tests of one file."""
    with serving_demo(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(scope="session")
def demo_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the demo library to all tests that leave nothing behind there."""
    with serving_demo(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    """Ask the service."""
    with httpx.Client(base_url=f"{address}/api/v1", timeout=60) as client:
        yield client
