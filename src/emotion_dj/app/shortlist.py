"""The tracks of a large catalogue that a listener who has a taste would be ranked first.

What is liked may stand farther away than what is not, so the nearest are not enough. It is looked
around each target of the set until nothing farther away can cost less than what was found; costs
are the ranker's own.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from emotion_dj import taste
from emotion_dj.domain import ME
from emotion_dj.ranking.grid import NEIGHBOURHOOD, Grid, ListenerGrid, Search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emotion_dj.domain import Affect, Candidates, Listener
    from emotion_dj.stores import Store

STEP: Final = 0.025
"""Distance by which more is looked at, at least: twice as far each time."""

SLACK: Final = 0.01
"""Distance by which it is looked farther than was needed: what is found may be liked still more."""

ROUNDS: Final = 7
"""How often it is looked farther at most: then all of the plane has been seen."""

MOST: Final = 200_000
"""Tracks that are looked at, at most, or a few more."""

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
    if not any(kind in taste.LIKES | taste.SKIPS for _, kind in store.feedback_counts(listener)):
        return []
    around = store.surroundings(analysers, prefixes=prefixes, listener=listener)
    reach, targets = dict.fromkeys(path, STEP), Counter(path)
    for _ in range(ROUNDS):
        music = around(reach)
        liking = taste.of_listener(store, music, listener).of(music)
        search = Search(music, liking, ListenerGrid(Grid(music), liking), seed=None)
        found = {
            target: search.cheapest(target, NEIGHBOURHOOD + SPARE * times)
            for target, times in targets.items()
        }
        wider = {at: _farther(now, found[at][1]) for at, now in reach.items()}
        if wider == reach or len(music) > MOST:
            break
        reach = wider
    return sorted({int(n) for rows, _ in found.values() for n in music.number[rows]})


def _farther(now: float, needed: float) -> float:
    """Return how far is looked next around a target: no farther where it is enough."""
    return now if needed <= now else min(needed + SLACK, 2 * now + STEP)
