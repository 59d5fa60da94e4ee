"""Labelled faces: FER2013's pixels and labels, FER+'s votes, and what they together teach.

FER2013: Goodfellow et al. 2013, "Challenges in representation learning". FER+: Barsoum et al.
2016, "Training deep networks for facial expression recognition with crowd-sourced labels".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from emotion_dj.errors import DataError, MissingExtra
from emotion_dj.training import emotion_examples
from emotion_dj.training import votes as fer_plus

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import pandas as pd


Truth = Literal["votes", "label"]
"""What choices are made by: what most of FER+'s ten people saw, or FER2013's label."""

SIDE: Final = 48
LABELS: Final = emotion_examples.LABELS


@dataclass(frozen=True, slots=True)
class LabelledFaces:
    """n grey faces with their labels.

    ``pixels`` uint8 (n, 48, 48); ``labels`` int64 (n,), an index into LABELS; ``votes`` float32
    (n, 10), how many annotators gave each of FER+'s answers, all 0 where nobody was asked;
    ``passed_over`` counts rows that have none of the seven labels, or whose picture could not be
    decoded.
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
    """Read cut-out faces from a Parquet file or a folder of folders: see `emotion_examples.find`.

    Raises DataError, LabelError or MissingExtra.
    """
    examples = emotion_examples.find(path)
    pictures = [_decode(picture) for picture in examples.pictures]
    kept = np.array([i for i, picture in enumerate(pictures) if picture is not None], np.intp)
    if not len(kept):
        msg = f"{path} holds no picture that can be decoded"
        raise DataError(msg)
    return LabelledFaces(
        np.stack([pictures[i] for i in kept]),
        examples.labels[kept],
        examples.votes[kept],
        len(pictures) - len(kept) + examples.unlabelled,
    )


def frame(root: Path) -> pd.DataFrame:
    """Return a data frame of folders named by emotion: the columns ``image`` (the file's path)
    and ``label`` (the emotion's name), as the original's ``createdataframe`` did.

    Raises DataError, LabelError or MissingExtra.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtra("train", "a data frame") from error
    found = emotion_examples.find_files(root)
    rows = [
        (str(path), LABELS[label].value)
        for path, label in zip(found.pictures, found.labels, strict=True)
    ]
    return pd.DataFrame(rows, columns=["image", "label"])


def without(faces: LabelledFaces, digests: Collection[str]) -> LabelledFaces:
    """Leave out every face that is pixel-identical to one of those named."""
    banned = set(digests)
    return faces.rows(np.array([i for i, d in enumerate(faces.digests()) if d not in banned]))


def truth_of(faces: LabelledFaces, wanted: Truth | None = None) -> Truth:
    """Return the truth to choose by: as wanted, else the votes where any face has a clear majority.

    Raises DataError where votes are wanted of faces that have none.
    """
    is_clear = bool(fer_plus.majority(faces.votes)[0].any())
    if wanted == "votes" and not is_clear:
        msg = "no face to validate on has votes that agree: add FER+'s columns, or --truth label"
        raise DataError(msg)
    return wanted or ("votes" if is_clear else "label")


def judged(
    faces: LabelledFaces, truth: Truth
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Return the rows of the faces on which a truth says something, and what it says of each: an
    index into LABELS, by the votes into `votes.EIGHT`.
    """
    if truth == "label":
        return np.arange(len(faces)), faces.labels
    clear, seen = fer_plus.majority(faces.votes)
    return clear.nonzero()[0], seen[clear]


def learnable(faces: LabelledFaces) -> LabelledFaces:
    """Leave out faces in which most people saw none of the seven emotions."""
    return faces.rows((~fer_plus.is_other(faces.votes)).nonzero()[0])


def prior(faces: LabelledFaces) -> npt.NDArray[np.float64]:
    """Return the share of each emotion among the votes, (7,); one that never occurs counts as met
    once.
    """
    counts = np.maximum(shares(faces).sum(axis=0, dtype=np.float64), 1)
    return np.asarray(counts / counts.sum())


def labels(faces: LabelledFaces) -> npt.NDArray[np.float32]:
    """Return FER2013's labels as certainties: float32 (n, 7), one 1 per row."""
    return np.eye(len(LABELS), dtype=np.float32)[faces.labels]


def shares(faces: LabelledFaces) -> npt.NDArray[np.float32]:
    """Return the annotators' votes as shares: float32 (n, 7), rows sum to 1.

    A face without votes that count keeps its label.
    """
    found = fer_plus.shares(faces.votes)
    return np.where(found.sum(axis=1, keepdims=True) > 0, found, labels(faces))


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


def _decode(picture: Path | bytes | None) -> npt.NDArray[np.uint8] | None:
    if picture is None:
        return None
    try:
        with Pillow.open(BytesIO(picture) if isinstance(picture, bytes) else picture) as opened:
            grey = opened.convert("L")
            fitted = grey if grey.size == (SIDE, SIDE) else grey.resize((SIDE, SIDE))
            return np.asarray(fitted)
    except (UnidentifiedImageError, OSError, ValueError, Pillow.DecompressionBombError):
        return None
