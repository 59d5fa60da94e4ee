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


def uri_prefix() -> str:
    """Return how the uris of its tracks begin, or would where the extra is not installed."""
    return f"{demo().roots[0].resolve().as_uri()}/" if _is_here() else "demo:"


def demo() -> Demo:
    """Return the demo library. Raises MissingExtra."""
    if not _is_here():
        raise MissingExtra("demo", "the demo library")
    from immich_memories_music import tracks_dir  # noqa: PLC0415 - optional

    return Demo(roots=(tracks_dir(),), name="demo")


def _is_here() -> bool:
    return find_spec("immich_memories_music") is not None
