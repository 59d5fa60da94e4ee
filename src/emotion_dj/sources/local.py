"""The listener's own folders and files: a complete source in one page, to copy from."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_from_bytes

from emotion_dj.domain import Media, Track
from emotion_dj.errors import LibraryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SUFFIXES: Final = frozenset(
    ".aac .ac3 .aif .aiff .ape .flac .m4a .m4b .mka .mp2 .mp3 .mp4 .mpc .oga .ogg .opus .spx .tta"
    " .wav .weba .webm .wma .wv".split()
)
_SAMPLE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Local:
    """Fits `Source`, `AudioSource` and `FileSource` of `interfaces`; ``roots`` are folders or files."""

    roots: tuple[Path, ...]
    name: str = "local"

    def tracks(self) -> Iterator[Track]:
        """Yield every audio file below the roots, by name; raises LibraryError for a bad root
        and for a folder that goes away meanwhile.
        """  # noqa: D205
        for root in self.roots:
            _require(root)
            yield from _audio_files(root)

    def check(self) -> None:
        """Raise LibraryError for a root that is not there; nothing is looked through."""
        for root in self.roots:
            _require(root)

    def describe(self, track: Track) -> Track:
        """Return the track with its tags; a file whose tags cannot be read keeps its name."""
        import mutagen  # noqa: PLC0415 - only for new files

        try:
            tags = mutagen.File(path_of(track), easy=True)
        except (mutagen.MutagenError, OSError):
            tags = None
        if tags is None:
            return track
        return replace(
            track,
            title=_first(tags, "title") or track.title,
            artists=tuple(map(str, tags.get("artist") or ())),
            album=_first(tags, "album"),
            isrc=_first(tags, "isrc") or None,
            duration=getattr(tags.info, "length", None),
        )

    @contextmanager
    def open(self, track: Track) -> Iterator[Path]:
        """Give the path of the file."""
        yield path_of(track)

    def modification_tag(self, track: Track) -> str:
        """Return size and time of change, which cost one look at the folder."""
        status = os.stat(track.media.location if track.media else path_of(track))  # noqa: PTH116
        return f"{status.st_size}-{status.st_mtime_ns}"

    def fingerprint(self, track: Track) -> str:
        """Return a hash of the size and three samples of the file, of 64 KiB each."""
        path = path_of(track)
        size = path.stat().st_size
        state = hashlib.blake2b(str(size).encode(), digest_size=16)
        with path.open("rb") as file:
            for offset in (0, (size - _SAMPLE) // 2, size - _SAMPLE):
                file.seek(max(0, offset))
                state.update(file.read(_SAMPLE))
        return state.hexdigest()


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


def _tracks(folder: Path, names: Iterable[str]) -> Iterator[Track]:
    """Yield a track for each file of a folder: `Path.as_uri` of every one would take longer than
    to look at them.
    """  # noqa: D205
    begin, where = folder.as_uri().rstrip("/"), os.path.join(folder, "")  # noqa: PTH118
    for name in names:
        title = os.fsencode(os.path.splitext(name)[0]).decode("utf-8", "replace")  # noqa: PTH122
        uri = f"{begin}/{quote_from_bytes(os.fsencode(name))}"
        yield Track(uri, title, media=Media("file", where + name))


def _audio_files(root: Path) -> Iterator[Track]:
    """Yield audio files in a stable order; folders that may not be entered are passed over."""
    root = root.resolve()
    if root.is_file():
        yield from _tracks(root.parent, [root.name])
        return
    for folder, folders, files in os.walk(root, onerror=_vanished):
        folders.sort()
        yield from _tracks(Path(folder), filter(_is_audio, sorted(files)))


def _is_audio(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122


def _vanished(error: OSError) -> None:
    """Stop where a folder was there a moment ago, as when a disk is pulled out: its files would
    count as removed.
    """  # noqa: D205
    if not isinstance(error, PermissionError):
        msg = (
            f"{error.filename} went away while it was looked through ({error.strerror}): scan again"
        )
        raise LibraryError(msg)


def _first(tags: Any, key: str) -> str:
    values = tags.get(key)
    return str(values[0]) if values else ""
