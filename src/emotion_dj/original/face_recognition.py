"""The original system's face reader: a Keras network on OpenCV's Haar cascade.

It is kept so that what was built on it goes on working, and as the baseline that ours is measured
against. `emotion-dj train emotion --recipe original` makes its two files. Extras ``opencv`` and
``train``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from emotion_dj.domain import Emotion, Reading
from emotion_dj.errors import DataError, MissingExtra

if TYPE_CHECKING:
    from emotion_dj.domain import Box, Image

    Grey = npt.NDArray[np.uint8]

SIDE: Final = 48
LABELS: Final = tuple(emotion.value for emotion in Emotion)
"""In the order of the alphabet, as its label encoder numbered them."""


class FaceRecognition:
    """The original's class: the network's architecture in JSON, its weights in HDF5."""

    id = "emotiondetector"

    def __init__(self, json_file_path: str | Path, weights_file_path: str | Path) -> None:
        """Load the network. Raises FileNotFoundError, DataError or MissingExtra."""
        for path in (json_file_path, weights_file_path):
            if not Path(path).is_file():
                msg = f"{path} is missing: make it with  emotion-dj train emotion --recipe original"
                raise FileNotFoundError(msg)
        keras = load_keras()
        try:
            self.model = keras.models.model_from_json(Path(json_file_path).read_text("utf-8"))
            self.model.load_weights(weights_file_path)
        except (ValueError, OSError, KeyError, TypeError) as error:
            msg = f"{json_file_path} and {weights_file_path} do not fit together: {error}"
            raise DataError(msg) from error
        self._cascade: Any = None

    def extract_features(self, image: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return a grey 48x48 face as the network takes it: (1, 48, 48, 1), divided by 255."""
        return np.asarray(image, np.float32).reshape(1, SIDE, SIDE, 1) / np.float32(255)

    def recognize_emotion(self, gray_frame: Grey) -> list[tuple[tuple[int, int, int, int], str]]:
        """Return the box (x, y, w, h) and the emotion of every face in a grey uint8 (h, w) frame.

        An empty list where there is none. Raises MissingExtra.
        """
        found = self._faces(gray_frame)
        return [(box, self._label(gray_frame, box)) for box in found]

    def read_crop(self, pixels: Grey) -> Reading:
        """Read one face that is cut out already: grey uint8 (48, 48); not calibrated."""
        (probabilities,) = (
            self.model(self.extract_features(pixels), training=False).detach().numpy()
        )
        return Reading(dict(zip(Emotion, map(float, probabilities), strict=True)), model=self.id)

    def cut(self, image: Image, box: Box) -> Grey:
        """Cut out the very box, as the original does: grey uint8 (48, 48)."""
        x, y = max(0, round(box.x)), max(0, round(box.y))
        part = image[y : round(box.y + box.h), x : round(box.x + box.w)]
        return self.whole(part)

    def whole(self, image: Image) -> Grey:
        """Take a whole picture for a face: grey uint8 (48, 48)."""
        return np.asarray(Pillow.fromarray(image).convert("L").resize((SIDE, SIDE)))

    def _faces(self, frame: Grey) -> list[tuple[int, int, int, int]]:
        if self._cascade is None:
            self._cascade = _cascade()
        found = self._cascade.detectMultiScale(frame, 1.3, 5)
        return [cast("tuple[int, int, int, int]", tuple(map(int, box))) for box in found]

    def _label(self, frame: Grey, box: tuple[int, int, int, int]) -> str:
        x, y, w, h = box
        face = Pillow.fromarray(frame[y : y + h, x : x + w]).resize((SIDE, SIDE))
        return self.read_crop(np.asarray(face)).emotion.value


def load_keras() -> Any:
    """Return Keras on its torch backend, where the original's files mean the same as on TensorFlow.

    Raises MissingExtra.
    """
    os.environ.setdefault("KERAS_BACKEND", "torch")
    try:
        import keras
    except ImportError as error:
        raise MissingExtra("train", "the original's network") from error
    return keras


def _cascade() -> Any:
    try:
        import cv2

        name = "haarcascade_frontalface_default.xml"
        return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / name))
    except (ImportError, AttributeError) as error:
        raise MissingExtra("opencv", "the original's detector") from error
