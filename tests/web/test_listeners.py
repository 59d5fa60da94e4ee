"""Several listeners of one service: each has a device, a taste of their own, and no other's."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import command_line
import httpx
import pytest

from emotion_dj.catalogue.devices import SQLiteDevices
from emotion_dj.pairing import Pairing, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

pytestmark = pytest.mark.slow

API = "/api/v1"


@pytest.fixture(scope="module")
def listeners(
    serve_from: Callable[..., AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, httpx.Client]]:
    """Return what the owner, Ann, Ben and a guest ask one service with."""
    home = tmp_path_factory.mktemp("home")
    wanted = {"ann": ("--listener=ann",), "ben": ("--listener=ben",), "guest": ("--guest",)}
    with ExitStack() as stack:
        address = stack.enter_context(serve_from(home, "--library", "demo", "--name", "127.0.0.1"))
        clients = {}
        for name, words in {"owner": (), **wanted}.items():
            client = stack.enter_context(httpx.Client(base_url=address, timeout=120))
            code = invited(home, *words)
            assert client.get("/pair", params={"code": code}).status_code == 303
            clients[name] = client
        clients["owner"].get(f"{API}/library/scan")  # ends when all is heard
        yield clients


def invited(home: Path, *words: str) -> str:
    """Return the code of an invitation."""
    done = command_line.run("devices", "invite", *words, "--database", home / "c.sqlite")
    return done.stdout.strip()


def test_what_one_likes_no_other_is_told(listeners: Mapping[str, httpx.Client]) -> None:
    """Every route that answers is asked as each of the others: no trace of Ann's likes and words;
    her own export has them, and her music follows them.
    """
    ann = listeners["ann"]
    assert ann.get(f"{API}/about").json()["role"] == "listener"
    wish = {"mood": "calm", "n": 5, "seed": 1}
    before = {name: titles(client, wish) for name, client in listeners.items()}
    best, worst = (ann.get(f"{API}/tracks", params={"q": ""}).json()["tracks"][i] for i in (0, -1))
    for track, kind in ((best, "like"), (worst, "skip"), (worst, "play")):
        said = {"track": track["id"], "kind": kind}
        assert ann.post(f"{API}/feedback", json=said).status_code == 204
    kept = ann.get(f"{API}/listener").json()
    assert kept["listener"] == "ann"
    assert [row["kind"] for row in kept["feedback"]] == ["like", "skip", "play"]
    document = listeners["owner"].get(f"{API}/openapi.json").json()["paths"]
    routes = [path for path, methods in document.items() if "get" in methods and "{" not in path]
    assert {"/listener", "/tracks", "/library"} <= {path.removeprefix(API) for path in routes}
    streams = {f"{API}/library/scan", "/library/scan"}
    for name in ("owner", "ben", "guest"):
        for path in sorted(set(routes) - streams):
            told = listeners[name].get(path if path.startswith("/api") else f"{API}{path}").text
            assert "ann" not in told.split('"'), (name, path)
            assert "skip" not in told.split('"'), (name, path)
        assert titles(listeners[name], wish) == before[name]
    assert worst["title"] not in titles(ann, wish)  # it was played today


def test_all_that_is_kept_of_one_goes_when_they_say_so(
    listeners: Mapping[str, httpx.Client],
) -> None:
    """What Ben did is gone from his export, and nobody else's with it; a guest has nothing."""
    ann, ben, guest = (listeners[name] for name in ("ann", "ben", "guest"))
    (track, *_) = ben.get(f"{API}/tracks", params={"q": ""}).json()["tracks"]
    for client in (ann, ben):
        client.post(f"{API}/feedback", json={"track": track["id"], "kind": "like"})
    assert ben.delete(f"{API}/listener").status_code == 204
    assert ben.get(f"{API}/listener").json()["feedback"] == []
    assert ann.get(f"{API}/listener").json()["feedback"]
    for method in ("GET", "DELETE"):
        assert guest.request(method, f"{API}/listener").json()["code"] == "guest"
    for path in ("folders", "metrics", "devices"):  # a listener owns no machine
        assert ben.get(f"{API}/{path}").json()["code"] == "guest"


def test_only_the_owner_names_places(listeners: Mapping[str, httpx.Client]) -> None:
    """A folder in a condition: refused, whether it is there or not."""
    for place in ("/etc", "/nothing"):
        wish = {"mood": "calm", "avoid": [f"folder:{place}"]}
        for name in ("ann", "guest"):
            told = listeners[name].post(f"{API}/sets", json=wish).json()
            assert (told["status"], "owner's machine" in told["detail"]) == (422, True), told
        assert listeners["owner"].post(f"{API}/sets", json=wish).is_success


def titles(client: httpx.Client, wish: Mapping[str, object]) -> list[str]:
    """Return the titles of a set."""
    return [pick["title"] for pick in client.post(f"{API}/sets", json=wish).json()["picks"]]


def test_a_file_of_the_first_version_is_taken_on(tmp_path: Path) -> None:
    """Its devices are the owner's or guests, as before; new ones may be listeners'."""
    path = tmp_path / "d.sqlite"
    with sqlite3.connect(path) as old:
        old.executescript(
            "CREATE TABLE devices (id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL,"
            " paired REAL NOT NULL, seen REAL NOT NULL, digest BLOB NOT NULL);"
            "CREATE TABLE invitations (digest BLOB PRIMARY KEY, role TEXT NOT NULL,"
            " made REAL NOT NULL);"
            "INSERT INTO devices VALUES ('0a', 'a phone', 'owner', 1, 1, x'00')"
        )
    pairing = Pairing(SQLiteDevices(path))
    new, _ = pairing.pair(pairing.invite(Role.LISTENER, "ann"), name="a tablet", address="x")
    kept = [(one.name, one.role, one.listener) for one in Pairing(SQLiteDevices(path)).devices()]
    assert kept == [("a phone", Role.OWNER, "me"), ("a tablet", Role.LISTENER, "ann")]
    assert new.listener == "ann"


@pytest.mark.parametrize("name", ["", "Ann", "a b", "a/b", "a" * 33, "-a"])
def test_a_listener_has_a_plain_name(name: str) -> None:
    """It stands in logs and is typed: anything else is one sentence."""
    told = command_line.run("devices", "invite", f"--listener={name}")
    assert told.returncode == 3
    assert "names no listener: take up to 32 of a to z" in told.stderr.replace("\n", " ")


def test_a_quota_bounds_all_but_the_owner(
    run_service: Callable[..., AbstractContextManager[Any]], tmp_path: Path
) -> None:
    """Two devices of one listener share it, others have their own; numbers that a device read
    itself are free, and what is over is told when to come again.
    """
    words = ("--library", "demo", "--name", "127.0.0.1")
    names = {"phone": "--listener=ann", "laptop": "--listener=ann", "ben": "--listener=ben"}
    face = {"box": [1, 2, 30, 40], "emotions": {"happy": 0.9, "neutral": 0.1}}
    with run_service(*words, EMOTION_DJ_QUOTA="3") as service, ExitStack() as stack:
        clients = {}
        for name, more in {**names, "owner": ""}.items():
            client = stack.enter_context(httpx.Client(base_url=service.address, timeout=120))
            client.get("/pair", params={"code": invited(tmp_path, *filter(None, [more]))})
            clients[name] = client

        def asks(name: str, *, times: int) -> list[httpx.Response]:
            sets = f"{API}/sets"
            return [clients[name].post(sets, json={"mood": "calm", "n": 1}) for _ in range(times)]

        told = [*asks("phone", times=2), *asks("laptop", times=4), *asks("phone", times=1)]
        refused = [answer for answer in told if answer.status_code == 429]
        # a minute may end in between, and then there are three more
        assert 1 <= len(refused) <= 4
        assert {answer.json()["code"] for answer in refused} == {"quota"}
        assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
        assert [answer.status_code for answer in asks("ben", times=3)] == [200] * 3
        assert [answer.status_code for answer in asks("owner", times=8)] == [200] * 8
        seen = [clients["ben"].post(f"{API}/readings", json={"faces": [face]}) for _ in range(9)]
        assert {answer.status_code for answer in seen} == {200}
