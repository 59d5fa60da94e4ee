"""What likes and skips say about all the music there is; it stays on this machine.

A contextual bandit: a Bayesian linear model of the answers over what a track is like (Agrawal &
Goyal 2013, "Thompson sampling for contextual bandits with linear payoffs"), and around it, for each
track and artist, the mean of a Beta posterior whose prior is that model. Without any answer nothing
is shifted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.domain import Emotion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emotion_dj.domain import Candidates

    Floats = npt.NDArray[np.float32]

DOUBT: Final = 2.0
"""Answers that nobody gave and that the model fills: a single skip is not yet a verdict."""

BY_ARTIST: Final = 0.5
"""How much an answer to one track says about the others of its artist."""

PRIOR: Final = 0.5
"""Deviation of the weights before any answer."""

NOISE: Final = 1.0
"""Deviation of an answer around what the model expects."""

EXPLORE: Final = 0.3
"""Share of the posterior's deviation that is drawn (Thompson sampling): `benchmarks/taste.py`."""

_CHUNK: Final = 100_000


def learn(answers: Floats, music: Candidates, *, explore: float = EXPLORE) -> Floats:
    """Return what the listener makes of each track, in [-1, 1], 0 where nothing is known.

    ``answers`` (n, 2) are the likes and the skips of each track, ``music`` its columns; ``explore``
    is the share of the posterior's deviation that is drawn. The same answers give the same values.
    """
    given = np.flatnonzero(answers.any(axis=1))
    if not len(given):
        return np.zeros(len(answers), np.float32)
    weights = _weights(describe(music, given), answers[given], explore)
    expected = np.concatenate(
        [np.clip(describe(music, rows) @ weights, -1, 1) for rows in _chunks(len(music))]
    )
    likes, skips = (answers + BY_ARTIST * _of_artist(answers, music.artist)).T
    return np.asarray((likes - skips + DOUBT * expected) / (likes + skips + DOUBT), np.float32)


def describe(music: Candidates, rows: npt.NDArray[np.intp]) -> Floats:
    """Return what the model looks at, float32 (rows, features): place on the plane with squares,
    tempo and loudness (0 where unknown), and the embedding.
    """  # noqa: D205
    v, a = music.valence[rows], music.arousal[rows]
    tempo = np.nan_to_num((music.tempo[rows] - 120) / 40)
    loudness = np.nan_to_num((music.loudness[rows] + 12) / 6)
    plane = [np.ones_like(v), v, a, v * a, v * v, a * a, tempo, tempo * tempo, loudness]
    return np.column_stack([*plane, music.embedding[rows].astype(np.float32)])


def _weights(x: Floats, answers: Floats, explore: float) -> Floats:
    """Draw the weights from their posterior given answers (n, 2) to tracks x (n, features)."""
    times = answers.sum(axis=1)
    mean = (answers[:, 0] - answers[:, 1]) / times
    precision = np.eye(x.shape[1]) / PRIOR**2 + (x * times[:, None]).T @ x / NOISE**2
    middle = np.linalg.solve(precision, x.T @ (mean * times) / NOISE**2)
    generator = np.random.default_rng(int(times.sum()))
    noise = np.linalg.solve(np.linalg.cholesky(precision).T, generator.standard_normal(x.shape[1]))
    return np.asarray(middle + explore * noise, np.float32)


def _chunks(n: int) -> list[npt.NDArray[np.intp]]:
    """Cut the rows into parts, so that a large library needs no large table of features."""
    return [np.arange(start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK)]


def _of_artist(answers: Floats, artist: npt.NDArray[np.int32]) -> Floats:
    """Return the answers to the other tracks of each track's artist (n, 2)."""
    has_artist = artist >= 0
    shared = np.zeros_like(answers)
    if has_artist.any():
        sums = np.zeros((int(artist.max()) + 1, 2), np.float32)
        np.add.at(sums, artist[has_artist], answers[has_artist])
        shared[has_artist] = sums[artist[has_artist]] - answers[has_artist]
    return shared


def offsets(
    corrections: Sequence[tuple[Mapping[Emotion, float], tuple[float, float]]],
) -> dict[Emotion, tuple[float, float]]:
    """Return how far this listener stands from where we place each emotion, (valence, arousal).

    ``corrections`` are the probabilities read and how far from there the listener said to be. Each
    offset is a mean weighted by them, shrunk towards 0 by DOUBT corrections that nobody made.
    """
    pulled = dict.fromkeys(Emotion, np.zeros(2))
    weight = dict.fromkeys(Emotion, DOUBT)
    for probabilities, gap in corrections:
        for emotion, share in probabilities.items():
            pulled[emotion] = pulled[emotion] + share * np.array(gap)
            weight[emotion] += share
    means = {emotion: pulled[emotion] / weight[emotion] for emotion in Emotion}
    return {emotion: (float(v), float(a)) for emotion, (v, a) in means.items()}
