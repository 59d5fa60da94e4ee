"""The analysis run: every track of a source is heard once, whatever happens on the way.

Each result is stored as soon as it is there, so a run that is killed goes on where it stopped.
Unchanged files cost one look at the folder; moved and copied ones are known by their content.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, Protocol

from emotion_dj.errors import AudioError, LibraryError, NotAvailable, SourceError
from emotion_dj.interfaces import Listenable, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from emotion_dj.catalogue import Catalogue
    from emotion_dj.domain import Analysis, Track
    from emotion_dj.interfaces import AudioAnalyser

    Report = Callable[[int, int], None]
    Heard = Analysis | str


class Library(Source, Listenable, Protocol):
    """A source whose audio can be heard."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A track that could not be heard, and why, in one sentence that names it."""

    uri: str
    why: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did: the uris of the library, how many were heard now and before, what failed."""

    uris: tuple[str, ...]
    analysed: int
    known: int
    failed: tuple[Failure, ...]


class _Passing(str):
    """Why a track could not be heard this time; not kept, so that the next run tries again."""

    __slots__ = ()


@dataclass(slots=True)
class _Progress:
    """The tracks of a run, sorted as it goes: to be heard, known already, failed."""

    uris: list[str] = field(default_factory=list)
    missing: list[tuple[Track, str, str]] = field(default_factory=list)
    known: int = 0
    failed: list[Failure] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Run:
    """Hears what a catalogue does not know yet.

    ``make`` builds the analyser, once in each worker process; ``workers`` 0 is one per core.
    """

    catalogue: Catalogue
    make: Callable[[], AudioAnalyser]
    analyser: str
    workers: int = 0

    def __call__(
        self, libraries: Iterable[Library], report: Report = lambda _done, _total: None
    ) -> Summary:
        """Analyse the libraries; report(done, total) counts tracks. Raises LibraryError where
        there is no audio file at all.
        """  # noqa: D205
        uris: list[str] = []
        analysed = known = 0
        failed: list[Failure] = []
        for library in libraries:
            progress = self._sort(library)
            if not progress.uris:
                msg = f"there is no music in {_where(library)}: name another folder"
                raise LibraryError(msg)
            broken = self._hear(library, progress.missing, report)
            uris += progress.uris
            analysed += len(progress.missing) - len(broken)
            known += progress.known
            failed += [*progress.failed, *broken]
        return Summary(tuple(uris), analysed, known, tuple(failed))

    def _sort(self, library: Library) -> _Progress:
        """Tell the tracks that must be heard from those that the catalogue knows."""
        progress = _Progress()
        stamps = self.catalogue.stamps(self.analyser)
        for track in library.tracks():
            progress.uris.append(track.uri)
            try:
                stamp = library.stamp(track)
                seen, failure = stamps.get(track.uri, ("", None))
                if seen != stamp:
                    self._meet(library, track, stamp, progress)
                elif failure:
                    progress.failed.append(Failure(track.uri, failure))
                else:
                    progress.known += 1
            except (OSError, SourceError) as error:
                progress.failed.append(Failure(track.uri, _unreadable(track, error)))
        return progress

    def _meet(self, library: Library, track: Track, stamp: str, progress: _Progress) -> None:
        """Take over what is known of the same content elsewhere, or ask for it to be heard."""
        fingerprint = library.fingerprint(track)
        heard = self.catalogue.analysis_of(fingerprint, self.analyser)
        if heard is None:
            progress.missing.append((track, stamp, fingerprint))
            return
        self._store(library.describe(track), stamp, fingerprint, heard)
        progress.known += 1

    def _hear(
        self, library: Library, missing: Sequence[tuple[Track, str, str]], report: Report
    ) -> list[Failure]:
        failed = []
        tracks = [track for track, _, _ in missing]
        for done, (place, heard) in enumerate(self._results(library, tracks), start=1):
            track, stamp, fingerprint = missing[place]
            if not isinstance(heard, _Passing):
                self._store(library.describe(track), stamp, fingerprint, heard)
            if isinstance(heard, str):
                failed.append(Failure(track.uri, heard))
            report(done, len(missing))
        return failed

    def _results(self, library: Library, tracks: Sequence[Track]) -> Iterator[tuple[int, Heard]]:
        """Yield (place, what was heard or why not) in the order in which it is done."""
        if not tracks:
            return
        workers = min(self.workers or os.cpu_count() or 1, len(tracks) // _WORTH_A_PROCESS)
        if workers <= 1:
            analyser = self.make()
            for place, track in enumerate(tracks):
                yield place, _hear_one(analyser, library, track)
            return
        with ProcessPoolExecutor(
            workers, get_context("spawn"), initializer=_begin, initargs=(self.make, library)
        ) as pool:
            futures = {pool.submit(_hear_here, track): i for i, track in enumerate(tracks)}
            for future in as_completed(futures):
                place = futures[future]
                try:
                    yield place, future.result()
                except BrokenProcessPool:
                    yield place, f"{tracks[place].title}: the decoder crashed near this file"

    def _store(self, track: Track, stamp: str, fingerprint: str, heard: Heard) -> None:
        self.catalogue.store(
            track, stamp=stamp, fingerprint=fingerprint, analyser=self.analyser, heard=heard
        )


_WORTH_A_PROCESS = 8
"""Tracks for which starting another process pays."""

_worker: tuple[AudioAnalyser, Library]


def _begin(make: Callable[[], AudioAnalyser], library: Library) -> None:
    global _worker  # noqa: PLW0603 - one analyser for the life of a worker process
    _worker = make(), library


def _hear_here(track: Track) -> Heard:
    return _hear_one(*_worker, track)


def _hear_one(analyser: AudioAnalyser, library: Library, track: Track) -> Heard:
    try:
        with library.open(track) as audio:
            return analyser.analyse(audio)
    except (AudioError, NotAvailable) as error:
        return str(error)
    except SourceError as error:
        return _Passing(error)
    except OSError as error:
        return _unreadable(track, error)


def _unreadable(track: Track, error: Exception) -> str:
    return f"{track.title} cannot be read: {getattr(error, 'strerror', None) or error}"


def _where(library: Library) -> str:
    roots = getattr(library, "roots", ())
    return ", ".join(map(str, roots)) or library.name
