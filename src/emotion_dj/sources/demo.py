"""The demo library: 28 short tracks in five moods (PyPI: immich-memories-music, MIT)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from emotion_dj.errors import MissingExtra
from emotion_dj.sources.local import Local, path_of

if TYPE_CHECKING:
    from emotion_dj.domain import Track


@dataclass(frozen=True, slots=True)
class Demo(Local):
    """A local source over the package's files, with titles for people. Extra ``demo``."""

    def describe(self, track: Track) -> Track:
        """Return the track with a title made of its file name and folder."""
        described = Local.describe(self, track)
        words = path_of(track).stem.replace("_s", "_no_").replace("_", " ")
        return replace(described, title=words.capitalize())


def demo() -> Demo:
    """Return the demo library. Raises MissingExtra."""
    if find_spec("immich_memories_music") is None:
        raise MissingExtra("demo", "the demo library")
    from immich_memories_music import tracks_dir  # noqa: PLC0415 - optional

    return Demo(roots=(tracks_dir(),), name="demo")
