"""The resting face: readings that are a person's own."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow

from emotion_dj.app import EmotionDJ
from emotion_dj.domain import Emotion, Reading
from emotion_dj.errors import RestingError
from emotion_dj.vision import images, resting
from emotion_dj.vision.detectors import YuNet
from emotion_dj.vision.emotion import EmotionReader

if TYPE_CHECKING:
    from pathlib import Path


def shares(**named: float) -> dict[Emotion, float]:
    """Return seven probabilities: those that are named, and the rest spread over the others."""
    rest = (1 - sum(named.values())) / (len(Emotion) - len(named))
    return {emotion: named.get(emotion.value, rest) for emotion in Emotion}


def test_a_calm_face_that_looks_sad_is_calm_beside_itself() -> None:
    """A person whose calm face is read as sad: the same face again is neutral."""
    own = shares(sad=0.6, neutral=0.3)
    reading = resting.relative(Reading(own, "m"), own, abstain_below=0.3)
    assert reading.emotion is Emotion.NEUTRAL
    assert not reading.abstained
    assert sum(reading.probabilities.values()) == pytest.approx(1)


def test_a_clear_smile_stays_one_whatever_the_resting_face() -> None:
    """Calm, sad or angry at rest: a smile of 0.95 is no less one."""
    smile = Reading(shares(happy=0.95), "m")
    for own in (shares(neutral=0.9), shares(sad=0.8), shares(angry=0.7, neutral=0.2)):
        read = resting.relative(smile, own, abstain_below=0.4)
        assert (read.emotion, read.abstained) == (Emotion.HAPPY, False)


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        (shares(happy=0.8), "smiles"),
        ({**shares(neutral=0.9), Emotion.SAD: 0.5}, "sum to 1"),
        ({Emotion.NEUTRAL: 1.0}, "each of the seven"),
        ({**shares(neutral=0.9), Emotion.SAD: -0.1}, "each of the seven"),
    ],
)
def test_what_is_no_resting_face_is_said(own: dict[Emotion, float], sentence: str) -> None:
    """A smile, a sum off 1, a missing emotion, a negative one."""
    with pytest.raises(RestingError, match=sentence):
        resting.check(own)


def test_a_picture_of_a_smile_or_of_two_is_no_resting_face(smiling_photo: Path) -> None:
    """One says to be calm, the other that one person is wanted."""
    dj = EmotionDJ()
    with pytest.raises(RestingError, match="calm face"):
        dj.resting(smiling_photo)
    photo = images.load(smiling_photo)
    with pytest.raises(RestingError, match="one person"):
        dj.resting(np.hstack([photo, photo]))


def _jaffe(shared: Path) -> tuple[np.ndarray, list[dict[Emotion, float]], np.ndarray]:
    """Return persons, readings and emotions of the posed faces of four people."""
    from pyarrow import parquet

    reader, detector = EmotionReader(), YuNet()
    rows: list[dict[str, Any]] = parquet.read_table(
        shared / "data" / "faces" / "jaffe-4.parquet"
    ).to_pylist()
    readings = []
    for row in rows:
        with Pillow.open(BytesIO(row["image"])) as picture:
            image = np.asarray(picture.convert("RGB"))
        readings.append(dict(reader.read(image, detector.detect(image)[:1])[0].probabilities))
    persons = np.array([row["person"] for row in rows])
    return persons, readings, np.array([Emotion(row["emotion"]) for row in rows])


@pytest.mark.needs_shared
def test_it_is_worth_eight_points_on_posed_faces(shared: Path) -> None:
    """Each neutral picture in turn is its person's resting face for all their other pictures."""
    persons, readings, emotions = _jaffe(shared)
    right = before = count = 0
    for calm in np.flatnonzero(emotions == Emotion.NEUTRAL):
        for other in np.flatnonzero(persons == persons[calm]):
            if other == calm or readings[calm][Emotion.HAPPY] > resting.SMILE:
                continue
            reading = Reading(readings[other], "m")
            own = resting.relative(reading, readings[calm], abstain_below=0)
            right += own.emotion == emotions[other]
            before += reading.emotion == emotions[other]
            count += 1
    assert right / count >= before / count + 0.08


@pytest.mark.needs_shared
def test_it_does_no_harm_to_clear_smiles(shared: Path) -> None:
    """Clear smiles of the public test beside calm faces of others: hardly any loses its name."""
    from pyarrow import parquet

    reader = EmotionReader()
    rows = parquet.read_table(shared / "data" / "faces" / "fer2013-public.parquet").to_pylist()

    def read(emotion: str, most: int) -> list[Reading]:
        pictures = [row["image"] for row in rows if row["emotion"] == emotion][:most]
        return [reader.read_crop(reader.whole(images.load(picture))) for picture in pictures]

    smiles = [r for r in read("happy", 200) if r.probabilities[Emotion.HAPPY] > 0.9]
    calm = [r for r in read("neutral", 40) if r.probabilities[Emotion.HAPPY] <= resting.SMILE]
    kept = [
        resting.relative(smile, own.probabilities, abstain_below=0.4)
        for smile in smiles
        for own in calm
    ]
    named = [r.emotion is Emotion.HAPPY and not r.abstained for r in kept]
    assert np.mean(named) > 0.995
