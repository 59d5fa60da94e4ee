"""One search for faces with our copy of YuNet: pixels -> boxes, scores and landmarks.

The network (Wu et al. 2023) says for each place of three grids, 8, 16 and 32 pixels apart, whether
a face is there and where its box and five landmarks are; `scripts/detector_weights.py` wrote it.
"""

from __future__ import annotations

import threading
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj import artifacts
from emotion_dj.domain import Box, Face
from emotion_dj.vision import runtime
from emotion_dj.vision.search import MIN_SCORE

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.domain import Image

    Floats = npt.NDArray[np.float32]

ARTIFACT: Final = artifacts.FACE_DETECTOR
STRIDES: Final = (8, 16, 32)

MULTIPLE: Final = 32
"""Of the sides of the network's input; the picture stands in its upper left corner."""

OVERLAP: Final = 0.45
"""Of two boxes that share more than this much of their union the surer one is kept."""

_READY: Final = 1280**2 + 640**2 + 320**2
"""Pixels of all sizes that are kept ready together: what one photo needs at most, about 250 MB."""


class Network:
    """The network for pictures of any size; may be shared between threads."""

    def __init__(self) -> None:
        """Check the weights against their card. Raises ArtifactError or MissingRuntime."""
        self._weights = artifacts.packaged(ARTIFACT).path
        self._ready: dict[tuple[int, int], _Sized] = {}
        self._lock = threading.Lock()
        self._of_size(MULTIPLE, MULTIPLE)

    def search(self, image: Image, least: float = MIN_SCORE) -> list[Face]:
        """Return the faces of this score and more, the surest first, each of them once."""
        height, width, _ = image.shape
        rows, columns = (MULTIPLE * -(-side // MULTIPLE) for side in (height, width))
        outputs = self._of_size(rows, columns)(image)
        found = [_decoded(out, stride, least) for out, stride in zip(outputs, STRIDES, strict=True)]
        return [_face(row) for row in _distinct(np.concatenate(found))]

    def _of_size(self, rows: int, columns: int) -> _Sized:
        """Return the interpreter for these rows and columns; the longest unused ones make room."""
        with self._lock:
            key = rows, columns
            sized = self._ready.pop(key, None) or _Sized(self._weights, rows, columns)
            self._ready[key] = sized  # the newest stand last
            while len(self._ready) > 1 and sum(map(prod, self._ready)) > _READY:
                del self._ready[next(iter(self._ready))]
            return sized


class _Sized:
    """An interpreter for one size of input."""

    def __init__(self, weights: Path, rows: int, columns: int) -> None:
        self._interpreter = runtime.interpreter(weights, (1, rows, columns, 3))
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [given["index"] for given in self._interpreter.get_output_details()]
        self._lock = threading.Lock()

    def __call__(self, image: Image) -> list[Floats]:
        height, width, _ = image.shape
        with self._lock:
            # Written in place and let go at once: a copy of the largest size is 20 MB.
            pixels = self._interpreter.tensor(self._input)()[0]
            pixels[:height, :width] = image
            pixels[height:], pixels[:height, width:] = 0, 0
            del pixels
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


def _decoded(output: Floats, stride: int, least: float) -> Floats:
    """Return a row (score, x, y, w, h, five landmarks' x and y; pixels) for each sure place."""
    scores = np.sqrt(_sigmoid(output[..., 0]) * _sigmoid(output[..., 1]))
    sure = scores >= least
    there = output[sure]
    corner = np.argwhere(sure)[:, ::-1].astype(np.float32)  # x, y of the place, in strides
    size = np.exp(there[:, 4:6])
    box = np.hstack([corner + there[:, 2:4] - size / 2, size])
    points = there[:, 6:] + np.tile(corner, 5)
    return np.hstack([scores[sure][:, None], stride * box, stride * points])


def _sigmoid(logits: Floats) -> Floats:
    """Return probabilities; tanh does not overflow."""
    return np.asarray((1 + np.tanh(logits / 2)) / 2, np.float32)


def _distinct(rows: Floats) -> Floats:
    """Return the rows, surest first, without those whose box a surer one covers already."""
    rows = rows[np.argsort(-rows[:, 0], kind="stable")]
    kept = []
    while len(rows):
        kept.append(rows[0])
        rows = rows[1:][_shared(rows[0], rows[1:]) <= OVERLAP]
    return np.array(kept, np.float32)


def _shared(one: Floats, others: Floats) -> Floats:
    """Return how much of the union of its box and theirs each shares with one, 0 to 1."""
    corner, size = one[1:3], one[3:5]
    corners, sizes = others[:, 1:3], others[:, 3:5]
    sides = np.minimum(corner + size, corners + sizes) - np.maximum(corner, corners)
    common = np.clip(sides, 0, None).prod(axis=1)
    return np.asarray(common / (size.prod() + sizes.prod(axis=1) - common), np.float32)


def _face(row: npt.NDArray[Any]) -> Face:
    score, x, y, w, h, *points = map(float, row)
    return Face(Box(x, y, w, h), score, tuple(zip(points[::2], points[1::2], strict=True)))
