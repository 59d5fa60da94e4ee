"""The command line in a process of its own, as people run it, but without waiting for its imports.

One process that has imported everything waits beside the tests; each run is forked from it. What a
cold start does is tried by `tests/cli/test_terminal.py`, which begins a new interpreter each time.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMAND = (sys.executable, "-m", "emotion_dj")

_WAITING = """
import gc, json, os, sys
from emotion_dj import __main__ as program
import emotion_dj.analysis, emotion_dj.app.facade, emotion_dj.checkup, emotion_dj.cli, emotion_dj.dj
import emotion_dj.music.audio_model, emotion_dj.placement, emotion_dj.vision.images
import emotion_dj.web.app, emotion_dj.web.server
import ai_edge_litert.interpreter, alembic.command, av, httpx, multiprocessing.spawn, numpy
import pillow_heif, PIL.Image, rich.live, rich.progress, rich.traceback, sqlalchemy, sqlite3
import tinytag, typer.rich_utils, uvicorn

def begun(asked):
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["cwd"])
    modes = (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)
    for number, (path, mode) in enumerate(zip(asked["files"], modes)):
        os.dup2(os.open(path, mode), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)
    sys.argv = [program.__file__, *asked["arguments"]]

gc.freeze()  # what all share is not looked through by each
for line in sys.stdin:
    asked = json.loads(line)
    if isinstance(asked, int):
        print(os.waitstatus_to_exitcode(os.waitpid(asked, 0)[1]), flush=True)
    elif pid := os.fork():
        print(pid, flush=True)
    else:
        begun(asked)
        program.main()
        break
else:
    os._exit(0)
"""


def run(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `emotion-dj` and return how it ended and what it wrote."""
    words = [str(argument) for argument in arguments]
    if not _can_fork(environment):
        command, own = [*COMMAND, *words], {**os.environ, **environment}
        done = subprocess.run(
            command, input=stdin, capture_output=True, check=False, cwd=cwd, env=own
        )
        return _completed(words, done.returncode, done.stdout, done.stderr)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("in", "out", "err")]
        for path, content in zip(files, (stdin, b"", b""), strict=True):
            path.write_bytes(content)
        code = _ask(_begin(words, files, {**os.environ, **environment}, cwd))
        return _completed(words, code, files[1].read_bytes(), files[2].read_bytes())


@dataclass(frozen=True)
class Forked:
    """A command that goes on: its process, and what it prints."""

    pid: int
    stdout: TextIO

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        os.kill(self.pid, signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        """Return once it has ended. Raises TimeoutError."""
        place = os.pidfd_open(self.pid)
        try:
            if not select.select([place], [], [], seconds)[0]:
                raise TimeoutError
        finally:
            os.close(place)


@contextmanager
def started(
    *arguments: str, stderr: Path, **environment: str
) -> Iterator[Forked | subprocess.Popen[str]]:
    """Run `emotion-dj` beside the block, after which it is asked to end and waited for."""
    own = {**os.environ, **environment}
    stderr.write_bytes(b"")
    if not _can_fork(environment):
        with stderr.open("w") as said, _opened(arguments, said, own) as process:
            try:
                yield process
            finally:
                process.terminate()
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        os.mkfifo(out)
        pid = _begin(arguments, (Path(os.devnull), out, stderr), own)
        with out.open() as stdout:
            try:
                yield Forked(pid, stdout)
            finally:
                os.kill(pid, signal.SIGTERM)
                _ask(pid)


def _can_fork(environment: dict[str, str]) -> bool:
    """Tell whether what has been imported already is what the command would import."""
    return hasattr(os, "fork") and "PYTHONPATH" not in environment


def _opened(
    arguments: Sequence[str], stderr: TextIO, environment: dict[str, str]
) -> subprocess.Popen[str]:
    """Begin a new interpreter."""
    return subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment
    )


def _completed(
    words: list[str], code: int, out: bytes, err: bytes
) -> subprocess.CompletedProcess[str]:
    texts = (text.decode(errors="surrogateescape") for text in (out, err))
    return subprocess.CompletedProcess([*COMMAND, *words], code, *texts)


def _begin(
    words: Sequence[str],
    files: Sequence[Path],
    environment: dict[str, str],
    cwd: Path | None = None,
) -> int:
    """Fork a process that runs the command with these files as stdin, stdout, stderr."""
    return _ask(
        {
            "arguments": words,
            "environment": environment,
            "cwd": str(cwd or Path.cwd()),
            "files": [str(path) for path in files],
        }
    )


def _ask(asked: dict[str, Any] | int) -> int:
    """Ask for a new process, or for the exit code of one that ends."""
    waiting = _waiting()
    assert waiting.stdin is not None
    assert waiting.stdout is not None
    waiting.stdin.write(json.dumps(asked) + "\n")
    waiting.stdin.flush()
    return int(waiting.stdout.readline())


@cache
def _waiting() -> subprocess.Popen[str]:
    """Start the process from which all others are forked; it ends with this one."""
    command = [sys.executable, "-c", _WAITING]
    waiting = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(waiting.communicate)
    return waiting
