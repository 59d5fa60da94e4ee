"""The catalogue: tracks and what was heard in them, in one SQLite file.

Every write is one transaction, so a process that is killed leaves a whole catalogue behind.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from sqlalchemy import String, cast, func, select, text, update
from sqlalchemy.dialects.sqlite import insert

from emotion_dj.catalogue import column_cache
from emotion_dj.catalogue.database import connect, file_of, translated
from emotion_dj.catalogue.feedback import candidates_of, feedback_of, recency_of
from emotion_dj.catalogue.rows import analysis_of, track_of
from emotion_dj.catalogue.schema import (
    analyses,
    corrections,
    feedback,
    folders,
    state,
    tracks,
)
from emotion_dj.catalogue.writing import batched, upsert
from emotion_dj.domain import Affect

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from emotion_dj.catalogue.column_cache import Columns
    from emotion_dj.catalogue.writing import Heard
    from emotion_dj.domain import Analysis, Candidates, Track

_PARAMETERS: Final = 10_000
_OF_ITS_CONTENT: Final = (analyses.c.track == tracks.c.id) & (
    analyses.c.fingerprint == tracks.c.fingerprint
)


class Catalogue:
    """A store of tracks and analyses; use it as a context manager or close it."""

    def __init__(self, address: str | Path) -> None:
        """Open or create the catalogue at a path; an older one is migrated and kept beside it as it
        was. Raises CatalogueError, or SettingsError for what is not a path.
        """  # noqa: D205
        self.address = str(address)
        self._file = file_of(self.address)
        with translated(self.address):
            self._engine = connect(self.address)

    def __enter__(self) -> Self:
        """Return the catalogue."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._engine.dispose()

    def modification_tags(self, analyser: str) -> dict[str, tuple[str, str | None]]:
        """Return the stamp of every track that the analyser has met, and why it failed, by uri."""
        query = select(tracks.c.uri, tracks.c.stamp, analyses.c.failure).join(
            analyses, _OF_ITS_CONTENT
        )
        with translated(self.address), self._engine.connect() as connection:
            rows = connection.execute(query.where(analyses.c.analyser == analyser))
            return {uri: (modification_tag, failure) for uri, modification_tag, failure in rows}

    def analysis_of(self, fingerprint: str, analyser: str) -> Analysis | None:
        """Return what this analyser heard in that content, whichever track it belonged to."""
        query = select(analyses).where(
            (analyses.c.fingerprint == fingerprint)
            & (analyses.c.analyser == analyser)
            & analyses.c.failure.is_(None)
        )
        with translated(self.address), self._engine.connect() as connection:
            row = connection.execute(query.limit(1)).first()
            return analysis_of(row) if row else None

    def store(
        self,
        track: Track,
        *,
        modification_tag: str,
        fingerprint: str,
        analyser: str,
        heard: Analysis | str,
    ) -> None:
        """Keep what was heard, or why nothing was, once per (track, content, analyser)."""
        self.store_all([(track, modification_tag, fingerprint, heard)], analyser=analyser)

    def store_all(self, rows: Iterable[Heard], *, analyser: str) -> int:
        """Keep many (track, stamp, fingerprint, what was heard) in one transaction; count them.

        Without a fingerprint it is said of the content that the track is known to have.
        """
        count = 0
        with translated(self.address), self._engine.begin() as connection:
            for part in batched(rows):
                upsert(connection, part, analyser)
                count += len(part)
            _changed(connection, "music")
        return count

    def candidates(
        self, analysers: Sequence[str], *, uris: Collection[str] | None = None
    ) -> Candidates:
        """Return the columns of every track that an analyser knows, of those named or of all.

        They are in the order of their uris. Where several know a track, the one that is named
        first is believed.
        """
        with translated(self.address), self._engine.connect() as connection:
            found = self._columns(connection, analysers)
            if uris is not None:
                wanted = _numbers(connection, uris)
                found = found.rows(np.isin(found.number, list(wanted.values())))
            told, recency = feedback_of(connection), recency_of(connection)
        return candidates_of(found, told, recency, self.tracks)

    def _columns(self, connection: Connection, analysers: Sequence[str]) -> Columns:
        """Return the columns out of the file beside the catalogue, made anew where it is old."""
        marks = _state(connection)
        mark = f"{marks['id']} {marks.get('music', 0)} {' '.join(analysers)}"
        beside = _beside(self._file)
        kept = column_cache.load(beside, mark)
        if kept is None:
            kept = column_cache.read(connection, analysers)
            if len(kept) >= column_cache.WORTH:
                column_cache.save(beside, mark, kept)
        return kept

    def tracks(self, numbers: Sequence[int]) -> list[Track]:
        """Return the tracks with those numbers, in that order."""
        query = select(tracks).where(tracks.c.id.in_(list(numbers)))
        with translated(self.address), self._engine.connect() as connection:
            found = {row.id: track_of(row) for row in connection.execute(query)}
        return [found[number] for number in numbers]

    def numbers(self, uris: Collection[str]) -> dict[str, int]:
        """Return the number of each track that is known, by its uri."""
        with translated(self.address), self._engine.connect() as connection:
            return _numbers(connection, uris)

    def entries(
        self, analysers: Sequence[str], *, limit: int | None = None
    ) -> Iterable[tuple[int, Track, Analysis]]:
        """Yield every track that is there with what the first of the analysers heard, by uri."""
        query = (
            select(tracks, analyses)
            .join(analyses, _OF_ITS_CONTENT)
            .where(analyses.c.analyser.in_(analysers) & analyses.c.failure.is_(None))
            .where(~tracks.c.gone)
            .order_by(tracks.c.uri)
        )
        with translated(self.address), self._engine.connect() as connection:
            best: dict[int, tuple[int, Row[Any]]] = {}
            for row in connection.execute(query):
                rank = analysers.index(row.analyser)
                if row.id not in best or rank < best[row.id][0]:
                    best[row.id] = rank, row
            for number, (_, row) in list(best.items())[:limit]:
                yield number, track_of(row), analysis_of(row)

    def search(self, words: str, *, limit: int) -> list[tuple[int, Track]]:
        """Return numbered tracks in whose title, artists or album every word occurs, by title."""
        text_of = tracks.c.title + " " + cast(tracks.c.artists, String) + " " + tracks.c.album
        query = select(tracks).order_by(tracks.c.title, tracks.c.id).limit(limit)
        for word in words.split():
            query = query.where(text_of.icontains(word, autoescape=True))
        with translated(self.address), self._engine.connect() as connection:
            return [(row.id, track_of(row)) for row in connection.execute(query)]

    def add_feedback(self, number: int, kind: str) -> None:
        """Keep that the listener liked, skipped or played a track."""
        with translated(self.address), self._engine.begin() as connection:
            connection.execute(feedback.insert().values(track=number, kind=kind))
            _changed(connection, "told")

    def remove_feedback(self, number: int, kind: str) -> None:
        """Remove the last like, skip or play of a track, where there is one."""
        last = select(func.max(feedback.c.id)).where(
            (feedback.c.track == number) & (feedback.c.kind == kind)
        )
        gone = feedback.delete().where(feedback.c.id == last.scalar_subquery())
        with translated(self.address), self._engine.begin() as connection:
            connection.execute(gone)
            _changed(connection, "told")

    def import_history(self, streams: Iterable[tuple[str, str, str, str]]) -> int:
        """Keep what was done with (uri, title, artist, kind), by uri, else by title and artist.

        Tracks that are not known are left out; returns how many answers were kept.
        """
        query = select(tracks.c.id, tracks.c.uri, tracks.c.title, tracks.c.artists)
        with translated(self.address), self._engine.begin() as connection:
            numbers: dict[object, int] = {}
            for number, uri, title, artists in connection.execute(query):
                numbers[uri] = number
                numbers[title.casefold(), next(iter(artists), "").casefold()] = number
            found = [
                {"track": number, "kind": kind}
                for uri, title, artist, kind in streams
                if (
                    number := numbers.get(uri) or numbers.get((title.casefold(), artist.casefold()))
                )
            ]
            if found:
                connection.execute(feedback.insert(), found)
                _changed(connection, "told")
        return len(found)

    def add_correction(self, probabilities: Mapping[str, float], said: Affect) -> None:
        """Keep what was read of a face, by emotion, and where its owner says that they are."""
        values = {"valence": said.valence, "arousal": said.arousal}
        with translated(self.address), self._engine.begin() as connection:
            connection.execute(
                corrections.insert().values(probabilities=dict(probabilities), **values)
            )

    def corrections(self) -> list[tuple[dict[str, float], Affect]]:
        """Return every correction, the oldest first."""
        query = select(corrections).order_by(corrections.c.id)
        with translated(self.address), self._engine.connect() as connection:
            rows = connection.execute(query)
            return [(row.probabilities, Affect(row.valence, row.arousal)) for row in rows]

    def feedback_log(self) -> list[tuple[str, str, str, str]]:
        """Return what the listener did, the oldest first: when, what, uri, title."""
        query = (
            select(cast(feedback.c.at, String), feedback.c.kind, tracks.c.uri, tracks.c.title)
            .join(tracks, tracks.c.id == feedback.c.track)
            .order_by(feedback.c.id)
        )
        with translated(self.address), self._engine.connect() as connection:
            return [(at, kind, uri, title) for at, kind, uri, title in connection.execute(query)]

    def forget_taste(self) -> int:
        """Remove all likes, skips, plays and corrections; count them."""
        with translated(self.address), self._engine.begin() as connection:
            _changed(connection, "told")
            return sum(connection.execute(t.delete()).rowcount for t in (feedback, corrections))

    def change_counter(self) -> tuple[int, int]:
        """Return a mark that changes whenever candidates may have changed, in any process."""
        with translated(self.address), self._engine.connect() as connection:
            marks = _state(connection)
            return marks.get("music", 0), marks.get("told", 0)

    def forget(self, uris: Collection[str]) -> int:
        """Remove tracks and all that is known of them; count them."""
        with translated(self.address), self._engine.begin() as connection:
            numbers = list(_numbers(connection, uris).values())
            for part in _parts(numbers):
                connection.execute(tracks.delete().where(tracks.c.id.in_(part)))
            _changed(connection, "music")
            return len(numbers)

    def tracks_by_fingerprint(self, fingerprint: str) -> list[Track]:
        """Return the tracks that have this content."""
        query = select(tracks).where(tracks.c.fingerprint == fingerprint)
        with translated(self.address), self._engine.connect() as connection:
            return [track_of(row) for row in connection.execute(query)]

    def rename_uri(self, old: str, new: str, *, modification_tag: str) -> None:
        """Give a track another uri; what was heard and said of it goes along."""
        change = update(tracks).where(tracks.c.uri == old)
        with translated(self.address), self._engine.begin() as connection:
            connection.execute(change.values(uri=new, stamp=modification_tag, gone=False))
            _changed(connection, "music")

    def mark_missing(self, below: str, uris: Collection[str]) -> int:
        """Mark what is gone of the tracks whose uri begins with ``below``; count what is gone.

        What was gone and is among ``uris`` is back.
        """
        here = set(uris)
        query = select(tracks.c.id, tracks.c.uri, tracks.c.gone)
        query = query.where(_begins(below))
        with translated(self.address), self._engine.begin() as connection:
            rows = connection.execute(query).all()
            for gone in (True, False):
                turned = [r.id for r in rows if r.gone != gone and (r.uri not in here) == gone]
                for part in _parts(turned):
                    change = update(tracks).where(tracks.c.id.in_(part))
                    connection.execute(change.values(gone=gone))
                if turned:
                    _changed(connection, "music")
        return sum(row.uri not in here for row in rows)

    def folders(self) -> list[str]:
        """Return the folders and sources that are scanned."""
        with translated(self.address), self._engine.connect() as connection:
            return list(connection.scalars(select(folders.c.path).order_by(folders.c.path)))

    def add_folders(self, paths: Iterable[str]) -> None:
        """Remember folders and sources for scans to come."""
        with translated(self.address), self._engine.begin() as connection:
            for path in paths:
                statement = insert(folders).values(path=path)
                connection.execute(statement.on_conflict_do_nothing())

    def forget_folder(self, place: str) -> int:
        """Remove a folder, file or source that is scanned and all tracks of it; count them."""
        with translated(self.address), self._engine.begin() as connection:
            connection.execute(folders.delete().where(folders.c.path == place))
        path = Path(place)
        if not path.is_absolute():
            return self.forget_source(f"{place}:")
        return self.forget([path.as_uri()]) + self.forget_source(f"{path.as_uri()}/")

    def forget_source(self, prefix: str) -> int:
        """Remove every track whose uri begins so, from the file's free pages too; count them."""
        with translated(self.address):
            with self._engine.begin() as connection:
                count = connection.execute(tracks.delete().where(_begins(prefix))).rowcount
                _changed(connection, "music")
            whole = self._engine.execution_options(isolation_level="AUTOCOMMIT")
            with whole.connect() as connection:
                connection.execute(text("VACUUM"))
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            _beside(self._file).unlink(missing_ok=True)
        return count

    def placed_uris(self, uris: Collection[str], analysers: Sequence[str]) -> set[str]:
        """Return those of the uris that one of the analysers has placed."""
        query = select(tracks.c.uri).join(analyses, _OF_ITS_CONTENT)
        query = query.where(analyses.c.analyser.in_(analysers) & analyses.c.failure.is_(None))
        with translated(self.address), self._engine.connect() as connection:
            return set(connection.scalars(query)) & set(uris)

    def same_recordings(self, isrcs: Collection[str], analyser: str) -> dict[str, Analysis]:
        """Return what an analyser says of recordings, by ISRC, whichever source they are of."""
        query = select(tracks.c.isrc, analyses).join(analyses, _OF_ITS_CONTENT)
        query = query.where(
            tracks.c.isrc.is_not(None)
            & (analyses.c.analyser == analyser)
            & analyses.c.failure.is_(None)
        )
        wanted = set(isrcs)
        with translated(self.address), self._engine.connect() as connection:
            found = connection.execute(query)
            return {row.isrc: analysis_of(row) for row in found if row.isrc in wanted}

    def count(self) -> int:
        """Count the tracks."""
        with translated(self.address), self._engine.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(tracks)) or 0)


def _state(connection: Connection) -> dict[str, int]:
    return dict(connection.execute(select(state.c.name, state.c.value)).tuples().all())


def _changed(connection: Connection, what: str) -> None:
    statement = insert(state).values(name=what, value=1)
    connection.execute(statement.on_conflict_do_update(["name"], set_={"value": state.c.value + 1}))


def _begins(prefix: str) -> ColumnElement[bool]:
    """Say that a uri begins so, case and all, in a form that SQLite finds by its index."""
    return (tracks.c.uri >= prefix) & (tracks.c.uri < prefix[:-1] + chr(ord(prefix[-1]) + 1))


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.columns")


def _numbers(connection: Connection, uris: Collection[str]) -> dict[str, int]:
    """Return the number of each track that is known, by its uri."""
    query = select(tracks.c.uri, tracks.c.id)
    found: dict[str, int] = {}
    for part in _parts(list(uris)):
        found.update(connection.execute(query.where(tracks.c.uri.in_(part))).tuples().all())
    return found


def _parts(values: list[Any]) -> list[list[Any]]:
    """Cut a list into parts that SQLite takes as parameters of one statement."""
    return [values[start : start + _PARAMETERS] for start in range(0, len(values), _PARAMETERS)]
