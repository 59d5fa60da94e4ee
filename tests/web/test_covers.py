"""Covers out of real audio files of every kind that carries pictures."""

from __future__ import annotations

import base64
import io
import shutil
from typing import TYPE_CHECKING

import av
import mutagen
import numpy as np
import patient
import pytest
from mutagen.flac import Picture
from mutagen.id3 import APIC
from mutagen.mp4 import MP4Cover
from PIL import Image as Pillow

from emotion_dj.web.covers import MAX_BYTES, cover

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    Serve = Callable[..., AbstractContextManager[str]]

CODECS = {"mp3": "libmp3lame", "flac": "flac", "m4a": "aac", "opus": "libopus"}


def picture(colour: str, size: tuple[int, int] = (600, 400)) -> bytes:
    """Return a PNG of one colour."""
    out = io.BytesIO()
    Pillow.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def a_file(folder: Path, kind: str, *pictures: tuple[int, bytes]) -> Path:
    """Make two seconds of sound in this kind of file; pictures are (type, data), 3 is the front."""
    path = folder / f"song.{kind}"
    with av.open(str(path), "w") as out:
        stream = out.add_stream(CODECS[kind], rate=48_000)
        wave = np.sin(np.arange(96_000) / 30).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=48_000)
        fifo = av.AudioFifo()
        for ready in resampler.resample(frame):
            fifo.write(ready)
        while block := fifo.read(stream.codec_context.frame_size or 1024, partial=True):
            out.mux(stream.encode(block))
        out.mux(stream.encode(None))
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    for place, (role, data) in enumerate(pictures):
        made = Picture()
        made.type, made.mime, made.data, made.desc = role, "image/png", data, str(place)
        if kind == "mp3":
            file.tags.add(APIC(type=role, mime="image/png", data=data, desc=str(place)))
        elif kind == "flac":
            file.add_picture(made)
        elif kind == "m4a":
            file["covr"] = [*file.get("covr", ()), MP4Cover(data, MP4Cover.FORMAT_PNG)]
        else:
            held = file.get("metadata_block_picture", [])
            file["metadata_block_picture"] = [*held, base64.b64encode(made.write()).decode()]
    file.save()
    return path


@pytest.mark.parametrize("kind", CODECS)
def test_the_front_cover_comes_small(tmp_path: Path, kind: str) -> None:
    """Of several pictures the front cover, as a JPEG of at most 256 pixels."""
    pictures = (
        [(3, picture("red"))] if kind == "m4a" else [(4, picture("blue")), (3, picture("red"))]
    )
    found = cover(a_file(tmp_path, kind, *pictures))
    assert found is not None
    with Pillow.open(io.BytesIO(found)) as shown:
        assert (shown.format, shown.size) == ("JPEG", (256, 171))
        red, _, blue = shown.convert("RGB").getpixel((10, 10))
        assert red - blue > 200


@pytest.mark.parametrize("data", [b"<svg/>", b"", picture("red")[:60], bytes(MAX_BYTES + 1)])
def test_what_is_no_picture_is_not_sent(tmp_path: Path, data: bytes) -> None:
    """SVG, nothing, half a picture, a huge one: no cover."""
    assert cover(a_file(tmp_path, "flac", (3, data))) is None


def test_a_file_that_is_no_audio_has_no_cover(tmp_path: Path) -> None:
    """Neither has one that went away."""
    (tmp_path / "text.mp3").write_text("no music")
    assert cover(tmp_path / "text.mp3") is None
    assert cover(tmp_path / "gone.mp3") is None


def test_covers_are_served(serve: Serve, tmp_path: Path, demo_music: Path) -> None:
    """A track with a picture gives it, one without gives 204, an unknown one 404."""
    music = tmp_path / "music"
    music.mkdir()
    a_file(music, "mp3", (3, picture("red")))
    shutil.copy(next(demo_music.rglob("*.opus")), music)
    with (
        serve("--library", str(music), EMOTION_DJ_INCLUDE="short") as address,
        patient.Client(base_url=address) as client,
    ):
        picks = (
            client.post("/api/v1/sets", json={"mood": "calm"}).raise_for_status().json()["picks"]
        )
        answers = {pick["title"]: client.get(pick["cover"]) for pick in picks}
        assert client.get("/api/v1/tracks/999/cover").status_code == 404
    with_picture = answers.pop("song")
    assert with_picture.headers["content-type"] == "image/jpeg"
    assert with_picture.content.startswith(b"\xff\xd8")
    assert [answer.status_code for answer in answers.values()] == [204]
