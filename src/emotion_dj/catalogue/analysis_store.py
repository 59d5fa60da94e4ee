"""The analyses of a catalogue, written many at once, and the columns that ranking reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import func, select

from emotion_dj.catalogue import column_cache
from emotion_dj.catalogue.database import CHUNK, chunks, numbers_of
from emotion_dj.catalogue.folding import fold_track
from emotion_dj.catalogue.rows import analysis_of, track_of, values_of
from emotion_dj.catalogue.schema import MUSIC, analyses, tracks
from emotion_dj.catalogue.surroundings import Surroundings
from emotion_dj.catalogue.track_store import load_tracks
from emotion_dj.domain import ME, Candidates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Row

    from emotion_dj.catalogue.column_cache import Columns
    from emotion_dj.catalogue.database import Database
    from emotion_dj.catalogue.surroundings import Packer
    from emotion_dj.domain import Affect, Analysis, Listener, Track
    from emotion_dj.json_types import JsonObject
    from emotion_dj.stores import AnalysisRecord

LARGE: Final = 50_000
"""Tracks up to which a set is chosen of all, and is the same whatever the backend."""

_KEY: Final = ("track", "fingerprint", "analyser")
_DESCRIPTION: Final = (
    *("title", "artists", "album", "duration", "artwork", "isrc"),
    *("genres", "year", "mbid"),
)
_SAME_CONTENT: Final = (analyses.c.track == tracks.c.id) & (
    analyses.c.fingerprint == tracks.c.fingerprint
)


class Analyses:
    """Fits `stores.AnalysisStore`, where each verb is described."""

    _database: Database
    packer: Packer
    _counted: tuple[int, bool] | None = None

    def revision(self) -> int:
        """Return a number that is another one after every change of tracks or analyses."""
        with self._database.reading() as connection:
            return self._database.states(connection, MUSIC).get(MUSIC, 0)

    def store(
        self,
        track: Track,
        *,
        modification_tag: str,
        fingerprint: str,
        analyser: str,
        result: Analysis | str,
    ) -> None:
        """Store a track with its analysis or the reason why there is none."""
        self.store_all([(track, modification_tag, fingerprint, result)], analyser=analyser)

    def store_all(self, rows: Iterable[AnalysisRecord], *, analyser: str) -> int:
        """Store all rows or, where an error is raised, none; count them."""
        count = 0
        with self._database.writing() as connection:
            for batch in _batches(rows):
                self._upsert_tracks(connection, batch)
                self._upsert_analyses(connection, batch, analyser)
                count += len(batch)
            self._database.touch(connection, MUSIC)
        return count

    def modification_tags(self, analyser: str) -> dict[str, tuple[str, str | None]]:
        """Return modification tag and failure of every track that the analyser was given."""
        query = (
            select(tracks.c.uri, tracks.c.modification_tag, analyses.c.failure)
            .join(analyses, _SAME_CONTENT)
            .where(analyses.c.analyser == analyser)
        )
        with self._database.reading() as connection:
            return {uri: (tag, failure) for uri, tag, failure in connection.execute(query)}

    def analysis_of(self, fingerprint: str, analyser: str) -> Analysis | None:
        """Return this analyser's analysis of that content, whichever track it belongs to."""
        return self.analyses_of([fingerprint], analyser).get(fingerprint)

    def analyses_of(self, fingerprints: Collection[str], analyser: str) -> dict[str, Analysis]:
        """Return this analyser's analyses of contents, by fingerprint."""
        heard = (analyses.c.analyser == analyser) & analyses.c.failure.is_(None)
        found: dict[str, Analysis] = {}
        with self._database.reading() as connection:
            for chunk in chunks(list(fingerprints)):
                query = select(analyses).where(analyses.c.fingerprint.in_(chunk) & heard)
                for row in connection.execute(query):
                    if row.fingerprint not in found:
                        found[row.fingerprint] = analysis_of(row)
        return found

    def same_recordings(self, isrcs: Collection[str], analyser: str) -> dict[str, Analysis]:
        """Return an analyser's analyses of recordings, by ISRC, whichever source they are of."""
        query = select(tracks.c.isrc, analyses).join(analyses, _SAME_CONTENT)
        query = query.where(
            tracks.c.isrc.is_not(None)
            & (analyses.c.analyser == analyser)
            & analyses.c.failure.is_(None)
        )
        wanted = set(isrcs)
        with self._database.reading() as connection:
            rows = connection.execute(query)
            return {row.isrc: analysis_of(row) for row in rows if row.isrc in wanted}

    def placed_uris(self, uris: Collection[str], analysers: Sequence[str]) -> set[str]:
        """Return those of the uris that one of the analysers has placed."""
        query = select(tracks.c.uri).join(analyses, _SAME_CONTENT)
        query = query.where(analyses.c.analyser.in_(analysers) & analyses.c.failure.is_(None))
        with self._database.reading() as connection:
            return set(connection.scalars(query)) & set(uris)

    def entries(
        self, analysers: Sequence[str], *, limit: int | None = None
    ) -> Iterator[tuple[int, Track, Analysis]]:
        """Yield every track that is there with its analysis by the first of the analysers."""
        query = (
            select(tracks, analyses)
            .join(analyses, _SAME_CONTENT)
            .where(analyses.c.analyser.in_(analysers) & analyses.c.failure.is_(None))
            .where(~tracks.c.missing)
            .order_by(tracks.c.uri)
        )
        best: dict[int, tuple[int, Row[Any]]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                rank = analysers.index(row.analyser)
                if row.id not in best or rank < best[row.id][0]:
                    best[row.id] = rank, row
        for number, (_, row) in list(best.items())[:limit]:
            yield number, track_of(row), analysis_of(row)

    def candidates(
        self, analysers: Sequence[str], *, uris: Collection[str] | None = None
    ) -> Candidates:
        """Return all tracks that are there and analysed, or those of these uris, as columns."""
        with self._database.reading() as connection:
            columns = self._columns(connection, analysers)
            if uris is not None:
                wanted = numbers_of(connection, uris)
                columns = columns.rows(np.isin(columns.number, list(wanted.values())))
        return self._as_candidates(columns)

    def is_indexed(self) -> bool:
        """Tell whether the catalogue is large, and there is an index of the plane."""
        if not self._database.backend.indexed:
            return False
        with self._database.reading() as connection:
            return self._is_large(connection)

    def candidates_near(
        self,
        path: Sequence[Affect],
        analysers: Sequence[str],
        *,
        prefixes: Sequence[str] = (),
        listener: Listener = ME,
        wanted: Sequence[int] = (),
    ) -> Candidates | None:
        """Return what a set along a path is chosen of; None where all `candidates` are better."""
        if not self.is_indexed():
            return None
        near = self._database.backend.near(
            path, analysers, prefixes=prefixes, who=listener.id, wanted=wanted
        )
        with self._database.reading() as connection:
            some = tracks.c.id.in_(near)
            return self._as_candidates(column_cache.read(connection, analysers, some))

    def surroundings(
        self,
        analysers: Sequence[str],
        *,
        prefixes: Sequence[str] = (),
        listener: Listener = ME,
    ) -> Surroundings | None:
        """Return what looks farther around targets; None where nothing is packed for it yet."""
        if not self.packer.may_read():
            return None
        self.packer.start(analysers)
        around = Surroundings(
            self._database,
            analysers,
            prefixes=prefixes,
            who=listener.id,
            load=self._as_candidates,
        )
        return around if around.is_packed else None

    def _as_candidates(self, columns: Columns) -> Candidates:
        return Candidates(
            **columns.by_name(),
            load=lambda rows: load_tracks(self._database, columns.number[list(rows)].tolist()),
        )

    def _is_large(self, connection: Connection) -> bool:
        """Tell whether there are more tracks than are ranked whole; counted after a change."""
        now = self._database.states(connection, MUSIC).get(MUSIC, 0)
        if self._counted is None or self._counted[0] != now:
            some = select(tracks.c.id).limit(LARGE + 1).subquery()
            count = connection.scalar(select(func.count()).select_from(some)) or 0
            self._counted = now, count > LARGE
        return self._counted[1]

    def _columns(self, connection: Connection, analysers: Sequence[str]) -> Columns:
        """Return the columns out of the cache, made anew where it is old."""
        states = self._database.states(connection, MUSIC)
        database = self._database.identity(connection)
        mark = f"{states.get(MUSIC, 0)} {' '.join(analysers)}"
        columns = column_cache.load(database, mark)
        if columns is None:
            columns = column_cache.read(connection, analysers)
            if len(columns) >= column_cache.LEAST_ROWS:
                column_cache.save(database, mark, columns)
        return columns

    def _upsert_tracks(self, connection: Connection, batch: Sequence[AnalysisRecord]) -> None:
        """Write the tracks; marks that are empty stay as they were."""
        statement = self._database.insert(tracks)
        new = statement.excluded
        marks = {
            name: func.coalesce(func.nullif(new[name], ""), tracks.c[name])
            for name in ("modification_tag", "fingerprint")
        }
        values = {name: new[name] for name in (*_DESCRIPTION, "folded", "missing")} | marks
        statement = statement.on_conflict_do_update(index_elements=["uri"], set_=values)
        connection.execute(statement, [_track_values(*record) for record in batch])

    def _upsert_analyses(
        self, connection: Connection, batch: Sequence[AnalysisRecord], analyser: str
    ) -> None:
        """Write what is known of the content that the tracks have now."""
        keys = _ids_and_fingerprints(connection, [track.uri for track, *_ in batch])
        failures: list[JsonObject] = []
        successes: list[JsonObject] = []
        for track, _, _, result in batch:
            values = dict(zip(_KEY, (*keys[track.uri], analyser), strict=True))
            rows = failures if isinstance(result, str) else successes
            rows.append(values | values_of(result))
        for rows in (failures, successes):
            if rows:
                statement = self._database.insert(analyses)
                changes = {name: statement.excluded[name] for name in rows[0] if name not in _KEY}
                connection.execute(
                    statement.on_conflict_do_update(index_elements=_KEY, set_=changes), rows
                )


def _batches(rows: Iterable[AnalysisRecord]) -> Iterator[list[AnalysisRecord]]:
    """Cut rows into parts that are written together; no part names a track twice."""
    batch: dict[str, AnalysisRecord] = {}
    for row in rows:
        if row[0].uri in batch or len(batch) == CHUNK:
            yield list(batch.values())
            batch = {}
        batch[row[0].uri] = row
    if batch:
        yield list(batch.values())


def _ids_and_fingerprints(
    connection: Connection, uris: Collection[str]
) -> dict[str, tuple[int, str]]:
    """Return number and fingerprint of each track, by its uri."""
    query = select(tracks.c.uri, tracks.c.id, tracks.c.fingerprint)
    rows = connection.execute(query.where(tracks.c.uri.in_(uris)))
    return {uri: (number, fingerprint) for uri, number, fingerprint in rows}


def _track_values(
    track: Track, modification_tag: str, fingerprint: str, _result: Analysis | str
) -> JsonObject:
    return {
        **{name: getattr(track, name) for name in _DESCRIPTION},
        "artists": list(track.artists),
        "genres": list(track.genres),
        "folded": fold_track(track.title, track.artists, track.album),
        "uri": track.uri,
        "modification_tag": modification_tag,
        "fingerprint": fingerprint,
        "missing": False,
    }
