"""Where the faces are. Every detector fits `interfaces.FaceDetector`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image as Pillow

from emotion_dj.domain import Box, Face
from emotion_dj.errors import MissingExtra, SettingsError
from emotion_dj.vision import search, yunet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emotion_dj.domain import Image
    from emotion_dj.interfaces import FaceDetector


class YuNet:
    """YuNet (Wu et al. 2023), weights of libfacedetection; may be shared between threads."""

    def __init__(self) -> None:
        """Load the network that ships. Raises ArtifactError or MissingRuntime."""
        self._search = partial(yunet.Network().search, least=search.HINT)

    def detect(self, image: Image) -> list[Face]:
        """Return every face, largest first, with five landmarks: eyes, nose, corners of the mouth.

        Right comes before left, as the person in the picture says it. A face that is turned, as in
        a photo that lies on its side, says by how much.
        """
        return search.at_any_turn(image, self._search)


class Haar:
    """The Viola-Jones cascade of the original system, through OpenCV < 5, extra ``opencv``."""

    def __init__(self) -> None:
        """Load OpenCV and the cascade that it ships. Raises MissingExtra."""
        try:
            import cv2

            cascade = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
            self._cascade = cv2.CascadeClassifier(str(cascade))
        except (ImportError, AttributeError) as error:
            raise MissingExtra("opencv", "the detector haar") from error

    def detect(self, image: Image) -> list[Face]:
        """Return the faces, largest first; the cascade gives no score, so 1 is said.

        Small ones beside large ones are not looked for: finer, it sees faces in every texture.
        """
        for side in search.SIDES[:2]:
            if faces := search.at_one_size(image, self._search, side):
                return faces
        return []

    def _search(self, image: Image) -> list[Face]:
        grey = np.asarray(Pillow.fromarray(image).convert("L"))
        boxes = self._cascade.detectMultiScale(grey, scaleFactor=1.2, minNeighbors=5)
        return [Face(Box(*map(float, box)), 1.0) for box in boxes]


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
