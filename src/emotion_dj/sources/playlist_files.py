"""Playlists of other players as a source: M3U, M3U8, PLS, XSPF and JSPF; a CUE sheet is one too.

Each song is looked for as the playlist names it, beside the playlist where it was moved with its
music, and in other letters where another system wrote it: drives and backslashes, names without
case, accents in two parts, any encoding.
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET

from emotion_dj.domain import Omission, Track
from emotion_dj.errors import DataError, LibraryError
from emotion_dj.sources import folders, table_files, text_guess
from emotion_dj.sources.local import Local

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emotion_dj.json_types import Json

SUFFIXES: Final = frozenset({".m3u", ".m3u8", ".pls", ".xspf", ".jspf", ".cue"})

_ENCODINGS: Final = ("utf-8", "cp1252", "cp1251", "shift_jis", "cp437", "latin-1")
_PLS: Final = re.compile(rb"file\d+\s*=\s*(.*)", re.IGNORECASE)
_FILE: Final = re.compile(r"file:(?://(?:localhost)?(?=/))?", re.IGNORECASE)
_DRIVE: Final = re.compile(r"/?[a-z][:|](?=[\\/])", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)
"""How an address begins; a single letter would be a drive."""

_PART: Final = re.compile(r"#t=(\d+(?:\.\d+)?)(?:,\d+(?:\.\d+)?)?$")
_START: Final = re.compile(rb"#EXTVLCOPT:\s*start-time\s*=\s*(\d+(?:\.\d+)?)$", re.IGNORECASE)
"""How a part of a file is named: as we name it, and as VLC does."""

_TOLD: Final = ("location", "creator", "title")

_NEAR_S: Final = 0.002
"""Two times so near are one: they are written with three decimals."""

_ABOVE: Final = 4
"""Folders above that of the playlist in which a song is looked for that is not where it was."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One song of a playlist: ``name`` for people, and the spellings that its bytes may mean.

    ``begin`` is where a part of a file begins that is meant alone, in seconds.
    """

    name: str
    spellings: tuple[str, ...]
    begin: float | None = None


@dataclass(frozen=True, slots=True)
class Playlists(Local):
    """Fits what `Local` does. It has no ``roots``: what a playlist no longer lists is not gone."""

    paths: tuple[Path, ...] = ()

    def listing(self) -> Iterator[Track | Omission]:
        """Yield the songs in their order, each once, and those that cannot be found.

        Raises DataError for a file that is no playlist, LibraryError where none of its songs is
        there.
        """
        for path in self.paths:
            yield from _songs(path)

    def check(self) -> None:
        """Raise DataError for a file that is no playlist; no song is looked for."""
        for path in self.paths:
            read(path)


def is_playlist(path: Path) -> bool:
    """Tell a playlist from a folder or a song by its name."""
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def read(path: Path) -> list[Entry]:
    """Return what a playlist lists. Raises DataError."""
    readers = {".pls": _pls, ".xspf": _xspf, ".jspf": _jspf}
    try:
        data = path.read_bytes()
        if folders.is_sheet(path.name):
            return [Entry(path.name, (str(path.absolute()),))]
        return readers.get(path.suffix.lower(), _m3u)(data)
    except (OSError, ValueError, ET.ParseError) as error:
        why = getattr(error, "strerror", None) or error
        msg = f"{path} cannot be read as a playlist: {why}"
        raise DataError(msg) from error


def uris(path: Path) -> frozenset[str]:
    """Return the uris of the songs that a playlist lists, also of those that are not there; a link
    and what it leads to are both. Raises DataError.
    """
    finder = _Finder(path)
    return frozenset(uri for entry in read(path) for uri in _uris(entry, finder))


def _uris(entry: Entry, finder: _Finder) -> Iterator[str]:
    name = entry.spellings[0] if entry.spellings else ""
    if not name or _is_elsewhere(name):
        yield from entry.spellings
        return
    named = finder.folder / _path_of(name)
    yield Path(os.path.abspath(named)).as_uri()  # noqa: PTH100 - links stay
    for track in finder.tracks(entry):
        yield track.uri


def _songs(path: Path) -> Iterator[Track | Omission]:
    finder, entries, seen = _Finder(path), read(path), set[str]()
    if not entries:
        msg = f"{path} lists no song: name another playlist, or a folder"
        raise LibraryError(msg)
    missed = []
    for entry in entries:
        tracks = finder.tracks(entry)
        yield from (track for track in tracks if track.uri not in seen)
        seen.update(track.uri for track in tracks)
        if not tracks:
            missed.append(entry.name)
    if not seen:
        msg = f"none of the {len(entries)} songs that {path} lists is here: '{missed[0]}' is one"
        raise LibraryError(msg)
    for name in missed:
        yield Omission(path.absolute().as_uri(), "not_found", f"'{name}' of {path} is not here")


@dataclass(slots=True)
class _Finder:
    """Finds the songs of one playlist; what folders hold is looked up once."""

    playlist: Path
    _names: dict[Path, dict[str, str]] = field(default_factory=dict)
    _files: folders.SingleFiles = field(default_factory=folders.SingleFiles)

    @property
    def folder(self) -> Path:
        """The folder of the playlist."""
        return self.playlist.absolute().parent

    def tracks(self, entry: Entry) -> list[Track]:
        """Return the tracks of an entry's file; that which begins where the entry says, if any."""
        found = self.find(entry)
        tracks = list(self._files.tracks(found)) if found else []
        return [track for track in tracks if _begins(track, entry.begin)] or tracks

    def find(self, entry: Entry) -> Path | None:
        """Return the entry's file, None where there is none, or it is elsewhere in the network."""
        for name in entry.spellings:
            if _is_elsewhere(name):
                continue
            quoted = _unquoted(name) if "%" in name else name
            for form in dict.fromkeys((name, quoted, _PART.sub("", quoted))):
                found = self._look(_path_of(form))
                if found is not None:
                    return found
        return None

    def _look(self, name: str) -> Path | None:
        """Look for a path as it is written, then in other letters, then near the playlist."""
        exact = os.path.join(self.folder, name)  # noqa: PTH118 - a text may be no path at all
        if _is_song(exact):
            return Path(exact)
        parts = _parts(name)
        begin = Path("/") if name.startswith("/") else self.folder
        found = None if _DRIVE.match(name) else self._below(begin, parts)
        return found or self._near([part for part in parts if part != ".."])

    def _near(self, parts: Sequence[str]) -> Path | None:
        """Look for the end of a path, the longest first, in the folders around the playlist; above
        its own a name alone says too little.
        """
        for base in (self.folder, *self.folder.parents[:_ABOVE]):
            least = 1 if base == self.folder else 2
            for start in range(len(parts) - least + 1):
                found = self._below(base, parts[start:])
                if found is not None:
                    return found
        return None

    def _below(self, base: Path, parts: Sequence[str]) -> Path | None:
        """Follow a path from a folder, by names that are the same to a person."""
        place = base
        for part in parts:
            if part == "..":
                place = place.parent
                continue
            name = self._listed(place).get(_same(part))
            if name is None:
                return None
            place = place / name
        return place if _is_song(place) else None

    def _listed(self, folder: Path) -> dict[str, str]:
        """Return the names in a folder by what is the same of them; none where it is not there."""
        if folder not in self._names:
            try:
                names = sorted(os.listdir(folder))  # noqa: PTH208 - names alone
            except (OSError, ValueError):
                names = []
            self._names[folder] = {_same(name): name for name in names}
        return self._names[folder]


def _begins(track: Track, begin: float | None) -> bool:
    section = track.section if begin is not None else None
    return section is not None and abs(section.begin - (begin or 0.0)) < _NEAR_S


def _is_song(path: str | Path) -> bool:
    """Tell a file of audio, or a sheet; what is too long, or holds a zero, is none."""
    name = os.fspath(path)
    is_named = folders.is_audio(name) or folders.is_sheet(name)
    return is_named and os.path.isfile(name)  # noqa: PTH113 - raises nothing


def _is_elsewhere(name: str) -> bool:
    """Tell an address that is not of a file."""
    return bool(_ADDRESS.match(name)) and not _FILE.match(name)


def _same(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _path_of(name: str) -> str:
    """Return the path of a file: address, or the path that is none."""
    begin = _FILE.match(name)
    return _unquoted(name[begin.end() :]) if begin else name


def _unquoted(name: str) -> str:
    """Return a path without the escapes of addresses, whatever bytes it is made of."""
    return os.fsdecode(unquote_to_bytes(os.fsencode(name)))


def _parts(name: str) -> list[str]:
    """Return the names on a path, of whatever system, without its drive or server."""
    is_windows = _DRIVE.match(name) or "\\" in name
    plain = _DRIVE.sub("", name).replace("\\", "/") if is_windows else name
    return [part for part in plain.split("/") if part not in {"", "."}]


def _m3u(data: bytes) -> list[Entry]:
    entries, begin = [], None
    for line in map(bytes.strip, _as_utf8(data).splitlines()):
        if start := _START.match(line):
            begin = float(start[1])
        elif line and not line.startswith(b"#"):
            entries.append(_entry(line, begin))
            begin = None
    return entries


def _pls(data: bytes) -> list[Entry]:
    found = (_PLS.fullmatch(line.strip()) for line in _as_utf8(data).splitlines())
    return [_entry(match[1].strip().strip(b'"')) for match in found if match and match[1].strip()]


def _as_utf8(data: bytes) -> bytes:
    """Return bytes without the mark of an encoding; what says that it is UTF-16 as UTF-8."""
    said = table_files.encoding_by_head(data[:64])
    return data.decode(said).encode() if said else data


def _entry(line: bytes, begin: float | None = None) -> Entry:
    """Return a line as what the disk may call it, and what any encoding makes of it."""
    spellings = [os.fsdecode(line)]
    for encoding in () if line.isascii() else _ENCODINGS:
        try:
            spellings.append(line.decode(encoding))
        except UnicodeDecodeError:
            continue
    name = text_guess.guess(line)
    return Entry(name, tuple(dict.fromkeys(spellings)), _begin(name) if begin is None else begin)


def _begin(name: str) -> float | None:
    part = _PART.search(name)
    return float(part[1]) if part else None


def _xspf(data: bytes) -> list[Entry]:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        msg = "it defines entities, which no playlist needs"
        raise ValueError(msg)
    entries = []
    for track in ET.fromstring(data).iter():  # noqa: S314 - nothing in it can grow
        if track.tag.rpartition("}")[2] == "track":
            told = {part.tag.rpartition("}")[2]: (part.text or "").strip() for part in track}
            entries.append(_told(*map(told.get, _TOLD)))
    return entries


def _jspf(data: bytes) -> list[Entry]:
    (document,) = table_files.documents(_as_utf8(data).decode())
    try:
        tracks = document["playlist"]["track"]
        return [_told(*(track.get(name) for name in _TOLD)) for track in tracks]
    except (KeyError, TypeError, AttributeError) as error:
        msg = "it has no playlist with tracks"
        raise ValueError(msg) from error


def _told(location: Json, creator: Json, title: Json) -> Entry:
    """Return an entry by its first location; without one it has its name alone."""
    place = next(iter(location), "") if isinstance(location, list) else location
    name = " - ".join(str(part) for part in (creator, title) if part)
    if not place:
        return Entry(name, ())
    address = str(place).encode("utf-8", "ignore").decode()  # JSON may hold half a letter
    plain = address if _ADDRESS.match(address) else _unquoted(address)
    return Entry(plain, tuple(dict.fromkeys((plain, address))), _begin(plain))
