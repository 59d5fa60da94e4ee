"""Tables of tracks with features, as services export them: CSV or Parquet."""

from __future__ import annotations

import csv
import hashlib
import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.domain import AudioFeatures, Track
from emotion_dj.errors import DataError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("title", "track", "name", "track_name", "song"),
    "artist": ("artist", "artists", "artist_name", "artist_names", "artist_name(s)"),
    "album": ("album", "album_name"),
    "uri": ("uri", "track_uri", "track uri", "spotify_uri"),
    "isrc": ("isrc",),
}
"""What we call a column, and what others do; case and spaces do not matter."""

FEATURES: Final = tuple(field.name for field in fields(AudioFeatures) if field.name != "analyser")
WHOLE: Final = frozenset({"key", "mode"})
NEEDED: Final = frozenset({"energy", "valence", "danceability", "acousticness", "instrumentalness"})
"""At least one of these has to be there, or nothing can be said about mood."""


def read(path: Path) -> Iterator[tuple[Track, AudioFeatures]]:
    """Yield each row as a track and its features; a value that is no number counts as unknown.

    Raises DataError where the table cannot be read or has no usable column, MissingExtra.
    """
    rows = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    first = next(rows, None)
    if first is None:
        msg = f"{path} holds no track"
        raise DataError(msg)
    if not NEEDED & set(first):
        msg = f"{path} has no column of features: it needs one of {', '.join(sorted(NEEDED))}"
        raise DataError(msg)
    yield _row(first)
    yield from map(_row, rows)


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                yield {_plain(name): value for name, value in row.items() if name}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} cannot be read as a CSV file: {error}"
        raise DataError(msg) from error


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    try:
        import pyarrow.parquet as pq  # noqa: PLC0415 - optional, and slow to load
    except ImportError as error:
        raise MissingExtra("tables", "a Parquet file") from error
    try:
        for batch in pq.ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                yield {_plain(name): value for name, value in row.items()}
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read as a Parquet file: {error}"
        raise DataError(msg) from error


def _row(row: Mapping[str, Any]) -> tuple[Track, AudioFeatures]:
    title = _text(row, "title") or "untitled"
    artist = _text(row, "artist")
    numbers = {name: _number(row.get(name)) for name in FEATURES}
    seconds = _number(row.get("duration_ms"))
    track = Track(
        uri=_text(row, "uri") or _made_up(title, artist, numbers.values()),
        title=title,
        artists=(artist,) if artist else (),
        album=_text(row, "album"),
        duration=None if seconds is None else seconds / 1000,
        isrc=_text(row, "isrc") or None,
    )
    whole: dict[str, Any] = {
        name: None if value is None or name not in WHOLE else int(value)
        for name, value in numbers.items()
    }
    features: dict[str, Any] = {**numbers, **{name: whole[name] for name in WHOLE}}
    if features["key"] is not None and not 0 <= features["key"] <= 11:  # noqa: PLR2004
        features["key"] = None  # Spotify says -1 where it heard none
    return track, AudioFeatures(analyser="imported", **features)


def _made_up(title: str, artist: str, numbers: Iterable[float | None]) -> str:
    """Name a row that has no uri by what it says, so that importing it twice adds it once."""
    said = repr((title, artist, tuple(numbers))).encode()
    return f"import:{hashlib.blake2b(said, digest_size=12).hexdigest()}"


def _text(row: Mapping[str, Any], column: str) -> str:
    for name in COLUMNS[column]:
        value = row.get(name)
        if value:
            return str(value).strip()
    return ""


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _plain(name: str) -> str:
    return name.strip().lower()
