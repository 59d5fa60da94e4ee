"""The columns that ranking needs, read from the tables once and cached in a file of this user.

A million rows take seconds to come out of a database and milliseconds out of a file of arrays. The
file is named by the database's id. It is worth nothing by itself: where it is missing, damaged or
older than the tables, it is made again.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from platformdirs import user_cache_path
from sqlalchemy import String, cast, select

from emotion_dj.catalogue.schema import analyses, tracks
from emotion_dj.domain import LEFT_OUT
from emotion_dj.eligibility import left_out, sounds_spoken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from emotion_dj.json_types import JsonObject

LEAST_ROWS: Final = 5_000
"""Rows from which on a file is faster than the tables."""

_BATCH: Final = 20_000
_MEASURES: Final = ("valence", "arousal", "uncertainty", "tempo", "loudness")


@dataclass(frozen=True, slots=True)
class Columns:
    """One row per track that can be picked, by uri; see `domain.Candidates` for the columns."""

    number: npt.NDArray[np.int64]
    valence: npt.NDArray[np.float32]
    arousal: npt.NDArray[np.float32]
    uncertainty: npt.NDArray[np.float32]
    tempo: npt.NDArray[np.float32]
    loudness: npt.NDArray[np.float32]
    key: npt.NDArray[np.int8]
    artist: npt.NDArray[np.int32]
    album: npt.NDArray[np.int32]
    content: npt.NDArray[np.int64]
    left_out: npt.NDArray[np.int8]
    embedding: npt.NDArray[np.float16]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.number)

    def rows(self, keep: npt.NDArray[Any]) -> Columns:
        """Return the rows of a mask or of places."""
        return Columns(**{name: column[keep] for name, column in self.by_name().items()})

    def by_name(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns by their names."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def read(
    connection: Connection, analysers: Sequence[str], some: ColumnElement[bool] | None = None
) -> Columns:
    """Read the columns of every track that is there and that an analyser has placed, or of some.

    Of several analyses of a track, that of the analyser which is named first counts.
    """
    names = _Names(list(analysers))
    if some is None:
        rows = connection.execution_options(yield_per=_BATCH).execute(_query(analysers))
    else:
        rows = connection.execute(_query(analysers).where(some))
    parts = [_part(batch, names) for batch in rows.partitions(_BATCH)] or [_part([], names)]
    priority = np.concatenate([priority for priority, _ in parts])
    whole = joined([columns for _, columns in parts])
    if len(analysers) == 1:
        return whole
    whole = replace(whole, embedding=_own_dimensions(whole.embedding, priority))
    return whole.rows(_highest_priority(whole.number, priority))


def joined(parts: Sequence[Columns]) -> Columns:
    """Return the rows of all parts; the embeddings are as long as the longest."""
    width = max(part.embedding.shape[1] for part in parts)
    return Columns(
        *(
            np.concatenate([_column(part, field.name, width) for part in parts])
            for field in fields(Columns)
        )
    )


def save(database: int, mark: str, columns: Columns) -> None:
    """Cache the columns of a database in the state that ``mark`` names, whole or not at all.

    A disk that is full or read-only is not an error.
    """
    path = path_of(database)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as file:
            arrays: JsonObject = {**columns.by_name(), "mark": np.array(mark)}
            np.savez(file, **arrays)
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def load(database: int, mark: str) -> Columns | None:
    """Return the columns that were cached under this mark, None where there are none."""
    try:
        with np.load(path_of(database), allow_pickle=False) as file:
            if str(file["mark"]) != mark:
                return None
            return Columns(*(file[field.name] for field in fields(Columns)))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def remove(database: int) -> None:
    """Remove what is cached of a database."""
    path_of(database).unlink(missing_ok=True)


def path_of(database: int) -> Path:
    """Return where the columns of a database are cached."""
    return user_cache_path("emotion-dj") / "columns" / f"{database}.npz"


def _query(analysers: Sequence[str]) -> Select[Any]:
    return (
        select(
            tracks.c.id,
            cast(tracks.c.artists, String),
            tracks.c.album,
            *(tracks.c[name] for name in ("fingerprint", "uri", "duration")),
            cast(tracks.c.genres, String),
            analyses.c.analyser,
            *(analyses.c[name] for name in _MEASURES),
            *(analyses.c[name] for name in ("key", "mode", "embedding")),
        )
        .join(
            analyses,
            (analyses.c.track == tracks.c.id) & (analyses.c.fingerprint == tracks.c.fingerprint),
        )
        .where(analyses.c.analyser.in_(analysers) & analyses.c.failure.is_(None))
        .where(~tracks.c.missing)
        .order_by(tracks.c.uri)
    )


class _Names:
    """Equal names get equal numbers from 0 on, over all parts."""

    def __init__(self, analysers: list[str]) -> None:
        self.analysers = analysers
        self.first: dict[str, str] = {}
        self.artists: dict[str, int] = {"": -1}
        self.albums: dict[tuple[str, str], int] = {}

    def artist(self, artists: str) -> str:
        """Return the first artist of a list as it is stored, in JSON."""
        if artists not in self.first:
            self.first[artists] = next(iter(json.loads(artists)), "")
        return self.first[artists]

    def number(self, artist: str) -> int:
        return self.artists.setdefault(artist, len(self.artists) - 1)

    def album(self, artist: str, album: str) -> int:
        return self.albums.setdefault((artist, album), len(self.albums)) if album else -1


def _part(rows: Sequence[Row[Any]], names: _Names) -> tuple[npt.NDArray[np.int8], Columns]:
    """Return the place of each row's analyser among the names, and the columns."""
    transposed = list(zip(*rows, strict=True)) or [()] * 16
    numbers, lists, albums, *described, analyser = transposed[:8]
    *measures, key, mode, embeddings = transposed[8:]
    fingerprints, uris, durations, genres = described
    artists = [names.artist(text) for text in lists]
    vectors = [np.frombuffer(data or b"", np.float16) for data in embeddings]
    spoken = sounds_spoken(analyser, vectors)
    arrays = (np.array(column, np.float32) for column in measures)
    columns = Columns(
        number=np.array(numbers, np.int64),
        **dict(zip(_MEASURES, arrays, strict=True)),
        key=np.array(list(map(_key, key, mode)), np.int8),
        artist=np.array(list(map(names.number, artists)), np.int32),
        album=np.array(list(map(names.album, artists, albums)), np.int32),
        content=np.array(list(map(_content, fingerprints, uris)), np.int64),
        left_out=np.array(list(map(_left_out, uris, durations, genres, spoken)), np.int8),
        embedding=_padded(vectors),
    )
    return np.array([names.analysers.index(name) for name in analyser], np.int8), columns


def _padded(vectors: Sequence[npt.NDArray[np.float16]]) -> npt.NDArray[np.float16]:
    width = max(map(len, vectors), default=0)
    padded = np.zeros((len(vectors), width), np.float16)
    for place, vector in enumerate(vectors):
        padded[place, : len(vector)] = vector
    return padded


def _own_dimensions(
    sounds: npt.NDArray[np.float16], priority: npt.NDArray[np.int8]
) -> npt.NDArray[np.float16]:
    """Give each analyser's vectors dimensions of their own: those of two cannot be compared."""
    kinds = [kind for kind in np.unique(priority) if sounds[priority == kind].any()]
    if len(kinds) <= 1:
        return sounds
    return np.hstack([np.where((priority == kind)[:, None], sounds, 0) for kind in kinds])


def _column(part: Columns, name: str, width: int) -> npt.NDArray[Any]:
    column: npt.NDArray[Any] = getattr(part, name)
    if name != "embedding" or column.shape[1] == width:
        return column
    return np.pad(column, ((0, 0), (0, width - column.shape[1])))


def _highest_priority(
    numbers: npt.NDArray[np.int64], priority: npt.NDArray[np.int8]
) -> npt.NDArray[np.intp]:
    """Return one place for each track, in the same order: that of the analyser named first."""
    _, groups = np.unique(numbers, return_inverse=True)
    order = np.lexsort((priority, groups))
    first = np.ones(len(order), bool)
    first[1:] = groups[order][1:] != groups[order][:-1]
    return np.sort(order[first])


def _content(fingerprint: str, uri: str) -> int:
    """Return a number of the content; what has no fingerprint is like nothing else."""
    digest = blake2b((fingerprint or uri).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _left_out(uri: str, duration: float | None, genres: str | None, spoken: bool) -> int:  # noqa: FBT001 - a column
    """Return the place of the code among LEFT_OUT, -1 for what is in sets; genres are JSON."""
    named = () if genres in (None, "null", "[]") else json.loads(genres)
    code = left_out(uri, duration, named, spoken=spoken)
    return -1 if code is None else LEFT_OUT.index(code)


def _key(key: float | None, mode: float | None) -> int:
    if key is None:
        return -1
    return int(key) + (0 if mode in (1, None) else 12)
