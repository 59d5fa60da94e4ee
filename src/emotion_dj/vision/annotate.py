"""Draw what was read onto a copy of the photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from emotion_dj.errors import ImageError

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.domain import Image, PhotoAnalysis

_INK = (255, 214, 64)
_SHADE = (24, 24, 32)


def save(image: Image, look: PhotoAnalysis, target: Path) -> None:
    """Write the image with every face framed and named; the suffix of target chooses the format.

    Raises ImageError where the target cannot be written.
    """
    picture = Pillow.fromarray(image)
    draw = ImageDraw.Draw(picture)
    size = max(12, round(min(picture.size) / 32))
    font = ImageFont.load_default(size)
    for face, reading in zip(look.faces, look.readings, strict=True):
        left, top, width, height = face.box
        frame = (left, top, left + width, top + height)
        draw.rectangle(frame, outline=_INK, width=max(2, size // 8))
        name = "unsure" if reading.abstained else f"looks {reading.emotion}"
        label = f"{name} {reading.probabilities[reading.emotion]:.0%}"
        corner = (left, max(0.0, top - 1.5 * size))
        draw.rectangle(draw.textbbox(corner, label, font=font), fill=_SHADE)
        draw.text(corner, label, fill=_INK, font=font)
    try:
        picture.save(target)
    except (OSError, ValueError) as error:
        msg = f"the picture cannot be written to {target}: {error}"
        raise ImageError(msg) from error
