"""Sources over HTTP: a real Subsonic server, Spotify by its stand-in, files, and none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import patient
import pytest

from emotion_dj.testing.spotify import Playlist, SpotifyStandIn, entry, song, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import httpx

    Serve = Callable[..., AbstractContextManager[str]]

CALM = {"mood": "calm", "n": 20}


@pytest.fixture(scope="module")
def client(mixed: Any) -> Iterator[httpx.Client]:
    """Ask the service of three sources."""
    with patient.Client(base_url=f"{mixed.address}/api/v1") as client:
        yield client


def known(client: httpx.Client) -> dict[str, tuple[int, bool]]:
    """Return how many tracks each source has, and whether sets can be written there."""
    told = client.get("/sources").json()["sources"]
    return {source["name"]: (source["tracks"], source["writable"]) for source in told}


def refused(answer: httpx.Response, code: int, kind: str, words: str) -> None:
    """Assert a problem document that says these words."""
    told = answer.json()
    assert (answer.status_code, told["type"]) == (code, f"urn:emotion-dj:{kind}"), answer.text
    assert words in told["detail"]


def test_every_source_is_told_with_its_tracks(client: httpx.Client) -> None:
    """What has music, what could have some, and which of them takes sets right now."""
    told = known(client)
    assert told["files"] == (2, False)
    assert told["subsonic"] == (4, True)
    assert told["spotify"] == (2, True)
    empty = {"demo", "jellyfin", "deezer", "audius", "mpd", "tables"}
    assert {name for name, source in told.items() if source == (0, False)} == empty
    assert sum(tracks for tracks, _ in told.values()) == client.get("/library").json()["tracks"]


@pytest.mark.parametrize(
    ("names", "begins"),
    [
        (["spotify"], {"spotify": 2}),
        (["files", "subsonic"], {"file": 2, "subsonic": 4}),
        (["spotify", "audius"], {"spotify": 2}),
        ([], {"file": 2, "subsonic": 4, "spotify": 2}),
    ],
)
def test_a_set_is_of_the_sources_that_are_named(
    client: httpx.Client, names: list[str], begins: dict[str, int]
) -> None:
    """All their tracks and no other, for a set as for a file; asked again it is the same set."""
    wish = {**CALM, "sources": names}
    first, again = (client.post("/sets", json=wish).json()["picks"] for _ in range(2))
    of = [pick["uri"].partition(":")[0] for pick in first]
    assert {name: of.count(name) for name in of} == begins
    assert first == again
    saved = client.post("/playlists/jspf", json=wish).json()["playlist"]["track"]
    assert len(saved) == len(first)


def test_sources_that_are_not_there_are_said(client: httpx.Client) -> None:
    """A name that nobody knows, with those that are known; a source without tracks."""
    strange = client.post("/sets", json={**CALM, "sources": ["files", "gramophone"]})
    refused(strange, 422, "label-error", "'gramophone' is not a source of music: choose files")
    empty = client.post("/sets", json={**CALM, "sources": ["audius"]})
    refused(empty, 422, "library-error", "no music of audius")
    for sources in ("files", [1], [""]):
        odd = client.post("/sets", json={**CALM, "sources": sources})
        refused(odd, 422, "invalid-request", "sources")


def test_a_set_is_written_to_subsonic_and_replaced(client: httpx.Client, mixed: Any) -> None:
    """One playlist however often it is written; how much of a set is on the server is said."""
    for wish in ({**CALM, "n": 2}, {**CALM, "n": 3}):
        wanted = {**wish, "sources": ["subsonic"]}
        picks = client.post("/sets", json=wanted).json()["picks"]
        answer = client.post("/sources/subsonic/playlists", json=wanted)
        assert answer.status_code == 200, answer.text
        assert answer.json()["where"].startswith("playlist 'Emotion-DJ' on 127.0.0.1:")
        assert mixed.playlists() == {"Emotion-DJ": [pick["title"] for pick in picks]}
    all_of_it = client.post("/sources/subsonic/playlists", json=CALM).json()["where"]
    assert all_of_it.endswith("with 4 of 8 songs: the others are not there")
    nothing = client.post("/sources/subsonic/playlists", json={**CALM, "sources": ["spotify"]})
    refused(nothing, 404, "not-available", "none of these songs is on the Subsonic server")


def test_a_set_is_written_to_spotify_and_replaced(client: httpx.Client, mixed: Any) -> None:
    """Other playlists of the listener stay as they are; songs of other sources are looked for."""
    mixed.spotify.playlists["mine"] = Playlist("Mine")
    wish = {**CALM, "sources": ["spotify"]}
    first, again = (client.post("/sources/spotify/playlists", json=wish) for _ in range(2))
    assert first.json() == again.json()
    (name,) = set(mixed.spotify.playlists) - {"mine"}
    assert first.json()["where"] == f"https://open.spotify.com/playlist/{name}"
    ours = mixed.spotify.playlists[name]
    assert (ours.name, len(ours.entries)) == ("Emotion-DJ", 2)
    assert mixed.spotify.playlists["mine"].entries == []
    mixed.spotify.catalogue = [song("three")]
    more = client.post("/sources/spotify/playlists", json=CALM).json()["where"]
    assert more.endswith("with 2 of 8 songs: the others are not there")


def test_what_a_service_refuses_is_said(
    serve: Serve,
    demo_music: Path,
) -> None:
    """Not set up, none of the songs there, logged out, asked too often with when to come back."""
    with SpotifyStandIn() as site:
        site.saved = [entry(song("one"), under="track")]
        site.features = {"one": {"id": "one", "energy": 0.1, "valence": 0.7}}
        local = min((demo_music / "calm").glob("*.opus"))
        with (
            serve("--library", "spotify", "--library", str(local), **site.environment()) as address,
            patient.Client(base_url=f"{address}/api/v1") as client,
        ):

            def written(to: str, *sources: str) -> httpx.Response:
                return client.post(f"/sources/{to}/playlists", json={**CALM, "sources": sources})

            client.get("/library/scan")  # ends when all is heard
            told = known(client)
            assert (told["demo"], told["files"]) == ((1, False), (0, False))
            assert (told["subsonic"], told["spotify"]) == ((0, False), (1, True))
            refused(written("subsonic"), 403, "login-required", "EMOTION_DJ_SUBSONIC_URL")
            refused(written("gramophone"), 422, "label-error", "subsonic, jellyfin, spotify")
            refused(written("spotify", "demo"), 404, "not-available", "none of these songs")
            site.faults = [status(401)] * 9
            refused(written("spotify", "spotify"), 403, "login-required", "login spotify")
            site.faults = [status(429, retry_after="86400")]
            busy = written("spotify", "spotify")
            refused(busy, 503, "rate-limited", "Spotify")
            assert 86_000 < int(busy.headers["retry-after"]) <= 86_400


def test_nobody_is_asked_where_nobody_is_logged_in(serve: Serve, demo_music: Path) -> None:
    """A client id without a login is not a place for sets, nor is a server without its password."""
    half = {"EMOTION_DJ_SPOTIFY_CLIENT_ID": "someone", "EMOTION_DJ_SUBSONIC_USER": "alice"}
    half |= {"EMOTION_DJ_SUBSONIC_URL": "http://127.0.0.1:9"}
    song = min((demo_music / "calm").glob("*.opus"))
    with (
        serve("--library", str(song), **half) as address,
        patient.Client(base_url=f"{address}/api/v1") as client,
    ):
        assert not [name for name, (_, writable) in known(client).items() if writable]
        for name, words in (("spotify", "login spotify"), ("subsonic", "SUBSONIC_PASSWORD")):
            answer = client.post(f"/sources/{name}/playlists", json=CALM)
            refused(answer, 403, "login-required", words)
