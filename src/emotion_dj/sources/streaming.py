"""A track's audio on its way to a player, whatever its source can do: sent by the source itself
where it can stream, else read out of what it opens, or made of it, byte ranges included.
"""

from __future__ import annotations

import re
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import SEEK_END
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from emotion_dj.domain import Section
from emotion_dj.errors import NotAvailable
from emotion_dj.interfaces import AudioSource, Streamable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from emotion_dj.domain import Track
    from emotion_dj.interfaces import Audio, AudioStream

    Converter = Callable[[Audio], "Content | None"]

_BLOCK: Final = 1 << 16
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
_MAGIC: Final = (
    (re.compile(rb"OggS"), "audio/ogg"),
    (re.compile(rb"fLaC"), "audio/flac"),
    (re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"), "audio/aac"),
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


class Content(Protocol):
    """Bytes that are sent: of a file, or made when they are asked for."""

    @property
    def media_type(self) -> str:
        """What they are, as HTTP names it."""

    @property
    def size(self) -> int:
        """How many there are."""

    def blocks(self, first: int, length: int) -> Iterator[bytes]:
        """Yield so many bytes from the first on, once."""


@contextmanager
def stream(
    source: object, track: Track, headers: Mapping[str, str], convert: Converter = lambda _: None
) -> Iterator[AudioStream]:
    """Open a track's audio, or the byte range that ``headers`` ask for, for the block.

    ``convert`` returns what is sent in place of what a source opens, None for that itself. Raises
    NotAvailable where the source has no audio, or what the source and ``convert`` raise.
    """
    if isinstance(source, Streamable):
        with source.stream(track, headers) as sent:
            yield sent
    elif isinstance(source, AudioSource):
        with source.open(track) as audio, served(audio, headers, convert) as sent:
            yield sent
    else:
        msg = f"{track.title}: its audio is not to be had"
        raise NotAvailable(msg)


@contextmanager
def served(
    audio: Audio, headers: Mapping[str, str], convert: Converter = lambda _: None
) -> Iterator[ContentStream]:
    """Give what is sent of audio that is open, as `stream` does."""
    content = convert(audio)
    if content is not None:
        yield _ranged(content, headers.get("range", ""))
        return
    path = audio.path if isinstance(audio, Section) else audio
    with path.open("rb") if isinstance(path, Path) else nullcontext(path) as file:
        yield _ranged(FileContent(file), headers.get("range", ""))


@dataclass(frozen=True, slots=True)
class ContentStream:
    """Fits `interfaces.AudioStream`: ``length`` bytes of a content from ``first`` on."""

    status_code: int
    headers: Mapping[str, str]
    content: Content
    first: int
    length: int

    def iter_raw(self) -> Iterator[bytes]:
        """Yield the bytes, once, in blocks."""
        return self.content.blocks(self.first, self.length)


@dataclass(frozen=True, slots=True)
class FileContent:
    """Fits `Content`: an open file."""

    file: BinaryIO

    @property
    def media_type(self) -> str:
        """What the file begins as."""
        self.file.seek(0)
        return media_type(self.file.read(12))

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.file.seek(0, SEEK_END)

    def blocks(self, first: int, length: int) -> Iterator[bytes]:
        """Yield so many bytes from the first on."""
        self.file.seek(first)
        left = length
        while left > 0 and (block := self.file.read(min(_BLOCK, left))):
            left -= len(block)
            yield block


def _ranged(content: Content, wanted: str) -> ContentStream:
    """Return the whole content, or the one byte range that is wanted (RFC 9110, 14)."""
    size = content.size
    headers = {"content-type": content.media_type, "accept-ranges": "bytes"}
    first, last = _bounds(wanted, size)
    if first >= size > 0:
        headers |= {"content-range": f"bytes */{size}", "content-length": "0"}
        return ContentStream(416, headers, content, 0, 0)
    length = last - first + 1
    headers["content-length"] = str(length)
    if length == size:
        return ContentStream(200, headers, content, 0, size)
    headers["content-range"] = f"bytes {first}-{last}/{size}"
    return ContentStream(206, headers, content, first, length)


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
