"""The original's recipe, made again so that it can be looked at: a network that learns loudness.

    emotion-dj train mood --recipe original --data seed-9980.csv --out runs/original

Five features through a perceptron 5-64-32-4 (ReLU, softmax, Adam, sparse cross-entropy, 80/20, 50
epochs) name 98.9 % of the held-out songs right. The labels are k-means clusters of the features as
they came, in which loudness has by far the widest range: four bins of loudness. The baselines
beside the accuracy show that; nothing of this recipe chooses music.
"""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.artifacts import digest, write_atomically
from emotion_dj.errors import DataError
from emotion_dj.training import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import nn

    from emotion_dj.json_types import JsonObject

    Floats = npt.NDArray[np.float32]
    Labels = npt.NDArray[np.int64]
    Report = Callable[[int, int], None]

ARTIFACT: Final = "mood-original"
FEATURES: Final = ("acousticness", "danceability", "liveness", "loudness", "speechiness")
LOUDNESS: Final = FEATURES.index("loudness")
QUADRANT_FEATURES: Final = ("valence", "energy")
HIDDEN: Final = (64, 32)
EPOCHS: Final = 50
HELD_BACK: Final = 0.2
SEED: Final = 0

_LEAST_PER_CLASS: Final = 5
"""Songs that each label must have, so that both parts of the split hold it."""

_TREE_LEAVES: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Songs:
    """``features`` (n, 5), ``labels`` (n,) as they were written, ``quadrants`` (n,) or None.

    A quadrant is 2 * (valence > 0.5) + (energy > 0.5), where the table has these columns.
    """

    features: Floats
    labels: npt.NDArray[np.str_]
    quadrants: Labels | None


def read_songs(path: Path) -> Songs:
    """Read a table with the five features and a column label. Raises DataError."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        missing = [name for name in (*FEATURES, "label") if rows and name not in rows[0]]
        if missing:
            msg = f"{path} lacks the column {missing[0]}: this recipe needs {', '.join(FEATURES)}"
            raise DataError(msg)
        features = _columns(rows, FEATURES)
        quadrants = _quadrants(rows)
    except (OSError, TypeError, ValueError, csv.Error) as error:
        msg = f"{path} is not a table of numbers with a column label: {error}"
        raise DataError(msg) from error
    labels = np.array([row["label"] for row in rows], np.str_)
    counts = np.unique(labels, return_counts=True)[1]
    if len(counts) < 2 or counts.min() < _LEAST_PER_CLASS:  # noqa: PLR2004 - a choice needs two
        msg = f"{path} is too small: it needs two labels, each on {_LEAST_PER_CLASS} songs"
        raise DataError(msg)
    return Songs(features, labels, quadrants)


def _columns(rows: Sequence[dict[str, str]], names: Sequence[str]) -> Floats:
    values = np.array([[float(row[name]) for name in names] for row in rows], np.float32)
    if not np.isfinite(values).all():
        msg = "a feature is not a finite number"
        raise ValueError(msg)
    return values


def _quadrants(rows: Sequence[dict[str, str]]) -> Labels | None:
    if not rows or any(name not in rows[0] for name in QUADRANT_FEATURES):
        return None
    high = _columns(rows, QUADRANT_FEATURES) > 0.5  # noqa: PLR2004 - the middle of the scale
    return np.asarray(2 * high[:, 0] + high[:, 1], np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Split:
    """Standardised features and encoded labels of the songs that are learnt and held back."""

    learnt: Floats
    held: Floats
    learnt_labels: Labels
    held_labels: Labels


def train(
    songs: Songs, folder: Path, *, epochs: int = EPOCHS, report: Report = lambda _d, _t: None
) -> JsonObject:
    """Fit, measure beside the baselines, write everything into the folder; return the card.

    Written: the LiteRT file, its card, the scaler and the label encoder (joblib), and the
    confusion matrix (PNG).
    """
    from sklearn.preprocessing import LabelEncoder, StandardScaler

    encoder = LabelEncoder().fit(songs.labels)
    labels = encoder.transform(songs.labels).astype(np.int64)
    learnt, held = _split(labels)
    scaler = StandardScaler().fit(songs.features[learnt])
    rows = scaler.transform(songs.features).astype(np.float32)
    split = _Split(rows[learnt], rows[held], labels[learnt], labels[held])
    net = fit(split.learnt, split.learnt_labels, epochs=epochs, report=report)
    names = [str(name) for name in encoder.classes_]
    figures = metrics.report(_probabilities(net, split.held), split.held_labels, names)
    weights = _to_litert(net)
    _write_joblib(folder / f"{ARTIFACT}-scaler.joblib", scaler)
    _write_joblib(folder / f"{ARTIFACT}-labels.joblib", encoder)
    write_atomically(folder / f"{ARTIFACT}.tflite", weights)
    table = np.array(figures["confusion"]["rows_true_columns_read"])
    write_atomically(folder / f"{ARTIFACT}-confusion.png", _picture(table, names))
    found = {
        "accuracy": figures["accuracy"],
        "macro_f1": figures["macro_f1"],
        "confusion": figures["confusion"],
        "n": {"learnt": len(split.learnt), "held_back": len(split.held)},
        "baselines": _baselines(split, songs, labels),
    }
    card = _card(weights, names, found, epochs)
    write_atomically(folder / f"{ARTIFACT}.json", (json.dumps(card, indent=2) + "\n").encode())
    return card


def fit(
    features: Floats, labels: Labels, *, epochs: int, report: Report = lambda _d, _t: None
) -> Any:
    """Return the original's Keras model, fitted to standardised features."""
    keras = _keras()
    keras.utils.set_random_seed(SEED)
    net = keras.Sequential(
        [
            keras.Input((len(FEATURES),)),
            *(keras.layers.Dense(width, activation="relu") for width in HIDDEN),
            keras.layers.Dense(int(labels.max()) + 1, activation="softmax"),
        ]
    )
    net.compile("adam", "sparse_categorical_crossentropy")
    step = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, _logs: report(epoch + 1, epochs)
    )
    net.fit(features, labels, epochs=epochs, verbose=0, callbacks=[step])
    return net


def _keras() -> Any:
    """Load Keras on PyTorch: the variable counts only before the first import."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    return keras


def _split(labels: Labels) -> tuple[Labels, Labels]:
    """Return the places of the songs to learn from and of those held back, labels in proportion."""
    from sklearn.model_selection import train_test_split

    learnt, held = train_test_split(
        np.arange(len(labels)), test_size=HELD_BACK, random_state=SEED, stratify=labels
    )
    return learnt, held


def _probabilities(net: Any, rows: Floats) -> npt.NDArray[np.float64]:
    return np.asarray(net.predict(rows, verbose=0, batch_size=1024), np.float64)


def _baselines(split: _Split, songs: Songs, labels: Labels) -> dict[str, float]:
    """Return what needs no network: the commonest label, loudness alone, and the labels' nature."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score
    from sklearn.tree import DecisionTreeClassifier

    loud = slice(LOUDNESS, LOUDNESS + 1)
    tree = DecisionTreeClassifier(max_leaf_nodes=_TREE_LEAVES, random_state=SEED)
    tree.fit(split.learnt[:, loud], split.learnt_labels)
    commonest = np.bincount(split.learnt_labels).argmax()
    groups = KMeans(int(labels.max()) + 1, n_init=10, random_state=SEED)
    bins, clusters = (groups.fit_predict(f) for f in (songs.features[:, loud], songs.features))
    figures = {
        "majority": float((split.held_labels == commonest).mean()),
        "loudness_alone": float(tree.score(split.held[:, loud], split.held_labels)),
        "ari_of_loudness_bins_and_labels": float(adjusted_rand_score(labels, bins)),
        "ari_of_clusters_of_raw_features_and_labels": float(adjusted_rand_score(labels, clusters)),
    }
    if songs.quadrants is not None:
        ari = adjusted_rand_score(labels, songs.quadrants)
        figures["ari_of_valence_energy_quadrants_and_labels"] = float(ari)
    return {name: round(value, 4) for name, value in figures.items()}


def _to_litert(net: Any) -> bytes:
    """Return the network as a fp32 LiteRT file: standardised features (1, 5) in, probabilities
    (1, 4) out.
    """
    import torch

    from emotion_dj.training.export import to_litert

    return to_litert(_as_torch(net), torch.zeros(1, len(FEATURES)))


def _as_torch(net: Any) -> nn.Module:
    """Return the same layers as plain PyTorch: Keras's own modules cannot be traced."""
    import torch
    from torch import nn

    layers: list[nn.Module] = []
    for dense in net.layers:
        kernel, bias = (torch.tensor(np.asarray(values)) for values in dense.get_weights())
        linear = nn.Linear(*kernel.shape)
        linear.weight.data, linear.bias.data = kernel.T.contiguous(), bias
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Softmax(dim=1))


def _write_joblib(path: Path, value: Any) -> None:
    import joblib

    file = io.BytesIO()
    joblib.dump(value, file)
    write_atomically(path, file.getvalue())


def _picture(table: Labels, names: Sequence[str]) -> bytes:
    """Draw a confusion matrix: each cell its count, shaded by its share of the row."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set(xlabel="read as", ylabel="label", title="The original's recipe, held-back songs")
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    for row, column in np.ndindex(table.shape):
        dark = shares[row, column] > 0.5  # noqa: PLR2004 - where black would be hard to read
        colour = "white" if dark else "black"
        axes.text(column, row, str(table[row, column]), ha="center", va="center", color=colour)
    file = io.BytesIO()
    FigureCanvasAgg(figure).print_png(file)
    return file.getvalue()


def _card(weights: bytes, names: Sequence[str], found: JsonObject, epochs: int) -> JsonObject:
    return {
        "id": ARTIFACT,
        "file": f"{ARTIFACT}.tflite",
        "sha256": digest(weights),
        "task": "five features of a track -> the original's four labels",
        "labels": list(names),
        "input": {"features": list(FEATURES), "preprocessing": f"{ARTIFACT}-scaler.joblib"},
        "recipe": {
            "layers": [len(FEATURES), *HIDDEN, len(names)],
            "epochs": epochs,
            "held_back": HELD_BACK,
            "seed": SEED,
        },
        "metrics": found,
        "licence": "Apache-2.0 (weights); of the original's table no licence is stated",
        "limits": "The labels are bins of loudness, not moods that anyone heard: see baselines. "
        "Kept to be compared with; it chooses no music.",
    }
