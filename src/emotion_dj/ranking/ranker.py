"""Target path x candidates -> picks in playing order, with a reason for each.

A grid over the plane finds the tracks around each target without a look at the others; each target
takes the best of them that is still free and whose artist and album have not had their share; the
picks are put in an order in which neighbours mix and targets are still met; and songs are exchanged
for others around their targets that follow better.
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
from emotion_dj.ranking.exchange import Company, exchanged, without
from emotion_dj.ranking.grid import NEIGHBOURHOOD, Grid, ListenerGrid, Search, distance_outside
from emotion_dj.ranking.sequencing import follows, sequence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from emotion_dj.domain import Candidates, Preferences, Track
    from emotion_dj.ranking.grid import Neighbourhood

    Floats = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.intp]

PITCH_NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MAJOR_KEYS: Final = 12
VARIETY_WEIGHT: Final = 0.03
"""Distance that a track may be farther away for being no double of anything that was picked."""

MIXING_WEIGHT: Final = 0.2
"""Distance that a track may be farther away for following the pick before well, in style, tempo and
key, instead of clashing; `benchmarks/rank.py` shows what it gives and costs."""

ROUNDS: Final = 2
"""How often songs are exchanged and put in order: a third time changes next to nothing."""

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
        crowds = {target: _Crowd(search.nearest(target)) for target in path}
        copies: list[int] = []
        while True:
            path = path[: len(candidates) - len(copies)]
            rows = self._chosen(path, search, crowds, copies)
            tracks = candidates.load(rows.tolist())
            again = repeated(tracks)
            if not any(again):
                return _picks(path, candidates, preferences, rows, tracks)
            copies += rows[again].tolist()

    def _chosen(
        self,
        path: Sequence[Affect],
        search: Search,
        crowds: Mapping[Affect, _Crowd],
        copies: Sequence[int],
    ) -> Rows:
        """Return one row for each target in playing order, none of them among the copies."""
        music = search.candidates
        company = Company(music, self.per_artist, self.per_album, self.variety, self.mixing)
        selection = _Selection(company, copies)
        rows = np.array([selection.take(crowds[target]) for target in path], np.intp)
        rows = _ordered(path, music, rows)
        if not self.mixing:
            return rows
        offers = self._offers(path, crowds, copies)
        for _ in range(ROUNDS):
            own = [search.costs(goal, rows[[at]])[0] for at, goal in enumerate(path)]
            before, rows = rows, exchanged(rows, np.array(own, np.float32), offers, company)
            if (before == rows).all():
                break
            rows = _ordered(path, music, rows)
        return rows

    def _offers(
        self, path: Sequence[Affect], crowds: Mapping[Affect, _Crowd], copies: Sequence[int]
    ) -> list[Neighbourhood]:
        """Return for each target the rows, with their costs, that its song may be exchanged for."""
        reach = self.variety + 2 * self.mixing
        offers = {}
        for target, times in Counter(path).items():
            rows, costs = crowds[target].within(reach, NEIGHBOURHOOD + times - 1)
            free = without(rows, np.array(copies, np.intp))
            offers[target] = rows[free], costs[free]
        return [offers[target] for target in path]

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


class _Crowd:
    """The tracks around a target, the cheapest first, to be gone through again."""

    def __init__(self, parts: Iterator[Neighbourhood]) -> None:
        self._parts = parts
        self._kept: list[Neighbourhood] = []

    def __iter__(self) -> Iterator[Neighbourhood]:
        yield from self._kept
        for part in self._parts:
            self._kept.append(part)
            yield part

    def within(self, reach: float, count: int) -> Neighbourhood:
        """Return the cheapest, at most so many, that cost no more than the first one and reach."""
        rows, costs = np.zeros(0, np.intp), np.zeros(0, np.float32)
        for part, expense in self:
            rows, costs = np.append(rows, part), np.append(costs, expense)
            if len(rows) >= count or costs[-1] > costs[0] + reach:
                break
        near = np.count_nonzero(costs[:count] <= costs[:1] + reach)
        return rows[:near], costs[:near]


class _Selection:
    """Takes songs one after the other, each held against those before."""

    def __init__(self, company: Company, copies: Sequence[int]) -> None:
        self._company, self._copies = company, copies
        self._taken: list[int] = []

    def take(self, crowd: _Crowd) -> int:
        """Take one of the cheapest rows within the caps, else the cheapest that is free."""
        spare: int | None = None
        rows, costs = np.zeros(0, np.intp), np.zeros(0, np.float32)
        taken = np.array(self._taken, np.intp)
        for part, expense in crowd:
            free = without(part, np.append(taken, self._copies).astype(np.intp))
            if spare is None and free.any():
                spare = int(part[free.argmax()])
            free[free] = self._company.admits(part[free], taken)
            rows, costs = np.append(rows, part[free]), np.append(costs, expense[free])
            if len(rows) >= NEIGHBOURHOOD or (len(rows) and expense[-1] > costs[0] + self._trade()):
                break
        assert spare is not None  # noqa: S101 - rank asks for no more rows than there are
        best = self._best(rows[:NEIGHBOURHOOD], costs[:NEIGHBOURHOOD]) if len(rows) else spare
        self._taken.append(best)
        return best

    def _trade(self) -> float:
        """Return the distance that variety and mixing together can outweigh."""
        return self._company.variety + self._company.mixing

    def _best(self, rows: Rows, costs: Floats) -> int:
        """Return the row with the least cost, its company included."""
        rows = rows[costs <= costs[0] + self._trade()]
        if len(rows) == 1 or not self._taken:
            return int(rows[0])
        taken = np.array(self._taken, np.intp)
        total = costs[: len(rows)] + self._company.cost(rows, taken, taken[-1:])
        return int(rows[total.argmin()])


def _ordered(path: Sequence[Affect], music: Candidates, rows: Rows) -> Rows:
    """Return rows in playing order."""
    gaps = [distance_outside(target, music, rows) for target in path]
    return rows[sequence(np.array(gaps, np.float32).T, music, rows)]


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
