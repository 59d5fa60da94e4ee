"""Every audio file users have, and every way for one to be broken."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from av.stream import Disposition

from emotion_dj.domain import Section
from emotion_dj.errors import AudioError
from emotion_dj.music.decode import EXCERPT_S, PLACES, RATE, decode, decode_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIGNAL_S = len(PLACES) * EXCERPT_S
"""How much of a track one Signal holds."""


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


@pytest.mark.needs_shared
def test_a_hidden_track_does_not_silence_an_album(
    tmp_path: Path, samples: np.ndarray, write: Callable[..., Path], shared: Path
) -> None:
    """Where excerpts fall into silence others are looked for: what sounds is judged."""
    music = samples[:1, : 20 * 48_000 : 6]
    silence = np.zeros((1, 250 * 8_000), np.float32)
    gap = np.concatenate([music, silence, music[:, : 5 * 8_000]], axis=1)
    late = np.concatenate([silence, silence, music[:, : 2 * 8_000], silence], axis=1)
    for path in (
        write(tmp_path / "gap.flac", gap, 8_000, "mono"),
        write(tmp_path / "late.flac", late, 8_000, "mono"),
        shared / "cases" / "music" / "hidden_track.flac",
    ):
        signal = decode(path)
        ends = [end for part in signal.excerpts for end in (part[:RATE], part[-RATE:])]
        assert min(np.abs(end).max() for end in ends) > 1e-5, path
        assert all(len(part) > RATE for part in signal.excerpts)


def claiming(path: Path, samples: int) -> Path:
    """Let the header of a FLAC file claim so many samples, 36 bits of its STREAMINFO."""
    data = bytearray(path.read_bytes())
    head = int.from_bytes(data[18:26], "big") >> 36 << 36
    data[18:26] = (head | samples).to_bytes(8, "big")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("seconds", [20, 100])
def test_a_header_that_claims_too_much_is_not_believed(
    tmp_path: Path, samples: np.ndarray, write: Callable[..., Path], seconds: int
) -> None:
    """A file that claims an hour is heard as far as it goes, with its own duration."""
    music = np.tile(samples[:1, ::6], 5)[:, : seconds * 8_000]
    path = claiming(write(tmp_path / "song.flac", music, 8_000, "mono"), 3600 * 8_000)
    signal, whole = decode(path), list(decode_whole(path))
    assert sum(map(len, signal.excerpts)) / RATE == pytest.approx(min(seconds, 45), abs=0.1)
    for heard in (signal, *whole):
        assert heard.duration == pytest.approx(seconds, abs=0.1)
        assert heard.measured
    excerpts = [len(excerpt) for heard in whole for excerpt in heard.excerpts]
    assert sum(excerpts) / RATE == pytest.approx(seconds, abs=1)


@pytest.mark.needs_shared
def test_the_case_that_claims_an_hour_is_heard(shared: Path) -> None:
    """Twenty seconds are there."""
    signal = decode(shared / "cases" / "music" / "claims_1h.flac")
    assert signal.duration == pytest.approx(20, abs=0.1)
    assert sum(map(len, signal.excerpts)) / RATE == pytest.approx(20, abs=0.1)


def tracks(path: Path, parts: list[np.ndarray], default: int = 0) -> Path:
    """Write mono samples at 8 kHz as audio tracks of one Matroska file, one of them the default."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libopus", rate=8_000, layout="mono") for _ in parts]
        for number, stream in enumerate(streams):
            stream.disposition = Disposition.default if number == default else Disposition.dub
        for stream, samples in zip(streams, parts, strict=True):
            resampler = av.AudioResampler(stream.format, "mono", 8_000, 160)
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate = 8_000
            for piece in (*resampler.resample(frame), *resampler.resample(None)):
                container.mux(stream.encode(piece))
            container.mux(stream.encode(None))
    return path


def test_the_default_track_is_heard(tmp_path: Path, samples: np.ndarray) -> None:
    """Of several audio tracks the one that a player would play, not a commentary before it."""
    music = np.ascontiguousarray(samples[:1, : 10 * 48_000 : 6])
    for default in (0, 1):
        parts = [np.zeros_like(music), np.zeros_like(music)]
        parts[default] = music
        assert loudest(tracks(tmp_path / f"{default}.mka", parts, default)) > 0.01


def test_a_stream_without_length_is_heard_all_along(tmp_path: Path, samples: np.ndarray) -> None:
    """A recording that was broken off says nothing of its length: its end counts all the same."""
    music = np.ascontiguousarray(np.tile(samples[:1, ::6], 5)[:, : 150 * 8_000])
    music[:, : 100 * 8_000] *= 0.01
    path = tracks(tmp_path / "live.mka", [music])
    data = path.read_bytes().replace(b"DURATION", b"ANYTHING")
    at = data.index(b"\x44\x89")  # EBML's Duration
    path.write_bytes(data[:at] + b"\xec\x89" + data[at + 2 :])  # becomes Void
    with av.open(str(path)) as container:
        assert container.duration is None
    assert decode(path).duration == pytest.approx(150, abs=0.1)
    assert loudest(path) > 0.05


def test_a_section_is_heard_as_if_it_were_a_file(
    tmp_path: Path, samples: np.ndarray, write: Callable[..., Path]
) -> None:
    """Exactly from where it begins to where it ends, by excerpts and whole."""
    music = np.tile(samples, 4)[:, : 100 * 48_000]
    path = write(tmp_path / "album.flac", music)
    cut = write(tmp_path / "cut.flac", music[:, 10 * 48_000 : 90 * 48_000])
    section = Section(path, 10.0, 90.0)
    assert decode(section).duration == pytest.approx(80)
    for one, other in zip(decode(section).excerpts, decode(cut).excerpts, strict=True):
        assert np.allclose(one, other, atol=1e-3)
    lengths = [sum(map(len, signal.excerpts)) / RATE for signal in decode_whole(section)]
    assert lengths == pytest.approx([SIGNAL_S, 80 - SIGNAL_S], abs=0.01)
    assert decode(Section(path, 70.0)).duration == pytest.approx(30)


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
    second, silence = 48_000, np.zeros((2, int(SIGNAL_S * 48_000)), np.float32)
    music = np.tile(samples, 5)[:, : 150 * second]
    signals = list(decode_whole(write(tmp_path / "long.flac", music)))
    lengths = [sum(map(len, signal.excerpts)) / RATE for signal in signals]
    assert lengths == pytest.approx([SIGNAL_S] * 3 + [150 - 3 * SIGNAL_S], abs=0.01)
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


def test_numbers_that_are_none_are_heard_as_silence(tmp_path: Path, samples: np.ndarray) -> None:
    """NaN and infinite samples of a float file harm nothing, and what is around them is heard."""
    values = samples[:1, :480_000].astype(np.float32)
    values[0, 1000], values[0, 2000] = np.nan, np.inf
    path = tmp_path / "music.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(values, format="flt", layout="mono")
        frame.sample_rate = 48_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    heard = decode(path).excerpts[0]
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() == pytest.approx(np.nanmax(np.abs(samples[0, :480_000])), rel=0.1)


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
