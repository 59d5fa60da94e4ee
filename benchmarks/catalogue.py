"""A stored catalogue of a million tracks: a set from a cold process, its memory; a rescan of files.

python benchmarks/catalogue.py [TRACKS]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from spread import spread
from sqlalchemy import insert

from emotion_dj.analysis import Run
from emotion_dj.catalogue import Catalogue
from emotion_dj.catalogue.schema import analyses, tracks
from emotion_dj.compose import ear, ear_id
from emotion_dj.sources.local import Local

TRACKS = 1_000_000
FILES = 10_000
TIMES = 5
COLD = """
import json, resource, sys, time
began = time.perf_counter()
from emotion_dj import EmotionDJ, affect
from emotion_dj.ranking import NearestRanker
from emotion_dj.settings import Settings
dj = EmotionDJ(settings=Settings(database=sys.argv[1]))
music = dj.known()
path = affect.path(affect.parse_plan("match"), [affect.parse_affect("calm")], 20)
picks = NearestRanker().rank(path, music)
print(json.dumps({
    "seconds": time.perf_counter() - began,
    "songs": len(picks),
    "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
}))
"""


def main(count: int) -> None:
    """Print how long each takes."""
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
        rescan(Path(folder))


def cold(path: Path) -> dict[str, float]:
    """Rank in a process of its own; the time counts from its first line on."""
    done = subprocess.run(
        [sys.executable, "-c", COLD, str(path)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def fill(path: Path, count: int) -> None:
    """Write made-up tracks straight into the tables."""
    catalogue = Catalogue(path)
    generator = np.random.default_rng(0)
    numbers = generator.normal(0, 0.4, (count, 2)).clip(-1, 1)
    with catalogue._engine.begin() as connection:  # noqa: SLF001 - store_all would take minutes
        for start in range(0, count, 50_000):
            part = range(start, min(start + 50_000, count))
            connection.execute(
                insert(tracks),
                [
                    {
                        "id": i + 1,
                        "uri": f"made-up:{i:07}",
                        "stamp": "",
                        "fingerprint": "",
                        "title": f"Track {i}",
                        "artists": [f"Artist {i % (count // 10)}"],
                        "album": "",
                    }
                    for i in part
                ],
            )
            connection.execute(
                insert(analyses),
                [
                    {
                        "track": i + 1,
                        "fingerprint": "",
                        "analyser": ear_id(),
                        "valence": float(numbers[i, 0]),
                        "arousal": float(numbers[i, 1]),
                        "spread": 0.3,
                        "tempo": 80.0 + i % 100,
                        "loudness": -10.0,
                        "key": i % 12,
                        "mode": i % 2,
                    }
                    for i in part
                ],
            )
    catalogue.close()


def rescan(folder: Path) -> None:
    """Time a scan in which nothing has changed; the files are no music, and that is known."""
    music = folder / "music"
    for i in range(FILES):
        path = music / f"{i // 100:03}" / f"{i:05}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no music")
    run = Run(Catalogue(folder / "files.sqlite"), ear, ear_id(), workers=1)
    run([Local((music,))])
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        run([Local((music,))])
        times.append(time.perf_counter() - began)
    spread(f"a rescan of {FILES:,} unchanged files", times, "s", goal="0.5")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TRACKS)
