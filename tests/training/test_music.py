"""Training and measuring the ear on Emotify's tracks (beside the checkout)."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj import artifacts
from emotion_dj.errors import DataError
from emotion_dj.music.features import NAMES
from emotion_dj.music.mood import SCALES, Ear
from emotion_dj.training import evaluation, music

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs_shared


def excerpt(shared: Path, path: Path, rows: int) -> Path:
    """Write every n-th row of Emotify's table, so that all genres are there."""
    with (shared / "data/music/emotify.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    chosen = table[:: len(table) // rows][:rows]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, table[0].keys())
        writer.writeheader()
        writer.writerows(chosen)
    return path


def lessons(corpus: music.Corpus, path: Path) -> music.Lessons:
    """Let the ear that ships be the teacher: its own scales of these tracks, in a file."""
    told = Ear().scales(music.inputs(corpus.vectors))
    names = {"features": np.array(NAMES), "scales": np.array(SCALES)}
    np.savez(path, vectors=corpus.vectors, answers=told, files=np.array(corpus.files), **names)
    return music.read_lessons(path)


def test_an_ear_learns_from_listeners(shared: Path, tmp_path: Path) -> None:
    """From 20 tracks a whole artifact is made, whose weights fit their card."""
    table = excerpt(shared, tmp_path / "t.csv", 20)
    corpus = music.read_emotify(table, shared / "data/music/emotify")
    card = music.train(corpus, lessons(corpus, tmp_path / "scales.npz"), tmp_path)
    ear = Ear(artifacts.load(tmp_path / f"{card['id']}.json"))
    heard = ear.analyse(shared / "data/music/emotify" / corpus.files[0]).features
    assert all(0 <= getattr(heard, name) <= 1 for name in SCALES)
    (tmp_path / "no.npz").write_bytes(b"no")
    with pytest.raises(DataError, match="no file of scales"):
        music.read_lessons(tmp_path / "no.npz")
    assert artifacts.load(tmp_path / f"{card['id']}.json").card["sha256"] == card["sha256"]
    assert len(set(corpus.genres)) == len(card["r2_inside_each_genre"]) == 4
    assert corpus.doubts.min() < 1 < corpus.doubts.max()


def test_the_ear_hears_arousal_better_than_chance(shared: Path, tmp_path: Path) -> None:
    """`evaluate music` reports R2 and r of each target; arousal follows the listeners."""
    table = excerpt(shared, tmp_path / "t.csv", 30)
    figures = evaluation.evaluate_music(table, shared / "data/music/emotify")
    assert figures["n"] == 30
    assert figures["pearson"]["arousal"] > 0.5


def test_tables_of_another_form_are_refused(shared: Path, tmp_path: Path) -> None:
    """A missing column and a missing recording are named."""
    (tmp_path / "t.csv").write_text("file,genre\na.opus,rock\n")
    with pytest.raises(DataError, match="Emotify"):
        music.read_emotify(tmp_path / "t.csv", tmp_path)
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(DataError, match="holds no track"):
        evaluation.evaluate_music(tmp_path / "t.csv", tmp_path)
    table = excerpt(shared, tmp_path / "one.csv", 1)
    with pytest.raises(DataError, match="felt the same"):
        evaluation.evaluate_music(table, shared / "data/music/emotify")
    table = excerpt(shared, tmp_path / "u.csv", 1)
    with pytest.raises(DataError, match=r"no track .* can be heard: .*\.opus does not exist"):
        music.read_emotify(table, tmp_path)
    line = ",".join(["x.opus", *["nan"] * 9])
    table.write_text(",".join(["file", *music.GEMS]) + f"\n{line}\n")
    with pytest.raises(DataError, match="row 1 holds nan"):
        music.read_emotify(table, tmp_path)


@pytest.mark.needs_shared
def test_a_recording_that_cannot_be_heard_is_passed_over(shared: Path, tmp_path: Path) -> None:
    """One is missing, one is text, and a spreadsheet wrote the table: the others are measured."""
    table = excerpt(shared, tmp_path / "t.csv", 4)
    table.write_text("\ufeff" + table.read_text(encoding="utf-8"), encoding="utf-8")
    files = [row.split(",")[0] for row in table.read_text(encoding="utf-8").splitlines()[1:]]
    for name in files[2:]:
        (tmp_path / name).symlink_to(shared / "data/music/emotify" / name)
    (tmp_path / files[1]).write_text("no music")
    corpus = music.read_emotify(table, tmp_path)
    assert corpus.files == tuple(files[2:])
    assert [len(corpus.vectors), len(corpus.targets)] == [len(files) - 2] * 2
    assert [files[0] in corpus.passed_over[0], files[1] in corpus.passed_over[1]] == [True] * 2
