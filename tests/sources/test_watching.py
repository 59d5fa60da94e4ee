"""Changes below folders are noticed, by whatever way the system has."""

from __future__ import annotations

import subprocess
import sys
from threading import Event
from typing import TYPE_CHECKING

import pytest

from emotion_dj.sources import watching

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_what_comes_moves_and_goes_is_noticed(tmp_path: Path) -> None:
    """A new file, a folder with another name, a file that is gone; then it ends."""
    stop, told = Event(), []
    (tmp_path / "album").mkdir()
    changes = watching.changes([tmp_path], stop, told.append)
    next(changes)
    for change in (
        lambda: (tmp_path / "album" / "song.mp3").write_bytes(b"song"),
        lambda: (tmp_path / "album").rename(tmp_path / "renamed"),
        lambda: (tmp_path / "renamed" / "song.mp3").write_bytes(b"another song"),
        (tmp_path / "renamed" / "song.mp3").unlink,
    ):
        change()
        next(changes)
    stop.set()
    assert list(changes) == []
    assert told == []


def test_a_disk_that_goes_and_comes_is_noticed(tmp_path: Path) -> None:
    """Another folder of the same name is watched as the one before was."""
    stop, music = Event(), tmp_path / "music"
    music.mkdir()
    changes = watching.changes([music], stop, print)
    next(changes)
    music.rename(tmp_path / "away")
    music.mkdir()
    next(changes)  # the one is gone
    next(changes)  # the other is watched
    (music / "song.mp3").write_bytes(b"song")
    next(changes)
    stop.set()


@pytest.mark.parametrize(
    ("name", "matters"),
    [
        ("song.MP3", True),
        ("cover.jpg", False),
        ("song.mp3.part", False),
        (".emotiondjignore", True),
    ],
)
def test_only_music_matters(tmp_path: Path, name: str, *, matters: bool) -> None:
    """Covers and half-loaded files are nobody's concern; folders and what is gone may be."""
    (tmp_path / name).write_bytes(b"")
    assert watching._matters(None, str(tmp_path / name)) is matters  # type: ignore[arg-type]
    assert watching._matters(None, str(tmp_path))  # type: ignore[arg-type]
    assert watching._matters(None, str(tmp_path / "gone"))  # type: ignore[arg-type]


@pytest.fixture
def mounts(tmp_path: Path) -> Callable[[Path, str], Path]:
    """Return what writes a table of mounts, as of proc(5), with one more of a kind."""

    def write(where: Path, kind: str) -> Path:
        path = tmp_path / "mountinfo"
        named = str(where).replace(" ", "\\040")
        path.write_text(
            "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
            f"36 22 0:35 / {named} rw,relatime shared:2 - {kind} //nas/music rw\n"
        )
        return path

    return write


def test_network_mounts_are_known(tmp_path: Path, mounts: Callable[[Path, str], Path]) -> None:
    """By their kind, also with a blank in the name; a disk of this machine is none."""
    share = tmp_path / "my share"
    for kind, silent in (("cifs", True), ("nfs4", True), ("ext4", False)):
        table = mounts(share, kind)
        assert watching.is_silent(share / "Albums", table) is silent
        assert not watching.is_silent(tmp_path, table)
    assert not watching.is_silent(share, tmp_path / "no table")


def test_what_cannot_be_watched_is_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network mount is said once, and told of again and again though nothing has changed."""
    monkeypatch.setattr(watching, "is_silent", lambda _root: True)
    stop, told = Event(), []
    changes = watching.changes([tmp_path], stop, told.append, poll_s=0.01)
    for _ in range(3):
        next(changes)
    stop.set()
    assert list(changes) == []
    (sentence,) = told
    assert "is on a network mount" in sentence


USED_UP = """
import sys
from pathlib import Path
from threading import Event
from emotion_dj.sources import watching
Path("/proc/sys/user/max_inotify_watches").write_text("1")
changes = watching.changes([Path(sys.argv[1])], Event(), print, poll_s=0.01)
for _ in range(3):
    next(changes)
"""


@pytest.mark.needs_namespaces
def test_used_up_watches_are_said_once(tmp_path: Path) -> None:
    """Where the system has no room to watch more, folders are looked through."""
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", USED_UP, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (sentence,) = done.stdout.splitlines()
    assert "folders cannot be watched" in sentence
