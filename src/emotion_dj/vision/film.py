"""Films: pictures at steady times, whatever their frame rate, depth and turn, and what faces show.

One frame is held at a time, so memory does not grow with the length of a film.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from emotion_dj.errors import ImageError, NoFace
from emotion_dj.vision import smoothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from emotion_dj.domain import Face, Image, Reading
    from emotion_dj.vision.smoothing import Person

    Read = Callable[[Image], tuple[list[Face], list[Reading]]]

SUFFIXES: Final = frozenset(".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .ts .3gp .ogv .wmv".split())
EVERY: Final = 0.5
"""Seconds from one reading to the next."""

_LARGEST: Final = 1280
"""Longest side of a picture that is searched; larger frames are made smaller."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a film shows at a time in seconds: everyone who is followed, their readings smoothed."""

    seconds: float
    people: tuple[Person, ...]


def is_film(path: Path) -> bool:
    """Tell whether a file is a film by its name."""
    return path.suffix.lower() in SUFFIXES


def moments(path: Path, read: Read, *, every: float = EVERY) -> Iterator[Moment]:
    """Yield what a film shows every so many seconds; ``read`` finds and reads faces.

    Raises ImageError where it cannot be read, NoFace where nobody is in all of it.
    """
    room, anybody = smoothing.Room(), False
    for seconds, image in frames(path, every=every):
        room = smoothing.follow(room, *read(image), seconds)
        anybody = anybody or bool(room.people)
        yield Moment(seconds, room.people)
    if not anybody:
        msg = f"no face found in all of {path.name}: try one that shows a face nearer"
        raise NoFace(msg)


def frames(path: Path, *, every: float = EVERY) -> Iterator[tuple[float, Image]]:
    """Yield (seconds from the start, upright picture), the first one at or after each time.

    What precedes the damage in a cut-off film is yielded. Raises ImageError.
    """
    import av

    if path.suffix.lower() == ".gif":
        msg = f"{path.name} is a GIF, which is read as a photo, its first picture: save it as .mp4"
        raise ImageError(msg)
    try:
        with av.open(str(path)) as container:
            yield from _frames(container, path.name, every)
    except FileNotFoundError as error:
        msg = f"{path} does not exist"
        raise ImageError(msg) from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        msg = f"{path.name} is not a film that can be read, or it is cut off: save it again"
        raise ImageError(msg) from error


def _frames(container: Any, name: str, every: float) -> Iterator[tuple[float, Image]]:
    if not container.streams.video:
        what = "only sound" if container.streams.audio else "no pictures"
        msg = f"there is {what} in {name}: name a film that shows a face"
        raise ImageError(msg)
    due = start = None
    for frame in _decoded(container, container.streams.video[0]):
        seconds = frame.time or 0.0
        start = seconds if start is None else start
        if due is None or seconds - start >= due:
            yield seconds - start, picture(frame)
            due = every * (1 + (seconds - start) // every)
    if start is None:
        msg = f"there is no picture in {name}: it is empty or cut off, save it again"
        raise ImageError(msg)


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the frames of a stream up to where it is damaged; raise what stops the first one."""
    import av

    stream.thread_type = "AUTO"
    shown = False
    try:
        for frame in container.decode(stream):
            shown = True
            yield frame
    except av.error.FFmpegError:
        if not shown:
            raise


def picture(frame: Any) -> Image:
    """Return a frame as an upright Image of at most 1280 pixels to a side.

    Phones hold their films as the sensor lies and say in the display matrix how to turn them.
    """
    factor = min(1.0, _LARGEST / max(frame.width, frame.height))
    small = frame.reformat(
        width=max(1, round(frame.width * factor)),
        height=max(1, round(frame.height * factor)),
        format="rgb24",
    )
    # PyAV's rotation is counterclockwise, as is numpy.rot90.
    return np.ascontiguousarray(np.rot90(small.to_ndarray(), round(frame.rotation / 90)))
