"""Every fault that Spotify has: passing ones lose nothing, lasting ones are one sentence."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from emotion_dj.errors import LoginRequired, NotAvailable, RateLimited, SourceError
from emotion_dj.sources import http
from emotion_dj.sources.spotify import Spotify
from emotion_dj.sources.spotify_login import SCOPES
from emotion_dj.testing import faults
from emotion_dj.testing import spotify as stand_in
from emotion_dj.testing.spotify import CANARY, Playlist, SpotifyStandIn, songs, status

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    "faults",
    [
        [status(503)],
        [status(502), status(500)],
        [status(429, retry_after="0")],
        [status(429)],
        [status(429, retry_after="soon")],
        [faults.cut],
        [faults.cut, status(504)],
        [None, faults.cut, None, status(503)],
    ],
)
def test_passing_faults_lose_nothing(
    site: SpotifyStandIn, account: Spotify, faults: list[Any]
) -> None:
    """The right result, and one more request for each fault."""
    site.playlists["p"] = Playlist("p", songs(120))
    site.faults = faults.copy()
    uris = [track.uri for track in account.playlist("p")]
    assert uris == [f"spotify:track:s{i}" for i in range(120)]
    assert len(site.requests) == 3 + sum(fault is not None for fault in faults)


@pytest.mark.parametrize(
    ("fault", "requests", "kind", "said"),
    [
        (status(500), http.TRIES, SourceError, "not well"),
        (status(429), http.TRIES, RateLimited, "asked too often"),
        (status(429, retry_after="86400"), 1, RateLimited, "try again in 24 h"),
        (status(429, retry_after="inf"), 1, RateLimited, "try again in"),
        (status(429, "QUOTA_EXCEEDED", retry_after="1"), 1, SourceError, "quota"),
        (status(401), 2, LoginRequired, "emotion-dj login spotify"),
        (status(403), 1, NotAvailable, "does not let"),
        (status(404), 1, NotAvailable, "HTTP 404"),
        (faults.cut, http.TRIES, SourceError, "cannot be reached"),
        (faults.slow, 1, SourceError, "too slowly"),
        (faults.raw(b"<html>"), 1, SourceError, "no JSON"),
        (faults.raw(b'{"items": ['), 1, SourceError, "no JSON"),
        (faults.raw(b"[" * 100_000), 1, SourceError, "no JSON"),
        (faults.raw(b"[1]"), 1, SourceError, "without 'items'"),
        (faults.raw(b'{"items": {}}'), 1, SourceError, "without 'items'"),
        (faults.raw(b""), 1, SourceError, "without 'items'"),
    ],
)
def test_lasting_faults_are_one_sentence_and_no_storm(  # noqa: PLR0913, PLR0917 - a table of faults
    site: SpotifyStandIn,
    account: Spotify,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: stand_in.Fault,
    requests: int,
    kind: type[SourceError],
    said: str,
) -> None:
    """What is wrong and what to do, a bounded number of requests, and no token anywhere."""
    monkeypatch.setattr(http, "DEADLINE", 0.3)
    caplog.set_level(logging.DEBUG)
    site.faults = [fault] * 50
    with pytest.raises(kind, match=said) as caught:
        list(account.playlist("p"))
    assert len(site.requests) == requests
    assert "\n" not in str(caught.value)
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert CANARY not in told


def test_no_query_is_logged(site: SpotifyStandIn, caplog: pytest.LogCaptureFixture) -> None:
    """Other services want their tokens in the address: what httpx logs of it ends before them."""
    caplog.set_level(logging.DEBUG)
    site.playlists["p"] = Playlist("p", songs(1))
    site.faults = [faults.raw(b"{}")]
    assert http.Client("x", site.api).get("me", {"t": f"{CANARY}-in-query"}) == {}
    assert "HTTP Request: GET" in caplog.text
    assert CANARY not in caplog.text


def test_a_quota_is_no_rate_limit(site: SpotifyStandIn, account: Spotify) -> None:
    """No time is named to come back, and later requests are not held back by it."""
    site.playlists["p"] = Playlist("p", songs(1))
    site.faults = [status(429, "QUOTA_EXCEEDED", retry_after="86400")]
    with pytest.raises(SourceError) as caught:
        list(account.playlist("p"))
    assert not isinstance(caught.value, RateLimited)
    assert len(list(account.playlist("p"))) == 1


def test_a_long_wait_is_remembered_by_later_processes(
    site: SpotifyStandIn, logged_in: Callable[..., Spotify]
) -> None:
    """Told to come back tomorrow, no other process asks before; another host is not concerned."""
    site.faults = [status(429, retry_after="86400")]
    with pytest.raises(RateLimited):
        list(logged_in().playlist("p"))
    code = (
        "import sys\nfrom emotion_dj.sources.spotify import Spotify\n"
        "from emotion_dj.errors import RateLimited\n"
        "try:\n    list(Spotify(sys.argv[1], lambda _: 't').playlist('p'))\n"
        "except RateLimited as error:\n    print(error, error.retry_at)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, site.api], capture_output=True, text=True, check=True
    )
    assert "try again in 24 h" in done.stdout
    assert float(done.stdout.split()[-1]) > time.time() + 86_000
    assert len(site.requests) == 1
    with SpotifyStandIn() as other:
        other.playlists["p"] = Playlist("p", songs(1))
        account = Spotify(other.api, lambda _: str(other.grant(*SCOPES)["access_token"]))
        assert len(list(account.playlist("p"))) == 1
