"""What nobody would hear in a mix is brought up or cut: silence, quiet ends and quiet middles."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.music import decode
from emotion_dj.music.loudness import course, loudness
from emotion_dj.music.spectrum import spectra

Floats = npt.NDArray[np.float32]
Levels = npt.NDArray[np.floating[Any]]

RATE: Final = 48_000
LEVEL: Final = -16.0
"""LUFS of every song, what streaming services play at; the measure is that of EBU R128."""

PEAK: Final = -1.5
"""dBFS that no sample passes, so that what lies between them stays below -1 dBTP: a song that would
is left quieter than LEVEL."""

QUIET: Final = -60.0
"""dBFS, and LUFS, below which there is nothing but noise."""

QUIET_LU: Final = 12.0
"""How far below the rest of its song a beginning or an end may lie: levelled, that is -28 LUFS."""

QUIET_S: Final = 1.0
"""Seconds of a quieter beginning or end that stay, so that a song is not torn in or out."""

AUDIBLE: Final = -28.0
"""LUFS that no stretch of a mix stays below for 2 s."""

LIFT: Final = 20.0
"""Decibels by which a quiet passage is raised at most: from -47 LUFS on it can be heard."""

HOLE_S: Final = 1.7
"""Seconds that stay of what is not audible even then: a rest, not a gap."""

_TARGET: Final = AUDIBLE + 1
_BLOCK: Final = RATE // 20
_FRAMES_PER_S: Final = 18
_STEP: Final = 9
"""Frames, half a second, between places at which the gain is told."""

_WINDOW: Final = 3 * _STEP
"""Frames around it whose loudness decides: no place that is raised is near to a loud one."""

_MOMENT: Final = 7
"""Frames of EBU R128's momentary loudness: 0.4 s."""

_SPLICE: Final = RATE // 50
_LIMIT: Final = RATE // 200


def trimmed(samples: Floats) -> Floats:
    """Return stereo samples (2, n) at RATE without silence and quiet stretches at both ends."""
    return _without_quiet_ends(_without_silent_ends(samples))


def _without_silent_ends(samples: Floats) -> Floats:
    """Cut silence off both ends, in blocks of 50 ms."""
    blocks = samples[:, : samples.shape[1] // _BLOCK * _BLOCK].reshape(2, -1, _BLOCK)
    loud = np.flatnonzero(np.abs(blocks).max(axis=(0, 2), initial=0) > 10 ** (QUIET / 20))
    if not len(loud):
        return samples[:, :0]
    return samples[:, loud[0] * _BLOCK : (loud[-1] + 1) * _BLOCK]


def _without_quiet_ends(samples: Floats) -> Floats:
    """Cut a beginning and an end that nobody would hear in a mix, but for QUIET_S of each.

    What is loud is told as in EBU R128: the mean of all seconds within 10 dB of the mean of all.
    """
    second = RATE
    blocks = samples[:, : samples.shape[1] // second * second].reshape(2, -1, second)
    power = np.square(blocks).mean(axis=(0, 2))
    if not power.any():
        return samples
    loud = power[power >= power.mean() / 10].mean()
    heard = np.flatnonzero(power >= loud / 10 ** (QUIET_LU / 10))
    stay = round(QUIET_S * RATE)
    begin = max(0, heard[0] * second - stay)
    # The last second may be cut short: it is as loud as the one before it.
    end = samples.shape[1] if heard[-1] == len(power) - 1 else (heard[-1] + 1) * second + stay
    return samples[:, begin:end]


def levelled(samples: Floats) -> Floats:
    """Return stereo samples at LEVEL, or where their peaks leave them."""
    mono = decode.resample(samples.mean(axis=0), RATE)
    both, one = float(np.square(samples).mean()), float(np.square(mono).mean())
    heard = spectra(decode.Signal((mono,), None, 1.0))
    level = loudness(heard, width=2 * both / max(one, 1e-12)).integrated
    peak = 20 * np.log10(float(np.abs(samples).max()))
    return samples * np.float32(10 ** (min(LEVEL - level, PEAK - peak) / 20))


def audible(samples: Floats) -> Floats:
    """Return levelled samples with no stretch of 2 s below AUDIBLE in them.

    Quiet passages are raised by up to LIFT, gently; of what is not audible even then HOLE_S stay.
    """
    levels = _levels(samples)
    gains = _gains(levels)
    frames = np.arange(len(levels)) / _STEP
    after = levels + np.interp(frames, np.arange(len(gains)), gains)
    return _without_holes(_raised(samples, gains) if gains.any() else samples, after)


def limited(samples: Floats) -> Floats:
    """Return samples of which none passes PEAK: 5 ms before one that would they are turned down."""
    size = samples.shape[1]
    blocks = np.pad(samples, ((0, 0), (0, -size % _LIMIT))).reshape(2, -1, _LIMIT)
    peaks = np.abs(blocks).max(axis=(0, 2), initial=1e-9)
    gains = np.minimum(1, np.float32(10 ** (PEAK / 20)) / peaks)
    edges = np.minimum(np.append(gains, 1), np.insert(gains, 0, 1)).astype(np.float32)[:, None]
    rise = np.linspace(0, 1, _LIMIT, dtype=np.float32)
    whole = blocks * (edges[:-1] * (1 - rise) + edges[1:] * rise)
    return np.asarray(whole.reshape(2, -1)[:, :size])


def _levels(samples: Floats) -> Levels:
    """Return the loudness of each frame in LUFS."""
    return course([decode.resample(channel, RATE) for channel in samples], _FRAMES_PER_S)


def _mean(levels: Levels, frames: int) -> Levels:
    """Return the loudness of so many frames around each."""
    ones = np.ones(min(frames, len(levels)))
    power, count = (np.convolve(part, ones, "same") for part in (10 ** (levels / 10), levels**0))
    return np.asarray(10 * np.log10(power / count))


def _gains(levels: Levels) -> Levels:
    """Return the decibels by which passages are raised, every _STEP frames."""
    around = _mean(levels, _WINDOW)[::_STEP]
    return np.where(around < QUIET, 0, np.clip(_TARGET - around, 0, LIFT))


def _raised(samples: Floats, gains: Levels) -> Floats:
    """Apply gains in dB, and what lies between them, as far as peaks let it."""
    step = _STEP * RATE // _FRAMES_PER_S
    new = samples.copy()
    for place, (here, there) in enumerate(pairwise([*gains, gains[-1]])):
        if here or there:
            part = new[:, place * step : (place + 1) * step]
            part *= 10 ** (np.linspace(here, there, step, dtype=np.float32)[: part.shape[1]] / 20)
    return limited(new)


def _without_holes(samples: Floats, levels: Levels) -> Floats:
    """Cut the middle out of every stretch that stays below AUDIBLE for longer than HOLE_S."""
    low = np.flatnonzero(np.diff(_mean(levels, _MOMENT) < AUDIBLE, prepend=False, append=False))
    stay = round(HOLE_S * RATE)
    parts, at = [], 0
    for begin, end in low.reshape(-1, 2) * RATE // _FRAMES_PER_S:
        if end - begin > stay:
            cut, on = begin + stay // 2, end - (stay - stay // 2)
            splice = _crossed(samples[:, cut - _SPLICE : cut], samples[:, on - _SPLICE : on])
            parts += [samples[:, at : cut - _SPLICE], splice]
            at = on
    return np.concatenate([*parts, samples[:, at:]], axis=1)


def _crossed(before: Floats, after: Floats) -> Floats:
    """Go over from one stretch into another of the same length."""
    share = np.linspace(0, 1, before.shape[1], dtype=np.float32)
    return before * (1 - share) + after * share
