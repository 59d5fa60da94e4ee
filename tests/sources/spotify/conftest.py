"""Spotify by a stand-in that keeps its contract, over real sockets, and an account there."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from emotion_dj.app import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.sources.spotify import Spotify
from emotion_dj.sources.spotify_login import SCOPES, Session
from emotion_dj.testing.spotify import CLIENT_ID, SpotifyStandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def contract(shared: Path) -> Path:
    """Return the description that Spotify publishes; absent where the shared data are."""
    return shared / "contracts" / "spotify-openapi.yml"


@pytest.fixture
def site(contract: Path) -> Iterator[SpotifyStandIn]:
    """Serve a stand-in; what was asked of it must keep the contract, and so must its answers."""
    with SpotifyStandIn(contract if contract.is_file() else None) as serving:
        yield serving
        assert not serving.violations
        assert not serving.untrue


@pytest.fixture
def tokens(site: SpotifyStandIn) -> Callable[..., str]:
    """Return a function that makes new tokens in the form in which they are kept."""

    def tokens(**changes: Any) -> str:
        new = site.grant(*SCOPES)
        kept = {"access": new["access_token"], "refresh": new["refresh_token"]}
        return json.dumps({**kept, "expires": time.time() + 3000, **changes})

    return tokens


@pytest.fixture
def logged_in(site: SpotifyStandIn, tokens: Callable[..., str]) -> Callable[..., Spotify]:
    """Return a function that gives an account whose tokens, changed so, live in this process."""

    def logged_in(**changes: Any) -> Spotify:
        kept = [tokens(**changes)]

        def save(text: str) -> str:
            kept[0] = text
            return "memory"

        return Spotify(site.api, Session(site.accounts, CLIENT_ID, lambda: kept[0], save))

    return logged_in


@pytest.fixture
def account(logged_in: Callable[..., Spotify]) -> Spotify:
    """Return the account of a listener who is logged in."""
    return logged_in()


@pytest.fixture
def dj(
    site: SpotifyStandIn,
    tokens: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., EmotionDJ]:
    """Return a function that makes a DJ whose library is the account of a listener logged in."""
    monkeypatch.setenv("EMOTION_DJ_SPOTIFY_TOKENS", tokens())

    def dj(**changes: Any) -> EmotionDJ:
        settings = Settings(
            database=str(tmp_path / "c.sqlite"),
            spotify_api=site.api,
            spotify_accounts=site.accounts,
            spotify_client_id=CLIENT_ID,
            **{"reccobeats_api": "", "deezer_api": "", **changes},
        )
        return EmotionDJ(library=["spotify"], settings=settings)

    return dj


@pytest.fixture
def bright() -> dict[str, Any]:
    """Return the features of a happy song, as Spotify tells them."""
    return {
        "danceability": 0.8,
        "energy": 0.8,
        "valence": 0.95,
        "tempo": 120.0,
        "loudness": -6.0,
        "acousticness": 0.1,
        "instrumentalness": 0.0,
        "liveness": 0.1,
        "speechiness": 0.05,
        "key": -1,
        "mode": 1,
        "type": "audio_features",
    }


@pytest.fixture
def quiet(bright: dict[str, Any]) -> dict[str, Any]:
    """Return the features of a sad song."""
    return {**bright, "energy": 0.05, "valence": 0.1, "loudness": -25.0, "acousticness": 0.95}
