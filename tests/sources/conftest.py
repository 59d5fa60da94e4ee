"""Pieces of real music: in every format whose tags are written, and as previews of a service."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import av
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CODECS = {".mp3": "libmp3lame", ".flac": "flac", ".m4a": "aac", ".ogg": "vorbis"}
CODECS |= {".opus": "libopus", ".wav": "pcm_s16le", ".aiff": "pcm_s16be", ".wv": "wavpack"}
RATE = 48_000
EXPERIMENTAL = {"strict": "experimental"}
"""FFmpeg's own encoder of Vorbis asks to be allowed."""


@pytest.fixture
def transcode(demo_music: Path) -> Callable[[Path], Path]:
    """Return a function that writes six seconds of a real track in the format of a path."""

    def transcode(path: Path) -> Path:
        with av.open(str(path), "w") as out:
            stream = out.add_stream(
                CODECS[path.suffix], rate=RATE, layout="stereo", options=EXPERIMENTAL
            )
            size = stream.frame_size or 4096
            resampler = av.AudioResampler(stream.format, "stereo", RATE, size)
            with av.open(str(demo_music / "happy" / "happy_electronic_1.opus")) as container:
                for frame in container.decode(audio=0):
                    for piece in resampler.resample(frame):
                        out.mux(stream.encode(piece))
                    if frame.time > 6:
                        break
            out.mux(stream.encode(None))
        return path

    return transcode


@pytest.fixture(scope="session")
def clips(demo_music: Path) -> dict[str, list[bytes]]:
    """Return three clips of calm music and three of energetic music."""
    return {
        mood: [_clip(path) for path in sorted((demo_music / mood).glob("*.opus"))[:3]]
        for mood in ("calm", "energetic")
    }


def _clip(path: Path, seconds: float = 10) -> bytes:
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
