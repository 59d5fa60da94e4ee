"""What a walk through the listener's folders finds, passes over, and survives."""

from __future__ import annotations

import json
import os
import shutil
import socket
from typing import TYPE_CHECKING

import av
import command_line
import numpy as np
import pytest

from emotion_dj.analysis import Run
from emotion_dj.app import model_registry
from emotion_dj.catalogue import Catalogue
from emotion_dj.domain import Omission, Track
from emotion_dj.errors import LibraryError
from emotion_dj.executors import InProcess
from emotion_dj.sources.folders import walk
from emotion_dj.sources.local import Local

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path


def put(folder: Path, *names: str) -> None:
    """Make empty files, with the folders that they need."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def names(folder: Path) -> list[str]:
    """Return the files that are listed, as seen from the folder."""
    tracks = [entry for entry in walk(folder) if isinstance(entry, Track)]
    return [str(track.path.relative_to(folder)) for track in tracks if track.path]


def omissions(folder: Path) -> dict[str, str]:
    """Return what was passed over: code by the end of its uri."""
    begin = folder.resolve().as_uri() + "/"
    return {e.uri.removeprefix(begin): e.code for e in walk(folder) if isinstance(e, Omission)}


@pytest.mark.parametrize(
    "store",
    [
        *(".Trash-1000/files", ".Trashes/501", "$RECYCLE.BIN/S-1-5", "#recycle", "lost+found"),
        *(".stversions/Album", ".AppleDouble", "__MACOSX", "@eaDir/song.mp3", ".snapshots/1"),
        *("$Recycle.Bin", "System Volume Information", ".local/share/Trash/files"),
    ],
)
def test_waste_bins_and_stores_are_no_music(tmp_path: Path, store: str) -> None:
    """What was thrown away, or is another program's copy, is not played; the store is named."""
    put(tmp_path, "song.mp3", f"Band/{store}/gone.mp3")
    assert names(tmp_path) == ["song.mp3"]
    ((uri, code),) = omissions(tmp_path).items()
    assert code == "store"
    assert uri.startswith("Band/")
    assert uri.endswith("/")


def test_a_dot_does_not_hide_a_band(tmp_path: Path) -> None:
    """Titles and bands that begin with dots are music; hidden files are named, not played."""
    shown = ["...And Justice/...And Justice for All.mp3", ".38 Special/.38 Special - Hold On.mp3"]
    put(tmp_path, *shown, "._song.mp3", ".hidden.mp3")
    assert sorted(names(tmp_path)) == sorted(shown)
    assert omissions(tmp_path) == {"._song.mp3": "hidden", ".hidden.mp3": "hidden"}


def test_an_ignore_file_has_the_rules_of_git(tmp_path: Path) -> None:
    """Patterns, anchors, folders, exceptions, and an inner file that has the last word."""
    put(tmp_path, "a.mp3", "a.tmp.mp3", "Podcasts/p.mp3", "x/Podcasts/p.mp3", "x/Audiobooks/b.mp3")
    put(tmp_path, "spoken/1.mp3", "spoken/2.mp3", "x/demo1.mp3", "x/demo.mp3")
    rules = "# not music\n*.tmp.mp3\n/Podcasts/\nAudiobooks/\nspoken/*\n!spoken/2.mp3\ndemo?.mp3\n"
    (tmp_path / ".emotiondjignore").write_text(rules)
    listed = ["a.mp3", "spoken/2.mp3", "x/demo.mp3", "x/Podcasts/p.mp3"]
    assert names(tmp_path) == listed
    assert set(omissions(tmp_path).values()) == {"ignored"}
    assert len(omissions(tmp_path)) == 5
    (tmp_path / "x" / ".emotiondjignore").write_text("Podcasts\n!demo1.mp3\n")
    assert names(tmp_path) == ["a.mp3", "spoken/2.mp3", "x/demo.mp3", "x/demo1.mp3"]


def test_only_files_are_opened(tmp_path: Path) -> None:
    """Pipes and sockets are named and never opened; links are listed, and a dead one will fail."""
    put(tmp_path, "song.mp3")
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "dead.mp3").symlink_to(tmp_path / "nowhere.mp3")
    (tmp_path / "circle.mp3").symlink_to(tmp_path / "circle.mp3")
    (tmp_path / "linked.mp3").symlink_to(tmp_path / "song.mp3")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.mp3"))
        assert names(tmp_path) == ["circle.mp3", "dead.mp3", "linked.mp3", "song.mp3"]
        assert omissions(tmp_path) == {"pipe.mp3": "not_a_file", "socket.mp3": "not_a_file"}


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    """A link to music elsewhere is entered, one that leads in a circle or back is not."""
    library, elsewhere = tmp_path / "library", tmp_path / "elsewhere"
    put(library, "b/1.mp3")
    put(elsewhere, "2.mp3")
    (library / "a").symlink_to(library / "b")
    (library / "b" / "up").symlink_to(library)
    (library / "c").symlink_to(elsewhere)
    (elsewhere / "self").symlink_to(elsewhere)
    assert names(library) == ["b/1.mp3", "c/2.mp3"]
    assert omissions(library) == {}


def test_paths_that_are_too_long_are_named(tmp_path: Path) -> None:
    """A tree deeper than the system opens costs itself; its neighbours are listed."""
    put(tmp_path, "z/song.mp3")
    here = os.open(tmp_path, os.O_RDONLY)
    name = "d" * 200
    folders = [here]
    try:
        for _ in range(22):
            os.mkdir(name, dir_fd=folders[-1])
            folders.append(os.open(name, os.O_RDONLY, dir_fd=folders[-1]))
        assert names(tmp_path) == ["z/song.mp3"]
        (code,) = omissions(tmp_path).values()
        assert code == "unreadable"
    finally:
        for folder in folders:
            os.close(folder)
        shutil.rmtree(tmp_path)


def test_what_goes_away_meanwhile_is_named_unless_all_of_it_does(tmp_path: Path) -> None:
    """A folder that vanishes costs itself; a root that does, as a disk pulled out, stops."""
    put(tmp_path, "a.mp3", "b/1.mp3", "c/2.mp3")
    listing = walk(tmp_path)
    next(listing)
    shutil.rmtree(tmp_path / "b")
    closed, left = listing
    assert isinstance(closed, Omission)
    assert closed.code == "unreadable"
    assert isinstance(left, Track)
    listing = walk(tmp_path)
    next(listing)
    shutil.rmtree(tmp_path)
    with pytest.raises(LibraryError, match="went away"):
        list(listing)


def test_a_folder_with_one_of_each_fault(tmp_path: Path, demo_music: Path) -> None:
    """`analyse` hears what can be heard, an old tag with an accent included, and names the rest."""
    music = tmp_path / "music"
    put(music, "empty.mp3", ".Trash-1000/gone.mp3", "pod.mp3")
    (music / ".emotiondjignore").write_text("pod.mp3")
    shutil.copy(min((demo_music / "calm").glob("*.opus")), music / "song.opus")
    (music / "text.flac").write_text("no audio")
    os.mkfifo(music / "pipe.mp3")
    with av.open(str(music / "old.mp3"), "w", options={"id3v2_version": "0"}) as out:
        stream = out.add_stream("libmp3lame", rate=44_100, layout="mono")
        wave = np.sin(np.arange(5 * 44_100, dtype=np.float32) / 20)[np.newaxis] / 4
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate = 44_100
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with (music / "old.mp3").open("ab") as file:
        file.write(b"TAG" + b"Caf\xe9".ljust(30, b"\0") + bytes(95))
    done = command_line.run("analyse", music, "--json", "--database", tmp_path / "c.sqlite")
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert results["analysed"] == 2
    assert [failure["uri"].rpartition("/")[2] for failure in results["failed"]] == [
        "empty.mp3",
        "text.flac",
    ]
    codes = {entry["code"] for entry in results["omitted"]}
    assert codes == {"store", "ignored", "not_a_file"}
    with Catalogue(tmp_path / "c.sqlite") as catalogue:
        assert [track.title for _, track in catalogue.search("Café", limit=5)] == ["Café"]


def test_nothing_is_gone_behind_a_closed_door(
    tmp_path: Path, demo_music: Path, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    """Below a folder that may not be entered all that was known stays; the rest is analysed."""
    music = tmp_path / "music"
    first, second, third = sorted((demo_music / "calm").glob("*.opus"))[:3]
    for name, song in (("open/a.opus", first), ("closed/b.opus", second)):
        (music / name).parent.mkdir(parents=True)
        shutil.copy(song, music / name)
    ids, model = [model_registry.audio_model_id()], model_registry.audio_model()
    list(map(model.analyse, [first]))  # its libraries lie where an unprivileged user may not look
    with unprivileged(), Catalogue(tmp_path / "c.sqlite") as catalogue:
        run = Run(catalogue, lambda: model, ids[0], InProcess())
        assert run([Local((music,))]).analysed == 2
        (music / "closed").chmod(0)
        shutil.copy(third, music / "open" / "c.opus")
        summary = run([Local((music,))])
        (music / "closed").chmod(0o755)
        assert (summary.analysed, summary.gone, len(catalogue.candidates(ids))) == (1, 0, 3)
        (failure,) = summary.failed
        assert "closed cannot be entered" in failure.why
        assert [omission.code for omission in summary.omitted] == ["unreadable"]
