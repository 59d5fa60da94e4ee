"""Choosing from candidates."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise, permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj import affect, messages
from emotion_dj.domain import Affect, Candidates, Pick, Plan, Preferences, Reason, Track
from emotion_dj.ranking import NearestRanker, sequencing
from emotion_dj.ranking.grid import Grid, ListenerGrid, Search, distances

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Affect(0.6, 0.4, 0.1)


def candidates(n: int, *, artists: int = 1000, seed: int = 0) -> Candidates:
    """Return n tracks spread over the plane."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (2, n)).astype(np.float32)
    artist = rng.integers(0, artists, n).astype(np.int32)

    def load(rows: Sequence[int]) -> list[Track]:
        return [Track(f"test:{row}", f"Track {row}", (f"Artist {artist[row]}",)) for row in rows]

    return Candidates(
        number=np.arange(n),
        valence=points[0],
        arousal=points[1],
        uncertainty=np.full(n, 0.3, np.float32),
        tempo=rng.uniform(60, 180, n).astype(np.float32),
        loudness=np.full(n, -14, np.float32),
        key=rng.integers(-1, 24, n).astype(np.int8),
        artist=artist,
        album=np.full(n, -1, np.int32),
        content=np.arange(n),
        left_out=np.full(n, -1, np.int8),
        embedding=np.zeros((n, 0), np.float16),
        load=load,
    )


def rank(
    path: Sequence[Affect],
    music: Candidates,
    preferences: Preferences | None = None,
    *,
    seed: int = 0,
    ranker: NearestRanker | None = None,
) -> list[Pick]:
    """Return what a ranker, the usual one by default, picks for a listener, by default anyone."""
    known = preferences or Preferences.neutral(len(music))
    return (ranker or NearestRanker()).rank(path, music, known, seed=seed)


def test_the_nearest_are_picked() -> None:
    """With nothing in the way, ten picks are the ten nearest tracks."""
    music = candidates(500)
    picks = rank([HERE] * 10, music, ranker=NearestRanker(mixing=0))
    gaps = np.sqrt((music.valence - 0.6) ** 2 + affect.AROUSAL_WEIGHT * (music.arousal - 0.4) ** 2)
    nearest = {f"test:{row}" for row in np.argsort(gaps)[:13]}
    assert {pick.track.uri for pick in picks} <= nearest
    assert len({pick.track.uri for pick in picks}) == 10


def test_scores_follow_the_distance() -> None:
    """A pick's score falls with its distance from the target and lies in (0, 1]."""
    picks = rank([HERE] * 50, candidates(500))
    gaps = [affect.distance(pick.affect, HERE) for pick in picks]
    scores = [pick.score for pick in picks]
    assert all(0 < score <= 1 for score in scores)
    assert np.argmax(scores) == np.argmin(gaps)


def test_no_artist_fills_the_set() -> None:
    """An artist has two songs at most, while there are others."""
    picks = rank([HERE] * 12, candidates(300, artists=10))
    assert max(Counter(pick.track.artists for pick in picks).values()) == 2


def test_caps_give_way_before_the_set_is_short() -> None:
    """Where one artist is all there is, the set is as long as was asked."""
    assert len(rank([HERE] * 12, candidates(300, artists=1))) == 12


def test_no_recording_is_played_twice() -> None:
    """Every track is there twice, as another source or a copied file has it: each once at most."""
    music = candidates(60)
    twice = music.rows(np.repeat(np.arange(60), 2))

    def load(rows: Sequence[int]) -> list[Track]:
        return [
            Track(f"{row % 2}:{row // 2}", f"Track {row // 2}", ("A",) * (row % 4 > 1), duration=99)
            for row in rows
        ]

    for wanted in (10, 100):
        picks = rank(
            [HERE] * wanted, replace(twice, load=load), ranker=NearestRanker(per_artist=100)
        )
        assert len(picks) == len({pick.track.title for pick in picks}) == min(wanted, 60)


def test_the_same_seed_gives_the_same_set() -> None:
    """Ranking is deterministic for a seed, and other seeds may differ."""
    music = candidates(3000)
    first, again, *others = (rank([HERE] * 10, music, seed=seed) for seed in (1, 1, *range(2, 9)))
    assert first == again
    assert any(first != other for other in others)


def test_a_set_longer_than_the_library() -> None:
    """Asked for more than there is, everything is played once."""
    picks = rank([HERE] * 9, candidates(4))
    assert len({pick.track.uri for pick in picks}) == len(picks) == 4


@pytest.mark.parametrize("plan", ["lift", "calm", "vent"])
def test_the_set_follows_the_path(plan: str) -> None:
    """Each pick lies near its own target, from the first to the last."""
    path = affect.path(Plan(plan), [Affect(-0.6, 0.5)], 8)
    picks = rank(path, candidates(5000))
    assert all(affect.distance(p.affect, t) < 0.12 for p, t in zip(picks, path, strict=True))


def test_reasons_are_what_a_person_would_say() -> None:
    """The reason names the feel, the tempo and the key, and leaves out what is unknown."""
    music = candidates(1)
    for column, value in (("valence", 0.6), ("arousal", 0.5), ("tempo", 123.2), ("key", 9)):
        getattr(music, column)[0] = value
    (pick,) = rank([HERE], music)
    assert messages.explain(pick.reasons) == "bright and lively, 123 bpm, A major"
    music.tempo[0], music.key[0] = np.nan, -1
    (pick,) = rank([HERE], music)
    assert messages.explain(pick.reasons) == "bright and lively"
    assert (pick.tempo, pick.key, pick.mode) == (None, None, None)


@pytest.mark.parametrize("n", [4, 9, 20, 41, 1000])
def test_neighbours_mix_better_than_by_rank(n: int) -> None:
    """The playing order has at least as many mixable neighbours as the order of rank."""
    music = candidates(2000)
    rows = np.arange(n)
    gaps = np.zeros((n, n), np.float32)
    ordered = rows[sequencing.sequence(gaps, music, rows)]
    assert sorted(ordered) == list(rows)
    clash = sequencing.transition_cost(music, rows)

    def total(way: np.ndarray) -> float:
        return float(clash[way[:-1], way[1:]].sum())

    assert total(ordered) < total(rows)


def test_short_sets_are_ordered_as_well_as_can_be() -> None:
    """The exact solver finds what trying all orders finds."""
    music, rng = candidates(6), np.random.default_rng(3)
    gaps = rng.uniform(0, 0.3, (6, 6)).astype(np.float32)
    clash = sequencing.transition_cost(music, np.arange(6))
    weight = [1 / math.log2(place + 2) for place in range(6)]

    def cost(way: tuple[int, ...]) -> float:
        heavy = sum(weight) / len(weight)
        met = sum(weight[at] / heavy * gaps[song, at] ** 2 for at, song in enumerate(way))
        return float(met + sequencing.CLASH**2 * sum(clash[a, b] for a, b in pairwise(way)))

    best = min(map(cost, permutations(range(6))))
    found = sequencing.sequence(gaps, music, np.arange(6))
    assert cost(tuple(map(int, found))) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("n", [6, 20])
def test_a_set_opens_with_what_fits_best(n: int) -> None:
    """Where neighbours are all alike to each other, songs come in the order of their gaps."""
    music = candidates(n)
    music.tempo[:], music.key[:], music.loudness[:] = 120, 0, -10
    apart = np.random.default_rng(5).permutation(n).astype(np.float32) / n
    found = sequencing.sequence(np.repeat(apart[:, None], n, axis=1), music, np.arange(n))
    assert list(apart[found]) == sorted(apart)


def test_keys_blend_as_on_the_camelot_wheel() -> None:
    """C major goes with A minor, G and F, not with F sharp."""
    music = candidates(5)
    music.key[:] = [0, 12 + 9, 7, 5, 6]
    clash = sequencing._by_key(music.key)
    assert clash[0, :4].tolist() == [0, 0, 0, 0]
    assert clash[0, 4] == 1


def test_what_is_liked_stands_nearer() -> None:
    """A liked track is picked although others are a little nearer; a disliked one is not."""
    music = candidates(2000)
    path = [HERE] * 5
    usual = rank(path, music)
    disliked = int(usual[0].track.uri.partition(":")[2])
    for taste in (-1, 1):
        listener = Preferences.neutral(len(music))
        listener.taste[disliked] = taste
        after = {pick.track.uri for pick in rank(path, music, listener)}
        assert (usual[0].track.uri in after) == (taste > 0)


def test_the_grid_finds_what_a_look_at_everything_finds() -> None:
    """Near, far, crowded or empty: the rows come cheapest first and complete."""
    for n in (1, 7, 500):
        music = candidates(n, seed=n)
        listener = Preferences.neutral(n)
        listener.taste[:] = np.random.default_rng(n).uniform(-1, 1, n)
        search = Search(music, listener, ListenerGrid(Grid(music), listener), seed=3)
        for target in (HERE, Affect(-1, -1), Affect(1, 0), Affect(0.2, -0.3, 1)):
            rows = np.concatenate([rows for rows, _ in search.nearest(target)])
            assert sorted(rows) == list(range(n))
            assert (np.diff(search.costs(target, rows)) >= 0).all()


def test_doubt_widens_the_target() -> None:
    """Within the width of an uncertain target a liked track is taken that a certain one passes."""
    music = candidates(4000)
    sure, unsure = ([Affect(0.6, 0.4, uncertainty)] for uncertainty in (0.0, 1.0))
    gaps = distances(HERE, music, np.arange(len(music)))
    far = int(np.flatnonzero((gaps > 0.27) & (gaps < 0.29))[0])
    listener = Preferences.neutral(len(music))
    listener.taste[far] = 1
    first = [rank(path, music, listener)[0].track.uri for path in (sure, unsure)]
    assert first[0] != f"test:{far}"
    assert first[1] == f"test:{far}"


def test_what_was_just_played_and_what_is_a_guess_stand_farther() -> None:
    """The track of the last set's middle is not chosen again at once, nor one placed by guess."""
    music = candidates(2000)
    usual = int(rank([HERE], music)[0].track.uri.partition(":")[2])
    listener = Preferences.neutral(len(music))
    for column in (listener.recency, music.uncertainty):
        before = float(column[usual])
        column[usual] = 1
        assert rank([HERE], music, listener)[0].track.uri != f"test:{usual}"
        column[usual] = before


def test_picks_that_mix_are_preferred() -> None:
    """Among many near tracks those are taken that mix, and their reasons say so."""
    music = candidates(20_000)
    ways = [NearestRanker(mixing=0), NearestRanker()]
    shares = []
    for way in ways:
        picks = [
            pick for seed in range(10) for pick in rank([HERE] * 20, music, seed=seed, ranker=way)
        ]
        shares.append(np.mean([Reason("flows") in pick.reasons for pick in picks]))
    assert shares[1] > 1.2 * shares[0] > 0


def test_a_path_beyond_all_songs_is_still_walked() -> None:
    """Where targets lead away from every song, the songs nearest to the end come last."""
    music = candidates(300)
    music.valence[:] *= 0.2
    path = [Affect(v, 0.0) for v in np.linspace(0.3, 1.0, 8)]
    places = [pick.affect.valence for pick in rank(path, music, ranker=NearestRanker(variety=0))]
    assert np.corrcoef(places, range(8))[0, 1] > 0.5


def test_a_set_takes_unlike_sounds() -> None:
    """Of two groups that sound alike within themselves, both are heard."""
    music = candidates(40)
    music.valence[:], music.arousal[:] = 0.6, 0.4
    sounds = np.zeros((40, 2), np.float16)
    sounds[:30, 0], sounds[30:, 1] = 1, 1
    music = replace(music, embedding=sounds)
    picks = rank([HERE] * 2, music, ranker=NearestRanker(mixing=0))
    assert {int(pick.track.uri.partition(":")[2]) >= 30 for pick in picks} == {True, False}


def test_a_set_does_not_jump_between_styles() -> None:
    """Of two styles that are worlds apart, neighbours are of one, wherever the plane has both."""
    music = candidates(400)
    side = np.where(np.arange(400) % 2, 1.0, -1.0)
    music = replace(music, embedding=side[:, None].astype(np.float16))
    for seed in range(5):
        picks = rank([HERE] * 10, music, seed=seed)
        rows = np.array([int(pick.track.uri.partition(":")[2]) for pick in picks], np.intp)
        assert sequencing.harsh(music, rows) <= 1 / 9
