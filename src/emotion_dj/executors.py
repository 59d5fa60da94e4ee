"""Who does the work of a run: this process, or worker processes that may die.

Either fits `interfaces.Executor`. Worker processes, not threads: decoding and NumPy hold the
interpreter enough to matter.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from pickle import PicklingError
from threading import Thread
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.domain import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from emotion_dj.domain import AnalysisResult, Track

    Function = Callable[[Track], AnalysisResult]
    Results = Iterator[tuple[int, AnalysisResult]]

WORTH_A_PROCESS: Final = 8
"""Tracks for which starting another process pays."""

_NO_PROCESSES: Final = (
    *(OSError, ImportError, NotImplementedError),
    *(PicklingError, TypeError, AttributeError),
)
"""What is raised where the system gives no semaphores (/dev/shm cannot be written) or processes,
and where a function cannot be pickled. This process then does the work, and raises it again if it
was the function's own."""

_ENVIRONMENT: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
}
"""What is read when a worker process begins: NumPy's libraries for matrices take one thread, and
the GNU C library keeps the memory that one track is done with for the next. Asking the system for
it again, page by page, is a tenth of the time and is what two processes wait for each other in."""


@dataclass(frozen=True, slots=True)
class InProcess:
    """Works in this process, one track after the other."""

    def map(self, function: Function, tracks: Sequence[Track]) -> Results:
        """Yield (place, result) in the order of the tracks."""
        for place, track in enumerate(tracks):
            yield place, function(track)


@dataclass(frozen=True, slots=True)
class WorkerProcesses:
    """Works in processes of one thread each; ``workers`` is their number, 0 one for each core.

    Few tracks, and all where no process can be had, are worked on here.
    """

    workers: int = 0

    def map(self, function: Function, tracks: Sequence[Track]) -> Results:
        """Yield (place, result) as they come; a track that kills its worker has Failed."""
        workers = min(self.workers or os.cpu_count() or 1, len(tracks) // WORTH_A_PROCESS)
        waiting = dict(enumerate(tracks))
        if workers > 1:
            yield from _together(function, waiting, workers)
            yield from _one_by_one(function, waiting)
        for place, track in waiting.items():
            yield place, function(track)


def _together(function: Function, waiting: dict[int, Track], workers: int) -> Results:
    """Work on all that wait; whatever stands in line when a worker dies goes on waiting."""
    with suppress(*_NO_PROCESSES), _pool(function, workers) as pool:
        places = {pool.submit(_call, track): place for place, track in waiting.items()}
        for future in as_completed(places):
            with suppress(BrokenProcessPool):
                result = future.result()
                del waiting[places[future]]
                yield places[future], result


def _one_by_one(function: Function, waiting: dict[int, Track]) -> Results:
    """Work on each by itself to find what kills its worker.

    Where no worker even begins, as where their function is the main module's own, all go on
    waiting.
    """
    with suppress(*_NO_PROCESSES):
        while waiting:
            with _pool(function, 1) as pool:
                if not _begins(pool):
                    return
                yield from _until_one_dies(pool, waiting)


def _until_one_dies(pool: ProcessPoolExecutor, waiting: dict[int, Track]) -> Results:
    for place, track in list(waiting.items()):
        try:
            result, alive = pool.submit(_call, track).result(), True
        except BrokenProcessPool:
            result, alive = Failed(f"{track.title}: the decoder crashed in this file"), False
        del waiting[place]
        yield place, result
        if not alive:
            return


@contextmanager
def _pool(function: Function, workers: int) -> Iterator[ProcessPoolExecutor]:
    """Give worker processes with one thread each: more would only wait for each other.

    Where the block is left early, as by Ctrl-C, the workers are ended at once: what they work on is
    worked on again another time. The function travels pickled, so that a worker looks after its
    parent before it loads what the function needs.
    """
    context = _Context()
    with _environment():
        pool = ProcessPoolExecutor(
            workers, context, initializer=_begin, initargs=(pickle.dumps(function),)
        )
        try:
            yield pool
        except BaseException:
            context.end()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _begins(pool: ProcessPoolExecutor) -> bool:
    """Tell whether a worker of the pool can begin at all."""
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool:
        return False
    return True


_function: Function


def _begin(function: bytes) -> None:
    global _function  # noqa: PLW0603 - one function for the life of a worker process
    _end_with_parent()
    _function = pickle.loads(function)  # noqa: S301 - of the parent


def _end_with_parent() -> None:
    """See that this worker ends when the process that began it does, however that ends.

    The queue that it waits at does not tell: workers hold both of its ends. A pipe that the parent
    holds does, on every system. On Linux the kernel tells as well, also while something holds the
    interpreter; it does so already when the thread that began the worker ends, which no thread does
    that has a pool in use.
    """
    parent = parent_process()
    if parent is None:
        return
    Thread(target=_watch, args=(parent.sentinel,), name="parent", daemon=True).start()
    if sys.platform == "linux":
        from ctypes import CDLL

        CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent.pid:  # it ended before the kernel was asked
            os._exit(1)


def _watch(parent: int) -> None:
    wait([parent])
    os._exit(1)


_PR_SET_PDEATHSIG: Final = 1


def _call(track: Track) -> AnalysisResult:
    return _function(track)


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
    """Makes such processes, and can end them."""

    def __init__(self) -> None:
        super().__init__()
        self._workers: list[_Worker] = []

    def Process(self, *args: Any, **more: Any) -> _Worker:  # type: ignore[override] # noqa: N802
        """Return a process that is not begun yet."""
        self._workers.append(_Worker(*args, **more))
        return self._workers[-1]

    def end(self) -> None:
        """End all at once, whatever they do."""
        for worker in self._workers:
            with suppress(ValueError, AttributeError):  # closed already, or never begun
                worker.kill()


@contextmanager
def _main_without_file() -> Iterator[None]:
    """Stand a copy in for the main module; what is pickled by its names still resolves there."""
    main = sys.modules["__main__"]
    copy = ModuleType("__main__")
    names = vars(main).items()
    vars(copy).update({k: v for k, v in names if k not in ("__file__", "__spec__")})
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
