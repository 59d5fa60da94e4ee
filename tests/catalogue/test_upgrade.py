"""A catalogue that release 0.1.0 made, of six songs and two rows of a table, in today's program."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import command_line
import pytest

from emotion_dj import EmotionDJ
from emotion_dj.app.settings import Settings

MADE_BY_0_1_0 = Path(__file__).resolve().parents[1] / "data" / "catalogue-0.1.0.sqlite"
"""Heard with ear-4, one mood from features, one from a table; four answers and a correction."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a copy, where a listener may have it."""
    return Path(shutil.copy(MADE_BY_0_1_0, tmp_path / "catalogue.sqlite"))


def typed(database: Path, *words: str) -> Any:
    """Run the command line over it; return its JSON."""
    done = command_line.run(*words, "--json", EMOTION_DJ_DATABASE=str(database))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_nothing_is_lost(database: Path) -> None:
    """Every song with its place, every answer and correction; as it was, a copy lies beside it."""
    with closing(sqlite3.connect(MADE_BY_0_1_0)) as old:
        before = dict(
            old.execute("SELECT uri, valence FROM analyses JOIN tracks ON track = tracks.id")
        )
    dj = EmotionDJ(settings=Settings(database=str(database)))
    rows = dj.library.rows()
    assert {row["uri"] for row in rows} == set(before)
    assert all(row["plane_valence"] == pytest.approx(before[row["uri"]], abs=1e-4) for row in rows)
    learnt = dj.taste.summary()
    assert learnt["feedback"] == {"like": 2, "skip": 1, "play": 1}
    assert learnt["corrections"] == 1
    copies = [path.name for path in database.parent.glob("*.version-*")]
    assert copies == ["catalogue.sqlite.version-2"]
    assert (database.parent / copies[0]).stat().st_size == MADE_BY_0_1_0.stat().st_size


def test_it_plays_at_once(database: Path) -> None:
    """A set from what 0.1.0 heard, before anything is heard anew; what was skipped is not first."""
    played = typed(database, "play", "--mood", "calm", "-n", "5", "--seed", "1")
    assert len(played["picks"]) == 5
    assert played["picks"][0]["uri"] != "file:///tmp/music/energetic_acoustic_1.opus"


def test_it_is_listed_and_forgotten(database: Path) -> None:
    """The commands that people know work on it: list, stats, forget."""
    assert len(typed(database, "library", "list")) == 8
    assert typed(database, "library", "stats")["tracks"] == 8
    assert typed(database, "library", "forget", "spotify:track/1") == {"forgotten": 1}
    assert typed(database, "library", "stats")["tracks"] == 7
