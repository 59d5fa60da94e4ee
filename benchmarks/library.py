"""A library as people have it: 2,000 cuts of real music heard, and 40,000 names walked and moved.

    python benchmarks/library.py FOLDER...

The folders hold music of any kind, as those of Debian's packages wesnoth-1.16-music, asc-music,
hyperrogue-music and singularity-music. A minute is cut out of it at 2,000 places.
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
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from asked import parser
from spread import spread

from emotion_dj.analysis import Run
from emotion_dj.app.model_registry import audio_model, audio_model_id
from emotion_dj.catalogue import Catalogue
from emotion_dj.domain import Affect, Analysis, AudioFeatures
from emotion_dj.errors import AudioError
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
    for i, (path, start) in enumerate(islice(places(music), count)):
        cut(path, start, cuts / f"{i:05}{path.suffix}")
    words = ["analyse", str(cuts), "--database", str(place / "cuts.sqlite")]
    elapsed, spent, most = measured(*words)
    print(f"{count:,} cuts of a minute heard: {elapsed:.0f} s on {os.cpu_count()} cores")
    print(f"processor time a file: {spent / count:.3f} s  (asked: 0.15)")
    print(f"memory of all processes at most: {most:.0f} MB  (asked: 300)")
    again = [measured(*words)[0] for _ in range(TIMES)]
    spread("a second scan with nothing new", again, "s", goal="1")


def places(music: Sequence[Path]) -> Iterator[tuple[Path, float]]:
    """Yield files and where to cut them in seconds, all of them again and again, each time far from
    where they were cut before.
    """
    lengths: dict[Path, float] = {}
    for path in (path for folder in music for path in sorted(folder.rglob("*"))):
        if path.is_file() and folders.is_audio(path.name):
            with suppress(AudioError), opened(path) as recording:
                lengths[path] = recording.duration or 0.0
    long = {path: length for path, length in lengths.items() if length > SECONDS}
    for turn in range(CUTS):
        for path, length in long.items():
            yield path, (length - SECONDS) * (turn * 0.618 % 1)


def cut(source: Path, start: float, target: Path) -> None:
    """Copy a minute of a file, packet by packet."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        given = old.streams.audio[0]
        kept = new.add_stream_from_template(given)
        old.seek(int(start * av.time_base))
        packets = (packet for packet in old.demux(given) if packet.pts is not None)
        first = 0
        for count, packet in enumerate(packets):
            first = first if count else packet.pts or 0
            at = (packet.pts or 0) - first
            if float(at * packet.time_base) > SECONDS:
                break
            packet.pts = packet.dts = at
            packet.stream = kept
            new.mux(packet)


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
    song = min((place / "cuts").iterdir()).read_bytes()
    for i in range(NAMES):
        path = here / f"Artist {i // 100:03}" / f"{i % 100:02} A song of some length.ogg"
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
