"""Covers from the pictures embedded in audio files (ID3, FLAC, Vorbis comments, MP4)."""

from __future__ import annotations

import base64
import binascii
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from PIL import Image as Pillow

from emotion_dj.errors import ImageError
from emotion_dj.vision import images

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 8_000_000
SIDE: Final = 256
"""Pixels of a cover's longer side as it is sent."""

FRONT: Final = 3
"""What ID3 and FLAC call the front cover."""


def cover(audio: Path) -> bytes | None:
    """Return a small JPEG of the picture in an audio file, None where there is none to be shown.

    The picture is decoded and encoded anew: whatever else a file carries is not passed on.
    """
    picture = _embedded(audio)
    return None if picture is None else small(picture)


def small(picture: bytes) -> bytes | None:
    """Return a small JPEG of an encoded picture, None where it is none or too large."""
    if len(picture) > MAX_BYTES:
        return None
    try:
        shrunk = Pillow.fromarray(images.reduced(picture)[0])
    except ImageError:
        return None
    shrunk.thumbnail((SIDE, SIDE))
    out = BytesIO()
    shrunk.save(out, "JPEG", quality=85)
    return out.getvalue()


def _embedded(audio: Path) -> bytes | None:
    import mutagen  # noqa: PLC0415 - only where a cover is asked for

    try:
        file = mutagen.File(audio)
        if file is None:
            return None
        pictures = [*getattr(file, "pictures", ()), *_in_tags(file.tags)]
    except (mutagen.MutagenError, OSError, ValueError, binascii.Error):
        return None
    pictures.sort(key=lambda picture: getattr(picture, "type", FRONT) != FRONT)
    return bytes(getattr(pictures[0], "data", pictures[0])) if pictures else None


def _in_tags(tags: Any) -> list[Any]:
    """Return pictures from ID3's APIC frames, from Vorbis comments or from MP4's `covr`."""
    from mutagen.flac import Picture  # noqa: PLC0415

    if tags is None:
        return []
    if hasattr(tags, "getall"):
        return list(tags.getall("APIC"))
    vorbis = tags.get("metadata_block_picture") or []
    return [*(tags.get("covr") or []), *(Picture(base64.b64decode(text)) for text in vorbis)]
