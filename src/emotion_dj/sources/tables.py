"""Tables of tracks with features, as services export them: CSV or Parquet."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from dataclasses import fields
from io import BytesIO, StringIO
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.artifacts import write_atomically
from emotion_dj.domain import Affect, AudioFeatures, Mood, Track
from emotion_dj.errors import DataError, MissingExtra
from emotion_dj.sources.metadata import year_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from emotion_dj.json_types import JsonObject

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("title", "track", "name", "track_name", "song"),
    "artist": ("artist", "artists", "artist_name", "artist_names", "artist_name(s)"),
    "album": ("album", "album_name"),
    "uri": ("uri", "track_uri", "track uri", "spotify_uri"),
    "isrc": ("isrc",),
    "genres": ("genres", "genre", "track_genre", "playlist_genre"),
    "year": ("year", "release_year", "release_date", "album_release_date"),
    "mood": ("mood",),
    "analyser": ("analyser",),
}
"""What we call a column, and what others do; case and spaces do not matter."""

FEATURES: Final = tuple(field.name for field in fields(AudioFeatures) if field.name != "analyser")
WHOLE: Final = frozenset({"key", "mode"})
SHARES: Final = frozenset(
    "energy danceability acousticness instrumentalness speechiness liveness valence".split()
)
"""Features in [0, 1]: a number outside means something else and counts as unknown."""

NEEDED: Final = frozenset({"energy", "valence", "danceability", "acousticness", "instrumentalness"})
"""At least one of these has to be there, or a mood, or nothing can be said about mood."""

Row = tuple[Track, AudioFeatures, Affect | Mood | None]
"""A track, its features, and where the table says that it stands, or its mood, if it does."""


def read(path: Path) -> Iterator[Row]:
    """Yield each row that says how a track sounds; a value that is not a number counts as unknown.

    A column of moods is understood, and so is a place on the plane as `write` has it. Raises
    DataError where the table cannot be read or says nothing of any track, MissingExtra.
    """
    count = 0
    for count, row in enumerate(_rows(path), start=1):  # noqa: B007
        yield row
    if not count:
        msg = f"{path} says of no track how it sounds: {', '.join(sorted(NEEDED))} are from 0 to 1"
        raise DataError(msg)


def named_rows(path: Path) -> Iterator[JsonObject]:
    """Yield the rows of a table as they are, columns in lower case; at least one.

    Raises DataError or MissingExtra.
    """
    readers = {".parquet": _parquet, ".json": _json}
    rows = readers.get(path.suffix.lower(), _csv)(path)
    first = next(rows, None)
    if first is None:
        msg = f"{path} holds no track"
        raise DataError(msg)
    yield from chain([first], rows)


def _rows(path: Path) -> Iterator[Row]:
    rows = named_rows(path)
    first = next(rows)
    if not (NEEDED | {"mood"}) & set(first):
        known = ", ".join(sorted(NEEDED))
        msg = f"{path} has no column of features: it needs one of {known}, or a mood"
        raise DataError(msg)
    for number, row in enumerate(chain([first], rows), start=1):
        track, features, place = _row(row, f"{path.stem}, row {number}")
        if place or any(getattr(features, name) is not None for name in NEEDED):
            yield track, features, place


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write rows of a catalogue to a .csv, .json or .parquet file that `read` takes back.

    Returns how many. Raises DataError for another suffix or a place that cannot be written.
    """
    makers = {".csv": _to_csv, ".json": _to_json, ".parquet": _to_parquet}
    if path.suffix.lower() not in makers:
        msg = (
            f"'{path.name}' is not a table that can be written: name a .csv, .json or .parquet file"
        )
        raise DataError(msg)
    try:
        write_atomically(path, makers[path.suffix.lower()](rows))
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror or error}"
        raise DataError(msg) from error
    return len(rows)


def _to_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    file = StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]) if rows else ["uri", "title"])
    writer.writeheader()
    writer.writerows({**row, **_joined(row)} for row in rows)
    return file.getvalue().encode()


def _joined(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: "; ".join(row[name]) for name in ("artists", "genres")}


def _to_json(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()


def _to_parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra("tables", "a Parquet file") from error
    file = BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), file)
    return file.getvalue()


def _csv(path: Path) -> Iterator[JsonObject]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                yield {_plain(name): value for name, value in row.items() if name}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} cannot be read as a CSV file: {error}"
        raise DataError(msg) from error


def _json(path: Path) -> Iterator[JsonObject]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        yield from ({_plain(name): value for name, value in row.items()} for row in rows)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        msg = f"{path} cannot be read as a JSON list of tracks: {error}"
        raise DataError(msg) from error


def _parquet(path: Path) -> Iterator[JsonObject]:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra("tables", "a Parquet file") from error
    try:
        for batch in pq.ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                yield {_plain(name): value for name, value in row.items()}
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read as a Parquet file: {error}"
        raise DataError(msg) from error


def _row(row: Mapping[str, Any], name: str) -> Row:
    """Read a row; ``name`` stands in for a title."""
    title, artists = _text(row, "title"), _listed(row, "artist")
    features = features_of(row)
    seconds = _number(row.get("duration_ms"))
    track = Track(
        uri=_text(row, "uri") or _made_up(title, artists, features),
        title=title or name,
        artists=artists,
        album=_text(row, "album"),
        duration=None if seconds is None else seconds / 1000,
        isrc=_text(row, "isrc") or None,
        genres=_listed(row, "genres"),
        year=year_of([_text(row, "year")]),
    )
    return track, features, _place(row)


def features_of(row: Mapping[str, Any]) -> AudioFeatures:
    """Return the features that a row names; what is not a number, or impossible, is not known."""
    numbers: JsonObject = {name: _number(row.get(name)) for name in FEATURES}
    for name, value in numbers.items():
        if value is not None and not _possible(name, value):
            numbers[name] = None
        elif value is not None and name in WHOLE:
            numbers[name] = int(value)
    return AudioFeatures(analyser=_text(row, "analyser") or "imported", **numbers)


def _possible(name: str, value: float) -> bool:
    """Tell a measure from a number that stands for none, as Spotify's key -1 and tempo 0 do."""
    if name in SHARES:
        return 0 <= value <= 1
    return {"key": 0 <= value <= 11, "mode": 0 <= value <= 1, "tempo": value > 0}.get(name, True)  # noqa: PLR2004


def _place(row: Mapping[str, Any]) -> Affect | Mood | None:
    """Return where a row says that its track stands on the plane, else the mood that it names."""
    valence, arousal, uncertainty = (
        _number(row.get(name)) for name in ("plane_valence", "plane_arousal", "uncertainty")
    )
    if valence is not None and arousal is not None and max(abs(valence), abs(arousal)) <= 1:
        return Affect(valence, arousal, min(1.0, max(0.0, uncertainty or 0.0)))
    word = _text(row, "mood").lower()
    return Mood(word) if word in set(Mood) else None


def _listed(row: Mapping[str, Any], column: str) -> tuple[str, ...]:
    """Return what a row lists: a list, or text in which semicolons part its members."""
    values = (row[name] for name in COLUMNS[column] if row.get(name))
    value = next(values, "")
    parts = value if isinstance(value, list) else str(value).split(";")
    return tuple(part for part in (str(part).strip() for part in parts) if part)


def _made_up(title: str, artists: tuple[str, ...], features: AudioFeatures) -> str:
    """Name a row that has no uri by what it says, so that importing it twice adds it once."""
    numbers = tuple(getattr(features, name) for name in FEATURES)
    said = repr((title, ";".join(artists), numbers)).encode()
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
