"""Tracks and what was heard in them, written many at once: each kind in one statement."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert

from emotion_dj.catalogue.rows import values_of
from emotion_dj.catalogue.schema import analyses, tracks
from emotion_dj.domain import Analysis, Track

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import Connection

Heard = tuple[Track, str, str, Analysis | str]
"""A track, its stamp, its fingerprint, and what was heard in it or why nothing was."""

_PART: Final = 10_000
_KEY: Final = ("track", "fingerprint", "analyser")
_DESCRIBED: Final = ("title", "artists", "album", "duration", "artwork", "isrc")


def batched(rows: Iterable[Heard]) -> Iterator[list[Heard]]:
    """Cut rows into parts that are written together."""
    left = iter(rows)
    while part := list(islice(left, _PART)):
        yield part


def upsert(connection: Connection, rows: Sequence[Heard], analyser: str) -> None:
    """Write tracks and what was heard in them, each in one statement for all rows."""
    statement = insert(tracks)
    told = {name: statement.excluded[name] for name in (*_DESCRIBED, "gone")}
    kept = {
        name: func.coalesce(func.nullif(statement.excluded[name], ""), tracks.c[name])
        for name in ("stamp", "fingerprint")
    }
    statement = statement.on_conflict_do_update(["uri"], set_=told | kept)
    connection.execute(statement, [_values(track, *marks) for track, *marks, _ in rows])
    tracks_by_fingerprint = _ids_and_fingerprints(connection, {track.uri for track, *_ in rows})
    failed: list[dict[str, Any]] = []
    heard: list[dict[str, Any]] = []
    for track, _, _, said in rows:
        number, fingerprint = tracks_by_fingerprint[track.uri]
        key = {"track": number, "fingerprint": fingerprint, "analyser": analyser}
        (failed if isinstance(said, str) else heard).append(key | values_of(said))
    for part in (failed, heard):
        if part:
            again = insert(analyses)
            values = {name: again.excluded[name] for name in part[0] if name not in _KEY}
            connection.execute(again.on_conflict_do_update(list(_KEY), set_=values), part)


def _ids_and_fingerprints(
    connection: Connection, uris: Collection[str]
) -> dict[str, tuple[int, str]]:
    """Return number and fingerprint of each track, by its uri."""
    query = select(tracks.c.uri, tracks.c.id, tracks.c.fingerprint)
    rows = connection.execute(query.where(tracks.c.uri.in_(uris)))
    return {uri: (number, fingerprint) for uri, number, fingerprint in rows}


def _values(track: Track, modification_tag: str, fingerprint: str) -> dict[str, Any]:
    described = {name: getattr(track, name) for name in _DESCRIBED}
    marks = {"uri": track.uri, "stamp": modification_tag, "fingerprint": fingerprint, "gone": False}
    return described | {"artists": list(track.artists)} | marks
