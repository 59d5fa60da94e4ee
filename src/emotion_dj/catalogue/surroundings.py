"""What stands around the targets of a set, farther than a set is ranked of: see `plane_tiles`."""

from __future__ import annotations

import logging
from collections import defaultdict
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from emotion_dj.catalogue import column_cache
from emotion_dj.catalogue.backends import plane_tiles
from emotion_dj.catalogue.column_cache import Columns
from emotion_dj.catalogue.schema import MUSIC
from emotion_dj.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    from sqlalchemy import Connection

    from emotion_dj.catalogue.backends.plane_tiles import Tile
    from emotion_dj.catalogue.database import Database
    from emotion_dj.domain import Affect, Candidates

_MEASURES: Final = 3
"""Numbers with which a packed vector begins: uncertainty, tempo, loudness."""

_log = logging.getLogger(__name__)


class Surroundings:
    """Fits `stores.Surroundings`."""

    def __init__(
        self,
        database: Database,
        analysers: Sequence[str],
        *,
        prefixes: Sequence[str],
        who: str,
        load: Callable[[Columns], Candidates],
    ) -> None:
        """Read what the listener answered; ``load`` makes candidates of columns."""
        self._database, self._analysers, self._load = database, tuple(analysers), load
        self._begins = [np.frombuffer(prefix.encode()[:4], np.uint8) for prefix in prefixes]
        with database.reading() as connection:
            heads = plane_tiles.read(connection, [plane_tiles.HEAD], analysers)
            answered = plane_tiles.answered(connection, analysers, prefixes=prefixes, who=who)
        widths = [_number(part) for head in heads for part in head.parts]
        heard = zip((place for head in heads for place in head.places), widths, strict=True)
        self._width, self._kinds = max(widths, default=0), sorted({p for p, w in heard if w})
        self.is_packed, self.answered = bool(heads), self._candidates([answered])

    def within(self, tiles: npt.NDArray[np.bool_]) -> Candidates:
        """Return the tracks of tiles."""
        wanted = np.flatnonzero(tiles).tolist()
        with self._database.reading() as connection:
            return self._candidates(plane_tiles.read(connection, wanted, self._analysers))

    def distances(self, target: Affect) -> npt.NDArray[np.float64]:
        """Return how far each tile is from a target at least."""
        return plane_tiles.distances(target)

    def middles(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return where the middle of each tile is."""
        return plane_tiles.middles()

    def _candidates(self, tiles: Sequence[Tile]) -> Candidates:
        """Return the tracks of tiles, those of each analyser together."""
        packed: dict[tuple[int, int], list[bytes]] = defaultdict(list)
        for tile in tiles:
            for place, part in zip(tile.places, tile.parts, strict=True):
                packed[place, _number(part[20:22])].append(part)
        parts = [
            self._part(np.frombuffer(b"".join(same), _record(width)), place)
            for (place, width), same in packed.items()
        ]
        none = self._part(np.zeros(0, _record(_MEASURES)), -1)
        return self._load(parts[0] if len(parts) == 1 else column_cache.joined([none, *parts]))

    def _part(self, rows: npt.NDArray[np.void], place: int) -> Columns:
        """Return the tracks of one analyser, of the sources that are asked for; each has dimensions
        of its own, as in `column_cache`.
        """
        rows = rows[self._fits(rows)] if self._begins else rows
        sounds = rows["vector"][:, _MEASURES:].astype(np.float16)
        kinds = max(1, len(self._kinds))
        whole = np.zeros((len(rows), kinds, self._width), np.float16)
        if place in self._kinds:
            whole[:, self._kinds.index(place), : sounds.shape[1]] = sounds
        return _columns(rows, whole.reshape(len(rows), kinds * self._width))

    def _fits(self, rows: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
        """Say of each row whether its uri begins as one of the prefixes, as far as is known."""
        fits = [(rows["begin"][:, : len(begin)] == begin).all(axis=1) for begin in self._begins]
        return np.asarray(np.any(fits, axis=0))


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _record(width: int) -> np.dtype[np.void]:
    """Return how a track is packed: see `plane_tiles`."""
    place, head = [("valence", ">f4"), ("arousal", ">f4")], [("head", ">i4")]
    return np.dtype(
        [("number", ">i8"), ("begin", "u1", (4,)), *place, *head, ("vector", ">f2", (width,))]
    )


def _columns(rows: npt.NDArray[np.void], sounds: npt.NDArray[np.float16]) -> Columns:
    uncertainty, tempo, loudness = rows["vector"][:, :_MEASURES].T.astype(np.float32)
    number, none = rows["number"].astype(np.int64), np.full(len(rows), -1, np.int32)
    return Columns(
        number=number,
        valence=rows["valence"].astype(np.float32),
        arousal=rows["arousal"].astype(np.float32),
        uncertainty=uncertainty,
        tempo=tempo,
        loudness=loudness,
        key=none.astype(np.int8),
        artist=none,
        album=none,
        content=number,
        left_out=none.astype(np.int8),
        embedding=sounds,
    )


class Packer:
    """Packs tiles while sets are made of the older ones, or of what is near alone."""

    def __init__(self, database: Database) -> None:
        """Keep where the tiles are; nothing is read yet."""
        self._database, self._thread = database, Thread()
        self._looked: dict[tuple[str, ...], float] = {}
        self._may_read = False

    def may_read(self) -> bool:
        """Tell whether there are tiles for this user; where not, it is looked again each time."""
        if not self._may_read:
            with self._database.reading() as connection:
                self._may_read = plane_tiles.may_read(connection)
        return self._may_read

    def start(self, analysers: Sequence[str]) -> None:
        """See to it, now and then, that what has changed is packed; do not wait for it."""
        last, now = self._looked.get(tuple(analysers), -np.inf), monotonic()
        if now >= last + plane_tiles.REST and not self._thread.is_alive():
            self._looked[tuple(analysers)] = now
            if self._is_due(analysers):
                self._thread = Thread(target=self._pack, args=[analysers], daemon=True)
                self._thread.start()

    def wait(self) -> None:
        """Return when nothing is being packed."""
        if self._thread.is_alive():
            self._thread.join()

    def _is_due(self, analysers: Sequence[str]) -> bool:
        with self._database.reading() as connection:
            return plane_tiles.is_due(connection, analysers, self._state(connection))

    def _state(self, connection: Connection) -> int:
        return self._database.states(connection, MUSIC).get(MUSIC, 0)

    def _pack(self, analysers: Sequence[str]) -> None:
        """Pack; where the server only lets read or is gone, sets go on without."""
        try:
            with self._database.writing() as connection:
                plane_tiles.pack(connection, analysers, self._state(connection))
        except CatalogueError as error:
            _log.warning("sets are made of what is near, whatever is liked: %s", error)
