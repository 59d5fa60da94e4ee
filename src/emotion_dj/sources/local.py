"""The listener's own folders and files: a complete source in one page, to copy from."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from emotion_dj.domain import Track
from emotion_dj.errors import LibraryError
from emotion_dj.sources import fingerprint, folders, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emotion_dj.domain import Omission, Section
    from emotion_dj.sources.metadata import Metadata

_EDITION: Final = 4


@dataclass(frozen=True, slots=True)
class Local:
    """Fits `Source`, `AudioSource`, `FileSource`, `Listing` and `ArtworkProvider` of `interfaces`.

    ``roots`` are folders or files.
    """

    roots: tuple[Path, ...]
    name: str = "local"

    def tracks(self) -> Iterator[Track]:
        """Yield every audio file below the roots, by name. Raises LibraryError for a root that is
        not there or goes away meanwhile.
        """
        return (entry for entry in self.listing() if isinstance(entry, Track))

    def listing(self) -> Iterator[Track | Omission]:
        """Yield what `tracks` yields, and what is passed over. Raises LibraryError as it does."""
        for root in self.roots:
            _require(root)
            yield from folders.walk(root)

    def check(self) -> None:
        """Raise LibraryError for a root that is not there; nothing is looked through."""
        for root in self.roots:
            _require(root)

    def describe(self, track: Track) -> Track:
        """Return the track with its tags; a file whose tags cannot be read keeps its name."""
        written = metadata.read(path_of(track))
        if track.section:
            return _part(track, track.section, written)
        return replace(
            track,
            title=written.title or track.title,
            artists=written.artists,
            album=written.album,
            isrc=written.isrc or None,
            duration=written.duration,
            genres=written.genres,
            year=written.year,
            mbid=written.mbid or None,
        )

    def picture(self, track: Track) -> bytes | None:
        """Return the cover that the file carries, None where it has none."""
        return metadata.picture(path_of(track))

    @contextmanager
    def open(self, track: Track) -> Iterator[Path | Section]:
        """Give the path of the file, or the section of it that the track is."""
        yield track.section or path_of(track)

    def modification_tag(self, track: Track) -> str:
        """Return size and times of change, of the content and of anything, which cost one look, and
        the edition of what `describe` reads, so that what it has learnt to read is read; of a
        section also what its CUE sheet says.
        """
        status = os.stat(track.media.location if track.media else path_of(track))  # noqa: PTH116
        words = f".{_digest(track)}" if track.section else ""
        return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{_EDITION}{words}"

    def is_unchanged(self, before: str, now: str) -> bool:
        """Tell by two modification tags of a file whether nothing but its name or rights are new:
        size, time of change and edition are the same.
        """
        return _without_ctime(before) == _without_ctime(now)

    def fingerprint(self, track: Track) -> str:
        """Return a mark of the audio, which an edit of tags leaves as it is."""
        part = track.uri.partition("#t=")[2] if track.section else ""
        return fingerprint.of(path_of(track)) + (f"@{part}" if part else "")


def _without_ctime(modification_tag: str) -> list[str]:
    size, mtime, _, edition = (modification_tag.split("-") + [""] * 4)[:4]
    return [size, mtime, edition]


def _part(track: Track, section: Section, written: Metadata) -> Track:
    """Return a part of a file as its CUE sheet says it; the file's tags tell what that leaves."""
    end = written.duration if section.end is None else section.end
    return replace(
        track,
        artists=track.artists or written.artists,
        album=track.album or written.album,
        duration=None if end is None else max(0.0, end - section.begin),
        genres=track.genres or written.genres,
        year=track.year or written.year,
    )


def _digest(track: Track) -> str:
    words = repr((track.title, track.artists, track.album, track.genres, track.year))
    return hashlib.blake2b(words.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def path_of(track: Track) -> Path:
    """Return the file of a track of this source."""
    if track.path is None:
        msg = f"{track.uri} is not a local file"
        raise LibraryError(msg)
    return track.path


def _require(root: Path) -> None:
    if not root.exists():
        msg = f"{root} does not exist: name a folder of music, or a source such as demo"
        raise LibraryError(msg)
