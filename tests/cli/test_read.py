"""`emotion-dj read` of whatever holds photos: a pipe, a folder, a pattern; and of a calm face."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import command_line
import pytest

if TYPE_CHECKING:
    import subprocess


def read(*arguments: str, photo: bytes = b"", code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command with a photo on stdin."""
    run = command_line.run("read", *arguments, stdin=photo)
    assert run.returncode == code, run.stderr
    return run


def test_a_photo_from_a_pipe_is_read_and_drawn(smiling_photo: Path, tmp_path: Path) -> None:
    """`-` is stdin, which is read once, for the reading and for the picture of it."""
    framed = str(tmp_path / "framed.png")
    run = read("-", "--json", "--annotate", framed, photo=smiling_photo.read_bytes())
    (face,) = json.loads(run.stdout)["faces"]
    assert (face["emotion"], face["turned"], face["reasons"]) == ("happy", 0, [])
    assert Path(framed).stat().st_size > 10_000


def test_a_pipe_with_a_name_is_read_and_drawn(smiling_photo: Path, tmp_path: Path) -> None:
    """/dev/stdin, as shells pass it on, gives a photo once as well."""
    framed = str(tmp_path / "framed.png")
    run = read("/dev/stdin", "--json", "--annotate", framed, photo=smiling_photo.read_bytes())
    assert json.loads(run.stdout)["faces"][0]["emotion"] == "happy"
    assert Path(framed).stat().st_size > 10_000


@pytest.mark.parametrize("name", ["", "*.png"])
def test_a_folder_and_a_pattern_are_their_photos(
    smiling_photo: Path, tmp_path: Path, name: str
) -> None:
    """What is not a photo by its name stays out of a folder; no shell has to expand a pattern."""
    for photo in ("a.png", "b.png"):
        shutil.copy(smiling_photo, tmp_path / photo)
    (tmp_path / "notes.txt").write_text("none")
    rows = json.loads(read(str(tmp_path / name), "--json").stdout)
    assert [Path(row["photo"]).name for row in rows] == ["a.png", "b.png"]


def test_a_folder_without_photos_is_said(tmp_path: Path) -> None:
    """One sentence, and the exit code of an input that cannot be used."""
    assert "there is no photo in" in read(str(tmp_path), code=3).stderr


def test_a_smile_is_no_resting_face(smiling_photo: Path) -> None:
    """It says so and asks for another picture."""
    smile = str(smiling_photo)
    assert "calm face" in read(smile, "--resting", smile, code=3).stderr
