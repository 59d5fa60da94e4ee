"""Two services that share one PostgreSQL, as replicas behind a proxy do: real processes."""

from __future__ import annotations

import base64
import json
import re
import secrets
import shutil
import threading
import time
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import command_line
import httpx
import patient
import pytest

from emotion_dj import EmotionDJ
from emotion_dj.app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

pytestmark = [pytest.mark.needs_postgres, pytest.mark.slow]

API = "/api/v1"
ROOT = Path(__file__).parents[2]
QUOTA = 3


@dataclass(frozen=True)
class Replicas:
    """Two addresses, what both share, and what starts one more."""

    addresses: tuple[str, str]
    database: str
    music: str
    more: Callable[..., AbstractContextManager[Any]]

    def invited(self, *words: str) -> str:
        """Return a new code, as the owner of the database makes one."""
        done = command_line.run("devices", "invite", *words, "--database", self.database)
        return done.stdout.strip()

    @contextmanager
    def paired(self) -> Iterator[tuple[httpx.Client, httpx.Client]]:
        """Give a browser that was paired by the first, and the same one as it asks the second."""
        with ExitStack() as stack:
            one, other = (
                stack.enter_context(httpx.Client(base_url=f"{address}{API}", timeout=120))
                for address in self.addresses
            )
            link = f"{self.addresses[0]}/pair"
            assert one.get(link, params={"code": self.invited()}).status_code == 303
            other.cookies = one.cookies
            yield one, other


@pytest.fixture(scope="module")
def replicas(
    run_from: Callable[..., AbstractContextManager[Any]],
    new_database: Callable[[], str],
    demo_music: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Replicas]:
    """Run two services over two songs, all heard."""
    music, database = tmp_path_factory.mktemp("music"), new_database()
    for song in sorted((demo_music / "calm").glob("*.opus"))[:2]:
        shutil.copy(song, music)

    def start(*more: str) -> AbstractContextManager[Any]:
        home = tmp_path_factory.mktemp("home")
        words = ("--library", str(music), "--name", "127.0.0.1", "--proxy", "127.0.0.1", *more)
        return run_from(home, *words, EMOTION_DJ_DATABASE=database, EMOTION_DJ_QUOTA=str(QUOTA))

    with start() as one, start() as other:
        both = (one.address, other.address)
        replicas = Replicas(both, database, str(music), start)
        with replicas.paired() as clients:
            heard = [list(scan(client))[-1]["total"] for client in clients]
            assert sorted(heard) == [0, 2], "each song is heard by one of them"
        yield replicas


def scan(client: httpx.Client) -> Iterator[dict[str, Any]]:
    """Yield how a scan goes, to its end."""
    with client.stream("GET", "/library/scan") as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def test_who_is_let_in_by_one_is_let_in_by_the_other(replicas: Replicas) -> None:
    """A cookie of the first counts at the second; who is revoked there is out here at once."""
    with replicas.paired() as (one, other):
        assert other.get("/about").json()["role"] == "owner"
        device = next(iter(one.cookies.values())).partition(".")[0]
        command_line.run("devices", "revoke", device, "--database", replicas.database)
        assert [client.get("/about").status_code for client in (one, other)] == [401, 401]


def test_a_stranger_who_asks_in_turn_has_no_more_tries(replicas: Replicas) -> None:
    """Five codes that do not fit are five for both; then one minute is waited at either."""
    line = httpx.HTTPTransport(local_address="127.0.0.9")
    with patient.Client(transport=line) as stranger:
        links = [f"{address}/pair?code={'a' * 16}" for address in 4 * replicas.addresses]
        told = [stranger.get(link).status_code for link in links]
    assert told == [401] * 5 + [429] * 3


def test_a_library_is_scanned_by_one_at_a_time(replicas: Replicas) -> None:
    """Whoever comes second says so and shows what is there; when the first is gone it looks for
    itself.
    """
    dj = EmotionDJ(library=[replicas.music], settings=Settings(database=replicas.database))
    with replicas.paired() as (one, _):
        with dj.library.turn() as ours:
            assert ours
            assert one.post("/library/scan", json={}).status_code == 202
            assert any(state["elsewhere"] for state in scan(one))
            told = one.get("/library").json()
            assert (told["tracks"], told["scan"]["elsewhere"], told["problem"]) == (2, True, "")
            music = one.post("/sets", json={"mood": "calm", "n": 2})
            assert len(music.json()["picks"]) == 2
        last = list(scan(one))[-1]
    assert (last["elsewhere"], last["running"], last["failed"]) == (False, False, [])


def test_a_screen_follows_the_camera_of_another_replica(replicas: Replicas) -> None:
    """A reading that one is sent comes to who follows it at the other, and goes by no name that
    tells the key; another key's followers hear nothing of it.
    """
    import psycopg

    key, other_key = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    face = {"box": [1, 2, 30, 40], "emotions": {"happy": 0.9, "neutral": 0.1}}
    with (
        psycopg.connect(replicas.database, autocommit=True) as spy,
        replicas.paired() as (one, other),
        other.stream("GET", f"/readings/live/{key}") as answer,
        other.stream("GET", f"/readings/live/{other_key}") as stranger,
    ):
        spy.execute("LISTEN emotion_dj_live")
        lines, strange = answer.iter_lines(), stranger.iter_lines()
        assert next(lines) == next(strange) == ": following"
        with filming(one, key, [face]) as look:
            told = next(line for line in lines if line.startswith("data: "))
        assert json.loads(told.removeprefix("data: ")) == look
        (sent,) = spy.notifies(timeout=30, stop_after=1)
        seen = zlib.decompress(base64.b64decode(sent.payload)).decode()
        assert "happy" in seen
        assert key not in seen
        with filming(one, other_key, []):
            assert next(line for line in strange if line) == "event: nobody"


def test_a_screen_follows_on_when_the_server_is_back(
    own_server: Callable[[], Any],
    run_from: Callable[..., AbstractContextManager[Any]],
    demo_music: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The database of both is restarted: what is sent to one afterwards comes to the other, on the
    connection on which it was followed before.
    """
    key = secrets.token_urlsafe(16)
    with own_server() as server, ExitStack() as stack:
        words = ("--library", str(next((demo_music / "calm").glob("*.opus"))))
        one, other = (
            stack.enter_context(
                run_from(
                    tmp_path_factory.mktemp("home"), *words, EMOTION_DJ_DATABASE=server.get_uri()
                )
            ).address
            for _ in range(2)
        )
        camera = stack.enter_context(httpx.Client(base_url=f"{one}{API}", timeout=120))
        link = f"{other}{API}/readings/live/{key}"
        lines = stack.enter_context(httpx.stream("GET", link, timeout=120)).iter_lines()
        for emotion in ("happy", "sad"):
            face = {"box": [1, 2, 30, 40], "emotions": {emotion: 0.9, "neutral": 0.1}}
            with filming(camera, key, [face]):
                assert any(f'"emotion": "{emotion}"' in line for line in lines)
            server.stop()
            sent = camera.post("/readings", params={"live": key}, json={"faces": [face]})
            assert sent.status_code == 200, "a reading does not need the server"
            server.ensure_postgres_running()


def test_a_quota_is_had_once_from_all(replicas: Replicas) -> None:
    """Who has had it at the first is refused by the second, within the minute."""
    for attempt in range(3):
        minute = time.time() // 60
        clients = [httpx.Client(base_url=address, timeout=120) for address in replicas.addresses]
        with clients[0] as one, clients[1] as other:
            code = replicas.invited(f"--listener=fan{attempt}")
            one.get("/pair", params={"code": code})
            other.cookies = one.cookies
            asked = [*[one] * QUOTA, other, one]
            told = [client.post(f"{API}/sets", json={"mood": "calm", "n": 1}) for client in asked]
        if time.time() // 60 == minute:
            break
    else:
        pytest.fail("no five sets within one minute")
    assert [answer.status_code for answer in told] == [200] * QUOTA + [429] * 2
    assert {answer.json()["code"] for answer in told[QUOTA:]} == {"quota"}
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in told[QUOTA:])


@contextmanager
def filming(client: httpx.Client, key: str, faces: list[Any]) -> Iterator[Any]:
    """Send the same faces again and again, and give what is answered."""
    end = threading.Event()

    def send() -> Any:
        return client.post("/readings", params={"live": key}, json={"faces": faces}).json()

    def go_on() -> None:
        while not end.wait(0.2):
            send()

    camera = threading.Thread(target=go_on)
    look = send()
    camera.start()
    try:
        yield look
    finally:
        end.set()
        camera.join()


def test_a_replica_that_is_killed_costs_no_request(replicas: Replicas) -> None:
    """By kill -9 between requests of one browser: each is answered, by the other at the second
    try at the latest.
    """
    with replicas.more() as dying, replicas.paired() as (client, _):
        places = [f"{dying.address}{API}/about", f"{replicas.addresses[1]}{API}/about"]

        def ask() -> int:
            try:
                return client.get(places[0]).status_code
            except httpx.TransportError:
                return client.get(places[1]).status_code

        told = [ask() for _ in range(20)]
        dying.process.kill()
        told += [ask() for _ in range(20)]
    assert told == [200] * 40


def test_replicas_are_restarted_in_turn_and_nothing_is_lost(
    replicas: Replicas,
    proxied: Callable[..., AbstractContextManager[str]],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    """Behind nginx as it ships, while four browsers ask on: SIGTERM to one, a new one at its place,
    then the other; each request is answered.
    """
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    with ExitStack() as stack:
        running = [stack.enter_context(replicas.more()) for _ in range(2)]
        port = free_port()
        configured(tmp_path, port, [service.address for service in running])
        command = [nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
        address = stack.enter_context(proxied(command, port))
        cookies = stack.enter_context(replicas.paired())[0].cookies
        told: list[int] = []
        ended = threading.Event()

        def browse() -> None:
            with httpx.Client(base_url=f"{address}{API}", timeout=120, cookies=cookies) as client:
                while not ended.is_set():
                    told.append(client.get("/library").status_code)
                    music = client.post("/sets", json={"mood": "calm", "n": 1})
                    told.append(music.status_code)

        browsers = [threading.Thread(target=browse) for _ in range(4)]
        for browser in browsers:
            browser.start()
        for service in running:
            service.process.terminate()
            service.process.wait(60)
            place = service.address.rpartition(":")[2]
            again = stack.enter_context(replicas.more("--port", place))
            assert httpx.get(f"{again.address}{API}/ready", timeout=60).status_code in {200, 401}
        ended.set()
        for browser in browsers:
            browser.join()
    assert len(told) > 8
    assert set(told) == {200}


def configured(folder: Path, port: int, addresses: list[str]) -> None:
    """Write nginx's file as it ships for addresses of this test, without certificates."""
    text = (ROOT / "packaging" / "replicas.nginx.conf").read_text(encoding="utf-8")
    for name, address in zip(("one", "two"), addresses, strict=True):
        text = text.replace(f"server {name}:8765", f"server {address.removeprefix('http://')}")
    text = re.sub(r"listen 443 ssl;|ssl_certificate.*;", "", text)
    text = text.replace("server {", f"server {{ listen 127.0.0.1:{port};", 1)
    places = " ".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
        f"events {{}}\nhttp {{ access_log off; {places}\n{text} }}\n"
    )
