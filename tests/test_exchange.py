"""Songs of an ordered set are exchanged for others that follow better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emotion_dj.domain import Candidates, Track
from emotion_dj.ranking.exchange import Company, exchanged, without
from emotion_dj.ranking.sequencing import mixes

C, F_SHARP = 0, 6


def music(keys: list[int]) -> Candidates:
    """Return tracks that differ in key alone."""
    n = len(keys)
    return Candidates(
        valence=np.zeros(n, np.float32),
        arousal=np.zeros(n, np.float32),
        uncertainty=np.zeros(n, np.float32),
        tempo=np.full(n, 120, np.float32),
        loudness=np.full(n, -14, np.float32),
        key=np.array(keys, np.int8),
        content=np.arange(n),
        left_out=np.full(n, -1, np.int8),
        artist=np.full(n, -1, np.int32),
        album=np.full(n, -1, np.int32),
        number=np.arange(n),
        embedding=np.zeros((n, 0), np.float16),
        load=lambda rows: [Track(str(row), "") for row in rows],
    )


def company(tracks: Candidates, *, mixing: float = 0.15) -> Company:
    """Return what the usual ranker makes of songs beside each other."""
    return Company(tracks, per_artist=2, per_album=3, variety=0.03, mixing=mixing)


def swap(tracks: Candidates, costs: list[float], *, mixing: float = 0.15) -> list[int]:
    """Exchange the songs of a set of three, where everything is offered at such costs."""
    offer = np.arange(len(costs)), np.array(costs, np.float32)
    rows = np.array([0, 1, 2], np.intp)
    own = offer[1][rows]
    return exchanged(rows, own, [offer] * 3, company(tracks, mixing=mixing)).tolist()


def test_a_song_between_two_that_it_clashes_with_gives_way() -> None:
    """The one in the middle is replaced by one that mixes with both and stands a little farther."""
    tracks = music([C, F_SHARP, C, C])
    after = swap(tracks, [0, 0, 0, 0.1])
    assert after == [0, 3, 2]
    assert mixes(tracks, np.array(after)) == 1


@pytest.mark.parametrize("mixing", [0.15, 0.01])
def test_nothing_is_exchanged_for_more_than_it_is_worth(mixing: float) -> None:
    """A song that is farther away than two joins are worth is not taken."""
    after = swap(music([C, F_SHARP, C, C]), [0, 0, 0, 2 * mixing + 0.01], mixing=mixing)
    assert after == [0, 1, 2]


def test_the_share_of_an_artist_holds_in_exchanges_too() -> None:
    """A third song of one artist is not taken, however well it follows."""
    tracks = music([C, F_SHARP, C, C])
    tracks.artist[:] = [7, 8, 7, 7]
    assert swap(tracks, [0, 0, 0, 0.1]) == [0, 1, 2]


def test_a_double_is_not_taken_for_a_better_join() -> None:
    """What sounds just like another song of the set has to be nearer for it."""
    tracks = music([C, F_SHARP, C, C, C])
    own = np.eye(5)[[0, 1, 2, 0, 4]]
    sounds = np.hstack([np.full((5, 1), 0.4**0.5), 0.6**0.5 * own]).astype(np.float16)
    assert swap(replace(tracks, embedding=sounds), [0, 0, 0, 0.08, 0.1]) == [0, 4, 2]


def sounding(angles: list[float]) -> Candidates:
    """Return tracks of one key whose sounds are so many degrees round a circle."""
    turned = np.radians(angles)
    sounds = np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float16)
    return replace(music([C] * len(angles)), embedding=sounds)


@pytest.mark.parametrize(
    ("others", "doubles"),
    [
        ([], [0, 0, 0, 0]),
        ([0], [1, 1 - 0.1340 / 0.4, 0, 0]),
        ([3], [0, 0, 0, 1]),
        ([0, 3], [1, 1 - 0.1340 / 0.4, 0, 1]),
    ],
)
def test_a_double_is_what_sounds_like_one_of_the_others(
    others: list[int], doubles: list[float]
) -> None:
    """From a cosine of 0.6 on, by the one that it is most like; `variety` is what it costs."""
    tracks = sounding([0, 30, 60, 180])
    beside = Company(tracks, per_artist=2, per_album=3, variety=0.5, mixing=0)
    cost = beside.cost(np.arange(4), np.array(others, np.intp), np.zeros(0, np.intp))
    assert cost == pytest.approx(0.5 * np.array(doubles), abs=2e-3)


def test_joins_with_both_neighbours_count() -> None:
    """`mixing` is what each of them costs at its worst."""
    tracks = music([C, F_SHARP, C])
    rows, one, both = np.arange(3), np.array([1]), np.array([0, 1])
    clash = 0.4 * 0.4 + 0.6
    beside = company(tracks, mixing=0.5)
    assert beside.cost(rows, rows, one) == pytest.approx([clash / 2, 0, clash / 2])
    assert beside.cost(rows, rows, both) == pytest.approx([clash / 2] * 3)


@pytest.mark.parametrize(
    ("others", "admitted"),
    [
        ([], [True, True, True, True]),
        ([0], [True, True, True, True]),
        ([0, 1], [False, False, True, True]),
        ([0, 2], [True, True, True, True]),
        ([3, 3, 3, 3], [True, True, True, True]),
        ([2, 2, 2], [True, True, False, True]),
        ([0, 1, 3], [False, False, True, True]),
    ],
)
def test_artists_and_albums_have_their_share(others: list[int], admitted: list[bool]) -> None:
    """Two songs of an artist and three of an album at most; the unknown one is nobody."""
    tracks = music([C] * 4)
    tracks.artist[:], tracks.album[:] = [0, 0, -1, -1], [-1, -1, 5, -1]
    beside = np.array(others, np.intp)
    assert company(tracks).admits(np.arange(4), beside).tolist() == admitted


def test_the_share_of_an_album_is_its_own() -> None:
    """Artist and album each may keep a song out."""
    tracks = music([C] * 3)
    tracks.artist[:], tracks.album[:] = [1, 2, 3], 4
    few, many = (Company(tracks, 1, share, 0, 0) for share in (2, 3))
    beside, third = np.array([0, 1]), np.array([2])
    assert not few.admits(third, beside)[0]
    assert many.admits(third, beside)[0]
    assert few.admits(np.array([0, 2]), np.array([0])).tolist() == [False, True]


def test_rows_that_are_among_others_are_told() -> None:
    """Of no others, all rows are none."""
    rows = np.array([4, 2, 9])
    assert without(rows, np.array([2, 7])).tolist() == [True, False, True]
    assert without(rows, np.zeros(0, np.intp)).tolist() == [True, True, True]


def test_each_place_has_offers_and_costs_of_its_own() -> None:
    """The cheapest of a place is taken there; no song comes twice, and what was given is kept."""
    tracks = music([C] * 6)
    rows, own = np.array([0, 1, 2], np.intp), np.array([0.3, 0.3, 0.3], np.float32)
    offers = [
        (np.array([3, 4]), np.array([0.2, 0.1], np.float32)),
        (np.array([4, 5]), np.array([0.0, 0.25], np.float32)),
        (np.array([0, 2]), np.array([0.1, 0.3], np.float32)),
    ]
    assert exchanged(rows, own, offers, company(tracks)).tolist() == [4, 5, 0]
    assert rows.tolist() == [0, 1, 2]
    assert own == pytest.approx(0.3)


def test_an_equal_offer_changes_nothing() -> None:
    """Songs are exchanged for cheaper ones alone."""
    assert swap(music([C] * 5), [0.1] * 5) == [0, 1, 2]


def test_an_exchange_draws_its_neighbours_after_it() -> None:
    """A song that did fit where it was is looked at again once the one beside it is another."""
    tracks = music([C, C, C, F_SHARP, F_SHARP, F_SHARP])
    prices = [(0, 0.05), (0.05, 0.04), (1, 0)]  # of the song that is there, and of the other key's
    offers = [
        (np.array([place, place + 3]), np.array(price, np.float32))
        for place, price in enumerate(prices)
    ]
    rows, own = np.arange(3), np.array([price for price, _ in prices], np.float32)
    assert exchanged(rows, own, offers, company(tracks)).tolist() == [3, 4, 5]
    assert exchanged(rows, own, offers, company(tracks, mixing=0.06)).tolist() == [0, 4, 5]
