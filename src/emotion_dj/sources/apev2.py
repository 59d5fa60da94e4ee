"""APEv2 tags at the end of a file, as some programs put them on MP3s, where no library looks.

The form (wiki.hydrogenaud.io, "APEv2 specification"): items of key and value, then a footer of 32
bytes that says how many and how large. Everything that a file claims is bounded before it is used.
"""

from __future__ import annotations

import struct
from io import SEEK_END
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES: Final = 4_000_000
"""Of all items together; what claims more, as of covers without end, is read as far as this."""

MAX_ITEMS: Final = 512
MAX_TEXT: Final = 65_536
_FOOTER: Final = struct.Struct("<8s4I8x")
_ITEM: Final = struct.Struct("<2I")
_ID3V1: Final = 128
_KEY: Final = range(2, 256)
_KIND, _TEXT, _IS_HEADER = 0b110, 0, 1 << 29


def read(file: BinaryIO) -> dict[str, list[bytes]]:
    """Return the text items at the end of a file: values, as bytes, by the key in lower case.

    Empty where there is no such tag, or none that makes sense. Raises OSError alone.
    """
    end, count, size = _footer(file)
    wanted = min(size - _FOOTER.size, end, MAX_BYTES)
    if wanted <= 0:
        return {}
    file.seek(max(0, end - (size - _FOOTER.size)))
    fields: dict[str, list[bytes]] = {}
    for key, value in _items(file.read(wanted), min(count, MAX_ITEMS)):
        fields.setdefault(key, []).extend(part for part in value.split(b"\0") if part.strip())
    return fields


def _footer(file: BinaryIO) -> tuple[int, int, int]:
    """Return where the footer begins, and the items and bytes that it claims; zeros without one."""
    length = file.seek(0, SEEK_END)
    file.seek(max(0, length - _ID3V1))
    beyond = _ID3V1 if length >= _ID3V1 and file.read(3) == b"TAG" else 0
    start = length - beyond - _FOOTER.size
    if start < 0:
        return 0, 0, 0
    file.seek(start)
    magic, _version, size, count, flags = _FOOTER.unpack(file.read(_FOOTER.size))
    if magic != b"APETAGEX" or flags & _IS_HEADER:
        return 0, 0, 0
    return start, count, size


def _items(data: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield key and value of each item that holds text, up to the first that makes no sense."""
    place = 0
    for _ in range(count):
        if place + _ITEM.size > len(data):
            return
        size, flags = _ITEM.unpack_from(data, place)
        start = place + _ITEM.size
        end = data.find(b"\0", start, start + _KEY.stop)
        if end - start not in _KEY or end + 1 + size > len(data):
            return
        place = end + 1 + size
        if flags & _KIND == _TEXT and size <= MAX_TEXT:
            yield data[start:end].decode("ascii", "replace").lower(), data[end + 1 : place]
