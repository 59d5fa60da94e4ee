"""What a file tells of tracks, taken into the catalogue: features, moods, lists, histories."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from emotion_dj import affect
from emotion_dj.domain import STATED, Affect, Mood
from emotion_dj.errors import DataError
from emotion_dj.matching import Index

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from emotion_dj.domain import Track
    from emotion_dj.sources.tables import Row
    from emotion_dj.stores import Store


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows of a file were taken in, the uris of their tracks, and the songs that it only
    names, of which nothing is known.
    """

    count: int
    uris: tuple[str, ...] = ()
    unmatched: tuple[Track, ...] = ()


@dataclass(frozen=True, slots=True)
class TableImport:
    """Takes files into a catalogue, in which ``analysers`` say where known songs stand."""

    catalogue: Store
    analysers: Sequence[str]

    def __call__(self, table: Path) -> Imported:
        """Take in a file, whole or not at all. Raises DataError or MissingExtra."""
        from emotion_dj.sources import beets_library, history, tables

        streams = history.streams(table)
        if streams is not None:
            plays = ((one.uri, one.title, one.artist, one.kind, one.at) for one in streams)
            return Imported(self.catalogue.import_history(plays))
        if beets_library.is_library(table):
            return self._store(list(beets_library.read(table)))
        rows = list(tables.entries(table))
        heard = [row for row in rows if tables.is_heard(row)]
        listed = self._match([row[0] for row in rows if not tables.is_heard(row)])
        if not heard and not listed.count:
            known = ", ".join(sorted(tables.NEEDED))
            msg = (
                f"{table} says of no track how it sounds ({known} are from 0 to 1), and none of "
                "its songs is known here: let your music be heard first, with  emotion-dj library "
                "add ~/Music"
            )
            raise DataError(msg)
        stored = self._store(heard)
        return Imported(stored.count + listed.count, stored.uris + listed.uris, listed.unmatched)

    def _match(self, tracks: Sequence[Track]) -> Imported:
        """Find tracks among what is known: by uri, ISRC, else by title, artists and duration."""
        if not tracks:
            return Imported(0)
        known = {track.uri: track for _, track, _ in self.catalogue.entries(self.analysers)}
        index = Index(known.values())
        found = [known.get(track.uri) or index.find(track) for track in tracks]
        uris = tuple(track.uri for track in found if track is not None)
        missed = (track for track, same in zip(tracks, found, strict=True) if same is None)
        return Imported(len(uris), uris, tuple(missed))

    def _store(self, rows: Sequence[Row]) -> Imported:
        """Store features and where they, or what the table states, place the tracks."""
        from emotion_dj.music.mood_from_features import MoodFromFeatures

        model = MoodFromFeatures()
        analyses = model.analyse([features for _, features, _ in rows])
        stated, estimated = [], []
        for (track, features, place), analysis in zip(rows, analyses, strict=True):
            # A mood that our estimate has too says less than the estimate.
            if features.analyser == model.id or place in (None, affect.mood(analysis.affect)):
                estimated.append((track, "", "", analysis))
            else:
                point = place if isinstance(place, Affect) else affect.of_mood(Mood(place))
                stated.append((track, "", "", replace(analysis, affect=point)))
        count = self.catalogue.store_all(estimated, analyser=model.id)
        count += self.catalogue.store_all(stated, analyser=STATED)
        return Imported(count, tuple(track.uri for track, _, _ in rows))
