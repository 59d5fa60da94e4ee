"""The regressions of the ear, fitted: from measurements to scales, and on to what was felt.

What counts for how much was chosen by cross-validation over Emotify's tracks, nested where it was
searched for; docs/log.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.music.audio_model import SCALES, TARGETS, Kernel, kernel, rational
from emotion_dj.music.features import NAMES
from emotion_dj.music.harmony import BASS, CHORDS, HARMONY_NAMES, MELODY, MODES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emotion_dj.music.network import Network
    from emotion_dj.training.music_data import Corpus, TeacherLabels

    Floats = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.bool_] | slice

SCALES_GAMMA: Final = 0.4
SCALES_RIDGE: Final = 0.2
EVERYTHING: Final = slice(None)

MEASURED: Final = tuple(
    name
    for name in NAMES
    if not (name.startswith("mfcc") and name.endswith("mean")) and name not in HARMONY_NAMES
)
"""What scales are foretold from. Mean cepstra tell the recording's equaliser more than its mood:
leaving them out cost nothing."""

INPUTS: Final = (*MEASURED, *HARMONY_NAMES)

KEY: Final = tuple(
    name for name in MEASURED if name.startswith(("mode", "key_", "chroma_", "interval"))
)
RHYTHM: Final = tuple(
    name for name in MEASURED if name.startswith(("tempo", "pulse", "onset", "modulation"))
)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many inputs each input of a regression counts for: ``measured`` those that do by name,
    each of the ``scales``, all means of the network's ``sounds`` and all their ``changes``, each by
    its share of their variance; ``gamma`` and ``ridge`` are those of the kernel.
    """

    measured: Mapping[str, float]
    scales: float
    sounds: float
    changes: float
    gamma: float
    ridge: float


VALENCE: Final = Counts(
    dict.fromkeys((*KEY, *RHYTHM), 1.0)
    | {name: 2.0 if name.startswith("degree") else 1.0 for name in MELODY}
    | dict.fromkeys(MODES, 1.33)
    | dict.fromkeys((*BASS, *CHORDS), 0.5),
    scales=2.0,
    sounds=22.5,
    changes=10.0,
    gamma=0.42,
    ridge=0.15,
)
"""Harmony and melody tell valence; timbre tells the recording."""

OTHERS: Final = Counts(
    dict.fromkeys(MEASURED, 1.0) | dict.fromkeys((*MODES, *CHORDS), 0.5),
    scales=8.0,
    sounds=45.0,
    changes=10.0,
    gamma=0.6,
    ridge=0.2,
)


def inputs(vectors: Floats) -> Floats:
    """Return the columns that the model takes."""
    return vectors[:, [NAMES.index(name) for name in INPUTS]]


def with_teachers(corpus: Corpus, scales: Kernel, network: Network) -> Floats:
    """Return the inputs of the last regressions: measurements, scales and what a network says."""
    rows = inputs(corpus.vectors)
    told = np.clip(scales(rows[:, : len(MEASURED)]), 0, 1)
    sounds = np.array([network.summary(patches) for patches in corpus.sounds])
    return np.hstack([rows, told, sounds])


def fit_scales(lessons: TeacherLabels, rows: Rows = EVERYTHING) -> Kernel:
    """Fit the regression from measurements to scales to some of the lessons."""
    vectors, scales = lessons.vectors[rows], lessons.scales[rows]
    unfitted = Kernel(
        mean=vectors.mean(0),
        deviation=vectors.std(0) + np.float32(1e-6),
        emphasis=np.ones(vectors.shape[1], np.float32),
        support=vectors,
        weights=scales,
        offset=scales.mean(0),
        gamma=SCALES_GAMMA,
        similarity=kernel,
    )
    return _solved(unfitted, np.full(len(vectors), SCALES_RIDGE))


def fit_felt(corpus: Corpus, inputs_: Floats, rows: Rows = EVERYTHING) -> tuple[Kernel, Kernel]:
    """Fit the regression to valence, and that to the other targets, to some of the tracks, whose
    inputs `with_teachers` gives.
    """
    vectors, targets, variance = inputs_[rows], corpus.targets[rows], corpus.variance[rows]
    return (
        _fit(vectors, targets[:, :1], variance, VALENCE),
        _fit(vectors, targets[:, 1:], variance, OTHERS),
    )


def predict(fitted: tuple[Kernel, Kernel], vectors: Floats) -> Floats:
    """Return TARGETS (n, t) as the two regressions foretell them."""
    return np.hstack([one(vectors) for one in fitted])


def _fit(vectors: Floats, targets: Floats, variance: Floats, counts: Counts) -> Kernel:
    noise = counts.ridge * variance
    unfitted = Kernel(
        mean=vectors.mean(0),
        deviation=vectors.std(0) + np.float32(1e-6),
        emphasis=_emphasis(vectors, counts),
        support=vectors,
        weights=targets,
        offset=np.average(targets, axis=0, weights=1 / noise),
        gamma=counts.gamma,
        similarity=rational,
    )
    return _solved(unfitted, noise)


def _emphasis(vectors: Floats, counts: Counts) -> Floats:
    """Return the roots of how many inputs each input counts for."""
    means, changes = np.split(vectors[:, len(INPUTS) + len(SCALES) :].var(0), 2)
    parts = [
        np.array([counts.measured.get(name, 0.0) for name in INPUTS]),
        np.full(len(SCALES), counts.scales),
        counts.sounds * _shares(means),
        counts.changes * _shares(changes),
    ]
    return np.asarray(np.sqrt(np.concatenate(parts)), np.float32)


def _shares(variance: Floats) -> Floats:
    """Return each one's share of all variance; 0 where there is none, as in one-patch tracks."""
    return np.asarray(variance / max(float(variance.sum()), 1e-9), np.float32)


def _solved(unfitted: Kernel, noise: Floats) -> Kernel:
    """Return the kernel ridge regression whose ``support`` is still raw and ``weights`` targets."""
    support = unfitted.standard(unfitted.support)
    width = unfitted.gamma / float(np.square(unfitted.emphasis).sum())
    gram = unfitted.similarity(support, support, width) + np.diag(noise)
    weights = np.linalg.solve(gram, unfitted.weights - unfitted.offset)
    return replace(unfitted, support=support, weights=weights)


def r_squared(truth: Floats, predicted: Floats) -> dict[str, float]:
    """Return the share of variance explained, for each target; 0 where there is no variance."""
    error = ((truth - predicted) ** 2).sum(0)
    total = ((truth - truth.mean(0)) ** 2).sum(0)
    share = np.where(total > 0, 1 - error / np.maximum(total, np.finfo(np.float32).tiny), 0)
    return dict(zip(TARGETS, map(float, share), strict=True))
