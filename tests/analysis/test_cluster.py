"""Hearing on a real Ray cluster of several nodes on this machine: nodes come, die and differ."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import emotion_dj
from emotion_dj.analysis import Run
from emotion_dj.app import model_registry
from emotion_dj.catalogue import Catalogue
from emotion_dj.cluster import RayCluster
from emotion_dj.errors import SettingsError
from emotion_dj.sources.local import Local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emotion_dj.domain import Analysis
    from emotion_dj.interfaces import Audio

pytestmark = [pytest.mark.needs_ray, pytest.mark.slow, pytest.mark.timeout(900)]

ANALYSER = model_registry.audio_model_id()
FILES = 24


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Run a cluster whose first node hears nothing; nodes that hear are each test's own."""
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield made
    made.shutdown()


@pytest.fixture
def nodes(cluster: Any) -> Iterator[Callable[..., Any]]:
    """Return what adds a node; those that are left are removed after the test."""
    added: list[Any] = []

    def add(**environment: str) -> Any:
        added.append(cluster.add_node(num_cpus=1, env_vars=environment))
        return added[-1]

    yield add
    for node in added:
        if node in cluster.list_all_nodes():
            cluster.remove_node(node)


@pytest.fixture
def music(tmp_path: Path, demo_music: Path) -> Path:
    """Return a folder of real tracks, each of other content."""
    folder = tmp_path / "music"
    folder.mkdir()
    songs = sorted((demo_music / "calm").glob("*.opus"))[:3]
    for i in range(FILES):
        (folder / f"{i:02}.opus").write_bytes(songs[i % 3].read_bytes() + bytes(i))
    return folder


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """Return a new catalogue."""
    with Catalogue(tmp_path / "catalogue.sqlite") as made:
        yield made


def run_on(cluster: Any, catalogue: Catalogue, make: Any = model_registry.audio_model) -> Run:
    """Return a run whose hearing the cluster does."""
    return Run(catalogue, make, ANALYSER, RayCluster(cluster.address))


def test_a_node_that_dies_at_half_time_costs_nothing(
    cluster: Any, nodes: Callable[..., Any], catalogue: Catalogue, music: Path
) -> None:
    """The others hear what it had in hand: every file has one result, and none is lost or twice."""
    nodes()
    victim = nodes()
    seen: list[int] = []

    def report(done: int, total: int) -> None:
        seen.append(done)
        if done == total // 2:
            cluster.remove_node(victim, allow_graceful=False)

    summary = run_on(cluster, catalogue)([Local((music,))], report)
    assert (summary.analysed, summary.failed) == (FILES, ())
    assert seen == list(range(1, FILES + 1))
    assert len(catalogue.candidates([ANALYSER])) == FILES
    again = run_on(cluster, catalogue)([Local((music,))])
    assert (again.analysed, again.known) == (0, FILES)


class Fragile:
    """An analyser whose decoder crashes in one file, hard."""

    id = ANALYSER

    def __init__(self) -> None:
        self.model = model_registry.audio_model()

    def analyse(self, audio: Audio) -> Analysis:
        """Hear a file, or take the process along."""
        if isinstance(audio, Path) and "poison" in audio.name:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.model.analyse(audio)


def test_a_file_that_kills_its_worker_is_named(
    cluster: Any, nodes: Callable[..., Any], catalogue: Catalogue, music: Path
) -> None:
    """It fails alone, as does one that is no music: the others are heard, by the same node."""
    nodes()
    (music / "poison.opus").write_bytes((music / "00.opus").read_bytes() + b"1")
    (music / "noise.opus").write_bytes(b"no music")
    summary = run_on(cluster, catalogue, Fragile)([Local((music,))])
    assert summary.analysed == FILES
    whys = {Path(failure.uri).stem: failure.why for failure in summary.failed}
    assert whys.keys() == {"poison", "noise"}
    assert whys["poison"] == "poison: the decoder crashed in this file"


def test_a_node_of_another_version_hears_nothing(
    cluster: Any,
    nodes: Callable[..., Any],
    catalogue: Catalogue,
    music: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is left out, which is said, and the work goes on; alone it is refused in one sentence."""
    package = shutil.copytree(Path(emotion_dj.__file__).parent, tmp_path / "other" / "emotion_dj")
    init = package / "__init__.py"
    init.write_text(init.read_text().replace(emotion_dj.__version__, "0.0.9"))
    nodes(PYTHONPATH=str(package.parent))
    with pytest.raises(SettingsError, match="no node left that can hear: start one that has"):
        run_on(cluster, catalogue)([Local((music,))])
    assert "is left out: it has emotion-dj 0.0.9, not" in caplog.text
    nodes()
    assert run_on(cluster, catalogue)([Local((music,))]).analysed == FILES


def test_what_the_function_raises_ends_the_run(
    cluster: Any, nodes: Callable[..., Any], catalogue: Catalogue, music: Path
) -> None:
    """As with every executor: an analyser that cannot be made is not a failure of each file."""
    nodes()
    with pytest.raises(SettingsError, match="nothing is called this"):
        run_on(cluster, catalogue, partial(unknown, "nothing is called this"))([Local((music,))])


def unknown(sentence: str) -> Fragile:
    """Refuse to make an analyser."""
    raise SettingsError(sentence)


def test_no_cluster_is_said(catalogue: Catalogue, music: Path) -> None:
    """An address at which none answers: one sentence, and nothing is stored."""
    run = Run(catalogue, model_registry.audio_model, ANALYSER, RayCluster("127.0.0.1:1"))
    with pytest.raises(SettingsError, match=r"no Ray cluster can be used at '127\.0\.0\.1:1'"):
        run([Local((music,))])
    assert catalogue.count() == 0
