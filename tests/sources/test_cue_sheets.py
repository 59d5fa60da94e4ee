"""Albums that are one long file, with a CUE sheet beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from emotion_dj.domain import Section
from emotion_dj.music import mix
from emotion_dj.music.decode import decode
from emotion_dj.sources.cue_sheets import parse
from emotion_dj.sources.local import Local
from emotion_dj.sources.playlist_files import Playlists, uris

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.domain import Track

RATE = 44_100
HERTZ = (300, 500, 700)
SHEET = """REM GENRE "Trip Hop"
REM DATE 1998
PERFORMER "Various"
TITLE "Three Tones"
FILE "C:\\Rips\\album.wav" WAVE
  TRACK 01 AUDIO
    TITLE "Low"
    PERFORMER "Ann"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Größe"
    INDEX 00 00:04:00
    INDEX 01 00:05:15
  TRACK 03 AUDIO
    INDEX 01 00:12:00
"""
TIMES = ((0.0, 5.2), (5.2, 12.0), (12.0, None))


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Write a FLAC of 20 seconds in three tones, each from where the sheet says, and the sheet."""
    time = np.arange(20 * RATE) / RATE
    hertz = np.select([time < 5.2, time < 12], HERTZ[:2], HERTZ[2])
    tone = (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
    path = tmp_path / "music" / "album.flac"
    path.parent.mkdir()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono")
        resampler = av.AudioResampler(stream.format, "mono", RATE, 4096)
        frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
        frame.sample_rate = RATE
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    path.with_suffix(".cue").write_bytes(SHEET.encode("cp1252"))
    return path


def found(album: Path) -> tuple[Local, list[Track]]:
    """Return the source of an album's folder, and what is in it."""
    source = Local((album.parent,))
    return source, list(source.tracks())


def pitch(samples: np.ndarray, rate: int) -> float:
    """Return the loudest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate / len(samples))


def test_a_sheet_makes_tracks_of_its_file(album: Path) -> None:
    """Title, performer, album, genre, year and length are those of the sheet, whatever encoding."""
    source, tracks = found(album)
    told = [source.describe(track) for track in tracks]
    assert [track.title for track in told] == ["Low", "Größe", "album 3"]
    assert [track.artists for track in told] == [("Ann",), ("Various",), ("Various",)]
    assert {(t.album, t.genres, t.year) for t in told} == {("Three Tones", ("Trip Hop",), 1998)}
    assert [track.duration for track in told] == pytest.approx([5.2, 6.8, 8.0], abs=0.01)
    assert [track.section for track in told] == [Section(album, *times) for times in TIMES]
    assert {track.path for track in told} == {album}
    assert len({source.fingerprint(track) for track in told}) == 3


def test_each_is_heard_from_where_it_begins_to_where_it_ends(album: Path) -> None:
    """Nothing of a neighbour is in what is analysed."""
    source, tracks = found(album)
    for track, hertz, (begin, end) in zip(tracks, HERTZ, TIMES, strict=True):
        with source.open(track) as audio:
            (excerpt,) = decode(audio).excerpts
        assert len(excerpt) / 22_050 == pytest.approx((end or 20) - begin, abs=0.01)
        for part in (excerpt[:4096], excerpt[-4096:]):
            assert pitch(part, 22_050) == pytest.approx(hertz, abs=6)


def test_a_corrected_sheet_is_read_again(album: Path) -> None:
    """A new title changes the track's mark, and no other's."""
    source, before = found(album)
    sheet = album.with_suffix(".cue")
    sheet.write_bytes(sheet.read_bytes().replace(b"Low", b"Lower"))
    _, after = found(album)
    assert [track.uri for track in before] == [track.uri for track in after]
    changed = [
        source.modification_tag(a) != source.modification_tag(b)
        for a, b in zip(before, after, strict=True)
    ]
    assert changed == [True, False, False]


def test_each_is_mixed_alone(album: Path) -> None:
    """A mix takes the samples of a track from where it begins to where it ends."""
    source, tracks = found(album)
    for track, hertz, (begin, end) in zip(tracks, HERTZ, TIMES, strict=True):
        with source.open(track) as audio:
            samples = mix.stereo(audio)
        assert samples.shape[1] / mix.RATE == pytest.approx((end or 20) - begin, abs=0.01)
        assert pitch(samples[0], mix.RATE) == pytest.approx(hertz, abs=6)


@pytest.mark.parametrize(
    "sheet",
    [
        *(b"", b"\xff\x00" * 99, b'FILE "album.flac" WAVE\n', b"INDEX 01 99:99:99\n" * 9),
        b'FILE "other.flac" WAVE\nTRACK 01 AUDIO\nTRACK 02 AUDIO\n',
        b'FILE "album.flac" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n',
        b"FILE album.flac WAVE\nTRACK 1 AUDIO\nINDEX 01 09:00:00\nTRACK 2 AUDIO\nINDEX 01 00:00:00",
    ],
)
def test_a_sheet_that_divides_nothing_changes_nothing(album: Path, sheet: bytes) -> None:
    """Of a broken sheet, or one of a single track, the file stays one track."""
    album.with_suffix(".cue").write_bytes(sheet)
    (track,) = found(album)[1]
    assert (track.section, track.path) == (None, album)


def test_one_file_for_each_track_is_no_album_in_one() -> None:
    """A sheet may name many files; values may stand without quotes."""
    sheets = parse("FILE a b.wav WAVE\nTRACK 01 AUDIO\nTITLE One two\nFILE c.wav WAVE\n")
    assert {name: len(sheet.entries) for name, sheet in sheets.items()} == {
        "a b.wav": 1,
        "c.wav": 0,
    }
    assert sheets["a b.wav"].entries[0].words["TITLE"] == "One two"


def test_a_file_that_is_named_alone_is_divided_as_its_folder_would(album: Path) -> None:
    """As a root, and of a playlist, which may list the sheet in place of the file."""
    tracks = found(album)[1]
    assert list(Local((album,)).tracks()) == tracks
    sheet = album.with_suffix(".cue")
    listed = album.with_name("list.m3u")
    for path, line in ((sheet, ""), (listed, "album.flac"), (listed, "album.cue\nalbum.flac")):
        if path == listed:
            path.write_text(line)
        assert list(Playlists((), "playlists", (path,)).listing()) == tracks
        assert uris(path) >= {track.uri for track in tracks}


@pytest.mark.parametrize(
    "line",
    ["album.flac#t=5.2,12", "#EXTVLCOPT:start-time=5.200\n#EXTVLCOPT:stop-time=12\nalbum.flac"],
)
def test_a_part_that_a_playlist_lists_is_meant_alone(album: Path, line: str) -> None:
    """By a media fragment, or as VLC says it, and as our own playlists are written."""
    path = album.with_name("list.m3u")
    path.write_text(line)
    assert list(Playlists((), "playlists", (path,)).listing()) == found(album)[1][1:2]


def test_a_start_that_is_no_tracks_hides_no_song(album: Path) -> None:
    """Who has VLC skip an introduction still has the song."""
    album.with_suffix(".cue").unlink()
    path = album.with_name("list.m3u")
    path.write_text("#EXTVLCOPT:start-time=3\nalbum.flac\n")
    assert list(Playlists((), "playlists", (path,)).listing()) == found(album)[1]


def test_a_sheet_of_one_file_for_each_track_lists_those(album: Path) -> None:
    """As a playlist does; no other file of the folder is taken for one that is not there."""
    (album.parent / "two.flac").write_bytes(b"sound")
    sheet = album.with_suffix(".cue")
    sheet.write_text("FILE two.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nFILE gone.wav WAVE\n")
    (track,) = Playlists((), "playlists", (sheet,)).listing()
    assert track.uri == (album.parent / "two.flac").as_uri()
