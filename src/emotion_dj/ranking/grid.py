"""Candidates by cell of the plane, so that near ones are found without a look at the others.

The cells are the same for every listener and are sorted once for one state of the catalogue; what
a listener likes is a second order, in which the cells of each band of taste lie together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj import affect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emotion_dj.domain import Affect, Candidates, Preferences

    Floats = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.intp]
    Neighbourhood = tuple[Rows, Floats]

TASTE_WEIGHT: Final = 0.25
"""Distance that a wholly liked track may be farther away, and a wholly disliked one nearer."""

LIKENESS_WEIGHT: Final = 0.35
"""Distance that a track which sounds just like the song a set begins from may be farther away."""

RECENCY_WEIGHT: Final = 3.0
"""Distance that a track which stands back wholly must be nearer: more than the plane is wide."""

UNCERTAINTY_WEIGHT: Final = 0.05
"""Distance that a track whose place is anyone's guess must be nearer than a certain one."""

UNCERTAINTY_RADIUS: Final = 0.3
"""Distance around a target of uncertainty 1 within which all tracks are as good as at its middle:
doubt about the listener widens the target, and taste, variety and mixing choose within it."""

SEED_JITTER: Final = 0.01
"""Distance within which the seed decides: smaller differences are noise of the analysis."""

NEIGHBOURHOOD: Final = 48
"""Tracks around a target among which the one is taken that is least like the set so far and mixes
best with the pick before."""

CELLS: Final = 2**16
"""Most cells of the grid: their numbers fit in 16 bits."""

BANDS: Final = 8
"""Bands of taste in which a listener's order is sorted."""

ROUNDING: Final = 1e-4
"""More than float32 is off by in a distance on the plane."""

LEAST_GROWTH: Final = 1.1
MOST_GROWTH: Final = 4.0
"""How much farther is looked where too few tracks were near enough, or might be next time."""


class Grid:
    """Candidates sorted by cell: ``rows`` are theirs, ``cell`` is that of each, sorted.

    The rows of cell i lie from ``starts[i]`` to ``starts[i + 1]``; there are ``side`` squared.
    """

    def __init__(self, candidates: Candidates) -> None:
        """Sort once: O(n), since numbers of 16 bits are sorted by their digits."""
        self.side = int(np.clip(np.sqrt(len(candidates)) / 4, 8, CELLS**0.5))
        line, column = self._cells(candidates.arousal), self._cells(candidates.valence)
        cell = line * np.uint16(self.side) + column
        self.rows = np.argsort(cell, kind="stable").astype(np.int32)
        self.cell = cell[self.rows]
        self.starts = _starts(self.cell, self.side**2)
        self.least_uncertainty = float(candidates.uncertainty.min(initial=1))

    def _cells(self, values: Floats) -> npt.NDArray[np.uint16]:
        return np.asarray(np.clip((values + 1) * (self.side / 2), 0, self.side - 1), np.uint16)


class ListenerGrid:
    """The rows of a grid by bands of one listener's taste first, and by cell within each.

    Of what is liked more, or more like the song that a set begins from, more can be far away and
    still be wanted: ``gains`` is the distance that the best of each band may be farther away. Where
    all is liked alike, it is the grid itself.
    """

    def __init__(self, grid: Grid, preferences: Preferences) -> None:
        """Sort once: O(n), since a band is a number of 8 bits."""
        wanted = attraction(preferences, slice(None))
        low, high = float(wanted.min(initial=0)), float(wanted.max(initial=0))
        bands = BANDS if high > low else 1
        self.side, self.rows, self.starts = grid.side, grid.rows, grid.starts
        if bands > 1:
            share = (wanted - np.float32(low)) * np.float32(bands / (high - low))
            band = np.minimum(share, bands - 1).astype(np.uint8)[grid.rows]
            self.rows = grid.rows[np.argsort(band, kind="stable")]
            cell = band * np.int32(grid.side**2) + grid.cell
            self.starts = _starts(cell, bands * grid.side**2)
        best = np.linspace(low, high, bands + 1)[1:]
        self.gains = best - UNCERTAINTY_WEIGHT * grid.least_uncertainty

    def around(self, target: Affect, reach: npt.NDArray[np.float64]) -> Rows:
        """Return all rows whose distance is within the reach of their band, (bands,), and more."""
        x, y = (target.valence + 1) * self.side / 2, (target.arousal + 1) * self.side / 2
        radius = np.maximum(reach * self.side / 2, -1)[:, None]
        lines = np.arange(self.side)
        up = np.maximum(np.maximum(lines - y, y - lines - 1), 0)
        across = radius * np.abs(radius) - affect.AROUSAL_WEIGHT * up**2
        band, line = np.nonzero(across >= 0)
        half = np.sqrt(across[band, line])
        left, right = (np.clip(x + way, 0, self.side - 1).astype(int) for way in (-half, half))
        first = (band * self.side + line) * self.side
        begin, end = self.starts[first + left], self.starts[first + right + 1]
        return np.asarray(self.rows[_ranges(begin, end)], np.intp)


@dataclass(slots=True)
class Search:
    """Looks for what costs one listener least, in one grid of theirs.

    ``margin`` is how far is looked first. The targets of a set are near to each other, so it is
    what was enough for the one before. Without a ``seed`` nothing is left to chance. ``first`` is
    how many rows there are in the first part of what is found.
    """

    candidates: Candidates
    preferences: Preferences
    grid: ListenerGrid
    seed: int | None
    margin: float = 0.01
    first: int = NEIGHBOURHOOD

    def nearest(self, target: Affect) -> Iterator[Neighbourhood]:
        """Yield all rows with their costs in parts, the cheapest first; later ones cost more."""
        total, count = len(self.candidates), 0
        wanted, margin = min(self.first, total), self.margin
        while count < total:
            rows, limit = self._within(target, margin)
            cost = self.costs(target, rows)
            enough = int(np.count_nonzero(cost <= limit))
            if enough < wanted and len(rows) < total:
                margin *= min(MOST_GROWTH, LEAST_GROWTH * (wanted / max(enough, 1)) ** 0.5)
                continue
            first = _lowest(cost, wanted)
            if not count:
                self.margin = LEAST_GROWTH * (margin + float(cost[first[-1]]) - limit)
            yield rows[first[count:]], cost[first[count:]]
            count, wanted = len(first), min(4 * wanted, total)

    def _within(self, target: Affect, margin: float) -> tuple[Rows, float]:
        """Return rows among which are all that cost no more than a limit, and that limit.

        It is ``margin`` more than what the best liked track would cost in the middle.
        """
        gains = self.grid.gains
        limit = margin - float(gains.max())
        width = UNCERTAINTY_RADIUS * target.uncertainty
        return self.grid.around(target, limit + gains + width + ROUNDING), limit

    def costs(self, target: Affect, rows: Rows) -> Floats:
        """Return what each row is from the target, less taste, plus what speaks against it and a
        jitter that depends on seed and row alone.
        """
        against = (
            np.float32(UNCERTAINTY_WEIGHT) * self.candidates.uncertainty[rows]
            + np.float32(RECENCY_WEIGHT) * self.preferences.recency[rows]
        )
        wanted = attraction(self.preferences, rows)
        if self.seed is not None:
            wanted = wanted - np.float32(SEED_JITTER) * _jitter(rows, self.seed)
        outside = distance_outside(target, self.candidates, rows)
        return np.asarray(outside + against - wanted, np.float32)


def attraction(preferences: Preferences, rows: Rows | slice) -> Floats:
    """Return the distance that some candidates may be farther away for being wanted, (rows,)."""
    wanted = np.float32(TASTE_WEIGHT) * preferences.taste[rows]
    if preferences.likeness is not None:
        wanted = wanted + np.float32(LIKENESS_WEIGHT) * preferences.likeness[rows]
    return np.asarray(wanted, np.float32)


def distance_outside(target: Affect, candidates: Candidates, rows: Rows) -> Floats:
    """Return how far outside a target some candidates lie, float32 (rows,): 0 within its width."""
    apart = distances(target, candidates, rows) - np.float32(
        UNCERTAINTY_RADIUS * target.uncertainty
    )
    return np.asarray(np.maximum(apart, 0), np.float32)


def distances(target: Affect, candidates: Candidates, rows: Rows) -> Floats:
    """Return the arousal-weighted distance of some candidates from a target, float32 (rows,)."""
    across = candidates.valence[rows] - np.float32(target.valence)
    up = candidates.arousal[rows] - np.float32(target.arousal)
    return np.sqrt(across**2 + np.float32(affect.AROUSAL_WEIGHT) * up**2)


def _starts(cell: npt.NDArray[np.integer], cells: int) -> npt.NDArray[np.int64]:
    """Return where each cell begins among rows sorted by cell, (cells + 1,)."""
    return np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=cells))])


def _ranges(begin: Rows, end: Rows) -> Rows:
    """Return all numbers from each begin up to before its end."""
    lengths = end - begin
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.repeat(begin - before, lengths) + np.arange(lengths.sum()), np.intp)


def _lowest(cost: Floats, n: int) -> Rows:
    """Return the places of the n lowest costs and of all that equal the last, the lowest first."""
    few = np.arange(len(cost))
    if len(cost) > n:
        few = np.flatnonzero(cost <= np.partition(cost, n - 1)[n - 1])
    return few[np.argsort(cost[few], kind="stable")]


def _jitter(rows: Rows, seed: int) -> Floats:
    """Return a number in [0, 1) for each row that depends on row and seed alone.

    SplitMix64 (Steele, Lea & Flood 2014), so that no generator has to run over all tracks.
    """
    start = np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
    mixed = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + start
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return ((mixed >> np.uint64(40)) / 2**24).astype(np.float32)
