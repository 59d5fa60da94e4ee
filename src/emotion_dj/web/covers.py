"""Covers from the pictures embedded in audio files, decoded and made small."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

from PIL import Image as Pillow

from emotion_dj.errors import ImageError
from emotion_dj.sources import metadata
from emotion_dj.vision import images

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 8_000_000
SIDE: Final = 256
"""Pixels of a cover's longer side as it is sent."""


def cover(audio: Path) -> bytes | None:
    """Return a small JPEG of the picture in an audio file, None where there is none to be shown.

    The picture is decoded and encoded anew: whatever else a file carries is not passed on.
    """
    picture = metadata.picture(audio)
    return None if picture is None else small(picture)


def small(encoded: bytes) -> bytes | None:
    """Return a small JPEG of an encoded picture, None where it is none or too large."""
    if len(encoded) > MAX_BYTES:
        return None
    try:
        picture = Pillow.fromarray(images.reduced(encoded)[0])
    except ImageError:
        return None
    picture.thumbnail((SIDE, SIDE))
    out = BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()
