"""The recipe of the ear: what VibeNet says of music -> scales; Emotify's 300 tracks -> feelings.

    emotion-dj train music --data emotify.csv --audio emotify/ --scales scales.npz --out OUT

`scripts/hear-with-vibenet.py` makes the file of scales (Hinton et al. 2015: distillation).

Emotify: Aljanaki, Wiering & Veltkamp 2016, "Studying emotion induced by music through a
crowdsourcing game". The model was chosen by five-fold cross-validation over tracks.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from emotion_dj.artifacts import digest, write_atomically
from emotion_dj.errors import AudioError, DataError
from emotion_dj.music.decode import decode
from emotion_dj.music.features import NAMES, measure
from emotion_dj.music.mood import (
    ARTIFACT,
    GEMS,
    SCALES,
    TARGETS,
    Kernel,
    kernel,
    rational,
    tempo_cue,
)
from emotion_dj.sources import tables

if TYPE_CHECKING:
    from collections.abc import Callable

    Floats = npt.NDArray[np.float32]
    Report = Callable[[int, int], None]

SCALES_GAMMA: Final = 0.4
SCALES_RIDGE: Final = 0.2
GAMMA: Final = 0.6
RIDGE: Final = 0.4
EMPHASIS: Final = 8.0
"""How many inputs each scale counts for: 300 tracks cannot find out that scales matter more."""

EMBEDDING: Final = 24
FOLDS: Final = 5
SPLITS: Final = 10
"""Divisions into folds over which R2 is also averaged: from one to the next it moves by 0.02."""

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
    """n tracks: ``vectors`` (n, len(NAMES)), ``targets`` (n, len(TARGETS)), ``doubts`` (n,): how
    noisy its targets are against the usual track's, genres and files; ``passed_over`` says of each
    other track why it could not be heard.
    """  # noqa: D205

    vectors: Floats
    targets: Floats
    doubts: Floats
    genres: tuple[str, ...]
    files: tuple[str, ...]
    passed_over: tuple[str, ...] = ()


def read_emotify(table: Path, audio: Path, *, report: Report = lambda _d, _t: None) -> Corpus:
    """Hear every track of a table in Emotify's form; one that cannot be heard is passed over.

    Raises DataError.
    """
    rows = _ratings(table)
    heard, vectors, passed_over = [], [], []
    for number, row in enumerate(rows, start=1):
        try:
            vectors.append(_heard(audio / row["file"]))
            heard.append(row)
        except AudioError as error:
            passed_over.append(str(error))
        report(number, len(rows))
    if not heard:
        msg = f"no track of {table} can be heard: {passed_over[0]}"
        raise DataError(msg)
    shares = [{name: row[name] for name in GEMS} for row in heard]
    raters = np.array([row["raters"] for row in heard])
    targets = [[*proxies(share), *share.values()] for share in shares]
    # The error of a mean falls with the root of the number of listeners; what a track has of its
    # own does not, so its variance is not taken to fall in proportion.
    doubts = np.sqrt(raters.mean() / raters).astype(np.float32)
    truth = np.array(targets, np.float32)
    genres, files = (tuple(row[name] for row in heard) for name in ("genre", "file"))
    return Corpus(np.array(vectors), truth, doubts, genres, files, tuple(passed_over))


def _heard(path: Path) -> Floats:
    if not path.is_file():
        msg = f"{path} does not exist"
        raise AudioError(msg)
    return measure(decode(path)).vector


def _number(value: Any, row: int) -> float:
    number = float(value)
    if not isfinite(number):
        msg = f"row {row} holds {value}, which is no number"
        raise ValueError(msg)
    return number


def _ratings(table: Path) -> list[dict[str, Any]]:
    """Return the rows of a table in Emotify's form: file, genre, raters and GEMS as numbers."""
    rows: list[dict[str, Any]] = []
    try:
        for number, row in enumerate(tables.named_rows(table), start=1):
            told = {name: _number(row[name], number) for name in GEMS}
            raters = max(_number(row.get("raters") or 1, number), 1)
            known = {"file": row["file"], "genre": row.get("genre") or "", "raters": raters}
            rows.append(told | known)
    except (KeyError, ValueError, TypeError) as error:
        msg = f"{table} is no table in Emotify's form (file, nine emotions): {error}"
        raise DataError(msg) from error
    return rows


def proxies(share: dict[str, float]) -> tuple[float, float]:
    """Return valence and arousal as sums over the nine scales, as data/README.md defines them."""
    bright = share["joyful_activation"] + 0.5 * share["tenderness"] + 0.3 * share["calmness"]
    strong = share["joyful_activation"] + share["power"] + share["tension"]
    valence = bright - share["sadness"] - share["tension"]
    arousal = strong - share["calmness"] - share["tenderness"] - 0.5 * share["sadness"]
    return valence, arousal


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """What a teacher said of m pieces of music: ``vectors`` (m, len(NAMES)), ``scales`` (m, 7) and
    the ``files`` that they were cut from.
    """  # noqa: D205

    vectors: Floats
    scales: Floats
    files: npt.NDArray[np.str_]


def read_lessons(path: Path) -> Lessons:
    """Read what `scripts/hear-with-vibenet.py` wrote. Raises DataError."""
    try:
        with np.load(path, allow_pickle=False) as file:
            told = [str(name) for name in file["scales"]]
            columns = [told.index(name) for name in SCALES]
            if [str(name) for name in file["features"]] != list(NAMES):
                msg = f"{path} was made with other measurements: hear the music again"
                raise DataError(msg)
            return Lessons(file["vectors"], file["answers"][:, columns], file["files"])
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        msg = f"{path} is no file of scales: {error}"
        raise DataError(msg) from error


def fit_scales(lessons: Lessons, rows: npt.NDArray[np.bool_] | slice = slice(None)) -> Kernel:
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
    """Fit the second regression to some of the tracks, whose inputs `with_scales` gives."""
    vectors, targets, doubts = inputs_[rows], corpus.targets[rows], corpus.doubts[rows]
    emphasis = np.ones(vectors.shape[1], np.float32)
    emphasis[-len(SCALES) :] = np.sqrt(EMPHASIS)
    unfitted = Kernel(
        mean=vectors.mean(0),
        deviation=vectors.std(0) + np.float32(1e-6),
        emphasis=emphasis,
        support=vectors,
        weights=targets,
        offset=np.average(targets, axis=0, weights=1 / doubts),
        gamma=GAMMA,
        similarity=rational,
    )
    return _solved(unfitted, RIDGE * doubts)


def _solved(unfitted: Kernel, noise: Floats) -> Kernel:
    """Return the kernel ridge regression whose ``support`` is still raw and ``weights`` targets."""
    support = unfitted.standard(unfitted.support)
    width = unfitted.gamma / float(np.square(unfitted.emphasis).sum())
    gram = unfitted.similarity(support, support, width) + np.diag(noise)
    weights = np.linalg.solve(gram, unfitted.weights - unfitted.offset)
    return replace(unfitted, support=support, weights=weights)


def with_scales(corpus: Corpus, scales: Kernel) -> Floats:
    """Return the inputs (n, d + 7) of the second regression: measurements and scales."""
    rows = inputs(corpus.vectors)
    return np.hstack([rows, np.clip(scales(rows), 0, 1)])


def cross_validate(corpus: Corpus, lessons: Lessons, folds: npt.NDArray[np.intp]) -> Floats:
    """Return predictions (n, len(TARGETS)), each by two models that never heard that track's fold:
    neither its feelings nor what the teacher says of it.
    """  # noqa: D205
    predicted = np.zeros_like(corpus.targets)
    taught = np.array([Path(str(name)).name for name in lessons.files])
    for fold in np.unique(folds):
        held = folds == fold
        own = [Path(name).name for name in np.array(corpus.files)[held]]
        rows = with_scales(corpus, fit_scales(lessons, ~np.isin(taught, own)))
        predicted[held] = fit_feelings(corpus, rows, ~held)(rows[held])
    return predicted


def _repeated(corpus: Corpus, lessons: Lessons) -> dict[str, float]:
    """Return the mean R2 over SPLITS divisions into folds."""
    splits = (_folds(corpus, seed) for seed in range(SPLITS))
    r2 = [r_squared(corpus.targets, cross_validate(corpus, lessons, split)) for split in splits]
    return _rounded({name: float(np.mean([one[name] for one in r2])) for name in TARGETS})


def _folds(corpus: Corpus, seed: int) -> npt.NDArray[np.intp]:
    return np.random.default_rng(seed).permutation(len(corpus.vectors)) % FOLDS


def _by_genre(corpus: Corpus, predicted: Floats, elsewhere: Floats) -> dict[str, dict[str, float]]:
    """Return R2 of both proxies inside each genre, learnt from all genres and from the others."""
    genres = np.array(corpus.genres)
    found: dict[str, dict[str, float]] = {}
    for genre in np.unique(genres):
        own = genres == genre
        told = {"all": predicted, "the others": elsewhere}
        r2 = {name: r_squared(corpus.targets[own], rows[own]) for name, rows in told.items()}
        found[str(genre)] = {
            f"{axis}, learnt from {name}": round(r2[name][axis], 3)
            for axis in PLACING
            for name in told
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


def train(corpus: Corpus, lessons: Lessons, folder: Path) -> dict[str, Any]:
    """Fit, measure by cross-validation, write ``ear-3.npz`` with its card; return the card."""
    by_track = _folds(corpus, 0)
    predicted = cross_validate(corpus, lessons, by_track)
    genres = np.unique(corpus.genres, return_inverse=True)[1]
    elsewhere = cross_validate(corpus, lessons, genres)
    scales = fit_scales(lessons)
    model = fit_feelings(corpus, with_scales(corpus, scales))
    weights = _packed(model, scales)
    write_atomically(folder / f"{ARTIFACT}.npz", weights)
    card = {
        "id": ARTIFACT,
        "file": f"{ARTIFACT}.npz",
        "sha256": digest(weights),
        "task": "music -> affect, nine GEMS shares, an embedding",
        "input": {
            "features": list(INPUTS),
            "excerpts": "three of 15 s, or a short track",
        },
        "gamma": GAMMA,
        "ridge": RIDGE,
        "scales": {
            "names": list(SCALES),
            "gamma": SCALES_GAMMA,
            "ridge": SCALES_RIDGE,
            "teacher": "VibeNet 0.1 (PyPI, GPL): its answers were learnt, nothing of it ships",
            "pieces": len(lessons.files),
            "r2_against_the_teacher_five_fold_by_file": _told_again(lessons),
        },
        "targets": list(TARGETS),
        "plane": _plane(corpus, predicted),
        "metrics": {
            "r2_five_fold_by_track": _rounded(r_squared(corpus.targets, predicted)),
            f"r2_five_fold_mean_of_{SPLITS}_splits": _repeated(corpus, lessons),
            "r2_genre_held_out": _rounded(r_squared(corpus.targets, elsewhere)),
            "n": len(corpus.vectors),
        },
        "r2_inside_each_genre": _by_genre(corpus, predicted, elsewhere),
        "data": "Emotify (300 of 400 tracks; research use); for the scales also music that Debian "
        "and PyPI ship. The recordings are not distributed.",
        "licence": "Apache-2.0 (weights)",
        "limits": "Trained on classical, electronic, pop and rock of one netlabel. Valence is "
        "heard poorly by everything that listens to sound alone, and not at all in a genre that "
        "was not learnt from; lyrics are not understood. Figures move by 0.02 with the split.",
    }
    write_atomically(folder / f"{ARTIFACT}.json", (json.dumps(card, indent=2) + "\n").encode())
    return card


def _told_again(lessons: Lessons) -> dict[str, float]:
    """Return how well the scales are foretold in files that were not learnt from."""
    names, numbers = np.unique(lessons.files, return_inverse=True)
    folds = (np.random.default_rng(0).permutation(len(names)) % FOLDS)[numbers]
    told = np.zeros_like(lessons.scales)
    for fold in range(FOLDS):
        held = folds == fold
        told[held] = fit_scales(lessons, ~held)(inputs(lessons.vectors[held]))
    error = ((lessons.scales - told) ** 2).sum(0)
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


def _packed(model: Kernel, scales: Kernel) -> bytes:
    directions = np.linalg.svd(model.support, full_matrices=False)[2][:EMBEDDING]
    file = io.BytesIO()
    np.savez_compressed(
        file,
        projection=directions.astype(np.float32),
        **_arrays(model, ""),
        **_arrays(scales, "scales_"),
    )
    return file.getvalue()


def _arrays(model: Kernel, prefix: str) -> dict[str, Any]:
    whole = ("mean", "deviation", "emphasis", "weights", "offset")
    arrays = {prefix + name: getattr(model, name).astype(np.float32) for name in whole}
    return {**arrays, f"{prefix}support": model.support.astype(np.float16)}


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in figures.items()}
