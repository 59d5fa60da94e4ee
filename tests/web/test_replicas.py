"""Two services that share one PostgreSQL, as replicas behind a proxy do: real processes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from emotion_dj import EmotionDJ
from emotion_dj.app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

pytestmark = [pytest.mark.needs_postgres, pytest.mark.slow]

API = "/api/v1"


@dataclass(frozen=True)
class Replicas:
    """Two addresses, what both share, and what starts one more."""

    addresses: tuple[str, str]
    database: str
    music: str
    more: Callable[[], AbstractContextManager[Any]]

    def invited(self, *words: str) -> str:
        """Return a new code, as the owner of the database makes one."""
        command = [sys.executable, "-m", "emotion_dj", "devices", "invite", *words]
        asked = [*command, "--database", self.database]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()

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

    def start() -> AbstractContextManager[Any]:
        home = tmp_path_factory.mktemp("home")
        words = ("--library", str(music), "--name", "127.0.0.1")
        return run_from(home, *words, EMOTION_DJ_DATABASE=database)

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
        command = [sys.executable, "-m", "emotion_dj", "devices", "revoke", device]
        subprocess.run([*command, "--database", replicas.database], check=True)
        assert [client.get("/about").status_code for client in (one, other)] == [401, 401]


def test_a_stranger_who_asks_in_turn_has_no_more_tries(replicas: Replicas) -> None:
    """Five codes that do not fit are five for both; then one minute is waited at either."""
    line = httpx.HTTPTransport(local_address="127.0.0.9")
    with httpx.Client(transport=line) as stranger:
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
