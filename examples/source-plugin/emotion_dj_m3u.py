"""An M3U playlist of local files as a source: EMOTION_DJ_M3U names it."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, unquote_to_bytes

from emotion_dj.domain import Media, Track
from emotion_dj.errors import LibraryError, NotAvailable, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "EMOTION_DJ_M3U"


PREFIX = "m3u:"


class M3U:
    """Fits `Source` and `AudioSource` of `emotion_dj.interfaces`; inherits nothing."""

    name = "m3u"

    def __init__(self) -> None:
        """Keep where the playlist is; it is read when its tracks are asked for."""
        if VARIABLE not in os.environ:
            msg = f"name your playlist in {VARIABLE}"
            raise SettingsError(msg)
        self.playlist = Path(os.environ[VARIABLE]).expanduser()

    def tracks(self) -> Iterator[Track]:
        """Yield every file of the playlist once, titled as the playlist says."""
        title, seen = "", set()
        for line in self._lines():
            if line.startswith("#EXTINF:"):
                title = line.partition(",")[2]
            elif line and not line.startswith("#"):
                path = (self.playlist.parent / line).resolve()
                if path not in seen:
                    seen.add(path)
                    uri = PREFIX + quote_from_bytes(os.fsencode(path))
                    yield Track(uri, title or path.stem, media=Media("file", str(path)))
                title = ""

    def describe(self, track: Track) -> Track:
        """Return the track: the playlist said everything."""
        return track

    @contextmanager
    def open(self, track: Track) -> Iterator[Path]:
        """Give the path of the file."""
        yield self._file(track)

    def modification_tag(self, track: Track) -> str:
        """Return size and time of change, which cost nothing."""
        status = self._file(track).stat()
        return f"{status.st_size}-{status.st_mtime_ns}"

    def fingerprint(self, track: Track) -> str:
        """Return a hash of the content."""
        with self._file(track).open("rb") as file:
            return hashlib.file_digest(file, "blake2b").hexdigest()[:32]

    def _lines(self) -> list[str]:
        try:
            return self.playlist.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{self.playlist} cannot be read as a playlist: {error}"
            raise LibraryError(msg) from error

    def _file(self, track: Track) -> Path:
        path = Path(os.fsdecode(unquote_to_bytes(track.uri.removeprefix(PREFIX))))
        if not path.is_file():
            msg = f"{track.title}: its file is not there any more"
            raise NotAvailable(msg)
        return path
