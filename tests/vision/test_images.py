"""Photos as people have them: every common format, and every way to be broken."""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import features

from emotion_dj.errors import ImageError
from emotion_dj.vision import images

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

BAD = {
    "no bytes": (b"", "is empty"),
    "text": (b"this is not a photograph\n" * 50, "is not a photo"),
    "heic": (
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
        r"run  .*heic",
    ),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a photo"),
    "too many bytes": (b"\xff\xd8" + bytes(images.MAX_BYTES), "is larger than 60 MB"),
}


@pytest.fixture(scope="module")
def photo(smiling_photo: Path) -> Pillow.Image:
    """Return a real photograph, small enough to be quick."""
    with Pillow.open(smiling_photo) as picture:
        return picture.convert("RGB").resize((256, 256))


def encoded(picture: Pillow.Image, form: str, **options: object) -> bytes:
    """Return a picture as the bytes of a file."""
    file = BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def difference(a: np.ndarray, b: Pillow.Image) -> float:
    """Return the mean absolute difference in grey values."""
    return float(np.abs(a.astype(int) - np.asarray(b).astype(int)).mean())


AVIF = ("AVIF",) if features.check("avif") else ()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", *AVIF])
def test_every_format_gives_the_same_picture(photo: Pillow.Image, form: str) -> None:
    """A photo is the same Image whichever format it comes in, but for the format's own loss."""
    image = images.load(encoded(photo, form))
    assert image.dtype == np.uint8
    assert image.shape == (256, 256, 3)
    assert difference(image, photo) < 8


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "1", "LA"])
def test_every_colour_mode_is_read(photo: Pillow.Image, mode: str) -> None:
    """Grey, palette, print colours, transparency and black-and-white all become RGB."""
    form = "TIFF" if mode == "CMYK" else "PNG"
    image = images.load(encoded(photo.convert(mode), form))
    assert image.shape == (256, 256, 3)
    assert difference(image, photo) < 90


def test_sixteen_bits_keep_their_range(photo: Pillow.Image) -> None:
    """A 16-bit picture is brought to 8 bits by its value, not cut off."""
    grey = np.asarray(photo.convert("L"))
    wide = Pillow.fromarray(grey.astype(np.uint16) * 257)
    image = images.load(encoded(wide, "PNG"))
    assert np.abs(image[:, :, 0].astype(int) - grey).max() <= 1


def test_rotation_is_applied_and_metadata_dropped(photo: Pillow.Image) -> None:
    """A photo taken sideways arrives upright."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    sideways = encoded(photo.rotate(90), "JPEG", exif=exif, quality=95)
    assert difference(images.load(sideways), photo) < 8


def test_the_first_frame_of_an_animation_counts(photo: Pillow.Image) -> None:
    """Of an animated GIF the first frame is read."""
    moving = encoded(photo, "GIF", save_all=True, append_images=[Pillow.new("RGB", (256, 256))])
    assert difference(images.load(moving), photo) < 8


def test_one_pixel_is_a_picture() -> None:
    """The smallest picture there is is not an error."""
    assert images.load(encoded(Pillow.new("RGB", (1, 1), "red"), "PNG")).shape == (1, 1, 3)


def test_photos_of_phones_are_halved_while_they_are_decoded(photo: Pillow.Image) -> None:
    """A JPEG of 24 megapixels, taken sideways: upright, at half its size, and whole on request."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    data = encoded(photo.resize((4000, 6000)).rotate(90, expand=True), "JPEG", exif=exif)
    image, factor = images.reduced(data)
    assert (image.shape, factor) == ((3000, 2000, 3), 2)
    assert difference(image, photo.resize((2000, 3000))) < 8
    assert images.load(data).shape == (6000, 4000, 3)


def test_the_largest_photos_of_phones_are_read(photo: Pillow.Image) -> None:
    """A JPEG of 108 megapixels is read at a quarter; to decode it in full is refused."""
    data = encoded(photo.convert("L").resize((12_000, 9000), Pillow.Resampling.NEAREST), "JPEG")
    image, factor = images.reduced(data)
    assert (image.shape, factor) == ((2250, 3000, 3), 4)
    with pytest.raises(ImageError, match="smaller than 50 megapixels"):
        images.load(data)


def test_only_a_jpeg_is_decoded_a_second_time(photo: Pillow.Image) -> None:
    """It has a smaller size to be searched in; what else is there was decoded in full already."""
    large = photo.resize((4000, 3000))
    (small, factor), whole = images.in_two_sizes(encoded(large, "JPEG"), 1280)
    assert (small.shape, factor, whole()[0].shape) == ((1500, 2000, 3), 2, (3000, 4000, 3))
    (image, factor), whole = images.in_two_sizes(encoded(large, "BMP"), 1280)
    assert (image.shape, factor) == ((3000, 4000, 3), 1)
    assert whole()[0] is image


def test_other_formats_are_halved_too(photo: Pillow.Image) -> None:
    """A transparent PNG of 24 megapixels arrives at half its size; a small one as it is."""
    image, factor = images.reduced(
        encoded(photo.convert("RGBA").resize((4900, 4900)), "PNG", compress_level=1)
    )
    assert (image.shape, factor) == ((2450, 2450, 3), 2)
    image, factor = images.reduced(encoded(photo, "PNG"))
    assert (image.shape, factor) == ((256, 256, 3), 1)


def test_more_pixels_than_pillow_opens_are_said_to_be_too_many() -> None:
    """A header of 20000 x 20000 is not called damaged."""
    header = struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", 54, 0, 0, 54, 40, 20_000, 20_000, 1, 24, *[0] * 6
    )
    with pytest.raises(ImageError, match="too many pixels"):
        images.load(header)


def test_what_is_no_number_is_black() -> None:
    """A TIFF of floating values with NaN and infinity in it is read without a word on stderr."""
    values = np.array([[0.5, np.nan], [1.0, np.inf]], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = images.load(encoded(Pillow.fromarray(values), "TIFF"))
    assert image[:, :, 0].tolist() == [[127, 0], [255, 0]]


def test_a_small_file_may_not_claim_to_be_huge() -> None:
    """Seventy-four bytes that claim 12000 x 12000 pixels are refused before anything is decoded."""
    header = struct.pack(">IIBBBBB", 12_000, 12_000, 8, 2, 0, 0, 0)
    chunks = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    )
    with pytest.raises(ImageError, match="12000 x 12000 pixels"):
        images.load(b"\x89PNG\r\n\x1a\n" + chunks)


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_photo_is_said(name: str) -> None:
    """Bytes that are no photo get one sentence."""
    data, sentence = BAD[name]
    with pytest.raises(ImageError, match=sentence):
        images.load(data)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_truncated_photos_are_said_to_be_damaged(photo: Pillow.Image, share: float) -> None:
    """A photo that was cut off in transfer is refused, not shown half grey."""
    whole = encoded(photo, "JPEG")
    with pytest.raises(ImageError, match="damaged"):
        images.load(whole[: int(share * len(whole))])


def test_paths_that_are_no_file_are_said(tmp_path: Path) -> None:
    """A folder and a missing file each get their own sentence."""
    with pytest.raises(ImageError, match="is a folder"):
        images.load(tmp_path)
    with pytest.raises(ImageError, match="does not exist"):
        images.load(tmp_path / "none.jpg")


def test_arrays_of_every_form_give_the_same_picture(photo: Pillow.Image) -> None:
    """Bytes, words and floats, with alpha, blue first, grey: the same Image; ours as it is."""
    pixels = np.asarray(photo)
    assert images.load(pixels) is pixels
    alpha = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    forms = [pixels.astype(np.uint16) * 257, pixels / 255, pixels.astype(np.float32), alpha]
    for form in forms:
        assert np.abs(images.load(form).astype(int) - pixels).max() <= 1
    assert (images.load(pixels[:, :, ::-1], bgr=True) == pixels).all()
    grey = pixels[:, :, 0]
    for flat in (grey, grey[:, :, None]):
        assert (images.load(flat) == grey[:, :, None]).all()


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros((3, 40, 50), np.uint8), "moveaxis"),
        (np.zeros((2, 40, 50, 3), np.uint8), "an array must be"),
        (np.zeros((0, 5, 3), np.uint8), "an array must be"),
        (np.zeros((4, 5), complex), "an array must be"),
    ],
)
def test_arrays_that_are_no_picture_are_said(array: np.ndarray, sentence: str) -> None:
    """Channels first, a batch, nothing, complex numbers: one sentence each."""
    with pytest.raises(ImageError, match=sentence):
        images.load(array)


def test_bytes_and_files_of_every_kind_are_read(photo: Pillow.Image, tmp_path: Path) -> None:
    """A bytearray, a view, an open file, one that was read already: the same picture."""
    data = encoded(photo, "PNG")
    (tmp_path / "p.png").write_bytes(data)
    past = BytesIO(data)
    past.read()
    with (tmp_path / "p.png").open("rb") as file:
        for form in (bytearray(data), memoryview(data), file, past, str(tmp_path / "p.png")):
            assert difference(images.load(form), photo) == 0


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "not NoneType"),
        ("a\0b", "not a path"),
        ("data:image/png;base64,SECRET" * 9, "data URI"),
        ("SECRET" * 999, "base64"),
        (StringIO("SECRET"), "binary mode"),
    ],
)
def test_what_is_no_photo_at_all_is_said_without_repeating_it(value: Any, sentence: str) -> None:
    """None, text with a zero byte, a data URI, base64, a file of text."""
    with pytest.raises(ImageError, match=sentence) as refused:
        images.load(value)
    assert "SECRET" not in str(refused.value)


def test_photos_of_iphones_are_read(photo: Pillow.Image) -> None:
    """HEIC, with the extra."""
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra `heic` is not installed")
    pillow_heif.register_heif_opener()
    assert difference(images.load(encoded(photo, "HEIF", quality=90)), photo) < 8


def test_a_photo_without_permission_is_said(
    photo: Pillow.Image, tmp_path: Path, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    """A file that this user may not read is an ImageError that says so."""
    path = tmp_path / "secret.png"
    photo.save(path)
    path.chmod(0)
    with unprivileged(), pytest.raises(ImageError, match=r"secret\.png"):
        images.load(path)
