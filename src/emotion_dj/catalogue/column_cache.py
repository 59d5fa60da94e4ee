"""The columns that ranking needs, read from the tables once and kept in a file beside them.

A million rows take seconds to come out of a database and milliseconds out of a file of arrays. The
file is worth nothing by itself: where it is missing, damaged or older than the tables, it is made
again.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from sqlalchemy import String, cast, select

from emotion_dj.catalogue.schema import analyses, tracks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Row

WORTH: Final = 5_000
"""Rows from which on a file is faster than the tables."""

_PART: Final = 20_000


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
    embedding: npt.NDArray[np.float16]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.number)

    def rows(self, keep: npt.NDArray[Any]) -> Columns:
        """Return the rows of a mask or of places."""
        return Columns(*(getattr(self, field.name)[keep] for field in fields(self)))


def read(connection: Connection, analysers: Sequence[str]) -> Columns:
    """Read the columns of every track that is there and that an analyser knows.

    Where several know a track, the one that is named first is believed.
    """
    query = (
        select(
            tracks.c.id,
            cast(tracks.c.artists, String),
            tracks.c.album,
            analyses.c.analyser,
            *(analyses.c[name] for name in ("valence", "arousal", "spread", "tempo", "loudness")),
            *(analyses.c[name] for name in ("key", "mode", "embedding")),
        )
        .join(
            analyses,
            (analyses.c.track == tracks.c.id) & (analyses.c.fingerprint == tracks.c.fingerprint),
        )
        .where(analyses.c.analyser.in_(analysers) & analyses.c.failure.is_(None) & ~tracks.c.gone)
        .order_by(tracks.c.uri)
    )
    names = _Names(list(analysers))
    found = connection.execution_options(yield_per=_PART).execute(query)
    parts = [_part(part, names) for part in found.partitions(_PART)] or [_part([], names)]
    priority = np.concatenate([priority for priority, _ in parts])
    width = max(part.embedding.shape[1] for _, part in parts)
    whole = Columns(
        *(
            np.concatenate([_column(part, field.name, width) for _, part in parts])
            for field in fields(Columns)
        )
    )
    if len(analysers) == 1:
        return whole
    whole = replace(whole, embedding=_apart(whole.embedding, priority))
    return whole.rows(_highest_priority(whole.number, priority))


def save(path: Path, mark: str, columns: Columns) -> None:
    """Keep the columns in a file, whole or not at all; a disk that is full or read-only is fine."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as file:
            np.savez(file, mark=np.array(mark), **_arrays(columns))
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)


def load(path: Path, mark: str) -> Columns | None:
    """Return the columns of a file that was made under this mark, if there is one."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["mark"]) != mark:
                return None
            return Columns(*(kept[field.name] for field in fields(Columns)))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _arrays(columns: Columns) -> dict[str, Any]:
    return asdict(columns)


class _Names:
    """Equal names get equal numbers from 0 on, over all parts."""

    def __init__(self, analysers: list[str]) -> None:
        self.analysers = analysers
        self.first: dict[str, str] = {}
        self.artists: dict[str, int] = {"": -1}
        self.albums: dict[tuple[str, str], int] = {}

    def artist(self, listed: str) -> str:
        """Return the first artist of a list as it is stored, in JSON."""
        if listed not in self.first:
            import json  # noqa: PLC0415 - once per list

            self.first[listed] = next(iter(json.loads(listed)), "")
        return self.first[listed]

    def number(self, artist: str) -> int:
        return self.artists.setdefault(artist, len(self.artists) - 1)

    def album(self, artist: str, album: str) -> int:
        return self.albums.setdefault((artist, album), len(self.albums)) if album else -1


def _part(rows: Sequence[Row[Any]], names: _Names) -> tuple[npt.NDArray[np.int8], Columns]:
    """Return which analyser is believed and the columns, both of one part of the rows."""
    turned = list(zip(*rows, strict=True)) or [()] * 12
    numbers, listed, albums, analyser, *measures, key, mode, embeddings = turned
    artists = [names.artist(text) for text in listed]
    measured = [np.array(column, np.float32) for column in measures]
    vectors = [np.frombuffer(data or b"", np.float16) for data in embeddings]
    valence, arousal, uncertainty, tempo, loudness = measured
    columns = Columns(
        np.array(numbers, np.int64),
        valence,
        arousal,
        uncertainty,
        tempo,
        loudness,
        np.array(list(map(_key, key, mode)), np.int8),
        np.array(list(map(names.number, artists)), np.int32),
        np.array(list(map(names.album, artists, albums)), np.int32),
        _padded(vectors),
    )
    return np.array([names.analysers.index(name) for name in analyser], np.int8), columns


def _padded(vectors: Sequence[npt.NDArray[np.float16]]) -> npt.NDArray[np.float16]:
    width = max(map(len, vectors), default=0)
    padded = np.zeros((len(vectors), width), np.float16)
    for place, vector in enumerate(vectors):
        padded[place, : len(vector)] = vector
    return padded


def _apart(
    sounds: npt.NDArray[np.float16], priority: npt.NDArray[np.int8]
) -> npt.NDArray[np.float16]:
    """Give each analyser's vectors columns of their own: two analysers cannot be compared."""
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


def _key(key: float | None, mode: float | None) -> int:
    if key is None:
        return -1
    return int(key) + (0 if mode in (1, None) else 12)
