"""What is kept, and the verbs by which: tracks, analyses, feedback. A database fits by having them.

`catalogue` has the one implementation, over any database that `catalogue.backends` knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from emotion_dj.domain import ME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt

    from emotion_dj.domain import (
        Affect,
        Analysis,
        Candidates,
        FeedbackEntry,
        FeedbackKind,
        Listener,
        Track,
    )

    AnalysisRecord = tuple[Track, str, str, Analysis | str]
    """A track, its modification tag, its fingerprint, and its analysis or why there is none."""


class TrackStore(Protocol):
    """Keeps tracks. All verbs of all stores raise CatalogueError where the database fails.

    A track has a number that is its own for ever; its uri may change. One that is missing is kept
    with all that belongs to it, and is not a candidate until it is there again.
    """

    def count(self) -> int:
        """Count the tracks."""

    def tracks(self, numbers: Sequence[int]) -> list[Track]:
        """Return the tracks with these numbers, in that order. Raises KeyError for another."""

    def numbers(self, uris: Collection[str]) -> dict[str, int]:
        """Return the number of each track that is stored, by its uri."""

    def tracks_by_fingerprint(
        self, fingerprints: Collection[str]
    ) -> Mapping[str, list[tuple[Track, str]]]:
        """Return the tracks that have each content, with their modification tags."""

    def search(self, words: str, *, limit: int) -> list[tuple[int, Track]]:
        """Return numbered tracks in whose title, artists or album every word occurs, by title.

        Case, accents and the form of Unicode do not matter.
        """

    def column(self, name: str) -> dict[int, Any]:
        """Return one column of every track that is there, by number of the track: ``uri``,
        ``album``, ``artists`` and ``genres`` (lists), or ``year`` (None where unknown).
        """

    def rename_uris(self, names: Mapping[str, str]) -> None:
        """Give tracks other uris, by their old ones; analyses and feedback go along.

        Their modification tags are empty until they are stored again.
        """

    def mark_missing(self, prefix: str, uris: Collection[str]) -> int:
        """Mark tracks whose uri has this prefix, unless it is among ``uris``; count the marked."""

    def forget(self, uris: Collection[str]) -> int:
        """Remove tracks with their analyses and feedback; count them."""

    def forget_source(self, prefix: str) -> int:
        """Remove every track whose uri has this prefix, so that no copy of it stays; count them."""

    def folders(self) -> list[str]:
        """Return the folders and sources that are scanned, in order."""

    def add_folders(self, paths: Iterable[str]) -> None:
        """Add folders and sources to be scanned; those that are there stay."""

    def forget_folder(self, place: str) -> int:
        """Remove a folder, file or source and all tracks of it; count the tracks."""


class AnalysisStore(Protocol):
    """Keeps one analysis, or the reason of a failure, for each (track, content, analyser)."""

    def revision(self) -> int:
        """Return a number that is another one after every change of tracks or analyses."""

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

    def store_all(self, rows: Iterable[AnalysisRecord], *, analyser: str) -> int:
        """Store all rows or, where an error is raised, none; count them.

        An empty fingerprint or modification tag means that of the stored track.
        """

    def modification_tags(self, analyser: str) -> dict[str, tuple[str, str | None]]:
        """Return modification tag and failure of every track the analyser was given, by uri."""

    def analysis_of(self, fingerprint: str, analyser: str) -> Analysis | None:
        """Return this analyser's analysis of that content, whichever track it belongs to."""

    def analyses_of(self, fingerprints: Collection[str], analyser: str) -> dict[str, Analysis]:
        """Return this analyser's analyses of contents, by fingerprint; what it has none of is left
        out.
        """

    def same_recordings(self, isrcs: Collection[str], analyser: str) -> dict[str, Analysis]:
        """Return an analyser's analyses of recordings, by ISRC, whichever source they are of."""

    def placed_uris(self, uris: Collection[str], analysers: Sequence[str]) -> set[str]:
        """Return those of the uris that one of the analysers has placed."""

    def entries(
        self, analysers: Sequence[str], *, limit: int | None = None
    ) -> Iterable[tuple[int, Track, Analysis]]:
        """Yield every track that is there with its analysis by the first of the analysers."""

    def candidates(
        self, analysers: Sequence[str], *, uris: Collection[str] | None = None
    ) -> Candidates:
        """Return all tracks that are there and analysed, or those of these uris, as columns.

        They are in the order of their uris (by code point). Of several analyses of a track, that of
        the analyser which is named first counts.
        """

    def is_indexed(self) -> bool:
        """Tell whether sets are chosen of `candidates_near`: it is large and has such an index."""

    def candidates_near(
        self,
        path: Sequence[Affect],
        analysers: Sequence[str],
        *,
        prefixes: Sequence[str] = (),
        listener: Listener = ME,
        wanted: Sequence[int] = (),
    ) -> Candidates | None:
        """Return what a set along a path is chosen of; None where all `candidates` are better.

        In a large catalogue with an index of the plane that is what stands nearest to the path and
        has a uri that begins with one of the prefixes, what the listener's taste follows from, and
        those of the tracks ``wanted``, numbers found in `surroundings`, that may be picked.
        """

    def surroundings(
        self,
        analysers: Sequence[str],
        *,
        prefixes: Sequence[str] = (),
        listener: Listener = ME,
    ) -> Surroundings | None:
        """Return what looks farther around targets than `candidates_near`, where it `is_indexed`;
        None where nothing is prepared for that yet, which is begun meanwhile.
        """


class Surroundings(Protocol):
    """Tracks by the ten thousand, by tile of the plane, (side, side) by arousal and valence.

    Artist, album, key and content are unknown, and some may have changed or gone lately. All
    embeddings have the same dimensions.
    """

    @property
    def answered(self) -> Candidates:
        """What the listener liked and skipped last."""

    def within(self, tiles: npt.NDArray[np.bool_]) -> Candidates:
        """Return the tracks of those tiles that are true."""

    def distances(self, target: Affect) -> npt.NDArray[np.float64]:
        """Return how far each tile is from a target at least, as `affect.distance` has it."""

    def middles(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return valence and arousal of the middle of each tile."""


class FeedbackStore(Protocol):
    """Keeps each listener's log of likes, skips and plays, and their corrections.

    What follows from them is computed in `taste`.
    """

    def feedback_revision(self, listener: Listener = ME) -> int:
        """Return a number that is another one after every change of this listener's log."""

    def add_feedback(
        self,
        number: int,
        kind: FeedbackKind,
        listener: Listener = ME,
        *,
        at: datetime | None = None,
    ) -> None:
        """Append what the listener did with the track of this number, and when (None: now)."""

    def remove_feedback(self, number: int, kind: FeedbackKind, listener: Listener = ME) -> None:
        """Remove the listener's last entry of this kind for a track, where there is one."""

    def import_history(
        self,
        streams: Iterable[tuple[str, str, str, str, datetime | None]],
        listener: Listener = ME,
    ) -> int:
        """Append (uri, title, artist, kind, when) of stored tracks, by uri or by name, that are not
        there yet; count them.

        Where nobody says when, it is now.
        """

    def feedback_log(self, listener: Listener = ME) -> list[FeedbackEntry]:
        """Return the listener's log, the oldest entry first."""

    def feedback_counts(self, listener: Listener = ME) -> dict[tuple[int, str], int]:
        """Return how often the listener did what, by (number of the track, kind)."""

    def last_plays(self, limit: int, listener: Listener = ME) -> list[tuple[int, datetime]]:
        """Return numbers of tracks and when they were played, in UTC, the last one first."""

    def add_correction(
        self, probabilities: Mapping[str, float], stated: Affect, listener: Listener = ME
    ) -> None:
        """Append what was read of a face, by emotion, and where its owner says that they are."""

    def corrections(self, listener: Listener = ME) -> list[tuple[dict[str, float], Affect]]:
        """Return the listener's corrections, the oldest first."""

    def forget_taste(self, listener: Listener = ME) -> int:
        """Remove the listener's log and corrections; count the entries."""


class MusicStore(TrackStore, AnalysisStore, Protocol):
    """Tracks and their analyses in one database: what runs over a library work with."""


class Store(MusicStore, FeedbackStore, Protocol):
    """All that is kept, in one database."""

    def alone(self, name: str) -> AbstractContextManager[bool]:
        """Give whether no other process is in a block of this name that was given the same.

        None is until the block ends, be it that its process is killed. A database that is a file
        says so to everybody.
        """
