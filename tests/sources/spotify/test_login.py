"""Logging in to Spotify and out again: codes, tokens that end, and no secret left behind."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import command_line
import httpx
import patient
import pytest

from emotion_dj.app import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.errors import LoginRequired, SettingsError, SourceError
from emotion_dj.sources import spotify_login
from emotion_dj.sources.spotify_login import SCOPES, Session
from emotion_dj.testing.spotify import (
    CANARY,
    CLIENT_ID,
    Playlist,
    SpotifyStandIn,
    entry,
    song,
    songs,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from emotion_dj.sources.spotify import Spotify


def session(site: SpotifyStandIn, saved: list[str]) -> Session:
    """Return a session that nobody has logged in to yet."""

    def save(text: str) -> str:
        saved.append(text)
        return "memory"

    return Session(site.accounts, CLIENT_ID, lambda: "", save)


def browser(address: str) -> None:
    """Be a browser at whose login page the listener says yes at once."""
    httpx.get(address, follow_redirects=True, timeout=30)


def test_an_application_has_to_be_named() -> None:
    """Without the id of an application there is one sentence that says where to get one."""
    with pytest.raises(SettingsError, match="EMOTION_DJ_SPOTIFY_CLIENT_ID"):
        _ = EmotionDJ(settings=Settings()).services.source("spotify")


def test_login_by_code_with_pkce(site: SpotifyStandIn) -> None:
    """The browser comes back to 127.0.0.1 with a code that only our verifier can exchange."""
    saved: list[str] = []
    new = session(site, saved)
    with pytest.raises(LoginRequired, match="emotion-dj login spotify"):
        new("")
    assert new.begin(browser, port=0) == "memory"
    assert new("") == json.loads(saved[-1])["access"]
    asked = parse_qs(urlsplit(site.logins[0]).query)
    assert asked["scope"] == [" ".join(SCOPES)]
    assert urlsplit(asked["redirect_uri"][0]).hostname == "127.0.0.1"
    assert "client_secret" not in asked


def test_strangers_cannot_finish_a_login(site: SpotifyStandIn) -> None:
    """Another state, another path or nothing at all: refused, and the login still waits."""
    codes: list[int] = []

    def hurried(address: str) -> None:
        asked = parse_qs(urlsplit(address).query)
        back = asked["redirect_uri"][0]
        queries = ("?code=canary-evil&state=guess", "?code=canary-evil", "")
        codes.extend(patient.get(back + query).status_code for query in queries)
        codes.append(patient.get(back.replace("callback", "x") + "?state=é").status_code)
        browser(address)

    saved: list[str] = []
    session(site, saved).begin(hurried, port=0)
    assert codes == [400] * 4
    assert len(saved) == 1


def test_logins_that_fail_are_said(site: SpotifyStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused by the listener, never finished, port taken, a code that was stolen and used."""
    site.allows = False
    with pytest.raises(LoginRequired, match="refused"):
        session(site, []).begin(browser, port=0)
    site.allows = True
    monkeypatch.setattr(spotify_login, "WAIT_S", 0.1)
    with pytest.raises(LoginRequired, match="nobody came back"):
        session(site, []).begin(lambda _: None, port=0)
    taken = urlsplit(site.api).port
    assert taken
    with pytest.raises(SourceError, match="--port"):
        session(site, []).begin(browser, port=taken)

    def robbed(address: str) -> None:
        answer = patient.get(address)
        back = answer.headers["location"]
        code = parse_qs(urlsplit(back).query)["code"][0]
        grant = {"grant_type": "authorization_code", "code": code, "client_id": CLIENT_ID}
        assert patient.post(f"{site.accounts}/api/token", data=grant).status_code == 400
        patient.get(back)

    with pytest.raises(LoginRequired) as caught:
        session(site, []).begin(robbed, port=0)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_server_that_gives_no_token_is_said(
    site: SpotifyStandIn, tokens: Callable[..., str]
) -> None:
    """What a login server answers instead of a token ends as one error of the source."""
    broken = Session(f"{site.api}", CLIENT_ID, lambda: tokens(expires=0), str)
    with pytest.raises(SourceError):
        broken("")


def test_tokens_that_end_in_mid_run_are_renewed(
    site: SpotifyStandIn, logged_in: Callable[..., Spotify]
) -> None:
    """Nothing is lost or asked twice but the page that was refused; refresh tokens rotate."""
    site.playlists["p"] = Playlist("p", songs(500))
    site.token_lasts = 4
    assert len(list(logged_in().playlist("p"))) == 500
    assert len(site.requests) == 10 + 2


def test_a_token_that_has_ended_is_not_sent(
    site: SpotifyStandIn, tokens: Callable[..., str], logged_in: Callable[..., Spotify]
) -> None:
    """It is renewed before the first request, and what another process renewed is used."""
    site.playlists["p"] = Playlist("p", songs(1))
    assert len(list(logged_in(expires=0).playlist("p"))) == 1
    assert len(site.requests) == 1
    stale, fresh = tokens(refresh="used up"), tokens()
    texts = iter([stale, fresh])
    session = Session(site.accounts, CLIENT_ID, lambda: next(texts), str)
    old = session("")
    assert session(old) == json.loads(fresh)["access"]


def test_threads_renew_a_token_once(site: SpotifyStandIn, tokens: Callable[..., str]) -> None:
    """Eight threads that are refused at once spend one refresh token."""
    saved: list[str] = []
    kept = tokens()
    shared = Session(site.accounts, CLIENT_ID, lambda: kept, lambda text: saved.append(text) or "")
    old = shared("")
    threads = [threading.Thread(target=shared, args=(old,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(saved) == 1


def test_sources_are_listed_and_tried(
    site: SpotifyStandIn,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tokens: Callable[..., str],
) -> None:
    """What each needs; the first song of one; no client is loaded to import the room."""
    from emotion_dj import cli

    def say(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["emotion-dj", "sources", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return f"{ended.value.code} {told.out}{told.err}"

    assert "your account and EMOTION_DJ_SPOTIFY_CLIENT_ID" in say("list")
    assert "2 emotion-dj: name your Spotify application" in say("test", "spotify")
    monkeypatch.setenv("EMOTION_DJ_SPOTIFY_API", site.api)
    monkeypatch.setenv("EMOTION_DJ_SPOTIFY_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("EMOTION_DJ_SPOTIFY_TOKENS", tokens())
    assert "3 emotion-dj: spotify answers, and has no music" in say("test", "spotify")
    site.saved = [entry(song("a"), under="track")]
    assert "its first track is Song a" in say("test", "spotify")
    code = "import sys, emotion_dj.sources; print('httpx' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert loaded.stdout.strip() == b"False"


def test_from_login_to_logout_no_secret_is_left(
    site: SpotifyStandIn, tmp_path: Path, bright: dict[str, Any]
) -> None:
    """As a user does it, to the end: no token, code or song is in what was said or written."""
    yes = tmp_path / "browser.py"
    yes.write_text("import sys, httpx\nhttpx.get(sys.argv[1], follow_redirects=True, timeout=60)\n")
    data = tmp_path / "data"
    environment = {
        **os.environ,
        "EMOTION_DJ_SPOTIFY_API": site.api,
        "EMOTION_DJ_SPOTIFY_ACCOUNTS": site.accounts,
        "EMOTION_DJ_SPOTIFY_CLIENT_ID": CLIENT_ID,
        "EMOTION_DJ_DATABASE": str(data / "c.sqlite"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "BROWSER": f"{shlex.quote(sys.executable)} {yes} %s",
        **{f"XDG_{kind}_HOME": str(data / kind.lower()) for kind in ("DATA", "CACHE", "CONFIG")},
    }
    said = ""

    def run(*arguments: str, code: int = 0) -> str:
        nonlocal said
        done = command_line.run(*arguments, **environment)
        said += done.stdout + done.stderr
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    site.saved = [entry(song(f"treasure{i}"), under="track") for i in range(4)]
    site.features = {f"treasure{i}": {**bright, "id": f"treasure{i}"} for i in range(4)}
    play = ("play", "--mood", "happy", "--library", "spotify")
    assert "login spotify" in run(*play, code=9)
    assert "only you can read" in run("login", "spotify", "--port", "0")
    told = run(*play, "--to", "spotify", "--on", "spotify", "-n", "3")
    assert "https://open.spotify.com/playlist/new0" in told
    assert len(site.playing) == 3
    site.device = False
    assert "no device" in run(*play, "--on", "spotify", code=9)
    assert "choose" in run(*play, "--on", "gramophone", code=2)
    holders = [path for path in data.rglob("*") if path.is_file() and CANARY in _text(path)]
    assert [path.name for path in holders] == ["credentials.json"]
    assert holders[0].stat().st_mode & 0o777 == 0o600
    assert "4 tracks" in run("logout", "spotify")
    for path in data.rglob("*"):
        if path.is_file():
            assert CANARY not in _text(path)
            assert "treasure" not in _text(path)
    assert CANARY not in said
    assert "login spotify" in run(*play, code=9)


def _text(path: Path) -> str:
    return path.read_bytes().decode("latin-1")
