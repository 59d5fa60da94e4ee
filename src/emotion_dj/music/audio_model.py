"""The ear: from sound to affect, with a small model of ours.

A small network tells what two taggers would say, a kernel ridge regression Spotify's scales, and a
second one, from both and our measurements, what listeners of Emotify felt; all in NumPy. Its two
affect proxies are then placed on the plane, where tempo has a say of its own: it is the strongest
known cue (Gagnon & Peretz 2003, Cognition and Emotion 17), and 300 tracks teach it poorly.
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

USUAL_TEMPO: Final = 105.0
OCTAVES: Final = 0.45


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """A fitted regression: float32 ``mean``, ``deviation``, ``emphasis`` (d,), ``support`` (m, d),
    ``weights`` (m, t), ``offset`` (t,), and the width ``gamma`` of the kernel ``similarity``.
    """  # noqa: D205

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
                self._scales = _unpacked(file, "scales_", self.card["scales"]["gamma"], kernel)
                self._kernel = _unpacked(file, "", self.card["gamma"], rational)
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
        return np.clip(self._scales(rows), 0, 1)

    def predict(self, rows: Floats, sounds: Floats) -> Floats:
        """Predict TARGETS, float32 (n, t), from the inputs that the card names, (n, d), and what
        the ``network`` says of the same tracks, (n, outputs).
        """  # noqa: D205
        return self._kernel(self._inputs(rows, sounds))

    def analyse(self, audio: Audio) -> Analysis:
        """Hear a file or stream. Raises AudioError."""
        measured, sounds = self._heard(audio)
        row = measured.vector[None, self._columns]
        predicted = dict(zip(TARGETS, map(float, self.predict(row, sounds)[0]), strict=True))
        sound = self._projection @ self._kernel.standard(self._inputs(row, sounds))[0]
        return Analysis(
            features=_features(measured, self.id, self.scales(row)[0]),
            affect=place(predicted, measured.vector, self._plane),
            gems={name: min(1.0, max(0.0, predicted[name])) for name in GEMS},
            embedding=tuple(map(float, sound / (np.linalg.norm(sound) + 1e-9))),
        )

    def _heard(self, audio: Audio) -> tuple[Measurement, Floats]:
        """Return what was measured, and what the network says of it (1, outputs)."""
        signals = decode_whole(audio) if self._whole else iter([decode(audio)])
        parts, sounds = zip(*map(self._stretch, signals), strict=True)
        return combined(parts), np.median(sounds, axis=0).astype(np.float32)[None]

    def _stretch(self, signal: Signal) -> tuple[Measurement, Floats]:
        seen = spectra(signal)
        return measure(signal, seen), self.network(seen.mel)

    def _inputs(self, rows: Floats, sounds: Floats) -> Floats:
        return np.hstack([rows, self.scales(rows), sounds])


def place(predicted: Mapping[str, float], vector: Floats, plane: Mapping[str, Any]) -> Affect:
    """Put a prediction on the plane: its standard score plus the weighted tempo, scaled.

    ``plane`` holds for each axis ``mean`` and ``deviation`` of predictions, the weight of
    ``tempo`` and the ``scale`` of the sum, and the ``spread`` of all placements.
    """
    tempo = tempo_cue(vector)
    valence, arousal = (
        _axis(predicted[name], tempo, plane[name]) for name in ("valence", "arousal")
    )
    return Affect(valence, arousal, uncertainty=plane["spread"])


def tempo_cue(vector: Floats) -> float:
    """Return how fast the music is against a usual tempo, in deviations within +-2."""
    octaves = vector[NAMES.index("tempo")] - np.log2(USUAL_TEMPO)
    return float(np.clip(octaves / OCTAVES, -2, 2))


def _axis(predicted: float, tempo: float, axis: Mapping[str, float]) -> float:
    heard = (predicted - axis["mean"]) / axis["deviation"]
    return float(np.clip(axis["scale"] * (heard + axis["tempo"] * tempo), -1, 1))


def _unpacked(file: Mapping[str, Any], prefix: str, gamma: float, similarity: Similarity) -> Kernel:
    parts = ("mean", "deviation", "emphasis", "support", "weights", "offset")
    arrays = {name: file[prefix + name].astype(np.float32) for name in parts}
    return Kernel(**arrays, gamma=float(gamma), similarity=similarity)


def _features(measured: Measurement, analyser: str, scales: Floats) -> AudioFeatures:
    return AudioFeatures(
        analyser=analyser,
        tempo=round(measured.rhythm.tempo, 1) or None,
        key=measured.tonality.key,
        mode=measured.tonality.mode,
        loudness=round(measured.loudness.integrated, 1),
        brightness=round(measured.brightness),
        onset_rate=round(measured.rhythm.onset_rate, 2),
        dynamics=round(measured.loudness.range, 1),
        **{name: round(float(value), 3) for name, value in zip(SCALES, scales, strict=True)},
    )
