"""Labelled faces: FER2013's pixels and labels, FER+'s votes, and what they together teach.

FER2013: Goodfellow et al. 2013, "Challenges in representation learning". FER+: Barsoum et al.
2016, "Training deep networks for facial expression recognition with crowd-sourced labels".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from emotion_dj.affect import parse_emotion
from emotion_dj.domain import Emotion
from emotion_dj.errors import DataError, LabelError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    import pandas as pd


SIDE: Final = 48
LABELS: Final = tuple(Emotion)

_VOTES: Final = {
    Emotion.ANGRY: "votes_anger",
    Emotion.DISGUST: "votes_disgust",
    Emotion.FEAR: "votes_fear",
    Emotion.HAPPY: "votes_happiness",
    Emotion.NEUTRAL: "votes_neutral",
    Emotion.SAD: "votes_sadness",
    Emotion.SURPRISE: "votes_surprise",
}
"""FER+ has three more answers (contempt, unknown, no face), which name none of the seven."""


@dataclass(frozen=True, slots=True)
class LabelledFaces:
    """n grey faces with their labels.

    ``pixels`` uint8 (n, 48, 48); ``labels`` int64 (n,), an index into LABELS; ``votes`` float32
    (n, 7), how many annotators gave each label, all 0 where nobody was asked; ``passed_over``
    counts rows whose picture could not be decoded.
    """

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    votes: npt.NDArray[np.float32]
    passed_over: int = 0

    def __len__(self) -> int:
        """Count the faces."""
        return len(self.labels)

    def digests(self) -> list[str]:
        """Return the sha1 of each face's pixels, by which identical ones are known."""
        return [hashlib.sha1(face.tobytes()).hexdigest() for face in self.pixels]  # noqa: S324

    def rows(self, keep: npt.NDArray[np.intp]) -> LabelledFaces:
        """Return the faces of the rows named."""
        return LabelledFaces(self.pixels[keep], self.labels[keep], self.votes[keep])


def read(path: Path) -> LabelledFaces:
    """Read a Parquet file (see `read_table`) or a folder of folders (see `read_folders`)."""
    return read_folders(path) if path.is_dir() else read_table(path)


def read_folders(root: Path) -> LabelledFaces:
    """Read cut-out faces from folders named by emotion, as in train/angry/1.jpg (Kaggle's form).

    Raises DataError or LabelError.
    """
    listed = list_folders(root)
    pictures = [(_decode(path.read_bytes()), label) for path, label in listed]
    whole = [(picture, label) for picture, label in pictures if picture is not None]
    if not whole:
        msg = f"{root} holds no picture that can be decoded"
        raise DataError(msg)
    return LabelledFaces(
        np.stack([picture for picture, _ in whole]),
        np.array([label for _, label in whole], np.int64),
        np.zeros((len(whole), len(LABELS)), np.float32),
        len(listed) - len(whole),
    )


def list_folders(root: Path) -> list[tuple[Path, int]]:
    """Return the files in folders named by emotion with their labels, in the order of names.

    Raises DataError or LabelError.
    """
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    if not folders:
        msg = f"{root} has no folders named by emotion, such as {root / 'happy'}"
        raise DataError(msg)
    found = []
    for folder in folders:
        try:
            label = LABELS.index(parse_emotion(folder.name))
        except LabelError as error:
            msg = f"the folder {folder} names no emotion: {error}"
            raise LabelError(msg) from error
        found += [(path, label) for path in sorted(folder.iterdir()) if path.is_file()]
    return found


def frame(root: Path) -> pd.DataFrame:
    """Return a data frame of folders named by emotion: the columns ``image`` (the file's path)
    and ``label`` (the emotion's name), as the original's ``createdataframe`` did.

    Raises DataError, LabelError or MissingExtra.
    """  # noqa: D205
    try:
        import pandas as pd  # noqa: PLC0415 - optional, and slow to load
    except ImportError as error:
        raise MissingExtra("train", "a data frame") from error
    rows = [(str(path), LABELS[label].value) for path, label in list_folders(root)]
    return pd.DataFrame(rows, columns=["image", "label"])


def read_table(path: Path) -> LabelledFaces:
    """Read a Parquet file with the columns ``image`` (encoded bytes), ``emotion`` and, if there
    are any, ``votes_*``. Raises DataError.
    """  # noqa: D205
    import pyarrow.parquet as pq  # noqa: PLC0415 - optional, and slow to load

    try:
        table = pq.read_table(path)
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read as a Parquet file: {error}"
        raise DataError(msg) from error
    missing = {"image", "emotion"} - set(table.column_names)
    if missing:
        msg = f"{path} has no column {' and no '.join(sorted(missing))}: it needs image and emotion"
        raise DataError(msg)
    labels = [LABELS.index(parse_emotion(text)) for text in table["emotion"].to_pylist()]
    pictures = [_decode(data) for data in table["image"].to_pylist()]
    kept = np.array([i for i, picture in enumerate(pictures) if picture is not None], np.intp)
    if not len(kept):
        msg = f"{path} holds no picture that can be decoded"
        raise DataError(msg)
    votes = np.zeros((len(labels), len(LABELS)), np.float32)
    for column, name in enumerate(_VOTES.values()):
        if name in table.column_names:
            votes[:, column] = table[name].to_numpy()
    pixels = np.stack([pictures[i] for i in kept])
    return LabelledFaces(pixels, np.array(labels)[kept], votes[kept], len(labels) - len(kept))


def without(faces: LabelledFaces, digests: Collection[str]) -> LabelledFaces:
    """Leave out every face that is pixel-identical to one of those named."""
    banned = set(digests)
    return faces.rows(np.array([i for i, d in enumerate(faces.digests()) if d not in banned]))


def prior(faces: LabelledFaces) -> npt.NDArray[np.float64]:
    """Return how often each emotion occurs, (7,); one that never does counts as met once."""
    counts = np.maximum(np.bincount(faces.labels, minlength=len(LABELS)), 1)
    return np.asarray(counts / counts.sum())


def labels(faces: LabelledFaces) -> npt.NDArray[np.float32]:
    """Return FER2013's labels as certainties: float32 (n, 7), one 1 per row."""
    return np.eye(len(LABELS), dtype=np.float32)[faces.labels]


def votes(faces: LabelledFaces) -> npt.NDArray[np.float32]:
    """Return the annotators' votes as shares: float32 (n, 7), rows sum to 1.

    A face without votes keeps its label.
    """
    total = faces.votes.sum(axis=1, keepdims=True)
    return np.where(total > 0, faces.votes / np.maximum(total, 1), labels(faces))


def merge_identical(
    faces: LabelledFaces, targets: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Keep each picture once; where copies disagree, its target (n, ...) is their mean."""
    groups: dict[str, list[int]] = {}
    for row, digest in enumerate(faces.digests()):
        groups.setdefault(digest, []).append(row)
    first = [rows[0] for rows in groups.values()]
    merged = np.stack([targets[rows].mean(axis=0) for rows in groups.values()])
    return faces.pixels[first], merged.astype(np.float32)


def _decode(data: bytes) -> npt.NDArray[np.uint8] | None:
    try:
        with Pillow.open(BytesIO(data)) as picture:
            grey = picture.convert("L")
            fitted = grey if grey.size == (SIDE, SIDE) else grey.resize((SIDE, SIDE))
            return np.asarray(fitted)
    except (UnidentifiedImageError, OSError, ValueError, TypeError):
        return None


def count_labels(labels: Iterable[int]) -> dict[str, int]:
    """Count the faces of each emotion, by its name."""
    counts = np.bincount(np.fromiter(labels, np.int64), minlength=len(LABELS))
    return {label.value: int(count) for label, count in zip(LABELS, counts, strict=True)}
