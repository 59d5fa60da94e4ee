"""The music that may be picked: named, scanned, imported, searched and tagged."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from emotion_dj import affect, serializers
from emotion_dj.analysis import Failure, Run, Summary
from emotion_dj.app import source_registry
from emotion_dj.app.candidate_index import CandidateIndex, without_others
from emotion_dj.app.model_registry import analyser_ids, audio_model, audio_model_id, executor
from emotion_dj.app.shortlist import shortlisted
from emotion_dj.app.traces import step
from emotion_dj.domain import LEFT_OUT, ME, Affect, Mood
from emotion_dj.eligibility import parse_codes
from emotion_dj.errors import EmotionDJError, LibraryError
from emotion_dj.interfaces import AudioSource, TagProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from threading import Event

    from emotion_dj.analysis import Report
    from emotion_dj.app.services import Services
    from emotion_dj.app.settings import Settings
    from emotion_dj.domain import Candidates, Listener, Track
    from emotion_dj.interfaces import Source
    from emotion_dj.json_types import JsonObject
    from emotion_dj.stores import Store
    from emotion_dj.tagging import Tagging, TaggingResult


def _silent(_done: int, _total: int) -> None:
    """Report to nobody."""


def _unnamed(_track: Track) -> None:
    """Name it to nobody."""


class Library:
    """What the names of a library stand for, or everything in the catalogue where none is named."""

    def __init__(
        self,
        names: tuple[str | Path, ...],
        settings: Settings,
        services: Services,
        open_catalogue: Callable[[], Store],
    ) -> None:
        """Keep the names; nothing is opened yet."""
        self._names, self._settings, self._services = names, settings, services
        self._open_catalogue = open_catalogue
        self._uris: tuple[str, ...] | None = None
        self._imported: tuple[str, ...] = ()
        self._index: tuple[object, CandidateIndex] | None = None

    @property
    def _catalogue(self) -> Store:
        return self._open_catalogue()

    def check(self) -> None:
        """See that what is named can be looked through; nothing is heard or asked.

        Raises LibraryError, SettingsError, MissingExtra or a SourceError.
        """
        source_registry.check(self._names, self._settings)

    def candidates(self, sources: Collection[str] = ()) -> Candidates:
        """Return what may be picked, as `current` does, scanning the library first if it is due."""
        if self._uris is None:
            self.scan()
        return self.current(sources)

    def is_indexed(self) -> bool:
        """Tell whether sets are made of what `near` finds: what may be picked is not counted."""
        return not self._names and self._catalogue.is_indexed()

    def near(
        self, path: Sequence[Affect], sources: Collection[str] = (), listener: Listener = ME
    ) -> Candidates | None:
        """Return what a set along a path is chosen of, found by the catalogue's index; None where
        all `candidates` are better.
        """
        if not self.is_indexed():
            return None
        begin = source_registry.uri_prefixes(self._settings)
        if not begin.keys() >= set(sources):
            return None
        with step("query") as counts:
            music = shortlisted(
                self._catalogue,
                path,
                analyser_ids(self._settings.audio_model),
                prefixes=[begin[source] for source in sources],
                listener=listener,
            )
            counts["tracks"] = 0 if music is None else len(music)
        return None if music is None else without_others(music, parse_codes(self._settings.include))

    def current(self, sources: Collection[str] = ()) -> Candidates:
        """Return what may be picked right now, without hearing anything; kept between calls.

        Of a library that is named it is what was stored of it before, until it has been scanned.
        Where sources are named, as in `sizes`, it is what these have. Raises LabelError.
        """
        return self._indexed().of(sources)

    def everything(self) -> Candidates:
        """Return what `current` is chosen of: copies too, and what is left out of sets."""
        return self._indexed().everything

    def demand_songs(self) -> None:
        """Raise LibraryError where there is music, and all of it is left out of sets."""
        counts = self._counted(self.everything())
        if counts:
            each = ", ".join(f"{count} {code}" for code, count in counts.items())
            msg = f"all of the music here is left out of sets ({each}): let it in with --include"
            raise LibraryError(msg)

    def sizes(self) -> dict[str, int]:
        """Count what may be picked right now, for every source that may be named."""
        return self._indexed().count()

    def _indexed(self) -> CandidateIndex:
        listed = None if self._uris is None else (*self._uris, *self._imported)
        state = (self._catalogue.revision(), listed)
        if self._index is None or self._index[0] != state:
            with step("query") as counts:
                candidates = self._catalogue.candidates(
                    analyser_ids(self._settings.audio_model), uris=listed or None
                )
                counts["tracks"] = len(candidates)
            index = CandidateIndex(candidates, self._settings)
            if self._names and self._uris is None:  # not listed yet, so its own are known by prefix
                prefixes = source_registry.uri_prefixes_of(self._names, self._settings)
                index = index.with_prefixes([*prefixes, *self._imported])
            self._index = (state, index)
        return self._index[1]

    def scan(self, report: Report = _silent, *, full: bool = False) -> Summary:
        """Hear what the library holds and the catalogue does not; report(done, total).

        A ``full`` scan looks into every file, whatever its times say, and tries again what failed.
        Sources whose audio is not to be had are placed by what is stored of their tracks elsewhere.
        Raises LibraryError, MissingExtra, CatalogueError or SourceError.
        """
        sources = self._sources()
        hearing, model = self._settings.hearing, self._settings.audio_model
        run = Run(
            self._catalogue,
            partial(audio_model, hearing, model),
            audio_model_id(hearing, model),
            executor(self._settings),
            (audio_model_id("whole", model),),
            full,
        )
        summary = run([source for source in sources if isinstance(source, AudioSource)], report)
        self._place_by_tags(sources, {failure.uri for failure in summary.failed})
        for source in sources:
            if not isinstance(source, AudioSource):
                placer = source_registry.placer(self._catalogue, source, self._settings)
                summary += placer(source, report)
        self._uris = summary.uris
        return replace(summary, left_out=self._left_out(summary.uris))

    def _left_out(self, uris: Collection[str]) -> dict[str, int]:
        """Count what is left out of sets among tracks, by its code."""
        analysers = analyser_ids(self._settings.audio_model)
        return self._counted(self._catalogue.candidates(analysers, uris=uris))

    def _counted(self, music: Candidates) -> dict[str, int]:
        included = parse_codes(self._settings.include)
        counts = {code: int((music.left_out == i).sum()) for i, code in enumerate(LEFT_OUT)}
        return {code: count for code, count in counts.items() if count and code not in included}

    def rescan(self, report: Report = _silent, *, full: bool = False) -> Summary:
        """Scan the folders and sources that were added; report(done, total); ``full`` as in `scan`.

        One that is not there now, as an unplugged disk, is one of the failures: the others are
        heard, and what was stored of it stays. Raises what `scan` raises where none can be scanned,
        LibraryError where none was added.
        """
        total, refused = Summary((), 0, 0, ()), []
        groups = source_registry.group_roots(self._catalogue.folders())
        for group in groups:
            part = Library(tuple(group), self._settings, self._services, self._open_catalogue)
            try:
                total += part.scan(report, full=full)
            except EmotionDJError as error:
                refused.append((Failure(group[0], f"{error}; what was known is kept"), error))
        if len(refused) == len(groups):
            raise refused[0][1]
        return total + Summary((), 0, 0, tuple(failure for failure, _ in refused))

    def refresh(self, report: Report = _silent) -> Summary:
        """Scan what is named, else what was added; raises as `scan` and `rescan` do."""
        is_added = not self._names and self._catalogue.folders()
        return self.rescan(report) if is_added else self.scan(report)

    def turn(self) -> AbstractContextManager[bool]:
        """Give whether no replica of this service scans the library now; none does while the block
        lasts. Raises CatalogueError.
        """
        return self._catalogue.alone(f"scan of {sorted(map(str, self._names))}")

    def changes(self, stop: Event, tell: Callable[[str], None]) -> Iterator[None]:
        """Yield once the folders that are named, else those that were added, are watched, and then
        after every change below them, until ``stop`` is set. ``tell`` is given one sentence where
        they cannot be watched and are looked through every few seconds.
        """
        from emotion_dj.sources import watching

        names = self._names or self._catalogue.folders()
        roots = source_registry.folders(names, self._settings)
        return watching.changes(roots, stop, tell) if roots else iter(())

    def add(self, report: Report = _silent) -> Summary:
        """Scan the library and remember its names for `rescan`. Raises as `scan` does."""
        summary = self.scan(report)
        self._catalogue.add_folders(map(source_registry.remembered_as, map(str, self._names)))
        return summary

    def forget(self, names: Sequence[str]) -> tuple[int, list[str]]:
        """Remove tracks by uri, or all that came from what was added by a name; return how many,
        and the names that mean nothing. Files are never touched. Raises LibraryError where no name
        means anything.
        """
        folders, uris = self._catalogue.folders(), self._catalogue.numbers(names)
        places = {name: source_registry.added_as(name, folders) for name in names}
        strange = [name for name in names if places[name] is None and name not in uris]
        if len(strange) == len(names):
            msg = (
                f"nothing that was added is called {' or '.join(map(repr, strange))}, and no track "
                "has it as its uri:  emotion-dj library search --json  lists the uris"
            )
            raise LibraryError(msg)
        count = self._catalogue.forget(uris)
        count += sum(self._catalogue.forget_folder(place) for place in places.values() if place)
        return count, strange

    def import_table(self, table: Path, unmatched: Callable[[Track], None] = _unnamed) -> int:
        """Take tracks and their features from a CSV, JSON or Parquet file or a beets library, or
        plays and skips from a listening history; return how many. A place or mood that the table
        states is believed before our estimate. Rows that only name a track are matched with what is
        known, by ISRC or by title, artists and duration; ``unmatched`` gets those that are not.

        Raises DataError or MissingExtra; a table that cannot be read to its end changes nothing.
        """
        from emotion_dj.app.table_import import TableImport

        analysers = analyser_ids(self._settings.audio_model)
        imported = TableImport(self._catalogue, analysers)(table)
        self._imported += imported.uris  # whatever the library is named
        for track in imported.unmatched:
            unmatched(track)
        return imported.count

    def export(self, file: Path) -> int:
        """Write every track with its features, mood and place to a table; return how many."""
        from emotion_dj.sources import tables

        rows = [{k: v for k, v in row.items() if k != "left_out"} for row in self.rows()]
        return tables.write(file, rows)

    def rows(self, *, mood: str | None = None, limit: int | None = None) -> list[JsonObject]:
        """Return every track as a row: what it is, its features, its place and its mood.

        ``mood`` keeps those of one mood. Raises LabelError.
        """
        wanted = affect.parse_mood(mood) if mood else None
        entries = self._catalogue.entries(analyser_ids(self._settings.audio_model))
        rows = (serializers.entry_json(track, analysis) for _, track, analysis in entries)
        chosen = (row for row in rows if wanted is None or row["mood"] == wanted.value)
        return list(islice(chosen, limit))

    def search(self, words: str, *, limit: int) -> list[tuple[int, Track]]:
        """Return numbered tracks in whose title, artists or album every word occurs."""
        return self._catalogue.search(words, limit=limit)

    def tracks(self, numbers: Sequence[int]) -> list[Track]:
        """Return the tracks with these numbers, in that order. Raises KeyError."""
        return self._catalogue.tracks(numbers)

    def numbers(self, uris: Collection[str]) -> dict[str, int]:
        """Return the number of each track that is stored, by its uri."""
        return self._catalogue.numbers(uris)

    def tag(self, report: Report = _silent) -> TaggingResult:
        """Write what was heard into the library's files as tags; `untag` takes it out again.

        Raises LibraryError or CatalogueError; a file that cannot be tagged is named and passed.
        """
        return self._tagging().write(self._sources(), report)

    def untag(self, report: Report = _silent) -> TaggingResult:
        """Put back what stood in the library's files before they were tagged."""
        return self._tagging().restore(self._sources(), report)

    def _tagging(self) -> Tagging:
        from emotion_dj.tagging import Tagging

        model = self._settings.audio_model
        return Tagging(
            self._catalogue, [audio_model_id("whole", model), audio_model_id(name=model)]
        )

    def moods(self, tracks: Sequence[Track], source: Source) -> dict[str, Mood]:
        """Return the moods of tracks of a source, by uri, asking for what is not stored yet.

        Tracks of which nothing tells how they sound are left out. Raises SettingsError.
        """
        placer = source_registry.placer(self._catalogue, source, self._settings)
        placer.place(tracks, source.name.capitalize())
        placed = self._catalogue.candidates(
            analyser_ids(self._settings.audio_model), uris={track.uri for track in tracks}
        )
        points = zip(placed.valence.tolist(), placed.arousal.tolist(), strict=True)
        return {
            track.uri: affect.mood(Affect(*point))
            for track, point in zip(placed.load(range(len(placed))), points, strict=True)
        }

    def forget_source(self, prefix: str) -> int:
        """Remove every track whose uri begins so; count them."""
        return self._catalogue.forget_source(prefix)

    def _sources(self) -> list[Source]:
        named = self._names or self._catalogue.count()
        return source_registry.sources(self._names if named else ["demo"], self._settings)

    def _place_by_tags(self, sources: Iterable[Source], failed: Collection[str]) -> None:
        """Place songs that cannot be heard by what the tags of their source say of them."""
        from emotion_dj.placement import place_by_tags

        for source in sources:
            if failed and isinstance(source, AudioSource) and isinstance(source, TagProvider):
                place_by_tags(self._catalogue, source, failed)
