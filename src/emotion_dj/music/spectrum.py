"""Short-time spectra of a Signal, computed once and shared by everything that measures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.music.decode import RATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emotion_dj.music.decode import Signal

    Floats = npt.NDArray[np.float32]

WINDOW: Final = 2048
HOP: Final = 512
FRAMES_PER_S: Final = RATE / HOP
BANDS: Final = 64
LOWEST_HZ: Final = 30.0
_FLOOR: Final = 1e-10
_AT_ONCE: Final = 1 << 18
"""Values that are worked on at once: a megabyte, which a core's own cache holds."""


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """Of each excerpt: ``power`` float32 (frames, bins), and ``mel`` in dB (frames, BANDS)."""

    power: tuple[Floats, ...]
    mel: tuple[Floats, ...]


def spectra(signal: Signal) -> Spectra:
    """Return the spectra of every excerpt: Hann windows of 93 ms every 23 ms."""
    power = tuple(power_spectrum(excerpt, WINDOW, HOP) for excerpt in signal.excerpts)
    return Spectra(power, tuple(10 * np.log10(p @ mel_bank().T + _FLOOR) for p in power))


def power_spectrum(samples: Floats, window: int, hop: int, bins: slice = slice(None)) -> Floats:
    """Return float32 (frames, window // 2 + 1), or those ``bins`` of it; a shorter signal is padded
    to one frame.
    """
    if len(samples) < window:
        samples = np.pad(samples, (0, window - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    power = np.empty((len(frames), len(frequencies(window)[bins])), np.float32)
    for block in blocks(frames):
        spectrum = np.fft.rfft(frames[block] * hann(window))[:, bins]
        np.add(spectrum.real**2, spectrum.imag**2, out=power[block])
    return power


def blocks(rows: Floats) -> Iterator[slice]:
    """Yield slices of rows: what each step of the work on one makes stays small."""
    size = max(1, _AT_ONCE // rows.shape[1])
    for begin in range(0, len(rows), size):
        yield slice(begin, begin + size)


@lru_cache
def hann(window: int) -> Floats:
    """Return the Hann window, scaled so that a full-scale sine has power 1 at its peak."""
    values = np.hanning(window + 1)[:-1]
    return np.asarray(2 * values / values.sum(), np.float32)


@lru_cache
def frequencies(window: int = WINDOW) -> Floats:
    """Return the frequency of each bin in Hz."""
    return np.asarray(np.fft.rfftfreq(window, 1 / RATE), np.float32)


@lru_cache
def mel_bank() -> Floats:
    """Return triangular filters (BANDS, bins), spaced evenly on O'Shaughnessy's mel scale."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    bottom = 2595 * np.log10(1 + LOWEST_HZ / 700)
    edges = 700 * (10 ** (np.linspace(bottom, top, BANDS + 2) / 2595) - 1)
    hz = frequencies()
    rising = (hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - hz) / np.diff(edges)[1:, None]
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None), np.float32)
