"""Folders as people have them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import mutagen
import pytest

from emotion_dj.errors import LibraryError
from emotion_dj.sources.demo import demo
from emotion_dj.sources.local import Local, path_of

ODD_NAMES = ["Ünïcödé", "日本語", "with\nnewline", "#hash?query%20", "a" * 240, "'quote\""]


@pytest.fixture
def track(demo_music: Path) -> Path:
    """Return one real track."""
    return demo_music / "calm" / "calm_acoustic_1.opus"


def test_the_demo_library_has_its_tracks() -> None:
    """Twenty-eight tracks, each with a title for people."""
    source = demo()
    titles = [source.describe(track).title for track in source.tracks()]
    assert len(titles) == 28
    assert "Happy electronic 1" in titles


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_file_names_go_there_and_back(tmp_path: Path, track: Path, name: str) -> None:
    """A file of any name has a uri that leads back to it."""
    path = tmp_path / f"{name}.opus"
    shutil.copy(track, path)
    (found,) = Local((tmp_path,)).tracks()
    assert path_of(found) == path
    assert found.uri.isascii()


def test_names_that_are_no_utf8_are_read(tmp_path: Path, track: Path) -> None:
    """A file name in an old encoding loses no file, and its title can be printed."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.opus"))
    shutil.copy(track, path)
    (found,) = Local((tmp_path,)).tracks()
    assert path_of(found) == path
    assert found.title.encode("utf-8")


def test_tags_are_read(tmp_path: Path, track: Path) -> None:
    """Title, artists and album come from the tags, the length from the audio."""
    path = tmp_path / "a.opus"
    shutil.copy(track, path)
    tags = mutagen.File(path)
    tags.update(
        {"title": ["Blue"], "artist": ["Ann", "Bo"], "album": ["Sky"], "isrc": ["FR-X20-26-00001"]}
    )
    tags.save()
    source = Local((tmp_path,))
    found = source.describe(next(source.tracks()))
    assert (found.title, found.artists, found.album, found.isrc) == (
        "Blue",
        ("Ann", "Bo"),
        "Sky",
        "FRX202600001",
    )
    assert found.duration == pytest.approx(32.3, abs=0.1)


def test_tags_that_cannot_be_read_cost_nothing(tmp_path: Path) -> None:
    """A file that is not audio keeps its name as title."""
    (tmp_path / "text.mp3").write_text("not music")
    source = Local((tmp_path,))
    assert source.describe(next(source.tracks())).title == "text"


def test_only_audio_is_listed_in_a_stable_order(tmp_path: Path, track: Path) -> None:
    """Pictures and text are passed over; folders are walked by name."""
    for name in ("b/2.opus", "a/1.opus", "b/cover.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(track, tmp_path / name)
    assert [path_of(t).name for t in Local((tmp_path,)).tracks()] == ["1.opus", "2.opus"]


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    """A folder that is not there is an error, not an empty library."""
    with pytest.raises(LibraryError, match="does not exist"):
        list(Local((tmp_path / "none",)).tracks())


def test_a_fingerprint_follows_the_content(tmp_path: Path, track: Path) -> None:
    """A copy has the fingerprint of its original, a changed file another one."""
    for name in ("a.opus", "b.opus"):
        shutil.copy(track, tmp_path / name)
    source = Local((tmp_path,))
    a, b = source.tracks()
    assert source.fingerprint(a) == source.fingerprint(b)
    with path_of(b).open("r+b") as file:
        file.seek(-100, os.SEEK_END)
        file.write(bytes(100))
    assert source.fingerprint(a) != source.fingerprint(b)
