"""Measuring what ships on labelled data that it has not seen; the same code path as serving."""

from __future__ import annotations

from time import perf_counter, process_time
from typing import TYPE_CHECKING, Final

import numpy as np

from emotion_dj import artifacts
from emotion_dj.domain import Emotion
from emotion_dj.errors import DataError, ImageError
from emotion_dj.music.audio_model import TARGETS, AudioModel
from emotion_dj.music.mood_from_features import MOODS, MoodFromFeatures
from emotion_dj.original.face_recognition import FaceRecognition
from emotion_dj.training import emotion_examples, metrics, votes
from emotion_dj.training.mood import read_moods
from emotion_dj.training.music_data import read_emotify
from emotion_dj.training.music_fit import inputs, r_squared
from emotion_dj.training.placed import agreement
from emotion_dj.vision import images
from emotion_dj.vision.detectors import YuNet
from emotion_dj.vision.emotion import ARTIFACT, EmotionReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from emotion_dj.domain import Image
    from emotion_dj.json_types import JsonObject
    from emotion_dj.training.emotion_examples import Examples

    Report = Callable[[int, int], None]
    Crop = npt.NDArray[np.uint8]

CUT_OUT: Final = 100
"""A grey square no larger than this is taken for a face cut out already, as in FER2013; so is any
picture of this size in which no face is found."""


def evaluate_emotion(
    data: Path, report: Report = lambda _d, _t: None, *, model: Path | None = None
) -> JsonObject:
    """Return the figures of the face reader on a Parquet file or on folders named by emotion.

    Photographs go through detection and crop, faces that are cut out already do not (CUT_OUT);
    ``no_face``, ``damaged`` and ``unlabelled`` count what is left out. Where the table has FER+'s
    votes, ``votes`` says how the readings agree with what most people saw (`votes.report`); all
    other figures are about the labels. ``model`` is another reader than the one that ships: see
    `open_reader`. Raises DataError, LabelError, ArtifactError or
    MissingExtra.
    """
    reader = open_reader(model) if model else EmotionReader()
    examples = emotion_examples.find(data)
    counts = {"no_face": 0, "damaged": 0, "unlabelled": examples.unlabelled}
    probabilities, rows, times = [], [], []
    for done, pixels in _cut_faces(examples, reader, counts):
        began = perf_counter()
        reading = reader.read_crop(pixels)
        times.append(perf_counter() - began)
        probabilities.append([reading.probabilities[emotion] for emotion in Emotion])
        rows.append(done - 1)
        report(done, len(examples.labels))
    if not rows:
        msg = f"{data} holds no face that can be read"
        raise DataError(msg)
    names = [emotion.value for emotion in Emotion]
    readings, seen = np.array(probabilities), examples.votes[rows]
    figures = metrics.report(readings, examples.labels[rows], names)
    if seen.any():
        figures["votes"] = votes.report(readings, seen)
    return {**figures, **counts, "ms_per_face": round(1000 * float(np.median(times)), 3)}


def open_reader(model: Path) -> EmotionReader | FaceRecognition:
    """Open a face reader: the card of weights beside it, the original's JSON with its weights
    beside it, or the folder of a finished run. Raises ArtifactError, DataError or MissingExtra.
    """
    names = (f"{ARTIFACT}.json", f"{FaceRecognition.id}.json")
    if model.is_dir():
        found = [model / name for name in names if (model / name).is_file()]
        if not found:
            msg = f"{model} holds no trained reader: neither {' nor '.join(names)}"
            raise DataError(msg)
        return open_reader(found[0])
    if model.name == names[1]:
        return FaceRecognition(model, model.with_suffix(".weights.h5"))
    return EmotionReader(artifacts.load(model))


def evaluate_music(table: Path, audio: Path, report: Report = lambda _d, _t: None) -> JsonObject:
    """Return R2 and Pearson's r of the ear for each target on a table in Emotify's form.

    ``placed`` says how the places that sets use agree with listeners (`placed.agreement`),
    ``passed_over`` why a track could not be heard. Raises DataError, also where all tracks
    felt the same.
    """
    began = process_time()
    audio_model = AudioModel()
    corpus = read_emotify(table, audio, keep=audio_model.network, report=report)
    seconds = (process_time() - began) / len(corpus.files)
    predicted = audio_model.predict(inputs(corpus.vectors), np.array(corpus.sounds))
    truth = corpus.targets
    if not truth.std(0).all():
        msg = f"{table} cannot be measured on: listeners felt the same at all of its tracks"
        raise DataError(msg)
    pearson = {
        name: round(float(np.corrcoef(truth[:, i], predicted[:, i])[0, 1]), 4)
        for i, name in enumerate(TARGETS)
    }
    r2 = {name: round(value, 4) for name, value in r_squared(truth, predicted).items()}
    return {
        "n": len(truth),
        "r2": r2,
        "pearson": pearson,
        "placed": agreement(audio_model.places(predicted), corpus, audio_model.card["plane"]),
        "cpu_s_per_track": round(seconds, 3),
        "passed_over": list(corpus.passed_over),
    }


def evaluate_mood(table: Path) -> JsonObject:
    """Return our figures on a table of features with moods, which is taken to be one person's.

    ``left_out`` counts copies and tracks whose copies disagree. Raises DataError, LabelError or
    MissingExtra.
    """
    playlist = read_moods(table)
    probabilities = MoodFromFeatures().moods(playlist.features, together=True).astype(np.float64)
    figures = metrics.report(probabilities, playlist.labels, [mood.value for mood in MOODS])
    return {**figures, "left_out": playlist.left_out}


def _cut_faces(
    examples: Examples, reader: EmotionReader | FaceRecognition, counts: dict[str, int]
) -> Iterator[tuple[int, Crop]]:
    """Give (which one, from 1, and the face) of each picture that has one; count the others."""
    detector = YuNet()
    for done, picture in enumerate(examples.pictures, start=1):
        try:
            image, _ = images.reduced(picture or b"")
        except ImageError:
            counts["damaged"] += 1
            continue
        face = _face(image, reader, detector)
        if face is None:
            counts["no_face"] += 1
        else:
            yield done, face


def _face(image: Image, reader: EmotionReader | FaceRecognition, detector: YuNet) -> Crop | None:
    """Take a cut-out face whole; cut the largest one out of anything else; None without one."""
    height, width, _ = image.shape
    small = max(height, width) <= CUT_OUT
    if small and height == width and (image == image[:, :, :1]).all():
        return reader.whole(image)
    if faces := detector.detect(image):
        return reader.cut(image, faces[0].box)
    return reader.whole(image) if small else None
