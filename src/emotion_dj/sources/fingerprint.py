"""A mark of what sounds in a file, whatever its tags say: who edits a tag need not wait again.

FLAC says it itself, by the MD5 of its samples. Of other files three samples past the tags are
hashed, where the form of the file is understood, else of the whole file. Files are only read, and
what is damaged is taken as it lies.
"""

from __future__ import annotations

import hashlib
import os
import struct
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SAMPLE: Final = 65_536
_MOST_PARTS: Final = 10_000
"""Chunks, atoms and pages that are looked at in search of the audio: no file has more of them."""

_MD5: Final = slice(26, 42)
"""Where FLAC's first block, which begins the file, has the MD5 of the samples; zero: not known."""

_OGG_HEADER: Final = 27
_ID3V1: Final = 128
_APE_FOOTER: Final = 32
_HAS_APE_HEADER: Final = 1 << 31
_HAS_ID3_FOOTER: Final = 0x10
_ASF: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


class _Region(NamedTuple):
    """Where in a file its audio lies: from ``start`` to before ``end``."""

    start: int
    end: int


def of(path: Path) -> str:
    """Return the mark of a file's audio. Raises OSError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        whole = _without_tags(file, _Region(0, size))
        file.seek(whole.start)
        head = file.read(42)
        if head.startswith(b"fLaC") and any(head[_MD5]):
            return f"flac-{head[_MD5].hex()}"
        find = _FINDERS.get(head[:4]) or (_mp4 if head[4:8] == b"ftyp" else None)
        region = find(file, whole) if find else whole
        return _hashed(file, region, pages=head.startswith(b"OggS"))


def _hashed(file: BinaryIO, region: _Region, *, pages: bool) -> str:
    """Return a hash of the length of the audio and three samples of it."""
    length = region.end - region.start
    state = hashlib.blake2b(str(length).encode(), digest_size=16)
    for offset in (0, (length - _SAMPLE) // 2, length - _SAMPLE):
        file.seek(region.start + max(0, offset))
        sample = file.read(min(_SAMPLE, length))
        state.update(_unnumbered(sample) if pages else sample)
    return state.hexdigest()


def _without_tags(file: BinaryIO, whole: _Region) -> _Region:
    """Return what is left of a file without ID3v2 before it, and ID3v1 and APEv2 behind it."""
    file.seek(0)
    head = file.read(10)
    start, end = 0, whole.end
    if head.startswith(b"ID3") and len(head) == 10:  # noqa: PLR2004 - the length of that header
        size = sum(
            (byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
        )
        start = 10 + size + (10 if head[5] & _HAS_ID3_FOOTER else 0)
    if _at(file, end - _ID3V1, 3) == b"TAG":
        end -= _ID3V1
    foot = _at(file, end - _APE_FOOTER, 24)
    if foot.startswith(b"APETAGEX"):
        _, size, _, flags = struct.unpack("<IIII", foot[8:24])
        end -= size + (_APE_FOOTER if flags & _HAS_APE_HEADER else 0)
    return _Region(start, end) if start < end else whole


def _syncsafe(size: bytes) -> int:
    """Return a number of seven bits a byte, as ID3v2 writes it."""
    return sum((byte & 0x7F) << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))


def _chunks(name: bytes, order: str) -> Callable[[BinaryIO, _Region], _Region]:
    """Return what finds the chunk of a RIFF or AIFF file that has a name."""

    def find(file: BinaryIO, whole: _Region) -> _Region:
        place = whole.start + 12
        for _ in range(_MOST_PARTS):
            head = _at(file, place, 8)
            if len(head) < 8:  # noqa: PLR2004 - the length of that header
                break
            size = struct.unpack(f"{order}I", head[4:])[0]
            if head[:4] == name:
                return _Region(place + 8, min(place + 8 + size, whole.end))
            place += 8 + size + size % 2
        return whole

    return find


def _mp4(file: BinaryIO, whole: _Region) -> _Region:
    """Find the largest atom of media."""
    place, found, largest = whole.start, whole, 0
    for _ in range(_MOST_PARTS):
        head = _at(file, place, 16)
        if len(head) < 8:  # noqa: PLR2004 - the length of that header
            break
        size = struct.unpack(">I", head[:4])[0]
        begin = 8
        if size == 1 and len(head) == 16:  # noqa: PLR2004 - a size of 64 bits follows
            size, begin = struct.unpack(">Q", head[8:])[0], 16
        size = size or whole.end - place
        if size < begin:
            break
        if head[4:8] == b"mdat" and size > largest:
            found = _Region(place + begin, min(place + size, whole.end))
            largest = size
        place += size
    return found


def _asf(file: BinaryIO, whole: _Region) -> _Region:
    """Find what follows the header object of a WMA file, which holds its tags."""
    head = _at(file, whole.start, 24)
    if not head.startswith(_ASF) or len(head) < 24:  # noqa: PLR2004 - the length of that header
        return whole
    start = whole.start + struct.unpack("<Q", head[16:])[0]
    return _Region(start, whole.end) if start < whole.end else whole


def _ogg(file: BinaryIO, whole: _Region) -> _Region:
    """Find the first page of audio: those before it hold headers and tags, and stand at time 0."""
    place = whole.start
    for _ in range(_MOST_PARTS):
        head = _at(file, place, _OGG_HEADER + 255)
        if not head.startswith(b"OggS") or len(head) < _OGG_HEADER:
            break
        if struct.unpack("<q", head[6:14])[0] not in (0, -1):
            return _Region(place, whole.end)
        segments = head[26]
        place += _OGG_HEADER + segments + sum(head[_OGG_HEADER : _OGG_HEADER + segments])
    return whole


def _unnumbered(pages: bytes) -> bytes:
    """Return a stretch of Ogg from its first whole header on, without numbers and check sums of
    pages, which change with the number of pages before them.
    """
    parts = pages.split(b"OggS")[1:]
    return b"".join(part[:14] + part[22:] for part in parts)


def _at(file: BinaryIO, place: int, size: int) -> bytes:
    if place < 0:
        return b""
    file.seek(place)
    return file.read(size)


_FINDERS: Final[dict[bytes, Callable[[BinaryIO, _Region], _Region]]] = {
    b"RIFF": _chunks(b"data", "<"),
    b"FORM": _chunks(b"SSND", ">"),
    b"OggS": _ogg,
    _ASF[:4]: _asf,
}
"""How the audio is found in files that begin so."""
