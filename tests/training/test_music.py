"""Training and measuring the ear on Emotify's tracks (beside the checkout)."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj import artifacts
from emotion_dj.errors import AudioError, DataError
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
    with pytest.raises(AudioError, match=r"\.opus"):
        music.read_emotify(table, tmp_path)
