"""A library of beets, as a table: its songs with what plug-ins have found out about them.

Read only, and without beets: the file is SQLite, with the table ``items`` and, for whatever
plug-ins add, ``item_attributes`` (beets.io, "Library database API").
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.domain import AudioFeatures, Track
from emotion_dj.errors import DataError
from emotion_dj.sources import cells
from emotion_dj.sources.tables import FEATURES, NEEDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emotion_dj.json_types import JsonObject
    from emotion_dj.sources.tables import Row

_GENRES: Final = re.compile(r"[;,]|\\?␀")


def is_library(path: Path) -> bool:
    """Tell a beets library from any other file."""
    try:
        with path.open("rb") as file:
            if not file.read(16).startswith(b"SQLite format 3"):
                return False
        return bool(_query(path, "SELECT count(*) FROM item_attributes"))
    except (OSError, sqlite3.Error, UnicodeDecodeError):
        return False


def read(path: Path) -> Iterator[Row]:
    """Yield each song of which more than tempo and key is known, with its features.

    Raises DataError.
    """
    count = 0
    try:
        for count, song in enumerate(_songs(path), start=1):  # noqa: B007
            yield song
    except (sqlite3.Error, LookupError, ValueError) as error:
        msg = f"{path} cannot be read as a beets library: {error}"
        raise DataError(msg) from error
    if not count:
        known = ", ".join(sorted(NEEDED))
        msg = f"{path} says of no song how it sounds: plug-ins of beets find {known}"
        raise DataError(msg)


def _songs(path: Path) -> Iterator[Row]:
    added: dict[int, JsonObject] = {}
    for row in _query(path, "SELECT entity_id, key, value FROM item_attributes"):
        added.setdefault(row["entity_id"], {})[str(row["key"]).lower()] = row["value"]
    for row in _query(path, "SELECT * FROM items"):
        known = {**dict(row), **added.get(row["id"], {})}
        if any(_number(known.get(name)) is not None for name in NEEDED):
            yield _song(known), _features(known), None


def _query(path: Path, text: str) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(text).fetchall()


def _song(row: Mapping[str, Any]) -> Track:
    where = row["path"]
    path = Path(os.fsdecode(where) if isinstance(where, bytes) else str(where))
    artist = str(row.get("artist") or "")
    return Track(
        uri=path.absolute().as_uri(),
        title=str(row.get("title") or path.stem),
        artists=(artist,) if artist else (),
        album=str(row.get("album") or ""),
        duration=_number(row.get("length")),
        isrc=str(row.get("isrc") or "") or None,
        mbid=str(row.get("mb_trackid") or "") or None,
        genres=_genres(str(row.get("genres") or row.get("genre") or "")),
        year=int(_number(row.get("original_year")) or _number(row.get("year")) or 0) or None,
    )


def _genres(text: str) -> tuple[str, ...]:
    """Return the genres of a field, which beets parts by a semicolon, a comma or its own sign."""
    return tuple(filter(None, (part.strip() for part in _GENRES.split(text))))


def _features(row: Mapping[str, Any]) -> AudioFeatures:
    named = {name: _number(row.get(name)) for name in FEATURES if name not in {"key", "mode"}}
    key, mode = cells.key_of(str(row.get("initial_key") or ""))
    if key is not None and mode is None:
        mode = 1
    tempo = _number(row.get("bpm")) or named["tempo"]
    features: JsonObject = {**named, "tempo": tempo, "key": key, "mode": mode}
    return AudioFeatures(analyser="imported", **features)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number or None
