"""What commands do with terminals, pipes and disks as they are."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

ESCAPE = "\x1b[31mred\x1b[0m"
STOPPED = "emotion-dj: stopped; what was done is kept"


def run(
    *arguments: str | Path, out: int | IO[str] = subprocess.PIPE, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "emotion_dj", *map(str, arguments)],
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        errors="surrogateescape",
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture
def songs(tmp_path: Path) -> int:
    """Import twenty songs, of which one has an escape sequence in its title."""
    table = tmp_path / "songs.json"
    rows = [
        {"title": f"{ESCAPE} {i}", "energy": 0.5, "valence": 0.5, "acousticness": 0.5}
        for i in range(20)
    ]
    table.write_text(json.dumps(rows))
    assert run("library", "import", table).returncode == 0
    return len(rows)


@pytest.mark.parametrize(
    "command",
    ["read PHOTO", "read PHOTO --json", "library list", "play --mood calm", "doctor --json"],
)
@pytest.mark.usefixtures("songs")
def test_a_full_disk_is_said(command: str, smiling_photo: Path) -> None:
    """Where stdout takes nothing: one sentence and exit code 3."""
    words = [word.replace("PHOTO", str(smiling_photo)) for word in command.split()]
    with Path("/dev/full").open("w") as full:
        done = run(*words, out=full)
    told = [line for line in done.stderr.splitlines() if line.startswith("emotion-dj: ")]
    assert told == ["emotion-dj: the output cannot be written: No space left on device"]
    assert "Traceback" not in done.stderr
    assert done.returncode == 3


@pytest.mark.usefixtures("songs")
def test_files_that_cannot_be_written_are_said(tmp_path: Path, demo_music: Path) -> None:
    """A picture and a mix in a place where no file can be: one sentence, no traceback."""
    (tmp_path / "file").write_text("no folder")
    picture = run("library", "stats", "--picture", tmp_path / "file" / "plane.png")
    assert (picture.returncode, picture.stderr.count("\n")) == (3, 1)
    assert "plane.png cannot be written: " in picture.stderr
    library = min(demo_music.glob("calm/*.opus"))
    command = (
        "play",
        "--mood",
        "calm",
        "--library",
        library,
        "--mix",
        tmp_path / "file" / "x.opus",
    )
    mixed = run(*command)
    assert mixed.returncode == 3
    assert "x.opus cannot be written: " in mixed.stderr
    assert "Traceback" not in mixed.stderr


@pytest.mark.usefixtures("songs")
def test_a_reader_that_has_enough_ends_the_command_quietly() -> None:
    """As `library list | head -1` does: exit code 0 and nothing on stderr."""
    reader, writer = os.pipe()
    os.close(reader)
    done = run("library", "search", out=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("closed", ["0<", "1>", "2>"])
@pytest.mark.usefixtures("songs")
def test_a_closed_stream_kills_nothing(closed: str, smiling_photo: Path) -> None:
    """What a caller has closed is nobody's: the command ends as it does otherwise, and the
    catalogue, the next file to be opened, does not get the stream's number.
    """
    shell = f'"$@" {closed}&-'
    photo = str(smiling_photo)
    for arguments, code in (
        (["read", photo], 0),
        (["play", "--mood", "calm"], 0),
        (["read", "no.jpg"], 3),
    ):
        line = ["sh", "-c", shell, "sh", sys.executable, "-m", "emotion_dj", *arguments]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == code
        assert "Traceback" not in done.stderr
    assert run("library", "list").returncode == 0


def test_ascii_is_enough(smiling_photo: Path, songs: int) -> None:
    """Bars are drawn with what there is; JSON stays JSON; help is shown."""
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    shown = run("read", smiling_photo, **ascii_only)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "####" in shown.stdout
    assert shown.stdout.isascii()
    listed = run("library", "list", "--json", **ascii_only)
    assert len(json.loads(listed.stdout)) == songs
    for command in (["play", "--mood", "calm"], ["--help"], ["doctor"]):
        assert run(*command, **ascii_only).returncode == 0


def test_a_name_that_is_no_text_is_read(smiling_photo: Path, tmp_path: Path) -> None:
    """A photo in an old encoding: its bytes are spelled out, and come back out of JSON."""
    photo = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    shutil.copy(smiling_photo, photo)
    shown = run("read", photo)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert r"caf\udce9.png: " in shown.stdout
    both = run("read", photo, smiling_photo, "--json")
    assert os.fsencode(json.loads(both.stdout)[0]["photo"]) == os.fsencode(photo)


@pytest.mark.usefixtures("songs")
def test_names_do_not_steer_the_terminal(smiling_photo: Path, tmp_path: Path) -> None:
    """Escape sequences in titles and file names are spelled out wherever they are shown."""
    photo = tmp_path / f"{ESCAPE}[bold].png"
    shutil.copy(smiling_photo, photo)
    (tmp_path / f"{ESCAPE}.opus").write_bytes(b"no music")
    for command in (
        ("read", photo),
        ("read", tmp_path / f"{ESCAPE}.jpg"),
        ("library", "list"),
        ("library", "search"),
        ("play", "--mood", "calm"),
        ("analyse", tmp_path),
    ):
        done = run(*command)
        assert "\x1b" not in done.stdout + done.stderr, command
        assert r"\x1b[31mred" in done.stdout + done.stderr, command


@pytest.mark.slow
def test_the_keyboard_stops_a_run_and_what_was_done_is_kept(
    tmp_path: Path, demo_music: Path
) -> None:
    """Ctrl-C to the command and its workers: the sentence alone, 130, and no track is lost."""
    songs = [path for path in sorted(demo_music.glob("*/*.opus")) for _ in range(20)]
    music = tmp_path / "music"
    music.mkdir()
    for number, song in enumerate(songs):
        with (music / f"{number}.opus").open("wb") as file:
            file.write(song.read_bytes() + bytes(number))
    # In the background tests inherit that Ctrl-C is ignored; the command of a user does not.
    program = ["env", "--default-signal=INT", sys.executable, "-m", "emotion_dj", "analyse", music]
    environment = {**os.environ, "EMOTION_DJ_WORKERS": "2"}
    with subprocess.Popen(
        program, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as started:
        while not heard():
            assert started.poll() is None
        os.killpg(started.pid, signal.SIGINT)
        _, told = started.communicate(timeout=120)
    assert (told.strip(), started.returncode) == (STOPPED, 130)
    assert 0 < heard() < len(songs)


def heard() -> int:
    """Count the tracks that are known by now."""
    from emotion_dj import EmotionDJ

    dj = EmotionDJ()
    try:
        return dj._catalogue.count()
    finally:
        dj._catalogue.close()
