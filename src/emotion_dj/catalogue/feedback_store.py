"""What listeners did with tracks and said of themselves: a log each, and their corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from emotion_dj.catalogue.schema import corrections, feedback, feedback_state, tracks
from emotion_dj.domain import ME, Affect, FeedbackEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from emotion_dj.catalogue.database import Database
    from emotion_dj.domain import FeedbackKind, Listener


class Feedback:
    """Fits `interfaces.FeedbackStore`, where each verb is described."""

    _database: Database

    def feedback_revision(self, listener: Listener = ME) -> int:
        """Return a number that is another one after every change of this listener's log."""
        with self._database.reading() as connection:
            name = feedback_state(listener.id)
            return self._database.states(connection, name).get(name, 0)

    def add_feedback(self, number: int, kind: FeedbackKind, listener: Listener = ME) -> None:
        """Append what the listener did with the track of this number."""
        values = {"track": number, "kind": kind, "listener": listener.id}
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
        self, streams: Iterable[tuple[str, str, str, str]], listener: Listener = ME
    ) -> int:
        """Append entries of (uri, title, artist, kind); return how many belong to stored tracks."""
        with self._database.writing() as connection:
            numbers = _numbers_by_name(connection)
            entries = [
                {"track": number, "kind": kind, "listener": listener.id}
                for uri, title, artist, kind in streams
                if (number := numbers.get(uri) or numbers.get(_name(title, artist)))
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

    def last_plays(self, limit: int, listener: Listener = ME) -> list[int]:
        """Return the numbers of the tracks that were played last, the last one first."""
        query = select(feedback.c.track).where(
            (feedback.c.listener == listener.id) & (feedback.c.kind == "play")
        )
        with self._database.reading() as connection:
            return list(connection.scalars(query.order_by(feedback.c.id.desc()).limit(limit)))

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
            self._database.touch(connection, feedback_state(listener.id))
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


def _name(title: str, artist: str) -> tuple[str, str]:
    return title.casefold(), artist.casefold()
