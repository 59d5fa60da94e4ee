"""The same recording in two sources, on a labelled list, and what must never happen."""

from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emotion_dj.domain import Track
from emotion_dj.matching import Index, same

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(BENCHMARKS))  # as where a script is run: it imports its neighbour
BENCHMARK: dict[str, Any] = runpy.run_path(str(BENCHMARKS / "matching.py"))


def track(title: str, artist: str = "Nobody", seconds: float | None = 200, isrc: str = "") -> Track:
    """Return a track of one artist."""
    return Track(f"test:{title}", title, (artist,), duration=seconds, isrc=isrc or None)


def test_the_half_that_no_rule_was_made_for() -> None:
    """Precision and recall on the held half keep their floors."""
    found = BENCHMARK["score"]((same(p.a, p.b), p.same) for p in BENCHMARK["pairs"]("held"))
    assert found.pairs > 100
    assert found.precision >= 0.96
    assert found.recall >= 0.9


@pytest.mark.parametrize("half", ["dev", "held"])
def test_an_index_finds_what_a_comparison_finds(half: str) -> None:
    """Among all the tracks of the list, each finds one that is the same; either side may ask."""
    pairs = BENCHMARK["pairs"](half)
    index = Index([pair.b for pair in pairs])
    for pair in pairs:
        assert same(pair.a, pair.b) == same(pair.b, pair.a)
        found = index.find(pair.a)
        if same(pair.a, pair.b):
            assert found is not None
        if found is not None:
            assert same(pair.a, found)


def test_the_nearest_of_several_and_the_code_before_all() -> None:
    """Of two copies the one that lasts as long; a track with the code wins over names."""
    copies = [track("Song", seconds=203), track("Song", seconds=200.5)]
    assert Index(copies).find(track("Song")) == copies[1]
    coded = track("Other words", isrc="FRX202600001")
    assert Index([*copies, coded]).find(track("Song", isrc="FR-X20-26-00001")) == coded
    named = replace(track("Yet other words"), mbid="f3ef5f4b-2a04-4a0a-9e0f-1a2b3c4d5e6f")
    assert Index([*copies, named]).find(replace(track("Song"), mbid=named.mbid)) == named
    assert same(named, replace(track("Song"), mbid=named.mbid))
    assert Index(copies).find(track("Nothing like it")) is None


@pytest.mark.parametrize(
    "title", ["", "()", "(Live)", " - ", "feat. X", "???", "(((", "🎵", "-" * 9]
)
def test_odd_titles_are_no_trouble(title: str) -> None:
    """Whatever a title is made of, it is the same as itself and not as another."""
    assert same(track(title), track(title))
    assert not same(track(title), track("A plain song"))
    assert Index([track(title)]).find(track(title)) is not None


def test_without_artists_nothing_is_claimed() -> None:
    """A title alone names too many recordings."""
    assert not same(Track("test:1", "Hello", duration=200), Track("test:2", "Hello", duration=200))


@pytest.mark.parametrize(
    ("written", "aloud"),
    [
        ("七里香", "Qi Li Xiang"),
        ("Группа крови", "Gruppa Krovi"),
        ("Արամ Խաչատրյան", "Aram Khachatryan"),
        ("さくらさくら", "Sakura Sakura"),
    ],
)
def test_other_scripts_are_read_aloud(written: str, aloud: str) -> None:
    """A title in another script and its transcription, of equal length in seconds, are one."""
    original = Track("a:1", written, ("Somebody",), duration=200)
    assert same(original, Track("b:1", aloud, ("Somebody",), duration=201))
    assert not same(original, Track("b:2", "Something Else", ("Somebody",), duration=201))
