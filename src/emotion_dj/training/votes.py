"""What ten people saw in a face: FER+'s votes, the truth that the reader is measured by.

Barsoum et al. 2016, "Training deep networks for facial expression recognition with crowd-sourced
label distribution": a vote that nobody else shares is dropped, and a face counts where more than
half of the remaining votes are for one of its eight emotions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.affect import EMOTION_AFFECT
from emotion_dj.domain import Emotion
from emotion_dj.errors import DataError
from emotion_dj.training import metrics

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.json_types import JsonObject

    Votes = npt.NDArray[np.float32]
    Probabilities = npt.NDArray[np.float64]

_WORDS: Final = {
    Emotion.ANGRY: "anger",
    Emotion.DISGUST: "disgust",
    Emotion.FEAR: "fear",
    Emotion.HAPPY: "happiness",
    Emotion.NEUTRAL: "neutral",
    Emotion.SAD: "sadness",
    Emotion.SURPRISE: "surprise",
}
COLUMNS: Final = tuple(f"votes_{word}" for word in (*_WORDS.values(), "contempt", "unknown", "nf"))
"""FER+'s ten answers in a table: our seven emotions in their order, contempt, "cannot be told", and
"no face"."""

SEVEN: Final = len(_WORDS)
EIGHT: Final = (*(emotion.value for emotion in _WORDS), "contempt")
"""The classes of the protocol. We cannot say contempt, so a face that shows it counts as an error
in accuracy."""

_PLACES: Final = np.array([EMOTION_AFFECT[emotion] for emotion in _WORDS])


def read(table: Any, path: Path) -> Votes:
    """Return the votes of a table's rows, (n, 10); a row of zeros is a face nobody was asked about.

    A table without any of COLUMNS gives zeros only. Raises DataError where some of them are
    missing, hold no numbers or negative ones, or where all votes are 0.
    """
    missing = [name for name in COLUMNS if name not in table.column_names]
    if len(missing) == len(COLUMNS):
        return np.zeros((table.num_rows, len(COLUMNS)), np.float32)
    if missing:
        msg = (
            f"{path} has no column {' and no '.join(missing)}: votes need all ten of FER+, or none"
        )
        raise DataError(msg)
    votes = np.stack([_numbers(table, name, path) for name in COLUMNS], axis=1)
    _check(votes, path)
    return votes


def _numbers(table: Any, name: str, path: Path) -> Votes:
    try:
        numbers = table[name].to_numpy().astype(np.float32)
    except (TypeError, ValueError) as error:
        msg = f"{path}: the column {name} holds no numbers"
        raise DataError(msg) from error
    return np.asarray(np.where(np.isnan(numbers), 0, numbers), np.float32)


def _check(votes: Votes, path: Path) -> None:
    for row, column in np.argwhere(~(np.isfinite(votes) & (votes >= 0)))[:1]:
        msg = f"{path}, row {row + 1}: {COLUMNS[column]} is {votes[row, column]:g}, not a count"
        raise DataError(msg)
    if not votes.any():
        msg = f"{path} has columns of votes, but every vote is 0: fill them in, or leave them out"
        raise DataError(msg)


def without_singles(votes: Votes) -> Votes:
    """Return votes (n, 10) in which an answer that only one person gave counts nothing."""
    return np.where(votes > 1, votes, 0)


def majority(votes: Votes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Return which faces are clear, bool (n,), and what most people saw, an index into EIGHT (n,).

    The index of a face that is not clear means nothing.
    """
    counted = without_singles(votes)
    seen = counted.argmax(axis=1)
    clear = (counted.max(axis=1) > counted.sum(axis=1) / 2) & (seen < len(EIGHT))
    return clear, seen


def shares(votes: Votes) -> npt.NDArray[np.float32]:
    """Return the shares of the seven among the votes that count, (n, 7); 0 where none does."""
    counted = without_singles(votes)[:, :SEVEN]
    whole = counted.sum(axis=1, keepdims=True)
    return np.asarray(counted / np.maximum(whole, 1), np.float32)


def is_other(votes: Votes) -> npt.NDArray[np.bool_]:
    """Tell on which faces contempt, "cannot be told" or "no face" won, bool (n,)."""
    counted = without_singles(votes)
    return np.asarray(counted.argmax(axis=1) >= SEVEN)


def report(probabilities: Probabilities, votes: Votes) -> JsonObject:
    """Return how readings (n, 7) agree with what people saw, over the faces that are clear.

    ``affect_distance`` is the mean distance on the valence-arousal plane between the place of the
    reading and that of the votes. Raises DataError where no face is clear.
    """
    clear, seen = majority(votes)
    if not clear.any():
        msg = "on none of these faces do more than half of the votes agree: no majority to measure"
        raise DataError(msg)
    readings, truth = probabilities[clear], seen[clear]
    table = metrics.confusion(readings.argmax(axis=1), truth, classes=len(EIGHT))
    ours = table[:SEVEN, :SEVEN]
    return {
        "n": len(truth),
        "accuracy": metrics.rounded(np.trace(table) / table.sum()),
        "macro_recall": metrics.rounded(metrics.macro_recall(ours)),
        "macro_f1": metrics.rounded(metrics.macro_f1(ours)),
        "ece": metrics.rounded(metrics.ece(readings, truth)),
        "affect_distance": metrics.rounded(_distance(readings, votes[clear])),
        "per_class": metrics.per_class(ours, EIGHT[:SEVEN]),
        "confusion": {"labels": list(EIGHT), "rows_true_columns_read": table.tolist()},
    }


def affect_correlation(probabilities: Probabilities, votes: Votes) -> dict[str, float]:
    """Return Pearson's r between the places of readings and of votes, over the clear faces."""
    clear, _ = majority(votes)
    ours, theirs = probabilities[clear] @ _PLACES, shares(votes[clear]) @ _PLACES
    return {
        name: metrics.rounded(np.corrcoef(ours[:, axis], theirs[:, axis])[0, 1])
        for axis, name in enumerate(("valence", "arousal"))
    }


def _distance(probabilities: Probabilities, votes: Votes) -> float:
    apart = probabilities @ _PLACES - shares(votes) @ _PLACES
    return float(np.linalg.norm(apart, axis=1).mean())
