"""Playlists of other players, opened as a library; the music is the demo's, in a folder of ours."""

from __future__ import annotations

import json
import os
import shutil
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from emotion_dj import EmotionDJ
from emotion_dj.app import source_registry
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Omission, Track
from emotion_dj.errors import DataError, LibraryError
from emotion_dj.sources import playlist_files
from emotion_dj.sources.playlist_files import Playlists

if TYPE_CHECKING:
    from pathlib import Path

SONGS = ("Ann/Óne two #1.mp3", "Ann/Весна.ogg", "Bo/three.flac")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Return a folder with three songs; nothing hears them."""
    for name in SONGS:
        path = tmp_path / "Music" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")
    return tmp_path / "Music"


def found(path: Path) -> tuple[list[str], list[str]]:
    """Return the names of songs that a playlist leads to, and what is said of the others."""
    entries = list(Playlists((), "playlists", (path,)).listing())
    songs = [entry.path.name for entry in entries if isinstance(entry, Track) and entry.path]
    return songs, [entry.why for entry in entries if isinstance(entry, Omission)]


NAMES = [name.rpartition("/")[2] for name in SONGS]


@pytest.mark.parametrize("form", ["relative", "absolute", "file address", "windows", "drive"])
@pytest.mark.parametrize("suffix", [".m3u", ".m3u8", ".pls"])
def test_paths_of_every_form_are_found(music: Path, form: str, suffix: str) -> None:
    """As seen from the playlist, from the root, as addresses, and as Windows writes them."""
    forms = {
        "relative": lambda name: name,
        "absolute": lambda name: str(music / name),
        "file address": lambda name: (music / name).as_uri(),
        "windows": lambda name: ".\\" + name.replace("/", "\\").upper(),
        "drive": lambda name: "D:\\Media\\Music\\" + name.replace("/", "\\"),
    }
    lines = ["", "#EXTM3U", "#EXTINF:3,A", *map(forms[form], SONGS), "gone/four.mp3"]
    if suffix == ".pls":
        songs = enumerate(lines[3:], start=1)
        lines = ["[playlist]", *(f"File{n}={line}\r\nTitle{n}=x" for n, line in songs), "Version=2"]
    path = music / f"list{suffix}"
    path.write_text("\r\n".join(lines), encoding="utf-8", newline="")
    songs, missed = found(path)
    assert songs == NAMES
    assert missed == [f"'gone/four.mp3' of {path} is not here"]


@pytest.mark.parametrize(
    ("encoding", "songs"),
    [
        ("utf-8-sig", NAMES),
        ("utf-16", NAMES),
        ("utf-16-le", NAMES),
        ("cp1251", NAMES[1:]),
        ("latin-1", [NAMES[0], NAMES[2]]),
    ],
)
def test_any_encoding_is_read(music: Path, encoding: str, songs: list[str]) -> None:
    """What the bytes may mean is decided by what is there."""
    path = music / "list.m3u"
    lines = [name for name in SONGS if name.rpartition("/")[2] in songs]
    path.write_bytes("\n".join(lines).encode(encoding))
    assert found(path) == (songs, [])


@pytest.mark.skipif(os.name == "nt", reason="names are bytes elsewhere")
def test_names_in_bytes_of_the_disk_are_found(music: Path) -> None:
    """A file whose name is no UTF-8 is listed by its bytes."""
    name = b"caf\xe9 1.mp3"
    (music / os.fsdecode(name)).write_bytes(b"sound")
    for line in (name, b"caf\xe9%201.mp3", b"file:" + os.fsencode(music) + b"/caf%E9%201.mp3"):
        (music / "list.m3u").write_bytes(line + b"\n")
        assert found(music / "list.m3u") == ([os.fsdecode(name)], [])


def test_half_a_letter_is_dropped(music: Path) -> None:
    """JSON may hold what is no text."""
    (music / "list.jspf").write_text(jspf("Bo/\ud800three.flac"), encoding="utf-8")
    assert found(music / "list.jspf")[0] == ["three.flac"]


def test_accents_in_two_parts_are_the_same(music: Path) -> None:
    """As macOS writes them."""
    (music / "list.m3u8").write_text(unicodedata.normalize("NFD", SONGS[0]), encoding="utf-8")
    assert found(music / "list.m3u8") == ([NAMES[0]], [])


def test_a_playlist_that_was_moved_with_its_music_finds_it(music: Path) -> None:
    """Absolute paths of before lead to the same folders here, not to a mere name above."""
    folder = music / "lists"
    folder.mkdir()
    (music / "one.mp3").write_bytes(b"sound")
    (folder / "list.m3u").write_text("/mnt/old/Music/Bo/three.flac\n/mnt/old/one.mp3\n")
    songs, missed = found(folder / "list.m3u")
    assert songs == ["three.flac"]
    assert len(missed) == 1


def xspf(*locations: str) -> str:
    """Return an XSPF document."""
    tracks = "".join(f"<track><location>{one}</location></track>" for one in locations)
    return (
        '<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>'
        f"{tracks}<track><creator>Cy</creator><title>New</title></track></trackList></playlist>"
    )


def jspf(*locations: str) -> str:
    """Return a JSPF document, its first location alone, the others in lists."""
    tracks = [{"location": one if n == 0 else [one]} for n, one in enumerate(locations)]
    return json.dumps({"playlist": {"track": [*tracks, {"title": "New", "creator": "Cy"}]}})


@pytest.mark.parametrize(("make", "suffix"), [(xspf, ".xspf"), (jspf, ".jspf")])
def test_addresses_of_xspf_and_jspf_are_found(music: Path, make: object, suffix: str) -> None:
    """Whole and relative ones, with escapes; a song without one, or in the network, is named."""
    assert callable(make)
    places = (
        (music / SONGS[0]).as_uri(),
        quote(SONGS[1]),
        f"file://localhost{quote(str(music / SONGS[2]))}",
        "https://x.test/four.mp3",
    )
    (music / f"list{suffix}").write_text(make(*places), encoding="utf-8")
    songs, missed = found(music / f"list{suffix}")
    assert songs == NAMES
    assert [why.partition(" of ")[0] for why in missed] == [
        "'https://x.test/four.mp3'",
        "'Cy - New'",
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xspf", "<playlist>"),
        ("b.xspf", '<!DOCTYPE p [<!ENTITY a "b">]><playlist>&a;</playlist>'),
        ("c.jspf", "[1]"),
        ("d.jspf", "[" * 100_000),
        ("gone.m3u", None),
    ],
)
def test_what_is_no_playlist_is_refused(tmp_path: Path, name: str, content: str | None) -> None:
    """Cut off, with entities, of another shape, nested without end, not there: one sentence."""
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=f"{name} cannot be read as a playlist"):
        playlist_files.read(tmp_path / name)


def test_a_playlist_of_which_nothing_is_there_says_so(tmp_path: Path) -> None:
    """It names one of the songs; one that lists none is called so; nothing else is opened."""
    path = tmp_path / "list.m3u"
    path.write_text(f"gone.mp3\n/etc/hostname\n{'x' * 5_000}.mp3\nhttps://x.test/a.mp3\n")
    with pytest.raises(LibraryError, match=r"none of the 4 songs .* 'gone\.mp3' is one"):
        found(path)
    path.write_text("#EXTM3U\n")
    with pytest.raises(LibraryError, match="lists no song"):
        found(path)


def test_playlists_and_folders_are_named_side_by_side(music: Path) -> None:
    """Each playlist is a source of its own; a folder with such a name is a folder."""
    (music / "list.m3u8").write_text(f"{SONGS[2]}\n{SONGS[2]}\n")
    folder = music / "folder.m3u"
    shutil.copytree(music / "Ann", folder)
    made = source_registry.sources([music / "Bo", music / "list.m3u8", folder], Settings())
    assert [[track.title for track in source.tracks()] for source in made] == [
        ["three", "Óne two #1", "Весна"],
        ["three"],
    ]
    places = [str(music), str(music / "list.m3u8")]
    assert source_registry.group_roots(places) == [[places[0]], [places[1]]]


@pytest.mark.needs_dev
def test_a_playlist_is_a_library(tmp_path: Path, demo_music: Path) -> None:
    """What it lists is heard and may be picked; what is not there is named, and nothing is gone."""
    song = min(demo_music.glob("*/*.opus"))
    path = tmp_path / "tonight.m3u8"
    path.write_text(f"{song}\ngone.mp3\n", encoding="utf-8")
    dj = EmotionDJ(library=path, settings=Settings(database=str(tmp_path / "c.sqlite")))
    summary = dj.library.add()
    assert (summary.analysed, summary.gone, summary.failed) == (1, 0, ())
    assert [omission.code for omission in summary.omitted] == ["not_found"]
    assert len(dj.library.current()) == 1
    path.write_text("gone.mp3\n")
    with pytest.raises(LibraryError, match="none of the 1 songs"):
        dj.library.rescan()
