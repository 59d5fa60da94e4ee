"""CUE sheets: the tracks of an album that is one long file, by a text that lies beside it.

A sheet that cannot be read, or names no file that is there, changes nothing: the file is one track.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Final

from emotion_dj.sources.text_guess import guess

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emotion_dj.domain import Track

SUFFIX: Final = ".cue"
LARGEST: Final = 1_000_000
"""Bytes of the largest text that is taken for a sheet."""

_TIME: Final = re.compile(r"INDEX\s+0*1\s+(\d+):(\d\d):(\d\d)$", re.IGNORECASE)
_YEAR: Final = re.compile(r"\d{4}")
_FRAMES: Final = 75
"""Frames of a CD in a second."""


@dataclass(slots=True)
class Entry:
    """What a sheet says of its album or of one track, by command; ``begin`` is in seconds."""

    words: dict[str, str] = field(default_factory=dict)
    begin: float | None = None


@dataclass(slots=True)
class Sheet:
    """The tracks of one file, in order, and their album."""

    album: Entry
    entries: list[Entry]


def parse(text: str) -> dict[str, Sheet]:
    """Return what a sheet says by the name of each file, without folders; nothing if it is none."""
    album, files = Entry(), dict[str, Sheet]()
    sheet, entry = Sheet(album, []), album
    for line in map(str.strip, text.splitlines()):
        command, value = _command(line)
        if command == "FILE":
            sheet = files.setdefault(PureWindowsPath(value).name, Sheet(album, []))
        elif command == "TRACK":
            entry = Entry()
            sheet.entries.append(entry)
        elif time := _TIME.match(line):
            minutes, seconds, frames = map(int, time.groups())
            entry.begin = 60 * minutes + seconds + frames / _FRAMES
        elif command:
            entry.words[command] = value
    return files


def _command(line: str) -> tuple[str, str]:
    """Return a line's command in capitals, as in ``REM DATE``, and its value; a last word without
    quotes after a quoted value is the kind of a file.
    """
    name, _, rest = line.partition(" ")
    if name.upper() == "REM":
        sort, _, rest = rest.strip().partition(" ")
        name = f"REM {sort}"
    rest = rest.strip()
    if rest.startswith('"'):
        return name.upper(), rest[1:].partition('"')[0].strip()
    return name.upper(), rest.rpartition(" ")[0] if name.upper() == "FILE" else rest


def among(folder: str, sheets: Sequence[str], songs: Sequence[str]) -> dict[str, Sheet]:
    """Return the sheets of a folder by the song that each divides into more than one track."""
    found: dict[str, Sheet] = {}
    for name in sheets:
        for song, sheet in files(Path(folder, name), songs).items():
            if sheet and divides(sheet):
                found.setdefault(song, sheet)
    return found


def files(path: Path, songs: Sequence[str]) -> dict[str, Sheet | None]:
    """Return what a sheet says by the songs beside it that it is about.

    A file that a sheet names and that is not there is the one of the same stem, or the only one
    is that of the sheet's: albums are compressed after their sheet was written.
    """
    said, found = _read(path), dict[str, Sheet | None]()
    own = [path.stem] if len(said) == 1 else []
    for file, sheet in said.items():
        song = file if file in songs else _of_stem(songs, Path(file).stem, *own)
        if song:
            found.setdefault(song, sheet)
    return found


def _read(path: Path) -> dict[str, Sheet]:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return {}
        return parse(guess(path.read_bytes().removeprefix(b"\xef\xbb\xbf")))
    except OSError:
        return {}


def _of_stem(names: Sequence[str], *stems: str) -> str | None:
    return next((name for stem in stems for name in names if Path(name).stem == stem), None)


def divides(sheet: Sheet, shortest: float = 0.0) -> bool:
    """Tell whether there are several tracks, each longer than so many seconds."""
    begins = [-1.0 if entry.begin is None else entry.begin for entry in sheet.entries]
    rising = all(b - a > shortest for a, b in pairwise(begins))
    return len(begins) > 1 and begins[0] >= 0 and rising


def parts(track: Track, sheet: Sheet | None) -> Iterator[Track]:
    """Yield the tracks of a file that a sheet divides, each with a uri that tells from when to when
    (W3C Media Fragments): ``file:///album.flac#t=10.5,200``. What it does not divide is one track.
    """
    if sheet is None or not divides(sheet):
        yield track
        return
    ends = [f",{entry.begin:.3f}" for entry in sheet.entries[1:]] + [""]
    album = sheet.album.words
    year = _YEAR.search(album.get("REM DATE", ""))
    for number, (entry, end) in enumerate(zip(sheet.entries, ends, strict=True), start=1):
        performer = entry.words.get("PERFORMER") or album.get("PERFORMER")
        genre = album.get("REM GENRE")
        yield replace(
            track,
            uri=f"{track.uri}#t={entry.begin:.3f}{end}",
            title=entry.words.get("TITLE") or f"{track.title} {number}",
            artists=(performer,) if performer else (),
            album=album.get("TITLE", ""),
            genres=(genre,) if genre else (),
            year=int(year[0]) if year else None,
        )
