"""A track's audio on its way to a player, whatever its source can do: sent by the source itself
where it can stream, else read out of what it opens, byte ranges included.
"""

from __future__ import annotations

import re
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import SEEK_END
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from emotion_dj.errors import NotAvailable
from emotion_dj.interfaces import AudioSource, Streamable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emotion_dj.domain import Track
    from emotion_dj.interfaces import AudioStream

_BLOCK: Final = 1 << 16
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
_MAGIC: Final = (
    (re.compile(rb"OggS"), "audio/ogg"),
    (re.compile(rb"fLaC"), "audio/flac"),
    (re.compile(rb"ID3|\xff[\xe2-\xff]"), "audio/mpeg"),
    (re.compile(rb"RIFF....WAVE", re.DOTALL), "audio/wav"),
    (re.compile(rb"....ftyp", re.DOTALL), "audio/mp4"),
    (re.compile(rb"\x1aE\xdf\xa3"), "audio/webm"),
    (re.compile(rb"FORM....AIF[FC]", re.DOTALL), "audio/aiff"),
)
UNKNOWN: Final = "application/octet-stream"


def can_stream(source: object) -> bool:
    """Tell whether `stream` can send a source's audio, by what the source implements."""
    return isinstance(source, Streamable | AudioSource)


@contextmanager
def stream(source: object, track: Track, headers: Mapping[str, str]) -> Iterator[AudioStream]:
    """Open a track's audio, or the byte range that ``headers`` ask for, for the block.

    Raises NotAvailable where the source has no audio, or what the source raises.
    """
    if isinstance(source, Streamable):
        with source.stream(track, headers) as sent:
            yield sent
    elif isinstance(source, AudioSource):
        with source.open(track) as audio, _readable(audio) as file:
            yield _served(file, headers.get("range", ""))
    else:
        msg = f"{track.title}: its audio is not to be had"
        raise NotAvailable(msg)


@dataclass(frozen=True, slots=True)
class FileStream:
    """Fits `interfaces.AudioStream`: ``length`` bytes of an open file from where it stands."""

    status_code: int
    headers: Mapping[str, str]
    file: BinaryIO
    length: int

    def iter_raw(self) -> Iterator[bytes]:
        """Yield the bytes, once, in blocks."""
        left = self.length
        while left > 0 and (block := self.file.read(min(_BLOCK, left))):
            left -= len(block)
            yield block


def _readable(audio: Path | BinaryIO) -> BinaryIO | nullcontext[BinaryIO]:
    return audio.open("rb") if isinstance(audio, Path) else nullcontext(audio)


def _served(file: BinaryIO, wanted: str) -> FileStream:
    """Return the whole file, or the one byte range that is wanted (RFC 9110, 14)."""
    size = file.seek(0, SEEK_END)
    file.seek(0)
    headers = {"content-type": media_type(file.read(12)), "accept-ranges": "bytes"}
    first, last = _bounds(wanted, size)
    if first >= size > 0:
        headers |= {"content-range": f"bytes */{size}", "content-length": "0"}
        return FileStream(416, headers, file, 0)
    file.seek(first)
    length = last - first + 1
    headers["content-length"] = str(length)
    if length == size:
        return FileStream(200, headers, file, size)
    headers["content-range"] = f"bytes {first}-{last}/{size}"
    return FileStream(206, headers, file, length)


def _bounds(wanted: str, size: int) -> tuple[int, int]:
    """Return the first and last byte of a range; what is none is the whole."""
    form = _RANGE.fullmatch(wanted.strip())
    first, last = form.groups() if form else ("", "")
    if first:
        end = min(int(last), size - 1) if last else size - 1
        return (int(first), end) if int(first) <= end or int(first) >= size else (0, size - 1)
    return (max(0, size - int(last)) if last else 0), size - 1


def media_type(beginning: bytes) -> str:
    """Return what the first bytes of a file (12 are enough) say that it is."""
    return next((kind for magic, kind in _MAGIC if magic.match(beginning)), UNKNOWN)
