"""Labelled pictures as people keep them: Parquet tables, and folders named by emotion.

Here is decided which pictures there are and what their labels mean; nothing is decoded yet.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.affect import parse_emotion
from emotion_dj.domain import Emotion
from emotion_dj.errors import DataError, LabelError, MissingExtra
from emotion_dj.training import votes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LABELS: Final = tuple(Emotion)

FER2013: Final = (
    Emotion.ANGRY,
    Emotion.DISGUST,
    Emotion.FEAR,
    Emotion.HAPPY,
    Emotion.SAD,
    Emotion.SURPRISE,
    Emotion.NEUTRAL,
)
"""What the numbers 0 to 6 mean in FER2013 as it was published."""

UNNAMED: Final = frozenset({"contempt", "unknown", "nf"})
"""FER+'s three answers that name none of the seven emotions (nf: no face)."""

SUFFIXES: Final = frozenset(
    ".avif .bmp .gif .heic .heif .jfif .jpe .jpeg .jpg .pgm .png .ppm .tif .tiff .webp".split()
)
"""What the names of pictures end in; other files of a folder (Thumbs.db, notes) are no pictures."""


@dataclass(frozen=True, slots=True)
class Examples:
    """n pictures with their labels.

    ``pictures`` are paths or encoded bytes, None where a row has none; ``labels`` int64 (n,), an
    index into LABELS; ``votes`` float32 (n, 10), how many annotators gave each of FER+'s answers
    (`votes.COLUMNS`), all 0 where nobody was asked; ``unlabelled`` counts what is not among the n
    because it has no label or one of UNNAMED.
    """

    pictures: Sequence[Path | bytes | None]
    labels: npt.NDArray[np.int64]
    votes: npt.NDArray[np.float32]
    unlabelled: int = 0


def find(path: Path) -> Examples:
    """List a Parquet file (see `find_rows`) or a folder of folders (see `find_files`)."""
    return find_files(path) if path.is_dir() else find_rows(path)


def find_files(root: Path) -> Examples:
    """List the pictures in folders named by emotion, at any depth, in the order of their names.

    A folder may be called by any usual spelling, by FER2013's number, or both (3, 3_happy). What
    is hidden, or no picture by its name, is passed over. Where ``root`` holds but one folder of
    such folders, that one is meant. Raises DataError or LabelError.
    """
    found: list[tuple[Path, int]] = []
    unlabelled = 0
    for folder in _classes(root):
        label, pictures = _label_of_folder(folder), _pictures(folder)
        if label is None:
            unlabelled += len(pictures)
        else:
            found += [(path, label) for path in pictures]
    labels = np.array([label for _, label in found], np.int64)
    nobody = np.zeros((len(found), len(votes.COLUMNS)), np.float32)
    return Examples([path for path, _ in found], labels, nobody, unlabelled)


def find_rows(path: Path) -> Examples:
    """List the rows of a Parquet file: ``image``, ``emotion`` or ``label``, perhaps ``votes_*``.

    An image is encoded bytes, or Hugging Face's {"bytes", "path"}. A label is a word or a number:
    of the names in Hugging Face's metadata where there are any, else FER2013's. Raises DataError,
    LabelError or MissingExtra.
    """
    table = _read(path)
    present = set(table.column_names)
    column = "emotion" if "emotion" in present or "label" not in present else "label"
    if missing := {"image", column} - present:
        lacks = " and no ".join(sorted(missing))
        msg = f"{path} has no column {lacks}: it needs image and emotion (or label)"
        raise DataError(msg)
    names = _class_names(table.schema.metadata or {}, column)
    labels = _labels_of_rows(path, table[column].to_pylist(), names)
    kept = np.array([row for row, label in enumerate(labels) if label is not None], np.intp)
    pictures = [_encoded(cell) for cell in table["image"].to_pylist()]
    return Examples(
        [pictures[row] for row in kept],
        np.array([label for label in labels if label is not None], np.int64),
        votes.read(table, path)[kept],
        len(labels) - len(kept),
    )


def label(value: object, names: Sequence[str] = FER2013) -> int | None:
    """Return the index into LABELS that a word or number means; None where it names no emotion.

    Numbers count ``names`` from 0. Raises LabelError for what is neither.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    word = f"{value:g}" if isinstance(value, float) else str(value).strip()
    if word.isdecimal():
        if int(word) >= len(names):
            msg = f"there is no emotion {word}: numbers go from 0 to {len(names) - 1}"
            raise LabelError(msg)
        word = names[int(word)]
    return None if word.lower() in UNNAMED else LABELS.index(parse_emotion(word))


def _classes(root: Path) -> list[Path]:
    """Return the folders named by emotion, one level further down where there is one way only."""
    folders = _folders(root)
    if any(_names_emotion(folder) for folder in folders):
        return folders
    sets = [folder for folder in folders if any(map(_names_emotion, _folders(folder)))]
    if len(sets) > 1:
        names = ", ".join(folder.name for folder in sets)
        msg = f"{root} holds several sets ({names}): name one of them, such as {sets[0]}"
        raise DataError(msg)
    if sets:
        return _folders(sets[0])
    if not folders:
        msg = f"{root} has no folders named by emotion, such as {root / 'happy'}"
        raise DataError(msg)
    return folders


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not _hidden(path))


def _hidden(path: Path) -> bool:
    return path.name.startswith((".", "__"))  # .ipynb_checkpoints, __MACOSX


def _names_emotion(folder: Path) -> bool:
    try:
        _label_of_folder(folder)
    except LabelError:
        return False
    return True


def _label_of_folder(folder: Path) -> int | None:
    try:
        return label(re.sub(r"^\d+[ ._-]+(?=\D)", "", folder.name))
    except LabelError as error:
        msg = f"the folder {folder} names no emotion: {error}"
        raise LabelError(msg) from error


def _pictures(folder: Path) -> list[Path]:
    inside = [path for path in sorted(folder.iterdir()) if not _hidden(path)]
    files = [path for path in inside if path.suffix.lower() in SUFFIXES and path.is_file()]
    return files + [path for below in inside if below.is_dir() for path in _pictures(below)]


def _read(path: Path) -> Any:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra("tables", "a Parquet file") from error
    try:
        return pq.read_table(path)
    except (OSError, ValueError, NotImplementedError) as error:
        msg = f"{path} cannot be read as a Parquet file: {error}"
        raise DataError(msg) from error


def _class_names(metadata: Mapping[bytes, bytes], column: str) -> Sequence[str]:
    """Return what the numbers of a column mean: Hugging Face writes it down beside the table."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return [str(name) for name in features[column]["names"]]
    except (KeyError, TypeError, ValueError):
        return FER2013


def _labels_of_rows(path: Path, values: list[object], names: Sequence[str]) -> list[int | None]:
    labels = []
    for row, value in enumerate(values, start=1):
        try:
            labels.append(label(value, names))
        except LabelError as error:
            msg = f"{path}, row {row}: {error}"
            raise LabelError(msg) from error
    return labels


def _encoded(cell: object) -> bytes | None:
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    return data if isinstance(data, bytes) else None
