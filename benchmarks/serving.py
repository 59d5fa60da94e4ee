"""A real service over the demo library, for the benchmarks that ask one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from emotion_dj import EmotionDJ
from emotion_dj.app import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def serving(folder: Path, *command: str) -> Iterator[tuple[str, int]]:
    """Run a server over the heard demo library; give its address and process id once it answers.

    Without a command it is `emotion-dj serve`.
    """
    database = folder / "catalogue.sqlite"
    if not database.exists():
        EmotionDJ(library=["demo"], settings=settings.load(database=database)).library.scan()
    serve = (sys.executable, "-m", "emotion_dj", "serve", "--port", "0", "--library", "demo")
    environment = {**os.environ, "EMOTION_DJ_DATABASE": str(database)}
    with subprocess.Popen(
        command or serve,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as server:
        assert server.stderr is not None
        try:
            address = next(
                found.group() for line in server.stderr if (found := re.search(r"http://\S+", line))
            )
            patient = httpx.HTTPTransport(retries=6)  # workers listen a moment after they say so
            with httpx.Client(base_url=address, timeout=120, transport=patient) as client:
                client.post("/api/v1/sets", json={"mood": "calm"}).raise_for_status()
            yield address, server.pid
        finally:
            server.terminate()
