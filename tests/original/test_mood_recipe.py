"""The original's recipe: what it reaches, and what shows why."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow

from emotion_dj.errors import DataError
from emotion_dj.original.mood_recipe import FEATURES, read_songs

if TYPE_CHECKING:
    from pathlib import Path


def train(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `train mood --recipe original` in a process of its own."""
    command = [sys.executable, "-m", "emotion_dj", "train", "mood", "--recipe", "original"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )


@pytest.mark.needs_shared
@pytest.mark.needs_train
def test_a_short_run_leaves_everything_that_is_promised(shared: Path, tmp_path: Path) -> None:
    """Weights, card, scaler, label encoder, picture; loudness alone beats the network."""
    import joblib

    from emotion_dj import artifacts

    table, out = shared / "data/music/seed-9980.csv", tmp_path / "run"
    done = train("--data", table, "--out", out, "--epochs", "3")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["accuracy"] > 0.93
    assert figures["n"] == {"learnt": 7984, "held_back": 1996}
    assert np.sum(figures["confusion"]["rows_true_columns_read"]) == 1996
    baselines = figures["baselines"]
    assert baselines["majority"] < 0.5 < figures["accuracy"] < baselines["loudness_alone"]
    assert baselines["ari_of_clusters_of_raw_features_and_labels"] > 0.99
    with Pillow.open(out / "mood-original-confusion.png") as picture:
        assert picture.format == "PNG"
    model = artifacts.load(out / "mood-original.json")
    scaler = joblib.load(out / "mood-original-scaler.joblib")
    encoder = joblib.load(out / "mood-original-labels.joblib")
    songs = read_songs(table)
    read = [_run(model.path, row) for row in scaler.transform(songs.features[:200])]
    right = encoder.classes_[np.argmax(read, axis=1)] == songs.labels[:200]
    assert right.mean() > 0.9
    assert np.sum(read, axis=1) == pytest.approx(1, abs=1e-5)


def _run(path: Path, row: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    network = Interpreter(str(path))
    network.allocate_tensors()
    network.set_tensor(network.get_input_details()[0]["index"], row[None].astype(np.float32))
    network.invoke()
    return network.get_tensor(network.get_output_details()[0]["index"])[0]


@pytest.mark.needs_train
def test_quadrants_are_compared_where_the_table_has_them(tmp_path: Path) -> None:
    """Labels that are the quadrants agree with them wholly."""
    rng = np.random.default_rng(0)
    rows = rng.random((200, 7)).round(4)
    labels = 2 * (rows[:, 5] > 0.5) + (rows[:, 6] > 0.5)
    table = _table(tmp_path, (*FEATURES, "valence", "energy"), rows, labels)
    done = train("--data", table, "--out", tmp_path / "run", "--epochs", "1")
    assert done.returncode == 0, done.stderr
    baselines = json.loads(done.stdout)["baselines"]
    assert baselines["ari_of_valence_energy_quadrants_and_labels"] == 1


def test_what_is_no_such_table_gets_one_sentence(tmp_path: Path) -> None:
    """A column short, words for numbers, NaN, nothing at all, one label: each is said."""
    rows = np.random.default_rng(0).random((20, 5))
    short = _table(tmp_path, FEATURES[1:], rows[:, 1:], rows[:, 0] > 0.5)
    done = train("--data", short, "--out", tmp_path / "run")
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1)
    assert "lacks the column acousticness" in done.stderr
    half = np.arange(20) % 2
    for values, labels, words in (
        (np.full((20, 5), "loud"), half, "not a table of numbers"),
        (np.full((20, 5), np.nan), half, "not a finite number"),
        (rows[:0], half[:0], "too small"),
        (rows, half * 0, "too small"),
        (rows, np.arange(20), "too small"),
    ):
        with pytest.raises(DataError, match=words):
            read_songs(_table(tmp_path, FEATURES, values, labels))
    (tmp_path / "table.csv").write_text(",".join((*FEATURES, "label")) + "\n1,2\n")
    with pytest.raises(DataError, match="not a table of numbers"):
        read_songs(tmp_path / "table.csv")
    (tmp_path / "table.csv").write_bytes(b"\xff\xfe\x00music")
    with pytest.raises(DataError, match="not a table of numbers"):
        read_songs(tmp_path / "table.csv")


def test_options_that_do_not_fit_are_wrong_usage(tmp_path: Path) -> None:
    """Two tables for this recipe, or its length for the other one, are refused."""
    table = _table(tmp_path, FEATURES, np.zeros((1, 5)), np.zeros(1))
    assert train("--data", table, "--data", table, "--out", tmp_path).returncode == 2
    other = ("--recipe", "small", "--epochs", "3")
    assert train("--data", table, "--out", tmp_path, *other).returncode == 2


def _table(folder: Path, names: tuple[str, ...], rows: np.ndarray, labels: np.ndarray) -> Path:
    path = folder / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "label"])
        writer.writerows([*row, int(label)] for row, label in zip(rows, labels, strict=True))
    return path
