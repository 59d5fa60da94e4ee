"""The plug-in in a real beets library, run as its users run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import mutagen
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Beet = Callable[..., str]

pytestmark = pytest.mark.needs_dev

CONFIG = """
directory: {folder}/library
library: {folder}/library.db
plugins: emotion_dj
import: {{copy: yes, write: no, autotag: no, quiet: yes}}
emotion_dj: {{auto: {auto}}}
"""
SHOWN = "$title|$mood|$bpm|$initial_key|$valence|$arousal"


@pytest.fixture
def beet(tmp_path: Path, demo_music: Path) -> Beet:
    """Return a function that runs beets in a home of its own; incoming/ holds two real tracks."""
    (tmp_path / "incoming").mkdir()
    for mood in ("calm", "energetic"):
        path = next(iter(sorted((demo_music / mood).glob("*.opus"))))
        shutil.copyfile(path, tmp_path / "incoming" / f"{mood}.opus")
        file = mutagen.File(tmp_path / "incoming" / f"{mood}.opus")
        file["title"] = mood
        file.save()

    def run(*arguments: str | Path, auto: str = "no") -> str:
        (tmp_path / "config.yaml").write_text(CONFIG.format(folder=tmp_path, auto=auto))
        done = subprocess.run(
            [sys.executable, "-m", "beets", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "BEETSDIR": str(tmp_path)},
        )
        return done.stdout + done.stderr

    return run


def test_the_command_fills_the_fields(beet: Beet, tmp_path: Path) -> None:
    """Only what the query finds is heard; beets can be asked by what was heard; files stay."""
    beet("import", tmp_path / "incoming")
    beet("emotiondj", "title:calm")
    calm, energetic = sorted(beet("ls", "-f", SHOWN).splitlines())
    assert energetic.split("|")[1] == "$mood", "not asked for, not heard"
    _, mood, bpm, key, valence, arousal = calm.split("|")
    assert mood == "Calm"
    assert 40 < int(bpm) < 220
    assert key[0] in "ABCDEFG"
    assert abs(float(valence)) <= 1
    assert float(arousal) < 0
    assert beet("ls", "-f", "$title", "arousal:..0").split() == ["calm"]
    assert "1 heard, 0 failed" in beet("-v", "emotiondj"), "what was heard is not heard again"
    assert "2 heard, 0 failed" in beet("-v", "emotiondj", "--force")
    assert all("mood" not in mutagen.File(path) for path in tmp_path.rglob("library/**/*.opus"))


def test_on_import_where_wished_and_into_files_where_asked(beet: Beet, tmp_path: Path) -> None:
    """`auto: yes` hears what comes in; --write tags the files, and beets sees no change in them."""
    beet("import", tmp_path / "incoming", auto="yes")
    rows = [row.split("|") for row in beet("ls", "-f", SHOWN).splitlines()]
    assert len(rows) == 2
    assert all(row[1] in {"Calm", "Energetic", "Happy", "Sad"} for row in rows)
    beet("emotiondj", "--force", "--write")
    written = {mutagen.File(p)["mood"][0] for p in tmp_path.rglob("library/**/*.opus")}
    assert written == {row[1] for row in rows}
    assert not beet("update")


def test_what_cannot_be_heard_is_named(beet: Beet, tmp_path: Path) -> None:
    """A file that broke since it was imported does not stop the others."""
    beet("import", tmp_path / "incoming")
    next(tmp_path.rglob("library/**/*calm*")).write_bytes(b"not music")
    told = beet("-v", "emotiondj")
    assert "passed over: " in told
    assert "1 heard, 1 failed" in told
