"""The ear: from sound to affect, with a small model of ours.

A small network tells what two taggers would say, a kernel ridge regression Spotify's scales, and
two more, from both and our measurements, what listeners of Emotify felt: one valence, which harmony
tells most of, and one arousal and the nine scales; all in NumPy. A track stands on the plane where
listeners are expected to put it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj import artifacts, installation
from emotion_dj.domain import Affect, Analysis, AudioFeatures
from emotion_dj.errors import ArtifactError
from emotion_dj.music import network
from emotion_dj.music.decode import decode, decode_whole
from emotion_dj.music.features import NAMES, combined, measure
from emotion_dj.music.rhythm import FASTEST
from emotion_dj.music.spectrum import spectra

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emotion_dj.artifacts import Artifact
    from emotion_dj.interfaces import Audio
    from emotion_dj.music.decode import Signal
    from emotion_dj.music.features import Measurement

    Floats = npt.NDArray[np.float32]
    Similarity = Callable[[Floats, Floats, float], Floats]

ARTIFACT: Final = artifacts.AUDIO_MODEL
GEMS: Final = (
    *("amazement", "solemnity", "tenderness", "nostalgia", "calmness", "power"),
    *("joyful_activation", "tension", "sadness"),
)
"""The nine scales of Emotify (after Zentner et al. 2008)."""

TARGETS: Final = ("valence", "arousal", *GEMS)
"""What the model predicts, in order; the first two are Emotify's affect proxies."""

SCALES: Final = (
    *("acousticness", "danceability", "energy", "instrumentalness", "liveness", "speechiness"),
    "valence",
)
"""Spotify's words, as VibeNet hears them, whose answers our ear has learnt to foretell."""

EXTREME: Final = 4.0
"""Inputs are clipped to so many deviations: nothing far outside the training music is believed."""


FIERCE: Final = 0.9
DANCED: Final = 0.6
DRIVEN: Final = 0.25
"""Energy above, danceability below and arousal above which a slow tempo is half of the true one: of
36 songs whose tempo is known these are the four that were heard an octave too slow, and no other.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """A fitted regression: float32 ``mean``, ``deviation``, ``emphasis`` (d,), ``support`` (m, d),
    ``weights`` (m, t), ``offset`` (t,), and the width ``gamma`` of the kernel ``similarity``.
    """

    mean: Floats
    deviation: Floats
    emphasis: Floats
    support: Floats
    weights: Floats
    offset: Floats
    gamma: float
    similarity: Similarity

    def standard(self, rows: Floats) -> Floats:
        """Return rows (n, d) in deviations from the mean, clipped, times how much each counts."""
        standard: Floats = np.clip((rows - self.mean) / self.deviation, -EXTREME, EXTREME)
        return standard * self.emphasis

    def __call__(self, rows: Floats) -> Floats:
        """Predict the targets (n, t) of rows (n, d)."""
        width = self.gamma / float(np.square(self.emphasis).sum())
        similar = self.similarity(self.standard(rows), self.support, width)
        return np.asarray(similar @ self.weights + self.offset)


def kernel(a: Floats, b: Floats, gamma: float) -> Floats:
    """Return exp(-gamma * squared distance), float32 (len(a), len(b))."""
    return np.asarray(np.exp(-gamma * _squares(a, b)))


def rational(a: Floats, b: Floats, gamma: float) -> Floats:
    """Return 1 / (1 + gamma * squared distance), float32 (len(a), len(b)).

    A mixture of Gaussian kernels of many widths (Rasmussen & Williams 2006, eq. 4.19): near tracks
    count most, and far ones still do.
    """
    return np.asarray(1 / (1 + gamma * _squares(a, b)))


def _squares(a: Floats, b: Floats) -> Floats:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.asarray(np.maximum(squares, 0))


class AudioModel:
    """Our analyser; fits `interfaces.AudioAnalyser`."""

    def __init__(self, artifact: Artifact | None = None, *, whole: bool = False) -> None:
        """Load the weights and check them against their card; ``whole`` hears all of each track.

        Raises ArtifactError.
        """
        artifact = artifact or artifacts.packaged(ARTIFACT)
        self._whole = whole
        self.card: Mapping[str, Any] = artifact.card
        try:
            self._columns = [NAMES.index(name) for name in self.card["input"]["features"]]
            self._plane = self.card["plane"]
            with np.load(artifact.path) as file:
                self._projection = file["projection"]
                self.network = network.unpacked(file, "sounds_")
                self._scales = unpacked(file, "scales_", self.card["scales"]["gamma"], kernel)
                self._valence = unpacked(file, "valence_", self.card["gamma"]["valence"], rational)
                self._others = unpacked(file, "others_", self.card["gamma"]["others"], rational)
        except (KeyError, ValueError, OSError) as error:
            cure = f"run  {installation.restore()}"
            msg = f"the weights of the ear do not fit their card ({error}): {cure}"
            raise ArtifactError(msg) from error

    @property
    def id(self) -> str:
        """Name and version; raised whenever a measurement or the model changes."""
        return str(self.card["id"]) + ("+whole" if self._whole else "")

    def scales(self, rows: Floats) -> Floats:
        """Estimate SCALES, float32 (n, 7) in [0, 1], from the inputs that the card names."""
        return np.clip(self._scales(rows[:, : len(self._scales.mean)]), 0, 1)

    def predict(self, rows: Floats, sounds: Floats) -> Floats:
        """Predict TARGETS, float32 (n, t), from the inputs that the card names, (n, d), and what
        the ``network`` says of the same tracks, (n, 2 * outputs).
        """
        vectors = self._inputs(rows, sounds)
        return np.hstack([self._valence(vectors), self._others(vectors)])

    def places(self, predicted: Floats) -> Floats:
        """Return where tracks stand of which so much was predicted, valence and arousal (n, 2)."""
        return on_plane(predicted[:, :2], self._plane)

    def analyse(self, audio: Audio) -> Analysis:
        """Hear a file or stream. Raises AudioError."""
        measured, sounds, duration = self._heard(audio)
        row = measured.vector[None, self._columns]
        predicted = self.predict(row, sounds)
        valence, arousal = self.places(predicted)[0].tolist()
        shares = np.clip(predicted[0, 2:], 0, 1).tolist()
        sound = self._projection @ self._others.standard(self._inputs(row, sounds))[0]
        return Analysis(
            features=_features(measured, self.id, self.scales(row)[0], arousal),
            affect=Affect(valence, arousal, uncertainty=self._plane["uncertainty"]),
            gems=dict(zip(GEMS, shares, strict=True)),
            embedding=tuple(map(float, sound / (np.linalg.norm(sound) + 1e-9))),
            duration=duration,
        )

    def _heard(self, audio: Audio) -> tuple[Measurement, Floats, float | None]:
        """Return what was measured, what the network says of it (1, 2 * outputs), and the duration
        where that was measured too.
        """
        signals = decode_whole(audio) if self._whole else iter([decode(audio)])
        parts, sounds, durations = zip(*map(self._stretch, signals), strict=True)
        return combined(parts), np.median(sounds, axis=0).astype(np.float32)[None], durations[0]

    def _stretch(self, signal: Signal) -> tuple[Measurement, Floats, float | None]:
        seen = spectra(signal)
        duration = signal.duration if signal.measured else None
        return measure(signal, seen), self.network(seen.mel), duration

    def _inputs(self, rows: Floats, sounds: Floats) -> Floats:
        return np.hstack([rows, self.scales(rows), sounds])


def on_plane(felt: Floats, plane: Mapping[str, Any]) -> Floats:
    """Place what was felt on the plane: valence and arousal (n, 2), in units of Emotify's proxies.

    The ``mean`` of Emotify's listeners stands in the middle, and one ``deviation`` of theirs is
    ``reach`` of the plane: one line for what they said and for what is expected of them.
    """
    mean, deviation = np.array(plane["mean"]), np.array(plane["deviation"])
    return np.asarray(np.clip(plane["reach"] * (felt - mean) / deviation, -1, 1), np.float32)


def unpacked(file: Mapping[str, Any], prefix: str, gamma: float, similarity: Similarity) -> Kernel:
    """Return the regression whose arrays have such names in a file. Raises KeyError."""
    parts = ("mean", "deviation", "emphasis", "support", "weights", "offset")
    arrays = {name: file[prefix + name].astype(np.float32) for name in parts}
    return Kernel(**arrays, gamma=float(gamma), similarity=similarity)


def tapped(tempo: float, scales: Floats, arousal: float) -> float:
    """Return the tempo that a foot taps, by what else is heard: of music that is all force, and not
    to dance to, twice what repeats, where that is slow.

    Metal of 170 to 190 beats a minute repeats at half of it, as its snare does.
    """
    energy, dance = (scales[SCALES.index(name)] for name in ("energy", "danceability"))
    fierce = energy > FIERCE and dance < DANCED and arousal > DRIVEN
    return 2 * tempo if fierce and 2 * tempo <= FASTEST else tempo


def _features(
    measured: Measurement, analyser: str, scales: Floats, arousal: float
) -> AudioFeatures:
    return AudioFeatures(
        analyser=analyser,
        tempo=round(tapped(measured.rhythm.tempo, scales, arousal), 1) or None,
        key=measured.tonality.key,
        mode=measured.tonality.mode,
        loudness=round(measured.loudness.integrated, 1),
        brightness=round(measured.brightness),
        onset_rate=round(measured.rhythm.onset_rate, 2),
        dynamics=round(measured.loudness.range, 1),
        **{name: round(float(value), 3) for name, value in zip(SCALES, scales, strict=True)},
    )
