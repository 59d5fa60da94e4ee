"""Songs of an ordered set are exchanged for others near to their targets that follow better.

What is picked one after the other cannot know what comes next: here each song is held against both
of its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.ranking.sequencing import likeness, transition_cost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emotion_dj.domain import Candidates
    from emotion_dj.ranking.grid import Neighbourhood

    Floats = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.intp]

DOUBLE: Final = 0.6
"""Cosine from which on a sound counts as more of the same: below it, it is only of one style."""

PASSES: Final = 4
"""How often the songs of a set are gone through at most: three are nearly always enough."""


@dataclass(frozen=True, slots=True)
class Company:
    """What the other songs of a set make of a song: whether an artist or album has had its share,
    and the distance that a double or a clash is worth.
    """

    music: Candidates
    per_artist: int
    per_album: int
    variety: float
    mixing: float

    def admits(self, rows: Rows, others: Rows) -> npt.NDArray[np.bool_]:
        """Say of each row whether its artist and album may be heard once more beside others."""
        artist, album = self.music.artist, self.music.album
        return _below(artist, self.per_artist, rows, others) & _below(
            album, self.per_album, rows, others
        )

    def cost(self, rows: Rows, others: Rows, neighbours: Rows) -> Floats:
        """Return the distance that each row is worse for its likeness to others (maximal marginal
        relevance: Carbonell & Goldstein 1998) and its joins with neighbours.
        """
        joins = transition_cost(self.music, rows, neighbours).sum(axis=1)
        return np.asarray(self.variety * self._double(rows, others) + self.mixing * joins)

    def _double(self, rows: Rows, others: Rows) -> Floats:
        """Return how much each row is a double of the one of the others that it is most like."""
        if not self.music.embedding.shape[1] or not len(others):
            return np.zeros(len(rows), np.float32)
        double = (likeness(self.music, rows, others).max(axis=1) - DOUBLE) / (1 - DOUBLE)
        return np.asarray(np.clip(double, 0, 1), np.float32)


def exchanged(rows: Rows, own: Floats, offers: Sequence[Neighbourhood], company: Company) -> Rows:
    """Return rows in playing order with songs exchanged for cheaper ones among the ``offers`` of
    their places; ``own`` (n,) is what each row costs at its place, without company.
    """
    rows, own = rows.copy(), own.copy()
    due = set(range(len(rows)))
    for _ in range(PASSES):
        moved = [place for place in sorted(due) if _exchange(place, rows, own, offers, company)]
        due = {at + step for at in moved for step in (-1, 1)} & set(range(len(rows)))
    return rows


def _exchange(
    place: int, rows: Rows, own: Floats, offers: Sequence[Neighbourhood], company: Company
) -> bool:
    """Take the cheapest song for one place; say whether it is another one."""
    others = np.delete(rows, place)
    offered, costs = offers[place]
    free = without(offered, rows)
    free[free] = company.admits(offered[free], others)
    some, costs = np.append(rows[place], offered[free]), np.append(own[place], costs[free])
    neighbours = rows[[at for at in (place - 1, place + 1) if 0 <= at < len(rows)]]
    best = int((costs + company.cost(some, others, neighbours)).argmin())
    rows[place], own[place] = some[best], costs[best]
    return best > 0


def without(rows: Rows, others: Rows) -> npt.NDArray[np.bool_]:
    """Say of each row whether it is none of a few others: for so few faster than `np.isin`."""
    return np.asarray((rows[:, None] != others).all(axis=1))


def _below(
    column: npt.NDArray[np.int32], limit: int, rows: Rows, others: Rows
) -> npt.NDArray[np.bool_]:
    """Say of each row whether fewer than so many others share its value; unknown is none's."""
    values = column[rows]
    if len(others) < limit:
        return np.ones(len(rows), bool)
    times = (values[:, None] == column[others]).sum(axis=1)
    return np.asarray((values < 0) | (times < limit))
