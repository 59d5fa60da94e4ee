"""The tracks of a large catalogue that a listener who has a taste would be ranked first.

What is liked may stand farther away than what is not, so the nearest are not enough. It is looked
around each target of a set until nothing farther away can cost less than what was found; costs are
the ranker's own.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from emotion_dj import taste
from emotion_dj.domain import ME
from emotion_dj.ranking.grid import (
    NEIGHBOURHOOD,
    UNCERTAINTY_RADIUS,
    Gains,
    Grid,
    ListenerGrid,
    Search,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from emotion_dj.domain import Affect, Candidates, Listener
    from emotion_dj.stores import Store
    from emotion_dj.taste import TasteModel

STEP: Final = 0.025
"""Distance within which it is looked first; then twice as far and as much again, at most."""

WIDEN=.02
SLACK: Final = 0.01
"""Distance by which it is looked farther than is needed: what is liked still more may be there."""

ROUNDS: Final = 7
"""How often it is looked at most: then all of the plane has been seen."""

MOST: Final = 200_000
"""Tracks after which it is not looked farther."""

PLAYS: Final = 5_000
"""Plays that stand back, at most."""

SPARE: Final = 3
"""Tracks for each pick beyond a neighbourhood of the ranker: others take some of them."""


def near_to_taste(
    store: Store,
    path: Sequence[Affect],
    analysers: Sequence[str],
    *,
    prefixes: Sequence[str] = (),
    listener: Listener = ME,
) -> Candidates | None:
    """Return what a set along a path is chosen of: what the index finds, and the shortlist; None
    where all candidates are better. Raises CatalogueError.
    """
    if not store.is_indexed():
        return None
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
    """Return the numbers of the tracks around a path that cost the listener least, in any order;
    none of a listener who has not answered yet. Raises CatalogueError.
    """
    counts = store.feedback_counts(listener)
    if not any(kind in taste.LIKES | taste.SKIPS for _, kind in counts):
        return []
    around = store.surroundings(analysers, prefixes=prefixes, listener=listener)
    if around is None:
        return []
    plays = taste.plays_of(store, PLAYS, listener)
    cheapest = _Cheapest(path, taste.learn(counts, around.answered(), plays=plays))
    while cheapest.reach:
        cheapest.add(around.within(cheapest.reach))
    return sorted(cheapest.numbers())


class _Cheapest:
    """The tracks that cost a listener least at each target, of those that were looked at so far.

    ``reach`` is how far around targets to look next; empty where it is enough.
    """

    def __init__(self, path: Sequence[Affect], model: TasteModel) -> None:
        """Begin with nothing."""
        self._count = NEIGHBOURHOOD + SPARE * max(Counter(path).values())
        self._model, self._gains, self._looked, self._rounds = model, list[Gains](), 0, 0
        none = np.zeros(0, np.int64), np.zeros(0, np.float32)
        self._best = dict.fromkeys(path, none)
        self.reach = dict.fromkeys(path, STEP)

    def numbers(self) -> set[int]:
        """Return the numbers of all of them."""
        return {number for numbers, _ in self._best.values() for number in numbers.tolist()}

    def add(self, music: Candidates) -> None:
        """Take in tracks that stand within reach."""
        liking, grid = self._model.of(music), Grid(music)
        self._gains.append(Gains(grid, liking))
        sorted_ = ListenerGrid(grid, liking)
        search = Search(music, liking, sorted_, seed=None, first=self._count)
        for target in self.reach:
            numbers, costs = self._best[target]
            for rows, more in search.nearest(target):
                numbers, costs = np.append(numbers, music.number[rows]), np.append(costs, more)
                break
            order = np.argsort(costs, kind="stable")[: self._count]
            self._best[target] = numbers[order], costs[order]
        self._looked, self._rounds = self._looked + len(music), self._rounds + 1
        self._go_on()

    def _go_on(self) -> None:
        wider = {target: self._farther(target, now) for target, now in self.reach.items()}
        more = self._looked < MOST and self._rounds < ROUNDS
        self.reach = {at: far for at, far in wider.items() if more and far > self.reach[at]}

    def _farther(self, target: Affect, now: float) -> float:
        """Return how far is looked next around a target: no farther where it is enough."""
        needed, costs = np.inf, self._best[target][1]
        if len(costs) == self._count:
            gain = max(gains.within(target, now) for gains in self._gains)
            needed = float(costs[-1]) + gain + UNCERTAINTY_RADIUS * target.uncertainty
        if needed + SLACK <= now:
            return now
        return min(needed + WIDEN, 2 * now + STEP)
