"""Anything a user calls a photo -> Image: upright RGB uint8 (height, width, 3).

Limits are checked before pixels are decoded, so a small file that claims to be huge costs nothing.
Metadata (place, time, camera) is used for the rotation and then dropped.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from emotion_dj import installation
from emotion_dj.errors import ImageError

if TYPE_CHECKING:
    from emotion_dj.domain import Image

    Photo = Path | str | bytes | Pillow.Image | Image

MAX_BYTES: Final = 60_000_000
MAX_PIXELS: Final = 50_000_000
"""What is decoded in full or held as an array. JPEG photos of phones have more and are halved while
they are decoded, which takes little memory; from 178 megapixels on Pillow refuses them."""

ENOUGH: Final = 20_000_000
"""Pixels above which `reduced` halves a photo: faces of which anything can be told keep enough."""

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
_HEIC: Final = (b"heic", b"heix", b"hevc", b"mif1", b"msf1")
_REDUCIBLE: Final = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})


def load(photo: Photo) -> Image:
    """Return the upright RGB picture of a path, encoded bytes, a Pillow image or a uint8 array.

    Of animated and multi-page files the first frame counts; transparency shows white. Raises
    ImageError in one sentence for what is not a photo, is damaged, or is over the limits.
    """
    return _pixels(photo, halve=False)[0]


def reduced(photo: Photo) -> tuple[Image, float]:
    """Return a photo as `load` does, halved until it has ENOUGH pixels at most, arrays excepted.

    The number says how many pixels of the photo a pixel of the Image spans to a side. This also
    reads the JPEG photos of phones that `load` refuses for their size. Raises as `load` does.
    """
    return _pixels(photo, halve=True)


def _pixels(photo: Photo, *, halve: bool) -> tuple[Image, float]:
    if isinstance(photo, np.ndarray):
        return _from_array(photo), 1.0
    if isinstance(photo, Pillow.Image):
        image = _upright(photo, name="the picture", halve=halve)
        return image, max(photo.size) / max(image.shape[:2])
    if isinstance(photo, bytes):
        return _decode(photo, name="the photo", halve=halve)
    return _decode(_read(Path(photo)), name=str(photo), halve=halve)


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


def _decode(data: bytes, *, name: str, halve: bool) -> tuple[Image, float]:
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
        side = max(picture.size)
        if halve:
            _draft(picture)
        image = _upright(picture, name=name, halve=halve)
    return image, side / max(image.shape[:2])


def _unknown(data: bytes, name: str) -> str:
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        cure = installation.add("pillow-heif")
        return f"{name} is a HEIC photo: run  {cure}  or save it as JPEG"
    return f"{name} is not a photo that can be read: use JPEG, PNG, WebP, BMP, GIF or TIFF"


@cache
def _formats() -> tuple[str, ...]:
    """Return the formats that are read: AVIF too, where Pillow can, and HEIC with pillow-heif."""
    formats = FORMATS if find_spec("PIL._avif") is None else (*FORMATS, "AVIF")
    if find_spec("pillow_heif") is None:
        return formats
    import pillow_heif  # noqa: PLC0415 - optional

    pillow_heif.register_heif_opener()
    return (*formats, "HEIF")


def _draft(picture: Pillow.Image) -> None:
    """Let a large JPEG be decoded at a half, a quarter or an eighth.

    A progressive one is held in full by its decoder whatever it gives, so there nothing is won.
    """
    width, height = picture.size
    if picture.format not in {"JPEG", "MPO"} or "progressive" in picture.info:
        return
    scales = (k for k in (1, 2, 4) if width * height <= ENOUGH * k * k)
    scale = next(scales, 8)
    if scale > 1:
        picture.draft(None, (width // scale, height // scale))


def _upright(picture: Pillow.Image, *, name: str, halve: bool) -> Image:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        millions = MAX_PIXELS // 1_000_000
        msg = f"{name} has {width} x {height} pixels: make it smaller than {millions} megapixels"
        raise ImageError(msg)
    try:
        turned = ImageOps.exif_transpose(picture)
        if halve and width * height > ENOUGH and turned.mode in _REDUCIBLE:
            turned = turned.reduce(2)
        return np.asarray(_rgb(turned))
    except Exception as error:  # decoders of damaged files raise nearly anything
        raise _damaged(name) from error


def _rgb(picture: Pillow.Image) -> Pillow.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        return Pillow.fromarray(_to_bytes(np.asarray(picture, np.float64))).convert("RGB")
    if "A" in picture.getbands() or "transparency" in picture.info:
        cut_out = picture.convert("RGBA")
        paper = Pillow.new("RGBA", cut_out.size, "white")
        return Pillow.alpha_composite(paper, cut_out).convert("RGB")
    return picture.convert("RGB")


def _to_bytes(values: np.ndarray) -> np.ndarray:
    """Bring 16-bit and floating values to 0..255; what fits a byte already keeps its value."""
    values = np.nan_to_num(values, posinf=0, neginf=0)
    top = float(values.max(initial=0))
    if 0 < top <= 1:
        return np.asarray(values.clip(0) * 255, np.uint8)
    return np.asarray(values.clip(0) * (255 / 65535 if top > 255 else 1), np.uint8)  # noqa: PLR2004


def _from_array(values: Image) -> Image:
    is_picture = values.dtype == np.uint8 and values.ndim == 3 and values.shape[2] == 3  # noqa: PLR2004
    if not is_picture or not values.size:
        msg = f"an array must be RGB uint8 (height, width, 3), not {values.dtype} {values.shape}"
        raise ImageError(msg)
    if values.shape[0] * values.shape[1] > MAX_PIXELS:
        msg = f"the array has more than {MAX_PIXELS // 1_000_000} megapixels: make it smaller"
        raise ImageError(msg)
    return values


def _damaged(name: str) -> ImageError:
    return ImageError(f"{name} is damaged or incomplete: try to save it again from the original")
