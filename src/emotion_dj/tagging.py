"""The tagging run: what the catalogue knows of the listener's files, as tags in them, and back.

A file that was tagged is another file to the catalogue: its analysis is kept under the new mark,
so that nothing is heard twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from emotion_dj import affect
from emotion_dj.analysis import Failure
from emotion_dj.errors import CatalogueError, LibraryError, MissingExtra, TagError
from emotion_dj.interfaces import AudioSource, FileSource, Source
from emotion_dj.sources import tags
from emotion_dj.sources.local import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from emotion_dj.analysis import Report
    from emotion_dj.domain import Analysis, Track
    from emotion_dj.stores import MusicStore


class _Files(Source, AudioSource, FileSource, Protocol):
    """A source of the listener's own files."""


@dataclass(frozen=True, slots=True)
class TaggingResult:
    """What a run did: files that were changed, that were right already, that could not be."""

    changed: int
    same: int
    failed: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Tagging:
    """Writes what the first of the ``analysers`` heard into files, or takes it out again.

    Raises LibraryError.
    """

    catalogue: MusicStore
    analysers: Sequence[str]

    def write(
        self, libraries: Iterable[Source], report: Report = lambda _done, _total: None
    ) -> TaggingResult:
        """Tag every file that was heard; one that could not be is passed over in silence, and so is
        one of several tracks: its tags are those of the album.
        """

        def one(track: Track, analysis: Analysis | None) -> bool:
            if track.section:
                return False
            fields = tags.heard(analysis, affect.mood(analysis.affect)) if analysis else {}
            return bool(fields) and tags.write(path_of(track), fields)

        return self._each(libraries, one, report)

    def restore(
        self, libraries: Iterable[Source], report: Report = lambda _done, _total: None
    ) -> TaggingResult:
        """Put back what stood in every file before it was tagged."""
        return self._each(libraries, lambda track, _: tags.restore(path_of(track)), report)

    def _each(
        self,
        libraries: Iterable[Source],
        change: Callable[[Track, Analysis | None], bool],
        report: Report,
    ) -> TaggingResult:
        changed = 0
        failed = []
        pairs = [
            (library, track)
            for library in map(_own, libraries)
            for track in {track.path: track for track in library.tracks()}.values()
        ]
        for done, (library, track) in enumerate(pairs, start=1):
            try:
                changed += self._one(library, track, change)
            except (MissingExtra, CatalogueError):
                raise
            except TagError as error:
                failed.append(Failure(track.uri, str(error)))
            except Exception as error:  # noqa: BLE001 - whatever a library raises is the file's fault
                what = getattr(error, "strerror", None) or str(error) or type(error).__name__
                why = f"{path_of(track).name} could not be tagged: {what}"
                failed.append(Failure(track.uri, why))
            report(done, len(pairs))
        return TaggingResult(changed, len(pairs) - changed - len(failed), tuple(failed))

    def _one(
        self, library: _Files, track: Track, change: Callable[[Track, Analysis | None], bool]
    ) -> bool:
        fingerprint = library.fingerprint(track)
        pairs = ((self.catalogue.analysis_of(fingerprint, a), a) for a in self.analysers)
        analysis, analyser = next(((h, a) for h, a in pairs if h), (None, ""))
        if not change(track, analysis):
            return False
        if analysis:
            self.catalogue.store(
                library.describe(track),
                modification_tag=library.modification_tag(track),
                fingerprint=library.fingerprint(track),
                analyser=analyser,
                result=analysis,
            )
        return True


def _own(source: Source) -> _Files:
    if isinstance(source, FileSource) and isinstance(source, AudioSource):
        return source
    msg = f"tags are written into your own files only: name a folder, not {source.name}"
    raise LibraryError(msg)
