"""The recipe of the ear: what its teachers say of music, and what listeners felt at 300 tracks.

    emotion-dj train music --data emotify.csv --audio emotify/ --scales scales.npz
        --sounds sounds.npz --out OUT

`scripts/hear-with-vibenet.py` makes the file of scales, `scripts/hear-with-musicnn.py` that of
sounds (Hinton et al. 2015: distillation).
The model was chosen by five-fold cross-validation over tracks.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.artifacts import digest, write_atomically
from emotion_dj.music.audio_model import (
    ARTIFACT,
    SCALES,
    TARGETS,
    Kernel,
    kernel,
    rational,
    tempo_cue,
)
from emotion_dj.music.features import NAMES
from emotion_dj.music.network import FRAMES, Network, packed
from emotion_dj.music.spectrum import BANDS
from emotion_dj.training.sounds import EPOCHS, OUTPUTS, Student, distil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emotion_dj.training.music_data import Corpus, TeacherLabels
    from emotion_dj.training.sounds import Sounds

    Floats = npt.NDArray[np.float32]
    Report = Callable[[int, int], None]
    Tick = Callable[[], None]

SCALES_GAMMA: Final = 0.4
SCALES_RIDGE: Final = 0.2
GAMMA: Final = 0.6
RIDGE: Final = 0.4
EMPHASIS: Final = 8.0
"""How many inputs each scale counts for: 300 tracks cannot find out that scales matter more."""

SOUNDS_EMPHASIS: Final = 45.0
"""How many inputs all outputs of the network count for, each by its share of their variance; chosen
on another division into folds than the card's."""

EMBEDDING: Final = 24
FOLDS: Final = 5
SPLITS: Final = 3
"""Divisions into folds over which R2 is also averaged: from one to the next it moves by 0.02."""

INPUTS: Final = tuple(
    name for name in NAMES if not (name.startswith("mfcc") and name.endswith("mean"))
)
"""Mean cepstra tell the recording's equaliser more than its mood: leaving them out cost nothing on
Emotify and separated the demo library better."""

PLACING: Final = {
    "valence": {"tempo": 0.25, "deviation": 0.40},
    "arousal": {"tempo": 2.3, "deviation": 0.45},
}
"""Weight of the tempo against one deviation of the prediction, and how far the axis reaches over
Emotify; chosen on the folders of the demo library, which therefore is not a held-out set."""


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What all teachers said: ``lessons`` in scales, and ``sounds``, to be learnt so many times."""

    lessons: TeacherLabels
    sounds: Sounds
    epochs: int = EPOCHS


def fit_scales(lessons: TeacherLabels, rows: npt.NDArray[np.bool_] | slice = slice(None)) -> Kernel:
    """Fit the first regression to some of the lessons."""
    vectors, scales = inputs(lessons.vectors[rows]), lessons.scales[rows]
    mean, deviation = vectors.mean(0), vectors.std(0) + np.float32(1e-6)
    unfitted = Kernel(
        mean=mean,
        deviation=deviation,
        emphasis=np.ones(vectors.shape[1], np.float32),
        support=vectors,
        weights=scales,
        offset=scales.mean(0),
        gamma=SCALES_GAMMA,
        similarity=kernel,
    )
    return _solved(unfitted, np.full(len(vectors), SCALES_RIDGE))


def fit_feelings(
    corpus: Corpus, inputs_: Floats, rows: npt.NDArray[np.bool_] | slice = slice(None)
) -> Kernel:
    """Fit the second regression to some of the tracks, whose inputs `with_told` gives."""
    vectors, targets, doubts = inputs_[rows], corpus.targets[rows], corpus.doubts[rows]
    unfitted = Kernel(
        mean=vectors.mean(0),
        deviation=vectors.std(0) + np.float32(1e-6),
        emphasis=_emphasis(vectors),
        support=vectors,
        weights=targets,
        offset=np.average(targets, axis=0, weights=1 / doubts),
        gamma=GAMMA,
        similarity=rational,
    )
    return _solved(unfitted, RIDGE * doubts)


def _emphasis(vectors: Floats) -> Floats:
    """Return the roots of how many inputs each input counts for."""
    plain, scales = len(INPUTS), len(SCALES)
    variance = vectors[:, plain + scales :].var(0)
    counts = [
        np.ones(plain),
        np.full(scales, EMPHASIS),
        SOUNDS_EMPHASIS * variance / variance.sum(),
    ]
    return np.asarray(np.sqrt(np.concatenate(counts)), np.float32)


def _solved(unfitted: Kernel, noise: Floats) -> Kernel:
    """Return the kernel ridge regression whose ``support`` is still raw and ``weights`` targets."""
    support = unfitted.standard(unfitted.support)
    width = unfitted.gamma / float(np.square(unfitted.emphasis).sum())
    gram = unfitted.similarity(support, support, width) + np.diag(noise)
    weights = np.linalg.solve(gram, unfitted.weights - unfitted.offset)
    return replace(unfitted, support=support, weights=weights)


def with_told(corpus: Corpus, scales: Kernel, network: Network) -> Floats:
    """Return the inputs of the second regression: measurements, scales and what a network says."""
    rows = inputs(corpus.vectors)
    sounds = [network.answers(patches).mean(0) for patches in corpus.sounds]
    return np.hstack([rows, np.clip(scales(rows), 0, 1), np.array(sounds)])


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidated:
    """Predictions ``targets`` (n, len(TARGETS)) for all tracks, and the ``agreement`` of each
    fold's network with its teachers on tracks that it never heard, where they heard any.
    """  # noqa: D205

    targets: Floats
    agreement: tuple[float, ...]


def cross_validate(
    corpus: Corpus, taught: Taught, folds: npt.NDArray[np.intp], tick: Tick = lambda: None
) -> CrossValidated:
    """Foretell each track by models that never heard that track's fold: neither its feelings nor
    what the teachers say of it.
    """  # noqa: D205
    predicted, agreement = np.zeros_like(corpus.targets), []
    for fold in np.unique(folds):
        held = folds == fold
        own = {Path(name).name for name in np.array(corpus.files)[held]}
        scales, pupil = learnt_without(own, taught, tick)
        rows = with_told(corpus, scales, pupil.network)
        predicted[held] = fit_feelings(corpus, rows, ~held)(rows[held])
        if len((new := taught.sounds.of(own)).files):
            agreement.append(pupil.agreement(new))
    return CrossValidated(predicted, tuple(agreement))


def learnt_without(
    own: set[str], taught: Taught, tick: Tick = lambda: None
) -> tuple[Kernel, Student]:
    """Learn what the teachers say, but for what they say of files of these names."""
    names = np.array([Path(str(name)).name for name in taught.lessons.files])
    scales = fit_scales(taught.lessons, ~np.isin(names, list(own)))
    return scales, distil(taught.sounds.without(own), epochs=taught.epochs, tick=tick)


def _folds(corpus: Corpus, seed: int) -> npt.NDArray[np.intp]:
    return np.random.default_rng(seed).permutation(len(corpus.vectors)) % FOLDS


def _by_genre(corpus: Corpus, predicted: Floats, elsewhere: Floats) -> dict[str, dict[str, float]]:
    """Return R2 of both proxies inside each genre, learnt from all genres and from the others."""
    genres = np.array(corpus.genres)
    found: dict[str, dict[str, float]] = {}
    for genre in np.unique(genres):
        own = genres == genre
        ways = {"all": predicted, "the others": elsewhere}
        r2 = {name: r_squared(corpus.targets[own], rows[own]) for name, rows in ways.items()}
        found[str(genre)] = {
            f"{axis}, learnt from {name}": round(r2[name][axis], 3)
            for axis in PLACING
            for name in ways
        }
    return found


def r_squared(truth: Floats, predicted: Floats) -> dict[str, float]:
    """Return the share of variance explained, for each target; 0 where there is no variance."""
    error = ((truth - predicted) ** 2).sum(0)
    total = ((truth - truth.mean(0)) ** 2).sum(0)
    share = np.where(total > 0, 1 - error / np.maximum(total, np.finfo(np.float32).tiny), 0)
    return dict(zip(TARGETS, map(float, share), strict=True))


def inputs(vectors: Floats) -> Floats:
    """Return the columns that the model takes."""
    return vectors[:, [NAMES.index(name) for name in INPUTS]]


def train(
    corpus: Corpus, taught: Taught, folder: Path, *, report: Report = lambda _d, _t: None
) -> dict[str, Any]:
    """Fit, measure by cross-validation, write ``ear-4.npz`` with its card; return the card."""
    genres = np.unique(corpus.genres, return_inverse=True)[1]
    tick = _counted(taught.epochs * (FOLDS * SPLITS + len(set(corpus.genres)) + 1), report)
    splits = [cross_validate(corpus, taught, _folds(corpus, s), tick) for s in range(SPLITS)]
    elsewhere = cross_validate(corpus, taught, genres, tick)
    predicted = splits[0].targets
    scales, pupil = learnt_without(set(), taught, tick)
    model = fit_feelings(corpus, with_told(corpus, scales, pupil.network))
    weights = _packed(model, scales, pupil.network)
    write_atomically(folder / f"{ARTIFACT}.npz", weights)
    card = {
        "id": ARTIFACT,
        "file": f"{ARTIFACT}.npz",
        "sha256": digest(weights),
        "bytes": len(weights),
        "task": "music -> affect, nine GEMS shares, an embedding",
        "input": {
            "features": list(INPUTS),
            "excerpts": "three of 15 s, or a short track",
            "patches": f"{FRAMES} frames of {BANDS} mel bands in dB",
        },
        "gamma": GAMMA,
        "ridge": RIDGE,
        "scales": {
            "names": list(SCALES),
            "gamma": SCALES_GAMMA,
            "ridge": SCALES_RIDGE,
            "teacher": "VibeNet 0.1 (PyPI, GPL): its answers were learnt, nothing of it ships",
            "pieces": len(taught.lessons.files),
            "r2_against_the_teacher_five_fold_by_file": _told_again(taught.lessons),
        },
        "sounds": {
            "teacher": "musicnn 0.1 (PyPI, ISC), both of its models: tags of MagnaTagATune, whose "
            "recordings come from Emotify's label, and of the Million Song Dataset. Neither was "
            "told what listeners felt. Their answers were learnt, nothing of them ships",
            "patches": len(taught.sounds.files),
            "answers": taught.sounds.answers.shape[1],
            "outputs": OUTPUTS,
            "epochs": taught.epochs,
            "counts_for_inputs": SOUNDS_EMPHASIS,
            "r2_against_the_teachers_five_fold_by_track": _mean(splits[0].agreement),
            "r2_against_the_teachers_genre_held_out": _mean(elsewhere.agreement),
        },
        "targets": list(TARGETS),
        "plane": _plane(corpus, predicted),
        "metrics": {
            "r2_five_fold_by_track": _rounded(r_squared(corpus.targets, predicted)),
            f"r2_five_fold_mean_of_{SPLITS}_splits": _averaged(corpus, splits),
            "r2_genre_held_out": _rounded(r_squared(corpus.targets, elsewhere.targets)),
            "n": len(corpus.vectors),
        },
        "r2_inside_each_genre": _by_genre(corpus, predicted, elsewhere.targets),
        "data": "Emotify (300 of 400 tracks; research use); for what the teachers say also music "
        "that Debian and PyPI ship. The recordings are not distributed. A track that a figure was "
        "measured on was held from all that learnt: from the scales and the network too.",
        "licence": "Apache-2.0 (weights)",
        "limits": "Trained on classical, electronic, pop and rock of one netlabel. Valence is "
        "heard poorly by everything that listens to sound alone, and not at all in a genre that "
        "was not learnt from, where the network too says least of what its teachers would; lyrics "
        "are not understood. Figures move by 0.02 with the split.",
    }
    write_atomically(folder / f"{ARTIFACT}.json", (json.dumps(card, indent=2) + "\n").encode())
    return card


def _counted(total: int, report: Report) -> Tick:
    done = count(1)
    return lambda: report(next(done), total)


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 3) if values else None


def _averaged(corpus: Corpus, splits: Sequence[CrossValidated]) -> dict[str, float]:
    """Return the mean R2 over several divisions into folds."""
    r2 = [r_squared(corpus.targets, split.targets) for split in splits]
    return _rounded({name: float(np.mean([one[name] for one in r2])) for name in TARGETS})


def _told_again(lessons: TeacherLabels) -> dict[str, float]:
    """Return how well the scales are foretold in files that were not learnt from."""
    names, numbers = np.unique(lessons.files, return_inverse=True)
    folds = (np.random.default_rng(0).permutation(len(names)) % FOLDS)[numbers]
    said = np.zeros_like(lessons.scales)
    for fold in range(FOLDS):
        held = folds == fold
        said[held] = fit_scales(lessons, ~held)(inputs(lessons.vectors[held]))
    error = ((lessons.scales - said) ** 2).sum(0)
    total = ((lessons.scales - lessons.scales.mean(0)) ** 2).sum(0)
    return _rounded(dict(zip(SCALES, map(float, 1 - error / total), strict=True)))


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


def _packed(model: Kernel, scales: Kernel, network: Network) -> bytes:
    directions = np.linalg.svd(model.support, full_matrices=False)[2][:EMBEDDING]
    file = io.BytesIO()
    np.savez_compressed(
        file,
        projection=directions.astype(np.float32),
        **_arrays(model, ""),
        **_arrays(scales, "scales_"),
        **packed(network, "sounds_"),
    )
    return file.getvalue()


def _arrays(model: Kernel, prefix: str) -> dict[str, Any]:
    whole = ("mean", "deviation", "emphasis", "weights", "offset")
    arrays = {prefix + name: getattr(model, name).astype(np.float32) for name in whole}
    return {**arrays, f"{prefix}support": model.support.astype(np.float16)}


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in figures.items()}
