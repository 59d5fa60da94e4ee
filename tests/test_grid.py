"""Candidates by cell: what a track costs, and that near ones are found without the others."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest

from emotion_dj.domain import Affect, Candidates, Preferences
from emotion_dj.ranking import grid
from emotion_dj.ranking.grid import NEIGHBOURHOOD, Grid, ListenerGrid, Search


def tracks(places: np.ndarray, *, uncertainty: float = 0.0) -> Candidates:
    """Return tracks at places (n, 2) of which nothing else is known."""
    n = len(places)
    nothing = np.zeros(n, np.float32)
    return Candidates(
        number=np.arange(n),
        valence=places[:, 0].astype(np.float32),
        arousal=places[:, 1].astype(np.float32),
        uncertainty=np.full(n, uncertainty, np.float32),
        tempo=nothing,
        loudness=nothing,
        key=np.zeros(n, np.int8),
        artist=np.full(n, -1, np.int32),
        album=np.full(n, -1, np.int32),
        content=np.arange(n),
        left_out=np.full(n, -1, np.int8),
        embedding=np.zeros((n, 0), np.float16),
        load=lambda _: [],
    )


def spread(n: int, seed: int = 0, *, uncertainty: float = 0.0) -> Candidates:
    """Return n tracks anywhere on the plane."""
    places = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    return tracks(places, uncertainty=uncertainty)


def tastes(n: int, low: float = -1, high: float = 1) -> Preferences:
    """Return a listener with any taste between two."""
    taste = np.random.default_rng(9).uniform(low, high, n).astype(np.float32)
    return Preferences(taste, np.zeros(n, np.float32))


def search(music: Candidates, listener: Preferences | None = None, *, seed: int = 0) -> Search:
    """Return a search for one listener, by default anyone."""
    known = listener or Preferences.neutral(len(music))
    return Search(music, known, ListenerGrid(Grid(music), known), seed)


def jitter(row: int, seed: int) -> float:
    """Return the top 24 bits of SplitMix64, in exact integers, of a row's turn after a seed's."""
    mixed = (row + seed) * 0x9E3779B97F4A7C15 % 2**64
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB % 2**64
    return (mixed >> 40) / 2**24


@pytest.mark.parametrize("seed", [0, 1, 77, 2**40])
def test_the_seed_decides_between_tracks_that_are_as_good(seed: int) -> None:
    """A hundredth of the plane at most, by row and seed alone."""
    music = tracks(np.zeros((300, 2)))
    costs = search(music, seed=seed).costs(Affect(0, 0), np.arange(300))
    assert costs == pytest.approx([0.01 * jitter(row, seed) for row in range(300)], abs=1e-8)
    assert costs.dtype == np.float32
    assert 0 <= costs.min() < 0.001
    assert 0.009 < costs.max() < 0.01


@pytest.mark.parametrize(
    ("about", "cost"),
    [
        ({}, 0.5),
        ({"taste": 1.0}, 0.25),
        ({"taste": -0.5}, 0.625),
        ({"likeness": 1.0}, 0.15),
        ({"likeness": -0.5, "taste": 0.5}, 0.55),
        ({"recency": 1.0}, 3.5),
        ({"recency": 0.05}, 0.65),
        ({"uncertainty": 1.0}, 0.55),
        ({"width": 0.5}, 0.35),
        ({"width": 1.0, "recency": 0.1}, 0.5),
        ({"width": 1.0, "taste": 1.0, "place": 0.2}, -0.25),
    ],
)
def test_what_a_track_costs(about: dict[str, float], cost: float) -> None:
    """Its distance beyond the width of the target; taste and likeness bring it nearer, having
    been played and being placed by a guess farther.
    """
    music = tracks(np.array([[9.0, 9.0], [about.get("place", 0.5), 0.0]]))
    music.uncertainty[1] = about.get("uncertainty", 0)
    likeness = np.array([0, about["likeness"]], np.float32) if "likeness" in about else None
    columns = [np.array([0, about.get(name, 0)], np.float32) for name in ("taste", "recency")]
    found = search(music, Preferences(*columns, likeness)).costs(
        Affect(0, 0, about.get("width", 0.0)), np.array([1])
    )
    assert found == pytest.approx([cost + 0.01 * jitter(1, 0)], abs=1e-6)


def test_distances_weigh_arousal() -> None:
    """Of some rows, from a target, with and without its width."""
    music, target = tracks(np.array([[0, 0], [0.5, 0.1], [-0.1, 0.5]])), Affect(0.2, 0.1, 1)
    rows = np.array([2, 1])
    apart = [math.hypot(0.3, math.sqrt(1.3) * 0.4), 0.3]
    assert grid.distances(target, music, rows) == pytest.approx(apart)
    outside = grid.distance_outside(target, music, rows)
    assert outside == pytest.approx([apart[0] - 0.3, 0], abs=1e-6)
    assert outside.dtype == np.float32


@pytest.mark.parametrize(("n", "side"), [(1, 8), (1024, 8), (40_000, 50), (1_100_000, 256)])
def test_a_grid_has_cells_for_its_tracks(n: int, side: int) -> None:
    """Sixteen tracks to a cell, of eight lines at least and as many as 16 bits can name at most."""
    assert Grid(tracks(np.zeros((n, 2)))).side == side


def test_tracks_lie_in_their_cells() -> None:
    """Sorted by cell, and by row within one; the edges of the plane belong to the last cells."""
    places = np.array([[1, 1], [-1, -1], [0.01, -0.99], [-1, -0.74], [-1, -1], [0.99, 0.99]])
    cells = Grid(tracks(places))
    assert cells.rows.tolist() == [1, 4, 2, 3, 0, 5]
    assert cells.cell.tolist() == [0, 0, 4, 8, 63, 63]
    assert len(cells.starts) == 65
    assert [cells.starts[at] for at in (0, 1, 4, 5, 8, 9, 63, 64)] == [0, 2, 2, 3, 3, 4, 4, 6]


def test_the_least_uncertainty_is_known() -> None:
    """It is what no track goes below; of no tracks, 1."""
    music = spread(5, uncertainty=0.5)
    music.uncertainty[3] = 0.25
    assert Grid(music).least_uncertainty == 0.25
    assert Grid(spread(0)).least_uncertainty == 1


@pytest.mark.parametrize(
    ("low", "high", "gains"),
    [
        (0, 0, [0]),
        (-1, 1, np.linspace(-0.1875, 0.25, 8)),
        (0.5, 0.5, np.linspace(0, 0.125, 9)[1:]),
        (-0.5, -0.5, np.linspace(-0.125, 0, 9)[1:]),
    ],
)
def test_a_listener_has_bands_of_taste(low: float, high: float, gains: list[float]) -> None:
    """Eight, between what is liked least and most or not at all; none where all is liked alike."""
    music, listener = spread(2000, uncertainty=0.2), tastes(2000, low, high)
    listener.taste[:2] = low, high
    bands = ListenerGrid(Grid(music), listener)
    assert bands.gains == pytest.approx(np.array(gains) - 0.05 * 0.2, abs=1e-6)
    assert sorted(bands.rows) == list(range(2000))
    ends = bands.starts[:: bands.side**2]
    assert ends[-1] == 2000
    for band, (first, last) in enumerate(pairwise(ends)):
        liked = 0.25 * listener.taste[bands.rows[first:last]]
        below = gains[band] - (gains[1] - gains[0] if len(gains) > 1 else 0)
        assert ((liked <= gains[band] + 1e-6) & (liked >= below - 1e-6)).all()


@pytest.mark.parametrize("target", [(0, 0), (0.3, -0.2), (1, 1), (-1, 0.9), (-0.4, -1)])
@pytest.mark.parametrize("radius", [0.05, 0.3, 0.9])
def test_all_rows_around_a_target_are_found_and_few_others(
    target: tuple[float, float], radius: float
) -> None:
    """Those within the reach of their band, and no more than a cell beyond it; of a band that
    cannot be reached, none.
    """
    music, listener = spread(20_000), tastes(20_000)
    bands, place = ListenerGrid(Grid(music), listener), Affect(*target)
    reach = np.array([-2, -0.001, 0, radius / 4, radius / 2, radius, radius, radius])
    found = np.zeros(len(music), bool)
    rows = bands.around(place, reach)
    found[rows] = True
    assert found.sum() == len(rows)
    band = np.minimum((listener.taste + 1) * 4, 7).astype(int)
    apart = grid.distances(place, music, np.arange(len(music)))
    exact = (listener.taste + 1) * 4
    sure = np.abs(exact - np.round(exact)) > 1e-3  # rounding may put the others a band lower
    assert found[sure & (apart <= reach[band])].all()
    cell = 2 / bands.side
    assert not found[sure & (apart > reach[band] + cell * math.sqrt(1 + 1.3))].any()
    assert not found[sure & (reach[band] < 0)].any()


@pytest.mark.parametrize("target", [Affect(0.2, 0.1), Affect(-1, 1, 0.5)])
def test_the_cheapest_come_first_in_parts(target: Affect) -> None:
    """As many as a neighbourhood has, then four times as many with those each time, to the end."""
    music = spread(3000, uncertainty=0.3)
    looking = search(music, tastes(3000), seed=5)
    parts = list(looking.nearest(target))
    assert np.cumsum([len(rows) for rows, _ in parts]).tolist() == [48, 192, 768, 3000]
    cost = looking.costs(target, np.arange(3000))
    cheapest = np.argsort(cost, kind="stable")
    assert np.concatenate([rows for rows, _ in parts]).tolist() == cheapest.tolist()
    assert np.concatenate([costs for _, costs in parts]).tolist() == cost[cheapest].tolist()


def test_what_was_enough_is_where_the_next_search_begins() -> None:
    """A tenth more than the last of the neighbourhood cost above the best that could be."""
    music, listener = spread(3000, uncertainty=0.3), tastes(3000)
    listener.taste[7] = 1
    looking = search(music, listener)
    rows, costs = next(looking.nearest(Affect(0.2, 0.1)))
    assert len(rows) == NEIGHBOURHOOD
    assert looking.margin == pytest.approx(1.1 * (costs[-1] + 0.25 - 0.05 * 0.3))


class Counted(Search):
    """A search that notes at how many rows it looked each time."""

    looks: ClassVar[list[int]] = []

    def costs(self, target: Affect, rows: np.ndarray) -> np.ndarray:
        """Note them, and go on."""
        self.looks.append(len(rows))
        return super().costs(target, rows)


@pytest.mark.parametrize("target", [Affect(0.2, 0.1), Affect(1, -1), Affect(0, 0, 0.4)])
def test_a_search_looks_at_few(target: Affect) -> None:
    """Of 20,000 tracks at a few hundred for the first 48, and again for the next target, which is
    found at the first look.
    """
    music, known = spread(20_000), Preferences.neutral(20_000)
    looking = Counted(music, known, ListenerGrid(Grid(music), known), 3)
    for most in (5, 1):
        Counted.looks.clear()
        next(looking.nearest(target))
        assert sum(Counted.looks) < 600
        assert len(Counted.looks) <= most


@pytest.mark.parametrize(
    ("costs", "n", "lowest"),
    [
        ([3, 1, 2], 5, [1, 2, 0]),
        ([3, 1, 2], 3, [1, 2, 0]),
        ([3, 1, 2, 0], 2, [3, 1]),
        ([3, 1, 1, 0], 2, [3, 1, 2]),
        ([1, 1, 1], 1, [0, 1, 2]),
    ],
)
def test_the_lowest_come_with_their_equals(costs: list[float], n: int, lowest: list[int]) -> None:
    """The n lowest, and all that equal the last, in the order of their costs, then their own."""
    assert grid._lowest(np.array(costs, np.float32), n).tolist() == lowest


def test_ranges_are_all_numbers_between() -> None:
    """Each from its begin to before its end, an empty one too; of none, none."""
    begin, end = np.array([4, 9, 9]), np.array([7, 9, 11])
    assert grid._ranges(begin, end).tolist() == [4, 5, 6, 9, 10]
    assert grid._ranges(begin[:0], end[:0]).tolist() == []
