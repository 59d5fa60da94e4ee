"""Spotify's published contract, against the stand-in and, where wanted, the real service."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import patient
import pytest

from emotion_dj.app import EmotionDJ
from emotion_dj.sources.spotify_login import SCOPES
from emotion_dj.testing.spotify import Playlist, SpotifyStandIn

if TYPE_CHECKING:
    from pathlib import Path

AT_START = dict(os.environ)
"""Of the person who runs the tests, before they are given a home of their own."""


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "/me/tracks?limit=51", None, "limit is out of bounds"),
        ("GET", "/me/tracks?limit=x", None, "limit is not an integer"),
        ("GET", "/me/tracks?colour=red", None, "colour is not in the contract"),
        ("GET", "/search?q=x", None, "type is missing"),
        ("GET", "/search?q=x&type=song", None, "none of"),
        ("GET", "/playlists/p/tracks", None, "deprecated"),
        ("GET", "/nothing", None, "not in the contract"),
        ("POST", "/me/playlists", {}, "lacks name"),
        ("POST", "/me/playlists", {"name": 7}, "name is not a string"),
        ("POST", "/me/playlists", {"name": "x", "hue": 1}, "hue is not in the contract"),
        ("PUT", "/playlists/p/items", {"uris": [1]}, "is not a string"),
    ],
)
def test_the_stand_in_sees_what_the_contract_forbids(
    method: str, path: str, body: Any, said: str, contract: Path
) -> None:
    """Requests that no real server would take are refused and listed."""
    with SpotifyStandIn(contract) as site:
        site.playlists["p"] = Playlist("p")
        bearer = {"authorization": f"Bearer {site.grant(*SCOPES)['access_token']}"}
        answer = patient.request(method, site.api + path, json=body, headers=bearer)
        assert answer.status_code in {400, 404}
        assert any(said in each for each in site.violations), site.violations
        bearer = {"authorization": f"Bearer {site.grant()['access_token']}"}
        assert patient.get(f"{site.api}/me/tracks", headers=bearer).status_code == 403
        assert patient.get(f"{site.api}/me/tracks").status_code == 401


@pytest.mark.live
def test_the_real_service_keeps_its_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    """With your own account, where `emotion-dj login spotify` has been run; nothing is changed."""
    for name in [name for name in os.environ if name not in AT_START]:
        monkeypatch.delenv(name)
    for name, value in AT_START.items():
        monkeypatch.setenv(name, value)
    account = EmotionDJ().services.source("spotify")
    first = next(account.tracks())
    assert first.uri.startswith("spotify:track:")
    assert first.title
    assert first.artists
    assert first.isrc
    assert 0 < len(account.search(first.title, limit=50)) <= 10
