"""The demo library: 28 short tracks in five moods (PyPI: immich-memories-music, MIT)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from emotion_dj.errors import MissingExtra
from emotion_dj.sources.local import Local, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from emotion_dj.domain import Section, Track


@dataclass(frozen=True, slots=True)
class Demo:
    """Fits `Source` and `AudioSource` of `interfaces`: a package's files, with titles for people.

    They are not the listener's own, so it is no `FileSource`: nobody tags them. Extra ``demo``.
    """

    files: Local
    name: str = "demo"

    def tracks(self) -> Iterator[Track]:
        """Yield every track, by name."""
        return self.files.tracks()

    def describe(self, track: Track) -> Track:
        """Return the track with a title made of its file name and folder."""
        words = path_of(track).stem.replace("_s", "_no_").replace("_", " ")
        return replace(self.files.describe(track), title=words.capitalize())

    def open(self, track: Track) -> AbstractContextManager[Path | Section]:
        """Give the path of the file."""
        return self.files.open(track)

    def modification_tag(self, track: Track) -> str:
        """Return size and times of change."""
        return self.files.modification_tag(track)

    def fingerprint(self, track: Track) -> str:
        """Return a hash of the content."""
        return self.files.fingerprint(track)


def uri_prefix() -> str:
    """Return how the uris of its tracks begin, or would where the extra is not installed."""
    return f"{demo().files.roots[0].resolve().as_uri()}/" if _is_here() else "demo:"


def demo() -> Demo:
    """Return the demo library. Raises MissingExtra."""
    if not _is_here():
        raise MissingExtra("demo", "the demo library")
    from immich_memories_music import tracks_dir

    return Demo(Local((tracks_dir(),)))


def _is_here() -> bool:
    return find_spec("immich_memories_music") is not None
