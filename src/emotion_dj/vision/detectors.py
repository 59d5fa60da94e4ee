"""Where the faces are. Every detector fits `interfaces.FaceDetector`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image as Pillow

from emotion_dj.domain import Box, Face
from emotion_dj.errors import MissingExtra, SettingsError
from emotion_dj.vision import yunet
from emotion_dj.vision.yunet import MIN_SCORE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emotion_dj.domain import Image
    from emotion_dj.interfaces import FaceDetector

SIDES: Final = (320, 640, 1280)
"""Longest sides at which a photo is searched, coarse to fine: at 320 px faces are found from a
tenth of the picture on in 7 ms, at 1280 px from a hundredth on in 150 ms."""

FRAME: Final = 640
"""A picture no larger than this, such as a camera's, is searched finer only if nobody is found."""

SURER: Final = {640: 0.7, 1280: 0.75}
"""What a finer search adds must be surer: small real faces score 0.78 and more, while the finer the
search, the more textures look like faces. At 640 px MIN_SCORE is enough where nobody is known."""

_FINER_SIDE: Final = 10
"""Narrower faces of a finer search, in its pixels, are not believed: gratings and rows of pins look
so to YuNet; a real one is wider in the next search."""

_WORTH: Final = 1.5
"""How much finer the picture itself must be for another search once somebody is found."""

_SAME: Final = 0.5
"""Two boxes are of one face if they share more than this much of the smaller one."""


class YuNet:
    """YuNet (Wu et al. 2023), weights of libfacedetection; may be shared between threads."""

    def __init__(self) -> None:
        """Load the network that ships. Raises ArtifactError or MissingRuntime."""
        self._network = yunet.Network()

    def detect(self, image: Image) -> list[Face]:
        """Return every face, largest first, with five landmarks: eyes, nose, corners of the mouth.

        Right comes before left, as the person in the picture says it.
        """
        return _every_size(image, self._network.search)


class Haar:
    """The Viola-Jones cascade of the original system, through OpenCV < 5, extra ``opencv``."""

    def __init__(self) -> None:
        """Load OpenCV and the cascade that it ships. Raises MissingExtra."""
        try:
            import cv2  # noqa: PLC0415 - optional and large

            cascade = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
            self._cascade = cv2.CascadeClassifier(str(cascade))
        except (ImportError, AttributeError) as error:
            raise MissingExtra("opencv", "the detector haar") from error

    def detect(self, image: Image) -> list[Face]:
        """Return the faces, largest first; the cascade gives no score, so 1 is said.

        Small ones beside large ones are not looked for: finer, it sees faces in every texture.
        """

        def search(small: Image) -> list[Face]:
            grey = np.asarray(Pillow.fromarray(small).convert("L"))
            found = self._cascade.detectMultiScale(grey, scaleFactor=1.2, minNeighbors=5)
            return [Face(Box(*map(float, row)), 1.0) for row in found]

        return _first_found(image, search)


DETECTORS: Final[Mapping[str, Callable[[], FaceDetector]]] = {
    "yunet": YuNet,
    "haar": Haar,
}


def make(name: str) -> FaceDetector:
    """Return the detector of that name. Raises SettingsError, MissingExtra or ArtifactError."""
    if name not in DETECTORS:
        msg = f"unknown detector '{name}': choose {', '.join(DETECTORS)}"
        raise SettingsError(msg)
    return DETECTORS[name]()


def _every_size(image: Image, search: Callable[[Image], list[Face]]) -> list[Face]:
    """Search ever larger copies and gather what they show; boxes are those of the image."""
    faces: list[Face] = []
    largest, whole = _shrink(image, SIDES[-1])  # once: to shrink twelve megapixels takes a while
    for side in SIDES:
        small, part = _shrink(largest, side)
        factor = part * whole
        narrowest, surest = _bar(side, known=bool(faces))
        found = [face for face in search(small) if face.score >= surest and face.box.w > narrowest]
        faces = _merged(faces, [face.scaled(factor) for face in found])
        if factor <= (_WORTH if faces else 1) or (faces and max(image.shape) <= FRAME):
            break
    return _largest_first(faces)


def _first_found(image: Image, search: Callable[[Image], list[Face]]) -> list[Face]:
    """Search a small copy first, a larger one only if nobody is found."""
    for side in SIDES[:2]:
        small, factor = _shrink(image, side)
        found = [face for face in search(small) if face.score >= MIN_SCORE and face.box.w > 0]
        if found or factor == 1:
            break
    return _largest_first([face.scaled(factor) for face in found])


def _bar(side: int, *, known: bool) -> tuple[float, float]:
    """Return how wide and how sure a face must be to be believed in a search at this side."""
    narrowest = 0 if side == SIDES[0] else _FINER_SIDE
    lenient = side == SIDES[0] or (side == SIDES[1] and not known)
    return narrowest, MIN_SCORE if lenient else SURER[side]


def _merged(faces: list[Face], finer: list[Face]) -> list[Face]:
    """Add the faces that are new; one that was seen already keeps the surer of its two boxes."""
    merged = list(faces)
    for face in finer:
        rivals = [i for i, known in enumerate(faces) if _shared(known.box, face.box) > _SAME]
        if not rivals:
            merged.append(face)
        elif len(rivals) == 1 and _alike(faces[rivals[0]], face):
            merged[rivals[0]] = max(faces[rivals[0]], face, key=lambda one: one.score)
    return merged


def _shared(a: Box, b: Box) -> float:
    """Return how much of the smaller box lies in the other, 0 to 1."""
    width = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    height = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    return max(0, width) * max(0, height) / max(1e-9, min(a.w * a.h, b.w * b.h))


def _alike(a: Face, b: Face) -> bool:
    """Say whether two boxes are of about one size: an eye is no other view of its face."""
    return max(a.box.w, b.box.w) < 2 * min(a.box.w, b.box.w)


def _largest_first(faces: list[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: face.box.w * face.box.h, reverse=True)


def _shrink(image: Image, side: int) -> tuple[Image, float]:
    height, width, _ = image.shape
    factor = max(height, width) / side
    if factor <= 1:
        return np.ascontiguousarray(image), 1.0
    size = max(1, round(width / factor)), max(1, round(height / factor))
    # draft-like reducing_gap: a quick whole-number reduction before the smooth one
    small = Pillow.fromarray(image).resize(size, Pillow.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small), factor
