"""Draw what was read onto a copy of the photo."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from emotion_dj.errors import ImageError
from emotion_dj.vision import images

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.domain import Image, PhotoAnalysis, Reading
    from emotion_dj.vision.images import Photo

    Corners = tuple[float, float, float, float]

_INK = (255, 214, 64)
_SHADE = (24, 24, 32)


def photo(photo: Photo, analysis: PhotoAnalysis, target: Path) -> None:
    """Write a photo of any form and size with every face framed. Raises ImageError."""
    image, factor = images.reduced(photo)
    faces = tuple(face.scaled(1 / factor) for face in analysis.faces)
    save(image, replace(analysis, faces=faces), target)


def save(image: Image, analysis: PhotoAnalysis, target: Path) -> None:
    """Write the image with every face framed and named; the suffix of target chooses the format.

    Raises ImageError where the target cannot be written.
    """
    picture = Pillow.fromarray(image)
    draw = ImageDraw.Draw(picture)
    size = max(12, round(min(picture.size) / 32))
    font = ImageFont.load_default(size)
    labels: list[Corners] = []
    for face, reading in zip(analysis.faces, analysis.readings, strict=True):
        left, top, width, height = face.box
        frame = (left, top, left + width, top + height)
        draw.rectangle(frame, outline=_INK, width=max(2, size // 8))
        text = _label(reading)
        corner = _free(draw.textbbox((left, top - 1.5 * size), text, font=font), labels, size)
        labels.append(draw.textbbox(corner, text, font=font))
        draw.rectangle(labels[-1], fill=_SHADE)
        draw.text(corner, text, fill=_INK, font=font)
    try:
        picture.save(target)
    except (OSError, ValueError) as error:
        msg = f"the picture cannot be written to {target}: {error}"
        raise ImageError(msg) from error


def _label(reading: Reading) -> str:
    name = "unsure" if reading.abstained else f"looks {reading.emotion}"
    return f"{name} {reading.probabilities[reading.emotion]:.0%}"


def _free(label: Corners, labels: list[Corners], size: int) -> tuple[float, float]:
    """Return where a label can begin without covering another one: lower, as far as is needed."""
    left, top, right, bottom = label
    while any(
        left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
        for other in labels
    ):
        top, bottom = top + size / 2, bottom + size / 2
    return left, max(0.0, top)
