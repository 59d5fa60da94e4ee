"""Real music in many forms, made from one real track."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CODECS = {".mp3": "libmp3lame", ".flac": "flac", ".wav": "pcm_s16le", ".m4a": "aac"}
CODECS |= {".opus": "libopus", ".aiff": "pcm_s16be", ".ac3": "ac3", ".wv": "wavpack"}


@pytest.fixture(scope="session")
def happy_track(demo_music: Path) -> Path:
    """Return one real track: 123 bpm, A major."""
    return demo_music / "happy" / "happy_electronic_1.opus"


@pytest.fixture(scope="session")
def samples(happy_track: Path) -> np.ndarray:
    """Return the samples of that track: float32 (2, n) at 48 kHz."""
    with av.open(str(happy_track)) as container:
        return np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=1)


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    """Return a function that writes float32 (channels, n) samples to an audio file."""

    def write(path: Path, samples: np.ndarray, rate: int = 48_000, layout: str = "stereo") -> Path:
        with av.open(str(path), "w") as container:
            stream = container.add_stream(CODECS[path.suffix], rate=rate, layout=layout)
            resampler = av.AudioResampler(stream.format, layout, rate, stream.frame_size or 4096)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples, np.float32), format="fltp", layout=layout
            )
            frame.sample_rate = rate
            for piece in (*resampler.resample(frame), *resampler.resample(None)):
                container.mux(stream.encode(piece))
            container.mux(stream.encode(None))
        return path

    return write
