"""What files of every container say of themselves, in whatever bytes."""

from __future__ import annotations

import base64
import io
import random
import struct
from typing import TYPE_CHECKING

import av
import mutagen
import numpy as np
import pytest
from mutagen.flac import Picture
from mutagen.id3 import TXXX, UFID
from PIL import Image as Pillow

from emotion_dj.sources import apev2, metadata
from emotion_dj.sources.metadata import Metadata
from emotion_dj.sources.text_guess import guess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CODECS = {"mp3": "libmp3lame", "flac": "flac", "m4a": "aac", "ogg": "libopus", "mka": "flac"}
CODECS |= {"opus": "libopus", "wav": "pcm_s16le", "aiff": "pcm_s16be", "wma": "wmav2", "mov": "aac"}
CODECS |= {"webm": "libopus", "wv": "wavpack", "tta": "tta", "mp2": "mp2"}
RECORDING = "f3ef5f4b-2a04-4a0a-9e0f-1a2b3c4d5e6f"
TAGGED = [name for name in CODECS if name != "mp2"]  # FFmpeg puts no tags there


def tone(path: Path, tags: Mapping[str, str] | None = None, **options: str) -> Path:
    """Write two seconds of a tone in the container that the suffix names, with tags."""
    suffix = path.suffix[1:]
    options |= {"write_id3v2": "1"} if suffix == "aiff" else {}
    rate = 44_100 if suffix == "wma" else 48_000
    with av.open(str(path), "w", options=options) as out:
        stream = out.add_stream(CODECS[suffix], rate=rate)
        stream.layout = "stereo"
        stream.bit_rate = 128_000
        for name, value in (tags or {}).items():
            out.metadata[name] = value
        wave = np.sin(np.arange(96_000, dtype=np.float32) / 20)[np.newaxis] / 4
        fifo = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=rate)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            fifo.write(piece)
        while block := fifo.read(stream.codec_context.frame_size or 1024, partial=True):
            out.mux(stream.encode(block))
        out.mux(stream.encode(None))
    return path


def id3v1(title: bytes, artist: bytes) -> bytes:
    """Return the 128 bytes of an ID3v1 tag."""
    return struct.pack("<3s30s30s30s4s30sB", b"TAG", title, artist, b"", b"1999", b"", 12)


def ape(fields: Mapping[str, bytes], *, flags: int = 0) -> bytes:
    """Return an APEv2 tag: items and footer."""
    items = b"".join(
        struct.pack("<2I", len(value), flags) + key.encode() + b"\0" + value
        for key, value in fields.items()
    )
    footer = struct.pack("<8s4I8x", b"APETAGEX", 2000, len(items) + 32, len(fields), 0)
    return items + footer


@pytest.mark.parametrize("suffix", TAGGED)
def test_title_and_artist_of_every_container(tmp_path: Path, suffix: str) -> None:
    """Any container that FFmpeg tags is read, whichever reader it takes, with its duration."""
    tags = {"title": "Real Title", "artist": "Real Artist"}
    found = metadata.read(tone(tmp_path / f"a.{suffix}", tags))
    assert (found.title, found.artists) == ("Real Title", ("Real Artist",))
    assert found.duration == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("suffix", ["mp3", "aiff", "flac", "opus", "m4a", "wma", "mp2"])
def test_the_recording_is_known_by_musicbrainz(tmp_path: Path, suffix: str) -> None:
    """Its id as Picard writes it into each format; that of a track on a release is another."""
    path = tone(tmp_path / f"a.{suffix}")
    named = {"flac": "musicbrainz_trackid", "opus": "MUSICBRAINZ_TRACKID"}
    named |= {"m4a": "----:com.apple.iTunes:MusicBrainz Track Id", "wma": "MusicBrainz/Track Id"}
    if suffix == "mp2":
        fields = {"Title": b"T", "MUSICBRAINZ_TRACKID": RECORDING.encode()}
        path.write_bytes(path.read_bytes() + ape(fields))
    else:
        file = mutagen.File(path)
        if file.tags is None:
            file.add_tags()
        if suffix in named:
            file.tags[named[suffix]] = [RECORDING.encode() if suffix == "m4a" else RECORDING]
        else:
            file.tags.add(UFID(owner="http://example.org", data=RECORDING[::-1].encode()))
            file.tags.add(UFID(owner="http://musicbrainz.org", data=RECORDING.encode()))
            file.tags.add(TXXX(desc="MusicBrainz Release Track Id", text=RECORDING[::-1]))
        file.save()
    assert metadata.read(path).mbid == RECORDING


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Caf\xe9", "Café"),
        ("Café".encode(), "Café"),
        ("Виктор Цой".encode("cp1251"), "Виктор Цой"),
        ("さくらさくら".encode("shift_jis"), "さくらさくら"),
        ("Der Schöne Müller".encode("cp1252"), "Der Schöne Müller"),
        ("Été 67: Zoë".encode("cp1252"), "Été 67: Zoë"),
        (b"\x81\x8d", "\x81\x8d"),
        (b"", ""),
    ],
)
def test_bytes_that_nobody_names_are_guessed(raw: bytes, text: str) -> None:
    """UTF-8 first, then the script of whole words, then Western."""
    assert guess(raw) == text


def test_no_bytes_become_a_surrogate() -> None:
    """Whatever is guessed can be printed and stored."""
    draw = random.Random(1)  # noqa: S311 - the same bytes each time
    for _ in range(2_000):
        assert guess(draw.randbytes(draw.randint(0, 40))).encode("utf-8") is not None


@pytest.mark.parametrize(
    ("title", "text"),
    [
        (b"Caf\xe9", "Café"),
        ("Café".encode(), "Café"),
        ("Группа крови".encode("cp1251"), "Группа крови"),
    ],
)
def test_old_tags_of_mp3s_are_read_in_their_encoding(
    tmp_path: Path, title: bytes, text: str
) -> None:
    """ID3v1 names no encoding: an accent in it costs neither the song nor its title."""
    for path in (tone(tmp_path / "a.mp3", id3v2_version="0"), tone(tmp_path / "a.mp2")):
        path.write_bytes(path.read_bytes() + id3v1(title, b"X"))
        found = metadata.read(path)
        assert (found.title, found.artists) == (text, ("X",))


def test_info_of_a_wav_in_latin_1(tmp_path: Path) -> None:
    """A LIST chunk whose text is no UTF-8."""
    path = tone(tmp_path / "a.wav", {"title": "Cafe!"})
    path.write_bytes(path.read_bytes().replace(b"Cafe!", b"Caf\xe9!"))
    assert metadata.read(path).title == "Café!"


def test_apev2_on_an_mp3(tmp_path: Path) -> None:
    """Before an ID3v1 tag or at the very end; several artists; a cover is stepped over."""
    items = {"Title": "Élan".encode(), "Artist": b"A\0B", "ISRC": b"FR-X20-26-00001"}
    plain = tone(tmp_path / "plain.mp3", id3v2_version="0").read_bytes()
    for name, end in {"end.mp3": b"", "v1.mp3": id3v1(b"Old", b"Old")}.items():
        (tmp_path / name).write_bytes(plain + ape(items) + end)
        found = metadata.read(tmp_path / name)
        assert (found.title, found.artists, found.isrc) == ("Élan", ("A", "B"), "FRX202600001")
    binary = ape({"Cover Art (Front)": b"\0" * 100}, flags=2)
    assert apev2.read(io.BytesIO(binary)) == {}


def test_damaged_apev2_is_bounded(tmp_path: Path) -> None:
    """Sizes and counts that claim too much, and any byte changed: no error, no endless memory."""
    whole = ape({"Title": b"T" * 50, "Artist": b"A", "Album": b"L"})
    draw = random.Random(2)  # noqa: S311 - the same bytes each time
    for _ in range(3_000):
        broken = bytearray(b"audio" * draw.randint(0, 3) + whole)
        for _ in range(draw.randint(1, 4)):
            broken[draw.randrange(len(broken))] = draw.randrange(256)
        fields = apev2.read(io.BytesIO(bytes(broken[: draw.randint(0, len(broken))])))
        assert sum(map(len, fields)) < 1_000
    huge = struct.pack("<8s4I8x", b"APETAGEX", 2000, 2**32 - 1, 2**32 - 1, 0)
    assert apev2.read(io.BytesIO(b"x" * 100 + huge)) == {}
    assert tmp_path.exists()


def test_several_artists_and_blanks(tmp_path: Path) -> None:
    """Repeated fields are several artists, a slash is part of a name, blanks are nothing."""
    path = tone(tmp_path / "a.flac")
    tags = mutagen.File(path)
    tags.update(
        {"title": ["", "B"], "artist": ["AC/DC", "Ann; Bo", " "], "isrc": ["fr-x20-26-00001"]}
    )
    tags.save()
    found = metadata.read(path)
    assert (found.title, found.artists) == ("B", ("AC/DC", "Ann", "Bo"))
    assert found.isrc == "FRX202600001"
    tags = mutagen.File(path)
    tags.update({"artist": ["Ann & Bo"], "artists": ["Ann", "Bo"]})
    tags.save()
    assert metadata.read(path).artists == ("Ann", "Bo")
    tags = mutagen.File(path)
    for name in ("artist", "artists"):
        del tags[name]
    tags.update({"albumartist": ["Somebody"], "isrc": ["nonsense"]})
    tags.save()
    found = metadata.read(path)
    assert (found.artists, found.isrc) == (("Somebody",), "")


def test_what_is_no_audio_says_nothing(tmp_path: Path) -> None:
    """Text, nothing at all, and a file that is not there raise nothing."""
    for name, content in {"a.mp3": b"not music", "b.flac": b"", "c.ogg": b"OggS" * 9}.items():
        (tmp_path / name).write_bytes(content)
        assert metadata.read(tmp_path / name) == Metadata()
        assert metadata.picture(tmp_path / name) is None
    assert metadata.read(tmp_path / "nowhere.mp3") == Metadata()


@pytest.mark.parametrize("suffix", ["mp3", "flac", "m4a", "opus", "wma", "wv", "mka"])
def test_damaged_files_raise_nothing(tmp_path: Path, suffix: str) -> None:
    """Bytes changed anywhere in the tags, and files cut short, in every reader."""
    whole = tone(tmp_path / f"a.{suffix}", {"title": "T" * 40, "artist": "A"}).read_bytes()
    draw = random.Random(3)  # noqa: S311 - the same bytes each time
    path = tmp_path / f"b.{suffix}"
    for _ in range(40):
        broken = bytearray(whole)
        for _ in range(draw.randint(1, 20)):
            broken[draw.randrange(min(len(broken), 4_096))] = draw.randrange(256)
        path.write_bytes(broken[: draw.choice([len(broken), draw.randrange(len(broken))])])
        found = metadata.read(path)
        assert found.title.encode("utf-8") is not None
        assert found.duration is None or 0 < found.duration < metadata.MAX_SECONDS
        metadata.picture(path)


def test_the_front_cover_comes_first(tmp_path: Path) -> None:
    """Of two pictures the front one, whatever their order."""

    def drawn(colour: str) -> bytes:
        out = io.BytesIO()
        Pillow.new("RGB", (8, 8), colour).save(out, "PNG")
        return out.getvalue()

    path = tone(tmp_path / "a.opus")
    pictures = []
    for kind, colour in ((4, "red"), (3, "blue")):
        picture = Picture()
        picture.type, picture.mime, picture.data = kind, "image/png", drawn(colour)
        pictures.append(base64.b64encode(picture.write()).decode())
    tags = mutagen.File(path)
    tags["metadata_block_picture"] = pictures
    tags.save()
    assert metadata.picture(path) == drawn("blue")


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    "name", ["apev2_only.mp3", "tags_id3.wav", "tags.aiff", "tags.wma", "tags.webm"]
)
def test_cases_that_were_not_read_are(shared: Path, name: str) -> None:
    """Files that collectors have, whose titles an earlier version did not see."""
    found = metadata.read(shared / "cases" / "music" / name)
    assert (found.title, found.artists) == ("RealTitle", ("RealArtist",))


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", ["v1_latin1.mp3", "v1_utf8.mp3", "info_latin1.wav"])
def test_cases_in_old_encodings_are_read(shared: Path, name: str) -> None:
    """One byte over 0x7F costs neither the title nor the song."""
    assert metadata.read(shared / "cases" / "music" / name).title == "Café"


@pytest.mark.parametrize(
    ("date", "year"),
    [("1997", 1997), ("2004-03-12", 2004), ("12.03.2004", 2004), ("20040312", 2004), ("97", None)],
)
def test_years_are_found_in_dates(date: str, year: int | None) -> None:
    """A year has four digits, wherever it stands in a date."""
    assert metadata.year_of(["", date]) == year
