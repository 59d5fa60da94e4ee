"""How songs are taken one after the other, and what is said of each: by hand-made crowds."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj.domain import Affect, Candidates, Mood, Pick, Preferences, Reason, Track
from emotion_dj.ranking import NearestRanker, ranker
from emotion_dj.ranking.exchange import Company

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

C, F_SHARP, A_MINOR = 0, 6, 12 + 9
MIDDLE = Affect(0, 0)


def songs(n: int, **columns: object) -> Candidates:
    """Return n songs in the middle of the plane, alike but for what is given of them."""
    nothing = np.zeros(n, np.float32)
    music = Candidates(
        number=np.arange(n),
        valence=nothing.copy(),
        arousal=nothing.copy(),
        uncertainty=nothing.copy(),
        tempo=np.full(n, 120, np.float32),
        loudness=np.full(n, -14, np.float32),
        key=np.zeros(n, np.int8),
        artist=np.full(n, -1, np.int32),
        album=np.full(n, -1, np.int32),
        content=np.arange(n),
        left_out=np.full(n, -1, np.int8),
        embedding=np.zeros((n, 0), np.float16),
        load=lambda rows: [Track(f"x:{row}", f"Song {row}") for row in rows],
    )
    given = {name: np.array(value, getattr(music, name).dtype) for name, value in columns.items()}
    return replace(music, **given)


def rank(
    music: Candidates,
    path: Sequence[Affect] = (MIDDLE,),
    listener: Preferences | None = None,
    way: NearestRanker | None = None,
) -> list[Pick]:
    """Return what is picked for a listener, by default anyone."""
    return (way or NearestRanker()).rank(path, music, listener or Preferences.neutral(len(music)))


def rows_of(picks: Sequence[Pick]) -> list[int]:
    """Return which songs were picked."""
    return [int(pick.track.uri.removeprefix("x:")) for pick in picks]


def crowd(*parts: list[float]) -> tuple[ranker._Crowd, list[int]]:
    """Return a crowd of rows 0, 1, ... with their costs in parts, and how many parts were asked."""
    asked: list[int] = []

    def come() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        first = 0
        for part in parts:
            asked.append(len(part))
            yield np.arange(first, first + len(part)), np.array(part, np.float32)
            first += len(part)

    return ranker._Crowd(come()), asked


@pytest.mark.parametrize(
    ("reach", "count", "costs", "asked"),
    [
        (0.25, 9, [0.5, 0.625], 2),
        (0.125, 9, [0.5, 0.625], 2),
        (0.5, 9, [0.5, 0.625, 1], 3),
        (9, 9, [0.5, 0.625, 1, 9], 3),
        (9, 2, [0.5, 0.625], 1),
        (9, 1, [0.5], 1),
        (9, 3, [0.5, 0.625, 1], 2),
        (0, 9, [0.5], 1),
    ],
)
def test_a_crowd_is_looked_at_as_far_as_is_asked(
    reach: float, count: int, costs: list[float], asked: int
) -> None:
    """Within a reach of the cheapest, so many at most; no part is fetched that is not needed."""
    around, parts = crowd([0.5, 0.625], [1], [9])
    rows, found = around.within(reach, count)
    assert (rows.tolist(), found.tolist()) == (list(range(len(costs))), costs)
    assert (rows.dtype, found.dtype) == (np.intp, np.float32)
    assert len(parts) == asked


def test_a_crowd_can_be_gone_through_again() -> None:
    """From the beginning, and each part is fetched once."""
    around, parts = crowd([0.5], [1], [9])
    assert len(around.within(0.5, 9)[0]) == 2
    for _ in range(2):
        assert [rows.tolist() for rows, _ in around] == [[0], [1], [2]]
    assert len(parts) == 3


def selection(
    music: Candidates,
    *,
    copies: Sequence[int] = (),
    variety: float = 0.25,
    mixing: float = 0.5,
    per_artist: int = 1,
) -> ranker._Selection:
    """Return one that has taken nothing yet."""
    return ranker._Selection(Company(music, per_artist, 3, variety, mixing), copies)


def test_the_first_song_is_the_cheapest() -> None:
    """Nothing was taken that it could follow or double; a copy is never taken."""
    for copies, first in (([], 0), ([0], 1), ([0, 1], 2)):
        around, _ = crowd([0.1, 0.2], [0.3])
        assert selection(songs(3), copies=copies).take(around) == first


def test_no_song_is_taken_twice() -> None:
    """Each time the cheapest that is free."""
    taken = selection(songs(3), mixing=0, variety=0)
    around, _ = crowd([0.1, 0.2], [0.3])
    assert [taken.take(around) for _ in range(3)] == [0, 1, 2]


def test_a_song_that_follows_the_last_one_is_worth_its_distance() -> None:
    """Of those within what mixing can outweigh, against the song before and not those earlier."""
    music = songs(5, key=[C, F_SHARP, F_SHARP, C, C])
    clash = 0.5 * 0.76
    for price, second in ((clash - 0.01, 3), (clash + 0.01, 2)):
        taken = selection(music)
        assert taken.take(crowd([0])[0]) == 0
        around, _ = crowd([0, 9, 0.1, 0.1 + price, 9])
        assert taken.take(around) == second
    again, _ = crowd([9, 0, 9, 9, 0.01])
    assert taken.take(again) == 1


def test_variety_and_mixing_outweigh_distance_together() -> None:
    """A double that clashes is passed for what stands as much farther as both are worth."""
    sounds = [[1, 0], [1, 0], [0, 1], [0, 1]]
    music = songs(4, key=[C, F_SHARP, C, C], embedding=sounds)
    worth = 0.25 + 0.5 * 0.5 * (0.76 - 0.375)
    for price, second in ((worth - 0.01, 2), (worth + 0.01, 1)):
        taken = selection(music)
        assert taken.take(crowd([0])[0]) == 0
        assert taken.take(crowd([0, 0.1], [0.1 + price, 9])[0]) == second


def test_no_more_is_looked_at_than_can_matter() -> None:
    """Parts end where a song costs more than variety and mixing outweigh, or 48 are there."""
    for parts, asked in (
        ([[0], [0.5, 0.75], [0.75], [0.8], [9]], 4),
        ([[0] * 47, [0], [0]], 2),
        ([[0] * 60, [0]], 1),
    ):
        around, fetched = crowd(*parts)
        assert selection(songs(62)).take(around) == 0
        assert len(fetched) == asked


def test_the_neighbourhood_has_an_end() -> None:
    """Of 48 songs that clash and a 49th that mixes, one of the 48 is taken."""
    music = songs(51, key=[C, *[F_SHARP] * 48, C, C])
    for mixes_at, second in ((49, 1), (48, 48)):
        music.key[48:] = F_SHARP
        music.key[mixes_at] = C
        taken = selection(music)
        assert taken.take(crowd([0] * 51)[0]) == 0
        assert taken.take(crowd([0] * 51)[0]) == second


def test_shares_give_way_where_nothing_else_is_free() -> None:
    """Then the cheapest song is taken that was not; another artist's comes before, if far away."""
    music = songs(4, artist=[7, 7, 7, 8])
    taken = selection(music)
    assert taken.take(crowd([0, 0.1, 0.2])[0]) == 0
    assert taken.take(crowd([0, 0.1], [0.2, 9])[0]) == 3
    assert taken.take(crowd([0, 0.1], [0.2, 9])[0]) == 1


def test_what_is_said_of_a_song() -> None:
    """Its place, mood, measurements and how near to the target it is."""
    music = songs(
        1,
        valence=[0.75],
        arousal=[0.5],
        uncertainty=[0.25],
        tempo=[122.5],
        key=[A_MINOR],
        loudness=[-14.26],
    )
    (pick,) = rank(music, [Affect(0.5, 0.5)])
    assert (pick.track, pick.mood) == (Track("x:0", "Song 0"), Mood.HAPPY)
    assert (pick.affect, pick.affect.uncertainty) == (Affect(0.75, 0.5, 0.25), 0.25)
    assert pick.score == pytest.approx(math.exp(-0.25))
    assert (pick.tempo, pick.key, pick.mode, pick.loudness) == (122.5, 9, 0, -14.3)
    assert pick.reasons == (
        Reason("character", {"words": ["bright", "lively"]}),
        Reason("tempo", {"bpm": 122}),
        Reason("key", {"tonic": "A", "mode": "minor"}),
    )


@pytest.mark.parametrize(
    ("key", "tonic", "mode"),
    [(0, "C", "major"), (11, "B", "major"), (12, "C", "minor"), (15, "Eb", "minor")],
)
def test_keys_are_named(key: int, tonic: str, mode: str) -> None:
    """From C to B, major before minor."""
    (pick,) = rank(songs(1, key=[key]))
    assert pick.reasons[-1] == Reason("key", {"tonic": tonic, "mode": mode})
    assert (pick.key, pick.mode) == (key % 12, int(mode == "major"))


def test_what_is_not_known_of_a_song_is_not_said() -> None:
    """No tempo, key or loudness, and no reason of them."""
    (pick,) = rank(songs(1, tempo=[math.nan], key=[-1], loudness=[math.nan]))
    assert (pick.tempo, pick.key, pick.mode, pick.loudness) == (None,) * 4
    assert [reason.code for reason in pick.reasons] == ["character"]


@pytest.mark.parametrize(("taste", "said"), [(0.59, False), (0.61, True), (1, True), (-1, False)])
def test_a_song_that_is_surely_liked_is_said_to_be(taste: float, said: bool) -> None:  # noqa: FBT001
    """From a taste of six tenths on, which one like alone does not give."""
    listener = Preferences(np.array([taste], np.float32), np.zeros(1, np.float32))
    (pick,) = rank(songs(1), listener=listener)
    assert (Reason("taste") in pick.reasons) == said


def test_a_song_that_mixes_with_the_one_before_is_said_to() -> None:
    """The first of a set follows nothing."""
    flows = [Reason("flows") in pick.reasons for pick in rank(songs(3), [MIDDLE] * 3)]
    assert flows == [False, True, True]
    music = songs(2, key=[C, F_SHARP])
    assert not any(Reason("flows") in pick.reasons for pick in rank(music, [MIDDLE] * 2))


def test_songs_stand_at_their_own_targets() -> None:
    """In the order of the path, each said to be as near as it is."""
    music = songs(3, valence=[0.5, -0.5, 0])
    path = [Affect(-0.5, 0), Affect(0.1, 0), Affect(0.5, 0)]
    picks = rank(music, path)
    assert rows_of(picks) == [1, 2, 0]
    assert [pick.score for pick in picks] == pytest.approx([1, math.exp(-0.1), 1])


def test_the_usual_seed_is_none() -> None:
    """A set of which no seed is said is that of seed 0."""
    music, listener = songs(400), Preferences.neutral(400)
    said = NearestRanker().rank([MIDDLE] * 5, music, listener, seed=0)
    other = NearestRanker().rank([MIDDLE] * 5, music, listener, seed=1)
    assert rank(music, [MIDDLE] * 5) == said != other


def test_a_song_is_exchanged_for_one_that_joins_both_sides() -> None:
    """Two joins outweigh what one could not; without mixing, and beyond both, nothing is."""
    for farther, mixing, key in ((0.25, 0.2, C), (0.25, 0, F_SHARP), (0.33, 0.2, F_SHARP)):
        music = songs(
            4, key=[C, F_SHARP, C, C], valence=[-0.6, 0, 0.6, 0], arousal=[0, 0, 0, farther / 1.14]
        )
        path = [Affect(-0.6, 0), Affect(0, 0), Affect(0.6, 0)]
        picks = rank(music, path, way=NearestRanker(mixing=mixing))
        assert (picks[1].key, rows_of(picks)[::2]) == (key, [0, 2])


def test_copies_are_neither_taken_nor_exchanged_for() -> None:
    """Of two copies of a recording one is played, and what is left out is not offered again."""
    music = songs(5, valence=[0, 0.01, 0.3, 0.31, 0.32])
    titles = ["A", "A", "B", "C", "D"]
    load = music.load
    music = replace(
        music,
        load=lambda rows: [
            replace(track, title=titles[row], artists=("X",), duration=99.0)
            for row, track in zip(rows, load(rows), strict=True)
        ],
    )
    picks = rank(music, [MIDDLE] * 4)
    assert sorted(pick.track.title for pick in picks) == ["A", "B", "C", "D"]
    assert len(rank(music, [MIDDLE] * 9)) == 4


def test_copies_stay_out_until_the_end() -> None:
    """Of three copies that come one after the other, one is played."""
    music = replace(
        songs(4, valence=[0, 0.01, 0.02, 0.9]),
        load=lambda rows: [Track(f"x:{row}", "AAAB"[row], ("X",), duration=99.0) for row in rows],
    )
    assert rows_of(rank(music, [MIDDLE] * 2)) == [0, 3]


def test_what_is_offered_for_exchange() -> None:
    """Within what variety and two joins are worth of the cheapest: as many as a neighbourhood and
    the other songs for the same target; no copies.
    """
    way, other = NearestRanker(variety=0.25, mixing=0.125), Affect(1, 0)
    near, far = crowd([0.5, 1], [1.001])[0], crowd([0] * 99)[0]
    crowds = {MIDDLE: near, other: far}
    offers = way._offers([other, MIDDLE, other, other], crowds, [0])
    assert [rows.tolist() for rows, _ in offers] == [
        list(range(1, 50)), [1], list(range(1, 50)), list(range(1, 50))
    ]  # fmt: skip
    assert offers[1][1].tolist() == [1]


def test_grids_are_kept_as_long_as_what_they_are_of() -> None:
    """One for candidates, one for each listener of them, made anew for other candidates."""
    way, music, other = NearestRanker(), songs(9), songs(9)
    me, you = Preferences.neutral(9), Preferences.neutral(9)
    mine = way._grid(music, me)
    assert way._grid(music, me) is mine
    yours = way._grid(music, you)
    assert yours is not mine
    assert yours.rows is mine.rows
    assert way._grid(music, me) is mine
    assert way._grid(other, me).rows is not mine.rows
    assert way._grid(music, me).rows is mine.rows
    del music, you
    assert (len(way._grids), len(way._listeners)) == (1, 1)
