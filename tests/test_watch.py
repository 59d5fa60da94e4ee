"""New, moved and gone files are noticed while `library watch` or `serve` runs."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import patient
import pytest

from emotion_dj import EmotionDJ
from emotion_dj.cli.console import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVE = (sys.executable, "-m", "emotion_dj", "serve", "--port", "0")
WATCH = (sys.executable, "-m", "emotion_dj", "library", "watch")


@pytest.fixture
def songs(demo_music: Path) -> list[Path]:
    """Return two real songs."""
    return sorted((demo_music / "calm").glob("*.opus"))[:2]


@pytest.fixture
def music(tmp_path: Path, songs: list[Path]) -> Path:
    """Return a folder with the first of them, which is remembered and heard."""
    folder = tmp_path / "music"
    folder.mkdir()
    shutil.copy(songs[0], folder / "first.opus")
    EmotionDJ(library=folder).library.add()
    return folder


def test_watch_tells_each_change(music: Path, songs: list[Path]) -> None:
    """One line of JSON for each: a new file is heard, a moved one known, a deleted one gone."""
    with subprocess.Popen([*WATCH, "--json"], stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None

        def told() -> tuple[int, int, int]:
            line = json.loads(watch.stdout.readline())  # type: ignore[union-attr]
            return line["analysed"], line["known"], line["gone"]

        assert told() == (0, 1, 0)
        shutil.copy(songs[1], music / ".second.new")
        (music / ".second.new").rename(music / "second.opus")
        assert told() == (1, 1, 0)
        (music / "second.opus").rename(music / "renamed.opus")
        assert told() == (0, 2, 0)
        (music / "renamed.opus").unlink()
        assert told() == (0, 1, 1)
        watch.send_signal(signal.SIGINT)
        assert watch.wait(timeout=60) == INTERRUPTED


def test_nothing_to_watch_is_said() -> None:
    """Where no folder was added there is one sentence that says how."""
    done = subprocess.run(WATCH, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "say  emotion-dj library add ~/Music" in done.stderr


@pytest.mark.parametrize("named", [True, False])
def test_the_service_notices(music: Path, songs: list[Path], *, named: bool) -> None:
    """What comes into a folder that is named, or was added, may be picked without being asked."""
    arguments = ["--library", str(music)] if named else []
    with subprocess.Popen([*SERVE, *arguments], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        counts = _counts(address)
        assert next(counts) == 1
        shutil.copy(songs[1], music / "second.opus")
        assert 2 in counts
        (music / "first.opus").unlink()
        assert 1 in counts
        server.terminate()


def _counts(address: str) -> Iterator[int]:
    """Yield how many songs may be picked, again and again."""
    with patient.Client(base_url=address) as client:
        while True:
            yield client.get("/api/v1/library").json()["tracks"]
