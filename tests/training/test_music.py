"""Training and measuring the ear on Emotify's tracks (beside the checkout)."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj import artifacts
from emotion_dj.errors import DataError
from emotion_dj.music.audio_model import GEMS, SCALES, AudioModel
from emotion_dj.music.features import NAMES
from emotion_dj.training import evaluation, music, music_data
from emotion_dj.training.music_fit import MEASURED, inputs
from emotion_dj.training.sounds import Sounds

if TYPE_CHECKING:
    from emotion_dj.training.music import Taught
    from emotion_dj.training.music_data import Corpus

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


def taught(corpus: Corpus, path: Path) -> Taught:
    """Let the ear that ships tell its own scales of these tracks, through a file, and tell of the
    sounds of four patches of each how loud the bands are.
    """
    told = AudioModel().scales(inputs(corpus.vectors))
    names = {"features": np.array(NAMES), "scales": np.array(SCALES)}
    np.savez(path, vectors=corpus.vectors, answers=told, files=np.array(corpus.files), **names)
    mel = np.concatenate([patches[:4] for patches in corpus.sounds])
    loud = mel.astype(np.float32).mean(1)
    sounds = Sounds(mel, loud, np.repeat([f"a/{name}" for name in corpus.files], 4))
    return music.Taught(music_data.read_lessons(path, MEASURED), sounds, epochs=1)


@pytest.fixture(scope="module")
def corpus(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Return twenty tracks of all genres, heard."""
    table = excerpt(shared, tmp_path_factory.mktemp("table") / "t.csv", 20)
    return music_data.read_emotify(table, shared / "data/music/emotify")


@pytest.mark.needs_train
def test_an_ear_learns_from_listeners(shared: Path, corpus: Corpus, tmp_path: Path) -> None:
    """From 20 tracks a whole artifact is made, whose weights fit their card."""
    steps = []
    teachers = taught(corpus, tmp_path / "scales.npz")
    card = music.train(corpus, teachers, tmp_path, report=lambda *step: steps.append(step))
    assert steps[-1] == (len(steps), len(steps))
    audio_model = AudioModel(artifacts.load(tmp_path / f"{card['id']}.json"))
    heard = audio_model.analyse(shared / "data/music/emotify" / corpus.files[0]).features
    assert all(0 <= getattr(heard, name) <= 1 for name in SCALES)
    (tmp_path / "no.npz").write_bytes(b"no")
    with pytest.raises(DataError, match="not a file of scales"):
        music_data.read_lessons(tmp_path / "no.npz", MEASURED)
    assert artifacts.load(tmp_path / f"{card['id']}.json").card["sha256"] == card["sha256"]
    assert card["sounds"]["patches"] == 80
    assert card["sounds"]["r2_against_the_teachers_five_fold_by_track"] < 1
    assert len(set(corpus.genres)) == len(card["r2_inside_each_genre"]) == 4
    assert corpus.variance.min() < 1 < corpus.variance.max()


@pytest.mark.needs_train
def test_what_teachers_say_of_a_held_fold_is_never_learnt(corpus: Corpus, tmp_path: Path) -> None:
    """Spoilt lessons of one fold change the predictions of all tracks but those of that fold."""
    teachers = taught(corpus, tmp_path / "scales.npz")
    folds = np.arange(len(corpus.files)) % 3
    own = {corpus.files[i] for i in np.flatnonzero(folds == 1)}
    spoilt = np.array([Path(str(file)).name in own for file in teachers.sounds.files])
    mel, answers = teachers.sounds.mel.copy(), teachers.sounds.answers.copy()
    mel[spoilt], answers[spoilt] = mel[spoilt][:, ::-1], -answers[spoilt]
    scales = np.where(np.isin(corpus.files, list(own))[:, None], 0, teachers.lessons.scales)
    worse = replace(
        teachers,
        lessons=replace(teachers.lessons, scales=scales.astype(np.float32)),
        sounds=replace(teachers.sounds, mel=mel, answers=answers),
    )
    right, wrong = (music.cross_validate(corpus, way, folds) for way in (teachers, worse))
    assert np.array_equal(right.targets[folds == 1], wrong.targets[folds == 1])
    moved = np.abs(right.targets - wrong.targets).max(1)
    assert (moved[folds != 1] > 0).all()
    assert len(right.agreement) == 3


@pytest.mark.slow
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
        music_data.read_emotify(tmp_path / "t.csv", tmp_path)
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(DataError, match="holds no track"):
        evaluation.evaluate_music(tmp_path / "t.csv", tmp_path)
    table = excerpt(shared, tmp_path / "one.csv", 1)
    with pytest.raises(DataError, match="felt the same"):
        evaluation.evaluate_music(table, shared / "data/music/emotify")
    table = excerpt(shared, tmp_path / "u.csv", 1)
    with pytest.raises(DataError, match=r"no track .* can be heard: .*\.opus does not exist"):
        music_data.read_emotify(table, tmp_path)
    line = ",".join(["x.opus", *["nan"] * 9])
    table.write_text(",".join(["file", *GEMS]) + f"\n{line}\n")
    with pytest.raises(DataError, match="row 1 holds nan"):
        music_data.read_emotify(table, tmp_path)


@pytest.mark.needs_shared
def test_a_recording_that_cannot_be_heard_is_passed_over(shared: Path, tmp_path: Path) -> None:
    """One is missing, one is text, and a spreadsheet wrote the table: the others are measured."""
    table = excerpt(shared, tmp_path / "t.csv", 4)
    table.write_text("\ufeff" + table.read_text(encoding="utf-8"), encoding="utf-8")
    files = [row.split(",")[0] for row in table.read_text(encoding="utf-8").splitlines()[1:]]
    for name in files[2:]:
        (tmp_path / name).symlink_to(shared / "data/music/emotify" / name)
    (tmp_path / files[1]).write_text("no music")
    corpus = music_data.read_emotify(table, tmp_path)
    assert corpus.files == tuple(files[2:])
    assert [len(corpus.vectors), len(corpus.targets)] == [len(files) - 2] * 2
    assert [files[0] in corpus.passed_over[0], files[1] in corpus.passed_over[1]] == [True] * 2
