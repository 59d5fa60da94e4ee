"""Where the beats of a stretch of music fall, to a hundredth of a second, and how steadily.

The tempo of `rhythm` is told in frames of 23 ms; here it is measured anew, around what that says,
on onsets that are told every 6 ms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.music.decode import RATE, Signal
from emotion_dj.music.rhythm import rhythm
from emotion_dj.music.spectrum import frequencies, power_spectrum, spectra

if TYPE_CHECKING:
    Floats = npt.NDArray[np.floating[Any]]

WINDOW: Final = 512
HOP: Final = 128
STEP_S: Final = HOP / RATE

_LATE_S: Final = 0.7 * WINDOW / RATE
"""A window tells of a beginning when that has moved well into it: so long before it."""

_FLOOR: Final = 1e-9
_RANGE: Final = 1e-5
"""Power under the loudest, in 50 dB, below which nothing begins."""

_BASS_HZ: Final = 160.0
_AROUND: Final = 0.025
_PERIODS: Final = 251
"""How far, and in how many steps, the period is looked for around what `rhythm` says."""

_FOLDS: Final = 96
_NEAR_S: Final = 0.06
_OFF_S: Final = 0.012
"""A beat's onset is looked for so near to where it should be; half of them are no farther off than
this in music that keeps time."""

_HEARD: Final = 0.6
"""Share of the beats of steady music that have an onset."""

_OFF_BEAT: Final = 1.5
"""How many times as strong the bass between the beats must be for these to be the beats."""

_CERTAIN: Final = 1.15
"""How many times as much begins on beats as between them, of all and of the bass (geometric mean),
where it is certain which is which."""

_SLOW_S: Final = 0.68
"""Seconds between beats from which on those between them may be beats as well: 88 a minute."""

_CLEAR_S: Final = 0.015
"""How near to its place a beat's onset has to be, for the beat to be clear."""

_CLEAR: Final = 7 / 8
"""Share of the beats of a passage that are clear, where another song's can be laid on them."""

_TOGETHER: Final = 3
"""Steps, 17 ms, within which an onset counts as on the beat."""


@dataclass(frozen=True, slots=True)
class BeatGrid:
    """The ``first`` beat, in seconds from the beginning of what was heard, the ``period`` between
    beats in seconds, whether the music is ``steady``: keeps to them, and no others are as good; and
    which beats are ``clear``: begin with an onset, from the first on.
    """

    first: float
    period: float
    steady: bool
    clear: tuple[bool, ...] = ()

    def passages(self, beats: int) -> list[int]:
        """Return from which beats on, of those after 0 s, so many can be heard well."""
        starts = range(self.first <= 0, len(self.clear) - beats + 1)
        return [at for at in starts if sum(self.clear[at : at + beats]) >= _CLEAR * beats]


def beat_grid(mono: npt.NDArray[np.float32]) -> BeatGrid:
    """Measure the beats of samples (n,) at `decode.RATE`: some seconds of one tempo."""
    heard = spectra(Signal((mono,), None, 1.0))
    onsets, bass = onset_curves(mono)
    period = _period(onsets, 60 / rhythm(heard).tempo)
    first = _phase(onsets, period)
    if _folded(bass, first + period / 2, period) > _OFF_BEAT * _folded(bass, first, period):
        first = (first + period / 2) % period
    grid = _certain(_fitted(onsets, first, period), onsets, bass)
    if not grid.steady and period > _SLOW_S:
        return _certain(_fitted(onsets, first % (period / 2), period / 2), onsets, bass)
    return grid


def _certain(grid: BeatGrid, onsets: Floats, bass: Floats) -> BeatGrid:
    """Return a grid that is steady only where nothing between the beats could be one."""
    clearly = _standing_out(onsets, grid) * _standing_out(bass, grid)
    return replace(grid, steady=grid.steady and clearly > _CERTAIN**2)


def onset_curves(mono: npt.NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Return how much louder it gets every STEP_S, over all bands and in the bass, (steps,)."""
    power = power_spectrum(mono, WINDOW, HOP)
    low = frequencies(WINDOW) < _BASS_HZ
    rises = []
    for part in (power, power[:, low]):
        level = np.log(part + max(float(part.max(initial=0)) * _RANGE, _FLOOR))
        rises.append(np.pad(np.maximum(np.diff(level, axis=0), 0).mean(axis=1), (1, 0)))
    return rises[0], rises[1]


def _period(onsets: Floats, about: float) -> float:
    """Return the period at which the onsets repeat most clearly: where their turns around a clock
    of that period add up to most, one and two rounds a beat together.
    """
    at = np.arange(len(onsets)) * STEP_S
    periods = about * np.linspace(1 - _AROUND, 1 + _AROUND, _PERIODS)
    turns = np.exp(-2j * np.pi * at / periods[:, None])
    clarity = np.abs(turns @ onsets) + np.abs(turns**2 @ onsets)
    return float(periods[clarity.argmax()])


def _phase(onsets: Floats, period: float) -> float:
    """Return the first beat: where the onsets of all beats, laid over each other, are strongest."""
    places = np.arange(_FOLDS) / _FOLDS * period
    return float(places[np.argmax([_folded(onsets, place, period) for place in places])])


def _folded(onsets: Floats, first: float, period: float) -> float:
    """Return the mean of a curve at all beats."""
    beats = np.arange(first % period, (len(onsets) - 1) * STEP_S, period)
    return float(np.interp(beats / STEP_S, np.arange(len(onsets)), onsets).mean()) + _FLOOR


def _standing_out(curve: Floats, grid: BeatGrid) -> float:
    """Return how many times as strong a curve is around the beats as half way between them."""
    padded = np.pad(curve, _TOGETHER)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _TOGETHER + 1).max(axis=1)
    first = grid.first - _LATE_S
    between = first + grid.period / 2
    return _folded(around, first, grid.period) / _folded(around, between, grid.period)


def _fitted(onsets: Floats, first: float, period: float) -> BeatGrid:
    """Lay a line through the strongest onset near each beat, twice, the second time without those
    that are far from it.
    """
    count = int((len(onsets) * STEP_S - first) / period)
    near = max(1, round(min(_NEAR_S, period / 6) / STEP_S))
    number, off, strength = np.arange(count), np.zeros(count), np.zeros(count)
    for beat in number:
        middle = round((first + beat * period) / STEP_S)
        window = onsets[max(0, middle - near) : middle + near + 1]
        place = max(0, middle - near) + int(window.argmax())
        off[beat] = _peak(onsets, place) * STEP_S - first - beat * period
        strength[beat] = window.max()
    heard = strength > 2 * onsets.mean()
    for _ in range(2):
        if heard.sum() <= 3:  # noqa: PLR2004 - a line needs more
            return BeatGrid(first, period, steady=False)
        slope, offset = np.polyfit(number[heard], off[heard], 1, w=np.sqrt(strength[heard]))
        left = np.abs(off - offset - slope * number)
        heard &= left <= max(3 * float(np.median(left[heard])), STEP_S)
    steady = heard.mean() >= _HEARD and float(np.median(left[heard])) <= _OFF_S
    clear = (left <= _CLEAR_S) & (strength > 2 * onsets.mean())
    begin = first + float(offset) + _LATE_S
    return BeatGrid(begin, period + float(slope), bool(steady), tuple(clear.tolist()))


def _peak(curve: Floats, place: int) -> float:
    """Return the place of a peak between steps: the vertex of the parabola through three."""
    if not 0 < place < len(curve) - 1:
        return float(place)
    before, here, after = curve[place - 1 : place + 2]
    bend = before - 2 * here + after
    return place + (0.5 * (before - after) / bend if bend < 0 else 0.0)
