"""The real service in a process of its own, on a real socket, with real music."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import command_line
import httpx
import patient
import pytest

from emotion_dj.sources.subsonic import Subsonic
from emotion_dj.testing.spotify import SpotifyStandIn, entry, song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


@dataclass(frozen=True)
class Service:
    """A service that runs in a process of its own: its address, and what it said on stderr."""

    address: str
    process: command_line.Forked | subprocess.Popen[str]
    log: Path

    @property
    def code(self) -> str:
        """The code of the link that it printed."""
        found = re.search(r"/pair\?code=(\w+)", self.log.read_text())
        assert found, self.log.read_text()
        return found.group(1)


@cache
def _heard_demo() -> tempfile.TemporaryDirectory[str]:
    """Hear the demo library, once for all tests of this process."""
    folder = tempfile.TemporaryDirectory(prefix="heard-")
    done = command_line.run("analyse", "demo", "--database", f"{folder.name}/c.sqlite")
    assert done.returncode == 0, done.stderr
    return folder


@contextmanager
def running(home: Path, *arguments: str, **more: str) -> Iterator[Service]:
    """Run `emotion-dj serve` in a home folder, in an environment with more.

    The demo library is heard already, where no other database is named.
    """
    database = home / "c.sqlite"
    if "demo" in arguments and not database.exists():
        shutil.copy(f"{_heard_demo().name}/c.sqlite", database)
    own = {"HOME": str(home), "EMOTION_DJ_DATABASE": str(database)}
    log = home / "serve.log"
    words = ("serve", "--port", "0", *arguments)
    with command_line.started(*words, stderr=log, **{**own, **more}) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address.startswith("http"), log.read_text()
        yield Service(address, server, log)


@contextmanager
def serving(home: Path, *arguments: str, **more: str) -> Iterator[str]:
    """Run `emotion-dj serve`, in an environment with more, and give its address once it answers."""
    with running(home, *arguments, **more) as service:
        yield service.address


@pytest.fixture
def run_service(tmp_path: Path) -> Callable[..., AbstractContextManager[Service]]:
    """Return a block that runs a service of its own and gives all that is to be known of it."""
    return partial(running, tmp_path)


@pytest.fixture(scope="session")
def run_from() -> Callable[..., AbstractContextManager[Service]]:
    """Return the block that runs a service from a home folder and gives all there is to know."""
    return running


@pytest.fixture(scope="session")
def serve_from() -> Callable[..., AbstractContextManager[str]]:
    """Return the block that runs a service from a home folder, with these arguments."""
    return serving


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., AbstractContextManager[str]]:
    """Return a block that runs a service of its own; of two equal options the last one counts."""
    return partial(serving, tmp_path)


@contextmanager
def serving_demo(home: Path) -> Iterator[str]:
    """Serve the demo library, with what makes sets loaded before the block begins."""
    with serving(home, "--library", "demo") as address:
        sets = f"{address}/api/v1/sets"
        httpx.post(sets, json={"mood": "calm"}, timeout=120).raise_for_status()
        yield address


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the demo library to the tests of one file."""
    with serving_demo(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(scope="session")
def demo_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the demo library to all tests that leave nothing behind there."""
    with serving_demo(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    """Ask the service."""
    with patient.Client(base_url=f"{address}/api/v1") as client:
        yield client


@dataclass(frozen=True)
class Mixed:
    """A service with music of three sources: two files, four songs of Subsonic, two of Spotify."""

    address: str
    subsonic: Subsonic
    spotify: SpotifyStandIn

    def playlists(self) -> dict[str, list[str]]:
        """Return the titles on each playlist of the Subsonic server."""
        known = self.subsonic._ask("getPlaylists").get("playlists", {}).get("playlist", [])
        told = {p["name"]: self.subsonic._ask("getPlaylist", id=p["id"]) for p in known}
        return {
            name: [song["title"] for song in one["playlist"]["entry"]] for name, one in told.items()
        }


CALM = {"energy": 0.1, "valence": 0.7, "loudness": -22.0, "acousticness": 0.95, "tempo": 80.0}
CALM |= {"danceability": 0.3, "instrumentalness": 0.5, "liveness": 0.1, "speechiness": 0.04}


@pytest.fixture(scope="module")
def mixed(
    supysonic: Callable[..., AbstractContextManager[str]],
    demo_music: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mixed]:
    """Serve three sources, all of it heard or placed, to a listener who is logged in."""
    files, password = tmp_path_factory.mktemp("files"), "secret"
    happy, calm = (sorted((demo_music / mood).glob("*.opus")) for mood in ("happy", "calm"))
    for path in (happy[0], calm[0]):
        shutil.copy(path, files)
    with (
        SpotifyStandIn() as site,
        supysonic(tmp_path_factory.mktemp("supysonic"), calm[1:5], password) as server,
    ):
        site.saved = [entry(song(name), under="track") for name in ("one", "two")]
        site.features = {name: {**CALM, "id": name} for name in ("one", "two")}
        own = {"EMOTION_DJ_SUBSONIC_URL": server, "EMOTION_DJ_SUBSONIC_USER": "alice"}
        own |= {"EMOTION_DJ_SUBSONIC_PASSWORD": password, "EMOTION_DJ_RECCOBEATS_API": ""}
        own |= {"EMOTION_DJ_DEEZER_API": "", **site.environment()}
        libraries = ("--library", str(files), "--library", "subsonic", "--library", "spotify")
        with serving(tmp_path_factory.mktemp("server"), *libraries, **own) as address:
            httpx.get(f"{address}/api/v1/library/scan", timeout=120)  # ends when all is heard
            yield Mixed(address, Subsonic(server, "alice", password), site)


NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin")


def _free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port: int = line.getsockname()[1]
        return port


@contextmanager
def _proxied(command: list[str], port: int) -> Iterator[str]:
    """Run a proxy in the foreground until the block ends; give its address once it answers."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        try:
            transport = httpx.HTTPTransport(retries=12)
            with patient.Client(transport=transport) as client:
                client.get(f"http://127.0.0.1:{port}/")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@contextmanager
def _nginx(
    folder: Path, service: str, headers: str, *, path: str = "/", strip: str = ""
) -> Iterator[str]:
    """Run nginx before a service, with these headers set, on a sub-path that it strips or keeps."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    port = _free_port()
    (folder / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{}}
http {{
  access_log off; client_max_body_size 25m;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location {path} {{ proxy_pass {service}{strip}; {headers} }} }}
}}
""")
    with _proxied([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")], port) as address:
        yield address


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return what finds a port that nobody listens on."""
    return _free_port


@pytest.fixture(scope="session")
def proxied() -> Callable[..., AbstractContextManager[str]]:
    """Return the block that runs a proxy by a command until it ends."""
    return _proxied


@pytest.fixture(scope="session")
def nginx() -> Callable[..., AbstractContextManager[str]]:
    """Return the block that runs nginx before a service: folder, service, headers, sub-path."""
    return _nginx
