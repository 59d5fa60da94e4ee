"""How long ranking takes as libraries grow, and how well neighbours in a set mix.

python benchmarks/rank.py
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from spread import spread

from emotion_dj import affect, mixing
from emotion_dj.domain import Affect, Candidates, Plan, Track
from emotion_dj.ranking import NearestRanker

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = (10_000, 100_000, 1_000_000)
PLANS = ("match", "lift", "vent")
TIMES = 21
SONGS = 20


def main() -> None:
    """Rank 20 songs of libraries of three sizes by three plans."""
    for size in SIZES:
        music = library(size)
        ranker = NearestRanker()
        began = time.perf_counter()
        ranker.rank([Affect(0, 0)], music)
        print(f"{size:>9,} tracks, first call: {1000 * (time.perf_counter() - began):.0f} ms")
        for plan in PLANS:
            path = affect.path(Plan(plan), [Affect(-0.5, 0.5)], SONGS)
            times = []
            for seed in range(TIMES):
                began = time.perf_counter()
                ranker.rank(path, music, seed=seed)
                times.append(1000 * (time.perf_counter() - began))
            spread(f"{size:>9,} tracks, {plan}, {SONGS} songs", times, "ms", goal="40, later 10")
    mixing_of(library(20_000))


def mixing_of(music: Candidates) -> None:
    """Compare the share of mixable neighbours in playing order with the order of rank."""
    generator = np.random.default_rng(0)
    shares = []
    for _ in range(200):
        at = generator.uniform(-0.6, 0.6, 2)
        near = np.argsort((music.valence - at[0]) ** 2 + (music.arousal - at[1]) ** 2)[:SONGS]
        gaps = np.zeros((SONGS, SONGS), np.float32)
        ordered = near[mixing.order(gaps, music, near)]
        shares.append((mixing.mixes(music, near), mixing.mixes(music, ordered)))
    by_rank, by_order = np.mean(shares, axis=0)
    print(f"neighbours that mix: {by_order:.1%} in playing order, {by_rank:.1%} in order of rank")


def library(n: int) -> Candidates:
    """Return n made-up tracks, spread over the plane as a large library is."""
    generator = np.random.default_rng(0)

    def load(rows: Sequence[int]) -> list[Track]:
        return [Track(f"made-up:{row}", f"Track {row}") for row in rows]

    return Candidates(
        valence=np.clip(generator.normal(0.1, 0.4, n), -1, 1).astype(np.float32),
        arousal=np.clip(generator.normal(0, 0.4, n), -1, 1).astype(np.float32),
        spread=np.full(n, 0.3, np.float32),
        tempo=generator.normal(120, 25, n).clip(50, 220).astype(np.float32),
        loudness=generator.normal(-10, 4, n).astype(np.float32),
        key=generator.integers(0, 24, n).astype(np.int8),
        artist=generator.integers(0, n // 10, n).astype(np.int32),
        album=np.full(n, -1, np.int32),
        taste=np.zeros(n, np.float32),
        embedding=np.zeros((n, 0), np.float16),
        load=load,
    )


if __name__ == "__main__":
    main()
