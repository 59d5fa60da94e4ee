"""A real Subsonic server (supysonic) with real music, and servers that misbehave, over sockets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import patient
import pytest

from emotion_dj.app import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Affect, DJSet, Plan, Reason
from emotion_dj.errors import (
    LabelError,
    LoginRequired,
    NotAvailable,
    RateLimited,
    SettingsError,
    SourceError,
)
from emotion_dj.sources import http
from emotion_dj.sources.subsonic import Subsonic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

PASSWORD = "canary-pässword-51"  # noqa: S105 - the test's own server


@pytest.fixture(scope="module")
def server(
    supysonic: Callable[..., AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
    demo_music: Path,
) -> Iterator[str]:
    """Run supysonic with eight tracks of the demo library; give its address."""
    songs = [
        path
        for mood in ("calm", "energetic")
        for path in sorted((demo_music / mood).glob("*.opus"))[:4]
    ]
    with supysonic(tmp_path_factory.mktemp("supysonic"), songs, PASSWORD) as address:
        yield address


@pytest.fixture
def dj(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmotionDJ:
    """Return a DJ whose library is the server."""
    monkeypatch.setenv("EMOTION_DJ_SUBSONIC_PASSWORD", PASSWORD)
    settings = Settings(
        database=str(tmp_path / "c.sqlite"), subsonic_url=server, subsonic_user="alice", workers=1
    )
    return EmotionDJ(library=["subsonic"], settings=settings)


def test_a_server_is_a_library(dj: EmotionDJ, tmp_path: Path) -> None:
    """Its songs are heard through their streams and played; nothing of them stays on disk."""
    summary = dj.library.scan()
    assert (summary.analysed, summary.failed) == (8, ())
    picks = dj.recommend(mood="energetic", n=3).picks
    assert all("energetic" in pick.track.title for pick in picks)
    assert dj.library.scan().known == 8
    assert sum(path.stat().st_size for path in tmp_path.rglob("*")) < 400_000


def test_a_set_becomes_a_playlist_and_replaces_it(dj: EmotionDJ) -> None:
    """Written twice under one name, there is one playlist, with the songs of the second set."""
    dj.services.save(dj.recommend(mood="calm", n=4), "subsonic")
    where = dj.services.save(dj.recommend(mood="calm", n=3), "subsonic")
    assert (where.name, where.songs, where.total) == ("Emotion-DJ", 3, 3)
    lists = dj.services.source("subsonic")._ask("getPlaylists")["playlists"]["playlist"]
    assert [(entry["name"], entry["songCount"]) for entry in lists] == [("Emotion-DJ", 3)]
    with pytest.raises(LabelError, match="subsonic"):
        dj.services.save(dj.recommend(mood="calm", n=3), "gramophone")


def test_search_finds_songs(dj: EmotionDJ) -> None:
    """The server's own search, at most as many as asked."""
    found = dj.services.source("subsonic").search("energetic", limit=2)
    assert len(found) == 2
    assert all(track.uri.startswith("subsonic:127.0.0.1") for track in found)


def test_the_page_streams_from_the_server(server: str, tmp_path: Path) -> None:
    """Our service passes byte ranges through and tells no one the credentials."""
    environment = {
        **os.environ,
        "EMOTION_DJ_SUBSONIC_URL": server,
        "EMOTION_DJ_SUBSONIC_USER": "alice",
        "EMOTION_DJ_SUBSONIC_PASSWORD": PASSWORD,
        "EMOTION_DJ_DATABASE": str(tmp_path / "c.sqlite"),
    }
    command = [sys.executable, "-m", "emotion_dj", "serve", "--library", "subsonic", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[3]
        with patient.Client(base_url=address) as client:
            answer = client.post("/api/v1/sets", json={"mood": "calm", "n": 1})
            (pick,) = answer.json()["picks"]
            part = client.get(pick["stream"], headers={"range": "bytes=0-99"})
        process.terminate()
        said = process.stderr.read()
    assert (part.status_code, len(part.content)) == (206, 100)
    assert part.content.startswith(b"OggS")
    for secret in (PASSWORD, PASSWORD.encode().hex()):
        assert secret not in said + answer.text


def test_wrong_passwords_and_missing_ones_are_said(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No retry, one sentence, and never the password in it."""
    with pytest.raises(LoginRequired) as refused:
        list(Subsonic(server, "alice", "wrong-canary").tracks())
    assert "canary" not in str(refused.value) + repr(Subsonic(server, "alice", "wrong-canary"))
    monkeypatch.delenv("EMOTION_DJ_SUBSONIC_PASSWORD", raising=False)
    settings = Settings(subsonic_url=server, subsonic_user="alice")
    with pytest.raises(LoginRequired, match="EMOTION_DJ_SUBSONIC_PASSWORD"):
        _ = EmotionDJ(settings=settings).services.source("subsonic")
    with pytest.raises(SettingsError, match="EMOTION_DJ_SUBSONIC_URL"):
        _ = EmotionDJ(settings=Settings()).services.source("subsonic")


@contextmanager
def misbehaving(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[str, list[str]]]:
    """Serve these answers one after the other, the last one for ever; list what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, headers, body = answers[min(len(asked), len(answers) - 1)]
            asked.append(self.path)
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}", asked
        site.shutdown()


FINE = json.dumps({"subsonic-response": {"status": "ok", "searchResult3": {}}}).encode()


def test_short_troubles_are_waited_out() -> None:
    """A busy server is asked again, a bounded number of times."""
    with misbehaving((503, {}, b""), (429, {"retry-after": "0"}, b""), (200, {}, FINE)) as (
        at,
        asked,
    ):
        assert Subsonic(at, "a", "b").search("x") == []
        assert len(asked) == 3
    with misbehaving((500, {}, b"")) as (at, asked):
        with pytest.raises(SourceError, match="not well"):
            Subsonic(at, "a", "b").search("x")
        assert len(asked) == http.TRIES


def test_a_playlist_is_tried_again_where_the_server_was_not_well(dj: EmotionDJ) -> None:
    """What was made all the same is looked for, and not made twice; two failures are said."""
    (pick,) = dj.recommend(mood="calm", n=1).picks

    def written(at: str) -> int:
        track = replace(pick.track, uri=f"subsonic:{at.removeprefix('http://')}/1")
        picks = (replace(pick, track=track),)
        music = DJSet(picks, Plan("match"), (), Affect(0, 0), Reason("journey"))
        return Subsonic(at, "a", "b").write(music, name="x").songs

    unwell = (500, {}, b"")
    with misbehaving((200, {}, FINE), unwell, (200, {}, FINE)) as (at, asked):
        assert written(at) == 1
        verbs = [path.partition("?")[0].rpartition("/")[2] for path in asked]
        assert verbs == ["getPlaylists.view", "createPlaylist.view"] * 2
    with misbehaving((200, {}, FINE), unwell) as (at, _), pytest.raises(SourceError):
        written(at)


def test_long_waits_fail_at_once() -> None:
    """A server that wants a day is believed: one request, and when to come back."""
    with misbehaving((429, {"retry-after": "86400"}, b"")) as (at, asked):
        with pytest.raises(RateLimited) as told:
            Subsonic(at, "a", "b").search("x")
        assert len(asked) == 1
        assert told.value.retry_at > 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, {}, b"<html>"), "no JSON"),
        ((200, {}, b"[1]"), "no Subsonic server"),
        ((200, {"content-length": "99"}, b"{"), "cannot be reached"),
        ((404, {}, b""), "does not have"),
        ((401, {}, b""), "credentials"),
    ],
)
def test_other_troubles_get_one_sentence(
    answer: tuple[int, dict[str, str], bytes], said: str
) -> None:
    """HTML, another JSON, a cut connection, not found, refused."""
    with misbehaving(answer) as (at, _), pytest.raises(SourceError, match=said):
        Subsonic(at, "a", "b").search("x")


def test_endless_answers_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer larger than any should be is not taken into memory."""
    monkeypatch.setattr(http, "MAX_JSON", 1000)
    with (
        misbehaving((200, {}, bytes(5000))) as (at, _),
        pytest.raises(SourceError, match="more than"),
    ):
        Subsonic(at, "a", "b").search("x")


def test_nobody_there_is_said() -> None:
    """A port where nothing listens."""
    with pytest.raises(SourceError, match="is it running"):
        Subsonic("http://127.0.0.1:9", "a", "b").search("x")


def test_a_set_of_other_music_cannot_be_written(server: str, dj: EmotionDJ) -> None:
    """Songs that are not on the server are no playlist there."""
    local = EmotionDJ(library=["demo"], settings=dj.settings)
    music = local.recommend(mood="calm", n=2)
    with pytest.raises(NotAvailable, match="none of these"):
        Subsonic(server, "alice", PASSWORD).write(music, name="x")


def test_threads_that_meet_a_server_at_once_all_log_in(server: str) -> None:
    """One learns that it takes no tokens while others' tokens are on their way to it."""
    together = threading.Barrier(8)
    subsonic = Subsonic(server, "alice", PASSWORD)

    def found(_: int) -> int:
        together.wait(30)
        return len(subsonic.search("calm"))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(found, range(8))) == [4] * 8
