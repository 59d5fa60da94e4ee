"""Long recordings with chapters, and sheets inside of files.

Only large files are looked into, so what is written here is blown up by zeros, which no player
minds.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import mutagen
import numpy as np
import pytest
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC, CueSheet, CueSheetTrack, CueSheetTrackIndex
from mutagen.id3 import CHAP, ID3, TIT2, TPE1

from emotion_dj.catalogue import Catalogue
from emotion_dj.music import transcoding
from emotion_dj.music.decode import decode
from emotion_dj.sources import chapters, tags
from emotion_dj.sources.local import Local
from emotion_dj.tagging import Tagging

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from emotion_dj.domain import Track

RATE = 48_000
HERTZ = (300, 500, 700)
BEGINS = (0.0, 5.2, 12.0)
TITLES = ("Low", "Größe", "High")
ENDS = (5.2, 12.0, 20.0)
SHEET = """PERFORMER "Bo"
TITLE "Tones"
TRACK 01 AUDIO
TITLE "Low"
INDEX 01 00:00:00
TRACK 02 AUDIO
TITLE "Größe"
INDEX 01 00:05:15
TRACK 03 AUDIO
TITLE "High"
INDEX 01 00:12:00
"""


def recording(path: Path, codec: str, begins: Sequence[float] = ()) -> Path:
    """Write 20 seconds in three tones, by Ann, with chapters that begin so."""
    path.parent.mkdir(exist_ok=True)
    time = np.arange(20 * RATE) / RATE
    tone = 0.3 * np.sin(2 * np.pi * np.select([time < 5.2, time < 12], HERTZ[:2], HERTZ[2]) * time)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        container.metadata.update({"artist": "Ann", "album": "Mix", "title": "All"})
        container.set_chapters(list(map(chapter, range(len(begins)), begins, (*begins[1:], 20.0))))
        stream.codec_context.open()
        resampler = av.AudioResampler(stream.format, "mono", RATE, stream.frame_size or 4096)
        frame = av.AudioFrame.from_ndarray(
            tone[None].astype(np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = RATE
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def chapter(number: int, begin: float, end: float) -> av.container.Chapter:
    """Return what PyAV writes as a chapter; those after the first three have no title."""
    title = {"title": TITLES[number]} if number < len(TITLES) else {}
    times = {"start": int(begin * 1000), "end": int(end * 1000), "time_base": Fraction(1, 1000)}
    return {"id": number + 1, **times, "metadata": title}


def large(path: Path) -> Path:
    """Make a file as large as those that are looked into; a tag at its end stays there."""
    data = path.read_bytes()
    end = data.find(b"APETAGEX")
    with path.open("r+b") as file:
        file.truncate(end if end > 0 else len(data))
        file.seek(chapters.LARGE_LOSSLESS if path.suffix in {".flac", ".wv"} else chapters.LARGE)
        file.write(data[end:] if end > 0 else b"\0")
    return path


def found(path: Path) -> list[Track]:
    """Return the described tracks of a file's folder."""
    source = Local((path.parent,))
    return list(map(source.describe, source.tracks()))


def pitch(samples: np.ndarray, rate: int) -> float:
    """Return the loudest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate / len(samples))


def heard(track: Track) -> tuple[float, float, float]:
    """Return how long a track is as it is analysed, and the pitch of its beginning and end."""
    with Local(()).open(track) as audio:
        (excerpt,) = decode(audio).excerpts
    ends = (pitch(excerpt[2048:6144], 22_050), pitch(excerpt[-6144:-2048], 22_050))
    return len(excerpt) / 22_050, *ends


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *(("a.mka", "libopus"), ("a.webm", "libopus"), ("a.opus", "libopus")),
        *(("a.m4a", "aac"), ("a.mp3", "libmp3lame")),
    ],
)
def test_chapters_are_tracks(tmp_path: Path, name: str, codec: str) -> None:
    """Each has its title, the file's artist and album, and sounds from its beginning to its end."""
    path = large(recording(tmp_path / name, codec, BEGINS))
    tracks = found(path)
    assert [track.title for track in tracks] == list(TITLES)
    assert {(track.artists, track.album) for track in tracks} == {(("Ann",), "Mix")}
    for track, hertz, begin, end in zip(tracks, HERTZ, BEGINS, ENDS, strict=True):
        assert track.section is not None
        assert track.section.begin == pytest.approx(begin, abs=0.001)
        seconds, *ends = heard(track)
        assert ends == pytest.approx([hertz, hertz], abs=6)
        if end < ENDS[-1]:
            assert seconds == pytest.approx(end - begin, abs=0.05)


def test_a_chapter_streams_alone(tmp_path: Path) -> None:
    """What a browser gets of it is it, from its beginning to its end."""
    track = found(large(recording(tmp_path / "a.m4a", "aac", BEGINS)))[1]
    assert track.section is not None
    rendition = transcoding.rendition(track.section)
    assert rendition is not None
    (tmp_path / "part.opus").write_bytes(b"".join(rendition.blocks(0, rendition.size)))
    (excerpt,) = decode(tmp_path / "part.opus").excerpts
    assert len(excerpt) / 22_050 == pytest.approx(6.8, abs=0.05)
    assert pitch(excerpt, 22_050) == pytest.approx(HERTZ[1], abs=6)


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        *(("few.mka", (0.0,)), ("short.mka", (0.0, 2.0, 9.0)), ("late.mka", (0.0, 5.0, 18.0))),
        *(("none.mka", ()), ("book.m4b", BEGINS)),
    ],
)
def test_what_is_not_divided_is_one_track(
    tmp_path: Path, name: str, begins: Sequence[float]
) -> None:
    """Of one chapter, or of moments; an audiobook stays whole."""
    codec = "aac" if name.endswith("m4b") else "libopus"
    (track,) = found(large(recording(tmp_path / name, codec, begins)))
    assert (track.section, track.title) == (None, "All")


def test_a_song_is_not_opened(tmp_path: Path) -> None:
    """What is as small as songs are stays one track; what is damaged does too."""
    path = recording(tmp_path / "a.mka", "libopus", BEGINS)
    assert len(found(path)) == 1
    path.write_bytes(b"no music")
    assert len(found(large(path))) == 1


def test_chapters_of_id3_are_sorted(tmp_path: Path) -> None:
    """A tag may hold them in any order, in any encoding; one without a title is numbered."""
    path = recording(tmp_path / "a.mp3", "libmp3lame")
    frames = ID3()
    frames.add(TPE1(encoding=3, text=["Ann"]))
    for number in (2, 0, 1):
        title = [TIT2(encoding=1, text=[TITLES[number]])] if number < 2 else []
        times = {"start_time": int(1000 * BEGINS[number]), "end_time": int(1000 * ENDS[number])}
        frames.add(CHAP(element_id=f"c{9 - number}", sub_frames=title, **times))
    frames.save(path)
    assert [track.title for track in found(large(path))] == ["Low", "Größe", "a 3"]


def test_comments_of_ogg_are_chapters(tmp_path: Path) -> None:
    """CHAPTER001 and CHAPTER001NAME, as OggDroid and others write them."""
    path = recording(tmp_path / "a.opus", "libopus")
    comments = mutagen.File(path)
    for number, (begin, title) in enumerate(zip(BEGINS, TITLES, strict=True), start=1):
        comments[f"CHAPTER{number:03}"] = f"00:00:{begin:06.3f}"
        comments[f"CHAPTER{number:03}NAME"] = title
    comments.save()
    assert [track.title for track in found(large(path))] == list(TITLES)


def test_the_block_of_a_flac_divides_it(tmp_path: Path) -> None:
    """The CD's table is in it, with a lead-out that is no track and codes that are no titles."""
    path = recording(tmp_path / "a.flac", "flac")
    flac = FLAC(path)
    flac.cuesheet = table = CueSheet.__new__(CueSheet)
    table.media_catalog_number, table.lead_in_samples = b"", 88_200
    table.compact_disc, table.tracks = True, []
    for number, begin in (*enumerate(BEGINS, start=1), (170, 20.0)):
        track = CueSheetTrack(number, int(begin * RATE), isrc=b"USABC1234567")
        track.indexes = [CueSheetTrackIndex(1, 0)] if number < 170 else []
        table.tracks.append(track)
    flac.save()
    tracks = found(large(path))
    assert [track.title for track in tracks] == ["a 1", "a 2", "a 3"]
    assert [heard(track)[1] for track in tracks] == pytest.approx(HERTZ, abs=6)


@pytest.mark.parametrize(("name", "codec"), [("a.flac", "flac"), ("a.wv", "wavpack")])
@pytest.mark.parametrize("head", ["", 'FILE "x.wav" WAVE\n'])
def test_a_sheet_in_a_tag_divides_its_file(
    tmp_path: Path, name: str, codec: str, head: str
) -> None:
    """Titles and performers are the sheet's; it may name a file, or none."""
    path = recording(tmp_path / name, codec)
    fields = FLAC(path) if codec == "flac" else APEv2()
    fields["CUESHEET"] = SHEET.replace("TRACK 01", f"{head}TRACK 01")
    fields.save(path)
    large(path)
    tracks = found(path)
    assert [track.title for track in tracks] == list(TITLES)
    assert {(track.artists, track.album) for track in tracks} == {(("Bo",), "Tones")}


def test_tags_of_before_are_taken_out_of_a_file_of_several_tracks(tmp_path: Path) -> None:
    """It was tagged as one; it is not again."""
    path = recording(tmp_path / "music" / "a.mp3", "libmp3lame", BEGINS)
    assert tags.write(path, {"MOOD": "Calm"})
    source = Local((large(path),))
    tagging = Tagging(Catalogue(tmp_path / "c.sqlite"), ["ear"])
    assert (len(list(source.tracks())), tagging.write([source]).changed) == (3, 0)
    assert [tagging.restore([source]).changed for _ in range(2)] == [1, 0]


def test_a_sheet_beside_a_file_is_believed_first(tmp_path: Path) -> None:
    """Somebody wrote it for this file."""
    path = large(recording(tmp_path / "a.mka", "libopus", BEGINS))
    path.with_suffix(".cue").write_text(
        "FILE a.mka WAVE\nTRACK 1 AUDIO\nTITLE One\nINDEX 01 00:00:00\n"
        "TRACK 2 AUDIO\nTITLE Two\nINDEX 01 00:09:00\n"
    )
    assert [track.title for track in found(path)] == ["One", "Two"]
    assert [track.title for track in Local((path,)).tracks()] == ["One", "Two"]
    path.with_suffix(".cue").unlink()
    assert [track.title for track in Local((path,)).tracks()] == list(TITLES)
