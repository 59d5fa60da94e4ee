#!/usr/bin/env python3
"""Draw masks on the clear smiles of a set of faces, and print what is read of them then.

    python scripts/masks.py ../shared/data/faces/fer2013-public.parquet [--reader CARD.json]

A clear smile is a face whose label is happy and that is read as happy with more than 0.9. The mask
covers nose to chin, from cheek to cheek, in one of four plain or shaded greys.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageDraw
from pyarrow import parquet

from emotion_dj.app import model_registry
from emotion_dj.artifacts import FACE_READER
from emotion_dj.domain import Box, Emotion, Face, Reading
from emotion_dj.vision import images, visibility

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emotion_dj.vision.emotion import EmotionReader

    Grey = npt.NDArray[np.uint8]

CLEAR: Final = 0.9
INKS: Final = (235, 190, 140, 25)
OUTLINE: Final = ((0.12, 0.5), (0.5, 0.44), (0.88, 0.5), (0.84, 0.86), (0.5, 1.0), (0.16, 0.86))
"""Corners of the mask as shares of the sides: cheek, bridge of the nose, cheek, jaw, chin, jaw."""


def main() -> None:
    """Print the shares of what masked smiles are read as."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--reader", default=FACE_READER)
    arguments = parser.parse_args()
    reader = model_registry.face_reader(arguments.reader)
    seen = Counter(_outcome(reader, face, i) for i, face in enumerate(_smiles(reader, arguments)))
    total = sum(seen.values())
    print(f"{total} clear smiles behind masks, read by {reader.id}:")  # noqa: T201 - it prints
    for outcome, count in seen.most_common():
        print(f"  {outcome}: {count / total:.1%}")  # noqa: T201


def _smiles(reader: EmotionReader, arguments: Any) -> Iterator[Grey]:
    """Yield the clear smiles, cut out as the reader wants them."""
    rows = parquet.read_table(arguments.faces, columns=["image", "emotion"]).to_pylist()
    for row in rows:
        if row["emotion"] == Emotion.HAPPY:
            pixels = reader.whole(images.load(row["image"]))
            if reader.read_crop(pixels).probabilities[Emotion.HAPPY] > CLEAR:
                yield pixels


def _outcome(reader: EmotionReader, face: Grey, number: int) -> str:
    reading = _judged(reader, reader.read_crop(masked(face, INKS[number % len(INKS)])))
    return "abstains" if reading.abstained else f"named {reading.emotion}"


def _judged(reader: EmotionReader, reading: Reading) -> Reading:
    """Return a reading as of a photo: the face is found for certain and wholly inside."""
    face = Face(Box(0, 0, 1, 1), 1.0)
    return visibility.judged(reading, face, (1, 1), reader.contract.abstain_below)


def masked(face: Grey, ink: int) -> Grey:
    """Return a face, uint8 (side, side, ...), with a mask of this grey, a pleat across it."""
    picture = Pillow.fromarray(face)
    side = picture.width
    draw = ImageDraw.Draw(picture)
    colour = ink if picture.mode == "L" else (ink, ink, ink)
    shade = max(0, ink - 18)
    draw.polygon([(x * side, y * side) for x, y in OUTLINE], fill=colour)
    line = shade if picture.mode == "L" else (shade, shade, shade)
    draw.line([(0.2 * side, 0.68 * side), (0.8 * side, 0.68 * side)], fill=line)
    return np.asarray(picture)


if __name__ == "__main__":
    main()
