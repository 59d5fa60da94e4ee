"""A set as one recording, measured on the file that was written."""

from __future__ import annotations

from contextlib import nullcontext
from fractions import Fraction
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj.errors import AudioError, SettingsError
from emotion_dj.music import decode, levelling, mix
from emotion_dj.music.loudness import loudness
from emotion_dj.music.spectrum import spectra

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def files(demo_music: Path) -> list[Path]:
    """Return two real songs, a loud and a soft one."""
    return [min((demo_music / name).glob("*.opus")) for name in ("energetic", "calm")]


def songs(files: list[Path]) -> list[tuple[str, object]]:
    """Return them as `render` takes them."""
    return [(file.name, partial(nullcontext, file)) for file in files]


def level(samples: np.ndarray) -> float:
    """Return the loudness of stereo samples in LUFS."""
    mono = decode.resample(samples.mean(axis=0), mix.RATE)
    width = 2 * float(np.square(samples).mean()) / float(np.square(mono).mean())
    return loudness(spectra(decode.Signal((mono,), None, 1.0)), width=width).integrated


@pytest.mark.parametrize("suffix", [".opus", ".flac"])
def test_two_songs_become_one_recording(files: list[Path], tmp_path: Path, suffix: str) -> None:
    """As long as both less the fade; both parts equally loud; nothing clipped or half done."""
    told: list[tuple[int, int]] = []
    out = tmp_path / f"mix{suffix}"
    failed = mix.render(songs(files), out, count=2, report=lambda *step: told.append(step))
    mixed = mix.stereo(out)
    parts = [mix.prepare(mix.stereo(file)).samples.shape[1] for file in files]
    seconds = mixed.shape[1] / mix.RATE
    assert sum(parts) / mix.RATE - 12 < seconds < sum(parts) / mix.RATE - 1
    head, tail = mixed[:, : parts[0] // 2], mixed[:, -parts[1] // 2 :]
    assert abs(level(head) - level(tail)) < 3
    assert np.abs(mixed).max() <= 1.001
    assert failed == []
    assert told == [(1, 2), (2, 2)]
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_no_join_is_quiet_for_long() -> None:
    """Where one song dies away for half a minute and the next one begins as slowly, less than two
    seconds of the recording are below -28 LUFS.
    """
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 80 * mix.RATE)).astype(np.float32)
    fade = np.repeat(10 ** (np.linspace(0, -45, 30) / 20), mix.RATE).astype(np.float32)
    whole = np.ones(50 * mix.RATE, np.float32)
    dying, growing = np.append(whole, fade), np.append(fade[::-1], whole)
    made = [mix.prepare(noise * gains) for gains in (dying, growing)]
    mixed = np.concatenate(list(mix._mixed(made)), axis=1)
    step = mix.RATE // 2
    windows = range(0, mixed.shape[1] - mix.RATE, step)
    quiet = [level(mixed[:, at : at + mix.RATE]) < -28 for at in windows]
    longest = max(len(run) for run in "".join("01"[q] for q in quiet).split("0"))
    assert longest * step / mix.RATE < 2


def test_silence_is_cut_off_both_ends() -> None:
    """Two seconds of nothing, three of sound, two of nothing: three remain."""
    samples = np.zeros((2, 7 * mix.RATE), np.float32)
    samples[:, 2 * mix.RATE : 5 * mix.RATE] = 0.1
    assert levelling._without_silent_ends(samples).shape[1] == pytest.approx(
        3 * mix.RATE, abs=2 * 2400
    )
    with pytest.raises(AudioError, match="nothing to hear"):
        mix.prepare(samples[:, : mix.RATE])


def noise(levels: list[float]) -> np.ndarray:
    """Return a second of noise below 5 kHz for each level in dBFS."""
    white = np.random.default_rng(0).normal(0, 1, (2, len(levels) * mix.RATE)).clip(-3, 3)
    samples = np.stack([np.convolve(one, np.ones(9) / 9, mode="same") for one in white])
    gains = np.repeat(10 ** (np.array(levels) / 20), mix.RATE)
    return (samples * gains).astype(np.float32)


def longest_quiet(samples: np.ndarray) -> float:
    """Return the seconds of the longest stretch that FFmpeg's meter has below -28 LUFS."""
    quiet = [moment < levelling.AUDIBLE for moment in momentary(samples)]
    return max((len(list(run)) for low, run in groupby(quiet) if low), default=0) / 10


def momentary(samples: np.ndarray) -> list[float]:
    """Return the loudness of 0.4 s, every 0.1 s, as FFmpeg measures it."""
    import av

    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=mix.RATE, format="fltp", layout="stereo", time_base=Fraction(1, mix.RATE)
    )
    meter, sink = graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", "stereo")
    frame.sample_rate = mix.RATE
    source.push(frame)
    told = (sink.pull().metadata for _ in range(samples.shape[1] // (mix.RATE // 10)))
    return [float(one["lavfi.r128.M"]) for one in told]


def test_no_mix_waits_through_a_quiet_beginning_or_end() -> None:
    """Half a minute far below the rest of the song becomes a second."""
    song = mix.prepare(noise([-45.0] * 30 + [-16.0] * 40 + [-40.0] * 15))
    assert song.samples.shape[1] == pytest.approx(42 * mix.RATE, abs=2 * 2400)


@pytest.mark.parametrize("depth", [-14.0, -20.0, -30.0])
def test_a_quiet_middle_is_raised(depth: float) -> None:
    """Ten seconds of it: they stay, are heard, are not made loud, and nothing is clipped."""
    middle = noise([-16.0] * 8 + [-16.0 + depth] * 10 + [-16.0] * 8)
    song = levelling.audible(levelling.levelled(middle))
    assert song.shape == middle.shape
    assert longest_quiet(levelling.levelled(middle)) > 9
    assert longest_quiet(song) < 2
    assert max(momentary(song)[95:165]) < levelling.AUDIBLE + 3
    assert np.abs(song).max() <= 10 ** (levelling.PEAK / 20) + 1e-6


@pytest.mark.parametrize("depth", [-40.0, -60.0, -np.inf])
def test_a_hole_is_closed(depth: float) -> None:
    """Ten seconds of next to nothing become less than two."""
    song = mix.prepare(noise([-16.0] * 8 + [-16.0 + depth] * 10 + [-16.0] * 8)).samples
    assert 17 * mix.RATE < song.shape[1] < 18.2 * mix.RATE
    assert 0.5 < longest_quiet(song) < 2


def test_a_level_that_comes_and_goes_is_left_alone() -> None:
    """Rests of a second between loud notes are music."""
    song = levelling.levelled(noise([-16.0, -46.0] * 6 + [-16.0]))
    assert np.array_equal(levelling.audible(song), song)


def test_what_is_too_loud_is_turned_down_before_it_comes() -> None:
    """A limit is kept without distortion: a tone twice as loud as may be keeps its shape."""
    tone = np.sin(np.arange(mix.RATE) / 20) * np.linspace(0, 2, mix.RATE)
    kept = levelling.limited(np.stack([tone, tone]).astype(np.float32))
    assert np.abs(kept).max() <= 10 ** (levelling.PEAK / 20) + 1e-6
    assert np.abs(kept[0, : mix.RATE // 3] - tone[: mix.RATE // 3]).max() < 1e-6
    assert np.corrcoef(kept[0, -4800:], tone[-4800:])[0, 1] > 0.999


def test_what_cannot_be_read_is_left_out_and_named(files: list[Path], tmp_path: Path) -> None:
    """A text among the songs; only texts; a suffix that nobody knows."""
    (tmp_path / "text.mp3").write_text("no song")
    failed = mix.render(songs([tmp_path / "text.mp3", files[1]]), tmp_path / "mix.wav", count=2)
    assert len(failed) == 1
    assert "text.mp3 is not audio" in failed[0]
    with pytest.raises(AudioError, match="no song of the set could be read"):
        mix.render(songs([tmp_path / "text.mp3"]), tmp_path / "none.wav", count=1)
    assert not (tmp_path / "none.wav").exists()
    with pytest.raises(SettingsError, match=r"\.opus"):
        mix.render([], tmp_path / "mix.xyz", count=0)
