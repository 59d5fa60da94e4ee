"""What is learnt of a listener, worked out by hand: draws, regions, answers and recency."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj import taste
from emotion_dj.catalogue import Catalogue
from emotion_dj.domain import Affect, Analysis, AudioFeatures, Candidates, Listener, Track
from emotion_dj.taste import TasteModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DAY = timedelta(days=1)
MOMENT = timedelta(seconds=1)


def songs(places: Sequence[tuple[float, float]], artists: Sequence[int] = ()) -> Candidates:
    """Return songs at places, numbered from 100, of middling tempo and loudness."""
    n, columns = len(places), np.array(places, np.float32).reshape(-1, 2)
    return Candidates(
        number=np.arange(100, 100 + n),
        valence=columns[:, 0],
        arousal=columns[:, 1],
        uncertainty=np.zeros(n, np.float32),
        tempo=np.full(n, 120, np.float32),
        loudness=np.full(n, -12, np.float32),
        key=np.zeros(n, np.int8),
        artist=np.array(artists or [-1] * n, np.int32),
        album=np.full(n, -1, np.int32),
        content=np.arange(n),
        left_out=np.full(n, -1, np.int8),
        embedding=np.zeros((n, 0), np.float16),
        load=lambda _: [],
    )


@pytest.mark.parametrize("exploration", [0.0, 0.3, 1.0])
def test_weights_are_drawn_by_the_number_of_answers(exploration: float) -> None:
    """Ridge regression, its prior deviation one half, and a draw of the posterior whose seed is how
    many answers there are.
    """
    music = songs([(0.5, -0.2), (-0.6, 0.4), (0.1, 0.9)])
    counts = {(100, "like"): 3, (100, "skip"): 1, (101, "skip"): 2, (102, "play"): 5}
    x = taste.describe(music, np.array([0, 1])).astype(float)
    times, mean = np.array([4, 2]), np.array([0.5, -1])
    precision = 4 * np.eye(9) + x.T @ np.diag(times) @ x
    middle = np.linalg.inv(precision) @ x.T @ (mean * times)
    root = np.linalg.inv(np.linalg.cholesky(precision)).T
    drawn = middle + exploration * root @ np.random.default_rng(6).standard_normal(9)
    learnt = taste.learn(counts, music, exploration=exploration)
    assert learnt.weights == pytest.approx(drawn, abs=1e-5)
    assert learnt.weights.dtype == np.float32


def test_answers_are_kept_by_song_and_by_artist() -> None:
    """Likes and skips, of songs that were answered alone; a play is neither, nor is anything else;
    what is not in the library or of nobody is left out.
    """
    music = songs([(0, 0)] * 5, [0, 0, 8, -1, 9])
    counts = {
        (100, "like"): 2,
        (101, "skip"): 3,
        (101, "like"): 1,
        (102, "play"): 4,
        (103, "like"): 1,
        (104, "other"): 2,
        (999, "like"): 9,
    }
    learnt = taste.learn(counts, music)
    assert learnt.answers == {100: (2, 0), 101: (1, 3), 103: (1, 0)}
    assert learnt.artists == {0: (3, 3)}


def model(**given: object) -> TasteModel:
    """Return a listener of whom is known what is given; the model itself expects 0.5 everywhere."""
    known = {
        "weights": np.array([0.5, *[0] * 8], np.float32),
        "region": np.ones((40, 40), np.float32),
        "answers": {100: (2.0, 1.0)},
        "artists": {},
        "recency": {},
    }
    return TasteModel(**{**known, **given})  # type: ignore[arg-type]


def test_taste_is_the_mean_of_answers_and_of_what_is_expected() -> None:
    """Two answers are as expected; half of those to others of the artist count."""
    music = songs([(0, 0)] * 4, [0, 0, -1, 8])
    learnt = model(artists={0: (4.0, 1.0), -1: (9.0, 9.0)}).of(music)
    assert learnt.taste == pytest.approx([(3 - 1 + 1) / 6, (2 - 0.5 + 1) / 4.5, 0.5, 0.5])
    assert learnt.taste.dtype == learnt.recency.dtype == np.float32
    assert not model(answers={}).of(music).taste.any()


@pytest.mark.parametrize(("weight", "expected"), [(0.5, 0.5), (3, 1), (-3, -1)])
def test_the_model_expects_no_more_than_a_like(weight: float, expected: float) -> None:
    """And no less than a skip, before the region takes its share."""
    region = np.ones((40, 40), np.float32)
    region[39, 0] = 0.25
    weights = np.array([weight, *[0] * 8], np.float32)
    learnt = model(weights=weights, region=region, answers={1: (1.0, 0.0)}).of(
        songs([(0, 0), (1, -1)])
    )
    assert learnt.taste == pytest.approx([expected, expected / 4])


def test_a_song_lies_in_a_cell_of_its_valence_and_arousal() -> None:
    """Forty of each, the edges of the plane in the outermost."""
    music = songs([(-1, 1), (1, -1), (0, -0.001), (-0.951, 0.051), (0.5, 0.25)])
    by_valence, by_arousal = taste._cells(music.valence, music.arousal)
    assert by_valence.tolist() == [0, 39, 20, 0, 30]
    assert by_arousal.tolist() == [39, 0, 19, 21, 25]


def test_what_an_answer_says_falls_with_the_distance() -> None:
    """A Gaussian of three tenths, arousal weighed as in any distance, from the nearest answer; of
    the middles of cells.
    """
    music = songs([(0.01, 0.01), (0.9, -0.9)])
    near = taste._region(music, np.array([0]))
    assert near.shape == (40, 40)
    assert near.dtype == np.float32
    for (valence, arousal), (v, a) in {
        (20, 20): (0, 0),
        (26, 20): (0.3, 0),
        (20, 26): (0, 0.3),
        (14, 32): (0.3, 0.6),
    }.items():
        share = math.exp(-(v**2 + 1.3 * a**2) / (2 * 0.3**2))
        assert near[valence, arousal] == pytest.approx(share, rel=1e-4)
    other, both = (taste._region(music, np.array(rows)) for rows in ([1], [0, 1]))
    assert both.tolist() == np.maximum(near, other).tolist()
    assert not taste._region(music, np.zeros(0, np.intp)).any()


@pytest.mark.parametrize(
    ("ages", "most", "back"),
    [
        ([], 9, {}),
        ([0 * DAY], 9, {0: 1}),
        ([7 * DAY - MOMENT, 7 * DAY], 9, {0: 1, 1: 0.05}),
        ([7 * DAY, 14 * DAY - MOMENT, 14 * DAY], 9, {0: 0.05, 1: 0.025}),
        ([DAY, 2 * DAY, 3 * DAY, 4 * DAY], 1, {0: 1, 1: 0.05, 2: 0.05 * 2 / 3, 3: 0.05 / 3}),
        ([DAY, 8 * DAY], 0, {0: 0.05, 1: 0.025}),
    ],
)
def test_how_far_a_played_song_stands_back(
    ages: list[timedelta], most: int, back: dict[int, float]
) -> None:
    """Wholly for seven days, as many as may; the others and those of a week more by their order."""
    assert taste._recency(list(enumerate(ages)), most) == pytest.approx(back)


def test_the_last_play_of_a_song_counts() -> None:
    """One that was played before, too, stands back as of the last time."""
    assert taste._recency([(5, DAY), (5, 8 * DAY), (6, 9 * DAY)], 9) == {5: 1, 6: 0.05}


def test_half_of_a_library_rests() -> None:
    """Of seven songs three; no play, none."""
    music = songs([(0, 0)] * 7)
    plays = [(100 + place, DAY) for place in range(5)]
    recency = taste.learn({}, music, plays=plays).of(music).recency
    assert recency == pytest.approx([1, 1, 1, 0.05, 0.025, 0, 0])
    assert taste.learn({}, music).recency == {}


def test_a_listener_is_learnt_as_of_a_time(tmp_path: Path) -> None:
    """A play stands back wholly today, a little in eight days and not at all in fifteen."""
    with Catalogue(tmp_path / "c.sqlite") as store:
        analysis = Analysis(AudioFeatures("ear-1"), Affect(0, 0))
        rows = [(Track(f"x:{i}", f"{i}"), "", f"{i}", analysis) for i in range(4)]
        store.store_all(rows, analyser="ear-1")
        music, today = store.candidates(["ear-1"]), datetime.now(UTC)
        store.add_feedback(int(music.number[2]), "play")
        for days, back in ((0, [0, 0, 1, 0]), (8, [0, 0, 0.05, 0]), (15, [0] * 4)):
            learnt = taste.of_listener(store, music, now=today + days * DAY).of(music)
            assert learnt.recency == pytest.approx(back)
        assert taste.of_listener(store, music).of(music).recency[2] == 1
        assert not taste.of_listener(store, music, Listener("you")).recency


def test_a_large_library_is_looked_at_in_parts() -> None:
    """Every row once, a hundred thousand at a time."""
    first, last = taste._chunks(100_002)
    assert (first[0], first[-1], last.tolist()) == (0, 99_999, [100_000, 100_001])
