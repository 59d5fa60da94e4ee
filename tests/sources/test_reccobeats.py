"""ReccoBeats through a server on a real socket: batches, gaps, odd values and faults."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emotion_dj.app.settings import Settings
from emotion_dj.app.source_registry import reccobeats
from emotion_dj.domain import Track
from emotion_dj.errors import RateLimited, SourceError
from emotion_dj.interfaces import FeatureProvider
from emotion_dj.sources import http
from emotion_dj.sources.reccobeats import ReccoBeats
from emotion_dj.testing.site import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request


def name(number: int) -> str:
    """Return a Spotify id."""
    return f"{number:022d}"


def row(number: int, **over: Any) -> dict[str, Any]:
    """Return what the service says of a track, under an id of its own."""
    values = dict.fromkeys(
        "acousticness danceability energy instrumentalness liveness speechiness valence".split(),
        0.5,
    )
    link = {"id": f"own-{number}", "href": f"https://open.spotify.com/track/{name(number)}"}
    return {**link, **values, "loudness": -7.5, "tempo": 120.0, "key": 4, "mode": 1, **over}


@contextmanager
def site(*faults: Response, unknown: int = -1, **over: Any) -> Iterator[tuple[str, list[int]]]:
    """Serve features backwards, with one track unknown; list how many ids each request held."""
    waiting, asked = list(faults), []

    def answer(request: Request) -> Response:
        ids = request.query_params["ids"].split(",")
        asked.append(len(ids))
        if waiting:
            return waiting.pop(0)
        if len(ids) > 40:
            return JSONResponse({"status": 4004}, status_code=400)
        numbers = [int(one) for one in reversed(ids) if int(one) != unknown]
        return JSONResponse({"content": [*(row(n, **over) for n in numbers), None, {"href": None}]})

    with served(Starlette(routes=[Route("/v1/audio-features", answer)])) as address:
        yield address, asked


def tracks(*numbers: int) -> list[Track]:
    """Return tracks of Spotify."""
    return [Track(f"spotify:track:{name(number)}", str(number)) for number in numbers]


def test_features_come_in_batches_and_by_link() -> None:
    """100 tracks are three requests; duplicates and tracks of others cost nothing."""
    with site(unknown=7) as (address, asked):
        provider = reccobeats(Settings(reccobeats_api=address))
        assert isinstance(provider, FeatureProvider)
        wanted = [*tracks(*range(100)), *tracks(3), Track("file:///a.mp3", "mine")]
        known = provider.features(wanted)
        assert asked == [40, 40, 20]
        assert set(known) == {track.uri for track in tracks(*range(100))} - {tracks(7)[0].uri}
        found = known[tracks(5)[0].uri]
        assert (found.analyser, found.energy, found.tempo, found.key) == ("reccobeats", 0.5, 120, 4)
        assert provider.features([Track("deezer:track/1", "x")]) == {}
        assert len(asked) == 3


def test_values_that_cannot_be_meant_are_unknown() -> None:
    """Text, null, shares above one and keys below none; what is left still counts."""
    odd = {"energy": 7, "valence": "high", "tempo": None, "key": -1, "mode": 3, "new": {"x": 1}}
    with site(**odd) as (address, _):
        (found,) = ReccoBeats(address).features(tracks(1)).values()
    assert (found.energy, found.valence, found.tempo, found.key, found.mode) == (None,) * 5
    assert found.danceability == 0.5


@pytest.mark.parametrize(
    ("faults", "kind", "said", "requests"),
    [
        ([Response(status_code=429, headers={"retry-after": "999"})], RateLimited, "too often", 1),
        ([Response(status_code=500)] * 5, SourceError, "not well", http.TRIES),
        ([Response(b"<html>")], SourceError, "no JSON", 1),
        ([Response(b"[]")], SourceError, "none of its answers", 1),
        ([Response(b'{"content": 3}')], SourceError, "none of its answers", 1),
        ([Response(status_code=400)], SourceError, "does not have", 1),
    ],
)
def test_faults_get_one_sentence(
    faults: list[Response], kind: type[SourceError], said: str, requests: int
) -> None:
    """No storm of requests, and the service is named."""
    with site(*faults) as (address, asked), pytest.raises(kind, match=said) as told:
        ReccoBeats(address).features(tracks(*range(80)))
    assert "ReccoBeats" in str(told.value)
    assert len(asked) == requests


@pytest.mark.live
def test_the_real_service_keeps_its_contract() -> None:
    """A well-known song has features."""
    track = Track("spotify:track:01K4zKU104LyJ8gMb7227B", "x")
    found = ReccoBeats().features([track])[track.uri]
    assert found.valence is not None
