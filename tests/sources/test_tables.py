"""Tables of features, as exports have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emotion_dj.domain import Affect, Mood
from emotion_dj.errors import DataError
from emotion_dj.sources import tables

if TYPE_CHECKING:
    from pathlib import Path


def test_other_names_and_gaps_are_understood(tmp_path: Path) -> None:
    """Columns of exports by their usual names; what is not a number or is missing is unknown."""
    path = tmp_path / "export.csv"
    path.write_text(
        "\ufeffNr,Track_Name,Artist_Name(s),Track URI,Energy,Valence,Key,Tempo,duration_ms\n"
        "x,Señorita,A & B,spotify:track:1,0.8,n/a,-1,120.5,200000\n"
        "y,Untimed,,,,0.4,3,nan,\n",
        encoding="utf-8",
    )
    (first, heard, _), (second, other, _) = tables.read(path)
    assert (first.uri, first.title, first.artists) == ("spotify:track:1", "Señorita", ("A & B",))
    assert (first.duration, heard.energy, heard.valence, heard.key) == (200, 0.8, None, None)
    assert (other.key, other.tempo, other.energy, second.artists) == (3, None, None, ())
    assert second.uri.startswith("import:")
    assert [track.uri for track, *_ in tables.read(path)] == [first.uri, second.uri]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("title,artist\na,b\n", "no column of features"),
        ("energy\n", "holds no track"),
        ("word,valence,arousal\naction,6.0,6.2\n", "says of no track how it sounds"),
    ],
)
def test_tables_without_features_are_refused(tmp_path: Path, content: str, said: str) -> None:
    """Nothing to go by: one sentence that says what is needed."""
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(DataError, match=said):
        list(tables.read(tmp_path / "t.csv"))


def test_moods_and_places_of_a_table_are_understood(tmp_path: Path) -> None:
    """A mood is its region, a place on the plane is that place, and another word says nothing."""
    (tmp_path / "moods.csv").write_text(
        "energy,tempo,mood,plane_valence,plane_arousal,uncertainty\n"
        "0.5,0,Sad,,,\n,,calm,0.5,-0.25,0.125\n0.5,120,brunch,,,\n,120,brunch,,,\n"
    )
    rows = list(tables.read(tmp_path / "moods.csv"))
    assert [place for _, _, place in rows] == [
        Mood.SAD,
        Affect(0.5, -0.25, 0.125),
        None,
    ]
    assert [track.title for track, _, _ in rows] == [f"moods, row {n}" for n in (1, 2, 3)]
    assert rows[0][1].tempo is None


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    """Bytes of another kind, a missing file, a false Parquet file."""
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "b.parquet").write_bytes(b"PAR?")
    for name in ("a.csv", "b.parquet", "gone.csv"):
        with pytest.raises(DataError, match=name):
            list(tables.read(tmp_path / name))
