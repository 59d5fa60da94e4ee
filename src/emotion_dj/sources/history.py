"""What a listener played and skipped, as services export it.

Spotify: the short history of a year (`StreamingHistory_music_0.json`), the extended one
(`Streaming_History_Audio_*.json`, `endsong_*.json`), which also says what was skipped, and the zip
in which either arrives. Last.fm: the CSV and JSON of the usual exporters, and the answers of its
API. ListenBrainz: JSON lines, alone or in its zip.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Final
from zipfile import BadZipFile, ZipFile

from emotion_dj.errors import DataError
from emotion_dj.sources import cells, table_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from zipfile import ZipInfo

    from emotion_dj.json_types import Json, JsonObject

HEARD_MS: Final = 30_000
"""A song that played for so long counts as played, as services count it."""

LARGEST: Final = 1 << 30
"""Bytes of one file in a zip: Spotify's hold some 12 MB."""

_SUFFIXES: Final = (".json", ".jsonl", ".ndjson")
_CONTAINERS: Final = ("recenttracks", "track", "tracks", "scrobbles", "listens", "payload")
"""Where lists of plays lie in what Last.fm, its exporters and ListenBrainz write."""

_DEEPEST: Final = 4
_TIMES: Final = ("uts", "timestamp", "played_at", "listened_at", "utc_time")
_DATED: Final = "date#"
"""How lastfmstats.com calls the column of times; the listener's name follows."""

_DATE: Final = re.compile(r"(\d{1,2} \w{3} \d{4}),? (\d\d:\d\d)")
_MS: Final = 10**11
"""A bare number above it is one of milliseconds."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream: the track by ``uri`` where it is named, else by title and artist.

    ``at`` is when it ended, in UTC; None where that is not said.
    """

    uri: str
    title: str
    artist: str
    kind: str
    at: datetime | None = None


def streams(path: Path) -> list[Stream] | None:
    """Return what was played or skipped, None where a file is no history; podcasts and short
    unskipped streams say nothing. Raises DataError for a zip in which no history is.
    """
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return _zipped(path)
    try:
        if suffix in _SUFFIXES:
            return _of_json(path.read_text(encoding=table_files.encoding_of(path)))
        return _of_csv(path) if suffix in {".csv", ".tsv", ".txt"} else None
    except (OSError, ValueError, DataError):
        return None  # whatever it is meant to be, a table says what is wrong with it


def _zipped(path: Path) -> list[Stream]:
    try:
        with ZipFile(path) as file:
            inside = [_member(file, entry) for entry in file.infolist() if _is_data(entry)]
    except (OSError, ValueError, RuntimeError, EOFError, BadZipFile, zlib.error) as error:
        msg = f"{path} cannot be read as a history in a zip: {error}"
        raise DataError(msg) from error
    histories = [found for found in inside if found is not None]
    if not histories:
        msg = f"{path} holds no history of Spotify or ListenBrainz: request it from the service"
        raise DataError(msg)
    return list(chain.from_iterable(histories))


def _is_data(entry: ZipInfo) -> bool:
    """Tell a file of data, which macOS's own beside it are not."""
    name = entry.filename.lower()
    return name.endswith(_SUFFIXES) and not name.startswith("__macosx/")


def _member(file: ZipFile, entry: ZipInfo) -> list[Stream] | None:
    if entry.file_size > LARGEST:
        msg = f"{entry.filename} in it is too large"
        raise ValueError(msg)
    data = file.read(entry)
    return _of_json(data.decode(table_files.encoding_by_head(data[:4]) or "utf-8"))


def _of_json(text: str) -> list[Stream] | None:
    rows = list(_rows(table_files.documents(text), _DEEPEST)) if text.strip() else []
    found = (_stream(row) for row in rows)
    return [stream for stream in found if stream is not None] if rows else None


def _rows(values: Iterable[Json], depth: int) -> Iterator[JsonObject]:
    """Yield the objects that are plays, wherever they lie."""
    for value in values:
        if isinstance(value, list) and depth:
            yield from _rows(value, depth - 1)
        elif isinstance(value, dict) and _is_play(value):
            yield value
        elif isinstance(value, dict) and depth:
            yield from _rows((value[name] for name in _CONTAINERS if name in value), depth - 1)


def _is_play(row: JsonObject) -> bool:
    if {"ms_played", "msPlayed"} & set(row):
        return True
    return ("track_metadata" in row or "artist" in row) and _time_of(row) is not None


def _of_csv(path: Path) -> list[Stream] | None:
    """Return the plays of Last.fm's exporters, with names of columns or, as one has it, without."""
    rows = table_files.cells(path)
    first = next(rows, [])
    if len(first) == 4 and _DATE.fullmatch(first[3]):  # noqa: PLR2004
        names, rows = ["artist", "album", "track", "utc_time"], chain([first], rows)
    else:
        names = [_column(name) for name in first]
    if not ({"artist", "track"} <= set(names) and set(_TIMES) & set(names)):
        return None
    found = (_stream(dict(zip(names, row, strict=False))) for row in rows)
    return [stream for stream in found if stream is not None]


def _column(name: str) -> str:
    return "timestamp" if name.lower().startswith(_DATED) else table_files.plain(name)


def _stream(row: Mapping[str, Json]) -> Stream | None:
    if {"ms_played", "msPlayed"} & set(row):
        return _of_spotify(row)
    told = row.get("track_metadata")
    if isinstance(told, dict):
        more = told.get("additional_info")
        info = more if isinstance(more, dict) else {}
        uri = cells.uri({"spotify_id": info.get("spotify_id"), "url": info.get("origin_url")})
        title, artist = told.get("track_name"), told.get("artist_name")
    else:
        uri, title, artist = "", row.get("track") or row.get("name"), _name(row.get("artist"))
    return Stream(uri, str(title), str(artist or ""), "play", _time_of(row)) if title else None


def _of_spotify(row: Mapping[str, Json]) -> Stream | None:
    title = row.get("master_metadata_track_name") or row.get("trackName")
    played = row.get("ms_played", row.get("msPlayed"))
    if not title or not isinstance(played, int | float):
        return None
    if played >= HEARD_MS:
        kind = "play"
    elif row.get("skipped"):
        kind = "skip"
    else:
        return None
    artist = row.get("master_metadata_album_artist_name") or row.get("artistName") or ""
    uri = str(row.get("spotify_track_uri") or "")
    return Stream(uri, str(title), str(artist), kind, _time(row.get("ts") or row.get("endTime")))


def _name(artist: Json) -> Json:
    """Return a name out of the object that Last.fm makes of it."""
    return artist.get("#text") or artist.get("name") if isinstance(artist, dict) else artist


def _time_of(row: Mapping[str, Json]) -> datetime | None:
    date = row.get("date")
    values = (date.get("uts") if isinstance(date, dict) else date, *map(row.get, _TIMES))
    return next((at for value in values if (at := _time(value))), None)


def _time(value: Json) -> datetime | None:
    """Return a time that is written in seconds or milliseconds, by ISO 8601, or as Last.fm does."""
    words = str(value).strip()
    try:
        if words.isdecimal() and len(words) > 8:  # noqa: PLR2004 - a shorter one is a date
            return datetime.fromtimestamp(int(words) / (1000 if int(words) > _MS else 1), UTC)
        if match := _DATE.fullmatch(words):
            at = datetime.strptime(" ".join(match.groups()), "%d %b %Y %H:%M")  # noqa: DTZ007
        else:
            at = datetime.fromisoformat(words)
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
