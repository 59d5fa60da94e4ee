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
from emotion_dj.domain import Affect, Pick, Reason
from emotion_dj.matching import repeated
from emotion_dj.ranking.sequencing import follows, sequence, transition_cost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emotion_dj.domain import Candidates, Track

    Floats = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.intp]
    Neighbourhood = tuple[Rows, Floats]

PITCH_NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MAJOR_KEYS: Final = 12
TASTE_WEIGHT: Final = 0.25
"""Distance that a wholly liked track may be farther away, and a wholly disliked one nearer."""

RECENCY: Final = 0.15
"""Distance that the track which was played last must be nearer than one that was not."""

UNCERTAINTY_WEIGHT: Final = 0.05
"""Distance that a track whose place is anyone's guess must be nearer than a certain one."""

UNCERTAINTY_RADIUS: Final = 0.3
"""Distance around a target of uncertainty 1 within which all tracks are as good as at its middle:
doubt about the listener widens the target, and taste, variety and mixing choose within it."""

SEED_JITTER: Final = 0.01
"""Distance within which the seed decides: smaller differences are noise of the analysis."""

CELLS: Final = 2**16
"""Most cells of the grid: their numbers fit in 16 bits."""

BANDS: Final = 8
"""Bands of taste in which the grid is sorted."""

ROUNDING: Final = 1e-4
"""More than float32 is off by in a distance on the plane."""

NEIGHBOURHOOD: Final = 48
"""Tracks around a target among which the one is taken that is least like the set so far and mixes
best with the pick before."""

VARIETY_WEIGHT: Final = 0.03
"""Distance that a track may be farther away for sounding unlike all that was picked, instead of
like one of them; `benchmarks/evaluation.py` shows what it gives and costs."""

MIXING_WEIGHT: Final = 0.03
"""Distance that a track may be farther away for mixing with the pick before instead of clashing."""

TASTE_THRESHOLD: Final = 0.6
"""Taste from which on a reason says so: a single like lifts a fifth of all music beyond 0.5."""


@dataclass(slots=True)
class NearestRanker:
    """Picks the nearest tracks to a path; fits `interfaces.Ranker`.

    ``per_artist`` and ``per_album`` cap how often one may appear; unknown ones are not capped. No
    recording appears twice, whatever source its copies come from.
    ``variety`` is how much distance a different sound is worth, ``mixing`` how much a song that
    mixes. The grid of the last candidates is kept, so that a second set from them costs no look at
    all of them.
    """

    per_artist: int = 2
    per_album: int = 3
    variety: float = VARIETY_WEIGHT
    mixing: float = MIXING_WEIGHT
    _grid: Grid | None = field(default=None, repr=False)

    def rank(self, path: Sequence[Affect], candidates: Candidates, *, seed: int = 0) -> list[Pick]:
        """Return one pick per target, fewer where music runs out; the caps give way before that."""
        grid = self._grid
        if grid is None or grid.candidates is not candidates:
            grid = self._grid = Grid(candidates)
        crowds = {target: _Replayable(grid.nearest(target, seed)) for target in path}
        copies: list[int] = []
        while True:
            path = path[: len(candidates) - len(copies)]
            shares = _Selection(candidates, self, copies)
            rows = np.array([shares.take(crowds[target]) for target in path], np.intp)
            tracks = candidates.load(rows.tolist())
            again = repeated(tracks)
            if not any(again):
                break
            copies += rows[again].tolist()
        gaps = np.array(
            [distance_outside(target, candidates, rows) for target in path], np.float32
        ).T
        playing = sequence(gaps, candidates, rows)
        return _picks(path, candidates, rows[playing], [tracks[place] for place in playing])


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


class Grid:
    """The candidates sorted by cell of the plane: near ones are looked for among near ones.

    Where taste is known they are sorted by bands of it first, since of what is liked more, more can
    be far away and still be wanted.
    """

    def __init__(self, candidates: Candidates) -> None:
        """Sort once: O(n), since numbers of 16 bits are sorted by their digits."""
        self.candidates = candidates
        low, high = candidates.taste.min(initial=0), candidates.taste.max(initial=0)
        self.bands = BANDS if high > low else 1
        most = int((CELLS // self.bands) ** 0.5)
        self.cells = int(np.clip(np.sqrt(len(candidates)) / 4, 8, most))
        share = (candidates.taste - low) / max(float(high - low), 1e-9)
        band = np.minimum(share * self.bands, self.bands - 1).astype(np.uint16)
        line, column = self._cell(candidates.arousal), self._cell(candidates.valence)
        cell = (band * np.uint16(self.cells) + line) * np.uint16(self.cells) + column
        self._rows = np.argsort(cell, kind="stable")
        counts = np.bincount(cell, minlength=self.bands * self.cells**2)
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        edges = np.linspace(low, high, self.bands + 1)[1:]
        self._gains = TASTE_WEIGHT * edges - UNCERTAINTY_WEIGHT * float(
            candidates.uncertainty.min(initial=1)
        )

    def nearest(self, target: Affect, seed: int) -> Iterator[Neighbourhood]:
        """Yield all rows with their costs in parts, the cheapest first; later ones cost more."""
        radius, wanted, given = 1, min(NEIGHBOURHOOD, len(self._rows)), 0
        while given < len(self._rows):
            _, cost = self._around(target, seed, np.full(self.bands, radius))
            if len(cost) < wanted:
                radius *= 2
                continue
            limit = float(np.partition(cost, wanted - 1)[wanted - 1])
            # Of each band, all that may be as cheap as what was found already.
            reach = limit + UNCERTAINTY_RADIUS * target.uncertainty + self._gains + ROUNDING
            rows, cost = self._around(target, seed, np.ceil(reach * self.cells / 2).astype(int))
            first = _lowest(cost, wanted)
            yield rows[first[given:]], cost[first[given:]]
            given, wanted = len(first), min(4 * wanted, len(self._rows))

    def _cell(self, values: Floats) -> npt.NDArray[np.uint16]:
        return np.asarray(np.clip((values + 1) * (self.cells / 2), 0, self.cells - 1), np.uint16)

    def _around(self, target: Affect, seed: int, radii: npt.NDArray[np.int_]) -> Neighbourhood:
        """Return the rows of all cells within so many cells of the target's, for each band, and
        their costs.
        """  # noqa: D205
        x, y = (int(cell) for cell in self._cell(np.array([target.valence, target.arousal])))
        parts = [self._rows[:0]]
        for band, radius in enumerate(radii.tolist()):
            left, right = max(0, x - radius), min(self.cells, x + radius + 1)
            for line in range(max(0, y - radius), min(self.cells, y + radius + 1)):
                start = (band * self.cells + line) * self.cells
                parts.append(self._rows[self._starts[start + left] : self._starts[start + right]])
        rows = np.concatenate(parts)
        return rows, self._costs(target, rows, seed)

    def _costs(self, target: Affect, rows: Rows, seed: int) -> Floats:
        """Return what each row is from the target, less taste, plus what speaks against it, plus a
        jitter that depends on seed and row alone.
        """  # noqa: D205
        music = self.candidates
        against = (
            np.float32(UNCERTAINTY_WEIGHT) * music.uncertainty[rows]
            + np.float32(RECENCY) * music.recency[rows]
        )
        wanted = np.float32(TASTE_WEIGHT) * music.taste[rows] - np.float32(SEED_JITTER) * _chance(
            rows, seed
        )
        return np.asarray(distance_outside(target, music, rows) + against - wanted, np.float32)


def _lowest(cost: Floats, n: int) -> Rows:
    """Return the places of the n lowest costs and of all that equal the last, the lowest first."""
    few = np.arange(len(cost))
    if len(cost) > n:
        few = np.flatnonzero(cost <= np.partition(cost, n - 1)[n - 1])
    return few[np.argsort(cost[few], kind="stable")]


def _chance(rows: Rows, seed: int) -> Floats:
    """Return a number in [0, 1) for each row that depends on row and seed alone.

    SplitMix64 (Steele, Lea & Flood 2014), so that no generator has to run over all tracks.
    """
    start = np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
    mixed = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + start
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return ((mixed >> np.uint64(40)) / 2**24).astype(np.float32)


class _Replayable:
    """The parts that an iterator has given, to be gone through again by equal targets."""

    def __init__(self, parts: Iterator[Neighbourhood]) -> None:
        self._parts = parts
        self._kept: list[Neighbourhood] = []

    def __iter__(self) -> Iterator[Neighbourhood]:
        yield from self._kept
        for part in self._parts:
            self._kept.append(part)
            yield part


class _Selection:
    """What has been picked, and who how often."""

    def __init__(
        self, candidates: Candidates, ranker: NearestRanker, copies: Sequence[int]
    ) -> None:
        self._music = candidates
        self._copies = copies
        self._ranker = ranker
        self._limits = (
            (candidates.artist, ranker.per_artist),
            (candidates.album, ranker.per_album),
        )
        self._counts: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
        self._taken: list[int] = []

    def take(self, crowd: _Replayable) -> int:
        """Take one of the cheapest rows within the caps, else the cheapest that is free."""
        spare: int | None = None
        rows, costs = np.zeros(0, np.intp), np.zeros(0, np.float32)
        for part, expense in crowd:
            free = ~np.isin(part, [*self._taken, *self._copies])
            if spare is None and free.any():
                spare = int(part[free.argmax()])
            fits = free & self._within(part)
            rows, costs = np.append(rows, part[fits]), np.append(costs, expense[fits])
            if len(rows) >= NEIGHBOURHOOD or (len(rows) and expense[-1] > costs[0] + self._trade()):
                break
        assert spare is not None  # noqa: S101 - rank asks for no more rows than there are
        taken = self._best(rows[:NEIGHBOURHOOD], costs[:NEIGHBOURHOOD]) if len(rows) else spare
        self._taken.append(taken)
        for (column, _), count in zip(self._limits, self._counts, strict=True):
            count[int(column[taken])] += 1
        return taken

    def _trade(self) -> float:
        """Return the distance that variety and mixing together can outweigh."""
        return self._ranker.variety + self._ranker.mixing

    def _best(self, rows: Rows, costs: Floats) -> int:
        """Return the row with the least cost, likeness to what is in the set already (maximal
        marginal relevance: Carbonell & Goldstein 1998) and clash with the pick before.
        """  # noqa: D205
        rows = rows[costs <= costs[0] + self._trade()]
        if len(rows) == 1 or not self._taken:
            return int(rows[0])
        total = costs[: len(rows)] + self._ranker.variety * self._likeness(rows)
        pair = np.append(self._taken[-1], rows)
        return int(
            rows[(total + self._ranker.mixing * transition_cost(self._music, pair)[0, 1:]).argmin()]
        )

    def _likeness(self, rows: Rows) -> Floats:
        """Return how much each row sounds like the one of the set that it is most like."""
        sounds = self._music.embedding
        if not sounds.shape[1]:
            return np.zeros(len(rows), np.float32)
        here, there = (sounds[places].astype(np.float32) for places in (rows, self._taken))
        return np.asarray((here @ there.T).max(axis=1))

    def _within(self, rows: Rows) -> npt.NDArray[np.bool_]:
        within = np.ones(len(rows), bool)
        for (column, limit), count in zip(self._limits, self._counts, strict=True):
            full = [number for number, times in count.items() if number >= 0 and times >= limit]
            within &= ~np.isin(column[rows], full)
        return within


def _picks(
    path: Sequence[Affect], music: Candidates, rows: Rows, tracks: Sequence[Track]
) -> list[Pick]:
    """Return the picks of rows in playing order."""
    return [
        _pick(music, int(row), target, track, flows=bool(flow))
        for row, target, track, flow in zip(rows, path, tracks, follows(music, rows), strict=True)
    ]


def _pick(music: Candidates, row: int, target: Affect, track: Track, *, flows: bool) -> Pick:
    at = Affect(float(music.valence[row]), float(music.arousal[row]), float(music.uncertainty[row]))
    tempo, key = float(music.tempo[row]), int(music.key[row])
    loudness = float(music.loudness[row])
    reasons = [*_sounds(at, tempo, key)]
    reasons += [Reason("taste")] if music.taste[row] >= TASTE_THRESHOLD else []
    reasons += [Reason("flows")] if flows else []
    return Pick(
        track=track,
        affect=at,
        mood=affect.mood(at),
        score=float(np.exp(-affect.distance(at, target))),
        reasons=tuple(reasons),
        tempo=None if np.isnan(tempo) else tempo,
        key=None if key < 0 else key % MAJOR_KEYS,
        mode=None if key < 0 else int(key < MAJOR_KEYS),
        loudness=None if np.isnan(loudness) else round(loudness, 1),
    )


def _sounds(at: Affect, tempo: float, key: int) -> Iterator[Reason]:
    """Yield what the track is like: its character, its tempo and its key where they are known."""
    yield Reason("character", {"words": list(affect.describe(at))})
    if not np.isnan(tempo):
        yield Reason("tempo", {"bpm": round(tempo)})
    if key >= 0:
        mode = "major" if key < MAJOR_KEYS else "minor"
        yield Reason("key", {"tonic": PITCH_NAMES[key % MAJOR_KEYS], "mode": mode})
