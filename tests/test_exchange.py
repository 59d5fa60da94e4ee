"""Songs of an ordered set are exchanged for others that follow better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emotion_dj.domain import Candidates, Track
from emotion_dj.ranking.exchange import Company, exchanged
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
