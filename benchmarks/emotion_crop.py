"""From the detector's box to FER2013's square: measured, since the box alone moves accuracy a lot.

Faces of FER2013 are enlarged and set into a wider picture, so that the square is known. Printed
are where the detector sees them, what the margin around its box costs, and whether it pays to turn
rolled faces upright by their eyes.

python benchmarks/emotion_crop.py FER2013.parquet
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from asked import need, parser
from PIL import Image as Pillow

from emotion_dj.training import emotion_data
from emotion_dj.vision.detectors import YuNet
from emotion_dj.vision.emotion import EmotionReader, crop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emotion_dj.domain import Emotion, Face, Image
    from emotion_dj.vision.emotion import Contract

SIDES = (96, 144, 192)
ROLLS = (0, 15, 30)
MARGINS = (0.9, 1.0, 1.06, 1.12, 1.2, 1.3, 1.5)
FACES = 500


def main() -> None:
    """Print all three tables."""
    options = parser(__doc__)
    options.add_argument("faces", type=Path, help="FER2013 as a Parquet file")
    given = options.parse_args()
    need("pyarrow")
    faces = emotion_data.read(given.faces).rows(np.arange(FACES))
    geometry(faces)
    margins(faces)
    alignment(faces)


def geometry(faces: emotion_data.LabelledFaces) -> None:
    """Print the square's side over the box's, and the offset of the centres, by size of face."""
    detector = YuNet()
    for side in SIDES:
        found = [detector.detect(picture(face, side)) for face in faces.pixels]
        rows = np.array([_offset(seen[0], side) for seen in found if seen])
        ratio, across, down = rows.T
        low, middle, high = np.percentile(ratio, (10, 50, 90))
        print(
            f"{side} px: found {len(rows) / len(faces):.2f}, square over box {middle:.2f} "
            f"({low:.2f} to {high:.2f}), centre off by {np.median(across):+.3f} across, "
            f"{np.median(down):+.3f} down (shares of the square)"
        )


def margins(faces: emotion_data.LabelledFaces) -> None:
    """Print the accuracy by the side of the square over that of the box."""
    reader, detector = EmotionReader(), YuNet()
    right = defaultdict(list)
    for image, face, label in _seen(faces, detector, roll=0):
        for margin in MARGINS:
            pixels = crop(image, face.box, _with_margin(reader, margin))
            right[margin].append(reader.read_crop(pixels).emotion is label)
    for margin, hits in right.items():
        print(f"margin {margin}: accuracy {np.mean(hits):.3f} of {len(hits)}")


def alignment(faces: emotion_data.LabelledFaces) -> None:
    """Print the accuracy on rolled faces, cut as they are and turned upright by the eyes.

    These faces fill the picture; on smaller ones YuNet puts the eyes level, whatever the roll.
    """
    reader, detector = EmotionReader(), YuNet()
    for roll in ROLLS:
        pairs, rolls = [], []
        for image, face, label in _seen(faces, detector, roll=roll):
            views = reader.cut(image, face.box), _upright(image, face, reader.contract.crop)
            rolls.append(math.degrees(_roll(face)))
            pairs.append([reader.read_crop(view).emotion is label for view in views])
        plain, turned = np.mean(pairs, axis=0)
        print(
            f"roll {roll}: as it is {plain:.3f}, turned upright {turned:.3f} of {len(pairs)}; "
            f"the eyes say {np.median(rolls):+.0f} degrees"
        )


def picture(face: np.ndarray, side: int, roll: float = 0) -> Image:
    """Return a face, enlarged and rolled, in the middle of a picture 5/3 as wide."""
    large = np.asarray(Pillow.fromarray(face).resize((side, side), Pillow.Resampling.BICUBIC))
    wide = Pillow.fromarray(np.pad(large, side // 3, mode="edge"))
    turned = wide.rotate(roll, Pillow.Resampling.BICUBIC, fillcolor=int(face.mean()))
    return np.repeat(np.asarray(turned)[:, :, None], 3, axis=2)


def _seen(
    faces: emotion_data.LabelledFaces, detector: YuNet, *, roll: float
) -> Iterator[tuple[Image, Face, Emotion]]:
    for pixels, label in zip(faces.pixels, faces.labels, strict=True):
        image = picture(pixels, SIDES[-1], roll)
        if found := detector.detect(image):
            yield image, found[0], emotion_data.LABELS[label]


def _offset(face: Face, side: int) -> tuple[float, float, float]:
    box, middle = face.box, side // 3 + side / 2
    across, down = (box.x + box.w / 2 - middle) / side, (box.y + box.h / 2 - middle) / side
    return side / math.sqrt(box.w * box.h), across, down


def _with_margin(reader: EmotionReader, margin: float) -> Contract:
    return replace(reader.contract, crop=margin)


def _roll(face: Face) -> float:
    assert face.landmarks is not None  # YuNet gives them
    (right_x, right_y), (left_x, left_y) = face.landmarks[:2]
    return math.atan2(left_y - right_y, left_x - right_x)


def _upright(image: Image, face: Face, margin: float) -> np.ndarray:
    """Cut the square out along the line between the eyes, 48x48."""
    angle, box = _roll(face), face.box
    x, y, side = box.x + box.w / 2, box.y + box.h / 2, margin * math.sqrt(box.w * box.h)
    n = 48 * max(1, round(side / 48))
    sine, cosine = math.sin(angle) * side / n, math.cos(angle) * side / n
    corner = x - (cosine - sine) * n / 2, y - (sine + cosine) * n / 2
    matrix = (cosine, -sine, corner[0], sine, cosine, corner[1])
    grey = Pillow.fromarray(image).convert("L")
    cut = grey.transform((n, n), Pillow.Transform.AFFINE, matrix, Pillow.Resampling.BILINEAR)
    return np.asarray(cut.resize((48, 48), Pillow.Resampling.BILINEAR))


if __name__ == "__main__":
    main()
