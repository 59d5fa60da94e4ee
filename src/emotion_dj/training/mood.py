"""The recipe of mood-2: mood playlists, and what listeners felt -> regressions and their card.

    emotion-dj train mood --data moods-686.csv --data moods-1200.csv --felt pmemo.csv --out OUT

How much each feature matters is found by a random search on the leave-one-out error, which a
kernel ridge regression gives in closed form (Rasmussen & Williams 2006, eq. 5.12).
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.affect import parse_mood
from emotion_dj.artifacts import digest, write_atomically
from emotion_dj.errors import DataError, LabelError
from emotion_dj.music.audio_model import kernel
from emotion_dj.music.mood_from_features import (
    ARTIFACT,
    FEATURES,
    MOODS,
    AnnotatorMixture,
    Regression,
    as_table,
    scaled,
    unskewed,
)
from emotion_dj.sources import tables
from emotion_dj.sources.table_files import named_rows
from emotion_dj.training import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from emotion_dj.json_types import JsonObject

    Floats = npt.NDArray[np.float32]
    Labels = npt.NDArray[np.int64]
    Report = Callable[[int, int], None]

STEPS: Final = 400
RIDGE: Final = 0.6
FELT_SCALE: Final = 0.15
"""How much each feature matters for what was felt: 403 songs do not tell them apart."""

FOLDS: Final = 5
REPEATS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Playlist:
    """Tracks of one author: ``features`` (n, 9), NaN unknown; ``labels`` (n,), index into MOODS.

    ``left_out`` counts the rows that are copies of others, or whose copies disagree.
    """

    features: Floats
    labels: Labels
    left_out: int = 0


def read_moods(path: Path) -> Playlist:
    """Read a table with the nine features and ``mood``; what is missing counts as unknown.

    Tracks that occur twice are taken once, and not at all where their moods disagree. Raises
    DataError, LabelError or MissingExtra.
    """
    rows = list(named_rows(path))
    if "mood" not in rows[0]:
        msg = f"{path} is not a table of features with moods: it has no column mood"
        raise DataError(msg)
    playlist = _agreed(_features(path, rows), _labels(path, rows))
    if not len(playlist.labels):
        msg = f"{path} tells of no track without contradiction which mood it has"
        raise DataError(msg)
    return playlist


def _features(path: Path, rows: Sequence[Mapping[str, Any]]) -> Floats:
    """Return FEATURES (n, 9) of a table's rows. Raises DataError where none is known."""
    features = as_table([tables.features_of(row) for row in rows])
    if np.isnan(features).all():
        msg = f"{path} tells none of {', '.join(FEATURES)} (shares are from 0 to 1)"
        raise DataError(msg)
    return features


def _labels(path: Path, rows: Sequence[Mapping[str, Any]]) -> Labels:
    labels = []
    for number, row in enumerate(rows, start=1):
        try:
            labels.append(MOODS.index(parse_mood(str(row["mood"] or ""))))
        except LabelError as error:
            msg = f"{path}, row {number}: {error}"
            raise LabelError(msg) from error
    return np.array(labels)


def _agreed(features: Floats, labels: Labels) -> Playlist:
    groups: dict[bytes, list[int]] = {}
    for row, values in enumerate(features):
        groups.setdefault(values.tobytes(), []).append(row)
    keep = [rows[0] for rows in groups.values() if len(set(labels[rows])) == 1]
    return Playlist(features[keep], labels[keep], len(labels) - len(keep))


@dataclass(frozen=True, slots=True, eq=False)
class Felt:
    """What listeners felt: ``features`` (n, 9), and ``places`` (n, 2), valence and arousal in
    [-1, 1].
    """

    features: Floats
    places: Floats


def read_felt(path: Path) -> Felt:
    """Read a table with the nine features, ``valence_mean`` and ``arousal_mean`` from 1 to 9.

    Raises DataError or MissingExtra.
    """
    rows = list(named_rows(path))
    try:
        said = [[float(row[name]) for name in ("valence_mean", "arousal_mean")] for row in rows]
    except (KeyError, ValueError, TypeError) as error:
        msg = f"{path} does not tell valence_mean and arousal_mean of every track: {error}"
        raise DataError(msg) from error
    places = (np.array(said) - 5) / 4
    return Felt(_features(path, rows), places.astype(np.float32))


def fit(features: Floats, targets: Floats, scale: Floats) -> Regression:
    """Fit a regression of features (n, 9) to targets (n, t)."""
    mean = np.nanmean(unskewed(features), 0)
    deviation = np.nanstd(unskewed(features), 0) + np.float32(1e-6)
    support = scaled(features, mean, deviation, scale)
    offset = targets.mean(0)
    weights = np.linalg.solve(_gram(support), targets - offset)
    return Regression(mean, deviation, scale, support, weights, offset)


def fit_hands(
    playlists: Sequence[Playlist], scale: Floats, temperature: float = 1.0
) -> AnnotatorMixture:
    """Fit each author's scores to their own tracks, and whose list it is to all of them."""
    features = np.concatenate([playlist.features for playlist in playlists])
    authors = np.repeat(np.arange(len(playlists)), [len(p.labels) for p in playlists])
    whose = np.eye(len(playlists), dtype=np.float32)[authors]
    resembled = fit(features, whose, scale)
    weights = np.zeros((len(features), len(playlists) * len(MOODS)), np.float32)
    offsets = []
    for author, playlist in enumerate(playlists):
        own = authors == author
        wanted = _wanted(playlist)
        offsets.append(wanted.mean(0))
        columns = slice(author * len(MOODS), (author + 1) * len(MOODS))
        weights[own, columns] = np.linalg.solve(_gram(resembled.support[own]), wanted - offsets[-1])
    regression = replace(
        resembled,
        weights=np.hstack([weights, resembled.weights]),
        offset=np.concatenate([*offsets, resembled.offset]),
    )
    unseen = _unseen(resembled.support, whose)
    means = np.array([unseen[authors == author].mean(0) for author in range(len(playlists))])
    return AnnotatorMixture(regression, np.linalg.inv(means).astype(np.float32), temperature)


def leave_one_out(playlist: Playlist, scale: Floats) -> Floats:
    """Return scores (n, 4), each by a model that never saw that track."""
    wanted = _wanted(playlist)
    return _unseen(fit(playlist.features, wanted, scale).support, wanted)


def _wanted(playlist: Playlist) -> Floats:
    return np.eye(len(MOODS), dtype=np.float32)[playlist.labels]


def _unseen(support: Floats, targets: Floats) -> Floats:
    """Return what each row is foretold by the regression that left it out."""
    inverse = np.linalg.inv(_gram(support))
    misses = (inverse @ (targets - targets.mean(0))) / np.diag(inverse)[:, None]
    return np.asarray(targets - misses, np.float32)


def _gram(support: Floats) -> Floats:
    similar = kernel(support, support, 1.0)
    return np.asarray(similar + RIDGE * np.eye(len(support)), np.float32)


def search(playlists: Sequence[Playlist], report: Report = lambda _d, _t: None) -> Floats:
    """Find how much each feature matters: the scales with the least leave-one-out error."""
    source = np.random.default_rng(0)
    scale = np.full(len(FEATURES), 0.25, np.float32)
    least = _error(playlists, scale)
    for step in range(STEPS):
        change = source.normal(0, 0.35, len(FEATURES)) * (source.random(len(FEATURES)) < 0.4)  # noqa: PLR2004
        tried = (scale * np.exp(change)).astype(np.float32)
        error = _error(playlists, tried)
        if error < least:
            scale, least = tried, error
        report(step + 1, STEPS)
    return scale


def _error(playlists: Sequence[Playlist], scale: Floats) -> float:
    def one(playlist: Playlist) -> float:
        return float(((leave_one_out(playlist, scale) - _wanted(playlist)) ** 2).sum(1).mean())

    return sum(map(one, playlists))


def train(
    playlists: Sequence[tuple[str, Playlist]],
    felt: Felt,
    folder: Path,
    *,
    report: Report = lambda _d, _t: None,
) -> JsonObject:
    """Search, fit, measure, write the weights with their card; return the card."""
    lists = [playlist for _, playlist in playlists]
    scale = search(lists, report)
    held = np.concatenate([leave_one_out(playlist, scale) for playlist in lists])
    labels = np.concatenate([playlist.labels for playlist in lists])
    temperature = round(metrics.fit_temperature(held.astype(np.float64), labels), 4)
    hands = fit_hands(lists, scale, temperature)
    weights = _packed(hands, _fit_felt(felt))
    write_atomically(folder / f"{ARTIFACT}.npz", weights)
    card = {
        "id": ARTIFACT,
        "file": f"{ARTIFACT}.npz",
        "sha256": digest(weights),
        "task": "nine features of a track -> four moods, valence and arousal",
        "labels": [mood.value for mood in MOODS],
        "input": {"features": list(FEATURES), "unknown": "NaN, taken for the usual value"},
        "temperature": temperature,
        "matters": {name: round(float(s) ** 2, 4) for name, s in zip(FEATURES, scale, strict=True)},
        "metrics": {
            **{name: _figures(i, lists, scale) for i, (name, _) in enumerate(playlists)},
            **_crossed(playlists, scale),
            "felt": _felt_figures(felt),
        },
        "data": "Two people's mood playlists with Spotify's features (public repositories, no "
        "licence stated; not distributed), and PMEmo's annotations (MIT) of songs with such "
        "features. How much each feature matters was chosen on the playlists, by leaving one out.",
        "licence": "Apache-2.0 (weights)",
        "limits": "Learnt what two people file under happy, sad, calm and energetic; they agree "
        "on little more than half of each other's choices. Whose way a list follows is told from "
        "the list; a single track, or a third person's list, gets something between.",
    }
    write_atomically(folder / f"{ARTIFACT}.json", (json.dumps(card, indent=2) + "\n").encode())
    return card


def _fit_felt(felt: Felt) -> Regression:
    return fit(felt.features, felt.places, np.full(len(FEATURES), FELT_SCALE, np.float32))


def _folds(n: int, seed: int) -> Iterator[npt.NDArray[np.bool_]]:
    """Yield which rows are held back, for each of FOLDS folds."""
    fold = np.random.default_rng(seed).permutation(n) % FOLDS
    yield from (fold == k for k in range(FOLDS))


def cross_validate(
    playlist: Playlist, others: Sequence[Playlist], scale: Floats, *, seed: int
) -> tuple[float, float]:
    """Return the accuracy over FOLDS folds of models that also learnt from the others' playlists:
    of the tracks held back as one list, and of each by itself.

    A track of the others with the same features as one that is held back is not learnt from.
    """
    right = []
    for held in _folds(len(playlist.labels), seed):
        seen = Playlist(playlist.features[~held], playlist.labels[~held])
        rows, labels = playlist.features[held], playlist.labels[held]
        hands = fit_hands([seen, *(_without(other, rows) for other in others)], scale)
        answers = (hands.moods(rows, together=together).argmax(1) for together in (True, False))
        right.append(np.stack([answer == labels for answer in answers]))
    as_list, single = np.concatenate(right, axis=1).mean(1)
    return float(as_list), float(single)


def _without(playlist: Playlist, held: Floats) -> Playlist:
    known = {row.tobytes() for row in held}
    kept = [i for i, row in enumerate(playlist.features) if row.tobytes() not in known]
    return Playlist(playlist.features[kept], playlist.labels[kept])


def _figures(place: int, playlists: Sequence[Playlist], scale: Floats) -> dict[str, float]:
    """Return what models reach that learnt from all authors, as the one that ships has."""
    playlist = playlists[place]
    others = [other for i, other in enumerate(playlists) if i != place]
    rates = [cross_validate(playlist, others, scale, seed=s) for s in range(REPEATS)]
    as_list, single = np.mean(rates, axis=0)
    counts = np.bincount(playlist.labels)
    return {
        "n": len(playlist.labels),
        "accuracy_5_fold_3_times": round(float(as_list), 4),
        "accuracy_of_single_tracks": round(float(single), 4),
        "majority": round(float(counts.max() / counts.sum()), 4),
    }


def _crossed(playlists: Sequence[tuple[str, Playlist]], scale: Floats) -> dict[str, float]:
    """Return the accuracy of a model of one author's playlists on each other's."""
    return {
        f"{one} -> {other}": round(
            float((fit_hands([a], scale).moods(b.features).argmax(1) == b.labels).mean()), 4
        )
        for one, a in playlists
        for other, b in playlists
        if one != other
    }


def _felt_figures(felt: Felt) -> dict[str, float]:
    """Return the R2 of valence and arousal over FOLDS folds, the mean of REPEATS splits."""
    scores = []
    for seed in range(REPEATS):
        foretold = np.zeros_like(felt.places)
        for held in _folds(len(felt.places), seed):
            model = _fit_felt(Felt(felt.features[~held], felt.places[~held]))
            foretold[held] = model(felt.features[held])
        missed = np.square(felt.places - foretold).sum(0)
        scores.append(1 - missed / np.square(felt.places - felt.places.mean(0)).sum(0))
    valence, arousal = np.mean(scores, axis=0)
    figures = {"r2_valence": float(valence), "r2_arousal": float(arousal)}
    return {"n": len(felt.places), **{name: round(r2, 4) for name, r2 in figures.items()}}


def _packed(hands: AnnotatorMixture, felt: Regression) -> bytes:
    file = io.BytesIO()
    arrays = {
        prefix + name: array.astype(np.float16 if name == "support" else np.float32)
        for prefix, model in (("hands_", hands.regression), ("felt_", felt))
        for name, array in asdict(model).items()
    }
    np.savez_compressed(file, unmix=hands.unmix, **arrays)
    return file.getvalue()
