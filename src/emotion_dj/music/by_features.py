"""The ear without sound: from features that people still have to moods and affect.

Spotify's words for a track (energy, valence, acousticness ...) come with exports, old applications
and taggers. A kernel classifier of ours, trained on listeners' mood playlists, turns them into
probabilities over the four moods; the affect is their expectation over the moods' places.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj import affect, artifacts
from emotion_dj.domain import Affect, Analysis, AudioFeatures, Mood
from emotion_dj.errors import ArtifactError
from emotion_dj.music.mood import kernel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emotion_dj.artifacts import Artifact

    Floats = npt.NDArray[np.float32]

ARTIFACT: Final = "mood-1"
FEATURES: Final = (
    *("danceability", "acousticness", "energy", "instrumentalness", "liveness"),
    *("valence", "loudness", "speechiness", "tempo"),
)
SKEWED: Final[Mapping[str, float]] = {
    "acousticness": 1e-3,
    "instrumentalness": 1e-4,
    "liveness": 1e-3,
    "speechiness": 1e-3,
}
"""Taken as logarithms, since most tracks crowd near 0; the number keeps 0 finite."""

EXTREME: Final = 4.0
MOODS: Final = tuple(Mood)
PLACES: Final = np.array([affect.MOOD_AFFECT[mood] for mood in MOODS], np.float32)


class FeatureEar:
    """Our classifier of features. NumPy only."""

    def __init__(self, artifact: Artifact | None = None) -> None:
        """Load the weights and check them against their card. Raises ArtifactError."""
        artifact = artifact or artifacts.packaged(ARTIFACT)
        self.card: Mapping[str, Any] = artifact.card
        try:
            with np.load(artifact.path) as file:
                self._mean, self._deviation, self._scale = (
                    file[name].astype(np.float32) for name in ("mean", "deviation", "scale")
                )
                self._support = file["support"].astype(np.float32)
                self._weights, self._offset = file["weights"], file["offset"]
            self._temperature = float(self.card["temperature"])
        except (KeyError, ValueError, OSError) as error:
            msg = f"the weights of mood-1 do not fit their card ({error}): reinstall emotion-dj"
            raise ArtifactError(msg) from error

    @property
    def id(self) -> str:
        """Name and version."""
        return str(self.card["id"])

    def moods(self, features: Floats) -> Floats:
        """Return probabilities (n, 4), in the order of MOODS, for rows (n, 9) of FEATURES.

        NaN stands for a feature that is not known; it is taken for the usual value.
        """
        rows = scaled(features, self._mean, self._deviation, self._scale)
        scores = kernel(rows, self._support, 1.0) @ self._weights + self._offset
        powers = np.exp((scores - scores.max(1, keepdims=True)) / self._temperature)
        return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)

    def analyse(self, features: Sequence[AudioFeatures]) -> list[Analysis]:
        """Place tracks on the plane by their features; fewer known features, more spread.

        The embedding is the direction in which a track's features lie off the usual ones.
        """
        table = as_table(features)
        chances = self.moods(table)
        places = chances @ PLACES
        entropy = -(chances * np.log(np.maximum(chances, 1e-9))).sum(1) / np.log(len(MOODS))
        spread = np.clip(0.2 + 0.4 * entropy + 0.4 * np.isnan(table).mean(1), 0, 1)
        sounds = scaled(table, self._mean, self._deviation, np.ones_like(self._scale))
        sounds /= np.linalg.norm(sounds, axis=1, keepdims=True) + 1e-9
        rows = zip(features, places.tolist(), spread.tolist(), sounds.tolist(), strict=True)
        return [
            Analysis(row, Affect(v, a, doubt), embedding=tuple(sound))
            for row, (v, a), doubt, sound in rows
        ]


def as_table(features: Sequence[AudioFeatures]) -> Floats:
    """Return FEATURES of each track, float32 (n, 9), NaN where unknown."""
    known = {field.name for field in fields(AudioFeatures)}
    assert known.issuperset(FEATURES)  # noqa: S101 - two tables of ours must agree
    rows = [[getattr(row, name) for name in FEATURES] for row in features]
    return np.array(rows, np.float32).reshape(-1, len(FEATURES))


def unskewed(features: Floats) -> Floats:
    """Return rows whose columns are spread evenly: logarithms of shares and of tempo."""
    rows = np.array(features, np.float32)
    for name, least in SKEWED.items():
        column = FEATURES.index(name)
        rows[:, column] = np.log(np.maximum(rows[:, column], 0) + least)
    tempo = FEATURES.index("tempo")
    rows[:, tempo] = np.log2(np.maximum(rows[:, tempo], 30))
    return rows


def scaled(features: Floats, mean: Floats, deviation: Floats, scale: Floats) -> Floats:
    """Return deviations from the mean, clipped, each times how much its feature matters."""
    rows = np.clip((unskewed(features) - mean) / deviation, -EXTREME, EXTREME) * scale
    return np.asarray(np.nan_to_num(rows, nan=0.0), np.float32)
