"""Beats are found, and those of neighbours meet: on click tracks, whose beats are known."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from emotion_dj.music import decode, mix, stretch
from emotion_dj.music.beat_grid import beat_grid
from emotion_dj.music.mix import RATE

CLICK = np.sin(np.arange(800) / 5) * np.exp(-np.arange(800) / 200)
THUMP = np.sin(np.arange(4800) * 2 * np.pi * 70 / RATE) * np.exp(-np.arange(4800) / 1500)


def beats(bpm: float, first: float, seconds: float, *, sound: np.ndarray = CLICK) -> np.ndarray:
    """Return stereo samples with a sound at every beat, over a little noise."""
    samples = np.random.default_rng(0).normal(0, 1e-3, (2, round(seconds * RATE)))
    for at in np.arange(first, seconds - 0.15, 60 / bpm):
        samples[:, round(at * RATE) :][:, : len(sound)] += 0.5 * sound
    return samples.astype(np.float32)


def mono(samples: np.ndarray) -> np.ndarray:
    """Return samples as the beats are looked for in them."""
    return decode.resample(samples.mean(axis=0), RATE)


def begins(samples: np.ndarray) -> np.ndarray:
    """Return when each click of some samples begins, in seconds."""
    loud = np.abs(samples[0])
    places = np.flatnonzero(loud > 0.15 * loud.max())
    return np.asarray(places[np.insert(np.diff(places) > 0.15 * RATE, 0, True)] / RATE)


@pytest.fixture(scope="module")
def tracks() -> dict[float, mix.Song]:
    """Return click tracks of several tempi, ready to be mixed."""
    tempi = {120: 0.13, 121: 0.31, 116.5: 0.22, 124.3: 0.05, 62: 0.4, 90: 0.3, 174: 0.2}
    return {bpm: mix.prepare(beats(bpm, first, 40)) for bpm, first in tempi.items()}


@pytest.mark.parametrize(("bpm", "first"), [(120, 0.13), (87.3, 0.5), (99.5, 0.4), (60, 0.7)])
def test_the_beats_of_a_click_track_are_found(bpm: float, first: float) -> None:
    """Every beat of twenty seconds is told to five milliseconds."""
    grid = beat_grid(mono(beats(bpm, first, 20)))
    assert grid.steady
    told = grid.first + grid.period * np.arange(int(20 / grid.period) - 1)
    truth = first + 60 / bpm * np.arange(-2, 20 * bpm / 60 + 2)
    assert np.abs(told[:, None] - truth).min(axis=1).max() < 0.005


def test_beats_are_where_the_bass_is() -> None:
    """Louder clicks between thumps are off-beats."""
    sound = beats(100, 0.25, 20, sound=THUMP) + 1.5 * beats(100, 0.55, 20)
    grid = beat_grid(mono(sound))
    off = (grid.first - 0.25) / grid.period
    assert abs(off - round(off)) < 0.05


def test_what_could_be_either_is_no_grid() -> None:
    """A sound on each beat, another one, as strong, between them: either the grid has both, or it
    is not steady, and nothing is joined on it.
    """
    hiss = np.random.default_rng(1).normal(0, 0.3, 800) * np.exp(-np.arange(800) / 200)
    grid = beat_grid(mono(beats(100, 0.25, 20) + beats(100, 0.55, 20, sound=hiss)))
    assert not grid.steady or grid.period == pytest.approx(0.3, rel=0.01)


def test_a_slow_reading_of_even_beats_is_doubled() -> None:
    """Even clicks of 174 a minute may be told as 87: those between are beats as well."""
    assert beat_grid(mono(beats(174, 0.2, 20))).period == pytest.approx(60 / 174, rel=0.001)


@pytest.mark.parametrize("seed", range(3))
def test_what_keeps_no_time_is_not_steady(seed: int) -> None:
    """Clicks that come when they like, and noise, have no grid to be joined on."""
    source, sound = np.random.default_rng(seed), np.zeros((2, 20 * RATE), np.float32)
    for at in np.cumsum(source.uniform(0.2, 1.0, 19)):
        sound[:, round(at * RATE) :][:, :800] += CLICK[: max(0, 20 * RATE - round(at * RATE))]
    noise = source.normal(0, 0.1, (2, 20 * RATE)).astype(np.float32)
    assert not beat_grid(mono(sound)).steady
    assert not beat_grid(mono(noise)).steady


def test_beats_of_neighbours_meet(tracks: dict[float, mix.Song]) -> None:
    """Tempi that are up to 4 % apart, or half or double: beats of the fade are within 10 ms of each
    other at the median, and none is off by more than 20.
    """
    pytest.importorskip("python_stretch")
    off: list[float] = []
    joined = set()
    for before, after in permutations(tracks, 2):
        cut = mix.join(tracks[before], tracks[after])
        if not cut.on_beat:
            continue
        joined.add((before, after))
        out, into = (begins(part) for part in mix.overlap(tracks[before], tracks[after], cut))
        few, many = sorted((out, into), key=len)
        inside = few[(few > 0.02) & (few < cut.length / RATE - 0.05)]
        off += [float(np.abs(many - at).min()) for at in inside]
    assert {(120, 121), (121, 116.5), (62, 120), (120, 62), (90, 174), (174, 90)} <= joined
    assert (116.5, 124.3) not in joined
    assert np.median(off) < 0.010
    assert max(off) < 0.020


@pytest.mark.parametrize(("before", "after"), [(120, 120), (90, 90), (62, 62)])
def test_a_join_off_the_beat_is_caught(
    tracks: dict[float, mix.Song], before: float, after: float
) -> None:
    """Where the grid of one song lies between its beats, what begins together says so."""
    right = tracks[after]
    wrong = replace(right, head=replace(right.head, first=right.head.first + right.head.period / 2))
    for song in (right, wrong):
        cut = mix.join(tracks[before], song)
        out, into = (begins(part) for part in mix.overlap(tracks[before], song, cut))
        inside = out[(out > 0.02) & (out < cut.length / RATE - 0.05)]
        assert max(np.abs(into - at).min() for at in inside) < 0.020


def test_a_join_waits_for_beats_that_can_be_heard(tracks: dict[float, mix.Song]) -> None:
    """A song whose first beats are missing comes in with its first clear ones, and what is left out
    of it is no more than a phrase; one whose last beats are missing is left at the clear ones.
    """
    late, early = beats(120, 0.25, 40), beats(120, 0.25, 40)
    late[:, : round(4.6 * RATE)] = np.random.default_rng(2).normal(0, 0.02, (2, round(4.6 * RATE)))
    early[:, -round(4.6 * RATE) :] = late[:, : round(4.6 * RATE)]
    song, left = mix.prepare(late), mix.prepare(early)
    cut = mix.join(tracks[120], song)
    assert cut.on_beat
    assert 3 < cut.into / RATE < 16 * 0.5
    cut = mix.join(left, tracks[120])
    assert cut.on_beat
    assert cut.out + cut.length <= left.samples.shape[1] - 3.5 * RATE


@pytest.mark.parametrize("missing", [1, 263, 5_000, 60_000])
def test_a_fade_ends_within_the_song_before(tracks: dict[float, mix.Song], missing: int) -> None:
    """Where the last beat of a grid ends after the song, an earlier passage is faded."""
    whole = tracks[120]
    cut = mix.join(whole, tracks[121])
    end = cut.out + cut.length - missing
    shorter = replace(whole, samples=whole.samples[:, :end])
    cut = mix.join(shorter, tracks[121])
    out, into = mix.overlap(shorter, tracks[121], cut)
    assert out.shape == into.shape == (2, cut.length)


def test_a_song_of_two_tempi_is_not_joined_on_the_beat(tracks: dict[float, mix.Song]) -> None:
    """Where beginning and end differ, one of both was misheard: both fades are plain."""
    two = np.concatenate([beats(120, 0.1, 30), beats(90, 0.1, 30)], axis=1)
    song = mix.prepare(two)
    assert not mix.join(tracks[120], song).on_beat
    assert not mix.join(song, tracks[90]).on_beat


def test_stretched_music_keeps_its_pitch() -> None:
    """A tone that is made 4 % longer is as high as before, and as long as was asked."""
    pytest.importorskip("python_stretch")
    tone = np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE).astype(np.float32)
    longer = stretch.stretched(np.stack([tone, tone]), round(4.16 * RATE))
    assert longer.shape == (2, round(4.16 * RATE))
    middle = longer[0, RATE : 3 * RATE]
    assert np.abs(np.fft.rfft(middle * np.hanning(len(middle)))).argmax() / 2 == 440


def test_without_the_library_only_equal_tempi_meet(
    tracks: dict[float, mix.Song], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be stretched, songs of other tempi get a plain fade of six seconds."""
    monkeypatch.setattr(stretch, "find_spec", lambda _name: None)
    assert not stretch.can_stretch()
    cut = mix.join(tracks[120], tracks[121])
    assert not cut.on_beat
    assert cut.length == mix.FADE_S * RATE
    same = mix.join(tracks[120], tracks[120])
    assert same.on_beat
    assert same.source == pytest.approx(same.length, rel=mix.ALIKE)


def test_songs_that_do_not_meet_are_faded(tracks: dict[float, mix.Song]) -> None:
    """A fade that is plain begins with the next song and ends with the one before."""
    cut = mix.join(tracks[116.5], tracks[124.3])
    assert (cut.into, cut.source) == (0, cut.length)
    assert cut.out + cut.length == tracks[116.5].samples.shape[1]
