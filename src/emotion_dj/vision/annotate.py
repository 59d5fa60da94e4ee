"""Draw what was read onto a copy of the photo."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from emotion_dj.errors import ImageError
from emotion_dj.vision import images

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from emotion_dj.domain import Face, Image, PhotoAnalysis, Reading
    from emotion_dj.vision.images import Photo

    Corners = tuple[float, float, float, float]

_INK = (255, 214, 64)
_SHADE = (24, 24, 32)


def photo(photo: Photo, analysis: PhotoAnalysis, target: Path) -> None:
    """Write a photo of any form and size with every face framed. Raises ImageError."""
    image, factor = images.reduced(photo)
    save(image, _scaled(analysis, 1 / factor), target)


def jpeg(photo: Photo, analysis: PhotoAnalysis, *, side: int, bgr: bool = False) -> bytes:
    """Return a photo with every face framed as a JPEG whose longer side has so many pixels at
    most. Raises ImageError.
    """
    image, factor = images.reduced(photo, bgr=bgr)
    picture = Pillow.fromarray(image)
    picture.thumbnail((side, side))
    shrunk = max(image.shape[:2]) / max(picture.size)
    file = BytesIO()
    drawn(np.asarray(picture), _scaled(analysis, 1 / factor / shrunk)).save(file, "JPEG")
    return file.getvalue()


def _scaled(analysis: PhotoAnalysis, factor: float) -> PhotoAnalysis:
    return replace(analysis, faces=tuple(face.scaled(factor) for face in analysis.faces))


def save(image: Image, analysis: PhotoAnalysis, target: Path) -> None:
    """Write the image with every face framed and named; the suffix of target chooses the format.

    Raises ImageError where the target cannot be written.
    """
    try:
        drawn(image, analysis).save(target)
    except (OSError, ValueError) as error:
        msg = f"the picture cannot be written to {target}: {error}"
        raise ImageError(msg) from error


def drawn(image: Image, analysis: PhotoAnalysis) -> Pillow.Image:
    """Return the image with every face framed and named."""
    picture = Pillow.fromarray(image)
    draw = ImageDraw.Draw(picture)
    frames = [_corners(face) for face in analysis.faces]
    labels: list[Corners] = []
    for frame, reading in zip(frames, analysis.readings, strict=True):
        size = _text_size(picture.size, frame)
        draw.rectangle(frame, outline=_INK, width=max(2, size // 8))
        text, font = _label(reading), ImageFont.load_default(size)
        left, top, right, bottom = draw.textbbox((0, 0), text, font=font, anchor="lt")
        needed = (right - left, bottom - top)
        label = placed(frame, needed, picture.size, frames, labels)
        draw.rectangle(label, fill=_SHADE)
        draw.text(label[:2], text, fill=_INK, font=font, anchor="lt")
        labels.append(label)
    return picture


def _corners(face: Face) -> Corners:
    left, top, width, height = face.box
    return left, top, left + width, top + height


def _text_size(picture: tuple[int, int], frame: Corners) -> int:
    """Return the height of a face's label: in keeping with it, and readable in any case."""
    return round(max(12, min(min(picture) / 32, (frame[2] - frame[0]) / 4)))


def _label(reading: Reading) -> str:
    name = "unsure" if reading.abstained else f"looks {reading.emotion}"
    return f"{name} {reading.probabilities[reading.emotion]:.0%}"


def placed(
    frame: Corners,
    size: tuple[float, float],
    picture: tuple[int, int],
    frames: Sequence[Corners],
    labels: Sequence[Corners],
) -> Corners:
    """Return where a label stands: at its face, inside the picture, on no other label and, as far
    as there is room, on no face.
    """
    width, height = size
    room = (max(0.0, picture[0] - width), max(0.0, picture[1] - height))
    tried: list[tuple[list[int], int, Corners]] = []
    for left, top in _corners_to_try(frame, width, height, picture[1]):
        x, y = min(max(0.0, left), room[0]), min(max(0.0, top), room[1])
        label = (x, y, x + width, y + height)
        hidden = [sum(_overlap(label, other) for other in those) for those in (labels, frames)]
        tried.append((hidden, len(tried), label))
        if not any(hidden):
            break
    return min(tried)[2]


def _corners_to_try(
    frame: Corners, width: float, height: float, end: float
) -> Iterator[tuple[float, float]]:
    """Yield where a label can begin: above its face, below it, and then ever farther away."""
    left, top, right, bottom = frame
    columns = (left, right - width, left - width / 2, right - width / 2)
    for step in range(round(end / height) + 2):
        for row in (top - (step + 1) * height - 2, bottom + step * height + 2):
            yield from ((column, row) for column in columns)


def _overlap(a: Corners, b: Corners) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
