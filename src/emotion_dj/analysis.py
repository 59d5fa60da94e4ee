"""The analysis run: every track of a source is heard once, whatever happens on the way.

Each result is stored as soon as it is there, so a run that is killed goes on where it stopped.
Unchanged files cost one look at the folder; moved and copied ones are known by their content.
"""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from emotion_dj.errors import AudioError, LibraryError, NotAvailable, SourceError
from emotion_dj.interfaces import AudioSource, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from emotion_dj.catalogue import Catalogue
    from emotion_dj.domain import Analysis, Track
    from emotion_dj.interfaces import AudioAnalyser

    Report = Callable[[int, int], None]
    Heard = Analysis | str


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

    ``gone`` counts the tracks that were known below the library's folders and are not there now.
    """

    uris: tuple[str, ...]
    analysed: int
    known: int
    failed: tuple[Failure, ...]
    gone: int = 0

    def __add__(self, other: Summary) -> Summary:
        """Return what both runs did."""
        return Summary(
            self.uris + other.uris,
            self.analysed + other.analysed,
            self.known + other.known,
            self.failed + other.failed,
            self.gone + other.gone,
        )


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

    ``make`` builds the analyser, once in each worker process; ``workers`` 0 is one per core. What
    one of ``better`` has heard is not heard again.
    """

    catalogue: Catalogue
    make: Callable[[], AudioAnalyser]
    analyser: str
    workers: int = 0
    better: Sequence[str] = ()

    def __call__(
        self, libraries: Iterable[Library], report: Report = lambda _done, _total: None
    ) -> Summary:
        """Analyse the libraries; report(done, total) counts tracks. Raises LibraryError where
        there is no audio file at all.
        """  # noqa: D205
        uris: list[str] = []
        analysed = known = gone = 0
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
            gone += self._mark(library, progress)
            failed += [*progress.failed, *broken]
        return Summary(tuple(uris), analysed, known, tuple(failed), gone)

    def _mark(self, library: Library, progress: _Progress) -> int:
        """Mark what is gone below the folders of a library, and count it.

        A folder that is empty all at once is a disk that is not there: what is known of it stays.
        """
        gone = 0
        for root in getattr(library, "roots", ()):
            below = root.resolve().as_uri() + ("/" if root.is_dir() else "")
            if any(uri.startswith(below) for uri in progress.uris):
                gone += self.catalogue.mark_missing(below, progress.uris)
            else:
                why = f"there is no music in {root} now: is its disk there? what was known is kept"
                progress.failed.append(Failure(below, why))
        return gone

    def _sort(self, library: Library) -> _Progress:
        """Tell the tracks that must be heard from those that the catalogue knows."""
        progress = _Progress()
        modification_tags = self.catalogue.modification_tags(self.analyser)
        for analyser in self.better:
            heard = self.catalogue.modification_tags(analyser).items()
            modification_tags |= {uri: seen for uri, seen in heard if seen[1] is None}
        for track in library.tracks():
            progress.uris.append(track.uri)
            try:
                modification_tag = library.modification_tag(track)
                seen, failure = modification_tags.get(track.uri, ("", None))
                if seen != modification_tag:
                    self._meet(library, track, modification_tag, progress)
                elif failure:
                    progress.failed.append(Failure(track.uri, failure))
                else:
                    progress.known += 1
            except (OSError, SourceError) as error:
                progress.failed.append(Failure(track.uri, _unreadable(track, error)))
        return progress

    def _meet(
        self, library: Library, track: Track, modification_tag: str, progress: _Progress
    ) -> None:
        """Take over what is known of the same content elsewhere, or ask for it to be heard."""
        fingerprint = library.fingerprint(track)
        heard = self.catalogue.analysis_of(fingerprint, self.analyser)
        if heard is None:
            progress.missing.append((track, modification_tag, fingerprint))
            return
        left = self._left(fingerprint, track)
        if left is not None:
            self.catalogue.rename_uri(left, track.uri, modification_tag=modification_tag)
        self._store(library.describe(track), modification_tag, fingerprint, heard)
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
        failed = []
        tracks = [track for track, _, _ in missing]
        for done, (place, heard) in enumerate(self._results(library, tracks), start=1):
            track, modification_tag, fingerprint = missing[place]
            if isinstance(heard, str) and _changed(library, track, modification_tag):
                heard = _Passing(f"{track.title} went away or changed while it was heard")  # noqa: PLW2901
            if not isinstance(heard, _Passing):
                self._store(library.describe(track), modification_tag, fingerprint, heard)
            if isinstance(heard, str):
                failed.append(Failure(track.uri, heard))
            report(done, len(missing))
        return failed

    def _results(self, library: Library, tracks: Sequence[Track]) -> Iterator[tuple[int, Heard]]:
        """Yield (place, what was heard or why not) in the order in which it is done."""
        if not tracks:
            return
        workers = min(self.workers or os.cpu_count() or 1, len(tracks) // _WORTH_A_PROCESS)
        if workers <= 1 or not _locks():
            yield from self._here(library, enumerate(tracks))
            return
        left = dict(enumerate(tracks))
        with self._pool(library, workers) as pool:
            futures = {pool.submit(_hear_here, track): place for place, track in left.items()}
            for future in as_completed(futures):
                try:
                    yield futures[future], future.result()
                except BrokenProcessPool:
                    continue
                del left[futures[future]]
        yield from self._alone(library, left)

    def _alone(self, library: Library, left: Mapping[int, Track]) -> Iterator[tuple[int, Heard]]:
        """Hear what was left when a worker died, each by itself, to find what killed it.

        Where no worker even begins, as where their analyser is one of the main module's own, this
        process hears.
        """
        waiting = list(left.items())
        while waiting:
            with self._pool(library, 1) as pool:
                if not _begins(pool):
                    yield from self._here(library, waiting)
                    return
                while waiting:
                    place, track = waiting.pop(0)
                    try:
                        yield place, pool.submit(_hear_here, track).result()
                    except BrokenProcessPool:
                        yield place, f"{track.title}: the decoder crashed in this file"
                        break

    def _here(
        self, library: Library, tracks: Iterable[tuple[int, Track]]
    ) -> Iterator[tuple[int, Heard]]:
        analyser = self.make()
        for place, track in tracks:
            yield place, _hear_one(analyser, library, track)

    @contextmanager
    def _pool(self, library: Library, workers: int) -> Iterator[ProcessPoolExecutor]:
        """Give worker processes with one thread each: more would only wait for each other.

        What has not begun when the block is left, as by Ctrl-C, is not begun any more.
        """
        before = {name: os.environ.get(name) for name in _WORKER}
        os.environ.update(_WORKER)
        pool = ProcessPoolExecutor(
            workers, _Context(), initializer=_begin, initargs=(self.make, library)
        )
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value

    def _store(self, track: Track, modification_tag: str, fingerprint: str, heard: Heard) -> None:
        self.catalogue.store(
            track,
            modification_tag=modification_tag,
            fingerprint=fingerprint,
            analyser=self.analyser,
            heard=heard,
        )


_WORKER = {
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
}
"""What is read when a worker process begins: NumPy's libraries for matrices take one thread, and
the GNU C library keeps the memory that one track is done with for the next. Asking the system for
it again, page by page, is a tenth of the time and is what two processes wait for each other in."""


class _Worker(SpawnProcess):
    """A process that does not run the program again which started it, and leaves Ctrl-C to it.

    Usually a spawned process imports the main module first: a script without a guard would begin
    anew in each of them. Nothing of it is needed here.
    """

    def start(self) -> None:
        """Begin, with a main module that has no file, and the keyboard's signal blocked."""
        with _main_without_file(), _no_interrupt():
            super().start()


class _Context(SpawnContext):
    """Makes such processes."""

    Process = _Worker


@contextmanager
def _main_without_file() -> Iterator[None]:
    """Stand a copy in for the main module; what is pickled by its names is still found there."""
    main = sys.modules["__main__"]
    copy = ModuleType("__main__")
    named = vars(main).items()
    vars(copy).update({k: v for k, v in named if k not in ("__file__", "__spec__")})
    sys.modules["__main__"] = copy
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Block the keyboard's signal for processes begun meanwhile; here it comes afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_WORTH_A_PROCESS = 8
"""Tracks for which starting another process pays."""

_worker: tuple[AudioAnalyser, Library]


def _begin(make: Callable[[], AudioAnalyser], library: Library) -> None:
    global _worker  # noqa: PLW0603 - one analyser for the life of a worker process
    _worker = make(), library


def _hear_here(track: Track) -> Heard:
    return _hear_one(*_worker, track)


def _locks() -> bool:
    """Tell whether processes can have locks in common: Linux keeps them in /dev/shm, which may not
    be there or not be writable.
    """  # noqa: D205
    try:
        _Context().Lock()
    except (OSError, ImportError):
        return False
    return True


def _begins(pool: ProcessPoolExecutor) -> bool:
    """Tell whether a worker of the pool can begin at all."""
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool:
        return False
    return True


def _hear_one(analyser: AudioAnalyser, library: Library, track: Track) -> Heard:
    try:
        with library.open(track) as audio:
            return analyser.analyse(audio)
    except (AudioError, NotAvailable) as error:
        return str(error)
    except SourceError as error:
        return _Passing(error)
    except OSError as error:
        return _Passing(_unreadable(track, error))


def _changed(library: Library, track: Track, modification_tag: str) -> bool:
    """Tell whether a file is not any more what it was before it was heard."""
    try:
        return library.modification_tag(track) != modification_tag
    except (OSError, SourceError):
        return True


def _unreadable(track: Track, error: Exception) -> str:
    return f"{track.title} cannot be read: {getattr(error, 'strerror', None) or error}"


def _where(library: Library) -> str:
    roots = getattr(library, "roots", ())
    return ", ".join(map(str, roots)) or library.name
