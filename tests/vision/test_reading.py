"""Finding and reading faces in real photographs."""

from __future__ import annotations

import json
import threading
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow

from emotion_dj import artifacts
from emotion_dj.app import EmotionDJ
from emotion_dj.artifacts import Artifact
from emotion_dj.dj import SMALL
from emotion_dj.domain import Box, Emotion
from emotion_dj.errors import ArtifactError, SettingsError
from emotion_dj.vision import annotate, detectors, images
from emotion_dj.vision.emotion import Contract, EmotionReader, crop, prepare

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.domain import Face, Image


@pytest.fixture(scope="module")
def reader() -> EmotionReader:
    """Return the reader that ships."""
    return EmotionReader()


@pytest.fixture(scope="module")
def portrait(smiling_photo: Path) -> Image:
    """Return a photograph of one smiling face."""
    return images.load(smiling_photo)


def test_a_smile_is_read_as_happy(reader: EmotionReader, portrait: Image) -> None:
    """The smiling portrait has one face, and it looks happy."""
    faces = detectors.YuNet().detect(portrait)
    (reading,) = reader.read(portrait, faces)
    assert reading.emotion is Emotion.HAPPY
    assert not reading.abstained
    assert sum(reading.probabilities.values()) == pytest.approx(1)


def test_faces_come_largest_first(portrait: Image) -> None:
    """Of a near and a far face the near one comes first, both in pixels of the photo."""
    small = portrait[:300:2, 60:360:2]
    canvas = np.full((512, 900, 3), 128, np.uint8)
    canvas[:150, 700:850] = small
    canvas[:, :512] = portrait
    near, far = detectors.YuNet().detect(canvas)
    assert near.box.x < 512 < far.box.x
    assert near.box.w > far.box.w


@pytest.mark.parametrize(("width", "halved"), [(1500, True), (200, False)])
def test_a_large_photo_is_read_as_well_as_in_full(
    portrait: Image, width: int, *, halved: bool
) -> None:
    """Of a JPEG of twelve megapixels a quarter of the pixels finds and reads a large face; a small
    one is read from all of them.
    """
    paper = Pillow.new("RGB", (4000, 3000), "grey")
    paper.paste(Pillow.fromarray(portrait).resize((2 * width, 2 * width)), (300, 0))
    file = BytesIO()
    paper.save(file, "JPEG", quality=92)
    dj, full = EmotionDJ(), images.load(file.getvalue())
    (image, factor), whole = images.in_two_sizes(file.getvalue(), 1280)
    assert (image.shape, factor, whole()[1]) == ((1500, 2000, 3), 2, 1)
    seen, expected = dj.read(file.getvalue()), dj.read(full)
    assert (seen.faces[0].box.w / 2 > SMALL) is halved
    assert tuple(seen.faces[0].box) == pytest.approx(tuple(expected.faces[0].box), abs=0.02 * width)
    shares = expected.readings[0].probabilities
    assert seen.readings[0].probabilities == pytest.approx(shares, abs=0.03)


def centres(faces: list[Face]) -> set[tuple[int, int]]:
    """Return where the faces are, to the nearest hundred pixels."""
    return {(round(f.box.x + f.box.w / 2, -2), round(f.box.y + f.box.h / 2, -2)) for f in faces}


def test_small_faces_beside_a_large_one_are_found(portrait: Image) -> None:
    """A selfie of 12 megapixels with six people far behind: seven faces, each of them once."""
    canvas = np.full((3000, 4000, 3), 128, np.uint8)
    near = Pillow.fromarray(portrait).resize((3000, 3000))
    canvas[:, :3000] = np.asarray(near)
    far = np.asarray(Pillow.fromarray(portrait).resize((430, 430)))
    for row in range(6):
        canvas[20 + 490 * row : 450 + 490 * row, 3300:3730] = far
    faces = detectors.YuNet().detect(canvas)
    assert len(faces) == len(centres(faces)) == 7
    assert faces[0].box.x < 3000 < min(face.box.x for face in faces[1:])


def test_boxes_are_in_pixels_of_the_photo_however_it_was_decoded(portrait: Image) -> None:
    """A JPEG of 24 megapixels: the face lies where it lies in the photo, with its landmarks."""
    canvas = Pillow.new("RGB", (6000, 4000), "grey")
    canvas.paste(Pillow.fromarray(portrait).resize((2048, 2048)), (3000, 1000))
    with BytesIO() as file:
        canvas.save(file, "JPEG")
        (face,) = EmotionDJ().read(file.getvalue()).faces
    (alone,) = detectors.YuNet().detect(portrait)
    assert face.box == pytest.approx(
        (3000 + 4 * alone.box.x, 1000 + 4 * alone.box.y, 4 * alone.box.w, 4 * alone.box.h), abs=40
    )
    assert face.landmarks is not None
    assert all(3000 < x < 5048 and 1000 < y < 3048 for x, y in face.landmarks)


def test_everyone_in_a_crowd_is_found(portrait: Image) -> None:
    """Eighty faces of 25 pixels in a picture of two thousand."""
    small = np.asarray(Pillow.fromarray(portrait).resize((140, 140)))
    canvas = np.full((1500, 2000, 3), 128, np.uint8)
    for k in range(80):
        x, y = 200 * (k % 10), 180 * (k // 10)
        canvas[y : y + 140, x : x + 140] = small
    assert len(detectors.YuNet().detect(canvas)) == 80


def test_the_surer_box_of_a_face_is_kept(portrait: Image) -> None:
    """A face that two searches found is framed as well as in a picture cut to it."""
    canvas = np.full((2000, 2000, 3), 128, np.uint8)
    canvas[800:1312, 800:1312] = portrait
    (here,) = detectors.YuNet().detect(canvas)
    (alone,) = detectors.YuNet().detect(portrait)
    assert abs(here.box.x - 800 - alone.box.x) < 8
    assert abs(here.box.w - alone.box.w) < 12


@pytest.mark.parametrize(
    "name", ["retina.jpg", "hubble_deep_field.jpg", "brick.png", "grass.png", "gravel.png"]
)
def test_no_search_sees_faces_in_textures(smiling_photo: Path, name: str) -> None:
    """Real photographs without a person, at their own size and as a poster: nobody is found."""
    texture = images.load(smiling_photo.parent / name)
    assert detectors.YuNet().detect(texture) == []
    tiles = np.tile(texture, (2, 3, 1))
    assert detectors.YuNet().detect(tiles) == []


def test_nobody_is_found_where_nobody_is(portrait: Image) -> None:
    """A landscape of noise and an empty wall hold no face."""
    noise = np.random.default_rng(0).integers(0, 255, (400, 600, 3), dtype=np.uint8)
    assert detectors.YuNet().detect(noise) == []
    assert detectors.YuNet().detect(np.full_like(portrait, 200)) == []
    assert detectors.YuNet().detect(np.zeros((1, 1, 3), np.uint8)) == []


def test_all_detectors_agree_on_a_plain_portrait(portrait: Image) -> None:
    """YuNet and Haar find the same face, within half its size."""
    boxes = [detectors.make(name).detect(portrait)[0].box for name in detectors.DETECTORS]
    centres = np.array([(box.x + box.w / 2, box.y + box.h / 2) for box in boxes])
    assert np.abs(centres - centres.mean(axis=0)).max() < boxes[0].w / 2


def test_an_unknown_detector_is_refused() -> None:
    """A detector in no table gets a sentence that names the known ones."""
    with pytest.raises(SettingsError, match="choose yunet, haar"):
        detectors.make("magic")


@pytest.mark.parametrize(
    "box", [Box(-40, -40, 60, 60), Box(490, 490, 60, 60), Box(0, 0, 0, 0), Box(-500, 0, 9, 9)]
)
def test_crops_at_the_edge_have_the_full_size(
    reader: EmotionReader, portrait: Image, box: Box
) -> None:
    """A face half outside the photo, or of no size, still gives a whole crop."""
    assert crop(portrait, box, reader.contract).shape == (48, 48)


def test_the_crop_is_the_square_of_the_contract(reader: EmotionReader) -> None:
    """The crop is centred on the box and as wide as the card says."""
    image = np.zeros((200, 200, 3), np.uint8)
    half = reader.contract.crop * 40 / 2
    image[round(100 - half) : round(100 + half), round(100 - half) : round(100 + half)] = 255
    assert crop(image, Box(80, 80, 40, 40), reader.contract).mean() > 240
    assert crop(image, Box(80, 80, 48, 48), reader.contract).mean() < 240


def test_light_and_contrast_hardly_change_what_is_read(
    reader: EmotionReader, portrait: Image
) -> None:
    """A photo at half the contrast and another brightness has the same prepared face."""
    face = detectors.YuNet().detect(portrait)[0]
    pixels = crop(portrait, face.box, reader.contract)
    dim = (pixels // 2 + 60).astype(np.uint8)
    epsilon = reader.contract.epsilon
    assert np.abs(prepare(pixels, epsilon) - prepare(dim, epsilon)).mean() < 0.05


def test_a_flat_crop_is_read_without_a_fault(reader: EmotionReader) -> None:
    """A crop of one grey value gives probabilities, not numbers that are none."""
    reading = reader.read_crop(np.full((48, 48), 7, np.uint8))
    assert sum(reading.probabilities.values()) == pytest.approx(1)


def test_threads_may_share_a_reader(reader: EmotionReader, portrait: Image) -> None:
    """Many threads that read with one reader get what a single one gets."""
    faces = detectors.YuNet().detect(portrait)
    expected = reader.read(portrait, faces)
    results: list[object] = []
    threads = [
        threading.Thread(target=lambda: results.append(reader.read(portrait, faces)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 8


def test_the_card_fits_the_weights() -> None:
    """The packaged card names our seven emotions and the exact file beside it."""
    artifact = artifacts.packaged("face-6")
    assert artifact.card["labels"] == [emotion.value for emotion in Emotion]
    assert artifact.card["bytes"] == artifact.path.stat().st_size < 2_100_000


def test_a_card_of_something_else_is_refused(tmp_path: Path) -> None:
    """Other labels, a missing part, or an input of another size: refused at load, not guessed."""
    artifact = artifacts.packaged("face-6")
    with pytest.raises(ArtifactError, match="other labels"):
        Contract.of({**artifact.card, "labels": ["happy", "sad"]})
    with pytest.raises(ArtifactError, match="calibration"):
        Contract.of({k: v for k, v in artifact.card.items() if k != "calibration"})
    with pytest.raises(ArtifactError, match="do not fit their card"):
        EmotionReader(Artifact(artifact.path, {**artifact.card, "input": {"side": 64}}))
    (tmp_path / "face.json").write_text(json.dumps({**artifact.card, "sha256": "0" * 64}))
    (tmp_path / artifact.path.name).write_bytes(artifact.path.read_bytes())
    with pytest.raises(ArtifactError, match="damaged or was replaced"):
        artifacts.load(tmp_path / "face.json")


def test_annotated_photos_are_written(
    reader: EmotionReader, portrait: Image, tmp_path: Path
) -> None:
    """The framed photo has the size of the original and differs from it."""
    faces = detectors.YuNet().detect(portrait)
    from emotion_dj.affect import aggregate
    from emotion_dj.domain import PhotoAnalysis

    readings = reader.read(portrait, faces)
    look = PhotoAnalysis(tuple(faces), tuple(readings), aggregate(faces, readings))
    annotate.save(portrait, look, tmp_path / "framed.png")
    framed = images.load(tmp_path / "framed.png")
    assert framed.shape == portrait.shape
    assert (framed != portrait).any()


def test_labels_stand_in_the_picture_and_apart() -> None:
    """In a crowd whose faces touch each other and the border, every label can be read."""
    frames = [(x, y, x + 40.0, y + 50.0) for y in (-5.0, 48.0, 110.0) for x in range(0, 400, 44)]
    labels: list[tuple[float, float, float, float]] = []
    for frame in frames:
        labels.append(annotate.placed(frame, (90.0, 12.0), (430, 330), frames, labels))
    for number, (left, top, right, bottom) in enumerate(labels):
        assert min(left, top) >= 0
        assert (right <= 430, bottom <= 330) == (True, True)
        for other in labels[:number]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
