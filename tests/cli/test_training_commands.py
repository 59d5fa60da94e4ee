"""`train` and `evaluate` as their users run them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from command_line import run
from PIL import Image as Pillow

from emotion_dj.music.audio_model import SCALES
from emotion_dj.music.features import NAMES
from emotion_dj.music.network import FRAMES
from emotion_dj.music.spectrum import BANDS

if TYPE_CHECKING:
    from pathlib import Path


def test_evaluate_emotion_on_folders(smiling_photo: Path, tmp_path: Path) -> None:
    """A folder of one smile: all right; as JSON and for people; a folder of nothing is refused."""
    (tmp_path / "faces" / "happy").mkdir(parents=True)
    with Pillow.open(smiling_photo) as photo:
        photo.convert("RGB").save(tmp_path / "faces" / "happy" / "a.jpg")
    figures = json.loads(run("evaluate", "emotion", tmp_path / "faces", "--json").stdout)
    assert figures["accuracy"] == 1
    assert {"n", "macro_f1", "nll", "ece", "per_class", "confusion"} <= set(figures)
    assert {"ms_per_face", "coverage_at"} <= set(figures)
    assert "accuracy 100.00%" in run("evaluate", "emotion", tmp_path / "faces").stdout
    (tmp_path / "empty").mkdir()
    refused = run("evaluate", "emotion", tmp_path / "empty")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (3, 1)


def test_evaluate_emotion_says_what_it_leaves_out(smiling_photo: Path, tmp_path: Path) -> None:
    """A night sky, a broken file and contempt are named; what nobody showed gets no recall."""
    for name in ("happy", "contempt"):
        (tmp_path / name).mkdir()
        shutil.copy(smiling_photo, tmp_path / name / "a.png")
    Pillow.new("RGB", (640, 480)).save(tmp_path / "happy" / "night.png")
    (tmp_path / "happy" / "broken.png").write_bytes(b"x")
    said = run("evaluate", "emotion", tmp_path).stdout
    assert "left out: 1 in which no face was found" in said
    assert "left out: 1 that cannot be read" in said
    assert "left out: 1 without one of the seven labels" in said
    assert "no pictures of: angry, disgust, fear, neutral, sad, surprise" in said
    assert "recall 0.00" not in said
    assert "happy     recall 1.00" in said


@pytest.mark.needs_shared
def test_evaluate_emotion_says_what_people_saw(shared: Path, tmp_path: Path) -> None:
    """With votes in the table their figures come besides; with broken ones, one sentence."""
    import pyarrow.parquet as pq

    faces = pq.read_table(shared / "data/faces/fer2013-public.parquet").slice(0, 60)
    pq.write_table(faces, tmp_path / "faces.parquet")
    figures = json.loads(run("evaluate", "emotion", tmp_path / "faces.parquet", "--json").stdout)
    told = ("n", "accuracy", "macro_recall", "macro_f1", "ece", "affect_distance")
    assert list(figures["votes"]) == [*told, "per_class", "confusion"]
    assert 40 <= figures["votes"]["n"] < figures["n"] == 60
    assert figures["votes"]["accuracy"] > 0.7
    assert "what most people saw: " in run("evaluate", "emotion", tmp_path / "faces.parquet").stdout
    pq.write_table(faces.drop_columns(["votes_fear"]), tmp_path / "broken.parquet")
    refused = run("evaluate", "emotion", tmp_path / "broken.parquet")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (3, 1)
    assert "no column votes_fear" in refused.stderr


@pytest.mark.needs_shared
@pytest.mark.slow
def test_evaluate_music_on_a_table(shared: Path, tmp_path: Path) -> None:
    """Twelve of Emotify's tracks, as JSON and for people."""
    lines = (shared / "data/music/emotify.csv").read_text(encoding="utf-8").splitlines()
    table = tmp_path / "t.csv"
    table.write_text("\n".join([lines[0], *lines[1::25]]) + "\n", encoding="utf-8")
    command = ("evaluate", "music", table, "--audio", shared / "data/music/emotify")
    figures = json.loads(run(*command, "--json").stdout)
    assert {"n", "r2", "pearson", "cpu_s_per_track"} <= set(figures)
    assert {"valence", "arousal"} <= set(figures["r2"])
    assert "CPU-seconds per track" in run(*command).stdout


@pytest.mark.needs_shared
@pytest.mark.needs_train
def test_train_emotion_makes_an_artifact(shared: Path, tmp_path: Path) -> None:
    """One epoch over 300 faces leaves weights, card, checkpoint and log in the folder."""
    import pyarrow.parquet as pq

    table = pq.read_table(shared / "data/faces/fer2013-public.parquet")
    pq.write_table(table.slice(0, 300), tmp_path / "train.parquet")
    pq.write_table(table.slice(3000, 100), tmp_path / "held.parquet")
    done = run(
        *("train", "emotion", "--data", tmp_path / "train.parquet"),
        *("--validate", tmp_path / "held.parquet", "--out", tmp_path / "run", "--epochs", "1"),
    )
    assert done.returncode == 0, done.stderr
    assert {"face-6.json", "face-6.tflite", "checkpoint.pt", "log.csv"} <= {
        path.name for path in (tmp_path / "run").iterdir()
    }
    card = json.loads((tmp_path / "run" / "face-6.json").read_text(encoding="utf-8"))
    assert (card["recipe"]["epochs"], card["recipe"]["teachers"]) == (1, [])
    again = run(
        *("train", "emotion", "--data", tmp_path / "train.parquet"),
        *("--validate", tmp_path / "held.parquet", "--out", tmp_path / "again"),
        *("--start", tmp_path / "run", "--epochs", "0"),
    )
    assert again.returncode == 0, again.stderr
    mean = json.loads((tmp_path / "again" / "face-6.json").read_text(encoding="utf-8"))
    assert mean["metrics"]["votes"] == card["metrics"]["votes"]
    assert [begun["epochs"] for begun in mean["recipe"]["start"]] == [1]
    assert (tmp_path / "again" / "checkpoint.pt").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--epochs", "0"], "needs --start"),
        (["--recipe", "original", "--epochs", "0"], "needs --start"),
        (["--recipe", "original", "--start", "."], "do not belong"),
        (["--recipe", "fresh"], "goes on from trained weights"),
    ],
)
def test_train_emotion_refuses_what_cannot_be_meant(
    options: list[str], said: str, tmp_path: Path
) -> None:
    """Before anything is read: exit code 2, and what is wrong."""
    paths = ("--data", tmp_path, "--validate", tmp_path, "--out", tmp_path / "run")
    refused = run("train", "emotion", *paths, *options)
    assert refused.returncode == 2
    assert said in " ".join(refused.stderr.split())
    assert not (tmp_path / "run").exists()


@pytest.mark.needs_shared
@pytest.mark.needs_train
def test_train_music_makes_an_artifact(shared: Path, tmp_path: Path) -> None:
    """Twenty tracks are enough to make an ear, if not a good one."""
    lines = (shared / "data/music/emotify.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "t.csv").write_text("\n".join([lines[0], *lines[1::15]]) + "\n", encoding="utf-8")
    names = [line.split(",")[0] for line in lines[1::15]]
    scales = tmp_path / "scales.npz"
    np.savez(
        scales,
        vectors=np.random.default_rng(0).normal(size=(len(names), len(NAMES))).astype(np.float32),
        answers=np.full((len(names), len(SCALES)), 0.5, np.float32),
        files=np.array(names),
        features=np.array(NAMES),
        scales=np.array(SCALES),
    )
    sounds = tmp_path / "sounds.npz"
    mel = np.random.default_rng(0).normal(-40, 9, (4 * len(names), FRAMES, BANDS))
    files = np.repeat(names, 4)
    np.savez(sounds, mel=mel.astype(np.float16), answers=mel.mean(1), files=files)
    command = (
        *("train", "music", "--data", tmp_path / "t.csv", "--scales", scales, "--epochs", "1"),
        *("--audio", shared / "data/music/emotify", "--out", tmp_path / "run"),
    )
    refused = run(*command, "--sounds", scales)
    assert refused.returncode == 3
    assert "is not a file of sounds" in refused.stderr
    done = run(*command, "--sounds", sounds)
    assert done.returncode == 0, done.stderr
    assert "r2_five_fold_mean_of_3_splits" in json.loads(done.stdout)
