"""Target path x candidates -> picks in playing order, with a reason for each.

Three steps: a grid over the plane finds the tracks around each target without a look at the others;
each target takes the best of them that is still free and whose artist and album have not had their
share; then the picks are put in an order in which neighbours mix and targets are still met.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj import affect
from emotion_dj.domain import Affect, Pick
from emotion_dj.mixing import order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emotion_dj.domain import Candidates, Track

    Floats = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.intp]

NOTES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MAJOR_KEYS: Final = 12
TASTE: Final = 0.25
"""Distance that a wholly liked track may be farther away, and a wholly disliked one nearer."""

JITTER: Final = 0.01
"""Distance within which the seed decides: smaller differences are noise of the analysis."""

CELLS: Final = 64
"""Cells of the grid along each axis of the plane."""

CROWD: Final = 48
"""Tracks around a target that are looked at first."""

CHOICE: Final = 8
"""Tracks within the caps among which the one least like the set so far is taken."""

VARIETY: Final = 0.05
"""Distance that a track may be farther away for sounding unlike all that was picked, instead of
like one of them; `benchmarks/evaluation.py` shows what it gives and costs."""


@dataclass(slots=True)
class NearestRanker:
    """Picks the nearest tracks to a path; fits `interfaces.Ranker`.

    ``per_artist`` and ``per_album`` cap how often one may appear; unknown ones are not capped.
    ``variety`` is how much distance a different sound is worth. The grid of the last candidates is
    kept, so that a second set from them costs no look at all of them.
    """

    per_artist: int = 2
    per_album: int = 3
    variety: float = VARIETY
    _grid: Grid | None = field(default=None, repr=False)

    def rank(self, path: Sequence[Affect], candidates: Candidates, *, seed: int = 0) -> list[Pick]:
        """Return one pick per target, fewer where music runs out; the caps give way before that."""
        grid = self._grid
        if grid is None or grid.candidates is not candidates:
            grid = self._grid = Grid(candidates)
        path = path[: len(candidates)]
        shares = _Shares(candidates, self.per_artist, self.per_album, self.variety)
        rows = np.array([shares.take(grid, target, seed) for target in path], np.intp)
        gaps = np.stack([distances(target, candidates, rows) for target in path], axis=1)
        playing = order(gaps, candidates, rows)
        tracks = candidates.load(rows[playing].tolist())
        return [
            _pick(candidates, int(rows[place]), float(gaps[place, position]), track)
            for position, (place, track) in enumerate(zip(playing, tracks, strict=True))
        ]


def distances(target: Affect, candidates: Candidates, rows: Rows) -> Floats:
    """Return the arousal-weighted distance of some candidates from a target, float32 (rows,)."""
    across = candidates.valence[rows] - np.float32(target.valence)
    up = candidates.arousal[rows] - np.float32(target.arousal)
    return np.sqrt(across**2 + np.float32(affect.AROUSAL_WEIGHT) * up**2)


class Grid:
    """The candidates sorted by cell of the plane: near ones are looked for among near ones."""

    def __init__(self, candidates: Candidates) -> None:
        """Sort once: O(n)."""
        self.candidates = candidates
        cell = _cell(candidates.arousal).astype(np.int32) * CELLS + _cell(candidates.valence)
        self._rows = np.argsort(cell, kind="stable")
        self._starts = np.searchsorted(cell[self._rows], np.arange(CELLS * CELLS + 1))
        self._doubt = TASTE * float(np.abs(candidates.taste).max(initial=0)) + JITTER

    def nearest(self, target: Affect, seed: int) -> Iterator[tuple[int, float]]:
        """Yield every row with its cost, the cheapest first; later ones cost more work."""
        radius, wanted, given = 1, CROWD, 0
        while given < len(self._rows):
            rows = self._square(target, radius)
            cost = self._costs(target, rows, seed)
            sorting = np.argsort(cost, kind="stable")
            # Whatever lies outside the square is at least this expensive.
            bound = (radius - 1) * 2 / CELLS - self._doubt
            certain = len(rows) if radius >= CELLS else int((cost < bound).sum())
            if certain >= min(wanted, len(self._rows)):
                here = sorting[given:certain]
                yield from zip(rows[here].tolist(), cost[here].tolist(), strict=True)
                given, wanted = certain, 4 * wanted
            radius = min(CELLS, radius + 1 + radius // 2)

    def _square(self, target: Affect, radius: int) -> Rows:
        """Return the rows of all cells within ``radius`` cells of the target's."""
        x, y = (int(_cell(np.array([v]))[0]) for v in (target.valence, target.arousal))
        left, right = max(0, x - radius), min(CELLS, x + radius + 1)
        lines = range(max(0, y - radius), min(CELLS, y + radius + 1))
        parts = [
            self._rows[self._starts[line * CELLS + left] : self._starts[line * CELLS + right]]
            for line in lines
        ]
        return np.concatenate(parts)

    def _costs(self, target: Affect, rows: Rows, seed: int) -> Floats:
        """Return distance less taste, plus a jitter that depends on seed and row alone."""
        jitter = np.float32(JITTER) * _chance(rows, seed)
        taste = np.float32(TASTE) * self.candidates.taste[rows]
        return np.asarray(distances(target, self.candidates, rows) - taste + jitter, np.float32)


def _cell(values: Floats) -> npt.NDArray[np.int16]:
    return np.asarray(np.clip((values + 1) * (CELLS / 2), 0, CELLS - 1), np.int16)


def _chance(rows: Rows, seed: int) -> Floats:
    """Return a number in [0, 1) for each row that depends on row and seed alone.

    SplitMix64 (Steele, Lea & Flood 2014), so that no generator has to run over all tracks.
    """
    start = np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
    mixed = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + start
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return ((mixed >> np.uint64(40)) / 2**24).astype(np.float32)


class _Shares:
    """Who has been picked how often."""

    def __init__(
        self, candidates: Candidates, per_artist: int, per_album: int, variety: float
    ) -> None:
        self._sounds = candidates.embedding if candidates.embedding.shape[1] and variety else None
        self._variety = variety
        self._limits = ((candidates.artist, per_artist), (candidates.album, per_album))
        self._counts: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
        self._taken: set[int] = set()

    def take(self, grid: Grid, target: Affect, seed: int) -> int:
        """Take one of the cheapest rows within the caps, else the cheapest that is free."""
        spare: int | None = None
        choice: list[tuple[float, int]] = []
        for row, cost in grid.nearest(target, seed):
            if row in self._taken:
                continue
            spare = row if spare is None else spare
            if choice and cost > choice[0][0] + self._variety:
                break
            if self._within(row):
                choice.append((cost, row))
            if len(choice) == (CHOICE if self._sounds is not None and self._taken else 1):
                break
        assert spare is not None  # noqa: S101 - rank asks for no more rows than there are
        taken = self._unlike(choice) if choice else spare
        self._taken.add(taken)
        for (column, _), count in zip(self._limits, self._counts, strict=True):
            count[int(column[taken])] += 1
        return taken

    def _unlike(self, choice: list[tuple[float, int]]) -> int:
        """Return the row with the least cost and likeness to what is in the set already (maximal
        marginal relevance: Carbonell & Goldstein 1998).
        """  # noqa: D205
        if len(choice) == 1 or self._sounds is None:
            return choice[0][1]
        rows = [row for _, row in choice]
        here, there = (
            self._sounds[places].astype(np.float32) for places in (rows, sorted(self._taken))
        )
        likeness = (here @ there.T).max(axis=1)
        costs = np.array([cost for cost, _ in choice]) + self._variety * likeness
        return rows[int(costs.argmin())]

    def _within(self, row: int) -> bool:
        return all(
            column[row] < 0 or count[int(column[row])] < limit
            for (column, limit), count in zip(self._limits, self._counts, strict=True)
        )


def _pick(candidates: Candidates, row: int, gap: float, track: Track) -> Pick:
    at = Affect(
        float(candidates.valence[row]),
        float(candidates.arousal[row]),
        float(candidates.spread[row]),
    )
    tempo = float(candidates.tempo[row])
    key = int(candidates.key[row])
    return Pick(
        track=track,
        affect=at,
        mood=affect.mood(at),
        score=float(np.exp(-gap)),
        reason=_reason(at, tempo, key),
        tempo=None if np.isnan(tempo) else tempo,
        key=None if key < 0 else key % MAJOR_KEYS,
        mode=None if key < 0 else int(key < MAJOR_KEYS),
    )


def _reason(at: Affect, tempo: float, key: int) -> str:
    """Say what the track is like: "bright and lively, 123 bpm, A major"."""
    parts = [affect.describe(at)]
    if not np.isnan(tempo):
        parts.append(f"{tempo:.0f} bpm")
    if key >= 0:
        parts.append(f"{NOTES[key % MAJOR_KEYS]} {'major' if key < MAJOR_KEYS else 'minor'}")
    return ", ".join(parts)
