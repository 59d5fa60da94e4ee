"""The recipe of mood-1: listeners' mood playlists -> a kernel classifier of features and its card.

    emotion-dj train mood --data moods-686.csv --data moods-1200.csv --out src/emotion_dj/_data

How much each feature matters is found by a random search on the leave-one-out error, which a
kernel ridge regression gives in closed form (Rasmussen & Williams 2006, eq. 5.12).
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.affect import parse_mood
from emotion_dj.artifacts import digest, write_atomically
from emotion_dj.errors import DataError
from emotion_dj.music.by_features import ARTIFACT, FEATURES, MOODS, scaled, unskewed
from emotion_dj.music.mood import kernel
from emotion_dj.training import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Floats = npt.NDArray[np.float32]
    Labels = npt.NDArray[np.int64]
    Report = Callable[[int, int], None]

STEPS: Final = 400
RIDGE: Final = 0.6
FOLDS: Final = 5
REPEATS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Playlist:
    """Tracks of one author: ``features`` (n, 9), NaN unknown; ``labels`` (n,), index into MOODS."""

    features: Floats
    labels: Labels


def read_moods(path: Path) -> Playlist:
    """Read a table with the nine features and ``mood``; a missing column counts as unknown.

    Tracks that occur twice are taken once, and not at all where their moods disagree. Raises
    DataError or LabelError.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        labels = [MOODS.index(parse_mood(row["mood"])) for row in rows]
        features = [[float(row.get(name) or "nan") for name in FEATURES] for row in rows]
    except (OSError, KeyError, ValueError, csv.Error) as error:
        msg = f"{path} is no table of features with a column mood: {error}"
        raise DataError(msg) from error
    if not rows:
        msg = f"{path} holds no track"
        raise DataError(msg)
    return _agreed(np.array(features, np.float32), np.array(labels))


def _agreed(features: Floats, labels: Labels) -> Playlist:
    groups: dict[bytes, list[int]] = {}
    for row, values in enumerate(features):
        groups.setdefault(values.tobytes(), []).append(row)
    keep = [rows[0] for rows in groups.values() if len(set(labels[rows])) == 1]
    return Playlist(features[keep], labels[keep])


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A fitted classifier; see `music.by_features.FeatureEar`, which serves it."""

    mean: Floats
    deviation: Floats
    scale: Floats
    support: Floats
    weights: Floats
    offset: Floats

    def scores(self, features: Floats) -> Floats:
        """Return a score for each mood, (n, 4)."""
        rows = scaled(features, self.mean, self.deviation, self.scale)
        return np.asarray(kernel(rows, self.support, 1.0) @ self.weights + self.offset, np.float32)


def fit(playlists: Sequence[Playlist], scale: Floats) -> Model:
    """Fit one classifier to several authors' playlists."""
    features = np.concatenate([playlist.features for playlist in playlists])
    labels = np.concatenate([playlist.labels for playlist in playlists])
    mean = np.nanmean(unskewed(features), 0)
    deviation = np.nanstd(unskewed(features), 0) + np.float32(1e-6)
    support = scaled(features, mean, deviation, scale)
    wanted = np.eye(len(MOODS), dtype=np.float32)[labels]
    offset = wanted.mean(0)
    weights = np.linalg.solve(_gram(support), wanted - offset)
    return Model(mean, deviation, scale, support, weights, offset)


def leave_one_out(playlist: Playlist, scale: Floats) -> Floats:
    """Return scores (n, 4), each by a model that never saw that track."""
    model = fit([playlist], scale)
    wanted = np.eye(len(MOODS), dtype=np.float32)[playlist.labels]
    inverse = np.linalg.inv(_gram(model.support))
    misses = (inverse @ (wanted - model.offset)) / np.diag(inverse)[:, None]
    return np.asarray(wanted - misses, np.float32)


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
        wanted = np.eye(len(MOODS), dtype=np.float32)[playlist.labels]
        return float(((leave_one_out(playlist, scale) - wanted) ** 2).sum(1).mean())

    return sum(map(one, playlists))


def train(
    playlists: Sequence[tuple[str, Playlist]],
    folder: Path,
    *,
    report: Report = lambda _d, _t: None,
) -> dict[str, Any]:
    """Search, fit, measure, write ``mood-1.npz`` with its card; return the card."""
    tables = [playlist for _, playlist in playlists]
    scale = search(tables, report)
    model = fit(tables, scale)
    held = np.concatenate([leave_one_out(table, scale) for table in tables])
    labels = np.concatenate([table.labels for table in tables])
    weights = _packed(model)
    write_atomically(folder / f"{ARTIFACT}.npz", weights)
    card = {
        "id": ARTIFACT,
        "file": f"{ARTIFACT}.npz",
        "sha256": digest(weights),
        "task": "nine features of a track -> four moods",
        "labels": [mood.value for mood in MOODS],
        "input": {"features": list(FEATURES), "unknown": "NaN, taken for the usual value"},
        "temperature": round(metrics.fit_temperature(held.astype(np.float64), labels), 4),
        "matters": {name: round(float(s) ** 2, 4) for name, s in zip(FEATURES, scale, strict=True)},
        "metrics": {
            **{name: _figures(i, tables, scale) for i, (name, _) in enumerate(playlists)},
            **_crossed(playlists, scale),
        },
        "data": "Two people's mood playlists with Spotify's features (public repositories, no "
        "licence stated; not distributed). The scales were chosen on these tracks, by leaving one "
        "out.",
        "licence": "Apache-2.0 (weights)",
        "limits": "Learnt what two people file under happy, sad, calm and energetic; they agree "
        "on little more than half of each other's choices, so learning from both costs up to five "
        "points on either one's own lists.",
    }
    write_atomically(folder / f"{ARTIFACT}.json", (json.dumps(card, indent=2) + "\n").encode())
    return card


def cross_validate(
    playlist: Playlist, scale: Floats, *, seed: int, others: Sequence[Playlist] = ()
) -> float:
    """Return the accuracy over FOLDS folds of models that also learnt from the others' playlists.

    A track of the others with the same features as one that is held back is not learnt from.
    """
    fold = np.random.default_rng(seed).permutation(len(playlist.labels)) % FOLDS
    right = []
    for k in range(FOLDS):
        seen = Playlist(playlist.features[fold != k], playlist.labels[fold != k])
        held = playlist.features[fold == k]
        apart = [_without(other, held) for other in others]
        scores = fit([seen, *apart], scale).scores(held)
        right.append(scores.argmax(1) == playlist.labels[fold == k])
    return float(np.concatenate(right).mean())


def _without(playlist: Playlist, held: Floats) -> Playlist:
    known = {row.tobytes() for row in held}
    kept = [i for i, row in enumerate(playlist.features) if row.tobytes() not in known]
    return Playlist(playlist.features[kept], playlist.labels[kept])


def _figures(place: int, playlists: Sequence[Playlist], scale: Floats) -> dict[str, float]:
    """Return what models reach that learnt from this author alone, and from all as shipped."""
    playlist = playlists[place]
    others = [other for i, other in enumerate(playlists) if i != place]
    alone = [cross_validate(playlist, scale, seed=seed) for seed in range(REPEATS)]
    shipped = [cross_validate(playlist, scale, seed=s, others=others) for s in range(REPEATS)]
    counts = np.bincount(playlist.labels)
    return {
        "n": len(playlist.labels),
        "accuracy_5_fold_3_times": round(float(np.mean(alone)), 4),
        "accuracy_learnt_from_all_5_fold_3_times": round(float(np.mean(shipped)), 4),
        "majority": round(float(counts.max() / counts.sum()), 4),
    }


def _crossed(playlists: Sequence[tuple[str, Playlist]], scale: Floats) -> dict[str, float]:
    """Return the accuracy of a model of one author's playlists on each other's."""
    return {
        f"{one} -> {other}": round(
            float((fit([a], scale).scores(b.features).argmax(1) == b.labels).mean()), 4
        )
        for one, a in playlists
        for other, b in playlists
        if one != other
    }


def _packed(model: Model) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(
        file,
        mean=model.mean.astype(np.float32),
        deviation=model.deviation.astype(np.float32),
        scale=model.scale.astype(np.float32),
        support=model.support.astype(np.float16),
        weights=model.weights.astype(np.float32),
        offset=model.offset.astype(np.float32),
    )
    return file.getvalue()
