"""Conditions by themselves: what fits, what is kept of a column, and what is no condition."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj.errors import LabelError, NothingLeft
from emotion_dj.ranking.filters import Filter, kept, parse_filter

if TYPE_CHECKING:
    from collections.abc import Mapping

TRACKS = {
    10: {"genres": ("Indie Rock",), "year": 1990, "artists": ("Ann", "Bo"), "album": "One"},
    11: {"genres": ("Rockabilly", "Jazz"), "year": 1999, "artists": ("Bo",), "album": "Two"},
    12: {"genres": ("ROCK-POP",), "year": None, "artists": (), "album": "one"},
    13: {"genres": (), "year": 2000, "artists": ("Ann Bo",), "album": ""},
}
URIS = {10: "file:///music/a/1.mp3", 11: "file:///music/ab/2.mp3", 12: "x:3", 13: "file:///m.mp3"}


def column(name: str) -> Mapping[int, object]:
    """Return one column of all tracks."""
    return URIS if name == "uri" else {number: row[name] for number, row in TRACKS.items()}


def fitting(text: str) -> list[int]:
    """Return the numbers of the tracks that a condition fits, asked of the third first."""
    numbers = np.array([12, 10, 11, 13])
    return sorted(numbers[kept(numbers, column, only=[parse_filter(text)])].tolist())


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("genre:rock", [10, 12]),
        ("genre:ROCK", [10, 12]),
        ("genre:jazz", [11]),
        ("genre:indie rock", [10]),
        ("genre:rock-pop", [12]),
        ("artist:bo", [10, 11]),
        ("artist:ANN BO", [13]),
        ("album:ONE", [10, 12]),
        ("year:1990", [10]),
        ("year:1990-1999", [10, 11]),
        ("year:1991-2000", [11, 13]),
        ("year:1999-", [11, 13]),
        ("year:-1999", [10, 11]),
        ("year:-1990", [10]),
        ("folder:/music", [10, 11]),
        ("folder:/music/a", [10]),
        ("folder:/music/a/", [10]),
        ("folder:/music/b/../a", [10]),
        (" Genre : rock ", [10, 12]),
    ],
)
def test_what_a_condition_fits(text: str, numbers: list[int]) -> None:
    """A whole word of a genre, a whole name, a year with both ends, what lies below a folder."""
    assert fitting(text) == numbers


def test_a_folder_may_be_of_home_or_of_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` and what is relative are understood as a shell does."""
    for place in (Path.home() / "songs", Path.cwd() / "songs"):
        monkeypatch.setitem(URIS, 12, (place / "3.mp3").as_uri())
        text = "folder:~/songs" if place.is_relative_to(Path.home()) else "folder:songs"
        assert fitting(text) == [12]


def test_a_playlist_fits_its_songs() -> None:
    """By their uris, which are known once it was opened."""
    condition = Filter("playlist", "mine.m3u", frozenset({"x:3", "file:///m.mp3"}))
    rows = kept(np.array([10, 11, 12, 13]), column, only=[condition])
    assert rows.tolist() == [2, 3]
    assert str(condition) == "playlist:mine.m3u"
    assert parse_filter("playlist:a:b.m3u") == Filter("playlist", "a:b.m3u")


def test_conditions_about_a_field_add_up_and_those_of_two_meet() -> None:
    """One about each field has to fit, in whatever order they are said; none of those to avoid."""
    numbers = np.array([10, 11, 12, 13])
    only = [parse_filter(text) for text in ("genre:jazz", "year:1990-1999", "genre:rock")]
    assert kept(numbers, column, only=only).tolist() == [0, 1]
    avoid = [parse_filter("album:one"), parse_filter("year:2000-")]
    assert kept(numbers, column, avoid=avoid).tolist() == [1]
    assert kept(numbers, column, only=only, avoid=avoid[:1]).tolist() == [1]
    assert kept(numbers, column).tolist() == [0, 1, 2, 3]
    assert kept(numbers[:0], column).tolist() == []


@pytest.mark.parametrize(
    ("only", "avoid", "sentence", "named"),
    [
        (["genre:polka", "genre:waltz"], [], "no song that may be played has ", [0, 1]),
        (["genre:jazz", "year:2000"], [], "no song that may be played has ", [1]),
        ([], ["year:1900-1990", "year:1991-", "genre:rock"], "no song is left without ", [2]),
    ],
)
def test_conditions_that_leave_nothing_are_named(
    only: list[str], avoid: list[str], sentence: str, named: list[int]
) -> None:
    """Those after which nothing was left, and no others."""
    with pytest.raises(NothingLeft, match=f"^{sentence}") as raised:
        kept(
            np.array([10, 11, 12, 13]),
            column,
            only=list(map(parse_filter, only)),
            avoid=list(map(parse_filter, avoid)),
        )
    said = [*only, *avoid]
    assert raised.value.values == {"conditions": [said[at] for at in named]}


FIELDS = "genre:..., year:..., artist:..., album:..., folder:..., playlist:..."


@pytest.mark.parametrize("text", ["rock", "genre:", "genre: ", "colour:red", ":rock", ""])
def test_what_is_no_condition_is_said(text: str) -> None:
    """The sentence repeats it and names all fields."""
    with pytest.raises(LabelError) as refused:
        parse_filter(text)
    assert str(refused.value) == f"'{text}' is not a condition: write {FIELDS}"


@pytest.mark.parametrize(
    "text", ["then", "-", "199", "19990", "1990-99", "1990--1999", "19901999", "1990-1999x"]
)
def test_what_is_no_year_is_said(text: str) -> None:
    """The sentence shows every way to write one; two years without a dash are none."""
    with pytest.raises(LabelError) as refused:
        parse_filter(f"year:{text}")
    assert str(refused.value) == f"'{text}' is not a year: write 1994, 1990-1999, 1990- or -1999"
