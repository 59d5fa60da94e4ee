"""Real clips for the stand-ins: ten seconds of real music, as MP3, like a service's previews."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def clips(demo_music: Path) -> dict[str, list[bytes]]:
    """Return three clips of calm music and three of energetic music."""
    return {
        mood: [_clip(path) for path in sorted((demo_music / mood).glob("*.opus"))[:3]]
        for mood in ("calm", "energetic")
    }


def _clip(path: Path, seconds: float = 10) -> bytes:
    import av

    written = io.BytesIO()
    with av.open(str(path)) as source, av.open(written, "w", format="mp3") as target:
        stream = target.add_stream("libmp3lame", rate=44100)
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=44100)
        for frame in source.decode(audio=0):
            if frame.time is not None and frame.time > seconds:
                break
            for piece in resampler.resample(frame):
                target.mux(stream.encode(piece))
        target.mux(stream.encode(None))
    return written.getvalue()
