"""Loudness as ITU-R BS.1770-4 and EBU R128 define it, computed from spectra."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.music.decode import RATE
from emotion_dj.music.spectrum import FRAMES_PER_S, WINDOW, frequencies, power_spectrum

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emotion_dj.music.spectrum import Spectra

    Floats = npt.NDArray[np.float32]

_BLOCK_S: Final = 0.4
_ABSOLUTE_GATE: Final = -70.0
_RELATIVE_GATE: Final = -10.0
_RANGE_GATE: Final = -20.0
_OFFSET: Final = -0.691
_SHELF: Final = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
_HIGH_PASS: Final = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
"""The two biquads of the standard, (numerator, denominator) at 48 kHz."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """``integrated`` in LUFS, ``range`` in LU between the quiet and the loud parts."""

    integrated: float
    range: float


def loudness(spectra: Spectra, *, width: float) -> Loudness:
    """Measure gated loudness; ``width`` is the power of all channels over that of their mean.

    The filters act on the power of each frame instead of on samples (Parseval), which agrees with
    the standard to a few tenths of a LU on music and needs no recursion.
    """
    hops = round(_BLOCK_S * FRAMES_PER_S)
    frames = [power @ _weights() * width for power in spectra.power]
    blocks = np.concatenate([_block_means(frame, hops) for frame in frames])
    levels = _OFFSET + 10 * np.log10(np.maximum(blocks, 1e-12))
    loud = levels > _ABSOLUTE_GATE
    if not loud.any():
        return Loudness(_ABSOLUTE_GATE, 0.0)
    gate = _mean_level(blocks[loud]) + _RELATIVE_GATE
    heard = levels > max(gate, _ABSOLUTE_GATE)
    ranged = levels[levels > _mean_level(blocks[loud]) + _RANGE_GATE]
    low, high = np.percentile(ranged, [10, 95])
    return Loudness(_mean_level(blocks[heard]), float(high - low))


def course(channels: Iterable[Floats], frames_per_s: int) -> Floats:
    """Return the loudness in LUFS of 93 ms around so many places a second: of all channels, each
    (n,) at `decode.RATE`, together.
    """
    half, hop = WINDOW // 2, RATE // frames_per_s
    power = sum(power_spectrum(np.pad(one, half), WINDOW, hop) @ _weights() for one in channels)
    return np.asarray(_OFFSET + 10 * np.log10(np.maximum(power, 1e-12)))


def _block_means(frames: Floats, hops: int) -> Floats:
    """Average blocks of 400 ms that overlap by three quarters."""
    if len(frames) <= hops:
        return np.array([frames.mean()], np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(frames, hops)
    return np.asarray(windows[:: max(1, hops // 4)].mean(axis=1))


def _mean_level(blocks: Floats) -> float:
    return float(_OFFSET + 10 * np.log10(blocks.mean()))


@lru_cache
def _weights() -> Floats:
    """Return the K-weighting of each bin, including what turns bin powers into mean square."""
    unit = np.exp(-2j * np.pi * frequencies() / 48_000)
    gain = np.ones(len(unit))
    for numerator, denominator in (_SHELF, _HIGH_PASS):
        gain *= np.abs(_polynomial(numerator, unit) / _polynomial(denominator, unit)) ** 2
    # A Hann window spreads a sine over bins: the sum of its bins is 1.5 times the peak's power,
    # and a full-scale sine has a mean square of one half.
    hann_spread = 1.5
    return np.asarray(gain / 2 / hann_spread, np.float32)


def _polynomial(
    coefficients: tuple[float, ...], unit: npt.NDArray[np.complex128]
) -> npt.NDArray[np.complex128]:
    return np.asarray(sum(c * unit**power for power, c in enumerate(coefficients)))
