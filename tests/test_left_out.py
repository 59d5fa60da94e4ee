"""What stays in the catalogue and out of sets, and how a listener lets it in."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from emotion_dj import EmotionDJ, eligibility
from emotion_dj.app.settings import Settings, load
from emotion_dj.artifacts import AUDIO_MODEL
from emotion_dj.cli import app
from emotion_dj.errors import LibraryError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "title,uri,energy,valence,tempo,duration_ms,genres\n"
ROWS = (
    "Song,t:1,0.5,0.5,120,200000,Rock",
    "Jingle,t:2,0.5,0.5,120,9000,Rock",
    "Concert,t:3,0.5,0.5,120,4000000,Rock",
    "Talk,t:4,0.5,0.5,120,3000000,True Crime Podcast",
    "Waterfall,t:5,0.5,0.5,120,300000,White Noise",
    "Unmeasured,t:6,0.5,0.5,120,,",
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return a table of one track of each kind."""
    path = tmp_path / "songs.csv"
    path.write_text(HEAD + "\n".join(ROWS))
    return path


def imported(table: Path, include: str = "") -> EmotionDJ:
    """Return a library of a table in a catalogue beside it."""
    database = str(table.with_suffix(".sqlite"))
    dj = EmotionDJ(settings=Settings(database=database, include=include))
    dj.library.import_table(table)
    return dj


def titles(dj: EmotionDJ) -> set[str]:
    """Return what may be in a set."""
    dj_set = dj.recommend(mood="calm", n=50, candidates=dj.library.current())
    return {pick.track.title for pick in dj_set.picks}


def test_what_is_no_song_is_out_of_sets_and_listed(table: Path) -> None:
    """Length and genre decide; the list has all of it, with the code of why."""
    dj = imported(table)
    assert titles(dj) == {"Song", "Unmeasured"}
    codes = {row["title"]: (row["left_out"] or {}).get("code") for row in dj.library.rows()}
    assert codes == {
        "Song": None,
        "Jingle": "short",
        "Concert": "long",
        "Talk": "speech",
        "Waterfall": "noise",
        "Unmeasured": None,
    }


@pytest.mark.parametrize(
    ("include", "more"),
    [("short", {"Jingle"}), ("speech, LONG", {"Talk", "Concert"}), ("noise", {"Waterfall"})],
)
def test_what_is_asked_for_is_in_sets(table: Path, include: str, more: set[str]) -> None:
    """Each code lets in what it names, and nothing else."""
    assert titles(imported(table, include)) == {"Song", "Unmeasured"} | more


def test_a_code_that_is_none_is_refused() -> None:
    """A setting that names no code is one sentence with those that there are."""
    with pytest.raises(SettingsError, match="short, speech, noise, long"):
        load(include="speech,talk")


def test_a_library_of_nothing_but_effects_says_so(tmp_path: Path) -> None:
    """Where all is left out the sentence counts it and names the way in."""
    path = tmp_path / "effects.csv"
    path.write_text(HEAD + ROWS[1])
    dj = imported(path)
    with pytest.raises(LibraryError, match=r"\(1 short\): let it in with --include"):
        dj.recommend(mood="calm")


@pytest.mark.parametrize(
    ("uri", "genres", "code"),
    [
        ("file:///a/book.M4B", (), "speech"),
        ("file:///a/voice.spx", (), "speech"),
        ("file:///a/song.flac", ("Hörbuch",), "speech"),
        ("file:///a/song.flac", ("Books & Spoken",), "speech"),
        ("file:///a/song.flac", ("Sound Effects",), "noise"),
        ("file:///a/song.flac", ("Noise Rock", "Speechless Pop"), None),
    ],
)
def test_suffix_and_genre_decide(uri: str, genres: tuple[str, ...], code: str | None) -> None:
    """Audiobooks by their suffix, and genres by whole words; Noise is a genre of music."""
    assert eligibility.left_out(uri, 200, genres) == code


def test_copies_count_once(tmp_path: Path, demo_music: Path) -> None:
    """A file that lies in three places is one song of a set, and stays that when one copy goes."""
    song = min((demo_music / "calm").glob("*.opus"))
    for name in ("a.opus", "b.opus", "c.opus"):
        shutil.copy(song, tmp_path / name)
    dj = EmotionDJ(library=tmp_path)
    assert len(dj.recommend(mood="calm", n=5).picks) == 1
    assert len(dj.library.everything()) == 3
    assert dj.library.sizes()["files"] == 1
    (tmp_path / "a.opus").unlink()
    dj.library.scan()
    (pick,) = dj.recommend(mood="calm", n=5).picks
    assert pick.track.title == "b"


def test_a_scan_says_how_many(tmp_path: Path, demo_music: Path) -> None:
    """The summary counts what is left out and says how it gets in, and --json has the codes."""
    (tmp_path / "music").mkdir()
    song = min((demo_music / "calm").glob("*.opus"))
    shutil.copy(song, tmp_path / "music" / "song.opus")
    shutil.copy(song, tmp_path / "music" / "voice.m4b")
    told = CliRunner().invoke(app, ["library", "add", str(tmp_path / "music")])
    assert "not in sets: 1 speech; --include speech lets them in" in told.stderr
    told = CliRunner().invoke(app, ["library", "scan", "--json"])
    assert '"left_out": {\n    "speech": 1' in told.stdout


def test_the_ear_that_is_shipped_tells_speech(tmp_path: Path, demo_music: Path) -> None:
    """It has weights for its own vectors; real songs are none, and what points their way is."""
    weights = np.array(eligibility.WEIGHTS[AUDIO_MODEL])
    pole = weights[:-1] / np.linalg.norm(weights[:-1])
    names = [AUDIO_MODEL, f"{AUDIO_MODEL}+whole", "another"]
    assert eligibility.sounds_spoken(names, [pole] * 3) == [True, True, False]
    for path in sorted(demo_music.glob("*/*.opus"))[::7]:
        shutil.copy(path, tmp_path)
    dj = EmotionDJ(library=tmp_path)
    dj.library.scan()
    assert len(dj.library.current()) == 4
