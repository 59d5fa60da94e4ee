"""What an audio file says of itself: title, artists, album, ids, duration, and its picture.

Three readers, each where it is good: tinytag (quick, and knows several artists), APEv2 of ours,
and PyAV (every container, with the bytes of text that is no UTF-8). None of them may stop a scan:
a reader that fails, in whatever way, has read nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from emotion_dj.sources import apev2
from emotion_dj.sources.text_guess import guess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

_T = TypeVar("_T")

MAX_SECONDS: Final = 10 * 86_400.0
"""A header that claims a longer duration is not believed."""

MAX_PICTURE: Final = 8_000_000
LOST: Final = "\ufffd"
"""What stands where a reader could not decode a byte: another has to read the file."""

_MUSICBRAINZ: Final = "http://musicbrainz.org"
_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_YEAR: Final = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?=\d{4}(?!\d)|(?!\d))")
_MBID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SEVERAL: Final = re.compile(r"[\0;]")
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("title",),
    "artists": ("artists", "artist", "author"),
    "album_artists": ("album_artist", "albumartist", "album artist"),
    "album": ("album",),
    "isrc": ("isrc", "tsrc"),
    "mbid": ("musicbrainz_trackid", "musicbrainz track id", "musicbrainz/track id"),
    "genres": ("genre", "genres"),
    "year": ("originaldate", "originalyear", "date", "year"),
}
"""How PyAV and APEv2 call a field, in lower case, the better one first."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is written in a file; empty, or None, where nothing is. ``duration`` is in seconds."""

    title: str = ""
    artists: tuple[str, ...] = ()
    album_artists: tuple[str, ...] = ()
    album: str = ""
    isrc: str = ""
    mbid: str = ""
    genres: tuple[str, ...] = ()
    year: int | None = None
    duration: float | None = None

    def __or__(self, other: Metadata) -> Metadata:
        """Return this with what it lacks filled in from the other."""
        return Metadata(*(getattr(self, f) or getattr(other, f) for f in self.__slots__))

    @property
    def is_complete(self) -> bool:
        """Whether no other reader is worth asking."""
        return bool(self.title and self.artists and self.duration)


def read(path: Path) -> Metadata:
    """Return what a file says of itself; empty where nothing can be read. Raises nothing."""
    readers: list[Callable[[Path], Metadata]] = [_by_tinytag, _by_apev2, _by_av]
    if _has_only_id3v1(path):
        readers = readers[1:]
    metadata = Metadata()
    for reader in readers:
        metadata |= _attempt(reader, path, Metadata())
        if metadata.is_complete:
            break
    return replace(metadata, artists=metadata.artists or metadata.album_artists)


def picture(path: Path) -> bytes | None:
    """Return the encoded front cover in a file, else any picture, None without one that is small
    enough. Raises nothing.
    """
    data = _attempt(_tinytag_picture, path, None) or _attempt(_av_picture, path, None)
    return data if data and len(data) <= MAX_PICTURE else None


def _attempt(reader: Callable[[Path], _T], path: Path, nothing: _T) -> _T:
    """Return what a reader makes of a file. Whatever it raises is the file's fault."""
    try:
        return reader(path)
    except Exception:  # noqa: BLE001 - three libraries over damaged files: no list of errors ends
        return nothing


def _has_only_id3v1(path: Path) -> bool:
    """Tell an MP3 whose old tag holds bytes in an encoding that nobody says, not Latin-1 as
    tinytag takes it for.
    """
    try:
        with path.open("rb") as file:
            return file.read(3) != b"ID3" and path.suffix.lower() in {".mp3", ".mp2", ".mp1"}
    except OSError:
        return False


def _by_tinytag(path: Path) -> Metadata:
    from tinytag import TinyTag

    tag = TinyTag.get(path)
    other: Mapping[str, list[str]] = tag.other
    artists = _names([tag.artist or "", *other.get("artist", ())])
    return Metadata(
        title=_first([tag.title, *other.get("title", ())]),
        artists=artists[1:] if _is_joined(artists) else artists,
        album_artists=_names([tag.albumartist or "", *other.get("albumartist", ())]),
        album=_first([tag.album]),
        isrc=_isrc(other.get("isrc", ())),
        mbid=_mbid([*_any(other, _KEYS["mbid"]), *_unique_ids(other.get("ufid", ()))]),
        genres=_names([tag.genre or "", *other.get("genre", ())]),
        year=year_of([*other.get("originaldate", ()), tag.year]),
        duration=_seconds(tag.duration),
    )


def _by_apev2(path: Path) -> Metadata:
    with path.open("rb") as file:
        fields = apev2.read(file)
    return _of_fields({key: [guess(raw) for raw in values] for key, values in fields.items()})


def _by_av(path: Path) -> Metadata:
    import av

    with av.open(str(path), metadata_errors="surrogateescape") as container:
        streams = container.streams.audio
        pairs = [*container.metadata.items(), *(streams[0].metadata.items() if streams else ())]
        duration = container.duration / av.time_base if container.duration else None
    fields: dict[str, list[str]] = {}
    for key, value in pairs:
        text = guess(value.encode("utf-8", "surrogateescape"))
        fields.setdefault(key.lower(), []).append(text)
    return replace(_of_fields(fields), duration=_seconds(duration))


def _of_fields(fields: Mapping[str, list[str]]) -> Metadata:
    """Return what named fields say, whoever read them."""

    def values(name: str) -> list[str]:
        return _any(fields, _KEYS[name])

    return Metadata(
        title=_first(values("title")),
        artists=_names(values("artists")),
        album_artists=_names(values("album_artists")),
        album=_first(values("album")),
        isrc=_isrc(values("isrc")),
        mbid=_mbid(values("mbid")),
        genres=_names(values("genres")),
        year=year_of(values("year")),
    )


def _any(fields: Mapping[str, list[str]], keys: Iterable[str]) -> list[str]:
    """Return the values of the first key that has any."""
    return next((fields[key] for key in keys if any(fields.get(key, ()))), [])


def _first(values: Iterable[str | None]) -> str:
    """Return the first value that is not blank and lost no letter."""
    texts = ((value or "").strip("\0 \t\r\n") for value in values)
    return next((text for text in texts if text and LOST not in text), "")


def _names(values: Iterable[str]) -> tuple[str, ...]:
    """Return each name once; a slash is part of a name, as in AC/DC, a semicolon parts two."""
    parts = (part.strip() for value in values for part in _SEVERAL.split(value))
    names = tuple(dict.fromkeys(part for part in parts if part))
    return () if any(LOST in name for name in names) else names


def _is_joined(names: tuple[str, ...]) -> bool:
    """Tell whether the first name is the others in one text, as ARTIST is those of ARTISTS."""
    return len(names) > 2 and all(name in names[0] for name in names[1:])  # noqa: PLR2004 - "A & B"


def _isrc(values: Iterable[str]) -> str:
    codes = (value.replace("-", "").replace(" ", "").upper() for value in values)
    return next((code for code in codes if _ISRC.fullmatch(code)), "")


def _mbid(values: Iterable[str]) -> str:
    """Return MusicBrainz's id of a recording; what taggers call the track's id is that."""
    return next((value.lower() for value in values if _MBID.fullmatch(value.lower())), "")


def _unique_ids(values: Iterable[str]) -> list[str]:
    """Return those of ID3's ids that MusicBrainz gave: each is its giver, a zero byte, the id."""
    pairs = (value.partition("\0") for value in values)
    return [given for giver, _, given in pairs if giver == _MUSICBRAINZ]


def year_of(values: Iterable[Any]) -> int | None:
    """Return the first year, of four digits, that dates in any order hold."""
    found = (_YEAR.search(str(value)) for value in values if value)
    return next((int(year[0]) for year in found if year), None)


def _seconds(duration: Any) -> float | None:
    return float(duration) if duration and 0 < duration < MAX_SECONDS else None


def _tinytag_picture(path: Path) -> bytes | None:
    from tinytag import TinyTag

    images = TinyTag.get(path, duration=False, image=True).images
    image = images.front_cover or images.any
    return image.data if image else None


def _av_picture(path: Path) -> bytes | None:
    import av

    with av.open(str(path), metadata_errors="surrogateescape") as container:
        for stream in container.streams.video:
            if stream.disposition & av.stream.Disposition.attached_pic:
                packet = next(container.demux(stream))
                return bytes(packet) or None
    return None
