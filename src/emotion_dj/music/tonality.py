"""Which notes sound, and in which key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.music.spectrum import frequencies, power_spectrum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emotion_dj.music.decode import Signal

    Floats = npt.NDArray[np.float32]

WINDOW: Final = 8192
HOP: Final = 4096
LOWEST_HZ, HIGHEST_HZ = 55.0, 2500.0
_KEY_TO_HZ: Final = 800.0
_AUDIBLE: Final = 0.02
_A4_HZ: Final = 440.0
_C_OF_A4: Final = 69
TUNINGS: Final = tuple(np.arange(-0.5, 0.5, 0.05))

MAJOR: Final = (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0)
MINOR: Final = (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.0, 2.0, 3.5, 2.0)
"""How well each degree fits the key: Temperley 1999 (Music Perception 17) for major, and for minor
with the natural seventh of popular music in place of the harmonic one."""


@dataclass(frozen=True, slots=True)
class Tonality:
    """``key`` 0-11 from C, ``mode`` 1 major or 0 minor, ``clarity`` the correlation with that key,
    ``majorness`` how much better the best major key fits than the best minor one, ``chroma`` the
    share of each pitch class (12 values from C, summing to 1).
    """

    key: int
    mode: int
    clarity: float
    majorness: float
    chroma: tuple[float, ...]


def pitch_levels(signal: Signal) -> list[Floats]:
    """Return the level of each of `pitch_bins` in the frames of each excerpt, (frames, bins)."""
    bins = pitch_bins()
    return [np.sqrt(power_spectrum(excerpt, WINDOW, HOP, bins)) for excerpt in signal.excerpts]


@lru_cache
def pitch_bins() -> slice:
    """Return the bins in which notes are looked for."""
    hz = frequencies(WINDOW)
    return slice(*np.searchsorted(hz, (LOWEST_HZ, HIGHEST_HZ), side="right").tolist())


def tonality(levels: Sequence[Floats]) -> Tonality:
    """Estimate the key from the pitch classes of all excerpts together."""
    return of_chroma(np.sum([_chroma(level) for level in levels], axis=0))


def of_chroma(chroma: npt.NDArray[np.float64]) -> Tonality:
    """Estimate the key from how much of each of the twelve pitch classes from C there is."""
    total = float(np.sum(chroma))
    shares = chroma / total if total > 0 else np.full(12, 1 / 12)
    fits = key_profiles() @ _normalised(shares)
    best = int(np.argmax(fits))
    return Tonality(
        key=best % 12,
        mode=1 if best < 12 else 0,  # noqa: PLR2004 - the first twelve are major
        clarity=float(fits[best]),
        majorness=float(fits[:12].max() - fits[12:].max()),
        chroma=tuple(map(float, shares)),
    )


def _chroma(level: Floats) -> npt.NDArray[np.float64]:
    """Sum the peaks of the spectrum by pitch class, at the tuning that fits them best."""
    hz = frequencies(WINDOW)[pitch_bins()]
    hz = hz[hz < _KEY_TO_HZ]
    level = level[:, : len(hz)]
    peaks = np.zeros_like(level)
    middle = level[:, 1:-1]
    is_peak = (middle > level[:, :-2]) & (middle >= level[:, 2:])
    peaks[:, 1:-1] = np.where(is_peak, middle, 0)
    loudest = peaks.max(axis=1, keepdims=True)
    weight = np.where(peaks > _AUDIBLE * loudest, peaks / np.maximum(loudest, 1e-9), 0)
    strength = weight.sum(axis=0)
    pitches = notes(hz)
    folded = [fold(pitches - tuning, strength) for tuning in TUNINGS]
    return max(folded, key=lambda chroma: float(np.sum(chroma**2)))


def notes(hz: Floats) -> Floats:
    """Return where frequencies lie, in semitones as MIDI counts them."""
    return np.asarray(_C_OF_A4 + 12 * np.log2(hz / _A4_HZ))


def fold(notes: Floats, strength: Floats) -> npt.NDArray[np.float64]:
    """Add each strength to the nearest pitch class, less the further it is off."""
    nearest = np.round(notes)
    exact = np.cos(np.pi * (notes - nearest)) ** 2
    return np.asarray(np.bincount(nearest.astype(int) % 12, strength * exact, 12), np.float64)


@lru_cache
def key_profiles() -> npt.NDArray[np.float64]:
    """Return the 24 normalised profiles, major from C, then minor from C."""
    rows = [np.roll(profile, tonic) for profile in (MAJOR, MINOR) for tonic in range(12)]
    return np.stack([_normalised(np.array(row)) for row in rows])


def _normalised(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    centred = values - values.mean()
    length = float(np.linalg.norm(centred))
    return np.asarray(centred / length if length > 0 else centred)
