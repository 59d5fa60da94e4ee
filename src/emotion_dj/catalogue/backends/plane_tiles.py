"""The plane in tiles, each with all its tracks packed in one value: rows by the ten thousand.

What a taste is asked of is far more than a set is ranked of, and a few dozen bytes of each track
are enough for it. PostgreSQL gives them a hundred times as fast in one value as in rows. All are
packed at once, seconds for a million tracks, and again some time after the music has changed; what
they say of older tracks does no harm, since whatever is chosen is looked up in the tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from emotion_dj import affect
from emotion_dj.catalogue.backends.plane_index import (
    ANALYSERS,
    ANSWERED,
    ANSWERS,
    BEGINS,
    PLACED,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from psycopg import Cursor
    from sqlalchemy import Connection

    from emotion_dj.domain import Affect
    from emotion_dj.json_types import JsonObject

SIDE: Final = 80
"""Tiles across the plane: among a million tracks the fullest holds some six hundred."""

TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS tiles (analysers text, tile integer, music bigint NOT NULL,
 at timestamp with time zone NOT NULL DEFAULT now(), places smallint[] NOT NULL,
 parts bytea[] NOT NULL, PRIMARY KEY (analysers, tile))""",
    "ALTER TABLE tiles ALTER parts SET STORAGE EXTERNAL",
)
"""``music`` is the state of the music when it was packed, ``at`` the time. ``parts`` are records of
one length each, ``places`` the place of their analyser in the list; those of tile HEAD are how long
the embeddings of each analyser are."""

HEAD: Final = -1

REST: Final = 600
"""Seconds after which what has changed is packed anew: of a million tracks it takes several."""

_LOCK: Final = 0x656D6F74  # "emot"
"""The advisory lock under which tiles are packed."""


class Tile(NamedTuple):
    """A tile as it is stored: its parts, and the place of the analyser of each in the list."""

    tile: int
    places: list[int]
    parts: list[bytes]


def distances(target: Affect) -> npt.NDArray[np.float64]:
    """Return how far each tile is from a target at least, by line and column, (SIDE, SIDE)."""
    across, up = (np.square(_apart(at)) for at in (target.valence, target.arousal))
    return np.asarray(np.sqrt(across + affect.AROUSAL_WEIGHT * up[:, None]))


def middles() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return valence and arousal of the middle of each tile, (SIDE, SIDE) each."""
    along = np.asarray((np.arange(SIDE) + 0.5) * (2 / SIDE) - 1, np.float32)
    valence, arousal = np.meshgrid(along, along)
    return valence, arousal


def _apart(at: float) -> npt.NDArray[np.float64]:
    """Return how far along one axis a place is from each line of tiles, (SIDE,)."""
    first = np.arange(SIDE) * (2 / SIDE) - 1
    return np.asarray(np.maximum(0, np.maximum(first - at, at - first - 2 / SIDE)))


def may_read(connection: Connection) -> bool:
    """Tell whether there are tiles for this user, who may be one that only reads: then the table,
    or the right to it, has to come from somebody else.
    """
    return bool(_asked(connection, _MAY_READ, {}).fetchall())


def read(connection: Connection, tiles: Sequence[int], analysers: Sequence[str]) -> list[Tile]:
    """Return those of the tiles that are packed, as far as there is something in them."""
    return _tiles(connection, _READ, {"tiles": list(tiles), "analysers": list(analysers)})


def is_due(connection: Connection, analysers: Sequence[str], music: int) -> bool:
    """Tell whether tiles are not packed yet, or long ago of a state that is not ``music``."""
    values = {"analysers": list(analysers), "music": music, "rest": REST}
    return not _asked(connection, _FRESH, values).fetchall()


def pack(connection: Connection, analysers: Sequence[str], music: int) -> None:
    """Pack all tiles of what the tables have now, in the state ``music``, unless others do."""
    values = {"analysers": list(analysers), "music": music, "lock": _LOCK}
    if _asked(connection, "SELECT 1 WHERE pg_try_advisory_xact_lock(%(lock)s)", values).fetchall():
        _asked(connection, _FORGET, values)
        _asked(connection, _PACK, values)


def answered(
    connection: Connection, analysers: Sequence[str], *, prefixes: Sequence[str], who: str
) -> Tile:
    """Return what the listener liked and skipped, as if it stood in one tile."""
    values: JsonObject = {"analysers": list(analysers), "listener": who, "answered": ANSWERED}
    if prefixes:
        values["prefixes"] = list(prefixes)
    query = _ANSWERED.format(begins=_native(BEGINS) if prefixes else "")
    return _tiles(connection, query, values)[0]


def _tiles(connection: Connection, query: str, values: JsonObject) -> list[Tile]:
    return [Tile(*row) for row in _asked(connection, query, values)]


def _asked(connection: Connection, query: str, values: JsonObject) -> Cursor[Any]:
    """Ask in the form of the wire, which needs no parsing."""
    given = connection.connection.driver_connection
    assert given is not None  # noqa: S101 - it was just taken from the pool
    cursor: Cursor[Any] = given.cursor(binary=True)
    return cursor.execute(query, values)


def _native(query: str) -> str:
    """Return a query with parameters as the driver has them, not as SQLAlchemy has."""
    for name in ("tiles", "analysers", "listener", "answered", "prefixes", "music", "rest"):
        query = query.replace(f":{name}", f"%({name})s")
    return query


_LINE: Final = f"least({SIDE - 1}, floor(({{axis}} + 1) * {SIDE / 2}))::integer"
_TILE: Final = (
    f"{_LINE.format(axis='analyses.arousal')} * {SIDE} + {_LINE.format(axis='analyses.valence')}"
)

_RECORD: Final = """int8send(tracks.id)
 || substring(convert_to(tracks.uri, 'UTF8') || decode('00000000', 'hex') FROM 1 FOR 4)
 || float4send(valence::real) || float4send(arousal::real)
 || halfvec_send(CASE WHEN analyses.embedding IS NULL THEN measures
  ELSE measures || analyses.embedding END)"""
"""A track: its number, how its uri begins, its place, to the last bit since that decides in which
region of a taste it stands, and a vector that begins with its measures. A tempo or loudness that is
unknown is one that says nothing of taste."""

_PARTS: Final = f"""SELECT tile,
 (array_position({ANALYSERS}, analyser::text) - 1)::smallint AS place,
 coalesce(vector_dims(embedding), 0) AS width,
 string_agg({_RECORD}, '') AS part
 FROM analyses CROSS JOIN LATERAL (SELECT {{tile}} AS tile, ARRAY[
  coalesce(nullif(spread, 'NaN'), 1), coalesce(nullif(tempo, 'NaN'), 120),
  coalesce(nullif(loudness, 'NaN'), -12)]::real[]::halfvec AS measures) AS measured
 {PLACED} {{where}} GROUP BY tile, analyser, width"""  # noqa: S608 - constants

_NAMES: Final = f"array_to_string({ANALYSERS}, ' ')"
_MAY_READ: Final = """SELECT FROM pg_class
 WHERE relname = 'tiles' AND pg_table_is_visible(oid) AND has_table_privilege(oid, 'SELECT')"""
_READ: Final = _native(
    f"""SELECT tile, places, parts FROM tiles
 WHERE analysers = {_NAMES} AND tile = ANY(CAST(:tiles AS integer[]))"""  # noqa: S608 - constants
)
_FRESH: Final = _native(
    f"""SELECT FROM tiles WHERE analysers = {_NAMES} AND tile = {HEAD}
 AND (music = :music OR at > now() - make_interval(secs => :rest))"""
)
_FORGET: Final = _native(f"DELETE FROM tiles WHERE analysers = {_NAMES}")  # noqa: S608 - constants
_PACK: Final = _native(
    f"""WITH packed AS MATERIALIZED ({_PARTS.format(tile=_TILE, where="", begins="")})
 INSERT INTO tiles (analysers, music, tile, places, parts)
 SELECT {_NAMES}, CAST(:music AS bigint), tile, array_agg(place), array_agg(part)
 FROM (SELECT tile, place, part FROM packed
  UNION ALL SELECT DISTINCT {HEAD}, place, int4send(width) FROM packed) AS parts
 GROUP BY tile"""  # noqa: S608 - constants
)
_ANSWERED: Final = _native(
    f"""SELECT {HEAD}, coalesce(array_agg(place), ARRAY[]::smallint[]),
 coalesce(array_agg(part), ARRAY[]::bytea[]) FROM ({
        _PARTS.format(tile="0", where=f"WHERE tracks.id IN ({ANSWERS})", begins="{begins}")
    }) AS packed"""  # noqa: S608 - constants
)
