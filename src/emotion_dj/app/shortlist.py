"""The tracks of a large catalogue that a listener would be ranked first, without a look at all.

What is liked, or certain, may stand farther away than what is not, so the nearest are not enough.
It is looked around each target of a set until nothing farther away can cost less than what was
found; costs are the ranker's own.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np

from emotion_dj import taste
from emotion_dj.domain import ME
from emotion_dj.ranking.grid import (
    NEIGHBOURHOOD,
    TASTE_WEIGHT,
    UNCERTAINTY_RADIUS,
    UNCERTAINTY_WEIGHT,
    Grid,
    ListenerGrid,
    Search,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from emotion_dj.domain import Affect, Candidates, Listener
    from emotion_dj.stores import Store, Surroundings
    from emotion_dj.taste import TasteModel

    Tiles = npt.NDArray[np.bool_]

STEP: Final = 0.025
"""Distance within which it is looked first; then twice as far and as much again, at most."""

MOST: Final = 100_000
"""Tracks after which it is not looked farther."""

PLAYS: Final = 5_000
"""Plays that stand back, at most."""

SPARE: Final = 3
"""Tracks for each pick beyond a neighbourhood of the ranker: others take some of them."""


def shortlisted(
    store: Store,
    path: Sequence[Affect],
    analysers: Sequence[str],
    *,
    prefixes: Sequence[str] = (),
    listener: Listener = ME,
) -> Candidates | None:
    """Return what a set along a path is chosen of, of a store that `is_indexed`: what the index
    finds, and the shortlist. None where all candidates are better. Raises CatalogueError.
    """
    wanted = shortlist(store, path, analysers, prefixes=prefixes, listener=listener)
    return store.candidates_near(
        path, analysers, prefixes=prefixes, listener=listener, wanted=wanted
    )


def shortlist(
    store: Store,
    path: Sequence[Affect],
    analysers: Sequence[str],
    *,
    prefixes: Sequence[str] = (),
    listener: Listener = ME,
) -> list[int]:
    """Return the numbers of the tracks around a path that cost the listener least, in their order;
    none while the catalogue prepares for it. Raises CatalogueError.
    """
    counts, plays = taste.log_of(store, PLAYS, listener)
    around = store.surroundings(analysers, prefixes=prefixes, listener=listener)
    if around is None:
        return []
    model = taste.learn(counts, around.answered, plays=plays)
    cheapest = _Cheapest(path, model, around)
    while cheapest.wanted.any():
        cheapest.add(around.within(cheapest.wanted))
    return sorted(cheapest.numbers())


class _Cheapest:
    """The tracks that cost a listener least at each target, of those that were looked at so far.

    ``wanted`` (side, side) are the tiles to look at next; none where it is enough.
    """

    def __init__(self, path: Sequence[Affect], model: TasteModel, around: Surroundings) -> None:
        """Begin with what is nearest to each target."""
        self._count = NEIGHBOURHOOD + SPARE * max(Counter(path).values())
        self._model, self._looked = model, 0
        self._apart = {target: around.distances(target) for target in path}
        self._regard = model.regard(*around.middles())
        self._most, self._least = 0.0, 1.0
        none = np.zeros(0, np.int64), np.zeros(0, np.float32)
        self._best, self._reach = dict.fromkeys(path, none), STEP
        self._seen = np.zeros_like(self._regard, bool)
        self.wanted = self._within(dict.fromkeys(path, ~self._seen))
        self._going = list(self._best)

    def numbers(self) -> set[int]:
        """Return the numbers of all of them."""
        return {number for numbers, _ in self._best.values() for number in numbers.tolist()}

    def add(self, music: Candidates) -> None:
        """Take in the tracks of the tiles that were wanted."""
        liking, grid = self._model.of(music), Grid(music)
        self._most = max(self._most, self._model.most(music, liking))
        self._least = min(self._least, grid.least_uncertainty)
        search = Search(music, liking, ListenerGrid(grid, liking), seed=None, first=self._count)
        for target in self._going:
            numbers, costs = self._best[target]
            for rows, more in islice(search.nearest(target), 1):
                numbers, costs = np.append(numbers, music.number[rows]), np.append(costs, more)
            order = np.argsort(costs, kind="stable")[: self._count]
            self._best[target] = numbers[order], costs[order]
        self._looked += len(music)
        self._go_on()

    def _go_on(self) -> None:
        """Want the tiles in which something may cost less, the nearer ones first."""
        self._seen |= self.wanted
        due = {target: self._may_be_cheaper(target) & ~self._seen for target in self._going}
        self._going = [target for target in due if due[target].any()]
        self.wanted = np.zeros_like(self._seen)
        while self._going and self._looked < MOST and not self.wanted.any():
            self._reach = 2 * self._reach + STEP
            self.wanted = self._within({target: due[target] for target in self._going})

    def _within(self, due: Mapping[Affect, Tiles]) -> Tiles:
        """Return those of the tiles that are due which are near enough to be looked at next."""
        near = [tiles & (self._apart[at] <= self._reach) for at, tiles in due.items()]
        return np.asarray(np.logical_or.reduce(near))

    def _may_be_cheaper(self, target: Affect) -> Tiles:
        """Say of each tile whether a track there may cost less than those found."""
        costs = self._best[target][1]
        if len(costs) < self._count:
            return np.ones_like(self._seen)
        least = self._apart[target] - UNCERTAINTY_RADIUS * target.uncertainty
        least = np.maximum(least, 0) + UNCERTAINTY_WEIGHT * self._least
        return np.asarray(least - TASTE_WEIGHT * self._most * self._regard < costs[-1])
