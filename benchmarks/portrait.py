"""The smiling face that the benchmarks show: NASA's Eileen Collins, as scikit-image ships her."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from asked import need
from PIL import Image as Pillow


def portrait() -> Path:
    """Return the file; scikit-image itself is not imported."""
    need("skimage")
    package = find_spec("skimage")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "data" / "astronaut.png"


def photo(folder: Path) -> Path:
    """Write a 640x480 JPEG of her."""
    path = folder / "photo.jpg"
    with Pillow.open(portrait()) as picture:
        picture.convert("RGB").crop((0, 0, 512, 384)).resize((640, 480)).save(path)
    return path
