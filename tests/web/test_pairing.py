"""Who is let in to a service that others can reach: real processes, real sockets."""

from __future__ import annotations

import json
import re
import shutil
import socket
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import command_line
import httpx
import patient
import pytest

from emotion_dj.pairing import TRIES

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    Run = Callable[..., AbstractContextManager[Any]]

API = "/api/v1"


@contextmanager
def paired(address: str, code: str) -> Iterator[httpx.Client]:
    """Give a browser that has opened a link and was let in."""
    with patient.Client(base_url=address) as client:
        answer = client.get("/pair", params={"code": code})
        assert (answer.status_code, answer.headers["location"]) == (303, "./"), answer.text
        yield client


@pytest.fixture
def owner(service: str, home: Path) -> Iterator[httpx.Client]:
    """Return a browser of the owner's."""
    with paired(service, code_of(home)) as client:
        yield client


@pytest.fixture
def guest(service: str, home: Path) -> Iterator[httpx.Client]:
    """Return a browser of a guest's."""
    with paired(service, code_of(home, "--guest")) as client:
        yield client


@pytest.fixture
def stranger(service: str) -> Iterator[httpx.Client]:
    """Return a browser that was not let in."""
    with patient.Client(base_url=service) as client:
        yield client


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `emotion-dj devices`."""
    own = {"HOME": str(home), "EMOTION_DJ_DATABASE": str(home / "c.sqlite")}
    return command_line.run("devices", *arguments, **own)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder for the service of this file."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def service(serve_from: Run, home: Path, demo_music: Path) -> Iterator[str]:
    """A service that others can reach, with two songs, all heard."""
    music = home / "music"
    music.mkdir()
    for song in sorted((demo_music / "calm").glob("*.opus"))[:2]:
        shutil.copy(song, music)
    every = "0.0.0.0"  # noqa: S104 - as a listener says it
    with (
        serve_from(home, "--host", every, "--library", str(music)) as address,
        paired(address, code_of(home)) as owner,
    ):
        assert owner.get(f"{API}/library/scan").text.count("event: done") == 1
        yield address


def code_of(home: Path, *arguments: str) -> str:
    """Return a new code."""
    answer = command(home, "invite", *arguments)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def every_route(owner: httpx.Client) -> Iterator[tuple[str, str]]:
    """Yield (method, path) of all that the service has, numbers and names filled in."""
    paths = owner.get(f"{API}/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method in methods:
            filled = re.sub(r"\{number\}", "1", f"{API}{path}")
            yield method.upper(), re.sub(r"\{\w+\}", "abcdefghijklmnopq", filled)


def test_strangers_are_answered_nothing_but_shell_and_health(
    owner: httpx.Client, stranger: httpx.Client
) -> None:
    """Every route of the document, and the page itself, is 401 without a token, here too."""
    routes = [
        *every_route(owner),
        ("GET", f"{API}/openapi.json"),
        ("GET", f"{API}/metrics"),
    ]
    assert len(routes) > 20
    let = [route for route in routes if stranger.request(*route).status_code != 401]
    assert let == [("GET", f"{API}/health")]
    for path in ("/", "/index.html", "/embed/spotify/abc", "/api", "/api/", "/api/v2/x"):
        assert stranger.get(path).status_code == 401, path
    assert stranger.get("/style.css").status_code == 200
    answer = stranger.get(f"{API}/library")
    assert (answer.json()["code"], answer.headers["www-authenticate"]) == ("unpaired", "Bearer")


def test_a_stranger_is_refused_before_the_body_is_sent(service: str) -> None:
    """Of an upload of megabytes not a byte is waited for; who asks first is not told to go on."""
    host, port = service.removeprefix("http://").split(":")
    head = f"POST {API}/readings HTTP/1.1\r\nhost: {host}\r\ncontent-length: 9000000\r\n"
    kind = "content-type: multipart/form-data; boundary=x\r\nexpect: 100-continue\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall((head + kind).encode())
        assert line.recv(1000).startswith(b"HTTP/1.1 401 ")


def test_the_page_that_says_how_pairs_a_device(stranger: httpx.Client, home: Path) -> None:
    """It is in the browser's language, holds a field for the code, and the code works once."""
    page = stranger.get("/", headers={"accept-language": "de-AT,en;q=0.5"})
    assert page.status_code == 401
    assert 'lang="de"' in page.text
    assert 'name="code"' in page.text
    code = code_of(home)
    answer = stranger.get("/pair", params={"code": f" {code.upper()} "})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert stranger.get("/").status_code == 200
    assert stranger.get("/pair", params={"code": code}).status_code == 303  # scanned twice by it
    other = patient.get(str(stranger.base_url.join("/pair")), params={"code": code})
    assert other.status_code == 401
    assert "was used" in other.text


def test_a_program_sends_its_token(service: str, owner: httpx.Client) -> None:
    """The token without its signature is a bearer token; posting a photo needs it too."""
    signed = next(iter(owner.cookies.values()))
    token = signed.rpartition(".")[0]
    head = {"authorization": f"Bearer {token}"}
    assert patient.get(f"{service}{API}/ready", headers=head).json() == {"status": "ready"}
    name = next(iter(owner.cookies.keys()))
    last = "0" if signed[-1] != "0" else "1"
    for wrong in (token, token + ".x", "x", "é", signed[:-1] + last, "a" * 4000):
        cookie = {"cookie": f"{name}={wrong}".encode()}
        assert patient.get(f"{service}{API}/ready", headers=cookie).status_code == 401, wrong[:60]
    for wrong in ("x", "x.y", token[:-1], token.replace(".", ""), "Bearer " + token):
        answer = patient.get(f"{service}{API}/ready", headers={"authorization": f"Bearer {wrong}"})
        assert answer.status_code == 401, wrong


def test_guests_listen_and_show_a_face(
    guest: httpx.Client, home: Path, smiling_photo: Path
) -> None:
    """No scan, no service, no folder, no taste of the owner's; and no path of this machine."""
    assert guest.get("/").status_code == 200
    assert guest.get(f"{API}/about").json()["role"] == "guest"
    photo = {"photo": smiling_photo.read_bytes()}
    assert guest.post(f"{API}/readings", files=photo).status_code == 200
    music = guest.post(f"{API}/sets", json={"mood": "calm", "n": 2})
    pick = music.json()["picks"][0]
    assert guest.get(pick["stream"]).status_code == 200
    songs = {"songs": [{"id": pick["id"]}]}
    seen = [
        music.text,
        *(guest.get(f"{API}{path}").text for path in ("/tracks", "/tracks/1", "/library")),
    ]
    seen += [guest.get(f"{API}/tracks/1/pick").text, guest.get(f"{API}/library/scan").text]
    seen += [guest.post(f"{API}/playlists/{form}", json=songs).text for form in ("m3u8", "xspf")]
    assert not [text for text in seen if str(home) in text or "file:" in text]
    for method, path in (
        ("POST", "/library/scan"),
        *(("POST", f"/library/{what}") for what in ("places", "servers", "tables")),
        *(("GET", "/folders"), ("GET", "/devices"), ("POST", "/devices/play"), ("GET", "/metrics")),
        *(("POST", "/feedback"), ("POST", "/corrections"), ("POST", "/sources/spotify/playlists")),
    ):
        answer = guest.request(method, f"{API}{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "guest"), path


def test_an_owner_elsewhere_may_do_all(owner: httpx.Client) -> None:
    """Folders are shown and metrics counted, also where the page is opened by another address."""
    assert owner.get(f"{API}/folders").status_code == 200
    assert owner.get(f"{API}/metrics").text.startswith("# HELP")
    assert owner.post(f"{API}/library/scan", json={}).status_code == 202


def test_a_revoked_device_is_out_at_once(stranger: httpx.Client, home: Path) -> None:
    """The list names devices by system and browser; one that is revoked gets 401 from then on."""
    agent = {"user-agent": "Mozilla/5.0 (Android 14; Mobile) Gecko/130 Firefox/130"}
    stranger.get("/pair", params={"code": code_of(home)}, headers=agent)
    devices = json.loads(command(home, "list", "--json").stdout)["devices"]
    assert (devices[-1]["name"], devices[-1]["role"]) == ("Firefox on Android", "owner")
    assert stranger.get(f"{API}/ready").status_code == 200
    assert command(home, "revoke", devices[-1]["id"]).returncode == 0
    assert stranger.get(f"{API}/ready").status_code == 401
    again = command(home, "revoke", devices[-1]["id"])
    assert (again.returncode, "devices list" in again.stderr) == (3, True)


def test_codes_are_not_guessed(service: str, home: Path) -> None:
    """After a few that do not fit an address waits a minute, also with a right one."""
    lines = [httpx.HTTPTransport(local_address=address) for address in ("127.0.0.9", "127.0.0.10")]
    with patient.Client(transport=lines[0], base_url=service) as guessing:
        for _ in range(TRIES):
            assert guessing.get("/pair", params={"code": "a" * 16}).status_code == 401
        code = code_of(home)
        refused = guessing.get("/pair", params={"code": code})
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 61
    with patient.Client(transport=lines[1], base_url=service) as other:
        assert other.get("/pair", params={"code": code}).status_code == 303


def test_nothing_at_rest_lets_anybody_in(service: str, home: Path) -> None:
    """The file is its owner's alone and holds digests; the log holds neither token nor query."""
    code = code_of(home)
    with paired(service, code) as client:
        signed = next(iter(client.cookies.values()))
    _, secret, signature = signed.split(".")
    file = home / "c.devices.sqlite"
    assert file.stat().st_mode & 0o077 == 0
    with sqlite3.connect(file) as store:
        everything = "\n".join(store.iterdump())
    log = (home / "serve.log").read_text()
    assert "path=/pair status=303" in log
    for kept in (everything, log):
        assert not [part for part in (secret, signature, code) if part in kept]


def test_on_loopback_nothing_changes(run_service: Run) -> None:
    """Bound to this machine alone nobody is paired, nothing is logged, and no file is made."""
    with run_service("--library", "demo") as service:
        assert patient.get(f"{service.address}{API}/about").json()["role"] == "owner"
        assert patient.get(service.address).status_code == 200
        said = service.log.read_text()
        assert said == f"Emotion-DJ plays on {service.address}  (Ctrl+C stops it)\n"
        assert not list(service.log.parent.glob("*.devices.sqlite"))
