"""Everything that is measured on a Signal: for people with units, for models as one vector.

NumPy only. The vector has a fixed order and length (`NAMES`), so a model's card can state it.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.music.harmony import HARMONY_NAMES, harmony
from emotion_dj.music.loudness import Loudness, loudness
from emotion_dj.music.rhythm import Rhythm, onset_strength, rhythm
from emotion_dj.music.spectrum import BANDS, FRAMES_PER_S, blocks, frequencies, spectra
from emotion_dj.music.tonality import of_chroma, pitch_levels, tonality

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from emotion_dj.music.decode import Signal
    from emotion_dj.music.spectrum import Spectra
    from emotion_dj.music.tonality import Tonality

    Floats = npt.NDArray[np.float32]

CEPSTRA: Final = 20
MODULATIONS_HZ: Final = ((0.5, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 16.0))
_CONTRAST_ZONES: Final = ((0, 10), (10, 20), (20, 32), (32, 44), (44, 64))
_ROLLOFF: Final = 0.85
_GROUP: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """What was measured: three kinds, ``brightness`` in Hz, and all as the model's ``vector``."""

    rhythm: Rhythm
    tonality: Tonality
    loudness: Loudness
    brightness: float
    vector: Floats


def measure(signal: Signal, seen: Spectra | None = None) -> Measurement:
    """Measure a signal, of which the spectra may have been ``seen`` already; the vector is float32
    of length len(NAMES).
    """
    seen = seen or spectra(signal)
    mel = np.concatenate(seen.mel)
    levels = pitch_levels(signal)
    beat, notes = rhythm(seen), tonality(levels)
    loud = loudness(seen, width=signal.width)
    centroid, shape = _shape(seen.power)
    named = {
        "tempo": np.log2(max(beat.tempo, 1.0)),
        "pulse": beat.pulse,
        "onset_rate": beat.onset_rate,
        "onset_strength": beat.strength,
        "loudness": loud.integrated,
        "loudness_range": loud.range,
        "mode": notes.majorness,
        "key_clarity": notes.clarity,
        **_chroma_shape(np.array(notes.chroma)),
        **shape,
        **_timbre(mel),
        **_contrast(mel),
        **_modulation(seen.mel),
    }
    vector = np.array([named[name] for name in NAMES[: len(named)]], np.float32)
    vector = np.append(vector, harmony(levels))
    return Measurement(beat, notes, loud, centroid, np.nan_to_num(vector))


def combined(parts: Sequence[Measurement]) -> Measurement:
    """Return one measurement for the stretches of a track: medians, so that an intro, a break or
    applause does not decide; the key is that of all notes together, the loudness that of the mean
    power. One stretch is returned as it is.
    """
    if len(parts) == 1:
        return parts[0]

    def median(values: Iterable[float]) -> float:
        return float(np.median(list(values)))

    beats = [part.rhythm for part in parts]
    powers = [10 ** (part.loudness.integrated / 10) for part in parts]
    return Measurement(
        Rhythm(*(median(values) for values in zip(*map(astuple, beats), strict=True))),
        of_chroma(np.mean([part.tonality.chroma for part in parts], axis=0)),
        Loudness(float(10 * np.log10(np.mean(powers))), median(p.loudness.range for p in parts)),
        median(part.brightness for part in parts),
        np.median([part.vector for part in parts], axis=0).astype(np.float32),
    )


def _shape(powers: Iterable[Floats]) -> tuple[float, dict[str, float]]:
    """Describe where the energy lies: centroid, spread, rolloff, flatness, and their movement."""
    frames = [_frame_shapes(power[block]) for power in powers for block in blocks(power)]
    total, *rows = np.concatenate(frames, axis=1)
    sounding = total > total.max() * 1e-6
    centroid, rolloff, flatness = (row[sounding] for row in rows)
    level = 10 * np.log10(total)
    figures = {"centroid": np.log2(centroid + 1), "rolloff": np.log2(rolloff + 1)}
    figures |= {"flatness": flatness, "level": level[sounding]}
    described = {}
    for name, values in figures.items():
        described[f"{name}_mean"] = float(values.mean())
        described[f"{name}_std"] = float(values.std())
    described["quiet_share"] = float((level < level.mean()).mean())
    described["level_steps"] = float(np.abs(np.diff(level)).mean())
    return float(np.median(centroid)), described


def _frame_shapes(power: Floats) -> Floats:
    """Return total power, centroid and rolloff in Hz, and flatness of frames, (4, frames)."""
    hz = frequencies()
    total = power.sum(axis=1) + 1e-12
    rolloff = hz[_passing(power, _ROLLOFF * total[:, None])]
    flatness = np.log(power + 1e-12).mean(axis=1) - np.log(power.mean(axis=1) + 1e-12)
    return np.stack([total, power @ hz / total, rolloff, flatness])


def _passing(power: Floats, wanted: Floats) -> npt.NDArray[np.intp]:
    """Return the bin at which the sum of a frame's bins passes what is wanted of it, (frames, 1).

    It is looked for in groups of bins, then in one: running sums of all take three times as long.
    """
    last = power.shape[1] - 1
    groups = np.cumsum(np.add.reduceat(power, range(0, last + 1, _GROUP), axis=1), axis=1)
    group = np.count_nonzero(groups < wanted, axis=1, keepdims=True).clip(max=last // _GROUP)
    before = np.take_along_axis(np.pad(groups, ((0, 0), (1, 0))), group, axis=1)
    bins = np.minimum(group * _GROUP + np.arange(_GROUP), last)
    running = before + np.cumsum(np.take_along_axis(power, bins, axis=1), axis=1)
    inside = np.count_nonzero(running < wanted, axis=1, keepdims=True).clip(max=_GROUP - 1)
    return np.take_along_axis(bins, inside, axis=1)[:, 0]


def _timbre(mel: Floats) -> dict[str, float]:
    """Return mean, deviation and movement of the mel-frequency cepstrum."""
    cepstrum = mel @ _cosines().T
    steps = np.diff(cepstrum, axis=0)
    named = {}
    for i in range(CEPSTRA):
        named[f"mfcc_{i}_mean"] = float(cepstrum[:, i].mean())
        named[f"mfcc_{i}_std"] = float(cepstrum[:, i].std())
        named[f"mfcc_{i}_move"] = float(np.abs(steps[:, i]).mean())
    return named


def _contrast(mel: Floats) -> dict[str, float]:
    """Return how far peaks stand above valleys in five zones (after Jiang et al. 2002)."""
    named = {}
    for i, zone in enumerate(_CONTRAST_ZONES):
        ordered = np.sort(mel[:, slice(*zone)], axis=1)
        named[f"contrast_{i}"] = float(
            (ordered[:, -2:].mean(axis=1) - ordered[:, :2].mean(axis=1)).mean()
        )
    return named


def _modulation(mels: tuple[Floats, ...]) -> dict[str, float]:
    """Return how strongly the onsets pulse at four speeds, in dB against their mean."""
    sums = np.zeros(len(MODULATIONS_HZ))
    for mel in mels:
        envelope = onset_strength(mel)
        spectrum = np.abs(np.fft.rfft(envelope - envelope.mean())) ** 2
        hz = np.fft.rfftfreq(len(envelope), 1 / FRAMES_PER_S)
        zones = [spectrum[(hz >= low) & (hz < high)] for low, high in MODULATIONS_HZ]
        sums += [zone.sum() / (spectrum.sum() + 1e-9) for zone in zones]
    return {f"modulation_{i}": float(value) for i, value in enumerate(sums / len(mels))}


def _chroma_shape(chroma: npt.NDArray[np.float64]) -> dict[str, float]:
    """Describe the harmony whatever its key: intervals between notes that sound, and disorder."""
    named = {
        f"interval_{step}": float(np.sum(chroma * np.roll(chroma, step))) for step in range(1, 7)
    }
    named["chroma_entropy"] = float(-np.sum(chroma * np.log(chroma + 1e-9)))
    return named


@lru_cache
def _cosines() -> Floats:
    """Return the first rows of an orthonormal DCT-II, float32 (CEPSTRA, BANDS)."""
    order, band = np.arange(CEPSTRA)[:, None], np.arange(BANDS)[None]
    rows = np.cos(np.pi * order * (2 * band + 1) / (2 * BANDS)) * np.sqrt(2 / BANDS)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


NAMES: Final = (
    *("tempo", "pulse", "onset_rate", "onset_strength"),
    *("loudness", "loudness_range", "mode", "key_clarity"),
    *(f"interval_{step}" for step in range(1, 7)),
    "chroma_entropy",
    *(f"{n}_{s}" for n in ("centroid", "rolloff", "flatness", "level") for s in ("mean", "std")),
    *("quiet_share", "level_steps"),
    *(f"mfcc_{i}_{kind}" for i in range(CEPSTRA) for kind in ("mean", "std", "move")),
    *(f"contrast_{i}" for i in range(len(_CONTRAST_ZONES))),
    *(f"modulation_{i}" for i in range(len(MODULATIONS_HZ))),
    *HARMONY_NAMES,
)
"""The names of the vector's values, in order."""
