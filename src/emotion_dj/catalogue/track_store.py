"""The tracks of a catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, update

from emotion_dj.catalogue import column_cache
from emotion_dj.catalogue.database import chunks, has_prefix, numbers_of
from emotion_dj.catalogue.folding import fold
from emotion_dj.catalogue.rows import track_of
from emotion_dj.catalogue.schema import MUSIC, folders, tracks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from emotion_dj.catalogue.database import Database
    from emotion_dj.domain import Track


class Tracks:
    """Fits `stores.TrackStore`, where each verb is described."""

    _database: Database

    def count(self) -> int:
        """Count the tracks."""
        with self._database.reading() as connection:
            return int(connection.scalar(select(func.count()).select_from(tracks)) or 0)

    def tracks(self, numbers: Sequence[int]) -> list[Track]:
        """Return the tracks with these numbers, in that order. Raises KeyError for another."""
        return load_tracks(self._database, numbers)

    def numbers(self, uris: Collection[str]) -> dict[str, int]:
        """Return the number of each track that is stored, by its uri."""
        with self._database.reading() as connection:
            return numbers_of(connection, uris)

    def tracks_by_fingerprint(
        self, fingerprints: Collection[str]
    ) -> dict[str, list[tuple[Track, str]]]:
        """Return the tracks that have each content, with their modification tags."""
        found: dict[str, list[tuple[Track, str]]] = {}
        with self._database.reading() as connection:
            for chunk in chunks(list(fingerprints)):
                query = select(tracks).where(tracks.c.fingerprint.in_(chunk)).order_by(tracks.c.id)
                for row in connection.execute(query):
                    entry = track_of(row), row.modification_tag
                    found.setdefault(row.fingerprint, []).append(entry)
        return found

    def search(self, words: str, *, limit: int) -> list[tuple[int, Track]]:
        """Return numbered tracks in whose title, artists or album every word occurs, whatever
        its case, accents and form of Unicode, by title.
        """
        query = select(tracks).order_by(tracks.c.title, tracks.c.id).limit(limit)
        query = query.where(*map(_contains, fold(words).split()))
        with self._database.reading() as connection:
            return [(row.id, track_of(row)) for row in connection.execute(query)]

    def column(self, name: str) -> dict[int, Any]:
        """Return one column of every track that is there, by number of the track."""
        query = select(tracks.c.id, tracks.c[name]).where(~tracks.c.missing)
        with self._database.reading() as connection:
            rows = connection.execute(query).tuples()
            return {
                number: () if value is None and name == "genres" else value
                for number, value in rows
            }

    def rename_uris(self, names: Mapping[str, str]) -> None:
        """Give tracks other uris, by their old ones; analyses and feedback go along."""
        change = update(tracks).where(tracks.c.uri == bindparam("old"))
        change = change.values(uri=bindparam("new"), modification_tag="", missing=False)
        with self._database.writing() as connection:
            if names:
                rows = [{"old": old, "new": new} for old, new in names.items()]
                connection.execute(change, rows)
                self._database.touch(connection, MUSIC)

    def mark_missing(self, prefix: str, uris: Collection[str]) -> int:
        """Mark the tracks whose uri has this prefix and is not among ``uris``; count them."""
        query = select(tracks.c.id, tracks.c.uri, tracks.c.missing).where(has_prefix(prefix))
        there = set(uris)
        with self._database.writing() as connection:
            rows = connection.execute(query).all()
            wrong = [row for row in rows if row.missing == (row.uri in there)]
            for missing in (True, False):
                numbers = [row.id for row in wrong if row.missing != missing]
                _mark(connection, numbers, missing=missing)
            if wrong:
                self._database.touch(connection, MUSIC)
        return sum(row.uri not in there for row in rows)

    def forget(self, uris: Collection[str]) -> int:
        """Remove tracks with their analyses and feedback; count them."""
        with self._database.writing() as connection:
            numbers = list(numbers_of(connection, uris).values())
            for chunk in chunks(numbers):
                connection.execute(tracks.delete().where(tracks.c.id.in_(chunk)))
            self._database.touch(connection, MUSIC)
            return len(numbers)

    def forget_source(self, prefix: str) -> int:
        """Remove every track whose uri has this prefix, so that no copy of it stays; count them."""
        with self._database.writing() as connection:
            count = connection.execute(tracks.delete().where(has_prefix(prefix))).rowcount
            self._database.touch(connection, MUSIC)
            database = self._database.identity(connection)
        column_cache.remove(database)
        self._database.purge()
        return count

    def folders(self) -> list[str]:
        """Return the folders and sources that are scanned, in order."""
        with self._database.reading() as connection:
            return list(connection.scalars(select(folders.c.path).order_by(folders.c.path)))

    def add_folders(self, paths: Iterable[str]) -> None:
        """Add folders and sources to be scanned; those that are there stay."""
        statement = self._database.insert(folders).on_conflict_do_nothing()
        with self._database.writing() as connection:
            for path in paths:
                connection.execute(statement.values(path=path))

    def forget_folder(self, place: str) -> int:
        """Remove a folder, file or source and all tracks of it; count the tracks."""
        with self._database.writing() as connection:
            connection.execute(folders.delete().where(folders.c.path == place))
        path = Path(place)
        if not path.is_absolute():
            return self.forget_source(f"{place}:")
        return self.forget([path.as_uri()]) + self.forget_source(f"{path.as_uri()}/")


def load_tracks(database: Database, numbers: Sequence[int]) -> list[Track]:
    """Return the tracks with these numbers, in that order. Raises KeyError for another."""
    by_number: dict[int, Track] = {}
    with database.reading() as connection:
        for chunk in chunks(numbers):
            rows = connection.execute(select(tracks).where(tracks.c.id.in_(chunk)))
            by_number.update((row.id, track_of(row)) for row in rows)
    return [by_number[number] for number in numbers]


def _mark(connection: Connection, numbers: Sequence[int], *, missing: bool) -> None:
    for chunk in chunks(numbers):
        change = update(tracks).where(tracks.c.id.in_(chunk))
        connection.execute(change.values(missing=missing))


def _contains(word: str) -> ColumnElement[bool]:
    """Say that a folded word occurs; of a track that an older version wrote the title is known."""
    return func.coalesce(tracks.c.folded, func.lower(tracks.c.title)).contains(
        word, autoescape=True
    )
