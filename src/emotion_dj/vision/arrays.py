"""Arrays of any usual form -> Image: upright RGB uint8 (height, width, 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.errors import ImageError

if TYPE_CHECKING:
    from emotion_dj.domain import Image

MAX_PIXELS: Final = 50_000_000
CHANNELS: Final = (1, 3, 4)
"""Grey; red, green, blue; and alpha."""

_FLAT: Final = 2
_DEEP: Final = 3
_BYTE: Final = 255
_WORD: Final = 65535


def picture(values: npt.NDArray[Any], *, bgr: bool = False) -> Image:
    """Return an array as an Image, the very array where it is one already.

    (height, width) or (height, width, 1, 3 or 4) of integers or floats: 0 to 1, 0 to 255, or 0 to
    65535, by the largest value. ``bgr`` says that blue comes first. Transparency shows white.
    Raises ImageError.
    """
    _check(values)
    if values.dtype != np.uint8:
        values = to_bytes(values)
    if values.ndim == _FLAT:
        values = values[:, :, np.newaxis]
    if values.shape[2] != _DEEP:
        values = _coloured(values)
    return np.ascontiguousarray(values[:, :, ::-1]) if bgr else values


def _coloured(values: npt.NDArray[np.uint8]) -> Image:
    """Return grey in three channels, or colours on white paper."""
    if values.shape[2] == 1:
        return np.repeat(values, _DEEP, axis=2)
    share = values[:, :, 3:].astype(np.float32) / _BYTE
    return np.asarray(values[:, :, :3] * share + _BYTE * (1 - share) + 0.5, np.uint8)


def to_bytes(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Bring 16-bit and floating values to 0..255; what fits a byte already keeps its value."""
    values = np.nan_to_num(np.asarray(values, np.float64), posinf=0, neginf=0).clip(0)
    top = float(values.max(initial=0))
    if 0 < top <= 1:
        return np.asarray(values * _BYTE, np.uint8)
    return np.asarray(values * (_BYTE / max(top, _WORD) if top > _BYTE else 1), np.uint8)


def _check(values: npt.NDArray[Any]) -> None:
    """Raise ImageError in a sentence for an array that is no picture."""
    form = f"{values.dtype} {values.shape}"
    channels = values.shape[2] if values.ndim == _DEEP else 1
    if values.ndim == _DEEP and channels not in CHANNELS and values.shape[0] in CHANNELS:
        msg = f"the channels of the array {form} come first: hand in numpy.moveaxis(array, 0, -1)"
        raise ImageError(msg)
    known = values.dtype.kind in "uif" and values.ndim in (_FLAT, _DEEP) and channels in CHANNELS
    if not known or not values.size:
        msg = (
            "an array must be grey (height, width) or RGB (height, width, 3), of integers or "
            f"floats, not {form}"
        )
        raise ImageError(msg)
    if values.shape[0] * values.shape[1] > MAX_PIXELS:
        msg = f"the array has more than {MAX_PIXELS // 1_000_000} megapixels: make it smaller"
        raise ImageError(msg)
