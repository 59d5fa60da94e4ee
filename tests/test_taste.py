"""What follows from likes, skips, plays and corrections."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj import affect, taste
from emotion_dj.catalogue import Catalogue
from emotion_dj.domain import (
    ME,
    Affect,
    Analysis,
    AudioFeatures,
    Candidates,
    Emotion,
    Listener,
    Mood,
    Preferences,
    Reading,
    Track,
)
from emotion_dj.ranking import NearestRanker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def library(n: int = 400, *, artists: int = 0, seed: int = 0) -> Candidates:
    """Return n tracks spread over the plane, numbered from 1000; without artists each is alone."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (2, n)).astype(np.float32)
    artist = rng.integers(0, artists, n) if artists else np.full(n, -1)
    return Candidates(
        number=np.arange(1000, 1000 + n),
        valence=points[0],
        arousal=points[1],
        uncertainty=np.zeros(n, np.float32),
        tempo=np.full(n, 120, np.float32),
        loudness=np.full(n, -12, np.float32),
        key=np.zeros(n, np.int8),
        artist=artist.astype(np.int32),
        album=np.full(n, -1, np.int32),
        content=np.arange(n),
        left_out=np.full(n, -1, np.int8),
        embedding=np.zeros((n, 0), np.float16),
        load=lambda rows: [Track(str(row), "") for row in rows],
    )


def learn(
    music: Candidates,
    counts: Mapping[tuple[int, str], int],
    *,
    plays: Sequence[int] = (),
    exploration: float = 0.0,
) -> Preferences:
    """Return what is learnt of a listener from (row, kind) and how often, by default undrawn."""
    numbers = {(1000 + row, kind): times for (row, kind), times in counts.items()}
    played = [(1000 + row, timedelta(hours=age)) for age, row in enumerate(plays)]
    return taste.learn(numbers, music, plays=played, exploration=exploration).of(music)


def expected(music: Candidates, answers: Mapping[int, tuple[float, float]]) -> np.ndarray:
    """Return what ridge regression on (likes - skips) / times expects of every row, unrounded: less
    the farther the middle of its cell is from that of the nearest answer's.
    """
    rows = np.array(list(answers))
    x, everything = taste.describe(music, rows), taste.describe(music, np.arange(len(music)))
    likes, skips = np.array(list(answers.values())).T
    times = likes + skips
    precision = np.eye(x.shape[1]) / 0.5**2 + (x.T * times) @ x
    told = np.clip(everything @ np.linalg.solve(precision, x.T @ (likes - skips)), -1, 1)
    cells = (np.floor((1 + np.stack([music.valence, music.arousal], axis=1)) * 20) + 0.5) / 20 - 1
    places = cells * [1, affect.AROUSAL_WEIGHT**0.5]
    apart = np.linalg.norm(places[:, None] - places[rows], axis=2).min(axis=1)
    return told * np.exp(-0.5 * (apart / taste.REGION) ** 2)


def test_without_an_answer_nothing_is_shifted() -> None:
    """All is 0, also after answers to tracks that are not there."""
    music = library()
    for counts in ({}, {(9999, "like"): 3}):
        learnt = learn(music, counts, exploration=1)
        assert not learnt.taste.any()
        assert not learnt.recency.any()
        assert len(learnt.taste) == len(learnt.recency) == len(music)
    assert len(learn(library(0), {(1, "like"): 1}).taste) == 0


@pytest.mark.parametrize(
    ("counts", "answer"),
    [
        ({"like": 1}, (1, 0)),
        ({"like": 3}, (3, 0)),
        ({"skip": 1}, (0, 1)),
        ({"skip": 4}, (0, 4)),
        ({"play": 1}, (0, 0)),
        ({"play": 8}, (0, 0)),
        ({"like": 2, "play": 2, "skip": 1}, (2, 1)),
    ],
)
def test_an_answer_is_weighed_against_what_is_expected(
    counts: dict[str, int], answer: tuple[float, float]
) -> None:
    """The mean of a Beta posterior whose prior is two answers that are as the model expects."""
    music = library()
    learnt = learn(music, {(7, kind): times for kind, times in counts.items()}).taste
    prior = expected(music, {7: answer})
    likes, skips = answer
    own = (likes - skips + 2 * prior[7]) / (likes + skips + 2)
    assert learnt[7] == pytest.approx(own, abs=1e-5)
    others = np.arange(len(music)) != 7
    assert learnt[others] == pytest.approx(prior[others], abs=1e-5)
    assert np.sign(learnt[7]) == np.sign(likes - skips)


def test_kinds_are_known_by_their_own_name() -> None:
    """What is neither a like, a play nor a skip says nothing."""
    assert not learn(library(), {(7, "unlike"): 5}).taste.any()


def test_a_play_is_not_a_like() -> None:
    """What was played only stands back."""
    music = library()
    skip, play, like = (learn(music, {(7, kind): 1}).taste[7] for kind in ("skip", "play", "like"))
    assert skip < 0 == play < like < 1


def test_what_is_alike_is_liked_alike() -> None:
    """Likes of lively and skips of quiet tracks say what the others are worth, by their place."""
    music = library()
    likes = {(int(row), "like"): 1 for row in np.flatnonzero(music.arousal > 0.5)[:20]}
    skips = {(int(row), "skip"): 1 for row in np.flatnonzero(music.arousal < -0.5)[:20]}
    learnt = learn(music, likes | skips).taste
    fresh = np.arange(len(music)) > max(row for row, _ in likes | skips)
    assert learnt[fresh & (music.arousal > 0.6)].min() > 0.3
    assert learnt[fresh & (music.arousal < -0.6)].max() < -0.3
    assert np.abs(learnt).max() <= 1


ROCK, CLASSICAL = 0, 1


def two_styles(seed: int) -> tuple[Candidates, np.ndarray]:
    """Return a library whose happy songs are rock and whose calm ones are mostly classical, and of
    which style each is.
    """
    rng, n = np.random.default_rng(seed), 400
    calm = np.arange(n) % 2 == 0
    style = np.where(calm & (rng.random(n) < 0.7), CLASSICAL, ROCK)
    happy, quiet = affect.MOOD_AFFECT[Mood.HAPPY], affect.MOOD_AFFECT[Mood.CALM]
    middle = np.where(calm[:, None], quiet, happy)
    places = np.clip(middle + rng.normal(0, 0.12, (n, 2)), -1, 1).astype(np.float32)
    sounds = np.eye(6)[style] + rng.normal(0, 0.4, (n, 6))
    sounds /= np.linalg.norm(sounds, axis=1, keepdims=True)
    music = replace(
        library(n),
        valence=places[:, 0],
        arousal=places[:, 1],
        tempo=np.where(style == ROCK, 130, 80).astype(np.float32),
        loudness=np.where(style == ROCK, -7, -20).astype(np.float32),
        embedding=sounds.astype(np.float16),
    )
    return music, style


def picked(music: Candidates, mood: Mood, listener: Preferences, seed: int) -> np.ndarray:
    """Return the rows of a set of ten for a mood."""
    path = [Affect(*affect.MOOD_AFFECT[mood])] * 10
    picks = NearestRanker().rank(path, music, listener, seed=seed)
    return np.array([int(pick.track.uri) for pick in picks])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("exploration", [0.0, taste.EXPLORATION])
def test_taste_stays_in_its_region_of_the_plane(seed: int, exploration: float) -> None:
    """Who likes happy rock twenty times still gets as much classical music where they want calm,
    and other happy rock is liked with it.
    """
    music, style = two_styles(seed)
    nobody = Preferences.neutral(len(music))
    happy = np.flatnonzero((style == ROCK) & (music.arousal > 0))
    likes = {(int(row), "like"): 1 for row in np.random.default_rng(seed).choice(happy, 20)}
    learnt = learn(music, likes, exploration=exploration)

    def classical(listener: Preferences) -> float:
        sets = [picked(music, Mood.CALM, listener, s) for s in range(4)]
        return float(np.mean([(style[rows] == CLASSICAL).sum() for rows in sets]))

    assert classical(nobody) > 5
    assert classical(learnt) >= classical(nobody) - 1
    others = np.setdiff1d(happy, [row for row, _ in likes])
    assert learnt.taste[others].mean() > 0.3


@pytest.mark.parametrize("column", ["tempo", "loudness", "embedding"])
def test_each_thing_that_is_looked_at_can_be_liked(column: str) -> None:
    """Where tracks differ in one thing alone, an answer reaches those that are alike in it."""
    music, n = library(), 400
    high = np.arange(n) % 2 == 0
    values = {
        "tempo": np.where(high, 160, 80).astype(np.float32),
        "loudness": np.where(high, -6, -18).astype(np.float32),
        "embedding": np.eye(2, dtype=np.float16)[np.where(high, 0, 1)],
    }
    flat = np.zeros(n, np.float32)
    music = replace(music, valence=flat, arousal=flat, **{column: values[column]})
    learnt = learn(music, {(0, "like"): 9, (1, "skip"): 9}).taste
    assert learnt[2::2].min() > learnt[3::2].max() + 0.2


def test_what_is_unknown_of_a_track_is_no_error() -> None:
    """Tempo and loudness count as middling where they were not measured."""
    music = library()
    known = learn(music, {(7, "like"): 1}).taste
    unknown = np.full(len(music), np.nan, np.float32)
    again = learn(replace(music, tempo=unknown, loudness=unknown), {(7, "like"): 1}).taste
    assert again.tolist() == known.tolist()


def test_an_artist_is_liked_for_their_other_tracks() -> None:
    """Half of each answer to the others counts, not the track's own twice; unknown is nobody."""
    music = library(artists=40)
    music.artist[:6] = [3, 3, 3, -1, -1, 5]
    music.artist[6:][music.artist[6:] == 3] = 4
    learnt = learn(music, {(0, "like"): 2, (1, "skip"): 1, (3, "like"): 5}).taste
    prior = expected(music, {0: (2, 0), 1: (0, 1), 3: (5, 0)})
    answers = {0: (2, 0.5), 1: (1, 1), 2: (1, 0.5), 3: (5, 0), 4: (0, 0), 5: (0, 0)}
    for row, (likes, skips) in answers.items():
        own = (likes - skips + 2 * prior[row]) / (likes + skips + 2)
        assert learnt[row] == pytest.approx(own, abs=1e-5), row


def test_a_part_of_the_music_is_liked_as_in_the_whole() -> None:
    """What was learnt from everything is the same for the rows of one source, in any order."""
    music = library(artists=30)
    counts = {(1000 + row, "like"): 1 for row in range(0, 60, 3)} | {(1001, "skip"): 2}
    model = taste.learn(counts, music, plays=[(1004, timedelta(0)), (1001, timedelta(0))])
    whole = model.of(music)
    rows = np.array([300, 1, 4, 3, 77])
    part = model.of(music.rows(rows))
    assert part.taste.tolist() == pytest.approx(whole.taste[rows].tolist())
    assert part.recency.tolist() == whole.recency[rows].tolist()
    assert part.recency[2] == 1


def test_the_order_of_answers_says_nothing() -> None:
    """The same answers give the same values, whichever came first, and again every time."""
    music = library(artists=9)
    counts = {(5, "like"): 2, (9, "skip"): 1, (2, "play"): 3, (5, "play"): 1}
    first = learn(music, counts, exploration=0.3)
    again = learn(music, dict(reversed(counts.items())), exploration=0.3)
    assert first.taste.tolist() == again.taste.tolist()


def test_what_is_drawn_explores_and_settles() -> None:
    """Each new answer draws anew; the draws scatter around what is expected, less the more."""
    music = library()
    scatter = []
    for few in (1, 40):
        counts = [{(row, "like"): times for row in range(50)} for times in range(few, few + 9)]
        drawn = [learn(music, c, exploration=0.3).taste - learn(music, c).taste for c in counts]
        assert len({d.tobytes() for d in drawn}) == len(drawn)
        scatter.append(np.std(drawn))
    assert 0.02 < scatter[0] < 0.3
    assert scatter[1] < scatter[0] / 3
    counts = {(1000 + row, "like"): 1 for row in range(50)}
    double, single, none = (
        taste.learn(counts, music, exploration=e).weights for e in (0.2, 0.1, 0.0)
    )
    assert double - none == pytest.approx(2 * (single - none), abs=1e-4)
    usual = taste.learn({(1000, "like"): 1}, music).of(music).taste
    same = learn(music, {(0, "like"): 1}, exploration=0.3).taste
    assert usual.tolist() == same.tolist()


def test_draws_have_the_deviation_of_the_posterior() -> None:
    """In units of it their squares sum to the number of features, also where those go together."""
    music = library()
    x = taste.describe(music, np.arange(50))
    squares = []
    for times in range(20, 60):
        counts = {(1000 + row, "like"): times for row in range(50)}
        drawn, mean = (taste.learn(counts, music, exploration=e).weights for e in (1.0, 0.0))
        precision = np.eye(x.shape[1]) / 0.5**2 + times * x.T @ x
        squares.append((drawn - mean) @ precision @ (drawn - mean))
    assert np.mean(squares) == pytest.approx(x.shape[1], rel=0.2)


def test_what_is_looked_at_is_the_place_with_squares_the_measures_and_the_sound() -> None:
    """Tempo and loudness in steps from a middling song; a missing one is middling."""
    music = library(2)
    music.valence[:], music.arousal[:] = 0.5, -0.25
    music.tempo[:], music.loudness[:] = [200, np.nan], [-18, np.nan]
    music = replace(music, embedding=np.array([[0.5], [1]], np.float16))
    place = [1, 0.5, -0.25, -0.125, 0.25, 0.0625]
    described = taste.describe(music, np.array([1, 0]))
    assert described.tolist() == [[*place, 0, 0, 0, 1], [*place, 2, 4, -1, 0.5]]


def test_what_was_played_lately_stands_back() -> None:
    """Wholly for a week, then little and ever less, and after two weeks not at all."""
    music = library()
    ages = [
        timedelta(0),
        timedelta(days=6.9),
        timedelta(days=7.1),
        timedelta(days=13),
        2 * taste.REST,
    ]
    plays = [(1000 + row, age) for row, age in enumerate(ages)]
    recency = taste.learn({}, music, plays=[*plays, (1000, timedelta(days=30))]).of(music).recency
    assert recency[:2].tolist() == [1, 1]
    assert recency[2] == pytest.approx(taste.FADED)
    assert 0 < recency[3] < recency[2]
    assert not recency[4:].any()


def test_in_a_small_library_songs_come_again_sooner() -> None:
    """Half of it stands back wholly at most; of the rest, what was played longest ago is first."""
    music = library(20)
    recency = learn(music, {}, plays=range(15)).recency
    assert recency[:10].tolist() == [1.0] * 10
    assert all(a > b for a, b in pairwise(recency[9:15]))
    assert not recency[15:].any()


def test_each_listener_is_learnt_from_their_own_log(tmp_path: Path) -> None:
    """From the store: what one likes, plays and corrects leaves the other as they were."""
    with Catalogue(tmp_path / "c.sqlite") as store:
        rows = [(Track(f"x:{i:03}", "T"), "", f"{i}", analysis(i)) for i in range(60)]
        store.store_all(rows, analyser="ear-1")
        music, other = store.candidates(["ear-1"]), Listener("other")
        for number in music.number[:55].tolist():
            store.add_feedback(number, "play", other)
        store.add_feedback(int(music.number[9]), "like")
        mine, theirs = (taste.of_listener(store, music, who).of(music) for who in (ME, other))
        for preferences, counts in (
            (mine, {(int(music.number[9]), "like"): 1}),
            (theirs, {(number, "play"): 1 for number in music.number[:55].tolist()}),
        ):
            again = taste.learn(counts, music).of(music)
            assert preferences.taste.tolist() == again.taste.tolist()
        assert not mine.recency.any()
        assert theirs.recency[54] == 1
        assert theirs.recency[25] == 1
        assert 0 < theirs.recency[5] < theirs.recency[20] < 1
        store.add_correction({"sad": 1.0}, Affect(0.5, 0.5), other)
        assert set(taste.offsets_of(store).values()) == {(0, 0)}
        sad = affect.of_reading(Reading({Emotion.SAD: 1.0}, ""))
        gap = ((0.5 - sad.valence) / 3, (0.5 - sad.arousal) / 3)
        assert taste.offsets_of(store, other)[Emotion.SAD] == pytest.approx(gap)


def analysis(i: int) -> Analysis:
    """Return one of some place."""
    return Analysis(AudioFeatures("ear-1", tempo=120.0), Affect(i / 60, -i / 60), embedding=(1.0,))


def test_an_offset_is_the_mean_of_corrections_shrunk_by_two() -> None:
    """Weighted by what was read; an emotion that was never read stays where it is."""
    corrections = [
        ({Emotion.SAD: 0.75, Emotion.HAPPY: 0.25}, (0.4, -0.2)),
        ({Emotion.SAD: 1.0}, (0.2, 0.6)),
    ]
    learnt = taste.offsets(corrections)
    assert set(learnt) == set(Emotion)
    sad = ((0.75 * 0.4 + 0.2) / 3.75, (0.75 * -0.2 + 0.6) / 3.75)
    assert learnt[Emotion.SAD] == pytest.approx(sad)
    assert learnt[Emotion.HAPPY] == pytest.approx((0.1 / 2.25, -0.05 / 2.25))
    assert learnt[Emotion.FEAR] == (0, 0)
    assert set(taste.offsets([]).values()) == {(0, 0)}
