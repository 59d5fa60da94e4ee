"""From a trained network to what ships: int8 weights, measured and described in their card."""

from __future__ import annotations

import json
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from emotion_dj.artifacts import Artifact, digest, write_atomically
from emotion_dj.training import emotion, export, metrics, plots, robustness
from emotion_dj.training.emotion_data import LABELS, SIDE
from emotion_dj.vision.emotion import ARTIFACT, EmotionReader, prepare

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from emotion_dj.training.emotion_data import LabelledFaces
    from emotion_dj.training.emotion_net import EmotionNet

EPSILON: Final = 1e-3
CROP: Final = 1.12
"""Side of FER2013's square over the geometric mean of the detector's box: the median over upscaled
faces, printed by benchmarks/emotion_crop.py."""

SHARES: Final = tuple(round(0.05 * step, 2) for step in range(21))
"""Of FER+'s votes in the reading: all that are tried."""

TOLERANCE: Final = 0.002
"""Accuracy on FER2013's labels that may be paid for agreement with the votes."""

TILTS: Final = tuple(round(0.05 * step, 2) for step in range(11))
"""Towards rare emotions: all that are tried."""

COVERAGE: Final = 0.95
"""Share of faces that are named: the least certain ones abstain."""


def publish(
    net: EmotionNet,
    held: LabelledFaces,
    folder: Path,
    *,
    recipe: dict[str, Any],
    prior: np.ndarray,
) -> dict[str, Any]:
    """Fold, export, quantise, calibrate on held-out faces; write weights, card and pictures.

    ``net`` answers both questions of `emotion.Recipe`; ``prior`` is the share of each emotion among
    the faces that it learnt from. Returns the card.
    """
    shares = frontier(net, held)
    share = choose(shares)
    net = export.folded(net, share)
    tilts = tilted(net, held, prior)
    tilt = max(tilts, key=lambda tilt: sum(tilts[tilt]))
    net = export.shifted(net, -tilt * np.log(prior))
    served = export.WithMirror(export.without_shuffle(net)).eval()
    exact = export.to_litert(served, torch.zeros(1, SIDE, SIDE, 1))
    small = export.to_int8(exact)
    card = describe(small, recipe=recipe)
    weights = write_atomically(folder / card["file"], small)
    logits, milliseconds = _logits(EmotionReader(Artifact(weights, card)), held)
    exact_path = write_atomically(folder / "fp32.tmp", exact)
    exact_logits, _ = _logits(EmotionReader(Artifact(exact_path, card)), held)
    exact_path.unlink()
    probabilities = metrics.calibrated(logits, held.labels)
    threshold = float(np.quantile(probabilities.max(axis=1), 1 - COVERAGE))
    card["votes"] = {
        "share": share,
        "chosen": f"the largest that costs at most {100 * TOLERANCE:g} points of accuracy on "
        "fer2013-public",
        "label_is_majority": _agreement(np.eye(len(LABELS))[held.labels], held),
        "accuracy_and_agreement_by_share": shares,
    }
    card["tilt"] = {
        "towards_rare_emotions": tilt,
        "chosen": "for the sum of accuracy and macro-F1 on fer2013-public",
        "accuracy_and_macro_f1_by_tilt": tilts,
    }
    card["calibration"] = {
        "temperature": round(metrics.fit_temperature(logits, held.labels), 4),
        "abstain_below": round(threshold, 4),
        "fitted_on": "fer2013-public; the figures below are cross-fitted over five folds of it",
    }
    card["metrics"] = {
        "fer2013-public": metrics.report(
            probabilities, held.labels, [label.value for label in LABELS]
        ),
        "accuracy_fp32": round(float((exact_logits.argmax(1) == held.labels).mean()), 4),
        "agreement_with_fer_plus_majority": _agreement(logits, held),
        "ms_per_face_when_made": round(milliseconds, 3),
    }
    card["robustness"] = robustness.measure(net, held)
    figures = card["metrics"]["fer2013-public"]
    write_atomically(folder / "confusion.png", plots.confusion(figures))
    write_atomically(folder / "coverage.png", plots.coverage(figures))
    if (folder / "log.csv").exists():
        write_atomically(folder / "curves.png", plots.curves(folder / "log.csv"))
    write_atomically(folder / f"{ARTIFACT}.json", (json.dumps(card, indent=2) + "\n").encode())
    return card


def frontier(net: EmotionNet, held: LabelledFaces) -> dict[float, tuple[float, float]]:
    """Return, by the share of FER+'s votes in the reading, how often it is FER2013's label and how
    often FER+'s majority: the two contradict each other on a third of the faces.
    """  # noqa: D205
    plain, mirrored = emotion.logits(net, held.pixels)
    label, votes = np.split(((plain + mirrored) / 2).numpy(), 2, axis=1)
    blends = {share: (1 - share) * label + share * votes for share in SHARES}
    return {
        share: (round(float((blend.argmax(1) == held.labels).mean()), 4), _agreement(blend, held))
        for share, blend in blends.items()
    }


def choose(shares: Mapping[float, tuple[float, float]]) -> float:
    """Return the largest share whose accuracy is within TOLERANCE of the best."""
    best = max(accuracy for accuracy, _ in shares.values())
    return max(share for share, (accuracy, _) in shares.items() if accuracy >= best - TOLERANCE)


def tilted(
    net: EmotionNet, held: LabelledFaces, prior: np.ndarray
) -> dict[float, tuple[float, float]]:
    """Return accuracy and macro-F1 by tilt: by how much of its logarithm the prior is taken back.

    A network learns that rare emotions are rare, and errs against them where it is unsure (logit
    adjustment: Menon et al. 2021, eq. 9). ``net`` answers once.
    """
    plain, mirrored = emotion.logits(net, held.pixels)
    scores = ((plain + mirrored) / 2).numpy()

    def measured(tilt: float) -> tuple[float, float]:
        read = (scores - tilt * np.log(prior)).argmax(axis=1)
        table = metrics.confusion(read, held.labels, classes=len(LABELS))
        return round(float((read == held.labels).mean()), 4), round(metrics.macro_f1(table), 4)

    return {tilt: measured(tilt) for tilt in TILTS}


def describe(weights: bytes, *, recipe: dict[str, Any]) -> dict[str, Any]:
    """Return the card of the weights, before anything was measured or calibrated."""
    return {
        "id": ARTIFACT,
        "file": f"{ARTIFACT}.tflite",
        "sha256": digest(weights),
        "bytes": len(weights),
        "task": "one face -> seven expressions",
        "labels": [label.value for label in LABELS],
        "input": {"side": SIDE, "layout": "float32 (1, 48, 48, 1)", "mirrored": "inside the graph"},
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


def _logits(reader: EmotionReader, held: LabelledFaces) -> tuple[np.ndarray, float]:
    """Return the served logits (n, 7) and the median milliseconds per face."""
    rows, times = [], []
    for face in held.pixels:
        began = perf_counter()
        rows.append(reader.logits(prepare(face, EPSILON)))
        times.append(perf_counter() - began)
    return np.array(rows, np.float64), 1000 * float(np.median(times))


def _agreement(logits: np.ndarray, held: LabelledFaces) -> float:
    """Return how often the reading is what most annotators of FER+ said, of those asked."""
    asked = held.votes.sum(axis=1) > 0
    majority: Sequence[int] = held.votes[asked].argmax(axis=1)
    return round(float((logits[asked].argmax(axis=1) == majority).mean()), 4)
