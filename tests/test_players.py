"""Playlists as players open them: mpv and VLC, which are other people's programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from emotion_dj import playlists
from emotion_dj.domain import Affect, DJSet, Media, Mood, Pick, Plan, Reason, Track

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.needs_players]

NAMES = [
    "plain",
    "wh?t #1 50%41",
    "#hash",
    "tab\there",
    "new\nline",
    "Ümläut & <b>",
    "-dash",
    "a:b",
]
MPV = ["mpv", "--no-config", "--no-video", "--ao=null", "--length=0.05"]
VLC = ["cvlc", "-vv", "-I", "dummy", "--aout=dummy", "--run-time=1", "--play-and-exit"]
"""VLC plays the first second of each song."""


@pytest.fixture
def music(tmp_path: Path, demo_music: Path) -> DJSet:
    """Return a set of one song under names that people have, in a folder beside the playlist."""
    song = min((demo_music / "calm").glob("*.opus"))
    picks = []
    for name in NAMES:
        path = tmp_path / "my music" / f"{name}.opus"
        path.parent.mkdir(exist_ok=True)
        shutil.copy(song, path)
        track = Track(path.as_uri(), name, duration=31.0, media=Media("file", str(path)))
        picks.append(Pick(track, Affect(0.3, -0.3), Mood.CALM, 0.9, ()))
    return DJSet(tuple(picks), Plan("match"), (), Affect(0, 0), Reason("journey"))


@pytest.mark.parametrize("relative", [False, True])
def test_mpv_plays_every_song(music: DJSet, tmp_path: Path, *, relative: bool) -> None:
    """Each is opened, and ends without a word."""
    path = tmp_path / "set.m3u8"
    playlists.save(music, path, relative=relative)
    command = [*MPV, f"--playlist={path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Playing: ") == len(NAMES)
    assert "Failed to open" not in done.stdout


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("form", ["m3u8", "xspf"])
def test_vlc_plays_every_song(
    music: DJSet,
    tmp_path: Path,
    unprivileged: Callable[[], AbstractContextManager[None]],
    form: str,
    *,
    relative: bool,
) -> None:
    """Each is opened; VLC refuses to run as root."""
    path = tmp_path / f"set.{form}"
    playlists.save(music, path, relative=relative)
    with unprivileged():
        user = os.geteuid()
    somebody: dict[str, Any] = {"user": user, "group": user, "extra_groups": []}
    home = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        [*VLC, str(path)],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env=home,
        **(somebody if os.geteuid() != user else {}),
    )
    said = done.stderr.decode(errors="replace")
    opened = set(re.findall(r"`(file://\S+\.opus)' successfully opened", said))
    assert len(opened) == len(NAMES), said
    assert "unable to open" not in said
