"""Whatever ends a program, its workers end with it: real processes, real signals."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from shutil import copy
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open (Linux)"),
]

SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGINT]
COMMANDS = (("analyse",), ("serve", "--port", "0", "--library"))


def children(parent: int) -> set[int]:
    """Return the processes below a process."""
    try:
        found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        threads = list(Path(f"/proc/{parent}/task").iterdir())
    except OSError:
        return set()
    for thread in threads:
        try:
            found += (thread / "children").read_text().split()
        except OSError:
            continue
    own = set(map(int, found))
    return own.union(*map(children, own))


def wait_for_workers(process: subprocess.Popen[bytes], least: int) -> set[int]:
    """Return the processes below one that hears, once there are enough; it must go on."""
    end = time.monotonic() + 120
    while len(found := children(process.pid)) < least:
        assert process.poll() is None
        assert time.monotonic() < end
    return found


def left_after(pids: set[int], seconds: float) -> list[int]:
    """Wait for processes to end; return those that did not."""
    end = time.monotonic() + seconds
    with ExitStack() as open_ones:
        left = []
        for pid in pids:
            try:
                watched = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            open_ones.callback(os.close, watched)
            poll = select.poll()
            poll.register(watched, select.POLLIN)
            if not poll.poll(1000 * max(0.0, end - time.monotonic())):
                left.append(pid)
        return left


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory, demo_music: Path) -> Path:
    """Many songs, so that nothing ends by itself."""
    folder = tmp_path_factory.mktemp("music")
    for song in demo_music.rglob("*.opus"):
        for n in range(12):
            with (folder / f"{n}-{song.name}").open("wb") as copied:
                copied.write(song.read_bytes() + bytes(n))
    return folder


@pytest.fixture(autouse=True)
def no_nohup() -> Iterator[None]:
    """Let programs hear of hang-ups and of Ctrl-C, which `nohup` and `&` keep from them."""
    kinds = (signal.SIGHUP, signal.SIGINT)
    before = [(kind, signal.signal(kind, signal.SIG_DFL)) for kind in kinds]
    yield
    for kind, handler in before:
        signal.signal(kind, handler)


@pytest.fixture
def begun(
    music: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that hears with two workers; it cannot write over what the test prints."""
    own = {"HOME": str(tmp_path), "EMOTION_DJ_DATABASE": str(tmp_path / "c.sqlite")}
    words = [sys.executable, "-m", "emotion_dj", *request.param, str(music)]
    environment = {**os.environ, **own, "EMOTION_DJ_WORKERS": "2"}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, stdout=quiet, stderr=quiet, env=environment) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("begun", COMMANDS, indirect=True, ids=["analyse", "serve"])
@pytest.mark.parametrize("how", SIGNALS)
def test_no_worker_is_left(begun: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Two workers hear when a signal comes: all are gone two seconds after their parent."""
    workers = wait_for_workers(begun, 3)  # the third sees after shared memory
    begun.send_signal(how)
    begun.wait(15)
    assert not left_after(workers, 2)


def test_workers_that_only_begin_are_not_left(music: Path, tmp_path: Path) -> None:
    """Killed while its first worker has not even loaded its libraries, a program leaves none."""
    own = {"HOME": str(tmp_path), "EMOTION_DJ_DATABASE": str(tmp_path / "c.sqlite")}
    words = [sys.executable, "-m", "emotion_dj", "analyse", str(copy_one(music, tmp_path))]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, env={**os.environ, **own}) as process:
        workers = wait_for_workers(process, 2)
        process.kill()
        process.wait(10)
        assert not left_after(workers, 5)  # it loads them to the end, a second on an idle machine


def copy_one(music: Path, folder: Path) -> Path:
    """Return a folder with as many songs as are worth two workers."""
    few = folder / "few"
    few.mkdir()
    for song in sorted(music.iterdir())[:16]:
        copy(song, few)
    return few
