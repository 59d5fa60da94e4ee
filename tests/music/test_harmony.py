"""What melody, bass and chords do, of tones whose notes are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj.music.decode import RATE, Signal
from emotion_dj.music.harmony import BASS, CHORDS, HARMONY_NAMES, MODES, harmony
from emotion_dj.music.tonality import pitch_levels

if TYPE_CHECKING:
    from collections.abc import Sequence

MAJOR, MINOR = (0, 4, 7), (0, 3, 7)
C3, C4 = 48, 60


def tone(notes: Sequence[int], seconds: float) -> np.ndarray:
    """Return notes, as MIDI counts them, that sound together, with two weaker harmonics each."""
    t = np.arange(round(seconds * RATE)) / RATE
    hz = [440 * 2 ** ((note - 69) / 12) for note in notes]
    parts = [np.sin(2 * np.pi * f * k * t) / k**2 for f in hz for k in (1, 2, 3)]
    return np.sum(parts, axis=0).astype(np.float32) / len(notes)


def measured(*parts: Sequence[int], seconds: float = 2.0) -> dict[str, float]:
    """Return what is measured of chords one after the other."""
    sound = np.concatenate([tone(notes, seconds) for notes in parts])
    return dict(
        zip(HARMONY_NAMES, harmony(pitch_levels(Signal((sound,), None, 1.0))).tolist(), strict=True)
    )


@pytest.mark.parametrize("root", [C3, C3 + 5, C3 + 9])
def test_a_major_chord_is_told_from_a_minor_one(root: int) -> None:
    """Whatever its root, its frames lean to major, and stand a major third above the bass."""
    bright, dark = ([root + step for step in chord] for chord in (MAJOR, MINOR))
    major, minor = measured(bright, seconds=6), measured(dark, seconds=6)
    assert major["chord_mode"] > 0.1 > -0.1 > minor["chord_mode"]
    assert major["chord_mode_share"] > minor["chord_mode_share"] + 0.8
    assert major["above_bass_4"] > 0.1 > major["above_bass_3"]
    assert minor["above_bass_3"] > 0.1 > minor["above_bass_4"]


def test_a_melody_is_followed_from_note_to_note() -> None:
    """A line of major seconds has steps of two semitones and no other; one note has none."""
    line = [[C4 + step] for step in (0, 2, 4, 2, 0, 2, 4, 2)]
    walk, still = measured(*line), measured([C4], seconds=8)
    moves = {name: walk[name] for name in HARMONY_NAMES if name.startswith("leap_")}
    assert max(moves, key=lambda name: moves[name] * (name != "leap_0")) == "leap_2"
    assert still["leap_0"] == pytest.approx(1)
    assert max(range(12), key=lambda d: still[f"degree_{d}"]) in {0, 4, 7, 9}


def test_chords_that_change_are_told_from_one_that_stays() -> None:
    """Four chords move through the tonal space; one does not."""
    chords = [[C3 + root + step for step in MAJOR] for root in (0, 5, 7, 0)]
    moving, still = measured(*chords), measured(chords[0], seconds=8)
    for name in ("harmony_flux", "chord_changes", "chord_entropy"):
        assert moving[name] > still[name] + 0.01, name


@pytest.mark.parametrize("level", [0.0, 1e-7])
def test_where_no_note_sounds_all_is_nought(level: float) -> None:
    """Silence, or next to it, has no harmony and is no error."""
    silence = np.full(3 * RATE, level, np.float32)
    assert not harmony(pitch_levels(Signal((silence,), None, 1.0))).any()


def test_chords_are_the_same_in_every_key() -> None:
    """A third higher, the same chords measure nearly the same; only the melody's octave moves."""
    chords = [[C3 + root + step for step in MINOR] for root in (0, 5, 7, 0)]
    here = measured(*chords)
    there = measured(*[[note + 3 for note in chord] for chord in chords])
    for name in (*BASS, *CHORDS, *MODES):
        assert here[name] == pytest.approx(there[name], abs=0.1), name
