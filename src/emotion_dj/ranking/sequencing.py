"""Which song may follow which: the order of a set, by tempo, key and loudness.

A DJ's rules of thumb: beats within a few per cent (or half, or double) can be matched; keys next to
each other on the circle of fifths (the Camelot wheel) or relative to each other blend; loudness
should not jump; nor should the style, as far as the ear hears it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from emotion_dj.domain import Candidates

    Floats = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.intp]

REACH: Final = float(np.log2(1.08))
"""Octaves of tempo that a pitch fader bridges: 8 per cent."""

LOUDNESS_STEP: Final = 8.0
"""Difference in LUFS that is as bad as it gets."""

ALIKE: Final = 0.3
STRANGE: Final = -0.5
"""Cosine of two sounds from which on they are of one style, and down to which they are worlds
apart: of Emotify's tracks half of the pairs of one genre are above the first, and few of others."""

HARSH: Final = -0.3
"""Cosine below which a listener is thrown from one style into another: `benchmarks/rank.py`."""

MEETING_SHARE: Final = 0.6
"""How much of a join, but for its style, is whether both beats and keys meet: the rest is how far
they, and the loudness, are off."""

STYLE_SHARE: Final = 0.5
"""How much of a join is its style. Both shares were chosen together: `benchmarks/joins.py`."""

UNKNOWN: Final = 0.5
CLASH: Final = 0.1
"""Distance: missing a target by so much is as bad as a clash between neighbours."""

EXACT: Final = 9
"""Longest set that is ordered by trying everything (Held & Karp 1962)."""

STRETCH: Final = 20
"""Songs of a long set that are ordered together: exchanges within all of it would cost n^3."""


def sequence(gaps: Floats, candidates: Candidates, rows: Rows) -> Rows:
    """Return the playing order of picked rows, as places in ``rows``, (n,).

    ``gaps`` (n, n) is the distance of each row from the target of each place in the set. Minimises
    the squares of the gaps, weighted by place, plus those of CLASH times the clashes between
    neighbours: exactly up to EXACT songs, beyond that by exchanges until none helps, within
    stretches of the set. Squares, since a path that leads beyond where any song stands would cost
    the same in every order otherwise, and its walk be lost. The weights are those of a discounted
    gain (Jarvelin & Kekalainen 2002): a set is judged by how it opens.
    """
    if len(rows) <= 1:
        return np.arange(len(rows))
    weight = 1 / np.log2(np.arange(len(rows)) + 2)
    meeting = np.square(np.asarray(gaps, np.float64)) * (weight / weight.mean())
    moving = CLASH**2 * transition_cost(candidates, rows).astype(np.float64)
    way: list[int] = []
    for start in range(0, len(rows), STRETCH):
        here = np.arange(start, min(start + STRETCH, len(rows)))
        met, moved = meeting[np.ix_(here, here)], moving[np.ix_(here, here)]
        if way:
            met[:, 0] += moving[here, way[-1]]
        solve = _exact if len(here) <= EXACT else _exchanged
        way += here[solve(met, moved)].tolist()
    return np.array(way, np.intp)


def transition_cost(candidates: Candidates, rows: Rows, others: Rows | None = None) -> Floats:
    """Return how badly each row follows each of the others, or of the same rows: (rows, others) in
    [0, 1], the same both ways.
    """
    others = rows if others is None else others
    apart = _tempo_apart(candidates, rows, others)
    louder = np.abs(candidates.loudness[rows][:, None] - candidates.loudness[others])
    by_loudness = np.where(np.isnan(louder), UNKNOWN, np.minimum(1, louder / LOUDNESS_STEP))
    by_key = _by_key(candidates.key[rows], candidates.key[others])
    near = 0.45 * _by_tempo(apart) + 0.4 * by_key + 0.15 * by_loudness
    total = (1 - MEETING_SHARE) * near + MEETING_SHARE * _not_meeting(apart, by_key)
    if candidates.embedding.shape[1]:
        alike = _by_style(likeness(candidates, rows, others))
        total = (1 - STYLE_SHARE) * total + STYLE_SHARE * alike
    return np.asarray(total, np.float32)


def _tempo_apart(candidates: Candidates, rows: Rows, others: Rows) -> Floats:
    """Return the octaves between tempi; half and double count as the same; NaN where unknown."""
    here, there = (np.log2(np.maximum(candidates.tempo[some], 1)) for some in (rows, others))
    apart = np.abs(here[:, None] - there)
    return np.asarray(np.abs(apart - np.round(apart)), np.float32)


def _by_tempo(apart: Floats) -> Floats:
    """Return the clash of tempi: 0 for the same, 1 for twice what can be bridged."""
    return np.asarray(np.where(np.isnan(apart), UNKNOWN, np.minimum(1, apart / (2 * REACH))))


def _not_meeting(apart: Floats, by_key: Floats) -> Floats:
    """Return 0 where beats can be matched and keys blend, 1 where one of them cannot: a near miss
    is no mix.
    """
    beats = np.where(np.isnan(apart), UNKNOWN, apart > REACH)
    keys = np.where(by_key == UNKNOWN, UNKNOWN, by_key > 0)
    return np.asarray(np.maximum(beats, keys))


def likeness(candidates: Candidates, rows: Rows, others: Rows | None = None) -> Floats:
    """Return the cosine of the sounds of each row and each of the others, or of the same rows:
    (rows, others); 0 where nothing was heard.
    """
    sounds = candidates.embedding
    here, there = (sounds[r].astype(np.float32) for r in (rows, rows if others is None else others))
    return np.asarray(here @ there.T)


def harsh(candidates: Candidates, rows: Rows) -> float:
    """Return the share of neighbours whose styles have nothing in common."""
    return (
        float((np.diagonal(likeness(candidates, rows), 1) < HARSH).mean()) if len(rows) > 1 else 0
    )


def mixes(candidates: Candidates, rows: Rows) -> float:
    """Return the share of neighbours whose tempo is within reach and whose keys blend."""
    return float(follows(candidates, rows)[1:].mean()) if len(rows) > 1 else 1.0


def follows(candidates: Candidates, rows: Rows) -> npt.NDArray[np.bool_]:
    """Say of each row whether it mixes with the one before: (rows,), false for the first."""
    if len(rows) <= 1:
        return np.zeros(len(rows), bool)
    near = np.diagonal(_tempo_apart(candidates, rows, rows), 1) <= REACH
    blend = np.diagonal(_by_key(candidates.key[rows]), 1) == 0
    return np.append(False, near & blend)


def _by_key(key: npt.NDArray[np.int8], other: npt.NDArray[np.int8] | None = None) -> Floats:
    """Return the clash of keys: 0 for the same, the relative and the next fifth; 1 across."""
    other = key if other is None else other
    wheel, minor = _wheel(key)
    other_wheel, other_minor = _wheel(other)
    steps = np.abs(wheel[:, None] - other_wheel)
    steps = np.minimum(steps, 12 - steps) + (minor[:, None] != other_minor)
    clash = np.clip((steps - 1) / 5, 0, 1)
    both_known = (key >= 0)[:, None] & (other >= 0)
    return np.asarray(np.where(both_known, clash, UNKNOWN), np.float32)


def _wheel(key: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.bool_]]:
    """Return where keys lie on the circle of fifths, 0 to 11, and which are minor."""
    minor = key >= 12  # noqa: PLR2004 - 12 to 23 are minor
    return np.where(minor, (key - 12 + 3) * 7, key * 7) % 12, minor


def _by_style(alike: Floats) -> Floats:
    """Return the clash of styles: 0 for one of a kind, 1 for worlds apart."""
    return np.asarray(np.clip((ALIKE - alike) / (ALIKE - STRANGE), 0, 1), np.float32)


def _exact(meeting: npt.NDArray[np.float64], moving: npt.NDArray[np.float64]) -> Rows:
    """Find the best order of all: cost[s, i] is that of the best way through set s ending in i."""
    n = len(meeting)
    bits = 1 << np.arange(n)
    cost = np.full((1 << n, n), np.inf)
    came = np.zeros((1 << n, n), np.intp)
    cost[bits, np.arange(n)] = meeting[:, 0]
    for visited in range(1, 1 << n):
        place = visited.bit_count()
        if place == n:
            break
        free = np.flatnonzero((visited & bits) == 0)
        ways = cost[visited][:, None] + moving[:, free]
        best = ways.argmin(axis=0)
        reached = visited | bits[free]
        cost[reached, free] = np.minimum(
            cost[reached, free], ways[best, np.arange(len(free))] + meeting[free, place]
        )
        came[reached, free] = best
    return _walk_back(cost, came, n)


def _walk_back(cost: npt.NDArray[np.float64], came: Rows, n: int) -> Rows:
    visited, last, way = (1 << n) - 1, int(cost[-1].argmin()), []
    for _ in range(n):
        way.append(last)
        visited, last = visited ^ (1 << last), int(came[visited, last])
    return np.array(way[::-1], np.intp)


def _exchanged(meeting: npt.NDArray[np.float64], moving: npt.NDArray[np.float64]) -> Rows:
    """Take the best exchange of two songs or reversal of a stretch, until none helps."""
    n = len(meeting)
    way = np.arange(n)
    first, second = np.triu_indices(n, 1)
    swaps = np.tile(way, (len(first), 1))
    pairs = np.arange(len(first))
    swaps[pairs, first], swaps[pairs, second] = second, first
    turns = np.array(
        [
            [*range(i), *range(j, i - 1, -1), *range(j + 1, n)]
            for i, j in zip(first, second, strict=True)
        ]
    )
    changes = np.concatenate([swaps, turns])
    best = _cost(way[None], meeting, moving)[0]
    while True:
        ways = way[changes]
        costs = _cost(ways, meeting, moving)
        lowest = int(costs.argmin())
        if costs[lowest] >= best - 1e-9:
            return way
        way, best = ways[lowest], costs[lowest]


def _cost(
    ways: Rows, meeting: npt.NDArray[np.float64], moving: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    met = meeting[ways, np.arange(ways.shape[1])].sum(axis=1)
    return np.asarray(met + moving[ways[:, :-1], ways[:, 1:]].sum(axis=1))
