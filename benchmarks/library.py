"""A library as people have it: 2,000 cuts of real music heard, and 40,000 names walked and moved.

    python benchmarks/library.py FOLDER...

The folders hold music of any kind, as those of Debian's packages wesnoth-1.16-music, asc-music,
hyperrogue-music and singularity-music. A minute is cut out of it at 2,000 places, as MP3, Opus,
FLAC and AAC in turn.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from asked import parser
from spread import spread

from emotion_dj.analysis import Run
from emotion_dj.app.model_registry import audio_model, audio_model_id
from emotion_dj.catalogue import Catalogue
from emotion_dj.domain import Affect, Analysis, AudioFeatures
from emotion_dj.executors import InProcess
from emotion_dj.music.recording import opened
from emotion_dj.sources import folders
from emotion_dj.sources.local import Local

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emotion_dj.stores import AnalysisRecord

CUTS = 2_000
SECONDS = 60.0
NAMES = 40_000
TIMES = 5
CODECS = {".mp3": "libmp3lame", ".opus": "libopus", ".flac": "flac", ".m4a": "aac"}
RATE = 48_000
LOOKS_S = 0.25
"""How often memory is looked at."""

ANALYSER = audio_model_id()


def main() -> None:
    """Print what each costs."""
    options = parser(__doc__)
    options.add_argument("folders", type=Path, nargs="+")
    options.add_argument("--cuts", type=int, default=CUTS)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        hear(Path(place), asked.folders, asked.cuts)
        walk_and_move(Path(place))


def hear(place: Path, music: Sequence[Path], count: int) -> None:
    """Cut, hear all of it, look again."""
    cuts = place / "cuts"
    cuts.mkdir()
    for i, (suffix, samples) in enumerate(zip(cycle(CODECS), islice(pieces(music), count))):
        write(cuts / f"{i:05}{suffix}", samples)
    many = len(list(cuts.iterdir()))
    words = ["analyse", str(cuts), "--database", str(place / "cuts.sqlite")]
    elapsed, spent, most = measured(*words)
    print(f"{many:,} cuts of a minute heard: {elapsed:.0f} s on {os.cpu_count()} cores")
    print(f"processor time a file: {spent / many:.3f} s  (asked: 0.15)")
    print(f"memory of all processes at most: {most:.0f} MB  (asked: 300)")
    again = [measured(*words)[0] for _ in range(TIMES)]
    spread("a second scan with nothing new", again, "s", goal="1")


def pieces(music: Sequence[Path]) -> Iterator[np.ndarray]:
    """Yield minutes of all files, again and again, each time from elsewhere; (1, n) samples."""
    files = [path for folder in music for path in sorted(folder.rglob("*")) if _is_song(path)]
    for turn in range(CUTS):
        for path in files:
            with opened(path) as recording:
                length = recording.duration or recording.measured()
                if length >= SECONDS:
                    start = (length - SECONDS) * (turn * 0.618 % 1)  # far from those before
                    part = recording.stretch(start, SECONDS).mean(axis=0, keepdims=True)
                    yield _at(part, recording.rate)


def _is_song(path: Path) -> bool:
    return path.is_file() and folders.is_audio(path.name)


def _at(samples: np.ndarray, rate: int) -> np.ndarray:
    """Bring samples to RATE, as near as repeating and leaving out does: they are only heard."""
    places = np.arange(int(samples.shape[1] * RATE / rate)) * (rate / RATE)
    return np.ascontiguousarray(samples[:, places.astype(int)], np.float32)


def write(path: Path, samples: np.ndarray) -> None:
    """Write samples (1, n) as the suffix says."""
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(CODECS[path.suffix], rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        size = stream.frame_size or 4096
        resampler = av.AudioResampler(stream.format, "mono", RATE, size)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))


def measured(*arguments: str) -> tuple[float, float, float]:
    """Run the command line; return seconds, processor seconds, and MB of all its processes."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "emotion_dj", *arguments]
    most, ended = [0.0], threading.Event()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:

        def look() -> None:
            while not ended.wait(LOOKS_S):
                most[0] = max(most[0], sum(map(_megabytes, _family(process.pid))))

        watcher = threading.Thread(target=look)
        watcher.start()
        process.wait()
        ended.set()
        watcher.join()
    elapsed, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return elapsed, spent, most[0]


def _family(pid: int) -> list[int]:
    """Return a process and all below it."""
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        below = [int(p) for task in tasks for p in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(each for child in below for each in _family(child))]


def _megabytes(pid: int) -> float:
    """Return what a process has in memory, its share of what several have (PSS)."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+)", told, re.MULTILINE)
    return int(found[1]) / 1000 if found else 0.0


def walk_and_move(place: Path) -> None:
    """Walk many names, move all of them, and make a set from a cold process."""
    here, there = place / "names", place / "moved"
    song = next(path for path in (place / "cuts").iterdir() if path.suffix == ".mp3").read_bytes()
    for i in range(NAMES):
        path = here / f"Artist {i // 100:03}" / f"{i % 100:02} A song of some length.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(song[:4000] + f"{i:08}".encode())
    walks = []
    for _ in range(TIMES):
        began = time.process_time()
        assert sum(1 for _ in folders.walk(here)) == NAMES
        walks.append(time.process_time() - began)
    spread(f"walking {NAMES:,} names, processor time", walks, "s", goal="0.3")
    with Catalogue(place / "names.sqlite") as catalogue:
        catalogue.store_all(rows_of(Local((here,))), analyser=ANALYSER)
        here.rename(there)
        began = time.process_time()
        summary = Run(catalogue, audio_model, ANALYSER, InProcess())([Local((there,))])
        spent = time.process_time() - began
        print(f"{summary.known:,} files moved: {spent:.1f} processor seconds  (asked: 40)")
    words = ["play", "--mood", "calm", "--database", str(place / "names.sqlite")]
    spread("a set, cold process", [measured(*words)[0] for _ in range(TIMES)], "s", goal="1")


def rows_of(library: Local) -> Iterator[AnalysisRecord]:
    """Yield each track as if it had been heard, somewhere on the plane."""
    places = np.random.default_rng(0).normal(0, 0.4, (NAMES, 2)).clip(-1, 1).tolist()
    for track, (valence, arousal) in zip(library.tracks(), places, strict=True):
        heard = Analysis(AudioFeatures(ANALYSER), Affect(valence, arousal, 0.3))
        marks = library.modification_tag(track), library.fingerprint(track)
        yield library.describe(track), *marks, heard


if __name__ == "__main__":
    main()
