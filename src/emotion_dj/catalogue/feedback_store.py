"""What listeners did with tracks and said of themselves: a log each, and their corrections."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from emotion_dj.catalogue.folding import fold
from emotion_dj.catalogue.schema import corrections, feedback, feedback_state, state, tracks
from emotion_dj.domain import ME, Affect, FeedbackEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from emotion_dj.catalogue.database import Database
    from emotion_dj.domain import FeedbackKind, Listener


class Feedback:
    """Fits `stores.FeedbackStore`, where each verb is described."""

    _database: Database

    def feedback_revision(self, listener: Listener = ME) -> int:
        """Return a number that is another one after every change of this listener's log."""
        with self._database.reading() as connection:
            name = feedback_state(listener.id)
            return self._database.states(connection, name).get(name, 0)

    def add_feedback(
        self,
        number: int,
        kind: FeedbackKind,
        listener: Listener = ME,
        *,
        at: datetime | None = None,
    ) -> None:
        """Append what the listener did with the track of this number, and when (None: now)."""
        values = {"track": number, "kind": kind, "listener": listener.id, "at": _utc(at)}
        with self._database.writing() as connection:
            connection.execute(feedback.insert().values(values))
            self._database.touch(connection, feedback_state(listener.id))

    def remove_feedback(self, number: int, kind: FeedbackKind, listener: Listener = ME) -> None:
        """Remove the listener's last entry of this kind for a track, where there is one."""
        last = select(func.max(feedback.c.id)).where(
            (feedback.c.listener == listener.id)
            & (feedback.c.track == number)
            & (feedback.c.kind == kind)
        )
        removal = feedback.delete().where(feedback.c.id == last.scalar_subquery())
        with self._database.writing() as connection:
            connection.execute(removal)
            self._database.touch(connection, feedback_state(listener.id))

    def import_history(
        self,
        streams: Iterable[tuple[str, str, str, str, datetime | None]],
        listener: Listener = ME,
    ) -> int:
        """Append entries of (uri, title, artist, kind, when); count those of stored tracks that are
        not there yet: a history is exported anew with all that it had before.
        """
        with self._database.writing() as connection:
            numbers, known = _numbers_by_name(connection), _log_of(connection, listener)
            entries = [
                {"track": number, "kind": kind, "listener": listener.id, "at": _utc(at)}
                for uri, title, artist, kind, at in streams
                if (number := numbers.get(uri) or numbers.get(_name(title, artist)))
                and (at is None or (number, kind, _utc(at)) not in known)
            ]
            if entries:
                connection.execute(feedback.insert(), entries)
                self._database.touch(connection, feedback_state(listener.id))
        return len(entries)

    def feedback_log(self, listener: Listener = ME) -> list[FeedbackEntry]:
        """Return the listener's log, the oldest entry first."""
        query = (
            select(feedback.c.at, feedback.c.kind, tracks.c.uri, tracks.c.title)
            .join(tracks, tracks.c.id == feedback.c.track)
            .where(feedback.c.listener == listener.id)
            .order_by(feedback.c.id)
        )
        with self._database.reading() as connection:
            return [
                FeedbackEntry(at.isoformat(" ", "seconds"), kind, uri, title)
                for at, kind, uri, title in connection.execute(query)
            ]

    def feedback_counts(self, listener: Listener = ME) -> dict[tuple[int, str], int]:
        """Return how often the listener did what, by (number of the track, kind)."""
        query = (
            select(feedback.c.track, feedback.c.kind, func.count())
            .where(feedback.c.listener == listener.id)
            .group_by(feedback.c.track, feedback.c.kind)
        )
        with self._database.reading() as connection:
            return {(number, kind): n for number, kind, n in connection.execute(query)}

    def last_plays(self, limit: int, listener: Listener = ME) -> list[tuple[int, datetime]]:
        """Return numbers of tracks and when they were played, in UTC, the last one first."""
        query = select(feedback.c.track, feedback.c.at).where(
            (feedback.c.listener == listener.id) & (feedback.c.kind == "play")
        )
        latest = query.order_by(feedback.c.at.desc(), feedback.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(latest).tuples()
            return [(number, at.replace(tzinfo=UTC)) for number, at in rows]

    def add_correction(
        self, probabilities: Mapping[str, float], stated: Affect, listener: Listener = ME
    ) -> None:
        """Append what was read of a face, by emotion, and where its owner says that they are."""
        values = {
            "probabilities": dict(probabilities),
            "valence": stated.valence,
            "arousal": stated.arousal,
            "listener": listener.id,
        }
        with self._database.writing() as connection:
            connection.execute(corrections.insert().values(values))

    def corrections(self, listener: Listener = ME) -> list[tuple[dict[str, float], Affect]]:
        """Return the listener's corrections, the oldest first."""
        query = (
            select(corrections)
            .where(corrections.c.listener == listener.id)
            .order_by(corrections.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query)
            return [(row.probabilities, Affect(row.valence, row.arousal)) for row in rows]

    def forget_taste(self, listener: Listener = ME) -> int:
        """Remove the listener's log and corrections; count the entries."""
        with self._database.writing() as connection:
            name = feedback_state(listener.id)
            connection.execute(state.delete().where(state.c.name == name))
            return sum(
                connection.execute(table.delete().where(table.c.listener == listener.id)).rowcount
                for table in (feedback, corrections)
            )


def _numbers_by_name(connection: Connection) -> dict[object, int]:
    """Return the number of every track, by its uri and by title and first artist."""
    query = select(tracks.c.id, tracks.c.uri, tracks.c.title, tracks.c.artists)
    numbers: dict[object, int] = {}
    for number, uri, title, artists in connection.execute(query):
        numbers[uri] = number
        numbers[_name(title, next(iter(artists), ""))] = number
    return numbers


def _log_of(connection: Connection, listener: Listener) -> set[tuple[int, str, datetime]]:
    """Return the listener's log as (number of the track, kind, when)."""
    query = select(feedback.c.track, feedback.c.kind, feedback.c.at)
    rows = connection.execute(query.where(feedback.c.listener == listener.id)).tuples()
    return {(number, kind, at) for number, kind, at in rows}


def _utc(at: datetime | None) -> datetime:
    """Return a time, now by default, as the table has it: in UTC, without saying so."""
    return (at or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None, microsecond=0)


def _name(title: str, artist: str) -> tuple[str, str]:
    return fold(title), fold(artist)
