"""Whatever lies in the music, a browser gets something that it plays."""

from __future__ import annotations

import io
import os
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import httpx
import numpy as np
import patient
import pytest

from emotion_dj.sources.chapters import LARGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    Serve = Callable[..., AbstractContextManager[str]]


FORMS = {"alac.m4a": "alac", "float.wav": "pcm_f32le", "wavpack.wv": "wavpack"}
FORMS |= {"tta.tta": "tta", "wma.wma": "wmav2", "ac3.ac3": "ac3"}


CHAPTERS = [
    {
        "id": n,
        "start": 5 * n,
        "end": 12 if n else 5,
        "time_base": Fraction(1),
        "metadata": {"title": t},
    }
    for n, t in enumerate(("First", "Second"))
]


def song(path: Path, codec: str, chapters: Sequence[av.container.Chapter] = ()) -> Path:
    """Write twelve seconds of noise at 44.1 kHz."""
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 12 * 44_100)).astype(np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=44_100, layout="mono")
        stream.bit_rate = 128_000
        container.set_chapters(list(chapters))
        stream.codec_context.open()
        resampler = av.AudioResampler(stream.format, "mono", 44_100, stream.frame_size or 4096)
        frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="mono")
        frame.sample_rate = 44_100
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def streams(serve: Serve, tmp_path: Path) -> object:
    """Serve an AIFF, an MP3 and a FLAC that lies elsewhere without a suffix; give their streams."""
    music = tmp_path / "music"
    music.mkdir()
    song(music / "aiff.aiff", "pcm_s16be")
    song(music / "mp3.mp3", "libmp3lame")
    for name, codec in FORMS.items():
        song(music / name, codec)
    os.truncate(song(music / "mix.m4a", "aac", CHAPTERS), LARGE)
    song(tmp_path / "blob.flac", "flac").rename(tmp_path / "blob")
    (music / "link.flac").symlink_to(tmp_path / "blob")
    with serve("--library", str(music)) as address:
        httpx.get(f"{address}/api/v1/library/scan", timeout=120)
        found = patient.get(f"{address}/api/v1/tracks").json()["tracks"]
        yield {one["title"]: f"{address}/api/v1/tracks/{one['id']}/stream" for one in found}


def test_what_no_browser_plays_comes_as_opus(streams: dict[str, str]) -> None:
    """With a length, byte ranges and a HEAD, as a file would; a chapter comes without what is
    around it, others come as they are.
    """
    whole = patient.get(streams["aiff"])
    assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/ogg")
    with av.open(io.BytesIO(whole.content)) as container:
        assert container.streams.audio[0].codec_context.name in {"opus", "libopus"}
        assert container.duration == pytest.approx(12e6, rel=0.01)
    size = len(whole.content)
    part = patient.get(streams["aiff"], headers={"range": f"bytes={size - 50_000}-"})
    assert (part.status_code, part.content) == (206, whole.content[-50_000:])
    assert part.headers["content-range"] == f"bytes {size - 50_000}-{size - 1}/{size}"
    assert patient.get(streams["aiff"], headers={"range": f"bytes={size}-"}).status_code == 416
    head = httpx.head(streams["aiff"])
    assert (head.headers["content-length"], head.content) == (str(size), b"")
    chapter = patient.get(streams["Second"])
    assert chapter.headers["content-type"] == "audio/ogg"
    assert measured(io.BytesIO(chapter.content))[0] == pytest.approx(7.0, abs=0.05)
    assert patient.get(streams["mp3"]).headers["content-type"] == "audio/mpeg"
    linked = patient.get(streams["link"])
    assert (linked.status_code, linked.headers["content-type"]) == (200, "audio/flac")


def measured(audio: Path | io.BytesIO) -> tuple[float, float]:
    """Return the seconds of some audio, and its level in dB."""
    resampler = av.AudioResampler("flt", "mono", 48_000)
    with av.open(audio) as container:
        pieces = [p for f in container.decode(audio=0) for p in resampler.resample(f)]
        pieces += resampler.resample(None)
    samples = np.concatenate([piece.to_ndarray()[0] for piece in pieces])
    return len(samples) / 48_000, 10 * np.log10(np.square(samples).mean())


def test_what_comes_is_as_long_and_as_loud(streams: dict[str, str], tmp_path: Path) -> None:
    """Of every form, whole and from the middle."""
    for name in FORMS:
        place = streams[name.partition(".")[0]]
        whole = patient.get(place)
        assert whole.headers["content-type"] == "audio/ogg", name
        seconds, level = measured(tmp_path / "music" / name)
        assert measured(io.BytesIO(whole.content)) == (
            pytest.approx(seconds, abs=0.1),
            pytest.approx(level, abs=1.0),
        ), name
        part = patient.get(place, headers={"range": "bytes=99000-99999"})
        assert (part.status_code, part.content) == (206, whole.content[99_000:100_000]), name


def test_a_track_of_a_cue_sheet_is_sent_alone(serve: Serve, tmp_path: Path) -> None:
    """Only its own part of the album comes, and nothing else of the file is a track."""
    music = tmp_path / "music"
    music.mkdir()
    song(music / "album.flac", "flac")
    (music / "album.cue").write_text(
        'FILE "album.wav" WAVE\nTRACK 01 AUDIO\nTITLE "One"\nINDEX 01 00:00:00\n'
        'TRACK 02 AUDIO\nTITLE "Two"\nINDEX 01 00:05:00\n'
    )
    with serve("--library", str(music)) as address:
        httpx.get(f"{address}/api/v1/library/scan", timeout=120)
        tracks = patient.get(f"{address}/api/v1/tracks").json()["tracks"]
        assert sorted(track["title"] for track in tracks) == ["One", "Two"]
        for track, seconds in ((t, 5 if t["title"] == "One" else 7) for t in tracks):
            sent = patient.get(f"{address}/api/v1/tracks/{track['id']}/stream")
            with av.open(io.BytesIO(sent.content)) as container:
                assert container.duration == pytest.approx(seconds * 1e6, rel=0.01)
