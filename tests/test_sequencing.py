"""What a join of two songs costs and in which order a set is played, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations, pairwise, permutations

import numpy as np
import pytest

from emotion_dj.domain import Candidates
from emotion_dj.ranking import sequencing

C, D, E, F, F_SHARP, G, B = 0, 2, 4, 5, 6, 7, 11
MINOR = 12
TEMPO, LOUDNESS = 120.0, -14.0


def songs(
    n: int = 2,
    *,
    tempo: float | list[float] = TEMPO,
    key: int | list[int] = C,
    loudness: float | list[float] = LOUDNESS,
    sounds: list[list[float]] | None = None,
) -> Candidates:
    """Return n songs of one place; a column that is one value is that of all of them."""
    nothing = np.zeros(n, np.float32)
    return Candidates(
        number=np.arange(n),
        valence=nothing,
        arousal=nothing,
        uncertainty=nothing,
        tempo=np.full(n, tempo, np.float32),
        loudness=np.full(n, loudness, np.float32),
        key=np.full(n, key, np.int8),
        artist=np.full(n, -1, np.int32),
        album=np.full(n, -1, np.int32),
        content=np.arange(n),
        left_out=np.full(n, -1, np.int8),
        embedding=np.array(sounds or np.zeros((n, 0)), np.float16),
        load=lambda _: [],
    )


def mixed_bag(n: int, seed: int) -> Candidates:
    """Return n songs of any tempo, key and loudness."""
    rng = np.random.default_rng(seed)
    music = songs(n)
    music.tempo[:], music.loudness[:] = rng.uniform(60, 180, n), rng.uniform(-20, -6, n)
    music.key[:] = rng.integers(-1, 24, n)
    return music


def join(music: Candidates) -> float:
    """Return what the join of the first two songs costs, which is the same both ways."""
    clash = sequencing.transition_cost(music, np.arange(2))
    assert clash[0, 1] == clash[1, 0]
    return float(clash[0, 1])


NO_STEP = 0.4 * 0.45 * 0.5 + 0.6 * 0.5
"""A tempo that is not known: half of the clash, and half of what not meeting costs."""


@pytest.mark.parametrize(
    ("tempo", "cost"),
    [
        (TEMPO, 0),
        (TEMPO / 2, 0),
        (TEMPO * 2, 0),
        (TEMPO * 1.04, 0.4 * 0.45 * math.log2(1.04) / (2 * math.log2(1.08))),
        (TEMPO / 1.04, 0.4 * 0.45 * math.log2(1.04) / (2 * math.log2(1.08))),
        (TEMPO * 2.08, 0.4 * 0.45 * math.log2(1.04) / (2 * math.log2(1.08))),
        (TEMPO * 1.12, 0.4 * 0.45 * math.log2(1.12) / (2 * math.log2(1.08)) + 0.6),
        (TEMPO * 1.4, 0.4 * 0.45 + 0.6),
        (math.nan, NO_STEP),
    ],
)
def test_a_join_costs_what_its_tempi_are_off(tempo: float, cost: float) -> None:
    """Half and double are the same; from eight per cent on beats do not meet."""
    assert join(songs(tempo=[TEMPO, tempo])) == pytest.approx(cost, abs=1e-5)


@pytest.mark.parametrize(
    ("key", "other", "steps"),
    [
        (C, C, 0),
        (C, G, 0),
        (C, F, 0),
        (C, MINOR + 9, 0),  # A minor
        (MINOR, 3, 0),  # C minor, E flat
        (MINOR, MINOR + G, 0),
        (C, D, 1),
        (C, MINOR + E, 1),
        (C, MINOR, 3),
        (D, MINOR + D, 3),
        (C, E, 3),
        (C, B, 4),
        (C, F_SHARP, 5),
        (C, MINOR + 3, 5),  # farther cannot be told apart
        (B, MINOR + 11, 3),
    ],
)
def test_a_join_costs_what_its_keys_are_off(key: int, other: int, steps: int) -> None:
    """Steps on the circle of fifths beyond the first, up to five; the relative key is none, and a
    change of mode is one.
    """
    cost = 0.4 * 0.4 * steps / 5 + 0.6 * (steps > 0)
    assert join(songs(key=[key, other])) == pytest.approx(cost, abs=1e-6)


@pytest.mark.parametrize("keys", [[-1, C], [C, -1], [-1, -1], [-1, MINOR + B]])
def test_an_unknown_key_is_half_a_clash(keys: list[int]) -> None:
    """On either side, and of two as of one."""
    assert join(songs(key=keys)) == pytest.approx(0.4 * 0.4 * 0.5 + 0.6 * 0.5)


@pytest.mark.parametrize(
    ("loudness", "share"), [(-14, 0), (-12, 0.25), (-18, 0.5), (-6, 1), (-40, 1), (math.nan, 0.5)]
)
def test_a_join_costs_the_jump_in_loudness(loudness: float, share: float) -> None:
    """Eight LUFS are as bad as it gets, up or down; that keeps no beats from meeting."""
    assert join(songs(loudness=[LOUDNESS, loudness])) == pytest.approx(0.4 * 0.15 * share)


@pytest.mark.parametrize(
    ("cosine", "share"), [(1, 0), (0.3, 0), (0.1, 0.25), (-0.1, 0.5), (-0.5, 1), (-1, 1)]
)
def test_half_of_a_join_is_its_style(cosine: float, share: float) -> None:
    """None above a cosine of 0.3, all of it below -0.5."""
    sounds = [[1.0, 0.0], [cosine, math.sqrt(1 - cosine**2)]]
    assert join(songs(sounds=sounds)) == pytest.approx(0.5 * share, abs=1e-3)
    assert join(songs(sounds=sounds, key=[C, F_SHARP])) == pytest.approx(
        0.5 * share + 0.5 * (0.4 * 0.4 + 0.6), abs=1e-3
    )


def test_a_join_without_a_beat_or_a_key_does_not_meet() -> None:
    """One of both that cannot be met is enough, and both cost no more than one."""
    met_by_none = 0.4 * (0.45 + 0.4) + 0.6
    assert join(songs(tempo=[120, 170], key=[C, F_SHARP])) == pytest.approx(met_by_none)
    assert join(songs(tempo=[120, 170], key=[C, -1])) == pytest.approx(0.4 * 0.65 + 0.6)


def test_joins_are_told_of_any_rows() -> None:
    """A table of some rows by others has each pair's cost, as the table of all has it."""
    music = mixed_bag(6, 1)
    music = replace(music, embedding=np.random.default_rng(2).normal(0, 0.6, (6, 3)).astype("f2"))
    whole = sequencing.transition_cost(music, np.arange(6))
    here, there = np.array([4, 1]), np.array([0, 5, 2])
    part = sequencing.transition_cost(music, here, there)
    assert part.dtype == np.float32
    assert part.tolist() == whole[np.ix_(here, there)].tolist()
    alike = sequencing.likeness(music, here, there)
    assert alike.tolist() == sequencing.likeness(music, np.arange(6))[np.ix_(here, there)].tolist()
    assert alike.dtype == np.float32


def test_what_mixes_is_counted_by_neighbours() -> None:
    """Beats within eight per cent and keys that blend; what is not known does not mix."""
    music = songs(
        7, tempo=[120, 128, 64, 64, 64, math.nan, 64], key=[C, G, G, F_SHARP, -1, C, F_SHARP]
    )
    rows = np.arange(7)
    assert sequencing.follows(music, rows).tolist() == [False, True, True, *[False] * 4]
    assert sequencing.mixes(music, rows) == pytest.approx(2 / 6)
    assert sequencing.mixes(music, rows[2:4]) == 0
    assert sequencing.follows(music, rows[:2]).tolist() == [False, True]
    assert sequencing.follows(music, rows[[3, 0]]).tolist() == [False, False]
    for few in (rows[:0], rows[:1]):
        assert sequencing.mixes(music, few) == 1
        assert sequencing.harsh(music, few) == 0
        assert sequencing.follows(music, few).tolist() == [False] * len(few)


def test_what_is_harsh_is_counted_by_neighbours() -> None:
    """A cosine below -0.3, of neighbours alone."""
    turned = [0, 100, 200, 40, 45]
    sounds = [[math.cos(math.radians(at)), math.sin(math.radians(at))] for at in turned]
    music = songs(5, sounds=sounds)
    assert sequencing.harsh(music, np.arange(5)) == 0.25
    assert sequencing.harsh(music, np.array([3, 2])) == 1
    assert sequencing.harsh(music, np.array([0, 1])) == 0


def order(gaps: np.ndarray, music: Candidates) -> list[int]:
    """Return the playing order of all songs as they lie."""
    found = sequencing.sequence(gaps.astype(np.float32), music, np.arange(len(music)))
    assert found.dtype == np.intp
    return [int(place) for place in found]


def costs(ways: list[tuple[int, ...]], gaps: np.ndarray, music: Candidates) -> np.ndarray:
    """Return what orders cost by the sum that `sequence` promises to make small."""
    n = len(music)
    weight = np.array([1 / math.log2(place + 2) for place in range(n)])
    met = np.square(gaps) * weight / weight.mean()
    moved = 0.1**2 * sequencing.transition_cost(music, np.arange(n)).astype(float)
    way = np.array(ways)
    return met[way, np.arange(n)].sum(axis=1) + moved[way[:, :-1], way[:, 1:]].sum(axis=1)


@pytest.mark.parametrize("n", [0, 1])
def test_there_is_one_order_of_few(n: int) -> None:
    """Nothing and a single song stay as they are."""
    assert order(np.ones((n, n)), songs(n)) == list(range(n))


@pytest.mark.parametrize("n", [2, 5, 7])
@pytest.mark.parametrize("seed", range(3))
def test_no_order_of_a_short_set_is_better(n: int, seed: int) -> None:
    """All orders are tried, with gaps that weigh about as much as joins do."""
    music, gaps = mixed_bag(n, seed), np.random.default_rng(seed).uniform(0, 0.15, (n, n))
    ways = list(permutations(range(n)))
    (found,) = costs([tuple(order(gaps, music))], gaps, music)
    assert found == pytest.approx(costs(ways, gaps, music).min(), abs=1e-8)


def neighbourhood(way: list[int]) -> list[tuple[int, ...]]:
    """Return the orders that one exchange of two songs, or one reversal of a stretch, makes."""
    ways = []
    for i, j in combinations(range(len(way)), 2):
        swap = way.copy()
        swap[i], swap[j] = swap[j], swap[i]
        ways += [tuple(swap), (*way[:i], *reversed(way[i : j + 1]), *way[j + 1 :])]
    return ways


@pytest.mark.parametrize("n", [10, 20])
@pytest.mark.parametrize("seed", range(3))
def test_no_exchange_betters_a_longer_set(n: int, seed: int) -> None:
    """Neither two songs nor a stretch turned round would cost less, nor the order it began with."""
    music, gaps = mixed_bag(n, seed), np.random.default_rng(seed).uniform(0, 0.15, (n, n))
    found = order(gaps, music)
    assert sorted(found) == list(range(n))
    ways = [tuple(found), tuple(range(n)), *neighbourhood(found)]
    all_costs = costs(ways, gaps, music)
    assert all_costs[0] < all_costs[1]
    assert all_costs[0] <= all_costs[2:].min() + 2e-9


def test_sets_of_nine_are_ordered_by_trying_everything() -> None:
    """Each of them costs no more than what exchanges find, and some cost less."""
    gains = []
    for seed in range(12):
        music, gaps = mixed_bag(9, seed), np.random.default_rng(seed).uniform(0, 0.15, (9, 9))
        weight = 1 / np.log2(np.arange(9) + 2)
        moving = 0.1**2 * sequencing.transition_cost(music, np.arange(9)).astype(float)
        exchanged = sequencing._exchanged(gaps**2 * weight / weight.mean(), moving)
        found = order(gaps, music)
        both = costs([tuple(map(int, exchanged)), tuple(found)], gaps, music)
        gains.append(both[0] - both[1])
    assert min(gains) > -1e-8
    assert max(gains) > 1e-5


def test_a_long_set_is_ordered_by_stretches_that_join() -> None:
    """Songs stay in their stretch of twenty, and the first of one follows the last before it."""
    keys = [C] * 10 + [F_SHARP] * 20 + [C] * 10 + [F_SHARP] * 5
    music = songs(45, key=keys)
    found = order(np.zeros((45, 45)), music)
    for start in (0, 20, 40):
        assert sorted(found[start : start + 20]) == list(range(start, min(start + 20, 45)))
    heard = [keys[song] for song in found]
    assert heard[19] == heard[20]
    assert sum(a != b for a, b in pairwise(heard)) <= 3
