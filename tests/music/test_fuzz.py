"""Files broken in every way that chance finds: a result or an AudioError, and nothing else.

The decoder runs in a process of its own for each round, so that a crash of the C code is found as
well, and counted as what it is.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

SECONDS = 10
HEAR = """
import sys
from pathlib import Path
from emotion_dj.app import model_registry
from emotion_dj.errors import AudioError
ear = model_registry.audio_model()
for line in sys.stdin:
    try:
        heard = ear.analyse(Path(line.rstrip()))
        assert abs(heard.affect.valence) <= 1 and abs(heard.affect.arousal) <= 1, heard
        print("heard", flush=True)
    except AudioError as error:
        assert len(str(error).splitlines()) == 1, error
        print("refused", flush=True)
"""


def flipped(data: bytes, rng: np.random.Generator) -> bytes:
    """Change single bytes anywhere."""
    broken = bytearray(data)
    for place in rng.integers(0, len(data), rng.integers(1, 200)):
        broken[place] = rng.integers(256)
    return bytes(broken)


def flipped_early(data: bytes, rng: np.random.Generator) -> bytes:
    """Change bytes of the headers, where sizes and rates stand."""
    return flipped(data[:400], rng) + data[400:]


def truncated(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut the file off."""
    return data[: rng.integers(1, len(data))]


def spliced(data: bytes, rng: np.random.Generator) -> bytes:
    """Leave a piece out, or put one in twice, or put in noise."""
    a, b = sorted(rng.integers(0, len(data), 2))
    middle = [b"", data[a:b] * 2, rng.bytes(int(b - a))][rng.integers(3)]
    return data[:a] + middle + data[b:]


MUTATIONS = (flipped, flipped_early, truncated, spliced)


@pytest.fixture
def originals(
    tmp_path: Path, happy_track: Path, samples: np.ndarray, write: Callable[..., Path]
) -> list[Path]:
    """Return one real track as Opus and, a few seconds of it, as other formats."""
    piece = samples[:, : 4 * 48_000]
    others = (".mp3", ".flac", ".m4a", ".wav")
    return [happy_track, *(write(tmp_path / f"original{suffix}", piece) for suffix in others)]


def test_broken_files_are_heard_or_refused(tmp_path: Path, originals: list[Path]) -> None:
    """As many rounds as ten seconds hold, in the same order every time."""
    rng = np.random.default_rng(4)
    contents = [(path.suffix, path.read_bytes()) for path in originals]
    rounds = 0
    told = tmp_path / "stderr"
    with (
        told.open("w", encoding="utf-8") as stderr,
        subprocess.Popen(
            [sys.executable, "-c", HEAR],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as audio_model,
    ):
        assert audio_model.stdin is not None
        assert audio_model.stdout is not None
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            suffix, data = contents[rounds % len(contents)]
            mutate = MUTATIONS[rounds // len(contents) % len(MUTATIONS)]
            path = tmp_path / f"round-{rounds}{suffix}"
            path.write_bytes(mutate(data, rng))
            audio_model.stdin.write(f"{path}\n")
            audio_model.stdin.flush()
            answer = audio_model.stdout.readline()
            assert answer, f"round {rounds}, {mutate.__name__} {suffix}: {told.read_text()}"
            path.unlink()
            rounds += 1
        audio_model.stdin.close()
    assert rounds >= len(contents) * len(MUTATIONS)
