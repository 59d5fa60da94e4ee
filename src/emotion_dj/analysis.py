"""The analysis run: every track of a source is heard once, whatever happens on the way.

Each result is stored as soon as it is there, so a run that is killed goes on where it stopped.
Unchanged files cost one look at the folder; moved and copied ones are known by their content.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from emotion_dj.domain import Analysed, Failed, Omission
from emotion_dj.errors import AudioError, CatalogueError, LibraryError, NotAvailable, SourceError
from emotion_dj.interfaces import AudioSource, FileSource, Listing, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from emotion_dj.domain import AnalysisResult, Track
    from emotion_dj.interfaces import AudioAnalyser, Executor, IsrcLookup
    from emotion_dj.stores import MusicStore

    Report = Callable[[int, int], None]

_log = logging.getLogger(__name__)


class Library(Source, AudioSource, Protocol):
    """A source whose audio can be heard."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A track that could not be heard, and why, in one sentence that names it."""

    uri: str
    why: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did: the uris of the library, how many were heard now and before, what failed.

    ``gone`` counts the tracks that were known below the library's folders and are not there now;
    ``omitted`` are the places that were passed over.
    """

    uris: tuple[str, ...]
    analysed: int
    known: int
    failed: tuple[Failure, ...]
    gone: int = 0
    omitted: tuple[Omission, ...] = ()

    def __add__(self, other: Summary) -> Summary:
        """Return what both runs did."""
        return Summary(
            self.uris + other.uris,
            self.analysed + other.analysed,
            self.known + other.known,
            self.failed + other.failed,
            self.gone + other.gone,
            self.omitted + other.omitted,
        )


@dataclass(slots=True)
class _Progress:
    """The tracks of a run, sorted as it goes: to be heard, known already, failed."""

    uris: list[str] = field(default_factory=list)
    missing: list[tuple[Track, str, str]] = field(default_factory=list)
    known: int = 0
    failed: list[Failure] = field(default_factory=list)
    omitted: list[Omission] = field(default_factory=list)

    def omit(self, omission: Omission) -> None:
        """Note a place that was passed over; where nobody can say what is there, as a failure."""
        if omission.code == "unreadable":
            self.failed.append(Failure(omission.uri, omission.why))
        self.omitted.append(omission)


@dataclass(slots=True)
class TrackAnalyser:
    """Hears single tracks of a source; any exception of any library is that track's failure.

    ``make`` builds the analyser in the process that hears first; what it raises is raised.
    """

    make: Callable[[], AudioAnalyser]
    source: AudioSource | IsrcLookup
    _analyser: AudioAnalyser | None = field(default=None, init=False)

    def __call__(self, track: Track) -> AnalysisResult:
        """Hear a track."""
        self._analyser = self._analyser or self.make()
        try:
            with self.source.open(track) as audio:
                return Analysed(self._analyser.analyse(audio))
        except Exception as error:
            _log.debug("%s was not analysed", track.uri, exc_info=True)
            return failure(track, error)


def failure(track: Track, error: Exception) -> Failed:
    """Return the failure of a track that an exception stands for, in a sentence that names it."""
    if isinstance(error, AudioError | NotAvailable):
        return Failed(str(error))
    if isinstance(error, SourceError):
        return Failed(str(error), retry=True)
    what = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Failed(f"{track.title} cannot be read: {what}", retry=True)


@dataclass(frozen=True, slots=True)
class Run:
    """Hears what a catalogue does not know yet.

    ``make`` builds the analyser, once in each process of the ``executor``. What one of ``better``
    has heard is not heard again.
    """

    catalogue: MusicStore
    make: Callable[[], AudioAnalyser]
    analyser: str
    executor: Executor
    better: Sequence[str] = ()

    def __call__(
        self, libraries: Iterable[Library], report: Report = lambda _done, _total: None
    ) -> Summary:
        """Analyse the libraries; report(done, total) counts tracks. Raises LibraryError where
        there is no audio file at all.
        """
        uris: list[str] = []
        analysed = known = gone = 0
        failed: list[Failure] = []
        omitted: list[Omission] = []
        for library in libraries:
            progress = self._sort(library)
            if not progress.uris:
                nothing = f"there is no music in {_where(library)}: name another folder"
                raise LibraryError(progress.failed[0].why if progress.failed else nothing)
            broken = self._hear(library, progress.missing, report)
            uris += progress.uris
            analysed += len(progress.missing) - len(broken)
            known += progress.known
            gone += self._mark(library, progress)
            failed += [*progress.failed, *broken]
            omitted += progress.omitted
        return Summary(tuple(uris), analysed, known, tuple(failed), gone, tuple(omitted))

    def _mark(self, library: Library, progress: _Progress) -> int:
        """Mark what is gone below the folders of a library, and count it.

        A folder that is empty all at once is a disk that is not there: what is known of it stays.
        """
        gone = 0
        for root in library.roots if isinstance(library, FileSource) else ():
            below = root.resolve().as_uri() + ("/" if root.is_dir() else "")
            if any(uri.startswith(below) for uri in progress.uris):
                gone += self.catalogue.mark_missing(below, self._there(progress))
            else:
                why = f"there is no music in {root} now: is its disk there? what was known is kept"
                progress.failed.append(Failure(below, why))
        return gone

    def _there(self, progress: _Progress) -> list[str]:
        """Return what is there, or may be: nothing is gone below what could not be entered."""
        closed = tuple(o.uri for o in progress.omitted if o.code == "unreadable")
        if not closed:
            return progress.uris
        tracks = self.catalogue.search("", limit=_ALL)
        return progress.uris + [t.uri for _, t in tracks if t.uri.startswith(closed)]

    def _sort(self, library: Library) -> _Progress:
        """Tell the tracks that must be heard from those that the catalogue knows."""
        progress = _Progress()
        modification_tags = self.catalogue.modification_tags(self.analyser)
        for analyser in self.better:
            analysed = self.catalogue.modification_tags(analyser).items()
            modification_tags |= {uri: seen for uri, seen in analysed if seen[1] is None}
        for track in library.listing() if isinstance(library, Listing) else library.tracks():
            if isinstance(track, Omission):
                progress.omit(track)
                continue
            progress.uris.append(track.uri)
            seen, reason = modification_tags.get(track.uri, ("", None))
            try:
                modification_tag = library.modification_tag(track)
                if seen != modification_tag:
                    self._meet(library, track, modification_tag, progress)
                elif reason:
                    progress.failed.append(Failure(track.uri, reason))
                else:
                    progress.known += 1
            except CatalogueError:
                raise
            except Exception as error:
                _log.debug("%s was not looked at", track.uri, exc_info=True)
                progress.failed.append(Failure(track.uri, failure(track, error).reason))
        return progress

    def _meet(
        self, library: Library, track: Track, modification_tag: str, progress: _Progress
    ) -> None:
        """Take over what is known of the same content elsewhere, or ask for it to be heard."""
        fingerprint = library.fingerprint(track)
        analysis = self.catalogue.analysis_of(fingerprint, self.analyser)
        if analysis is None:
            progress.missing.append((track, modification_tag, fingerprint))
            return
        left = self._left(fingerprint, track)
        if left is not None:
            self.catalogue.rename_uri(left, track.uri, modification_tag=modification_tag)
        self._store(library.describe(track), modification_tag, fingerprint, Analysed(analysis))
        progress.known += 1

    def _left(self, fingerprint: str, track: Track) -> str | None:
        """Return the uri under which the same content was known and is no longer there."""
        if self.catalogue.numbers([track.uri]):
            return None
        tracks_by_fingerprint = self.catalogue.tracks_by_fingerprint(fingerprint)
        return next(
            (home.uri for home in tracks_by_fingerprint if home.path and not home.path.exists()),
            None,
        )

    def _hear(
        self, library: Library, missing: Sequence[tuple[Track, str, str]], report: Report
    ) -> list[Failure]:
        failures = []
        tracks = [track for track, _, _ in missing]
        results = self.executor.map(TrackAnalyser(self.make, library), tracks) if tracks else ()
        for done, (place, result) in enumerate(results, start=1):
            outcome = self._keep(library, missing[place], result)
            if isinstance(outcome, Failed):
                failures.append(Failure(tracks[place].uri, outcome.reason))
            report(done, len(missing))
        return failures

    def _keep(
        self, library: Library, missing: tuple[Track, str, str], result: AnalysisResult
    ) -> AnalysisResult:
        """Store what there is to store of a track; return a failure to describe it as its result.

        A failure that is to be tried again is not stored.
        """
        track, modification_tag, fingerprint = missing
        if isinstance(result, Failed) and _changed(library, track, modification_tag):
            reason = f"{track.title} went away or changed while it was heard"
            return Failed(reason, retry=True)
        if isinstance(result, Failed) and result.retry:
            return result
        try:
            described = library.describe(track)
        except Exception as error:
            _log.debug("%s was not described", track.uri, exc_info=True)
            return failure(track, error)
        self._store(described, modification_tag, fingerprint, result)
        return result

    def _store(
        self, track: Track, modification_tag: str, fingerprint: str, result: AnalysisResult
    ) -> None:
        self.catalogue.store(
            track,
            modification_tag=modification_tag,
            fingerprint=fingerprint,
            analyser=self.analyser,
            result=result.analysis if isinstance(result, Analysed) else result.reason,
        )


_ALL = 1 << 31
"""More tracks than any library has."""


def _changed(library: Library, track: Track, modification_tag: str) -> bool:
    """Tell whether a file is not any more what it was before it was heard."""
    try:
        return library.modification_tag(track) != modification_tag
    except Exception:
        _log.debug("%s was not looked at", track.uri, exc_info=True)
        return True


def _where(library: Library) -> str:
    roots = library.roots if isinstance(library, FileSource) else ()
    return ", ".join(map(str, roots)) or library.name
