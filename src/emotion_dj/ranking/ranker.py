"""Target path x candidates -> picks in playing order, with a reason for each.

Three steps: a grid over the plane finds the tracks around each target without a look at the others;
each target takes the best of them that is still free and whose artist and album have not had their
share; then the picks are put in an order in which neighbours mix and targets are still met.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from emotion_dj import affect
from emotion_dj.domain import Affect, Pick, Reason
from emotion_dj.matching import repeated
from emotion_dj.ranking.grid import NEIGHBOURHOOD, Grid, ListenerGrid, Search, distance_outside
from emotion_dj.ranking.sequencing import follows, sequence, transition_cost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emotion_dj.domain import Candidates, Preferences, Track
    from emotion_dj.ranking.grid import Neighbourhood

    Floats = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.intp]

PITCH_NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MAJOR_KEYS: Final = 12
VARIETY_WEIGHT: Final = 0.03
"""Distance that a track may be farther away for being no double of anything that was picked."""

DOUBLE: Final = 0.6
"""Cosine from which on a sound counts as more of the same: below it, it is only of one style."""

MIXING_WEIGHT: Final = 0.15
"""Distance that a track may be farther away for following the pick before well, in style, tempo and
key, instead of clashing; `benchmarks/rank.py` shows what it gives and costs."""

TASTE_THRESHOLD: Final = 0.6
"""Taste from which on a reason says so: a single like lifts a fifth of all music beyond 0.5."""


@dataclass(slots=True)
class NearestRanker:
    """Picks the nearest tracks to a path; fits `interfaces.Ranker`.

    ``per_artist`` and ``per_album`` cap how often one may appear; unknown ones are not capped. No
    recording appears twice, whatever source its copies come from.
    ``variety`` is how much distance a sound of its own is worth, ``mixing`` how much a song that
    mixes. The grid of candidates and that of a listener's preferences are kept as long as these
    are, so that a second set costs no look at all of them.
    """

    per_artist: int = 2
    per_album: int = 3
    variety: float = VARIETY_WEIGHT
    mixing: float = MIXING_WEIGHT
    _grids: WeakKeyDictionary[Candidates, Grid] = field(
        default_factory=WeakKeyDictionary, repr=False
    )
    _listeners: WeakKeyDictionary[Preferences, tuple[Grid, ListenerGrid]] = field(
        default_factory=WeakKeyDictionary, repr=False
    )

    def rank(
        self,
        path: Sequence[Affect],
        candidates: Candidates,
        preferences: Preferences,
        *,
        seed: int = 0,
    ) -> list[Pick]:
        """Return one pick per target, fewer where music runs out; the caps give way before that.

        ``preferences`` are what one listener makes of the candidates.
        """
        search = Search(candidates, preferences, self._grid(candidates, preferences), seed)
        crowds = {target: _Replayable(search.nearest(target)) for target in path}
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
        return _picks(
            path, candidates, preferences, rows[playing], [tracks[place] for place in playing]
        )

    def _grid(self, candidates: Candidates, preferences: Preferences) -> ListenerGrid:
        """Return the listener's grid; it is made anew where it was of other candidates."""
        grid = self._grids.get(candidates)
        if grid is None:
            grid = self._grids[candidates] = Grid(candidates)
        base, listener = self._listeners.get(preferences, (None, None))
        if listener is None or base is not grid:
            listener = ListenerGrid(grid, preferences)
            self._listeners[preferences] = grid, listener
        return listener


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
        """
        rows = rows[costs <= costs[0] + self._trade()]
        if len(rows) == 1 or not self._taken:
            return int(rows[0])
        total = costs[: len(rows)] + self._ranker.variety * self._likeness(rows)
        pair = np.append(self._taken[-1], rows)
        return int(
            rows[(total + self._ranker.mixing * transition_cost(self._music, pair)[0, 1:]).argmin()]
        )

    def _likeness(self, rows: Rows) -> Floats:
        """Return how much each row is a double of the one of the set that it is most like."""
        sounds = self._music.embedding
        if not sounds.shape[1]:
            return np.zeros(len(rows), np.float32)
        here, there = (sounds[places].astype(np.float32) for places in (rows, self._taken))
        double = ((here @ there.T).max(axis=1) - DOUBLE) / (1 - DOUBLE)
        return np.asarray(np.clip(double, 0, 1), np.float32)

    def _within(self, rows: Rows) -> npt.NDArray[np.bool_]:
        within = np.ones(len(rows), bool)
        for (column, limit), count in zip(self._limits, self._counts, strict=True):
            full = [number for number, times in count.items() if number >= 0 and times >= limit]
            within &= ~np.isin(column[rows], full)
        return within


def _picks(
    path: Sequence[Affect],
    music: Candidates,
    preferences: Preferences,
    rows: Rows,
    tracks: Sequence[Track],
) -> list[Pick]:
    """Return the picks of rows in playing order."""
    return [
        _pick(music, preferences, int(row), target, track, flows=bool(flow))
        for row, target, track, flow in zip(rows, path, tracks, follows(music, rows), strict=True)
    ]


def _pick(
    music: Candidates,
    preferences: Preferences,
    row: int,
    target: Affect,
    track: Track,
    *,
    flows: bool,
) -> Pick:
    at = Affect(float(music.valence[row]), float(music.arousal[row]), float(music.uncertainty[row]))
    tempo, key = float(music.tempo[row]), int(music.key[row])
    loudness = float(music.loudness[row])
    reasons = [*_sounds(at, tempo, key)]
    reasons += [Reason("taste")] if preferences.taste[row] >= TASTE_THRESHOLD else []
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
