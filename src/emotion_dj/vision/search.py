"""Where to look for faces: at several sizes, part by part, and at other turns. Pure functions.

A search is any function from an Image to the faces in it, surest first, doubtful ones included.
"""

from __future__ import annotations

from math import cos, radians, sin
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image as Pillow

from emotion_dj.domain import Box, Face

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emotion_dj.domain import Image

    Search = Callable[[Image], list[Face]]

SIDES: Final = (320, 640, 1280)
"""Longest sides at which a photo is searched, coarse to fine: at 320 px faces are found from a
tenth of the picture on in 3 ms, at 1280 px from a hundredth on in 41 ms."""

MIN_SCORE: Final = 0.6
"""Less sure faces are not returned; real ones score 0.78 and more."""

HINT: Final = 0.3
"""What scores so much and is not believed makes a finer search worth while."""

SURE: Final = 0.92
"""A less sure face may be turned: upright ones that fill a search score more."""

FRAME: Final = 640
"""A picture no larger than this, in which somebody was seen, is searched finer on a hint only."""

QUARTERS: Final = (90, 180, 270)
TURNS: Final = (*QUARTERS, 30, 330)
"""Degrees clockwise by which a picture is turned to set its faces upright."""

SURER: Final = {640: 0.7, 1280: 0.75}
"""What a finer search adds must be surer: small real faces score 0.78 and more, while the finer the
search, the more textures look like faces. At 640 px MIN_SCORE is enough where nobody is known."""

TURNED_SCORE: Final = 0.8
"""What only a turned search shows must be surer: there are five of them."""

GAIN: Final = 0.03
"""By so much a turned view of a face must be surer than the upright one."""

COARSEST: Final = 12
FINER: Final = 10
"""Narrower faces, in pixels of the coarsest search and of finer ones, are not believed: gratings
and rows of pins look so to YuNet; a real one is wider in the next search."""

WORTH: Final = 1.5
"""How much finer the picture itself must be for another search once somebody is found."""

SAME: Final = 0.5
"""Two boxes are of one face if they share more than this much of the smaller one."""

GAP: Final = 1.0
"""A quick whole-number reduction may leave so many times what is wanted to the smooth one."""

WIDE: Final = 3
"""A picture so many times as long as high is searched in parts."""


def everywhere(image: Image, search: Search) -> list[Face]:
    """Return every upright face of an image, largest first; boxes are those of the image."""
    faces: list[Face] = []
    for x, y, part in _parts(image):
        faces = _merged(faces, [face.shifted(x, y) for face in _every_size(part, search)])
    return largest_first(faces)


def at_any_turn(image: Image, search: Search) -> list[Face]:
    """Return every face of an image, largest first, however it is turned.

    Where nobody or somebody doubtful is seen upright, a small copy is searched at other turns; the
    turn that shows a face best, if any is better, is then searched like the upright image.
    """
    faces = everywhere(image, search)
    if faces and min(face.score for face in faces) >= SURE:
        return faces
    turn = _best_turn(image, search, faces)
    return faces if turn is None else _replaced(faces, at_turn(image, search, turn))


def at_turn(image: Image, search: Search, degrees: int) -> list[Face]:
    """Return the faces that stand upright once the image is turned so far clockwise."""
    turned = turn_image(image, degrees)
    faces = everywhere(turned, search)
    return largest_first([_turned_back(face, degrees, turned, image) for face in faces])


def at_one_size(image: Image, search: Search, side: int = SIDES[0]) -> list[Face]:
    """Return the faces that one search of the image at this side shows."""
    faces: list[Face] = []
    for x, y, part in _parts(image):
        small, factor = shrink(part, side)
        seen = [face for face in search(small) if face.score >= MIN_SCORE and face.box.w > 0]
        faces = _merged(faces, [face.scaled(factor).shifted(x, y) for face in seen])
    return largest_first(faces)


def shrink(image: Image, side: int) -> tuple[Image, float]:
    """Return an image whose longer side is at most so many pixels, and how many times smaller."""
    height, width, _ = image.shape
    factor = max(height, width) / side
    if factor <= 1:
        return np.ascontiguousarray(image), 1.0
    size = max(1, round(width / factor)), max(1, round(height / factor))
    # By the mean of whole pixels as far as that goes: five times as quick as the filter alone.
    small = Pillow.fromarray(image).resize(size, Pillow.Resampling.BILINEAR, reducing_gap=GAP)
    return np.asarray(small), factor


def turn_image(image: Image, degrees: int) -> Image:
    """Return an image turned clockwise about its middle; its canvas grows as needed."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(image, -degrees // 90))
    whole = Pillow.fromarray(image)
    return np.asarray(whole.rotate(-degrees, Pillow.Resampling.BILINEAR, expand=True))


def largest_first(faces: list[Face]) -> list[Face]:
    """Sort faces by the area of their boxes."""
    return sorted(faces, key=lambda face: face.box.w * face.box.h, reverse=True)


def _parts(image: Image) -> Iterator[tuple[int, int, Image]]:
    """Yield (x, y, part): the image, or overlapping parts of one that is long and narrow.

    They overlap by its shorter side: a face is no larger than that.
    """
    height, width, _ = image.shape
    short, long = sorted((height, width))
    if not _is_wide(image):
        yield 0, 0, image
        return
    size = max(2 * short, SIDES[1])
    for start in range(0, max(1, long - short), size - short):
        if width > height:
            yield start, 0, image[:, start : start + size]
        else:
            yield 0, start, image[start : start + size]


def _every_size(image: Image, search: Search) -> list[Face]:
    """Search ever larger copies and gather what they show."""
    faces: list[Face] = []
    largest, whole = shrink(image, SIDES[-1])  # once: to shrink twelve megapixels takes a while
    for side in SIDES:
        small, part = shrink(largest, side)
        factor = part * whole
        narrowest, surest = _bar(side, factor, known=bool(faces))
        seen = search(small)
        found = [face for face in seen if face.score >= surest and face.box.w > narrowest]
        faces = _merged(faces, [face.scaled(factor) for face in found])
        if factor <= (WORTH if faces else 1):
            break
        if faces and max(image.shape) <= FRAME and not _hints(seen, faces, factor):
            break
    return faces


def _bar(side: int, factor: float, *, known: bool) -> tuple[float, float]:
    """Return how wide and how sure a face must be to be believed in a search at this side."""
    if side == SIDES[0]:
        return (COARSEST if factor > 1 else 0), MIN_SCORE
    return FINER, MIN_SCORE if side == SIDES[1] and not known else SURER[side]


def _hints(seen: list[Face], faces: list[Face], factor: float) -> bool:
    """Tell whether a search shows what may be a face beside those that are believed."""
    return any(
        all(_shared(face.box, other.scaled(factor).box) <= SAME for face in faces)
        for other in seen
        if other.score >= HINT
    )


def _best_turn(image: Image, search: Search, faces: list[Face]) -> int | None:
    """Return the turn at which a small copy shows a face best, None where upright is best."""
    wide = _is_wide(image)  # searched in parts, which a slanting canvas would multiply
    small, factor = (image, 1.0) if wide else shrink(image, SIDES[0])
    best, chosen = 0.0, None
    for degrees in QUARTERS if wide else TURNS:
        turned = turn_image(small, degrees)
        for face in at_one_size(turned, search):
            placed = _turned_back(face, degrees, turned, small).scaled(factor)
            if face.score > best and _gains(placed, faces):
                best, chosen = face.score, degrees
    return chosen


def _is_wide(image: Image) -> bool:
    short, long = sorted(image.shape[:2])
    return bool(long > max(WIDE * short, SIDES[1]))


def _gains(face: Face, faces: list[Face]) -> bool:
    """Tell whether a turned view is better than all views that there are of the same face."""
    rivals = [other.score for other in faces if _shared(other.box, face.box) > SAME]
    return face.score >= (max(rivals) + GAIN if rivals else TURNED_SCORE)


def _replaced(faces: list[Face], turned: list[Face]) -> list[Face]:
    """Put better turned views in the place of upright ones, and add those that are new."""
    better = [face for face in turned if _gains(face, faces)]
    left = [face for face in faces if all(_shared(face.box, other.box) <= SAME for other in better)]
    return largest_first([*left, *better])


def _turned_back(face: Face, degrees: int, turned: Image, image: Image) -> Face:
    """Return a face of the turned image as it stands in the image."""
    height, width, _ = image.shape
    rows, columns, _ = turned.shape
    c, s = cos(radians(degrees)), sin(radians(degrees))

    def back(x: float, y: float) -> tuple[float, float]:
        dx, dy = x - columns / 2, y - rows / 2
        return width / 2 + dx * c + dy * s, height / 2 - dx * s + dy * c

    x, y = back(face.box.x + face.box.w / 2, face.box.y + face.box.h / 2)
    lying = degrees in (90, 270)
    w, h = (face.box.h, face.box.w) if lying else (face.box.w, face.box.h)
    landmarks = face.landmarks and tuple(back(*point) for point in face.landmarks)
    return Face(Box(x - w / 2, y - h / 2, w, h), face.score, landmarks, degrees)


def _merged(faces: list[Face], finer: list[Face]) -> list[Face]:
    """Add the faces that are new; one that was seen already keeps the surer of its two boxes."""
    merged = list(faces)
    for face in finer:
        rivals = [i for i, known in enumerate(faces) if _shared(known.box, face.box) > SAME]
        if not rivals:
            merged.append(face)
        elif len(rivals) == 1 and _alike(faces[rivals[0]], face):
            merged[rivals[0]] = max(faces[rivals[0]], face, key=lambda one: one.score)
    return merged


def _shared(a: Box, b: Box) -> float:
    """Return how much of the smaller box lies in the other, 0 to 1."""
    width = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    height = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    return max(0, width) * max(0, height) / max(1e-9, min(a.w * a.h, b.w * b.h))


def _alike(a: Face, b: Face) -> bool:
    """Say whether two boxes are of about one size: an eye is no other view of its face."""
    return max(a.box.w, b.box.w) < 2 * min(a.box.w, b.box.w)
