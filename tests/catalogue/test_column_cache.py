"""The columns that ranking needs, cached for each database in the user's own folder."""

from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from platformdirs import user_cache_path

from emotion_dj.catalogue import Catalogue, column_cache
from emotion_dj.domain import Affect, Analysis, AudioFeatures, Candidates, Track

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Analysis(AudioFeatures("ear-1", tempo=99.0, key=3), Affect(0.5, 0.25), embedding=(0.5, 0.5))
THERE = Analysis(AudioFeatures("ear-1"), Affect(-1, -1), embedding=(1.0, 0.0))
COLUMNS = [field.name for field in fields(Candidates) if field.name != "load"]


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """Return a catalogue that is large enough for the cache."""
    with Catalogue(tmp_path / "catalogue.sqlite") as catalogue:
        rows = [
            (Track(f"x:{i:05}", f"T{i}", (f"Artist {i % 100}",), "Album"), "", "", HERE)
            for i in range(column_cache.LEAST_ROWS)
        ]
        catalogue.store_all(rows, analyser="ear-1")
        yield catalogue


def cached() -> list[Path]:
    """Return the files of the cache."""
    return list((user_cache_path("emotion-dj") / "columns").glob("*"))


def valence(catalogue: Catalogue) -> float:
    """Return that of the first row."""
    return float(catalogue.candidates(["ear-1"]).valence[0])


def move(catalogue: Catalogue, result: Analysis) -> None:
    """Change the analysis of the first track."""
    catalogue.store_all([(Track("x:00000", "T"), "", "", result)], analyser="ear-1")


def test_the_cache_says_what_the_tables_say(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time no row is read, and every column is the same; no file lies beside."""
    first = catalogue.candidates(["ear-1"])
    assert len(cached()) == 1
    assert not list(Path(catalogue.address).parent.glob("*.columns"))
    monkeypatch.setattr(column_cache, "read", None)
    again = Catalogue(catalogue.address).candidates(["ear-1"])
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert again.artist.max() == 99
    assert again.load([7])[0].title == "T7"


def test_a_change_is_seen_by_every_process(catalogue: Catalogue) -> None:
    """What one connection stores another finds, and other analysers have other columns."""
    assert valence(catalogue) == 0.5
    move(Catalogue(catalogue.address), THERE)
    assert valence(catalogue) == -1
    assert len(catalogue.candidates(["ear-2"])) == 0
    assert valence(catalogue) == -1


def test_copies_that_went_different_ways_are_told_apart(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    """A copy has the same id; after as many changes as the other it still has its own columns."""
    copy = tmp_path / "copy.sqlite"
    catalogue.close()
    shutil.copy(catalogue.address, copy)
    other = Catalogue(copy)
    move(catalogue, THERE)
    move(other, HERE)
    assert [valence(catalogue), valence(other), valence(catalogue)] == [-1, 0.5, -1]


@pytest.mark.parametrize("harm", ["damaged", "gone", "unwritable"])
def test_the_cache_is_worth_nothing_by_itself(catalogue: Catalogue, harm: str) -> None:
    """Where it is damaged, removed or cannot be written, the tables are read."""
    catalogue.candidates(["ear-1"])
    (file,) = cached()
    if harm == "damaged":
        file.write_bytes(b"damaged")
    elif harm == "gone":
        shutil.rmtree(file.parent)
    else:
        shutil.rmtree(file.parent)
        file.parent.write_text("no folder")
    assert valence(Catalogue(catalogue.address)) == 0.5


def test_a_small_library_needs_no_cache(tmp_path: Path) -> None:
    """The tables are as fast."""
    with Catalogue(tmp_path / "small.sqlite") as small:
        move(small, HERE)
        assert valence(small) == 0.5
    assert cached() == []


def test_what_is_forgotten_is_not_in_the_cache(catalogue: Catalogue) -> None:
    """The file goes with the source."""
    catalogue.candidates(["ear-1"])
    catalogue.forget_source("y:")
    assert cached() == []
