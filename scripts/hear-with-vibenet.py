"""Let VibeNet hear music, so that our ear can learn Spotify's scales from it. A tool, not a part.

VibeNet (PyPI, GPL) runs in an environment of its own and nothing of it ships:

    python -m venv vn && vn/bin/pip install vibenet av numpy httpx pillow platformdirs
    PYTHONPATH=src vn/bin/python scripts/hear-with-vibenet.py scales.npz FOLDER...
    emotion-dj train music ... --scales scales.npz

Each file is cut into pieces of a minute, of which 45 seconds are heard by both. The file that is
written holds our measurements (n, features), VibeNet's seven answers (n, 7), and the file of each.
"""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
import vibenet
from vibenet.core import SAMPLE_RATE

from emotion_dj.errors import AudioError
from emotion_dj.music import decode
from emotion_dj.music.features import NAMES, measure

MINUTE = 60
HEARD = 45
PIECES = 12
SUFFIXES = {".ogg", ".mp3", ".opus", ".flac"}


def main(out: Path, roots: list[Path]) -> None:
    """Hear everything below the roots; what was heard so far is written every fifty files."""
    model = vibenet.load_model()
    files = sorted(p for root in roots for p in root.rglob("*") if p.suffix.lower() in SUFFIXES)
    vectors, answers, names = [], [], []
    for number, path in enumerate(files, start=1):
        for piece in pieces(path):
            try:
                vector = measure(decode.Signal((piece,), None, 1.0)).vector
            except (AudioError, ValueError):
                continue
            (said,) = model.predict(resampled(piece), SAMPLE_RATE)
            vectors.append(vector)
            answers.append(list(said.to_dict().values()))
            names.append(f"{path.parent.name}/{path.name}")
        sys.stderr.write(f"{number} of {len(files)} files, {len(names)} pieces\n")
        if number % 50 == 0 or number == len(files):
            scales = list(said.to_dict())
            np.savez(
                out, vectors=np.array(vectors), answers=np.array(answers, np.float32),
                files=np.array(names), features=np.array(NAMES), scales=np.array(scales),
            )  # fmt: skip


def pieces(path: Path) -> list[np.ndarray]:
    """Return up to PIECES stretches of HEARD seconds, mono at our rate, evenly over the file."""
    try:
        with av.open(str(path)) as container:
            resampler = av.AudioResampler("flt", "mono", decode.RATE)
            frames = [
                f.to_ndarray()[0] for g in container.decode(audio=0) for f in resampler.resample(g)
            ]
    except (av.FFmpegError, OSError, IndexError):
        return []
    whole = np.concatenate(frames) if frames else np.zeros(0, np.float32)
    minutes = max(1, round(len(whole) / decode.RATE / MINUTE))
    starts = np.linspace(0, minutes - 1, min(minutes, PIECES)).round().astype(int)
    cut = [whole[s * MINUTE * decode.RATE :][: HEARD * decode.RATE] for s in starts]
    return [p for p in cut if len(p) > 5 * decode.RATE and np.abs(p).max() > decode.SILENCE]


def resampled(piece: np.ndarray) -> np.ndarray:
    """Return a piece at VibeNet's rate."""
    frame = av.AudioFrame.from_ndarray(piece[np.newaxis], format="flt", layout="mono")
    frame.sample_rate = decode.RATE
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in parts])


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
