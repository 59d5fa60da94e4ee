"""What browsers do not play, as Opus that is made while it is sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from mutagen.oggopus import OggOpus

from emotion_dj.domain import Section
from emotion_dj.errors import AudioError
from emotion_dj.music import transcoding
from emotion_dj.music.transcoding import OpusRendition, rendition

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]


def whole(made: OpusRendition | None) -> bytes:
    """Return all bytes of a rendition, as many as it promised."""
    assert made is not None
    data = b"".join(made.blocks(0, made.size))
    assert len(data) == made.size
    return data


def heard(data: bytes) -> np.ndarray:
    """Return what a player hears: float32 (2, n) at 48 kHz."""
    with av.open(BytesIO(data)) as container:
        return np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=1)


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory, samples: np.ndarray, write: Write) -> Path:
    """Return 25 seconds of music in AIFF, at 44.1 kHz as most music is."""
    return write(tmp_path_factory.mktemp("song") / "song.aiff", samples[:, : 25 * 44_100], 44_100)


@pytest.mark.parametrize(
    ("suffix", "made"),
    [
        *((".mp3", 0), (".flac", 0), (".wav", 0), (".m4a", 0), (".opus", 0)),
        *((".aiff", 1), (".ac3", 1), (".wv", 1)),
    ],
)
def test_what_browsers_play_goes_as_it_is(
    tmp_path: Path, samples: np.ndarray, write: Write, suffix: str, made: int
) -> None:
    """Only what they do not play is made anew."""
    path = write(tmp_path / f"song{suffix}", samples[:, :96_000])
    assert (rendition(path) is not None) == bool(made)


def test_the_container_alone_does_not_tell(tmp_path: Path, samples: np.ndarray) -> None:
    """ALAC in an .m4a and float samples in a .wav are converted."""
    for name, codec, kind in (("a.m4a", "alac", "s16p"), ("b.wav", "pcm_f32le", "flt")):
        with av.open(str(tmp_path / name), "w") as container:
            stream = container.add_stream(codec, rate=48_000, layout="stereo")
            stream.format = kind
            resampler = av.AudioResampler(kind, "stereo", 48_000, stream.frame_size or 4096)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[:, :96_000]), format="fltp", layout="stereo"
            )
            frame.sample_rate = 48_000
            for piece in (*resampler.resample(frame), *resampler.resample(None)):
                container.mux(stream.encode(piece))
            container.mux(stream.encode(None))
        assert heard(whole(rendition(tmp_path / name))).shape[1] == pytest.approx(96_000, abs=960)


def test_it_sounds_as_the_file_does(song: Path, samples: np.ndarray) -> None:
    """As long and as loud, without a step where one encoder follows another; Ogg readers agree."""
    data = whole(rendition(song))
    assert OggOpus(BytesIO(data)).info.length == pytest.approx(25, abs=1e-3)
    sound = heard(data)[:, : 25 * 48_000]
    at_48k = transcoding.as_stereo([samples[:, : 25 * 44_100]], _Like(), 48_000)
    error = np.square(sound - at_48k).reshape(2, -1, 1920).sum(axis=(0, 2))
    power = np.square(at_48k).sum() / error.size
    assert error.mean() < power / 100
    assert error[[249, 250, 499, 500]].max() < np.percentile(error, 99)


class _Like:
    """What `as_stereo` asks of a recording."""

    rate = 44_100
    stream = type("Stream", (), {"codec_context": type("Codec", (), {"layout": "stereo"})})


def test_a_range_holds_the_bytes_of_the_whole(song: Path) -> None:
    """Wherever a player goes on, a decoder of its own begins there and nothing differs."""
    made = rendition(song)
    data = whole(made)
    assert made is not None
    for first in (0, 46, 47, 100, 5_000, 202_000, 202_500, 400_000, len(data) - 7):
        length = min(9_000, len(data) - first)
        assert b"".join(made.blocks(first, length)) == data[first : first + length], first


def test_a_section_is_a_track(song: Path) -> None:
    """From where it begins to where it ends, of a file that browsers would play too."""
    part = rendition(Section(song, 5.0, 17.5))
    everything = heard(whole(rendition(song)))
    sound = heard(whole(part))
    assert sound.shape[1] == pytest.approx(12.5 * 48_000, abs=960)
    there = everything[0, 5 * 48_000 : 6 * 48_000]
    assert np.corrcoef(sound[0, :48_000], there)[0, 1] > 0.98


def test_as_many_encode_at_once_as_there_are_cores(
    song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others wait for a turn, and all of them get everything."""
    monkeypatch.setattr(transcoding, "_ENCODERS", BoundedSemaphore(1))
    encode, lock = transcoding._encoded, Lock()

    def alone(samples: np.ndarray) -> list[bytes]:
        assert lock.acquire(blocking=False)
        try:
            return encode(samples)
        finally:
            lock.release()

    monkeypatch.setattr(transcoding, "_encoded", alone)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: whole(rendition(song)), range(4)))) == 1


def test_what_is_no_audio_is_said(tmp_path: Path) -> None:
    """A file that is damaged, or gone."""
    (tmp_path / "a.aiff").write_bytes(b"no music " * 99)
    for name in ("a.aiff", "none.wv"):
        with pytest.raises(AudioError, match=name):
            rendition(tmp_path / name)


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", ["alac.m4a", "sacd.dsf", "tags.wma", "tags.aiff"])
def test_real_cases_are_made_into_what_plays(shared: Path, name: str) -> None:
    """What other programs wrote comes as long as it is."""
    made = rendition(shared / "cases" / "music" / name)
    assert made is not None
    assert heard(whole(made)).shape[1] / 48_000 == pytest.approx(made.seconds, abs=0.02)
