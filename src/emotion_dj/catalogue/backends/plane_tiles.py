"""The plane in tiles, each with all its tracks packed in one value: rows by the ten thousand.

What a taste is asked of is far more than a set is ranked of, and a few dozen bytes of each track
are enough for it. PostgreSQL gives them a hundred times as fast in one value as in rows. A tile is
packed when it is first asked for, and again, a few at a time, after a change of the music; what it
still says of older tracks does no harm, since whatever is chosen is looked up in the tables.
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
    PLACE,
    PLACED,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from emotion_dj.domain import Affect
    from emotion_dj.json_types import JsonObject

SIDE: Final = 80
"""Tiles across the plane: among a million tracks the fullest holds some six hundred."""

TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS tiles (analysers text, tile integer, music bigint NOT NULL, "
    "places smallint[] NOT NULL, parts bytea[] NOT NULL, PRIMARY KEY (analysers, tile))",
    "ALTER TABLE tiles ALTER parts SET STORAGE EXTERNAL",
)
"""``music`` is the state of the music of which a tile was packed. ``parts`` are records of one
length each, ``places`` the place of their analyser in the list."""


class Tile(NamedTuple):
    """A tile as it is stored: the state it was packed of, and its parts with their analysers."""

    tile: int
    music: int
    places: list[int]
    parts: list[bytes]


def within(reach: Mapping[Affect, float]) -> set[int]:
    """Return the tiles that are not farther away than this from one of the targets."""
    near = np.zeros((SIDE, SIDE), bool)
    for target, farthest in reach.items():
        across, up = (np.square(_apart(at)) for at in (target.valence, target.arousal))
        near |= across + affect.AROUSAL_WEIGHT * up[:, None] <= farthest**2
    return set(np.flatnonzero(near).tolist())


def _apart(at: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return how far along one axis a place is from each line of tiles, (SIDE,)."""
    first = np.arange(SIDE) * (2 / SIDE) - 1
    return np.maximum(0, np.maximum(first - at, at - first - 2 / SIDE))


def read(connection: Connection, tiles: Sequence[int], analysers: Sequence[str]) -> list[Tile]:
    """Return those of the tiles that were packed."""
    return _asked(connection, _READ, {"tiles": list(tiles), "analysers": list(analysers)})


def pack(
    connection: Connection, tiles: Sequence[int], analysers: Sequence[str], music: int
) -> list[Tile]:
    """Pack tiles of what the tables have now, in the state ``music``; store and return them."""
    values = {"tiles": sorted(tiles), "analysers": list(analysers), "music": music}
    return _asked(connection, _PACK, values)


def answered(
    connection: Connection, analysers: Sequence[str], *, prefixes: Sequence[str], who: str
) -> Tile:
    """Return what the listener liked and skipped, as if it stood in one tile."""
    values: JsonObject = {"analysers": list(analysers), "listener": who, "answered": ANSWERED}
    if prefixes:
        values["prefixes"] = list(prefixes)
    query = _ANSWERED.format(begins=BEGINS if prefixes else "")
    return _asked(connection, query, values)[0]


def _asked(connection: Connection, query: str, values: JsonObject) -> list[Tile]:
    """Ask in the form of the wire, which needs no parsing."""
    from psycopg.rows import args_row

    given = connection.connection.driver_connection
    assert given is not None  # noqa: S101 - it was just taken from the pool
    with given.cursor(binary=True, row_factory=args_row(Tile)) as cursor:
        return list(cursor.execute(query, values).fetchall())


_LINE: Final = f"least({SIDE - 1}, floor(({{axis}} + 1) * {SIDE / 2}))::integer"
_TILE: Final = (
    f"({_LINE.format(axis='analyses.arousal')} * {SIDE} + {_LINE.format(axis='analyses.valence')})"
)

_BOX: Final = f"""box(
 point(tile %% {SIDE} * {2 / SIDE} - 1.001, (tile / {SIDE} * {2 / SIDE} - 1.001) * {{across}}),
 point((tile %% {SIDE} + 1) * {2 / SIDE} - 0.999,
  ((tile / {SIDE} + 1) * {2 / SIDE} - 0.999) * {{across}}))""".format(
    across=affect.AROUSAL_WEIGHT**0.5
)
"""What the index is asked for; a little more than the tile, whose edges are its own."""

_RECORD: Final = """int8send(tracks.id)
 || substring(convert_to(tracks.uri, 'UTF8') || decode('00000000', 'hex') FROM 1 FOR 4)
 || halfvec_send(CASE WHEN analyses.embedding IS NULL THEN measures
  ELSE measures || analyses.embedding END)"""
"""A track: its number, how its uri begins, and a vector that begins with its measures. A tempo or
loudness that is unknown is one that says nothing of taste."""

_MEASURES: Final = """ARRAY[valence, arousal, coalesce(spread, 1), coalesce(tempo, 120),
 coalesce(loudness, -12)]::real[]::halfvec AS measures"""

_PARTS: Final = f"""SELECT array_position({ANALYSERS}, analyser::text) - 1 AS place,
 string_agg({_RECORD}, '') AS part
 FROM analyses CROSS JOIN LATERAL (SELECT {_MEASURES}) AS measured
 {PLACED} WHERE {{where}} GROUP BY analyser, vector_dims(embedding)"""  # noqa: S608 - constants
_ALL_PARTS: Final = """
 coalesce(array_agg(place::smallint) FILTER (WHERE part IS NOT NULL), ARRAY[]::smallint[]) AS places,
 coalesce(array_agg(part) FILTER (WHERE part IS NOT NULL), ARRAY[]::bytea[]) AS parts"""


def _native(query: str) -> str:
    """Return a query with parameters as the driver has them, not as SQLAlchemy has."""
    for name in ("tiles", "analysers", "listener", "answered", "prefixes", "music"):
        query = query.replace(f":{name}", f"%({name})s")
    return query


_NAMES: Final = f"array_to_string({ANALYSERS}, ' ')"
_READ: Final = _native(
    f"""SELECT tile, music, places, parts FROM tiles
 WHERE analysers = {_NAMES} AND tile = ANY(CAST(:tiles AS integer[]))"""  # noqa: S608 - constants
)
_PACK: Final = _native(
    f"""INSERT INTO tiles (analysers, tile, music, places, parts)
 SELECT {_NAMES}, tile, CAST(:music AS bigint), {_ALL_PARTS}
 FROM unnest(CAST(:tiles AS integer[])) AS tile LEFT JOIN LATERAL (
  {_PARTS.format(where=f"{PLACE} <@ {_BOX} AND {_TILE} = tile", begins="")}
 ) AS packed ON true GROUP BY tile ORDER BY tile
 ON CONFLICT (analysers, tile) DO UPDATE
 SET music = excluded.music, places = excluded.places, parts = excluded.parts
 RETURNING tile, music, places, parts"""  # noqa: S608 - constants
)
_ANSWERED: Final = _native(
    f"""SELECT -1 AS tile, CAST(0 AS bigint) AS music, {_ALL_PARTS} FROM (
  {_PARTS.format(where=f"tracks.id IN ({ANSWERS})", begins="{begins}")}) AS packed"""  # noqa: S608 - constants
)
