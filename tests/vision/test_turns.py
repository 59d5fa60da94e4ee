"""Faces at any turn, everybody who is there and nobody else, and what cannot be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow

from emotion_dj.app import EmotionDJ
from emotion_dj.domain import Emotion, Face, Reading, Reason
from emotion_dj.vision import images, search, visibility
from emotion_dj.vision.detectors import YuNet

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.domain import Image


@pytest.fixture(scope="module")
def dj() -> EmotionDJ:
    """Return the product with its models."""
    return EmotionDJ()


@pytest.fixture(scope="module")
def portrait(smiling_photo: Path) -> Image:
    """Return a photograph of one smiling face."""
    return images.load(smiling_photo)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 30, 330])
def test_a_turned_photo_is_read_like_the_upright_one(
    dj: EmotionDJ, portrait: Image, degrees: int
) -> None:
    """However the photo lies: the same emotion, the box where the face is, and how it is turned."""
    (upright,) = dj.read(portrait).readings
    lying = search.turn_image(portrait, degrees)
    analysis = dj.read(search.turn_image(portrait, degrees))
    (face,), (reading,) = analysis.faces, analysis.readings
    if degrees % 90 == 0:
        assert face.turned == -degrees % 360
    assert reading.emotion is upright.emotion
    assert not reading.abstained
    again = search.turn_image(lying, face.turned)
    assert YuNet().detect(again)[0].score >= face.score - 0.05
    assert face.landmarks is not None
    x, y, w, h = face.box
    assert all(x - 9 < px < x + w + 9 and y - 9 < py < y + h + 9 for px, py in face.landmarks)


@pytest.mark.needs_shared
def test_one_portrait_three_ways(dj: EmotionDJ, shared: Path) -> None:
    """Turned without a word in its metadata, a portrait has one reading."""
    readings = [
        dj.read(shared / "cases" / "faces" / f"official-{turn}.jpg").readings[0].probabilities
        for turn in (0, 90, 180)
    ]
    for reading in readings[1:]:
        assert reading == pytest.approx(readings[0], abs=0.02)


@pytest.mark.needs_shared
def test_the_people_of_solvay(shared: Path) -> None:
    """Twenty-nine sat for the picture, and twenty-nine are found."""
    photo = images.load(shared / "cases" / "faces" / "solvay1927.jpg")
    assert len(YuNet().detect(photo)) == 29


@pytest.mark.needs_shared
def test_a_panorama_is_searched_in_parts(dj: EmotionDJ, shared: Path) -> None:
    """One small face in 8000 x 200 pixels, and it is happy."""
    analysis = dj.read(shared / "cases" / "faces" / "panorama-8000x200.jpg")
    assert [reading.emotion for reading in analysis.readings] == [Emotion.HAPPY]


@pytest.mark.needs_shared
def test_a_toy_is_not_named(dj: EmotionDJ, shared: Path) -> None:
    """What scores too little to be believed abstains and says why."""
    (reading,) = dj.read(shared / "cases" / "faces" / "tiger.png").readings
    assert reading.abstained
    assert Reason("low_score") in reading.reasons


def test_a_selfie_of_seven_in_a_small_picture(portrait: Image) -> None:
    """640 pixels with one near face and six of 20 pixels: all seven are found."""
    canvas = np.full((480, 640, 3), 128, np.uint8)
    canvas[:, :480] = np.asarray(Pillow.fromarray(portrait).resize((480, 480)))
    far = np.asarray(Pillow.fromarray(portrait).resize((76, 76)))
    for row in range(6):
        canvas[80 * row : 80 * row + 76, 550:626] = far
    assert len(YuNet().detect(canvas)) == 7


def test_a_face_that_is_cut_off_is_less_certain(dj: EmotionDJ, portrait: Image) -> None:
    """The same smile with the picture ending at the lower lip: the code says so."""
    (face,) = YuNet().detect(portrait)
    assert face.landmarks is not None
    end = round(face.landmarks[3][1]) + 4
    whole = dj.read(portrait)
    cut = dj.read(np.ascontiguousarray(portrait[:end]))
    assert Reason("cut_off") in cut.readings[0].reasons
    assert cut.affect.uncertainty > whole.affect.uncertainty
    assert whole.readings[0].reasons == ()


def test_a_hidden_mouth_abstains_and_keeps_its_likeliest_emotion(portrait: Image) -> None:
    """What the network says of hidden parts makes a reading uncertain; the label stays."""
    (face,) = YuNet().detect(portrait)
    likely = {e: 0.94 if e is Emotion.HAPPY else 0.01 for e in Emotion}
    reading = Reading(likely, "m", reasons=(Reason("mouth_hidden"),))
    judged = visibility.judged(reading, face, portrait.shape, 0.4)
    assert (judged.emotion, judged.abstained) == (Emotion.HAPPY, True)
    assert sum(judged.probabilities.values()) == pytest.approx(1)
    assert judged.probabilities[Emotion.HAPPY] < 0.5


def test_doubtful_detections_count_less(portrait: Image) -> None:
    """The lower the score, the less certain the reading; a sure one is untouched."""
    (face,) = YuNet().detect(portrait)
    likely = {e: 0.94 if e is Emotion.HAPPY else 0.01 for e in Emotion}
    tops = [
        visibility.judged(
            Reading(likely, "m"), Face(face.box, score), portrait.shape, 0.4
        ).probabilities[Emotion.HAPPY]
        for score in (0.95, 0.84, 0.7)
    ]
    assert tops[0] == pytest.approx(0.94)
    assert tops[0] > tops[1] > tops[2]


def test_a_plain_mask_hides_the_mouth(dj: EmotionDJ, portrait: Image) -> None:
    """A mask drawn over the smile: the code says so and nothing is named; bare it is a smile."""
    from PIL import ImageDraw

    (face,) = YuNet().detect(portrait)
    assert face.landmarks is not None
    x, y, w, h = face.box
    picture = Pillow.fromarray(portrait)
    nose = face.landmarks[2][1]
    corners = [(x - 0.1 * w, nose), (x + 1.1 * w, nose), (x + 0.8 * w, y + 1.15 * h)]
    corners += [(x + 0.2 * w, y + 1.15 * h)]
    ImageDraw.Draw(picture).polygon(corners, fill=(150, 190, 215))
    for reading in dj.read(picture).readings[:1]:
        assert reading.abstained
        assert reading.reasons
