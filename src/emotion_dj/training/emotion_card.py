"""From a trained network to what ships: int8 weights, measured and described in their card."""

from __future__ import annotations

import json
from time import perf_counter
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from emotion_dj.artifacts import Artifact, digest, write_atomically
from emotion_dj.training import (
    emotion,
    emotion_data,
    export,
    metrics,
    plots,
    rare,
    robustness,
    votes,
)
from emotion_dj.training.emotion_data import LABELS, SIDE
from emotion_dj.vision.emotion import ARTIFACT, EmotionReader, prepare, softmax

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from emotion_dj.json_types import JsonObject
    from emotion_dj.training.emotion_data import LabelledFaces, Truth
    from emotion_dj.training.emotion_net import EmotionNet

    Table = Mapping[float, tuple[float, float]]

EPSILON: Final = 1e-3
CROP: Final = 1.12
"""Side of FER2013's square over the geometric mean of the detector's box: the median over upscaled
faces, printed by benchmarks/emotion_crop.py."""

SHARES: Final = tuple(round(0.1 * step, 2) for step in range(11))
"""Of FER+'s votes in the reading: all that are tried."""

TOLERANCE: Final = 0.002
"""Accuracy on FER2013's labels that may be paid for agreement with the votes, where those labels
are the truth."""

COVERAGE: Final = 0.95
"""Share of the faces with a truth that are named: the least certain ones abstain."""

CHOSEN: Final = {
    "votes": "what most of FER+'s ten people saw in the faces of fer2013-public",
    "label": "FER2013's labels of fer2013-public",
}


def publish(
    net: EmotionNet,
    held: LabelledFaces,
    folder: Path,
    *,
    recipe: JsonObject,
    prior: np.ndarray,
    truth: Truth | None = None,
) -> JsonObject:
    """Fold, export, quantise, calibrate on held-out faces; write weights, card and pictures.

    ``net`` answers all questions of `emotion_recipe.Recipe`; ``prior`` is the share of each emotion
    among the faces that it learnt from; ``truth`` is what choices are made by (the votes, where
    there are any). Returns the card. Raises DataError where the truth is not in the faces.
    """
    truth = emotion_data.truth_of(held, truth)
    shares = frontier(net, held, truth)
    share = choose(shares, truth)
    net = export.folded(net, share)
    tilts = _tilts(net, held, prior, truth)
    tilt = rare.choose(tilts)
    net = export.shifted(net, rare.offsets(tilt, prior))
    card, logits = _exported(net, held, folder, recipe)
    card["truth"] = {"name": truth, "chosen_by": CHOSEN[truth], "sha256": card["sha256"]}
    card["votes"] = {"share": share, "label_and_truth_by_share": shares}
    card["tilt"] = rare.described(tilts, tilt)
    _calibrate(card, logits, held, truth)
    card["robustness"] = robustness.measure(net, held, truth)
    card["hidden"] = robustness.covers_found(net, held)
    _write(card, folder, truth)
    return card


def frontier(net: EmotionNet, held: LabelledFaces, truth: Truth) -> Table:
    """Return, by the share of FER+'s votes in the reading, how often it is FER2013's label and how
    often the truth: the two contradict each other on a third of the faces.
    """
    scores = emotion.answered(net, held.pixels)
    rows, seen = emotion_data.judged(held, truth)
    blends = {share: share * scores[:, 0] + (1 - share) * scores[:, 1] for share in SHARES}
    return {
        share: (_right(blend, held.labels), _right(blend[rows], seen))
        for share, blend in blends.items()
    }


def choose(shares: Table, truth: Truth) -> float:
    """Return the share of the votes that agrees with them best; where the labels are the truth, the
    largest whose accuracy is within TOLERANCE of the best.
    """
    if truth == "votes":
        return max(shares, key=lambda share: (shares[share][1], share))
    best = max(accuracy for accuracy, _ in shares.values())
    return max(share for share, (accuracy, _) in shares.items() if accuracy >= best - TOLERANCE)


def describe(weights: bytes, *, recipe: JsonObject) -> JsonObject:
    """Return the card of the weights, before anything was measured or calibrated."""
    return {
        "id": ARTIFACT,
        "file": f"{ARTIFACT}.tflite",
        "sha256": digest(weights),
        "bytes": len(weights),
        "task": "one face -> seven expressions",
        "labels": [label.value for label in LABELS],
        "input": {"side": SIDE, "layout": "float32 (1, 48, 48, 1)", "mirrored": "inside the graph"},
        "outputs": ["a score for each label", "a score for each part that may be hidden"],
        "preprocessing": {
            "crop": CROP,
            "grey": "ITU-R 601 luma",
            "resize": "bilinear with antialiasing",
            "standardise": "each face to mean 0 and deviation 1",
            "epsilon": EPSILON,
        },
        "calibration": {"temperature": 1.0, "abstain_below": 0.0},
        "recipe": recipe,
        "data": "FER2013 training set with FER+ votes; faces pixel-identical to one of the public "
        "test set were left out. Rights in the images are unsettled; they are not distributed.",
        "licence": "Apache-2.0 (weights)",
        "limits": "Estimates an expression, not a feeling. Not for decisions about people. Web "
        "photographs of 2013: old, dark-skinned, very young and covered faces are few, and how it "
        "differs between groups could not be tested here.",
    }


def _tilts(
    net: EmotionNet, held: LabelledFaces, prior: np.ndarray, truth: Truth
) -> dict[rare.Tilt, rare.Measured]:
    """Return what each tilt makes of a network that answers once."""
    plain, mirrored = emotion.logits(net, held.pixels)
    rows, seen = emotion_data.judged(held, truth)
    return rare.measured(((plain + mirrored) / 2).numpy()[rows, : len(LABELS)], seen, prior)


def _exported(
    net: EmotionNet, held: LabelledFaces, folder: Path, recipe: JsonObject
) -> tuple[JsonObject, np.ndarray]:
    """Write the int8 weights; return a card with what only the export tells, and the logits (n, 7)
    that those weights give.
    """
    served = export.WithMirror(export.without_shuffle(net), len(LABELS)).eval()
    exact = export.to_litert(served, torch.zeros(1, SIDE, SIDE, 1))
    small = export.to_int8(exact)
    card = describe(small, recipe=recipe)
    weights = write_atomically(folder / card["file"], small)
    logits, milliseconds = _logits(EmotionReader(Artifact(weights, card)), held)
    exact_path = write_atomically(folder / "fp32.tmp", exact)
    exact_logits, _ = _logits(EmotionReader(Artifact(exact_path, card)), held)
    exact_path.unlink()
    agreed = (exact_logits.argmax(axis=1) == logits.argmax(axis=1)).mean()
    card["metrics"] = {
        "int8_reads_as_fp32": metrics.rounded(agreed),
        "ms_per_face_when_made": round(milliseconds, 3),
    }
    return card, logits


def _calibrate(card: JsonObject, logits: np.ndarray, held: LabelledFaces, truth: Truth) -> None:
    """Fit temperature and abstention to the truth, and measure by it and by the labels."""
    rows, seen = emotion_data.judged(held, truth)
    temperature = metrics.fit_temperature(logits[rows], seen)
    probabilities = softmax(logits / temperature)
    probabilities[rows] = metrics.calibrated(logits[rows], seen)
    threshold = float(np.quantile(probabilities[rows].max(axis=1), 1 - COVERAGE))
    card["calibration"] = {
        "temperature": round(temperature, 4),
        "abstain_below": round(threshold, 4),
        "fitted_on": "fer2013-public; the figures below are cross-fitted over five folds of it",
    }
    names = [label.value for label in LABELS]
    card["metrics"]["fer2013-public"] = metrics.report(probabilities, held.labels, names)
    if truth == "votes":
        card["metrics"]["votes"] = {
            **votes.report(probabilities, held.votes),
            "coverage_at": metrics.accuracy_at(probabilities[rows], seen),
            "affect_correlation": votes.affect_correlation(probabilities, held.votes),
            "label_is_majority": metrics.rounded((held.labels[rows] == seen).mean()),
        }


def _write(card: JsonObject, folder: Path, truth: Truth) -> None:
    figures = card["metrics"]["votes" if truth == "votes" else "fer2013-public"]
    write_atomically(folder / "confusion.png", plots.confusion(figures))
    write_atomically(folder / "coverage.png", plots.coverage(figures))
    if (folder / "log.csv").exists():
        write_atomically(folder / "curves.png", plots.curves(folder / "log.csv"))
    write_atomically(folder / f"{ARTIFACT}.json", (json.dumps(card, indent=2) + "\n").encode())


def _logits(reader: EmotionReader, held: LabelledFaces) -> tuple[np.ndarray, float]:
    """Return the served logits (n, 7) and the median milliseconds per face."""
    rows, times = [], []
    for face in held.pixels:
        began = perf_counter()
        rows.append(reader.logits(prepare(face, EPSILON)))
        times.append(perf_counter() - began)
    return np.array(rows, np.float64), 1000 * float(np.median(times))


def _right(scores: np.ndarray, seen: np.ndarray) -> float:
    return metrics.rounded((scores.argmax(axis=1) == seen).mean())
