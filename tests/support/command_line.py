"""The command line in a process of its own, as people run it, but without waiting for its imports.

One process that has imported everything waits beside the tests; each run is forked from it. What a
cold start does is tried by `tests/cli/test_terminal.py`, which begins a new interpreter each time.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

COMMAND = (sys.executable, "-m", "emotion_dj")

_WAITING = """
import json, os, sys
from emotion_dj import __main__ as program
import emotion_dj.cli, emotion_dj.app.facade, emotion_dj.music.audio_model, emotion_dj.analysis
import av, numpy, PIL.Image, sqlalchemy

asked = None
for line in sys.stdin:
    asked = json.loads(line)
    pid = os.fork()
    if not pid:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
else:
    os._exit(0)
os.environ.clear()
os.environ.update(asked["environment"])
os.chdir(asked["cwd"])
modes = (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)
for number, (path, mode) in enumerate(zip(asked["files"], modes)):
    os.dup2(os.open(path, mode), number)
sys.stdin, sys.stdout, sys.stderr = (open(number, mode) for number, mode in enumerate("rww"))
sys.argv = [program.__file__, *asked["arguments"]]
program.main()
"""


def run(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `emotion-dj` and return how it ended and what it wrote."""
    words = [str(argument) for argument in arguments]
    if not hasattr(os, "fork"):
        command, own = [*COMMAND, *words], {**os.environ, **environment}
        done = subprocess.run(
            command, input=stdin, capture_output=True, check=False, cwd=cwd, env=own
        )
        return _completed(words, done.returncode, done.stdout, done.stderr)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("in", "out", "err")]
        for path, content in zip(files, (stdin, b"", b""), strict=True):
            path.write_bytes(content)
        asked = {
            "arguments": words,
            "environment": {**os.environ, **environment},
            "cwd": str(cwd or Path.cwd()),
            "files": [str(path) for path in files],
        }
        code = _ask(json.dumps(asked))
        return _completed(words, code, files[1].read_bytes(), files[2].read_bytes())


def _completed(
    words: list[str], code: int, out: bytes, err: bytes
) -> subprocess.CompletedProcess[str]:
    texts = (text.decode(errors="surrogateescape") for text in (out, err))
    return subprocess.CompletedProcess([*COMMAND, *words], code, *texts)


def _ask(line: str) -> int:
    waiting = _waiting()
    assert waiting.stdin is not None
    assert waiting.stdout is not None
    waiting.stdin.write(line + "\n")
    waiting.stdin.flush()
    return int(waiting.stdout.readline())


@cache
def _waiting() -> subprocess.Popen[str]:
    """Start the process from which all others are forked; it ends with this one."""
    command = [sys.executable, "-c", _WAITING]
    waiting = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(waiting.communicate)
    return waiting
