"""Files that grow while a song is transcoded into them, and a bounded cache of them."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from platformdirs import user_cache_path
from starlette.exceptions import HTTPException

from emotion_dj.errors import AudioError
from emotion_dj.music.transcode import transcode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emotion_dj.music.transcode import Target

MOST: Final = 2_000_000_000
"""Bytes of the cache; what was not asked for the longest goes first."""

PATIENCE_S: Final = 10.0
"""Seconds that a song waits for others to be done before it is refused."""

_BLOCK: Final = 1 << 16
_LOG: Final = logging.getLogger(__name__)


class Growing:
    """A file that one thread writes and any number read meanwhile; fits what PyAV writes to."""

    def __init__(self, path: Path, most: int) -> None:
        """Begin an empty file of at most so many bytes. Raises OSError."""
        self.path = path
        self._most = most
        self._has_room = True
        self.size = 0
        self.is_done = False
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._changed = threading.Condition()

    def write(self, data: bytes) -> int:
        """Write where the file stands, and tell who waits. Raises OSError without room."""
        try:
            written = self._written(data)
        except OSError:
            self._has_room = False
            raise
        with self._changed:
            self.size = max(self.size, self._file.tell())
            self._changed.notify_all()
        return written

    def _written(self, data: bytes) -> int:
        if self._file.tell() + len(data) > self._most:
            msg = "it is larger than all that may be kept"
            raise OSError(msg)
        return self._file.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move: a form may complete its beginning once it knows its end."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return where the file stands."""
        return self._file.tell()

    def end(self, path: Path) -> None:
        """Close the file and move it to ``path``; one that is empty or lacks its end is removed."""
        self._file.close()
        with self._changed:
            with suppress(OSError):  # somebody reads it, on a system that then moves nothing
                if self.size and self._has_room:
                    self.path = self.path.replace(path)
                else:
                    self.path.unlink()
            self.is_done = True
            self._changed.notify_all()

    def wait(self, size: int | None = None, timeout: float | None = None) -> None:
        """Return once more than ``size`` bytes are there, or else all, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(
                lambda: self.is_done or (size is not None and self.size > size), timeout
            )

    def blocks(self) -> Iterator[bytes]:
        """Yield all bytes while they are written, until the end."""
        place = 0
        with self._opened() as file:
            while True:
                self.wait(place)
                block = file.read(_BLOCK)
                if not block:
                    return
                place += len(block)
                yield block

    def _opened(self) -> BinaryIO:
        with self._changed:  # it is not moved meanwhile
            return self.path.open("rb")


class Transcodings:
    """Transcoded songs in a folder, made by threads of which no more run at once than ``workers``.

    ``most`` bounds the bytes of what is there and of each that is made.
    """

    def __init__(
        self, folder: Path | None = None, most: int = MOST, workers: int | None = None
    ) -> None:
        """Use the folder of the person's cache, and all cores, where nothing else is said."""
        self._folder = folder or user_cache_path("emotion-dj") / "transcoded"
        self._most = most
        self._places = threading.BoundedSemaphore(workers or os.cpu_count() or 1)
        self._running: dict[str, Growing] = {}
        self._lock = threading.Lock()

    def of(self, path: Path, target: Target) -> Path | Growing:
        """Return the whole file of a song in that form, or the one that is growing.

        Raises HTTPException (503) where too many others are being made, or nothing can be written.
        """
        name = _name(path, target)
        with self._lock:
            if ready := self._there(name):
                return ready
        if not self._places.acquire(timeout=PATIENCE_S):
            msg = "Too many songs are being converted: try again in a few seconds."
            raise HTTPException(503, msg, {"retry-after": "5"})
        return self._begun(name, path, target)

    def _there(self, name: str) -> Path | Growing | None:
        """Return what there is of a song, and note that it was asked for."""
        if name in self._running:
            return self._running[name]
        try:
            os.utime(self._folder / name)
        except OSError:
            return None
        return self._folder / name

    def _begun(self, name: str, path: Path, target: Target) -> Path | Growing:
        """Start a thread in the place that was taken, unless somebody else has meanwhile."""
        with self._lock:
            try:
                if ready := self._there(name):
                    self._places.release()
                    return ready
                self._folder.mkdir(parents=True, exist_ok=True)
                growing = Growing(self._folder / f"{name}.{os.getpid()}.part", self._most)
            except OSError as error:
                self._places.release()
                raise _no_room(error) from error
            self._running[name] = growing
        work = (name, path, target, growing)
        threading.Thread(target=self._make, args=work, daemon=True).start()
        return growing

    def _make(self, name: str, path: Path, target: Target, growing: Growing) -> None:
        try:
            transcode(path, growing, target)
        except (AudioError, OSError) as error:
            _LOG.warning("%s was sent up to where it broke: %s", path.name, error)
        finally:
            growing.end(self._folder / name)
            with self._lock:
                del self._running[name]
                with suppress(OSError):  # another process makes room as well
                    self._evict()
            self._places.release()

    def _evict(self) -> None:
        """Remove what was not asked for the longest until the rest fits; what grows is left."""
        growing = {running.path for running in self._running.values()}
        files = [path for path in self._folder.iterdir() if path not in growing]
        entries = sorted(((path.stat(), path) for path in files), key=lambda e: -e[0].st_mtime_ns)
        total = 0
        for status, path in entries:
            total += status.st_size
            if total > self._most:
                path.unlink()


def _no_room(error: OSError) -> HTTPException:
    msg = (
        f"The cache folder cannot be written ({error.strerror}): make room, or correct its rights."
    )
    return HTTPException(503, msg, {"retry-after": "60"})


def _name(path: Path, target: Target) -> str:
    """Return a name that changes with the place, the size and the time of a file."""
    status = path.stat()
    mark = f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}"
    digest = hashlib.blake2b(os.fsencode(mark), digest_size=16).hexdigest()
    return f"{digest}.{target.container}"
