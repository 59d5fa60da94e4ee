"""Anything a user calls a photo -> Image: upright RGB uint8 (height, width, 3).

Limits are checked before pixels are decoded, so a small file that claims to be huge costs nothing.
Metadata (place, time, camera) is used for the rotation and then dropped.
"""

from __future__ import annotations

import warnings
from functools import cache, partial
from importlib.util import find_spec
from io import BytesIO
from os import PathLike, fsdecode
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import ExifTags, ImageOps, UnidentifiedImageError
from PIL import Image as Pillow

from emotion_dj import installation
from emotion_dj.errors import ImageError
from emotion_dj.vision import arrays

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

    import numpy.typing as npt

    from emotion_dj.domain import Image

    Encoded = bytes | bytearray | memoryview
    Photo = Path | str | Encoded | IO[bytes] | Pillow.Image | npt.NDArray[Any]

MAX_BYTES: Final = 60_000_000
MAX_PIXELS: Final = arrays.MAX_PIXELS
"""What is decoded in full or held as an array. JPEG photos of phones have more and are halved while
they are decoded, which takes little memory; from 178 megapixels on Pillow refuses them."""

MAX_JPEG_PIXELS: Final = 178_000_000
"""What Pillow opens at most."""

ENOUGH: Final = 20_000_000
"""Pixels above which `reduced` halves a photo: faces of which anything can be told keep enough."""

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
_HEIC: Final = (b"heic", b"heix", b"hevc", b"mif1", b"msf1")
_JPEG: Final = b"\xff\xd8"
_LONGEST_PATH: Final = 4096
_NAME: Final = 255
"""Bytes of the longest path and of the longest name in it on common systems."""

_REDUCIBLE: Final = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})


def load(photo: Photo, *, bgr: bool = False) -> Image:
    """Return the upright RGB picture of anything that is a photo.

    That is a path, the bytes of a file, a file object, a Pillow image, or an array of (height,
    width) or (height, width, 1, 3 or 4), uint8, uint16 or float; ``bgr`` says that its colours are
    in OpenCV's order. Of animated and multi-page files the first frame counts; transparency shows
    white. Raises ImageError in one sentence for what is no photo, is damaged, or is over the
    limits.
    """
    return _pixels(photo, halve=False, bgr=bgr)[0]


def reduced(photo: Photo, *, bgr: bool = False) -> tuple[Image, float]:
    """Return a photo as `load` does, halved until it has ENOUGH pixels at most, arrays excepted.

    The number says how many pixels of the photo a pixel of the Image spans to a side. This also
    reads the JPEG photos of phones that `load` refuses for their size. Raises as `load` does.
    """
    return _pixels(photo, halve=True, bgr=bgr)


def in_two_sizes(
    photo: Photo, side: int, *, bgr: bool = False
) -> tuple[tuple[Image, float], Callable[[], tuple[Image, float]]]:
    """Return a photo as `reduced` does, and a function that returns it so once more.

    At first a JPEG is decoded smaller, in half of the time or less, as long as ``side`` pixels are
    left of its longer side; of a long and narrow one, of twice the shorter. Raises as `load` does.
    """
    if isinstance(photo, np.ndarray | Pillow.Image):
        image = reduced(photo, bgr=bgr)
        return image, lambda: image
    data, name = _bytes(photo)
    decoded = partial(_decode, data, name=name, halve=True)
    image = decoded(side=side)
    # Other formats were decoded in full: once more would bring nothing.
    return image, decoded if data.startswith(_JPEG) else lambda: image


def _pixels(photo: Photo, *, halve: bool, bgr: bool) -> tuple[Image, float]:
    if isinstance(photo, np.ndarray):
        return arrays.picture(photo, bgr=bgr), 1.0
    if isinstance(photo, Pillow.Image):
        image = _upright(photo, name="the picture", halve=halve)
        return image, max(photo.size) / max(image.shape[:2])
    data, name = _bytes(photo)
    return _decode(data, name=name, halve=halve)


def _bytes(photo: Any) -> tuple[bytes, str]:
    """Return the bytes of a file and what to call it."""
    if isinstance(photo, bytes | bytearray | memoryview):
        return bytes(photo), "the photo"
    if hasattr(photo, "read"):
        return _from_file(photo), "the photo"
    if isinstance(photo, str | PathLike):
        return _read(_path(photo)), str(photo)
    msg = (
        "a photo is a path, bytes, a file, a Pillow image or an array of pixels, "
        f"not {type(photo).__name__}"
    )
    raise ImageError(msg)


def _from_file(file: Any) -> bytes:
    """Return all bytes of a file object, from its beginning where it can go back there."""
    try:
        if getattr(file, "seekable", lambda: False)():
            file.seek(0)
        data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        msg = "the file of the photo cannot be read: is it closed?"
        raise ImageError(msg) from error
    if isinstance(data, str):
        msg = "the file of the photo is open as text: open it in binary mode, 'rb'"
        raise ImageError(msg)
    return bytes(data)


def _path(photo: str | PathLike[str]) -> Path:
    """Return a path; what is a photo written as text is refused without repeating it."""
    text = fsdecode(photo)
    if text.startswith("data:"):
        msg = "this is a data URI, not a path: decode what follows its comma, and hand in the bytes"
        raise ImageError(msg)
    if "\0" in text or len(text) > _LONGEST_PATH or any(len(p) > _NAME for p in text.split("/")):
        msg = "this is not a path: if it is a photo in base64, decode it and hand in the bytes"
        raise ImageError(msg)
    return Path(text)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        msg = f"{path} does not exist"
        raise ImageError(msg) from error
    except IsADirectoryError as error:
        msg = f"{path} is a folder: name a photo in it"
        raise ImageError(msg) from error
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise ImageError(msg) from error
    return data


def _decode(data: bytes, *, name: str, halve: bool, side: int | None = None) -> tuple[Image, float]:
    if not data:
        msg = f"{name} is empty"
        raise ImageError(msg)
    if len(data) > MAX_BYTES:
        msg = f"{name} is larger than {MAX_BYTES // 1_000_000} MB: make it smaller first"
        raise ImageError(msg)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a damaged tag or a large picture: judged below
            picture = Pillow.open(BytesIO(data), formats=_formats())
    except UnidentifiedImageError as error:
        raise ImageError(_unknown(data, name)) from error
    except Pillow.DecompressionBombError as error:
        msg = f"{name} has too many pixels to be opened: make it smaller first"
        raise ImageError(msg) from error
    except Exception as error:
        raise _damaged(name) from error
    with picture:
        whole = max(picture.size)
        if halve:
            _draft(picture, side)
        image = _upright(picture, name=name, halve=halve)
    return image, whole / max(image.shape[:2])


def _unknown(data: bytes, name: str) -> str:
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        cure = installation.for_extra("heic")
        return f"{name} is a HEIC photo: run  {cure}  or save it as JPEG"
    return f"{name} is not a photo that can be read: use JPEG, PNG, WebP, BMP, GIF or TIFF"


@cache
def _formats() -> tuple[str, ...]:
    """Return the formats that are read: AVIF too, where Pillow can, and HEIC with the extra."""
    formats = FORMATS if find_spec("PIL._avif") is None else (*FORMATS, "AVIF")
    if find_spec("pillow_heif") is None:
        return formats
    import pillow_heif

    pillow_heif.register_heif_opener()
    return (*formats, "HEIF")


def _draft(picture: Pillow.Image, side: int | None) -> None:
    """Let a large JPEG be decoded at a half, a quarter or an eighth, any one as far as so many
    pixels are left to a side.

    A progressive one is held in full by its decoder whatever it gives, so there nothing is won.
    """
    width, height = picture.size
    if picture.format not in {"JPEG", "MPO"} or "progressive" in picture.info:
        return
    scales = (k for k in (1, 2, 4) if width * height <= ENOUGH * k * k)
    scale = next(scales, 8)
    if side is not None:
        reach = min(max(width, height), 2 * min(width, height))
        scale = max(scale, *(k for k in (1, 2, 4, 8) if k == 1 or reach >= k * side))
    if scale > 1:
        picture.draft(None, (width // scale, height // scale))


def _upright(picture: Pillow.Image, *, name: str, halve: bool) -> Image:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        millions = MAX_PIXELS // 1_000_000
        msg = f"{name} has {width} x {height} pixels: make it smaller than {millions} megapixels"
        raise ImageError(msg)
    try:
        turned = _turned(picture)
        if halve and width * height > ENOUGH and turned.mode in _REDUCIBLE:
            turned = turned.reduce(2)
        return np.asarray(_rgb(turned))
    except Exception as error:  # decoders of damaged files raise nearly anything
        raise _damaged(name) from error


def _turned(picture: Pillow.Image) -> Pillow.Image:
    """Return a picture as its metadata turns it, without a copy where that is not needed."""
    picture.load()  # a PNG may say it after its pixels
    if picture.getexif().get(ExifTags.Base.Orientation, 1) == 1:
        return picture
    return ImageOps.exif_transpose(picture)


def _rgb(picture: Pillow.Image) -> Pillow.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        return Pillow.fromarray(arrays.to_bytes(np.asarray(picture, np.float64))).convert("RGB")
    if "A" in picture.getbands() or "transparency" in picture.info:
        cut_out = picture.convert("RGBA")
        paper = Pillow.new("RGBA", cut_out.size, "white")
        return Pillow.alpha_composite(paper, cut_out).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _damaged(name: str) -> ImageError:
    return ImageError(f"{name} is damaged or incomplete: try to save it again from the original")
