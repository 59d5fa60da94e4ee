"""A stored catalogue: a set from a cold process, an import, a rescan, hearing on two cores.

python benchmarks/catalogue.py [TRACKS]
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from asked import need, parser
from listen import write
from spread import spread

from emotion_dj import affect
from emotion_dj.analysis import Run
from emotion_dj.app import EmotionDJ
from emotion_dj.app.model_registry import audio_model, audio_model_id
from emotion_dj.app.settings import Settings
from emotion_dj.catalogue import Catalogue
from emotion_dj.domain import Affect, Analysis, AudioFeatures, Track
from emotion_dj.executors import InProcess, WorkerProcesses
from emotion_dj.ranking import NearestRanker
from emotion_dj.sources.local import Local

if TYPE_CHECKING:
    from collections.abc import Callable

TRACKS = 1_000_000
FILES = 10_000
ROWS = 50_000
LONG = 200
"""Files of three minutes that are heard on one core and on two."""

TIMES = 5
BEGIN = ("file:///", "spotify:track:")
COLD = """
import json, re, sys, time
from pathlib import Path
began = time.perf_counter()
from emotion_dj import EmotionDJ, affect
from emotion_dj.executors import InProcess, WorkerProcesses
from emotion_dj.ranking import NearestRanker
from emotion_dj.app.settings import Settings
dj = EmotionDJ(settings=Settings(database=sys.argv[1]))
music = dj.library.current()
path = affect.path(affect.parse_plan("match"), [affect.parse_affect("calm")], 20)
picks = NearestRanker().rank(path, music, dj.taste.preferences(music))
print(json.dumps({
    "seconds": time.perf_counter() - began,
    "songs": len(picks),
    "mb": int(re.search("VmHWM:\\\\s+(\\\\d+)", Path("/proc/self/status").read_text())[1]) / 1000,
}))
"""


def main() -> None:
    """Print how long each takes."""
    options = parser(__doc__)
    options.add_argument("tracks", type=int, nargs="?", default=TRACKS)
    count = options.parse_args().tracks
    need("immich_memories_music")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.sqlite"
        fill(path, count)
        first = cold(path)
        print(
            f"{count:,} tracks, 20 songs, first process after a change: "
            f"{first['seconds']:.1f} s, {first['mb']:.0f} MB"
        )
        rows = [cold(path) for _ in range(TIMES)]
        spread("a later process, imports included", [r["seconds"] for r in rows], "s", goal="0.5")
        spread("its peak memory", [r["mb"] for r in rows], "MB", goal="250")
        by_source(path)
        imports(Path(folder))
        rescan(Path(folder))
        throughput(Path(folder))


def cold(path: Path) -> dict[str, float]:
    """Rank in a process of its own; the time counts from its first line on."""
    done = subprocess.run(
        [sys.executable, "-c", COLD, str(path)], capture_output=True, text=True, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def by_source(path: Path) -> None:
    """Time sets of everything and of one source of two, as one process asks for them."""
    dj = EmotionDJ(settings=Settings(database=str(path)))
    here, plan = affect.parse_affect("calm"), affect.parse_plan("match")

    def timed(what: str, ask: Callable[[], object]) -> None:
        began = time.perf_counter()
        ask()
        print(f"{what}: {1000 * (time.perf_counter() - began):.0f} ms")

    def play(*sources: str) -> None:
        music = dj.library.current(sources)
        ranker.rank(affect.path(plan, [here], 20), music, dj.taste.preferences(music))

    ranker = NearestRanker()
    for times in ("first", "second"):
        timed(f"a set of everything, {times}", play)
    timed("how many tracks each source has, first", dj.library.sizes)
    timed("how many tracks each source has, second", dj.library.sizes)
    for times in ("first", "second"):
        timed(f"a set of one source, {times}", partial(play, "spotify"))


def fill(path: Path, count: int) -> None:
    """Write made-up tracks straight into the tables."""
    Catalogue(path).close()
    generator = np.random.default_rng(0)
    places = generator.normal(0, 0.4, (count, 2)).clip(-1, 1).tolist()
    songs = (
        (i + 1, f"{BEGIN[i % 2]}{i:07}", f"Track {i}", json.dumps([f"Artist {i % (count // 10)}"]))
        for i in range(count)
    )
    analyser = audio_model_id()
    heard = (
        (i + 1, analyser, valence, arousal, 80.0 + i % 100, i % 12, i % 2)
        for i, (valence, arousal) in enumerate(places)
    )
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO tracks (id, uri, stamp, fingerprint, title, artists, album)"
            " VALUES (?, ?, '', '', ?, ?, '')",
            songs,
        )
        connection.executemany(
            "INSERT INTO analyses (track, fingerprint, analyser, valence, arousal, spread, tempo,"
            " loudness, key, mode) VALUES (?, '', ?, ?, ?, 0.3, ?, -10, ?, ?)",
            heard,
        )


def imports(folder: Path) -> None:
    """Time how long it takes to store tracks that a table tells of."""
    heard = Analysis(AudioFeatures("table", tempo=120.0), Affect(0.5, 0.5), embedding=(1.0,) * 9)
    rows = [(Track(f"x:{i}", f"T{i}", (f"A{i % 99}",)), "", "", heard) for i in range(ROWS)]
    with Catalogue(folder / "imports.sqlite") as catalogue:
        for what in ("new", "known"):
            began = time.perf_counter()
            catalogue.store_all(rows, analyser="table")
            print(f"storing {ROWS:,} {what} rows: {time.perf_counter() - began:.1f} s")


def rescan(folder: Path) -> None:
    """Time a scan in which nothing has changed; the files are no music, and that is known."""
    music = folder / "music"
    for i in range(FILES):
        path = music / f"{i // 100:03}" / f"{i:05}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"no music {i}".encode())
    library = Local((music,))
    catalogue = Catalogue(folder / "files.sqlite")
    rows = (
        (t, library.modification_tag(t), library.fingerprint(t), "no music")
        for t in library.tracks()
    )
    catalogue.store_all(rows, analyser=audio_model_id())
    run = Run(catalogue, audio_model, audio_model_id(), InProcess())
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        run([library])
        times.append(time.perf_counter() - began)
    spread(f"a rescan of {FILES:,} unchanged files", times, "s", goal="2, later 0.5")


def throughput(folder: Path) -> None:
    """Hear the same files with one process on one core and with two on two."""
    music = folder / "long"
    music.mkdir()
    write(music / "00.opus", "libopus")
    song = (music / "00.opus").read_bytes()
    for i in range(1, LONG):
        (music / f"{i:02}.opus").write_bytes(song + bytes(i))
    whole = os.sched_getaffinity(0)
    rates = []
    for cores in (1, 2):
        os.sched_setaffinity(0, set(list(whole)[:cores]))
        run = Run(
            Catalogue(folder / f"heard-{cores}.sqlite"),
            audio_model,
            audio_model_id(),
            WorkerProcesses(cores),
        )
        began = time.perf_counter()
        run([Local((music,))])
        rates.append(LONG / (time.perf_counter() - began))
        print(f"{LONG} files of three minutes on {cores} cores: {rates[-1]:.2f} files a second")
    os.sched_setaffinity(0, whole)
    print(f"two cores against one: {rates[1] / rates[0]:.2f}  (asked: 1.8, later 1.95)")


if __name__ == "__main__":
    main()
