"""Every audio file users have, and every way for one to be broken."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj.errors import AudioError
from emotion_dj.music.decode import RATE, STRETCH_S, decode, decode_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def loudest(path: Path) -> float:
    """Return the root mean square of what was decoded."""
    return float(np.sqrt(np.mean(np.concatenate(decode(path).excerpts) ** 2)))


@pytest.mark.parametrize(
    "suffix", [".mp3", ".flac", ".wav", ".m4a", ".opus", ".aiff", ".ac3", ".wv"]
)
def test_every_format_sounds_the_same(
    tmp_path: Path, samples: np.ndarray, write: Callable[..., Path], suffix: str
) -> None:
    """The same music in any format is the same signal, but for the format's own loss."""
    original = write(tmp_path / "original.wav", samples[:, :480_000])
    other = write(tmp_path / f"music{suffix}", samples[:, :480_000])
    assert loudest(other) == pytest.approx(loudest(original), rel=0.05)
    assert sum(map(len, decode(other).excerpts)) == pytest.approx(10 * RATE, rel=0.02)


@pytest.mark.parametrize(
    ("rate", "layout"), [(8_000, "mono"), (44_100, "stereo"), (96_000, "stereo"), (48_000, "5.1")]
)
def test_rates_and_channels(
    tmp_path: Path, samples: np.ndarray, write: Callable[..., Path], rate: int, layout: str
) -> None:
    """Telephone mono, high resolution and surround all arrive as mono at one rate."""
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    many = np.tile(samples, (3, 1))[:channels, : 5 * rate]
    signal = decode(write(tmp_path / "music.wav", many, rate, layout))
    assert sum(map(len, signal.excerpts)) == pytest.approx(5 * RATE, rel=0.01)


def test_an_open_stream_is_read(happy_track: Path) -> None:
    """A stream sounds as the file does, and nothing of it has to lie on a disk."""
    with happy_track.open("rb") as file:
        streamed = decode(file)
    assert np.array_equal(streamed.excerpts[0], decode(happy_track).excerpts[0])


def test_a_quiet_intro_does_not_decide(
    tmp_path: Path, samples: np.ndarray, write: Callable[..., Path]
) -> None:
    """After a minute and a half of near silence the music is still heard."""
    intro = np.random.default_rng(0).normal(0, 1e-4, (2, 60 * 48_000)).astype(np.float32)
    path = write(tmp_path / "late.flac", np.concatenate([intro, samples, samples, samples], axis=1))
    assert loudest(path) > 0.5 * loudest(write(tmp_path / "now.flac", samples))


@pytest.mark.slow
def test_three_hours_cost_no_more_memory_than_three_minutes(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    """Only excerpts of a long mix are decoded."""
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 8_000 * 180)).astype(np.float32)
    short = write(tmp_path / "short.wav", noise, 8_000, "mono")
    long = write(tmp_path / "long.wav", np.tile(noise, 60), 8_000, "mono")
    peaks = []
    for path in (short, long):
        tracemalloc.start()
        assert decode(path).duration == pytest.approx(180 if path is short else 10_800)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_all_of_a_track_is_heard_on_request(
    tmp_path: Path, samples: np.ndarray, write: Callable[..., Path]
) -> None:
    """Stretches of equal length and the rest, nothing lost; a silent stretch is left out."""
    second, silence = 48_000, np.zeros((2, int(STRETCH_S * 48_000)), np.float32)
    music = np.tile(samples, 5)[:, : 150 * second]
    signals = list(decode_whole(write(tmp_path / "long.flac", music)))
    lengths = [sum(map(len, signal.excerpts)) / RATE for signal in signals]
    assert lengths == pytest.approx([STRETCH_S] * 3 + [150 - 3 * STRETCH_S], abs=0.01)
    assert {len(excerpt) // RATE for excerpt in signals[0].excerpts} <= {14, 15}
    path = write(tmp_path / "late.flac", np.concatenate([silence, music[:, : 9 * second]], axis=1))
    assert [len(signal.excerpts[0]) // RATE for signal in decode_whole(path)] == [9]
    for what, sentence in ((silence, "is silent"), (music[:, :9_600], "less than 1 second")):
        with pytest.raises(AudioError, match=sentence):
            list(decode_whole(write(tmp_path / "nothing.flac", what)))


def test_silence_is_said(tmp_path: Path, write: Callable[..., Path]) -> None:
    """A file without sound gets one sentence."""
    with pytest.raises(AudioError, match="is silent"):
        decode(write(tmp_path / "silent.flac", np.zeros((2, 480_000), np.float32)))


def test_a_fifth_of_a_second_is_too_short(
    tmp_path: Path, samples: np.ndarray, write: Callable[..., Path]
) -> None:
    """A click is not music."""
    with pytest.raises(AudioError, match="less than 1 second"):
        decode(write(tmp_path / "click.wav", samples[:, :9_600]))


def test_what_is_no_audio_is_said(tmp_path: Path, smiling_photo: Path) -> None:
    """Text called .mp3, a photo, an empty file and a missing one each get a sentence."""
    for name, data in (("a.mp3", b"not music " * 500), ("b.flac", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(AudioError, match="not audio"):
            decode(tmp_path / name)
    with pytest.raises(AudioError, match="has no audio"):
        decode(smiling_photo)
    with pytest.raises(AudioError, match="not audio"):
        decode(tmp_path / "none.mp3")


def test_numbers_that_are_none_are_heard_as_silence(
    tmp_path: Path, samples: np.ndarray, write: Callable[..., Path]
) -> None:
    """NaN and infinite samples of a float file harm nothing."""
    path = write(tmp_path / "music.wav", samples[:, :480_000])
    from emotion_dj.music import decode as module

    class Codec:
        format = type("Planar", (), {"is_planar": True})

    broken = np.array([[np.nan, np.inf, 0.5]], np.float32)
    assert module._samples(broken, Codec).tolist() == [[0, 0, 0.5]]
    assert np.isfinite(decode(path).excerpts[0]).all()


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_truncated_file_is_heard_as_far_as_it_goes(
    tmp_path: Path, happy_track: Path, share: float
) -> None:
    """What is left of a file that was cut off is analysed."""
    data = happy_track.read_bytes()
    path = tmp_path / "cut.opus"
    path.write_bytes(data[: int(share * len(data))])
    assert sum(map(len, decode(path).excerpts)) > 5 * RATE


def test_mutated_files_never_surprise(tmp_path: Path, happy_track: Path) -> None:
    """Bytes changed at random give a signal or an AudioError, never anything else."""
    rng = np.random.default_rng(7)
    data = bytearray(happy_track.read_bytes()[:60_000])
    for round_ in range(40):
        broken = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 400)):
            broken[place] = rng.integers(256)
        path = tmp_path / f"{round_}.opus"
        path.write_bytes(broken)
        with suppress(AudioError):
            assert all(np.isfinite(excerpt).all() for excerpt in decode(path).excerpts)
