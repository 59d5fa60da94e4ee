"""What is measured of a classifier with calibrated probabilities. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.vision.emotion import softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emotion_dj.json_types import JsonObject

    Floats = npt.NDArray[np.float64]
    Labels = npt.NDArray[np.int64]

BINS: Final = 15
COVERAGES: Final = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


def report(probabilities: Floats, labels: Labels, names: Sequence[str]) -> JsonObject:
    """Return the figures of predicted probabilities (n, classes) against true labels (n,)."""
    table = confusion(probabilities.argmax(axis=1), labels, classes=len(names))
    return {
        "n": len(labels),
        "accuracy": rounded(np.trace(table) / table.sum()),
        "macro_f1": rounded(macro_f1(table)),
        "nll": rounded(nll(probabilities, labels)),
        "ece": rounded(ece(probabilities, labels)),
        "per_class": per_class(table, names),
        "confusion": {"labels": list(names), "rows_true_columns_read": table.tolist()},
        "coverage_at": accuracy_at(probabilities, labels),
    }


def confusion(predicted: Labels, labels: Labels, *, classes: int) -> Labels:
    """Count (true, predicted) pairs, int64 (classes, classes)."""
    pairs = labels * classes + predicted
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def f1(table: Labels) -> Floats:
    """Return the F1 score of each class from a confusion table; 0 where it was never right."""
    right = np.diag(table)
    return np.asarray(2 * right / np.maximum(table.sum(0) + table.sum(1), 1))


def macro_f1(table: Labels) -> float:
    """Return the mean F1 score of the classes that occur."""
    return float(f1(table)[table.sum(axis=1) > 0].mean())


def macro_recall(table: Labels) -> float:
    """Return the mean recall of the classes that occur."""
    counts = table.sum(axis=1)
    return float((np.diag(table)[counts > 0] / counts[counts > 0]).mean())


def nll(probabilities: Floats, labels: Labels) -> float:
    """Return the mean negative log-likelihood in nats."""
    own = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(own, 1e-12)).mean())


def ece(probabilities: Floats, labels: Labels) -> float:
    """Return the expected calibration error over bins of equal width (Guo et al. 2017, eq. 3)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    return float(np.sum(gaps))


def accuracy_at(probabilities: Floats, labels: Labels) -> dict[str, float]:
    """Return the accuracy when only the surest share of the faces is named, by that share."""
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    right = (probabilities.argmax(axis=1) == labels)[order]
    kept = [(share, max(1, round(share * len(right)))) for share in COVERAGES]
    return {f"{share:.1f}": rounded(right[:count].mean()) for share, count in kept}


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """Return the temperature that minimises the log loss (Guo et al. 2017), by golden section.

    A label beyond the classes, such as contempt, is passed over.
    """
    known = labels < logits.shape[1]
    logits, labels = logits[known], labels[known]

    def loss(log_t: float) -> float:
        return nll(softmax(logits / np.exp(log_t)), labels)

    low, high = np.log(0.2), np.log(5.0)
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(40):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, b) if loss(a) < loss(b) else (a, high)
    return float(np.exp((low + high) / 2))


def calibrated(logits: Floats, labels: Labels, *, folds: int = 5, seed: int = 0) -> Floats:
    """Return probabilities, each with a temperature fitted on the other folds."""
    fold = np.random.default_rng(seed).permutation(len(labels)) % folds
    probabilities = np.zeros_like(logits)
    for k in range(folds):
        temperature = fit_temperature(logits[fold != k], labels[fold != k])
        probabilities[fold == k] = softmax(logits[fold == k] / temperature)
    return probabilities


def per_class(table: Labels, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return count, precision, recall and F1 of each class of a confusion table, by its name."""
    right = np.diag(table)
    recall = right / np.maximum(table.sum(axis=1), 1)
    precision = right / np.maximum(table.sum(axis=0), 1)
    return {
        name: {
            "n": int(table[i].sum()),
            "precision": rounded(precision[i]),
            "recall": rounded(recall[i]),
            "f1": rounded(f1(table)[i]),
        }
        for i, name in enumerate(names)
    }


def rounded(value: Any) -> float:
    """Return a figure as cards and reports write it: four digits."""
    return round(float(value), 4)
