"""How long ranking takes as libraries grow, and how well neighbours in a set mix.

python benchmarks/rank.py [--write docs/pictures/growth.png]
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from asked import need, parser
from spread import spread

from emotion_dj import affect
from emotion_dj.domain import Affect, Candidates, Preferences, Track
from emotion_dj.ranking import NearestRanker, sequencing

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = (10_000, 31_623, 100_000, 316_228, 1_000_000)
PLANS = ("match", "lift", "calm", "vent", "journey:..happy")
TIMES = 21
SETS = 200
SONGS = 20
HERE = Affect(-0.5, 0.5)


def main() -> None:
    """Rank 20 songs of libraries of five sizes by five plans, then once more with known taste."""
    options = parser(__doc__)
    options.add_argument("--write", type=Path, help="draw the growth into a picture")
    options.add_argument("--most", type=int, default=SIZES[-1], help="no library larger than this")
    given = options.parse_args()
    if given.write:
        need("matplotlib.figure")
    medians: dict[str, list[float]] = {plan: [] for plan in PLANS}
    sizes = [size for size in SIZES if size <= given.most]
    for size in sizes:
        music = library(size)
        ranker, anyone = NearestRanker(), Preferences.neutral(size)
        began = time.perf_counter()
        ranker.rank([Affect(0, 0)], music, anyone)
        print(f"{size:>9,} tracks, first call: {1000 * (time.perf_counter() - began):.0f} ms")
        for plan in PLANS:
            times = timed(ranker, music, anyone, plan)
            medians[plan].append(float(np.median(times)))
            spread(f"{size:>9,} tracks, {plan}, {SONGS} songs", times, "ms", goal="40, later 10")
    taste = np.random.default_rng(1).normal(0, 0.3, len(music)).clip(-1, 1).astype(np.float32)
    listener = Preferences(taste, np.zeros(len(music), np.float32))
    began = time.perf_counter()
    ranker.rank([Affect(0, 0)], music, listener)
    print(f"{size:>9,} tracks, a listener's first: {1000 * (time.perf_counter() - began):.0f} ms")
    times = timed(ranker, music, listener, "lift")
    spread(f"{len(music):>9,} tracks whose taste is known, lift", times, "ms", goal="40, later 10")
    mixing_of(library(20_000))
    if given.write:
        draw(medians, given.write)


def timed(
    ranker: NearestRanker, music: Candidates, listener: Preferences, plan: str
) -> list[float]:
    """Return the milliseconds of sets by one plan, each with another seed; a first one warms up."""
    path = affect.path(affect.parse_plan(plan), [HERE], SONGS)
    ranker.rank(path, music, listener, seed=TIMES)
    times = []
    for seed in range(TIMES):
        began = time.perf_counter()
        ranker.rank(path, music, listener, seed=seed)
        times.append(1000 * (time.perf_counter() - began))
    return times


def mixing_of(music: Candidates) -> None:
    """Compare the share of mixable neighbours in our sets with the nearest in order of rank."""
    generator = np.random.default_rng(0)
    ranker = NearestRanker()
    plain = NearestRanker(mixing=0)
    shares = []
    for seed in range(SETS):
        here = Affect(*generator.uniform(-0.6, 0.6, 2))
        across, up = music.valence - here.valence, music.arousal - here.arousal
        nearest = np.argsort(across**2 + affect.AROUSAL_WEIGHT * up**2)[:SONGS]
        rows = [nearest, *(chosen(way, music, here, seed) for way in (plain, ranker))]
        shares.append([sequencing.mixes(music, picked) for picked in rows])
    by_rank, by_order, ours = np.mean(shares, axis=0)
    print(
        f"neighbours that mix, {SETS} sets of {SONGS} from {len(music):,}: {ours:.1%} in our sets, "
        f"{by_order:.1%} where only the order mixes, {by_rank:.1%} in order of rank"
    )


def chosen(ranker: NearestRanker, music: Candidates, here: Affect, seed: int) -> np.ndarray:
    """Return the rows of a set in playing order."""
    picks = ranker.rank([here] * SONGS, music, Preferences.neutral(len(music)), seed=seed)
    return np.array([int(pick.track.uri.partition(":")[2]) for pick in picks], np.intp)


def draw(medians: dict[str, list[float]], path: Path) -> None:
    """Draw the medians over the size of the library, with a line that grows as it does."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for plan, values in medians.items():
        axes.plot(SIZES[: len(values)], values, marker="o", label=plan)
    first = max(values[0] for values in medians.values())
    sizes = SIZES[: len(values)]
    axes.plot(sizes, [first * n / sizes[0] for n in sizes], ":", color="grey", label="linear")
    axes.set(xscale="log", yscale="log", xlabel="tracks", ylabel=f"ms for {SONGS} songs, median")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)


def library(n: int) -> Candidates:
    """Return n made-up tracks, spread over the plane as a large library is."""
    generator = np.random.default_rng(0)

    def load(rows: Sequence[int]) -> list[Track]:
        return [Track(f"made-up:{row}", f"Track {row}") for row in rows]

    return Candidates(
        valence=np.clip(generator.normal(0.1, 0.4, n), -1, 1).astype(np.float32),
        arousal=np.clip(generator.normal(0, 0.4, n), -1, 1).astype(np.float32),
        uncertainty=np.full(n, 0.3, np.float32),
        tempo=generator.normal(120, 25, n).clip(50, 220).astype(np.float32),
        loudness=generator.normal(-10, 4, n).astype(np.float32),
        key=generator.integers(0, 24, n).astype(np.int8),
        artist=generator.integers(0, n // 10, n).astype(np.int32),
        album=np.full(n, -1, np.int32),
        number=np.arange(n),
        content=np.arange(n),
        left_out=np.full(n, -1, np.int8),
        embedding=np.zeros((n, 0), np.float16),
        load=load,
    )


if __name__ == "__main__":
    main()
