"""Unusual and broken files, made as they occur: a result or one clear sentence."""

from __future__ import annotations

import io
import struct
import wave
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from emotion_dj.app import model_registry
from emotion_dj.errors import AudioError
from emotion_dj.music.decode import RATE, decode, decode_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from emotion_dj.interfaces import AudioAnalyser

PCM, FLOAT = 1, 3


def wav(path: Path, values: np.ndarray, *, rate: int = 48_000, kind: int = PCM) -> Path:
    """Write samples (n, channels) of uint8 bytes, int16 or float32 as a WAV file by hand."""
    width = values.dtype.itemsize if values.ndim == 2 else values.shape[2]
    channels = values.shape[1]
    data = values.tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, kind, channels, rate),
        *(rate * channels * width, channels * width, 8 * width, b"data", len(data)),
    )
    path.write_bytes(head + data)
    return path


@pytest.fixture(scope="module")
def audio_model() -> AudioAnalyser:
    """Return our ear."""
    return model_registry.audio_model()


def seconds(path: Path) -> float:
    """Return how much was heard of a file."""
    return sum(map(len, decode(path).excerpts)) / RATE


def test_high_resolution(tmp_path: Path, samples: np.ndarray, audio_model: AudioAnalyser) -> None:
    """192 kHz and 24 bit: the same music as at 48 kHz and 16 bit."""
    piece = samples[:, 480_000:960_000].T
    many = np.round(np.repeat(piece, 4, axis=0) * (2**23 - 1)).clip(-(2**23), 2**23 - 1)
    low = many.astype("<i4")[..., None].view(np.uint8)[..., :3]
    path = wav(tmp_path / "high.wav", np.ascontiguousarray(low), rate=192_000)
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.name == "pcm_s24le"
    assert seconds(path) == pytest.approx(10, rel=0.01)
    plain = wav(tmp_path / "low.wav", (piece * 32_767).clip(-32_768, 32_767).astype("<i2"))
    high, usual = audio_model.analyse(path), audio_model.analyse(plain)
    assert high.features.tempo == pytest.approx(usual.features.tempo, rel=0.02)
    assert high.features.loudness == pytest.approx(usual.features.loudness, abs=0.5)


def test_float_files_with_numbers_that_are_none(
    tmp_path: Path, samples: np.ndarray, audio_model: AudioAnalyser
) -> None:
    """NaN and infinity in a float WAV are heard as silence between the music."""
    values = samples[:, :480_000].T.astype("<f4").copy()
    values[::1000] = np.nan
    values[1::1000, 0] = np.inf
    path = wav(tmp_path / "nan.wav", values, kind=FLOAT)
    assert all(np.isfinite(excerpt).all() for excerpt in decode(path).excerpts)
    heard = audio_model.analyse(path)
    assert np.isfinite([heard.affect.valence, heard.affect.arousal, heard.features.loudness]).all()
    nothing = wav(tmp_path / "nothing.wav", np.full((480_000, 2), np.nan, "<f4"), kind=FLOAT)
    with pytest.raises(AudioError, match="is silent"):
        audio_model.analyse(nothing)


def test_float_files_far_above_full_scale(tmp_path: Path, audio_model: AudioAnalyser) -> None:
    """Samples in the thousands, as a wrong export writes them, give numbers."""
    rng = np.random.default_rng(0)
    loud = rng.normal(0, 30_000, (240_000, 2)).astype("<f4")
    heard = audio_model.analyse(wav(tmp_path / "loud.wav", loud, kind=FLOAT))
    assert abs(heard.affect.arousal) <= 1


def test_clipped_noise(tmp_path: Path, audio_model: AudioAnalyser) -> None:
    """Noise driven into the stops is loud, and nothing worse."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 3, (480_000, 2)).clip(-1, 1)
    heard = audio_model.analyse(wav(tmp_path / "noise.wav", (noise * 32_767).astype("<i2")))
    assert heard.features.loudness > -6
    assert abs(heard.affect.valence) <= 1


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (48_000, 6), (11_025, 2)])
def test_telephones_and_cinemas(
    tmp_path: Path, samples: np.ndarray, audio_model: AudioAnalyser, rate: int, channels: int
) -> None:
    """8 kHz mono and six channels without a layout are analysed to the end."""
    one = samples[0, :: 48_000 // rate][: 6 * rate, None]
    values = (np.repeat(one, channels, 1) * 32_767).astype("<i2")
    heard = audio_model.analyse(wav(tmp_path / "music.wav", values, rate=rate))
    assert heard.features.tempo > 0


def _film(path: Path, samples: np.ndarray | None) -> Path:
    """Write two seconds of picture, with or without sound."""
    with av.open(str(path), "w") as out:
        picture = out.add_stream("mpeg4", rate=10, width=64, height=48)
        picture.pix_fmt = "yuv420p"
        sound = out.add_stream("aac", rate=48_000, layout="stereo") if samples is not None else None
        for turn in range(20):
            image = np.full((48, 64, 3), 12 * turn, np.uint8)
            out.mux(picture.encode(av.VideoFrame.from_ndarray(image)))
        out.mux(picture.encode(None))
        if sound is not None:
            values = np.ascontiguousarray(samples, np.float32)
            frame = av.AudioFrame.from_ndarray(values, format="fltp", layout="stereo")
            frame.sample_rate = 48_000
            resampler = av.AudioResampler("fltp", "stereo", 48_000, sound.frame_size)
            for piece in (*resampler.resample(frame), *resampler.resample(None)):
                out.mux(sound.encode(piece))
            out.mux(sound.encode(None))
    return path


def test_films(tmp_path: Path, samples: np.ndarray) -> None:
    """The sound of a film is heard; a silent film is said to have none."""
    assert seconds(_film(tmp_path / "film.mp4", samples[:, :96_000])) == pytest.approx(2, abs=0.1)
    with pytest.raises(AudioError, match="has no audio in it"):
        decode(_film(tmp_path / "mute.mp4", None))


def test_what_is_locked_is_refused(
    tmp_path: Path, samples: np.ndarray, write: Callable[..., Path]
) -> None:
    """A file whose sound is encrypted, as a music shop sold it, gets one sentence."""
    data = write(tmp_path / "song.m4a", samples[:, :480_000]).read_bytes()
    head, mark, sound = data.partition(b"mdat")
    sound, rest, tail = sound.partition(b"moov")
    noise = np.random.default_rng(0).bytes(len(sound) - 4)
    path = tmp_path / "locked.m4a"
    path.write_bytes((head + mark + noise + sound[-4:] + rest + tail).replace(b"mp4a", b"drms", 1))
    for hear in (decode, lambda path: list(decode_whole(path))):
        with pytest.raises(AudioError, match=r"^locked.m4a .*$"):
            hear(path)


def test_a_codec_that_nobody_knows(tmp_path: Path) -> None:
    """A stream without a decoder, as found by mutating files, is said to be one."""
    with wave.open(str(tmp_path / "music.wav"), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(b"\1\2" * 96_000)
    data = bytearray((tmp_path / "music.wav").read_bytes())
    data[34:36] = b"\0\0"  # bits per sample
    (tmp_path / "music.wav").write_bytes(data)
    with pytest.raises(AudioError, match="cannot be decoded here"):
        decode(tmp_path / "music.wav")


def test_a_file_that_shrinks_while_it_is_read(
    tmp_path: Path, samples: np.ndarray, write: Callable[..., Path]
) -> None:
    """A download that starts over under the reader is heard as far as it was there."""
    path = write(tmp_path / "music.flac", samples[:, :480_000])
    whole = path.stat().st_size

    class Shrinking(io.FileIO):
        """A real file that is cut to a third once a half of it was read."""

        def read(self, count: int = -1) -> bytes:
            """Read on, and cut."""
            if self.tell() > whole // 2:
                with path.open("rb+") as other:
                    other.truncate(whole // 3)
            return super().read(count) or b""

    with Shrinking(path) as file:
        assert 1 < sum(map(len, decode(file).excerpts)) / RATE < 10.1
    assert path.stat().st_size == whole // 3
