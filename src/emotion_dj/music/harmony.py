"""What melody, bass and chords do: the measurements that tell most of whether music is bright.

The strongest peaks of each third of a second's spectrum stand for notes, at the tuning that fits
them best. The melody is the note with the strongest harmonics, the bass the lowest strong one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.music.spectrum import frequencies
from emotion_dj.music.tonality import TUNINGS, WINDOW, fold, key_profiles, notes, pitch_bins

if TYPE_CHECKING:
    from collections.abc import Sequence

    Floats = npt.NDArray[np.floating]

_CHORDS_TO_HZ: Final = 800.0
_MELODY_HZ: Final = (180.0, 1500.0)
_AUDIBLE, _HEARD, _STRONG = 0.02, 0.05, 0.15
_HARMONICS: Final = ((2, 0.7), (3, 0.5))
_SMOOTHING: Final = 5
_PHRASE: Final = 20
"""Frames over which a passage has a key of its own: nearly four seconds."""

_LEAPS: Final = 13
"""Steps of a melody that are told apart, in semitones; an octave stands for all beyond."""

_CHORDS: Final = {
    "major": (0, 4, 7),
    "minor": (0, 3, 7),
    "diminished": (0, 3, 6),
    "augmented": (0, 4, 8),
    "suspended": (0, 5, 7),
    "seventh": (0, 4, 7, 10),
    "major_seventh": (0, 4, 7, 11),
    "minor_seventh": (0, 3, 7, 10),
}
_TRIADS: Final = 24
"""The first templates are the major and the minor chords."""

MELODY: Final = (*(f"degree_{i}" for i in range(12)), *(f"leap_{i}" for i in range(_LEAPS)))
BASS: Final = tuple(f"above_bass_{i}" for i in range(12))
MODES: Final = (
    "key_lead",
    "harmony_flux",
    "harmony_flux_std",
    "mode_mean",
    "mode_std",
    "mode_share",
)
CHORDS: Final = (
    *("chord_mode", "chord_mode_share", "chord_mode_std"),
    *(f"chord_{name}" for name in list(_CHORDS)[2:]),
    *("chord_fit", "chord_changes", "chroma_flux", "chord_entropy", "frame_entropy"),
    *(f"frame_interval_{step}" for step in range(1, 7)),
)
HARMONY_NAMES: Final = (*MELODY, *BASS, *MODES, *CHORDS)
"""The names of the values that `harmony` returns, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class _Notes:
    """Of the frames of an excerpt that sound: the shares of the pitch classes (frames, 12), and the
    nearest note of melody and bass (frames,); -1 where there is no melody.
    """

    chroma: Floats
    melody: npt.NDArray[np.intp]
    bass: npt.NDArray[np.intp]


def harmony(levels: Sequence[Floats]) -> Floats:
    """Return HARMONY_NAMES, float32, of the `tonality.pitch_levels` of all excerpts together; zeros
    where no note sounds.
    """
    heard = [found for level in levels if len((found := _heard(level)).chroma)]
    if not heard:
        return np.zeros(len(HARMONY_NAMES), np.float32)
    chroma = np.concatenate([excerpt.chroma for excerpt in heard])
    fits = key_profiles() @ _normed(chroma.sum(axis=0))
    best = int(fits.argmax())
    tonic = best % 12 if best < 12 else (best + 3) % 12  # noqa: PLR2004 - a minor key's relative
    lead = fits[best] - np.sort(fits)[-2]
    modes = np.append(lead, _modes(heard))
    parts = [_melody(heard, tonic), _bass(heard), modes, _chords(chroma)]
    return np.asarray(np.nan_to_num(np.concatenate(parts)), np.float32)


def _heard(level: Floats) -> _Notes:
    hz = _inside()
    weight = _peaks(level)
    weight = weight[weight.any(axis=1)]
    chords = weight * (hz < _CHORDS_TO_HZ)
    strength = chords.sum(axis=0)
    tuned = notes(hz) - max(
        TUNINGS, key=lambda t: float((fold(notes(hz) - t, strength) ** 2).sum())
    )
    nearest = np.round(tuned).astype(np.intp)
    exact = np.cos(np.pi * (tuned - nearest)) ** 2
    classes = np.zeros((len(hz), 12))
    classes[np.arange(len(hz)), nearest % 12] = exact
    chroma = chords @ classes
    sung = _salience(weight)
    melody = np.where(sung.any(axis=1), nearest[sung.argmax(axis=1)], -1)
    bass = nearest[(weight > _STRONG).argmax(axis=1)]
    return _Notes(chroma / (chroma.sum(axis=1, keepdims=True) + 1e-9), melody, bass)


def _peaks(level: Floats) -> Floats:
    """Return how strong each peak of each frame is against its strongest, 0 between peaks."""
    peaks, middle = np.zeros_like(level), level[:, 1:-1]
    peaks[:, 1:-1] = np.where((middle > level[:, :-2]) & (middle >= level[:, 2:]), middle, 0)
    loudest = peaks.max(axis=1, keepdims=True)
    audible = (peaks > _AUDIBLE * loudest) & (loudest > 1e-6)  # noqa: PLR2004 - -120 dBFS
    return np.where(audible, peaks / np.maximum(loudest, 1e-9), 0)


def _salience(weight: Floats) -> Floats:
    """Return how much each peak that may be a melody's is carried by its harmonics."""
    hz = _inside()
    padded = np.pad(weight, ((0, 0), (1, 1)))
    around = np.maximum(np.maximum(padded[:, :-2], padded[:, 2:]), weight)
    carried = weight.copy()
    for times, share in _HARMONICS:
        place = np.searchsorted(hz, times * hz)
        carried += share * np.where(place < len(hz), around[:, place.clip(max=len(hz) - 1)], 0)
    sung = (weight > _HEARD) & (hz > _MELODY_HZ[0]) & (hz < _MELODY_HZ[1])
    return np.where(sung, carried, 0)


def _melody(heard: Sequence[_Notes], tonic: int) -> Floats:
    """Return the shares of the degrees of the key, and of the steps from note to note."""
    lines = [excerpt.melody[excerpt.melody >= 0] for excerpt in heard]
    degrees = np.bincount((np.concatenate(lines) - tonic) % 12, minlength=12)
    steps = np.concatenate([np.abs(np.diff(line)) for line in lines])
    leaps = np.bincount(steps.clip(max=_LEAPS - 1), minlength=_LEAPS)
    return np.append(degrees / max(degrees.sum(), 1), leaps / max(leaps.sum(), 1))


def _bass(heard: Sequence[_Notes]) -> Floats:
    """Return the shares of the pitch classes above the bass."""
    above = np.zeros(12)
    for excerpt in heard:
        turned = (np.arange(12) + excerpt.bass[:, None]) % 12
        above += np.take_along_axis(excerpt.chroma, turned, axis=1).sum(axis=0)
    return above / max(float(above.sum()), 1e-9)


def _modes(heard: Sequence[_Notes]) -> Floats:
    """Return how far the harmony moves, and how major its passages are, as MODES names it."""
    flux, major = [], []
    for excerpt in heard:
        smooth = _smoothed(excerpt.chroma, _SMOOTHING)
        flux.append(np.linalg.norm(np.diff(smooth @ _tonal_space().T, axis=0), axis=1))
        fits = _normed(_smoothed(excerpt.chroma, _PHRASE)[:: _PHRASE // 2]) @ key_profiles().T
        major.append(fits[:, :12].max(axis=1) - fits[:, 12:].max(axis=1))
    moved, modes = np.append(np.concatenate(flux), 0), np.concatenate(major)
    return np.array([moved.mean(), moved.std(), modes.mean(), modes.std(), (modes > 0).mean()])


def _chords(chroma: Floats) -> Floats:
    """Return which chords sound and how they change, as CHORDS names it."""
    smooth = _smoothed(chroma, _SMOOTHING - 1)
    fits = (_normed(smooth) @ _templates().T).reshape(len(smooth), len(_CHORDS), 12)
    kinds = fits.max(axis=2)
    lean, triad = kinds[:, 0] - kinds[:, 1], kinds[:, :2].max(axis=1)
    chord = fits.reshape(len(smooth), -1)[:, :_TRIADS].argmax(axis=1)
    shares = np.bincount(chord, minlength=_TRIADS) / len(chord)
    moved = np.abs(np.diff(smooth, axis=0)).sum(axis=1)
    together = [(smooth * np.roll(smooth, step, axis=1)).sum(axis=1).mean() for step in range(1, 7)]
    figures = [lean.mean(), (lean > 0).mean(), lean.std()]
    figures += list((kinds[:, 2:] - triad[:, None]).mean(axis=0))
    figures += [triad.mean(), np.append(np.diff(chord) != 0, 0).mean(), np.append(moved, 0).mean()]
    figures += [_entropy(shares), float(np.mean([_entropy(frame) for frame in smooth]))]
    return np.array([*figures, *together])


def _smoothed(frames: Floats, width: int) -> Floats:
    """Return means of so many frames around each."""
    sums = np.cumsum(np.pad(frames, ((width // 2 + 1, width - 1 - width // 2), (0, 0))), axis=0)
    return (sums[width:] - sums[:-width]) / width


def _normed(values: Floats) -> Floats:
    """Return rows without their mean, of length 1."""
    centred = values - values.mean(axis=-1, keepdims=True)
    return np.asarray(centred / (np.linalg.norm(centred, axis=-1, keepdims=True) + 1e-9))


def _entropy(shares: Floats) -> float:
    return float(-(shares * np.log(shares + 1e-9)).sum())


@lru_cache
def _inside() -> Floats:
    return np.asarray(frequencies(WINDOW)[pitch_bins()], np.float64)


@lru_cache
def _templates() -> Floats:
    """Return the chords on every root, (kinds * 12, 12), as rows of length 1."""
    rows = np.zeros((len(_CHORDS), 12, 12))
    for kind, steps in enumerate(_CHORDS.values()):
        for root in range(12):
            rows[kind, root, [(root + step) % 12 for step in steps]] = 1
    return _normed(rows.reshape(-1, 12))


@lru_cache
def _tonal_space() -> Floats:
    """Return the circles of fifths and thirds, (6, 12): Harte, Sandler & Gasser 2006."""
    steps = 2 * np.pi * np.arange(12) / 12
    circles = ((7, 1.0), (3, 1.0), (4, 0.5))
    return np.array([r * f(k * steps) for k, r in circles for f in (np.sin, np.cos)])
