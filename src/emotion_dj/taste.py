"""What likes, skips, plays and corrections say of a listener; it stays on this machine.

A contextual bandit: a Bayesian linear model of the answers over what a track is like (Agrawal &
Goyal 2013, "Thompson sampling for contextual bandits with linear payoffs"), and around it, for each
track and artist, the mean of a Beta posterior whose prior is that model. Without any answer nothing
is shifted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj import affect
from emotion_dj.domain import ME, Emotion, Preferences, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emotion_dj.domain import Candidates, Listener
    from emotion_dj.stores import FeedbackStore

    Floats = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.intp]
    Pair = tuple[float, float]
    """Likes and skips."""

LIKES: Final = {"like": 1.0}
"""How much of a like each kind of feedback is; a play is none."""

SKIPS: Final = {"skip": 1.0}
"""How much of a skip each kind of feedback is."""

REST: Final = timedelta(days=7)
"""Time for which a song that was played stands back wholly; in as much again it is new."""

PRIOR_ANSWERS: Final = 2.0
"""Answers that nobody gave and that the model fills: a single skip is not yet a verdict."""

ARTIST_WEIGHT: Final = 0.5
"""How much an answer to one track says about the others of its artist."""

WEIGHT_DEVIATION: Final = 0.5
"""Deviation of the weights before any answer."""

ANSWER_DEVIATION: Final = 1.0
"""Deviation of an answer around what the model expects."""

EXPLORATION: Final = 0.3
"""Share of the posterior's deviation that is drawn (Thompson sampling): `benchmarks/taste.py`."""

MOST_RESTING: Final = 0.5
"""Share of a library that stands back wholly at most: in a small one songs come again sooner."""

FADED: Final = 0.05
"""How far back a song still stands once it no longer does so wholly."""

REGION: Final = 0.3
"""Distance on the plane at which three fifths are left of what an answer says of other tracks:
who likes happy rock has said nothing of what calms them."""

FAINT: Final = 0.05
"""Share below which what an answer says of other tracks is next to nothing."""

CELLS: Final = 40
"""Cells across the plane in which what was answered is looked up."""

_CHUNK: Final = 100_000


@dataclass(frozen=True, slots=True)
class TasteModel:
    """What was learnt of one listener from their answers to the tracks of one catalogue.

    ``weights`` (features,) belong to `describe`; ``region`` (CELLS, CELLS), by valence and arousal,
    is how much they say of tracks there: 1 where tracks were answered; ``answers`` are likes and
    skips by number of the track, ``artists`` the same summed by artist; ``recency`` in (0, 1] is by
    number of the track.
    """

    weights: Floats
    region: Floats
    answers: Mapping[int, tuple[float, float]]
    artists: Mapping[int, tuple[float, float]]
    recency: Mapping[int, float]

    def of(self, music: Candidates) -> Preferences:
        """Return what the listener makes of candidates: those learnt from, or a part of them.

        Taste is 0 where nothing is known. The same answers give the same values.
        """
        recency = _lookup(music.number, self.recency)[:, 0]
        taste = self._taste(music) if self.answers else np.zeros(len(music), np.float32)
        return Preferences(taste, recency)

    def regard(self, valence: Floats, arousal: Floats) -> Floats:
        """Return how much the answers say of tracks that stand at these places, in [0, 1]."""
        return np.asarray(self.region[_cells(valence, arousal)])

    def most(self, music: Candidates, preferences: Preferences) -> float:
        """Return how much of a like is the most that the model expects of candidates, in [0, 1]:
        that of a track which nobody answered to is never more than so much of `regard`.
        """
        regard = self.regard(music.valence, music.arousal)
        rows = (regard > FAINT) & (preferences.taste > 0)
        return float(np.minimum(preferences.taste[rows] / regard[rows], 1).max(initial=0))

    def _taste(self, music: Candidates) -> Floats:
        own = _lookup(music.number, self.answers, width=2)
        of_artist = _lookup(music.artist, self.artists, width=2)
        others = np.where((music.artist >= 0)[:, None], of_artist - own, 0)
        likes, skips = (own + ARTIST_WEIGHT * others).T
        expected = np.concatenate([self._expected(music, rows) for rows in _chunks(len(music))])
        total = likes + skips + PRIOR_ANSWERS
        return np.asarray((likes - skips + PRIOR_ANSWERS * expected) / total, np.float32)

    def _expected(self, music: Candidates, rows: Rows) -> Floats:
        """Return what the model makes of rows of which nothing was said: 0 far from all answers."""
        told = np.clip(describe(music, rows) @ self.weights, -1, 1)
        regard = self.regard(music.valence[rows], music.arousal[rows])
        return np.asarray(told * regard, np.float32)


def of_listener(
    store: FeedbackStore, music: Candidates, listener: Listener = ME, *, now: datetime | None = None
) -> TasteModel:
    """Learn from a listener's log and all candidates of the catalogue, at a time (None: now).

    Raises CatalogueError.
    """
    counts, plays = log_of(store, len(music), listener, now=now)
    return learn(counts, music, plays=plays)


def log_of(
    store: FeedbackStore, most: int, listener: Listener = ME, *, now: datetime | None = None
) -> tuple[Mapping[tuple[int, str], int], list[tuple[int, timedelta]]]:
    """Return what `learn` learns from: how often a listener did what, and the tracks that they
    played last, at most so many, and how long ago. Raises CatalogueError.
    """
    counts, here = store.feedback_counts(listener), now or datetime.now(UTC)
    if not any(kind == "play" for _, kind in counts):
        return counts, []
    return counts, [(number, here - at) for number, at in store.last_plays(most, listener)]


def learn(
    counts: Mapping[tuple[int, str], int],
    music: Candidates,
    *,
    plays: Sequence[tuple[int, timedelta]] = (),
    exploration: float = EXPLORATION,
) -> TasteModel:
    """Learn from how often a listener did what, by (number of the track, kind), and ``plays``.

    Those are the tracks that were played and how long ago, the last one first. Tracks that are not
    among ``music`` are left out. ``exploration`` is the share of the posterior's deviation drawn.
    """
    recency = _recency(plays, int(MOST_RESTING * len(music)))
    table = _lookup(music.number, _answers(counts), width=2)
    rows = np.flatnonzero(table.any(axis=1))
    table = table[rows]
    weights = _weights(describe(music, rows), table, exploration)
    return TasteModel(
        weights,
        _region(music, rows),
        dict(zip(music.number[rows].tolist(), map(_pair, table), strict=True)),
        _by_artist(music.artist[rows], table),
        recency,
    )


def _recency(plays: Sequence[tuple[int, timedelta]], most: int) -> dict[int, float]:
    """Return how far back each track stands for having been played: 1 within REST, for so many
    tracks at most, the last ones; then from FADED, falling with the order of their plays.
    """
    ages: dict[int, timedelta] = {}
    for number, age in plays:
        if age < 2 * REST:
            ages.setdefault(number, age)
    resting = [number for number, age in ages.items() if age < REST][:most]
    fading = [number for number in ages if number not in set(resting)]
    later = {number: FADED * (1 - place / len(fading)) for place, number in enumerate(fading)}
    return dict.fromkeys(resting, 1.0) | later


def offsets_of(store: FeedbackStore, listener: Listener = ME) -> dict[Emotion, tuple[float, float]]:
    """Return `offsets` learnt from a listener's corrections. Raises CatalogueError."""
    corrections = []
    for by_name, stated in store.corrections(listener):
        probabilities = {affect.parse_emotion(name): p for name, p in by_name.items()}
        placed = affect.of_reading(Reading(probabilities, model=""))
        gap = (stated.valence - placed.valence, stated.arousal - placed.arousal)
        corrections.append((probabilities, gap))
    return offsets(corrections)


def describe(music: Candidates, rows: Rows) -> Floats:
    """Return what the model looks at, float32 (rows, features): place on the plane with squares,
    tempo and loudness (0 where unknown), and the embedding.
    """
    v, a = music.valence[rows], music.arousal[rows]
    tempo = np.nan_to_num((music.tempo[rows] - 120) / 40)
    loudness = np.nan_to_num((music.loudness[rows] + 12) / 6)
    plane = [np.ones_like(v), v, a, v * a, v * v, a * a, tempo, tempo * tempo, loudness]
    return np.column_stack([*plane, music.embedding[rows].astype(np.float32)])


def offsets(
    corrections: Sequence[tuple[Mapping[Emotion, float], tuple[float, float]]],
) -> dict[Emotion, tuple[float, float]]:
    """Return how far this listener stands from where we place each emotion, (valence, arousal).

    ``corrections`` are the probabilities read and how far from there the listener said to be. Each
    offset is a mean weighted by them, shrunk towards 0 by PRIOR_ANSWERS that nobody gave.
    """
    pulled = dict.fromkeys(Emotion, np.zeros(2))
    weight = dict.fromkeys(Emotion, PRIOR_ANSWERS)
    for probabilities, gap in corrections:
        for emotion, share in probabilities.items():
            pulled[emotion] = pulled[emotion] + share * np.array(gap)
            weight[emotion] += share
    means = {emotion: pulled[emotion] / weight[emotion] for emotion in Emotion}
    return {emotion: (float(v), float(a)) for emotion, (v, a) in means.items()}


def _answers(counts: Mapping[tuple[int, str], int]) -> dict[int, Pair]:
    """Return likes and skips by number of the track."""
    answers: dict[int, Pair] = {}
    for (number, kind), times in counts.items():
        likes, skips = answers.get(number, (0.0, 0.0))
        more, less = times * LIKES.get(kind, 0.0), times * SKIPS.get(kind, 0.0)
        answers[number] = likes + more, skips + less
    return answers


def _by_artist(artist: npt.NDArray[np.int32], table: Floats) -> dict[int, Pair]:
    """Return likes and skips, table (n, 2), summed by artist; the unknown one has none."""
    numbers, places = np.unique(artist, return_inverse=True)
    sums = np.zeros((len(numbers), 2), np.float32)
    np.add.at(sums, places, table)
    return {n: _pair(row) for n, row in zip(numbers.tolist(), sums, strict=True) if n >= 0}


def _pair(row: Floats) -> Pair:
    return float(row[0]), float(row[1])


def _weights(x: Floats, answers: Floats, exploration: float) -> Floats:
    """Draw the weights from their posterior given answers (n, 2) to tracks x (n, features)."""
    times = answers.sum(axis=1)
    mean = (answers[:, 0] - answers[:, 1]) / times
    precision = np.eye(x.shape[1]) / WEIGHT_DEVIATION**2
    precision += (x * times[:, None]).T @ x / ANSWER_DEVIATION**2
    middle = np.linalg.solve(precision, x.T @ (mean * times) / ANSWER_DEVIATION**2)
    generator = np.random.default_rng(int(times.sum()))
    noise = np.linalg.solve(np.linalg.cholesky(precision).T, generator.standard_normal(x.shape[1]))
    return np.asarray(middle + exploration * noise, np.float32)


def _cells(valence: Floats, arousal: Floats) -> tuple[Rows, Rows]:
    """Return the cells of the plane in which places lie, by valence and by arousal."""
    axes = (valence, arousal)
    first, second = (((1 + axis) * (CELLS / 2)).astype(np.intp).clip(0, CELLS - 1) for axis in axes)
    return first, second


def _region(music: Candidates, rows: Rows) -> Floats:
    """Return how near the middle of each cell is to that of the nearest cell of the rows: from 1,
    falling as a Gaussian does with REGION; 0 everywhere where there are no rows.
    """
    middles = (np.arange(CELLS) + 0.5) * (2 / CELLS) - 1
    fall = -0.5 * np.square((middles[:, None] - middles) / REGION)
    answered = np.unique(np.stack(_cells(music.valence[rows], music.arousal[rows])), axis=1)
    near = np.exp(fall[:, None, answered[0]] + affect.AROUSAL_WEIGHT * fall[None, :, answered[1]])
    return np.asarray(near.max(axis=2, initial=0), np.float32)


def _lookup(
    numbers: npt.NDArray[np.integer], values: Mapping[int, Pair | float], width: int = 1
) -> Floats:
    """Return the value of each number, float32 (n, width), 0 where it has none."""
    result = np.zeros((len(numbers), width), np.float32)
    if values:
        keys = np.array(sorted(values))
        places = np.searchsorted(keys, numbers).clip(max=len(keys) - 1)
        rows = np.flatnonzero(keys[places] == numbers)
        table = np.array([values[key] for key in keys.tolist()], np.float32).reshape(-1, width)
        result[rows] = table[places[rows]]
    return result


def _chunks(n: int) -> list[Rows]:
    """Cut the rows into parts, so that a large library needs no large table of features."""
    return [np.arange(start, min(start + _CHUNK, n)) for start in range(0, max(n, 1), _CHUNK)]
