"""`analyse --tags` and `--untag` as their users run them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import command_line
import mutagen
import pytest

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `emotion-dj analyse`."""
    return command_line.run("analyse", *arguments)


@pytest.fixture
def music(tmp_path: Path, demo_music: Path) -> Path:
    """Return a folder with two real tracks, one of which is read-only, and a text called .mp3."""
    folder = tmp_path / "music"
    folder.mkdir()
    for path in sorted((demo_music / "calm").glob("*.opus"))[:2]:
        shutil.copyfile(path, folder / path.name)
    min(folder.iterdir()).chmod(0o444)
    (folder / "text.mp3").write_text("not music " * 100, encoding="utf-8")
    return folder


def test_tags_only_on_request_and_back(music: Path) -> None:
    """Nothing is written without --tags; what is written is not heard again, and comes out."""
    before = {path.name: path.read_bytes() for path in music.iterdir()}
    plain = json.loads(run(music, "--json").stdout)
    assert set(plain) == {"analysed", "known", "gone", "failed", "omitted", "left_out"}
    assert {path.name: path.read_bytes() for path in music.iterdir()} == before
    done = run(music, "--tags", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["tagged"], found["unchanged"]) == (1, 1)
    (locked,) = found["untaggable"]
    assert "is read-only" in locked["why"]
    path = sorted(music.glob("*.opus"))[1]
    tags = mutagen.File(path)
    assert tags["mood"] == ["Calm"]
    assert 40 < int(tags["bpm"][0]) < 220
    assert -1 <= float(tags["emotion_dj_arousal"][0]) <= 1
    again = json.loads(run(music, "--tags", "--json").stdout)
    assert (again["analysed"], again["known"], again["tagged"]) == (0, 2, 0)
    undone = run(music, "--untag")
    assert "1 files restored, 1 left as they were, 1 failed" in undone.stdout
    assert "mood" not in mutagen.File(path)
    assert json.loads(run(music, "--json").stdout)["analysed"] == 0


def test_whole_tracks_are_heard_on_request(music: Path) -> None:
    """With --whole all is heard once more, and then known to runs without it, and to tags."""
    assert json.loads(run(music, "--json").stdout)["analysed"] == 2
    assert json.loads(run(music, "--whole", "--json").stdout)["analysed"] == 2
    assert json.loads(run(music, "--whole", "--json").stdout)["known"] == 2
    other = ("--database", music.parent / "other.sqlite", "--json")
    assert json.loads(run(music, "--whole", *other).stdout)["analysed"] == 2
    found = json.loads(run(music, "--tags", *other).stdout)
    assert (found["analysed"], found["known"], found["tagged"]) == (0, 2, 1)


def test_what_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both at once is wrong usage; other people's files are not written to."""
    monkeypatch.setenv("EMOTION_DJ_HEARING", "loudly")
    refused = run("demo")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "choose excerpts or whole" in refused.stderr
    monkeypatch.delenv("EMOTION_DJ_HEARING")
    assert run("demo", "--tags", "--untag").returncode == 2
    refused = run("demo", "--untag")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (3, 1)
    assert "your own files only" in refused.stderr


def test_where_no_file_can_be_tagged_the_exit_code_says_so(music: Path) -> None:
    """Every file is closed to writing: each is named, and the run ends with 3."""
    (music / "text.mp3").unlink()
    for song in music.iterdir():
        song.chmod(0o444)
    done = run(music, "--tags")
    assert done.returncode == 3
    assert "none of 2 files could be tagged" in done.stderr


def test_an_album_in_one_file_keeps_its_tags(tmp_path: Path, demo_music: Path) -> None:
    """The tracks of a CUE sheet are heard one by one; their file is left as it was."""
    music = tmp_path / "music"
    music.mkdir()
    album = music / "album.opus"
    shutil.copyfile(min((demo_music / "calm").glob("*.opus")), album)
    tracks = "".join(f"TRACK 0{n} AUDIO\nINDEX 01 00:0{5 * n - 5}:00\n" for n in (1, 2))
    (music / "album.cue").write_text(f'FILE "album.wav" WAVE\n{tracks}', encoding="utf-8")
    before = album.read_bytes()
    done = json.loads(run(music, "--tags", "--json").stdout)
    assert (done["analysed"], done["tagged"], done["unchanged"]) == (2, 0, 1)
    assert album.read_bytes() == before
