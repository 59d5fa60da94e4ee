"""The ear without sound: from features that people still have to moods and affect.

Spotify's words for a track (energy, valence, acousticness ...) come with exports, old applications
and taggers. Kernel regressions of ours turn them into probabilities over the four moods, learnt
from people's mood playlists, and into the valence and arousal that PMEmo's listeners felt (Zhang et
al. 2018). The place on the plane is the mean of both: listeners know where the middle is, playlists
where the ends are.

Two people do not mean the same by "calm". So each author of playlists has a regression of their own
("hand"), and another one tells whose lists a track resembles.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj import affect, artifacts, installation
from emotion_dj.domain import Affect, Analysis, AudioFeatures, Mood
from emotion_dj.errors import ArtifactError
from emotion_dj.music.audio_model import kernel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emotion_dj.artifacts import Artifact

    Floats = npt.NDArray[np.float32]

ARTIFACT: Final = artifacts.FEATURE_MODEL
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

MIDDLE: Final = 0.1
REACH: Final = 2.5
"""What was felt is foretold too near its mean, as by any regression; stretched so much around the
middle it spreads as music does. Both were chosen by `benchmarks/evaluation.py`."""


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """A fitted kernel regression, float32: of features ``mean``, ``deviation`` and how much each
    matters, ``scale`` (9,); ``support`` (m, 9), ``weights`` (m, t), ``offset`` (t,).
    """

    mean: Floats
    deviation: Floats
    scale: Floats
    support: Floats
    weights: Floats
    offset: Floats

    def __call__(self, features: Floats) -> Floats:
        """Return the targets (n, t) of rows (n, 9) of FEATURES; NaN is taken for the usual."""
        rows = scaled(features, self.mean, self.deviation, self.scale)
        return np.asarray(kernel(rows, self.support, 1.0) @ self.weights + self.offset, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatorMixture:
    """How h people file songs: ``regression`` gives four scores for each of them and then whose
    lists a track resembles (h,); ``unmix`` (h, h) turns the mean of that over somebody's list into
    1 for its author and 0 for others.
    """

    regression: Regression
    unmix: Floats
    temperature: float

    def moods(self, features: Floats, *, together: bool = False) -> Floats:
        """Return probabilities (n, 4), in the order of MOODS, for rows (n, 9) of FEATURES.

        Rows that are one person's list go ``together``: whose hand it is is asked of all of them.
        """
        scores, hands = self.regression(features), len(self.unmix)
        apart = scores[:, :-hands].reshape(-1, hands, len(MOODS)) / self.temperature
        powers = np.exp(apart - apart.max(2, keepdims=True))
        probabilities = powers / powers.sum(2, keepdims=True)
        resembled = scores[:, -hands:]
        if together:
            resembled = np.broadcast_to(resembled.mean(0), resembled.shape)
        share = np.maximum(resembled @ self.unmix, 0) + np.float32(1e-6)
        share /= share.sum(1, keepdims=True)
        return np.asarray((share[:, :, None] * probabilities).sum(1), np.float32)


class MoodFromFeatures:
    """Our listener to features. NumPy only."""

    def __init__(self, artifact: Artifact | None = None) -> None:
        """Load the weights and check them against their card. Raises ArtifactError."""
        artifact = artifact or artifacts.packaged(ARTIFACT)
        self.card: Mapping[str, Any] = artifact.card
        try:
            with np.load(artifact.path) as file:
                self._felt = _unpacked(file, "felt_")
                self._hands = AnnotatorMixture(
                    _unpacked(file, "hands_"), file["unmix"], float(self.card["temperature"])
                )
        except (KeyError, ValueError, OSError) as error:
            cure = f"run  {installation.restore()}"
            msg = f"the weights of {ARTIFACT} do not fit their card ({error}): {cure}"
            raise ArtifactError(msg) from error

    @property
    def id(self) -> str:
        """Name and version."""
        return str(self.card["id"])

    def moods(self, features: Floats, *, together: bool = False) -> Floats:
        """Return probabilities (n, 4), in the order of MOODS, for rows (n, 9) of FEATURES.

        NaN stands for a feature that is not known; it is taken for the usual value.
        """
        return self._hands.moods(features, together=together)

    def analyse(self, features: Sequence[AudioFeatures]) -> list[Analysis]:
        """Place tracks on the plane by their features; fewer known features, more uncertainty.

        The embedding is the direction in which a track's features lie off the usual ones.
        """
        table = as_table(features)
        probabilities = self.moods(table)
        felt = (self._felt(table) - MIDDLE) * REACH
        places = np.clip((probabilities @ PLACES + felt) / 2, -1, 1)
        entropy = -(probabilities * np.log(np.maximum(probabilities, 1e-9))).sum(1) / np.log(
            len(MOODS)
        )
        uncertainty = np.clip(0.2 + 0.4 * entropy + 0.4 * np.isnan(table).mean(1), 0, 1)
        usual = self._hands.regression
        sounds = scaled(table, usual.mean, usual.deviation, np.ones_like(usual.scale))
        sounds /= np.linalg.norm(sounds, axis=1, keepdims=True) + 1e-9
        rows = zip(features, places.tolist(), uncertainty.tolist(), sounds.tolist(), strict=True)
        return [
            Analysis(row, Affect(v, a, doubt), embedding=tuple(sound))
            for row, (v, a), doubt, sound in rows
        ]


def _unpacked(file: Mapping[str, Any], prefix: str) -> Regression:
    return Regression(
        *(np.asarray(file[prefix + part.name], np.float32) for part in fields(Regression))
    )


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
