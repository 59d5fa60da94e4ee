"""What is measured in music, against what is known of it."""

from __future__ import annotations

import re
from importlib.metadata import files
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj.music.decode import RATE, Signal, decode
from emotion_dj.music.features import NAMES, combined, measure
from emotion_dj.music.loudness import loudness
from emotion_dj.music.rhythm import rhythm
from emotion_dj.music.spectrum import spectra
from emotion_dj.music.tonality import pitch_levels, tonality

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from emotion_dj.music.features import Measurement

KEYS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11, "Bb": 10}


def signal(samples: np.ndarray) -> Signal:
    """Return mono samples at RATE as a Signal."""
    return Signal((samples.astype(np.float32),), len(samples) / RATE, 1.0)


def seconds(length: float) -> np.ndarray:
    """Return the times of so many seconds of samples."""
    return np.arange(int(length * RATE)) / RATE


@pytest.fixture(scope="module")
def measured(demo_music: Path) -> dict[str, Measurement]:
    """Return the measurement of every demo track, by file name."""
    return {path.name: measure(decode(path)) for path in sorted(demo_music.glob("*/*.opus"))}


@pytest.fixture(scope="module")
def truth() -> dict[str, tuple[float, int, int]]:
    """Return the tempo, key and mode that each demo track was generated with."""
    licence = next(f for f in files("immich-memories-music") or () if f.name == "LICENSE-MUSIC")
    lines = re.finditer(
        r"^\s+(\S+\.opus)\s+(\d+) bpm\s+(\S+) (major|minor)", licence.read_text(), re.MULTILINE
    )
    return {m[1]: (float(m[2]), KEYS[m[3]], int(m[4] == "major")) for m in lines}


def test_tempo_of_real_music(
    measured: dict[str, Measurement], truth: dict[str, tuple[float, int, int]]
) -> None:
    """The tempo of at least 26 of 28 tracks is right within 4 %, octaves allowed."""
    right = [
        any(abs(measured[name].rhythm.tempo * octave / tempo - 1) < 0.04 for octave in (0.5, 1, 2))
        for name, (tempo, _, _) in truth.items()
    ]
    assert len(right) == 28
    assert sum(right) >= 26


def test_key_of_real_music(
    measured: dict[str, Measurement], truth: dict[str, tuple[float, int, int]]
) -> None:
    """Tonic and mode of at least 16 of 28 tracks are exactly right."""
    heard = {name: (m.tonality.key, m.tonality.mode) for name, m in measured.items()}
    assert sum(heard[name] == (key, mode) for name, (_, key, mode) in truth.items()) >= 16


@pytest.mark.parametrize("bpm", [60, 90, 120, 174])
def test_tempo_of_a_metronome(bpm: int) -> None:
    """Clicks are counted exactly, but for the octave."""
    clicks = np.zeros(30 * RATE)
    for start in np.arange(0, 29.9, 60 / bpm):
        clicks[int(start * RATE) :][:400] = np.hanning(400)
    tempo = rhythm(spectra(signal(clicks))).tempo
    assert any(tempo * octave == pytest.approx(bpm, rel=0.02) for octave in (0.5, 1, 2))


@pytest.mark.parametrize(("key", "mode"), [(0, 1), (7, 1), (9, 0), (3, 0)])
@pytest.mark.parametrize("cents", [0, 30])
def test_key_of_a_cadence(key: int, mode: int, cents: int) -> None:
    """Tonic, subdominant, dominant, tonic: the key is heard, whatever the instrument's tuning."""
    third = 4 if mode else 3
    chords = [(0, third, 7), (5, 5 + third, 12), (7, 7 + third, 14), (0, third, 7)]
    time = seconds(2)
    parts = [
        sum(
            np.sin(2 * np.pi * 440 * 2 ** ((key + n - 21 + cents / 100) / 12) * time) for n in chord
        )
        for chord in chords
    ]
    heard = tonality(pitch_levels(signal(np.concatenate(parts) / 10)))
    assert (heard.key, heard.mode) == (key, mode)


@pytest.mark.parametrize(("level", "expected"), [(0.0, -3.01), (-20.0, -23.01)])
def test_loudness_of_the_standards_sine(level: float, expected: float) -> None:
    """A sine of 997 Hz at 0 dBFS in one channel measures -3.01 LUFS (ITU-R BS.1770-4)."""
    sine = 10 ** (level / 20) * np.sin(2 * np.pi * 997 * seconds(10))
    measured = loudness(spectra(signal(sine)), width=1.0)
    assert measured.integrated == pytest.approx(expected, abs=0.1)
    assert measured.range == pytest.approx(0, abs=0.1)


def test_pauses_do_not_count_as_quiet_music() -> None:
    """The gate leaves out silence between two loud parts (EBU R128)."""
    loud = 0.1 * np.sin(2 * np.pi * 997 * seconds(10))
    paused = np.concatenate([loud, np.zeros(20 * RATE), loud])
    whole = loudness(spectra(signal(paused)), width=1.0)
    assert whole.integrated == pytest.approx(-23.01, abs=0.3)


def test_brighter_music_measures_brighter() -> None:
    """A treble tone has a higher centroid than a bass tone, in Hz."""
    low, high = (
        measure(signal(np.sin(2 * np.pi * f * seconds(3)))).brightness for f in (110, 3520)
    )
    assert low == pytest.approx(110, rel=0.2)
    assert high == pytest.approx(3520, rel=0.05)


def test_the_vector_has_its_names_and_no_gaps(measured: dict[str, Measurement]) -> None:
    """Every track gives a finite number for every name, in order."""
    for measurement in measured.values():
        assert measurement.vector.shape == (len(NAMES),)
        assert np.isfinite(measurement.vector).all()


def test_odd_signals_give_numbers() -> None:
    """One second of noise, a constant, and clipped noise are measured without a fault."""
    noise = np.random.default_rng(0).normal(0, 1, RATE)
    for odd in (noise, np.full(RATE, 0.5), np.sign(noise), np.sin(2 * np.pi * 1000 * seconds(1.0))):
        assert np.isfinite(measure(signal(odd)).vector).all()


def test_volume_does_not_change_the_tempo(
    happy_track: Path, samples: np.ndarray, write: Callable[..., Path], tmp_path: Path
) -> None:
    """The same music at a tenth of the level has the same tempo and key and less loudness."""
    quiet = measure(decode(write(tmp_path / "quiet.flac", samples * 0.1)))
    usual = measure(decode(happy_track))
    assert quiet.rhythm.tempo == pytest.approx(usual.rhythm.tempo, rel=0.01)
    assert quiet.tonality.key == usual.tonality.key
    assert usual.loudness.integrated - quiet.loudness.integrated == pytest.approx(20, abs=0.5)


def test_stretches_of_a_track_become_one_measurement(demo_music: Path) -> None:
    """Two quiet stretches of noise do not decide over three of music; the notes of all count."""
    music = decode(demo_music / "happy" / "happy_electronic_1.opus").excerpts[0]
    noise = np.random.default_rng(0).normal(0, 1e-3, 5 * RATE)
    third = len(music) // 3
    parts = [measure(signal(music[i * third :][:third])) for i in range(3)]
    parts += [measure(signal(noise))] * 2
    whole = combined(parts)
    assert whole.rhythm.tempo == pytest.approx(123, rel=0.04)
    assert (whole.tonality.key, whole.tonality.mode) == (9, 1)
    loud = [part.loudness.integrated for part in parts]
    assert min(loud) < whole.loudness.integrated < max(loud)
    assert np.isfinite(whole.vector).all()
    assert combined(parts[:1]) is parts[0]
