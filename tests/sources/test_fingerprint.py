"""The mark of a file's audio: tags do not change it, sound does."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import av
import mutagen
import numpy as np
import pytest
from mutagen.apev2 import APEv2
from mutagen.flac import Picture
from mutagen.id3 import TIT2, TXXX

from emotion_dj.sources import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

RATE = 48_000
FORMATS = {
    "flac": "flac",
    "mp3": "libmp3lame",
    "opus": "libopus",
    "m4a": "aac",
    "wav": "pcm_s16le",
    "aiff": "pcm_s16be",
    "wma": "wmav2",
}
LONG = "words " * 20_000
"""A tag of several pages of Ogg."""


def sound(path: Path, codec: str, *, seed: int = 0) -> Path:
    """Write ten seconds of noise."""
    noise = np.random.default_rng(seed).normal(0, 0.1, (1, 10 * RATE)).astype(np.float32)
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="mono")
        frame.sample_rate = RATE
        stream.bit_rate = 96_000
        size = stream.frame_size or 1024
        resampler = av.AudioResampler(stream.format, "mono", RATE, size)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


def tag(path: Path) -> None:
    """Write tags, long ones and a picture where there can be one, as a tag editor does."""
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    if path.suffix in {".mp3", ".wav", ".aiff"}:
        file.tags.add(TIT2(text="Another title"))
        file.tags.add(TXXX(desc="long", text=LONG))
    elif path.suffix == ".m4a":
        file.tags["\xa9nam"], file.tags["\xa9lyr"] = "Another title", LONG
    else:
        file.tags["title"], file.tags["description"] = ["Another title"], [LONG]
    if path.suffix == ".flac":
        picture = Picture()
        picture.data = bytes(300_000)
        file.add_picture(picture)
    file.save()


@pytest.mark.parametrize("suffix", FORMATS)
def test_tags_change_nothing_and_sound_does(tmp_path: Path, suffix: str) -> None:
    """Of every form that can be tagged; another recording in the same form has another mark."""
    path = sound(tmp_path / f"a.{suffix}", FORMATS[suffix])
    before = fingerprint.of(path)
    size = path.stat().st_size
    tag(path)
    assert path.stat().st_size > size + 100_000
    assert fingerprint.of(path) == before
    assert fingerprint.of(sound(tmp_path / f"b.{suffix}", FORMATS[suffix], seed=1)) != before


def test_tags_of_old_forms_change_nothing(tmp_path: Path) -> None:
    """APEv2 and ID3v1 behind an MP3."""
    path = sound(tmp_path / "a.mp3", "libmp3lame")
    before = fingerprint.of(path)
    old = APEv2()
    old["Title"] = "Another title"
    old.save(path)
    assert fingerprint.of(path) == before
    with path.open("ab") as file:
        file.write(b"TAG" + bytes(125))
    assert fingerprint.of(path) == before


def test_flac_without_a_sum_is_hashed(tmp_path: Path) -> None:
    """Some programs leave the MD5 empty: then the bytes decide."""
    marks = set()
    for seed in (0, 1):
        path = sound(tmp_path / f"{seed}.flac", "flac", seed=seed)
        data = bytearray(path.read_bytes())
        data[26:42] = bytes(16)
        path.write_bytes(data)
        marks.add(fingerprint.of(path))
    assert len(marks) == 2
    assert not any(mark.startswith("flac-") for mark in marks)


@pytest.mark.parametrize("suffix", FORMATS)
def test_damaged_files_have_a_mark(tmp_path: Path, suffix: str) -> None:
    """Cut anywhere, or with any byte changed, a file is read and nothing is raised."""
    path = sound(tmp_path / f"a.{suffix}", FORMATS[suffix])
    whole = path.read_bytes()
    chance = np.random.default_rng(0)
    broken = tmp_path / "broken"
    for place in chance.integers(0, 400, 60).tolist():
        broken.write_bytes(whole[:place])
        assert fingerprint.of(broken)
        broken.write_bytes(
            whole[:place] + bytes(chance.integers(0, 256, 8).tolist()) + whole[place + 8 :][:9999]
        )
        assert fingerprint.of(broken)


def test_a_copy_has_the_same_mark(tmp_path: Path) -> None:
    """Whatever it is called."""
    path = sound(tmp_path / "a.mp3", "libmp3lame")
    shutil.copy(path, tmp_path / "copy.bin")
    assert fingerprint.of(tmp_path / "copy.bin") == fingerprint.of(path)
