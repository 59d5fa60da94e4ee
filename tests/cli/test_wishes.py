"""`play` from words, from a song, under conditions: its output and its refusals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import command_line
import pytest

from emotion_dj import EmotionDJ
from emotion_dj.app.settings import Settings

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

SONGS = "\n".join(
    ["title,artist,genre,year,duration_ms,energy,valence"]
    + [
        f"Song {i},Artist {i},{'rock' if i % 2 else 'folk'},{1990 + i},200000,{i / 40},{1 - i / 40}"
        for i in range(40)
    ]
)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a catalogue of forty songs out of a table."""
    folder = tmp_path_factory.mktemp("wishes")
    (folder / "songs.csv").write_text(SONGS)
    dj = EmotionDJ(settings=Settings(database=str(folder / "songs.sqlite")))
    dj.library.import_table(folder / "songs.csv")
    return folder / "songs.sqlite"


def play(catalogue: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `emotion-dj play --json` on the catalogue, which is not scanned."""
    words = ["play", "--json", *options, "--database", str(catalogue)]
    return command_line.run(*words)


def test_a_song_a_direction_conditions_and_minutes(catalogue: Path) -> None:
    """All of them go together: like a song, calmer, rock of the nineties, a quarter of an hour."""
    conditions = ("--only", "genre:rock", "--avoid", "year:2000-", "--minutes", "15")
    done = play(catalogue, "--like", "song 3", "--plan", "calm", *conditions)
    assert done.returncode == 0, done.stderr
    music = json.loads(done.stdout)
    assert music["opening"]["text"] == "like Song 3, and calmer"
    numbers = {int(pick["title"].removeprefix("Song ")) for pick in music["picks"]}
    assert numbers <= {1, 5, 7, 9}
    assert len(numbers) == 4


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--say", "xyzzy"), 2, "English, German, French or Spanish"),
        (("--say", "happy sad"), 2, "pull apart"),
        (("--like", "Nowhere Man"), 3, "is called"),
        (("--mood", "sad", "--only", "genre:polka"), 3, "genre:polka"),
        (("--mood", "sad", "--only", "polka"), 2, "not a condition"),
        (("--mood", "sad", "--plan", "journey:sad..sad"), 2, "goes nowhere"),
    ],
)
def test_bad_wishes_are_one_sentence(
    catalogue: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    """What makes no sense is one sentence on stderr and its exit code."""
    done = play(catalogue, *options)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("emotion-dj: ")
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr
