"""What hearing a three-minute track costs: CPU-seconds in one process, and memory.

python benchmarks/listen.py
"""

from __future__ import annotations

import os

from asked import need, parser

from emotion_dj.app import model_registry

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does, before NumPy loads

import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import av
from spread import spread

from emotion_dj.sources.demo import demo

if TYPE_CHECKING:
    from emotion_dj.interfaces import AudioAnalyser

SECONDS = 180
RATE = 48_000


def main() -> None:
    """Make three-minute files of real music in three formats, hear each several times."""
    parser(__doc__).parse_args()
    need("immich_memories_music")
    audio_model, whole = model_registry.audio_model(), model_registry.audio_model("whole")
    with tempfile.TemporaryDirectory() as folder:
        for codec, suffix in (("libopus", ".opus"), ("libmp3lame", ".mp3"), ("flac", ".flac")):
            path = Path(folder) / f"track{suffix}"
            write(path, codec)
            audio_model.analyse(path)
            spread(
                f"3 minutes of {suffix[1:]}",
                _times(audio_model, path),
                "CPU-s",
                goal="0.25, later 0.10",
            )
        spread("all of 3 minutes of flac, --whole", _times(whole, path), "CPU-s", goal="none")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory, one file at a time: {peak:.0f} MB  (asked: 300, later 150)")


def _times(audio_model: AudioAnalyser, path: Path) -> list[float]:
    times = []
    for _ in range(7):
        began = time.process_time()
        audio_model.analyse(path)
        times.append(time.process_time() - began)
    return times


def write(path: Path, codec: str) -> None:
    """Join tracks of the demo library to one file, stereo at 48 kHz."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=RATE, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=RATE)
        written = 0
        for track in demo().tracks():
            with av.open(str(track.path)) as container:
                for frame in container.decode(audio=0):
                    frame.pts = None
                    for fitted in resampler.resample(frame):
                        fitted.pts = written
                        written += fitted.samples
                        out.mux(stream.encode(fitted))
            if written >= SECONDS * RATE:
                break
        out.mux(stream.encode(None))


if __name__ == "__main__":
    main()
