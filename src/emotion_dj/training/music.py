"""The recipe of the ear: Emotify's 300 tracks -> a kernel ridge regression and its card.

    emotion-dj train music --data emotify.csv --audio emotify/ --out src/emotion_dj/_data

Emotify: Aljanaki, Wiering & Veltkamp 2016, "Studying emotion induced by music through a
crowdsourcing game". The model was chosen by five-fold cross-validation over tracks.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.artifacts import digest, write_atomically
from emotion_dj.errors import DataError
from emotion_dj.music.decode import decode
from emotion_dj.music.features import NAMES, measure
from emotion_dj.music.mood import EXTREME, GEMS, TARGETS, Kernel, kernel, tempo_cue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Floats = npt.NDArray[np.float32]
    Report = Callable[[int, int], None]

GAMMA: Final = 0.2
RIDGE: Final = 0.2
EMBEDDING: Final = 24
FOLDS: Final = 5
INPUTS: Final = tuple(
    name for name in NAMES if not (name.startswith("mfcc") and name.endswith("mean"))
)
"""Mean cepstra tell the recording's equaliser more than its mood: leaving them out cost nothing on
Emotify and separated the demo library better."""

PLACING: Final = {
    "valence": {"tempo": 0.5, "deviation": 0.40},
    "arousal": {"tempo": 2.0, "deviation": 0.45},
}
"""Weight of the tempo against one deviation of the prediction, and how far the axis reaches over
Emotify; chosen on the folders of the demo library, which therefore is no held-out set."""


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """n tracks: ``vectors`` (n, len(NAMES)), ``targets`` (n, len(TARGETS)), their ``genres``."""

    vectors: Floats
    targets: Floats
    genres: tuple[str, ...]


def read_emotify(table: Path, audio: Path, *, report: Report = lambda _d, _t: None) -> Corpus:
    """Hear every track of a table in Emotify's form. Raises DataError or AudioError."""
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        shares = [{name: float(row[name]) for name in GEMS} for row in rows]
        files, genres = [row["file"] for row in rows], tuple(row["genre"] for row in rows)
    except (OSError, KeyError, ValueError) as error:
        msg = f"{table} is no table in Emotify's form (file, genre, nine emotions): {error}"
        raise DataError(msg) from error
    vectors = []
    for number, name in enumerate(files, start=1):
        vectors.append(measure(decode(audio / name)).vector)
        report(number, len(files))
    targets = [[*proxies(share), *share.values()] for share in shares]
    return Corpus(np.array(vectors), np.array(targets, np.float32), genres)


def proxies(share: dict[str, float]) -> tuple[float, float]:
    """Return valence and arousal as sums over the nine scales, as data/README.md defines them."""
    bright = share["joyful_activation"] + 0.5 * share["tenderness"] + 0.3 * share["calmness"]
    strong = share["joyful_activation"] + share["power"] + share["tension"]
    valence = bright - share["sadness"] - share["tension"]
    arousal = strong - share["calmness"] - share["tenderness"] - 0.5 * share["sadness"]
    return valence, arousal


def fit(vectors: Floats, targets: Floats) -> Kernel:
    """Fit a kernel ridge regression to rows (n, len(INPUTS))."""
    mean, deviation = vectors.mean(0), vectors.std(0) + 1e-6
    support = np.clip((vectors - mean) / deviation, -EXTREME, EXTREME)
    offset = targets.mean(0)
    gram = kernel(support, support, GAMMA) + RIDGE * np.eye(len(support), dtype=np.float32)
    weights = np.linalg.solve(gram, targets - offset)
    return Kernel(mean, deviation, support, weights, offset, GAMMA)


def cross_validate(corpus: Corpus, folds: npt.NDArray[np.intp]) -> Floats:
    """Return predictions (n, len(TARGETS)), each by a model that never heard that track's fold."""
    rows, predicted = inputs(corpus.vectors), np.zeros_like(corpus.targets)
    for fold in np.unique(folds):
        held = folds == fold
        predicted[held] = fit(rows[~held], corpus.targets[~held])(rows[held])
    return predicted


def r_squared(truth: Floats, predicted: Floats) -> dict[str, float]:
    """Return the share of variance explained, for each target."""
    error = ((truth - predicted) ** 2).sum(0)
    total = ((truth - truth.mean(0)) ** 2).sum(0)
    return dict(zip(TARGETS, map(float, 1 - error / total), strict=True))


def inputs(vectors: Floats) -> Floats:
    """Return the columns that the model takes."""
    return vectors[:, [NAMES.index(name) for name in INPUTS]]


def train(corpus: Corpus, folder: Path) -> dict[str, Any]:
    """Fit, measure by cross-validation, and write ``ear-1.npz`` with its card; return the card."""
    by_track = np.random.default_rng(0).permutation(len(corpus.vectors)) % FOLDS
    predicted = cross_validate(corpus, by_track)
    by_genre = cross_validate(corpus, np.unique(corpus.genres, return_inverse=True)[1])
    model = fit(inputs(corpus.vectors), corpus.targets)
    weights = _packed(model)
    write_atomically(folder / "ear-1.npz", weights)
    card = {
        "id": "ear-1",
        "file": "ear-1.npz",
        "sha256": digest(weights),
        "task": "music -> affect, nine GEMS shares, an embedding",
        "input": {
            "features": list(INPUTS),
            "excerpts": "three of 15 s, or a short track",
        },
        "gamma": GAMMA,
        "ridge": RIDGE,
        "targets": list(TARGETS),
        "plane": _plane(corpus, predicted),
        "metrics": {
            "r2_five_fold_by_track": _rounded(r_squared(corpus.targets, predicted)),
            "r2_genre_held_out": _rounded(r_squared(corpus.targets, by_genre)),
            "n": len(corpus.vectors),
        },
        "data": "Emotify (300 of 400 tracks; research use). The recordings are not distributed.",
        "licence": "Apache-2.0 (weights)",
        "limits": "Trained on classical, electronic, pop and rock of one netlabel. Valence is "
        "heard poorly by everything that listens to sound alone; lyrics are not understood.",
    }
    write_atomically(folder / "ear-1.json", (json.dumps(card, indent=2) + "\n").encode())
    return card


def _plane(corpus: Corpus, predicted: Floats) -> dict[str, Any]:
    """Return how predictions are placed, and the spread: the error left over, on the plane."""
    tempo = np.array([tempo_cue(vector) for vector in corpus.vectors])
    plane: dict[str, Any] = {}
    errors = []
    for column, (name, placing) in enumerate(PLACING.items()):
        mean, deviation = float(predicted[:, column].mean()), float(predicted[:, column].std())
        total = (predicted[:, column] - mean) / deviation + placing["tempo"] * tempo
        agreement = float(np.corrcoef(total, corpus.targets[:, column])[0, 1])
        plane[name] = {
            "mean": mean,
            "deviation": deviation,
            "tempo": placing["tempo"],
            "scale": placing["deviation"] / float(total.std()),
            "correlation_with_listeners": round(agreement, 3),
        }
        errors.append(placing["deviation"] ** 2 * (1 - agreement**2))
    plane["spread"] = round(float(np.sqrt(np.mean(errors))), 3)
    return plane


def _packed(model: Kernel) -> bytes:
    directions = np.linalg.svd(model.support, full_matrices=False)[2][:EMBEDDING]
    file = io.BytesIO()
    np.savez_compressed(
        file,
        projection=directions.astype(np.float32),
        mean=model.mean.astype(np.float32),
        deviation=model.deviation.astype(np.float32),
        support=model.support.astype(np.float16),
        weights=model.weights.astype(np.float32),
        offset=model.offset.astype(np.float32),
    )
    return file.getvalue()


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in figures.items()}
