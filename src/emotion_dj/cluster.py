"""Hearing on many machines: a Ray cluster does the work of a run. Fits `interfaces.Executor`.

Every track is one task, given to a node that has room for it, so that a node which dies takes no
more along than what it had in hand: that goes to the others. Nodes that run another version of this
package would hear otherwise and are left out, which is logged. Nodes may come while a run goes on.
"""

from __future__ import annotations

import logging
import socket
import time
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from emotion_dj import __version__
from emotion_dj.domain import Failed
from emotion_dj.errors import MissingExtra, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from emotion_dj.domain import AnalysisResult, Track

    Function = Callable[[Track], AnalysisResult]

_log = logging.getLogger(__name__)

IN_HAND: Final = 2
"""Tasks for each core of a node: one that runs and one that waits, so that no core does."""

CRASHES: Final = 2
"""Workers that a track may take along before it is the track's fault."""

LOOK: Final = 5.0
"""Seconds between looks at which nodes there are."""

PATIENCE: Final = 60.0
"""Seconds to wait for a node where there is none, and for one to say what it runs."""


@dataclass(frozen=True, slots=True)
class RayCluster:
    """The Ray cluster at an address; an empty one is a cluster on this machine, for one run."""

    address: str = ""

    def map(
        self, function: Function, tracks: Sequence[Track]
    ) -> Iterator[tuple[int, AnalysisResult]]:
        """Yield (place, result) as they come; a track that kills its worker has Failed.

        Raises MissingExtra, or SettingsError where there is no cluster or no node that can work.
        """
        with _connected(self.address) as ray:
            yield from _Dispatch(ray, ray.put(function), tracks)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Give Ray, connected to a cluster, and let it go; a connection that is there is used."""
    try:
        import ray
    except ImportError as error:
        extra = "cluster"
        raise MissingExtra(extra, "hearing on a Ray cluster") from error
    if ray.is_initialized():
        yield ray
        return
    _demand_answer(address)
    options = {"address": address} if address else {"address": "local", "include_dashboard": False}
    try:
        ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise _no_cluster(address, error) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _demand_answer(address: str) -> None:
    """Raise SettingsError where nobody listens at a host and port: Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    if not host or "/" in address or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, error) from error


def _no_cluster(address: str, error: Exception) -> SettingsError:
    why = (str(error).strip() or type(error).__name__).splitlines()[0]
    return SettingsError(
        f"no Ray cluster can be used at '{address}' ({why}): start one with  ray start --head"
    )


@dataclass(slots=True)
class _Dispatch:
    """One run: which tracks wait, and which node has which in hand."""

    ray: Any
    function: Any
    tracks: Sequence[Track]
    run: str = field(default_factory=lambda: uuid4().hex)
    waiting: deque[int] = field(default_factory=deque)
    running: dict[Any, tuple[int, str]] = field(default_factory=dict)
    crashes: Counter[int] = field(default_factory=Counter)
    rooms: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    looked: float = float("-inf")

    def __iter__(self) -> Iterator[tuple[int, AnalysisResult]]:
        self.waiting.extend(range(len(self.tracks)))
        while self.waiting or self.running:
            self._look()
            self._hand_out()
            done, _ = self.ray.wait(list(self.running), timeout=LOOK)
            for task in done:
                yield from self._take(task, *self.running.pop(task))

    def _hand_out(self) -> None:
        load = Counter(node for _, node in self.running.values())
        for node, room in self.rooms.items():
            while self.waiting and load[node] < room:
                place = self.waiting.popleft()
                task = self._on(node, _call).remote(self.run, self.function, self.tracks[place])
                self.running[task] = place, node
                load[node] += 1

    def _take(self, task: Any, place: int, node: str) -> Iterator[tuple[int, AnalysisResult]]:
        """Yield the result of a task; a track whose worker or node died waits again."""
        errors = self.ray.exceptions
        try:
            yield place, self.ray.get(task)
        except errors.RayTaskError as error:
            raise error.cause from error
        except errors.RayError:
            self.looked = float("-inf")
            self.crashes[place] += node in self._alive()
            if self.crashes[place] < CRASHES:
                self.waiting.append(place)
            else:
                title = self.tracks[place].title
                yield place, Failed(f"{title}: the decoder crashed in this file")

    def _look(self) -> None:
        """See from time to time which nodes there are; wait for one where there is none."""
        end = time.monotonic() + PATIENCE
        while not self.rooms or time.monotonic() - self.looked > LOOK:
            self.looked = time.monotonic()
            alive = self._alive()
            new = {node: alive[node] for node in alive.keys() - self.rooms.keys() - self.refused}
            self.rooms = {node: room for node, room in self.rooms.items() if node in alive}
            self.rooms |= {node: room for node, room in new.items() if self._fits(node)}
            if self.rooms:
                return
            if time.monotonic() > end or (self.refused and self.refused >= alive.keys()):
                msg = (
                    "the Ray cluster has no node left that can hear: start one that has "
                    f"emotion-dj {__version__}, then go on with the same command"
                )
                raise SettingsError(msg)
            time.sleep(LOOK / 10)

    def _alive(self) -> dict[str, int]:
        """Return how many tasks each node may have in hand, by its id."""
        return {
            node["NodeID"]: IN_HAND * int(node["Resources"].get("CPU", 0))
            for node in self.ray.nodes()
            if node["Alive"] and node["Resources"].get("CPU", 0) >= 1
        }

    def _fits(self, node: str) -> bool:
        """Tell whether a node runs what we run; one that does not is left out, and that is said."""
        try:
            version = self.ray.get(self._on(node, _version).remote(), timeout=PATIENCE)
        except self.ray.exceptions.RayError as error:
            version = f"none that answers ({type(error).__name__})"
        if version != __version__:
            self.refused.add(node)
            _log.warning(
                "the node %s of the Ray cluster is left out: it has emotion-dj %s, not %s",
                *(node[:8], version, __version__),
            )
        return bool(version == __version__)

    def _on(self, node: str, function: Callable[..., Any]) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(node, soft=False)
        return self.ray.remote(num_cpus=1, max_retries=0, scheduling_strategy=here)(function)


_functions: dict[str, Function] = {}
"""In a worker: the function of the run that it works for, with the model that it has loaded."""


def _call(run: str, function: Function, track: Track) -> AnalysisResult:
    if run not in _functions:
        _functions.clear()
        _functions[run] = function
    return _functions[run](track)


def _version() -> str:
    return __version__
