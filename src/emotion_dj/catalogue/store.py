"""The catalogue: tracks and what was heard in them, in one SQLite file (or any SQLAlchemy address).

Every write is one transaction, so a process that is killed leaves a whole catalogue behind.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from sqlalchemy import String, cast, create_engine, event, func, inspect, select, text
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from emotion_dj import taste
from emotion_dj.catalogue import schema
from emotion_dj.catalogue.schema import MEASURES, analyses, feedback, tracks
from emotion_dj.domain import Affect, Analysis, AudioFeatures, Candidates, Media, Track
from emotion_dj.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Engine, Row

_WAIT_S: Final = 5.0
_OF_ITS_CONTENT: Final = (analyses.c.track == tracks.c.id) & (
    analyses.c.fingerprint == tracks.c.fingerprint
)


class Catalogue:
    """A store of tracks and analyses; use it as a context manager or close it."""

    def __init__(self, address: str | Path) -> None:
        """Open or create a catalogue at a path or an SQLAlchemy address. Raises CatalogueError."""
        self.address = str(address)
        with _translated(self.address):
            self._engine = _engine(self.address)
            with self._engine.begin() as connection:
                _prepare(connection, self.address)

    def __enter__(self) -> Self:
        """Return the catalogue."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._engine.dispose()

    def stamps(self, analyser: str) -> dict[str, tuple[str, str | None]]:
        """Return the stamp of every track that the analyser has met, and why it failed, by uri."""
        query = select(tracks.c.uri, tracks.c.stamp, analyses.c.failure).join(
            analyses, _OF_ITS_CONTENT
        )
        with _translated(self.address), self._engine.connect() as connection:
            rows = connection.execute(query.where(analyses.c.analyser == analyser))
            return {uri: (stamp, failure) for uri, stamp, failure in rows}

    def analysis_of(self, fingerprint: str, analyser: str) -> Analysis | None:
        """Return what this analyser heard in that content, whichever track it belonged to."""
        query = select(analyses).where(
            (analyses.c.fingerprint == fingerprint)
            & (analyses.c.analyser == analyser)
            & analyses.c.failure.is_(None)
        )
        with _translated(self.address), self._engine.connect() as connection:
            row = connection.execute(query.limit(1)).first()
            return _analysis(row) if row else None

    def store(
        self, track: Track, *, stamp: str, fingerprint: str, analyser: str, heard: Analysis | str
    ) -> None:
        """Keep what was heard, or why nothing was, once per (track, content, analyser)."""
        self.store_all([(track, stamp, fingerprint, heard)], analyser=analyser)

    def store_all(
        self, rows: Iterable[tuple[Track, str, str, Analysis | str]], *, analyser: str
    ) -> int:
        """Keep many (track, stamp, fingerprint, what was heard) in one transaction; count them."""
        count = 0
        with _translated(self.address), self._engine.begin() as connection:
            for count, (track, stamp, fingerprint, heard) in enumerate(rows, start=1):  # noqa: B007
                values = _failed(heard) if isinstance(heard, str) else _heard(heard)
                number = _upsert_track(connection, track, stamp=stamp, fingerprint=fingerprint)
                key = {"track": number, "fingerprint": fingerprint, "analyser": analyser}
                statement = insert(analyses).values(**key, **values)
                connection.execute(statement.on_conflict_do_update(list(key), set_=values))
        return count

    def candidates(
        self, analysers: Sequence[str], *, uris: Collection[str] | None = None
    ) -> Candidates:
        """Return the columns of every track that an analyser knows, of those named or of all.

        Where several know a track, the one that is named first is believed.
        """
        query = (
            select(tracks.c.id, tracks.c.uri, tracks.c.artists, tracks.c.album, analyses)
            .join(analyses, _OF_ITS_CONTENT)
            .where(analyses.c.analyser.in_(analysers) & analyses.c.failure.is_(None))
            .order_by(tracks.c.uri)
        )
        wanted = None if uris is None else set(uris)
        with _translated(self.address), self._engine.connect() as connection:
            found = connection.execute(query)
            rows = _believed([r for r in found if wanted is None or r.uri in wanted], analysers)
            told = _told(connection)
        return _columns(rows, told, self.tracks)

    def tracks(self, numbers: Sequence[int]) -> list[Track]:
        """Return the tracks with those numbers, in that order."""
        query = select(tracks).where(tracks.c.id.in_(list(numbers)))
        with _translated(self.address), self._engine.connect() as connection:
            found = {row.id: _track(row) for row in connection.execute(query)}
        return [found[number] for number in numbers]

    def numbers(self, uris: Collection[str]) -> dict[str, int]:
        """Return the number of each track that is known, by its uri."""
        query = select(tracks.c.uri, tracks.c.id).where(tracks.c.uri.in_(list(uris)))
        with _translated(self.address), self._engine.connect() as connection:
            return dict(connection.execute(query).tuples().all())

    def search(self, words: str, *, limit: int) -> list[tuple[int, Track]]:
        """Return numbered tracks in whose title, artists or album every word occurs, by title."""
        text_of = tracks.c.title + " " + cast(tracks.c.artists, String) + " " + tracks.c.album
        query = select(tracks).order_by(tracks.c.title, tracks.c.id).limit(limit)
        for word in words.split():
            query = query.where(text_of.icontains(word, autoescape=True))
        with _translated(self.address), self._engine.connect() as connection:
            return [(row.id, _track(row)) for row in connection.execute(query)]

    def remember(self, number: int, kind: str) -> None:
        """Keep that the listener liked, skipped or played a track."""
        with _translated(self.address), self._engine.begin() as connection:
            connection.execute(feedback.insert().values(track=number, kind=kind))

    def version(self) -> tuple[int, int, int]:
        """Return a mark that changes whenever candidates may have changed."""
        query = select(
            select(func.count()).select_from(analyses).scalar_subquery(),
            select(func.max(analyses.c.id)).scalar_subquery(),
            select(func.count()).select_from(feedback).scalar_subquery(),
        )
        with _translated(self.address), self._engine.connect() as connection:
            heard, last, told = connection.execute(query).one()
            return heard or 0, last or 0, told or 0

    def forget(self, uris: Collection[str]) -> int:
        """Remove tracks and all that is known of them; count them."""
        with _translated(self.address), self._engine.begin() as connection:
            found = connection.execute(tracks.delete().where(tracks.c.uri.in_(list(uris))))
            return found.rowcount

    def forget_source(self, prefix: str) -> int:
        """Remove every track whose uri begins so, from the file's free pages too; count them."""
        begins = tracks.c.uri.startswith(prefix, autoescape=True)
        with _translated(self.address):
            with self._engine.begin() as connection:
                count = connection.execute(tracks.delete().where(begins)).rowcount
            whole = self._engine.execution_options(isolation_level="AUTOCOMMIT")
            with whole.connect() as connection:
                connection.execute(text("VACUUM"))
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        return count

    def known(self, uris: Collection[str], analysers: Sequence[str]) -> set[str]:
        """Return those of the uris that one of the analysers has placed."""
        query = select(tracks.c.uri).join(analyses, _OF_ITS_CONTENT)
        query = query.where(analyses.c.analyser.in_(analysers) & analyses.c.failure.is_(None))
        with _translated(self.address), self._engine.connect() as connection:
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
        with _translated(self.address), self._engine.connect() as connection:
            found = connection.execute(query)
            return {row.isrc: _analysis(row) for row in found if row.isrc in wanted}

    def count(self) -> int:
        """Count the tracks."""
        with _translated(self.address), self._engine.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(tracks)) or 0)


def _engine(address: str) -> Engine:
    if "://" in address:
        return create_engine(address)
    path = Path(address).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _WAIT_S})
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare(connection: Connection, address: str) -> None:
    """Create the tables of a new catalogue; refuse one that a newer version has written."""
    found = connection.scalar(text("PRAGMA user_version")) or 0
    if found > schema.VERSION:
        msg = (
            f"the catalogue {address} was written by a newer emotion-dj (version {found}, this one "
            f"knows {schema.VERSION}): update with  pip install --upgrade emotion-dj"
        )
        raise CatalogueError(msg)
    if not found and inspect(connection).get_table_names():
        msg = f"{address} is a database of something else: name another file with --database"
        raise CatalogueError(msg)
    schema.metadata.create_all(connection)
    connection.execute(text(f"PRAGMA user_version = {schema.VERSION}"))


class _translated:  # noqa: N801 - reads as a word in `with _translated(...)`
    """Turn errors of the database into one sentence that says what to do."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __enter__(self) -> None:
        """Do nothing yet."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DatabaseError | sqlite3.Error | OSError):
            raise CatalogueError(_sentence(str(error), self.address)) from error
        if isinstance(error, SQLAlchemyError):
            msg = f"the catalogue {self.address} cannot be used: {error}"
            raise CatalogueError(msg) from error


def _sentence(told: str, address: str) -> str:
    if "locked" in told:
        return f"the catalogue {address} is in use by another program: try again when it is done"
    if "malformed" in told or "not a database" in told:
        return (
            f"the catalogue {address} is damaged: move it away to begin a new one, "
            f"or try  sqlite3 {address} .recover"
        )
    if "readonly" in told or "unable to open" in told or "Permission" in told:
        return f"the catalogue {address} cannot be written: name another file with --database"
    if "full" in told:
        return f"the disk of the catalogue {address} is full: what was stored so far is kept"
    return f"the catalogue {address} cannot be used: {told.splitlines()[0]}"


def _upsert_track(connection: Connection, track: Track, *, stamp: str, fingerprint: str) -> int:
    values = {
        "stamp": stamp,
        "fingerprint": fingerprint,
        "title": track.title,
        "artists": list(track.artists),
        "album": track.album,
        "duration": track.duration,
        "artwork": track.artwork,
        "isrc": track.isrc,
    }
    statement = insert(tracks).values(uri=track.uri, **values)
    statement = statement.on_conflict_do_update(["uri"], set_=values)
    return int(connection.execute(statement.returning(tracks.c.id)).scalar_one())


def _failed(why: str) -> dict[str, Any]:
    return {"failure": why}


def _heard(analysis: Analysis) -> dict[str, Any]:
    features = asdict(analysis.features)
    return {
        "failure": None,
        "valence": analysis.affect.valence,
        "arousal": analysis.affect.arousal,
        "spread": analysis.affect.spread,
        **{name: features[name] for name in MEASURES},
        "brightness_of_mood": features["valence"],
        "gems": dict(analysis.gems),
        "embedding": np.asarray(analysis.embedding, np.float16).tobytes(),
    }


def _analysis(row: Row[Any]) -> Analysis:
    measured = {name: getattr(row, name) for name in MEASURES}
    for name in ("key", "mode"):
        measured[name] = None if measured[name] is None else int(measured[name])
    features = AudioFeatures(row.analyser, **measured, valence=row.brightness_of_mood)
    return Analysis(
        features,
        Affect(row.valence, row.arousal, row.spread),
        row.gems,
        tuple(map(float, np.frombuffer(row.embedding, np.float16))),
    )


def _track(row: Row[Any]) -> Track:
    track = Track(
        uri=row.uri,
        title=row.title,
        artists=tuple(row.artists),
        album=row.album,
        duration=row.duration,
        artwork=row.artwork,
        isrc=row.isrc,
    )
    return replace(track, media=Media("file", str(track.path))) if track.path else track


def _believed(rows: list[Row[Any]], analysers: Sequence[str]) -> list[Row[Any]]:
    """Keep one row for each track: that of the analyser named first."""
    if len(analysers) == 1:
        return rows
    best: dict[int, Row[Any]] = {}
    for row in rows:
        kept = best.get(row.id)
        if kept is None or analysers.index(row.analyser) < analysers.index(kept.analyser):
            best[row.id] = row
    return list(best.values())


def _told(connection: Connection) -> dict[int, tuple[int, int]]:
    """Return how often each track was liked and skipped, by its number."""
    count = select(feedback.c.track, feedback.c.kind, func.count()).group_by(
        feedback.c.track, feedback.c.kind
    )
    told: dict[int, tuple[int, int]] = {}
    for number, kind, times in connection.execute(count):
        likes, skips = told.get(number, (0, 0))
        told[number] = (likes + times * (kind == "like"), skips + times * (kind == "skip"))
    return told


def _columns(
    rows: Sequence[Row[Any]],
    told: dict[int, tuple[int, int]],
    load: Callable[[Sequence[int]], list[Track]],
) -> Candidates:
    numbers = [row.id for row in rows]
    artists = _numbered(row.artists[0] if row.artists else "" for row in rows)
    albums = _numbered(
        f"{row.artists[0] if row.artists else ''}\n{row.album}" if row.album else "" for row in rows
    )
    embeddings = [np.frombuffer(row.embedding or b"", np.float16) for row in rows]
    width = max((len(embedding) for embedding in embeddings), default=0)
    padded = np.zeros((len(rows), width), np.float16)
    for place, embedding in enumerate(embeddings):
        padded[place, : len(embedding)] = embedding
    return Candidates(
        valence=np.array([row.valence for row in rows], np.float32),
        arousal=np.array([row.arousal for row in rows], np.float32),
        spread=np.array([row.spread for row in rows], np.float32),
        tempo=np.array([row.tempo for row in rows], np.float32),
        loudness=np.array([row.loudness for row in rows], np.float32),
        key=np.array([_key(row) for row in rows], np.int8),
        artist=artists,
        album=albums,
        taste=taste.learn([told.get(number, (0, 0)) for number in numbers], artists),
        embedding=padded,
        load=lambda places: load([numbers[place] for place in places]),
    )


def _key(row: Row[Any]) -> int:
    if row.key is None:
        return -1
    return int(row.key) + (0 if row.mode in (1, None) else 12)


def _numbered(names: Iterator[str]) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Give equal names equal numbers from 0 on, and the empty name -1."""
    known: dict[str, int] = {"": -1}
    return np.array([known.setdefault(name, len(known) - 1) for name in names], np.int32)
