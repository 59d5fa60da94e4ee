"""The analysis run: every track of a source is heard once, whatever happens on the way.

Each result is stored as soon as it is there, so a run that is killed goes on where it stopped.
Unchanged files cost one look at the folder; moved and copied ones are known by their content.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from emotion_dj.domain import Analysed, Analysis, Failed, Omission
from emotion_dj.errors import AudioError, LibraryError, NotAvailable, SourceError
from emotion_dj.interfaces import FileSource, Listing, Movable
from emotion_dj.marks import Marked, Moves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from emotion_dj.domain import AnalysisResult, Track
    from emotion_dj.interfaces import AudioAnalyser, AudioSource, Executor, IsrcLookup
    from emotion_dj.marks import Library
    from emotion_dj.stores import AnalysisRecord, MusicStore

    Report = Callable[[int, int], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """A track that could not be heard, and why, in one sentence that names it."""

    uri: str
    why: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did: the uris of the library, how many were heard now and before, what failed.

    ``gone`` counts the tracks that were known below the library's folders and are not there now;
    ``omitted`` are the places that were passed over. ``left_out`` counts the tracks that are not in
    sets, by the codes of `domain.LEFT_OUT`.
    """

    uris: tuple[str, ...]
    analysed: int
    known: int
    failed: tuple[Failure, ...]
    gone: int = 0
    omitted: tuple[Omission, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Summary) -> Summary:
        """Return what both runs did."""
        return Summary(
            self.uris + other.uris,
            self.analysed + other.analysed,
            self.known + other.known,
            self.failed + other.failed,
            self.gone + other.gone,
            self.omitted + other.omitted,
            dict(Counter(self.left_out) + Counter(other.left_out)),
        )


@dataclass(slots=True)
class _Progress:
    """The tracks of a run, sorted as it goes: to be heard, known already, failed."""

    uris: list[str] = field(default_factory=list)
    missing: list[Marked] = field(default_factory=list)
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

    ``make`` builds the analyser in the process that hears first; what it raises is raised, as is
    that a library is missing.
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
        except ModuleNotFoundError:  # no track's fault: none could be heard
            raise
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
    has heard is not heard again. A ``full`` run looks into every file, whatever its mark says, and
    tries again what failed.
    """

    catalogue: MusicStore
    make: Callable[[], AudioAnalyser]
    analyser: str
    executor: Executor
    better: Sequence[str] = ()
    full: bool = False

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
        marks = {} if self.full else self._marks()
        changed: list[Marked] = []
        for track in library.listing() if isinstance(library, Listing) else library.tracks():
            if isinstance(track, Omission):
                progress.omit(track)
                continue
            progress.uris.append(track.uri)
            marked = self._look(library, track, marks.get(track.uri, ("", None)), progress)
            changed += [marked] if marked else []
            if len(changed) == _TOGETHER:
                self._meet(library, changed, progress)
                changed = []
        self._meet(library, changed, progress)
        return progress

    def _marks(self) -> dict[str, tuple[str, str | None]]:
        """Return modification tag and failure of every track that an analyser was given."""
        marks = self.catalogue.modification_tags(self.analyser)
        for analyser in self.better:
            analysed = self.catalogue.modification_tags(analyser).items()
            marks |= {uri: seen for uri, seen in analysed if seen[1] is None}
        return marks

    def _look(
        self, library: Library, track: Track, seen: tuple[str, str | None], progress: _Progress
    ) -> Marked | None:
        """Return the mark of a track that is new or changed; None where it is known, or fails."""
        before, reason = seen
        try:
            marked = Marked.of(library, track, before)
        except Exception as error:
            _log.debug("%s was not looked at", track.uri, exc_info=True)
            progress.failed.append(Failure(track.uri, failure(track, error).reason))
            return None
        if marked is None and reason:
            progress.failed.append(Failure(track.uri, reason))
        elif marked is None:
            progress.known += 1
        return marked

    def _meet(self, library: Library, changed: list[Marked], progress: _Progress) -> None:
        """Take over what is known of the same contents elsewhere, and ask for the rest to be heard.

        All of it is asked and stored together: a library that was moved costs little.
        """
        for analyser in (*self.better, self.analyser):
            if changed:
                changed = self._take_over(library, changed, analyser, progress)
        progress.missing += changed

    def _take_over(
        self, library: Library, changed: Sequence[Marked], analyser: str, progress: _Progress
    ) -> list[Marked]:
        """Take over what an analyser has heard; return the tracks that it has not."""
        known = self.catalogue.analyses_of({m.fingerprint for m in changed}, analyser)
        met = [marked for marked in changed if marked.fingerprint in known]
        moves = Moves(self.catalogue, met)
        names: dict[str, str] = {}
        rows: list[AnalysisRecord] = []
        for marked in met:
            left = moves.left(marked)
            track = self._described(library, marked, left, progress)
            if track is not None:
                track = moves.measured(marked, track)
                names |= {left[0].uri: track.uri} if left else {}
                fingerprint = marked.fingerprint
                rows.append((track, marked.lasting_tag, fingerprint, known[fingerprint]))
        if rows:
            self.catalogue.rename_uris(names)
            progress.known += self.catalogue.store_all(rows, analyser=analyser)
        return [marked for marked in changed if marked.fingerprint not in known]

    def _described(
        self,
        library: Library,
        marked: Marked,
        left: tuple[Track, str] | None,
        progress: _Progress,
    ) -> Track | None:
        """Return a track with its tags, as they were where it has only been moved; None where it
        cannot be described.
        """
        track, tag = marked.track, marked.modification_tag
        if left and isinstance(library, Movable) and library.is_unchanged(left[1], tag):
            return replace(left[0], uri=track.uri, media=track.media)
        try:
            return library.describe(track)
        except Exception as error:
            _log.debug("%s was not described", track.uri, exc_info=True)
            progress.failed.append(Failure(track.uri, failure(track, error).reason))
            return None

    def _hear(
        self, library: Library, missing: Sequence[Marked], report: Report, *, again: bool = True
    ) -> list[Failure]:
        """Hear tracks and store what comes; what changed meanwhile is heard once again."""
        failures, changed = [], []
        tracks = [marked.track for marked in missing]
        results = self.executor.map(TrackAnalyser(self.make, library), tracks) if tracks else ()
        for done, (place, result) in enumerate(results, start=1):
            marked = missing[place]
            now = marked.now(library)
            outcome = self._keep(library, marked, result) if now is marked else _disturbed(marked)
            if again and now is not None and now is not marked:
                changed.append(now)
            elif isinstance(outcome, Failed):
                failures.append(Failure(marked.track.uri, outcome.reason))
            report(done, len(missing))
        if changed:
            failures += self._hear(library, changed, report, again=False)
        return failures

    def _keep(self, library: Library, marked: Marked, result: AnalysisResult) -> AnalysisResult:
        """Store what there is to store of a track; return a failure to describe it as its result.

        A failure that is to be tried again is not stored.
        """
        if isinstance(result, Failed) and result.retry:
            return result
        try:
            described = library.describe(marked.track)
        except Exception as error:
            _log.debug("%s was not described", marked.track.uri, exc_info=True)
            return failure(marked.track, error)
        self._store(described, marked.lasting_tag, marked.fingerprint, result)
        return result

    def _store(
        self, track: Track, modification_tag: str, fingerprint: str, result: AnalysisResult
    ) -> None:
        heard = result.analysis if isinstance(result, Analysed) else result.reason
        if isinstance(heard, Analysis) and heard.duration is not None:
            track = replace(track, duration=heard.duration)
        self.catalogue.store(
            track,
            modification_tag=modification_tag,
            fingerprint=fingerprint,
            analyser=self.analyser,
            result=heard,
        )


_TOGETHER: Final = 1000
"""Tracks that are met together: what is looked at again after a kill."""

_ALL: Final = 1 << 31
"""More tracks than any library has."""


def _disturbed(marked: Marked) -> Failed:
    return Failed(f"{marked.track.title} went away or changed while it was heard", retry=True)


def _where(library: Library) -> str:
    roots = library.roots if isinstance(library, FileSource) else ()
    return ", ".join(map(str, roots)) or library.name
