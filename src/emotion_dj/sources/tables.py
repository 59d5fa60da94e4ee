"""Tables of tracks with features, as services export them: CSV or Parquet."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import fields
from io import BytesIO, StringIO
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from emotion_dj.artifacts import write_atomically
from emotion_dj.domain import MADE_UP, Affect, AudioFeatures, Mood, Track
from emotion_dj.errors import DataError, MissingExtra
from emotion_dj.sources import cells
from emotion_dj.sources.metadata import year_of
from emotion_dj.sources.table_files import named_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from emotion_dj.json_types import Json, JsonObject

FEATURES: Final = tuple(field.name for field in fields(AudioFeatures) if field.name != "analyser")
SHARES: Final = frozenset(
    "energy danceability acousticness instrumentalness speechiness liveness valence".split()
)
"""Features in [0, 1]: a number outside means something else and counts as unknown, unless all the
table goes to 100."""

NEEDED: Final = frozenset({"energy", "valence", "danceability", "acousticness", "instrumentalness"})
"""At least one of these has to be there, or a mood, or nothing can be said about mood."""

_NAMED: Final = frozenset(cells.COLUMNS["title"] + cells.COLUMNS["isrc"] + cells.COLUMNS["uri"])
_HEARD: Final = frozenset({"mood"}).union(*(cells.COLUMNS.get(one, (one,)) for one in NEEDED))
_OTHERS: Final = frozenset({"album", "artist"})
"""Types of rows that are not of a track."""

_HEAD: Final = 10_000
"""Rows by which the scale of a table is known."""

_TEN: Final = 10
_HUNDRED: Final = 100

Row = tuple[Track, AudioFeatures, Affect | Mood | None]
"""A track, its features, and where the table says that it stands, or its mood, if it does."""


def read(path: Path) -> Iterator[Row]:
    """Yield each row that says how a track sounds; a value that is not a number counts as unknown.

    A column of moods is understood, and so is a place on the plane as `write` has it. Raises
    DataError where the table cannot be read or says nothing of any track, MissingExtra.
    """
    count = 0
    for row in entries(path, demand=True):
        if is_heard(row):
            count += 1
            yield row
    if not count:
        msg = f"{path} says of no track how it sounds: {', '.join(sorted(NEEDED))} are from 0 to 1"
        raise DataError(msg)


def entries(path: Path, *, demand: bool = False) -> Iterator[Row]:
    """Yield every row, also those that only name a track, as lists and playlists have them.

    Shares of a table whose numbers go to 100 are taken as percent. Raises DataError where the table
    cannot be read, has no column that is understood or, on ``demand``, none of features.
    """
    rows = named_rows(path)
    head = list(islice(rows, _HEAD))
    names = set[str]().union(*head)
    if not names & (_HEARD if demand else _HEARD | _NAMED):
        known = ", ".join(sorted(NEEDED))
        msg = f"{path} has no column of features: it needs one of {known}, or a mood"
        raise DataError(msg if demand else f"{msg}, or titles and artists of songs that are known")
    percent = percent_columns(head)
    for number, row in enumerate(chain(head, rows), start=1):
        if cells.text(row, "type").lower() not in _OTHERS:
            yield _row(row, f"{path.stem}, row {number}", percent)


def is_heard(row: Row) -> bool:
    """Tell whether a row says how its track sounds."""
    _, features, place = row
    return bool(place) or any(getattr(features, name) is not None for name in NEEDED)


def percent_columns(rows: Sequence[Mapping[str, Json]]) -> frozenset[str]:
    """Return the features of a table that go from 0 to 100 there.

    They do where most numbers of energy, valence and danceability are above 1 and one is above 10
    (below it they may be on a scale to 9). A column that never passes 1 may still hold shares.
    """
    numbers = {name: _shares(rows, name) for name in SHARES}
    told = [value for name in ("energy", "valence", "danceability") for value in numbers[name]]
    told = told or list(chain.from_iterable(numbers.values()))
    above = sum(value > 1 for value in told)
    if not above or max(told) <= _TEN or 2 * above <= sum(value > 0 for value in told):
        return frozenset()
    return frozenset(name for name, values in numbers.items() if max(values, default=0) > 1)


def _shares(rows: Sequence[Mapping[str, Json]], name: str) -> list[float]:
    found = (cells.number(row, name) for row in rows)
    return [value for value in found if value is not None and 0 <= value <= _HUNDRED]


def write(path: Path, rows: Sequence[Mapping[str, Json]]) -> int:
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


def _to_csv(rows: Sequence[Mapping[str, Json]]) -> bytes:
    file = StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]) if rows else ["uri", "title"])
    writer.writeheader()
    writer.writerows({**row, **_joined(row)} for row in rows)
    return file.getvalue().encode()


def _joined(row: Mapping[str, Json]) -> dict[str, str]:
    return {name: "; ".join(row[name]) for name in ("artists", "genres")}


def _to_json(rows: Sequence[Mapping[str, Json]]) -> bytes:
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()


def _to_parquet(rows: Sequence[Mapping[str, Json]]) -> bytes:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra("tables", "a Parquet file") from error
    file = BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), file)
    return file.getvalue()


def _row(row: Mapping[str, Json], name: str, percent: frozenset[str]) -> Row:
    """Read a row; ``name`` stands in for a title."""
    title, artists = cells.text(row, "title"), cells.artists(row)
    features = features_of(row, percent)
    track = Track(
        uri=cells.uri(row) or _made_up(title, artists, features),
        title=title or name,
        artists=artists,
        album=cells.text(row, "album"),
        duration=cells.seconds(row),
        isrc=cells.text(row, "isrc") or None,
        genres=cells.listed(row, "genres"),
        year=year_of([cells.text(row, "year")]),
        mbid=cells.text(row, "mbid") or None,
    )
    return track, features, _place(row)


def features_of(row: Mapping[str, Json], percent: frozenset[str] = frozenset()) -> AudioFeatures:
    """Return the features that a row names; what is not a number, or impossible, is not known.

    ``percent`` are those that go from 0 to 100.
    """
    numbers: JsonObject = {name: cells.number(row, name) for name in FEATURES}
    for name, value in numbers.items():
        exact = value / _HUNDRED if value is not None and name in percent else value
        numbers[name] = exact if exact is not None and _possible(name, exact) else None
    numbers["key"], numbers["mode"] = cells.key(row)
    return AudioFeatures(analyser=cells.text(row, "analyser") or "imported", **numbers)


def _possible(name: str, value: float) -> bool:
    """Tell a measure from a number that stands for none, as Spotify's key -1 and tempo 0 do."""
    if name in SHARES:
        return 0 <= value <= 1
    return value > 0 if name == "tempo" else True


def _place(row: Mapping[str, Json]) -> Affect | Mood | None:
    """Return where a row says that its track stands on the plane, else the mood that it names."""
    valence, arousal, uncertainty = (
        cells.number(row, name) for name in ("plane_valence", "plane_arousal", "uncertainty")
    )
    if valence is not None and arousal is not None and max(abs(valence), abs(arousal)) <= 1:
        return Affect(valence, arousal, min(1.0, max(0.0, uncertainty or 0.0)))
    word = cells.text(row, "mood").lower()
    return Mood(word) if word in set(Mood) else None


def _made_up(title: str, artists: tuple[str, ...], features: AudioFeatures) -> str:
    """Name a row that has no uri by what it says, so that importing it twice adds it once."""
    numbers = tuple(getattr(features, name) for name in FEATURES)
    said = repr((title, ";".join(artists), numbers)).encode()
    return f"{MADE_UP}{hashlib.blake2b(said, digest_size=12).hexdigest()}"
