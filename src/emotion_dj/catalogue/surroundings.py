"""What stands around the targets of a set, farther than a set is ranked of: see `plane_tiles`."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import numpy as np

from emotion_dj.catalogue import column_cache
from emotion_dj.catalogue.backends import plane_tiles
from emotion_dj.catalogue.schema import MUSIC
from emotion_dj.catalogue.column_cache import Columns
from emotion_dj.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from emotion_dj.catalogue.backends.plane_tiles import Tile
    from emotion_dj.catalogue.database import Database
    from emotion_dj.domain import Affect

MOST_NEW: Final = 64
"""Tiles that are packed for one set at most where nobody has asked for them: a fraction of a
second. The next set finds them, and packs others."""

MOST_AGAIN: Final = 4
"""Tiles that are packed anew for a set at most, of those that the music has changed since."""

_ANSWERED: Final = -1
_MEASURES: Final = 5


class Surroundings:
    """Fits `stores.Surroundings`."""

    def __init__(
        self, database: Database, analysers: Sequence[str], *, prefixes: Sequence[str], who: str
    ) -> None:
        """Keep what is asked for; nothing is read yet."""
        self._database, self._analysers, self._who = database, tuple(analysers), who
        self._begins = [np.frombuffer(prefix.encode()[:4], np.uint8) for prefix in prefixes]
        self._prefixes, self._new, self._again = prefixes, MOST_NEW, MOST_AGAIN
        self._tiles: dict[int, Tile] = {}

    def columns(self, reach: Mapping[Affect, float]) -> Columns:
        """Return the tracks within so much of the targets, and those of what was asked before.

        Artist, album, key and content are not told: they stand as unknown.
        """
        self._read(plane_tiles.within(reach) - self._tiles.keys())
        return column_cache.joined(list(self._parts()))

    def _read(self, wanted: set[int]) -> None:
        """Take tiles that are packed, and pack some of those that are not."""
        with self._database.reading() as connection:
            if not self._tiles:
                self._tiles[_ANSWERED] = plane_tiles.answered(
                    connection, self._analysers, prefixes=self._prefixes, who=self._who
                )
            now = self._database.states(connection, MUSIC).get(MUSIC, 0)
            found = plane_tiles.read(connection, sorted(wanted), self._analysers)
        self._tiles |= {tile.tile: tile for tile in found}
        missing = sorted(wanted - self._tiles.keys())[: self._new]
        older = [tile.tile for tile in found if tile.music != now][: self._again]
        self._new, self._again = self._new - len(missing), self._again - len(older)
        if missing or older:
            self._pack(missing + older, now)

    def _pack(self, tiles: Sequence[int], now: int) -> None:
        """Pack tiles, where the server does not only let read: others of them were packed."""
        with suppress(CatalogueError), self._database.writing() as connection:
            packed = plane_tiles.pack(connection, tiles, self._analysers, now)
            self._tiles |= {tile.tile: tile for tile in packed}

    def _parts(self) -> Iterator[tuple[npt.NDArray[np.int8], Columns]]:
        """Yield what was answered, and then all else, each with the place of its analyser."""
        known = np.zeros(0, np.int64)
        for of_listener in (True, False):
            parts: dict[tuple[int, int], list[bytes]] = defaultdict(list)
            for tile in self._tiles.values():
                if (tile.tile == _ANSWERED) == of_listener:
                    for place, part in zip(tile.places, tile.parts, strict=True):
                        parts[place, _dimensions(part)].append(part)
            for (place, width), packed in parts.items():
                rows = np.frombuffer(b"".join(packed), _record(width))
                rows = rows if of_listener else rows[self._fits(rows) & ~np.isin(rows["number"], known)]
                known = np.append(known, rows["number"]) if of_listener else known
                yield np.full(len(rows), place, np.int8), _columns(rows)

    def _fits(self, rows: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
        """Say of each row whether its uri begins as one of the prefixes does, as far as is known."""
        if not self._begins:
            return np.ones(len(rows), bool)
        fits = [(rows["begin"][:, : len(begin)] == begin).all(axis=1) for begin in self._begins]
        return np.asarray(np.any(fits, axis=0))


def _dimensions(part: bytes) -> int:
    """Return how many numbers the vectors of a part have."""
    return int.from_bytes(part[12:14], "big")


def _record(width: int) -> np.dtype[np.void]:
    """Return how a track is packed: see `plane_tiles`."""
    return np.dtype(
        [("number", ">i8"), ("begin", "u1", (4,)), ("head", ">i4"), ("vector", ">f2", (width,))]
    )


def _columns(rows: npt.NDArray[np.void]) -> Columns:
    measures = rows["vector"][:, :_MEASURES].astype(np.float32)
    number, none = rows["number"].astype(np.int64), np.full(len(rows), -1, np.int32)
    return Columns(
        number,
        *np.ascontiguousarray(measures.T),
        key=none.astype(np.int8),
        artist=none,
        album=none,
        content=number,
        left_out=none.astype(np.int8),
        embedding=rows["vector"][:, _MEASURES:].astype(np.float16),
    )
