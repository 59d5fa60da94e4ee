"""Every input that once went wrong, music and tables, as a listener would meet it.

The photographs among them are read in vision/test_turns.py and web/test_live_smoothing.py.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from command_line import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs_shared


def listed() -> list[dict[str, Any]]:
    """Return the rows of `library list`."""
    rows: list[dict[str, Any]] = json.loads(run("library", "list", "--json").stdout)
    return rows


REAL = ("RealTitle", ["RealArtist"])
HEARD = {
    "alac.m4a": ("alac", []),
    "apev2_only.mp3": REAL,
    "claims_1h.flac": ("claims_1h", []),
    "hidden_track.flac": ("hidden_track", []),
    "info_latin1.wav": ("Café", []),
    "sacd.dsf": ("sacd", []),
    "tags.aiff": REAL,
    "tags.webm": REAL,
    "tags.wma": REAL,
    "tags_id3.wav": REAL,
    "v1_latin1.mp3": ("Café", ["X"]),
    "v1_utf8.mp3": ("Café", ["X"]),
}
"""Title and artists of each."""

TAKEN_IN = {
    "exportify_liked_songs.csv": 30,
    "exportify_old.csv": 1,
    "exportify_watsonbox.csv": 1,
    "kaggle.csv": 1,
}


def test_a_folder_with_one_of_each_fault_is_heard(shared: Path, tmp_path: Path) -> None:
    """All that can be heard is, under its own name; of each other file it is said why not."""
    folder = shutil.copytree(shared / "cases" / "music", tmp_path / "music")
    summary = json.loads(run("analyse", folder, "--json").stdout)
    rows = listed()
    found = {row["uri"].rpartition("/")[2]: row for row in rows}
    assert {name: (row["title"], row["artists"]) for name, row in found.items()} == HEARD
    assert summary["analysed"] == len(HEARD)
    failed = {one["uri"].rpartition("/")[2]: one["why"] for one in summary["failed"]}
    assert set(failed) == {path.name for path in folder.iterdir()} - set(HEARD)
    assert all(name in why for name, why in failed.items())
    assert found["claims_1h.flac"]["duration_ms"] == 20_000
    assert found["claims_1h.flac"]["left_out"] is None
    shutil.copy(folder / "claims_1h.flac", folder / "copy.flac")
    run("analyse", folder)  # of the copy its audio is known, and so how long it is
    lengths = {row["uri"].rpartition("/")[2]: row["duration_ms"] for row in listed()}
    assert lengths["claims_1h.flac"] == lengths["copy.flac"] == 20_000
    assert found["hidden_track.flac"]["duration_ms"] == pytest.approx(342_000, abs=500)


@pytest.mark.parametrize(("name", "count"), TAKEN_IN.items())
def test_an_export_keeps_its_titles(shared: Path, name: str, count: int) -> None:
    """Title, artists, album and duration are kept; the address is Spotify's."""
    assert run("library", "import", shared / "cases" / "tables" / name).returncode == 0
    rows = listed()
    assert len(rows) == count
    for row in rows:
        assert re.fullmatch("spotify:track:[0-9A-Za-z]{22}", row["uri"])
        assert row["title"] in {"Alabaster", "Comedy", "Tusa"} or row["title"].startswith("Song ")
        assert row["artists"]
        assert row["album"]
        assert row["duration_ms"] > 120_000


@pytest.mark.parametrize(
    "name",
    [
        "deep.json",
        "tab-a-RecursionError-38.json",
        "tab-b-AttributeError-53.db",
        "tab-b-UnicodeDecodeError-63.db",
    ],
)
def test_what_is_no_table_gets_one_sentence(shared: Path, name: str) -> None:
    """Nested without end, or damaged."""
    done = run("library", "import", shared / "cases" / "tables" / name)
    assert done.returncode == 3
    assert done.stderr.startswith("emotion-dj: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "name", ["tab-cat-KeyError-127.sqlite", "tab-cat-UnicodeDecodeError-55.sqlite"]
)
def test_a_damaged_catalogue_gets_one_sentence(shared: Path, tmp_path: Path, name: str) -> None:
    """And is named."""
    path = shutil.copy(shared / "cases" / "tables" / name, tmp_path)
    done = run("play", "--mood", "calm", "--database", path)
    assert done.returncode == 6
    assert str(path) in done.stderr
    assert done.stderr.count("\n") == 1
