"""The listener's Jellyfin server, by a stand-in that takes no old way of logging in."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image as Pillow

from emotion_dj.app import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Affect, DJSet, Mood, Pick, Plan, Reason, Track
from emotion_dj.errors import LoginRequired, NotAvailable, SettingsError, SourceError
from emotion_dj.sources.jellyfin import PAGE, Jellyfin
from emotion_dj.testing.conformance import check_source
from emotion_dj.testing.jellyfin import PASSWORD, USER, JellyfinStandIn
from emotion_dj.testing.subsonic import SubsonicStandIn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def described(song: str, **more: Any) -> dict[str, Any]:
    """Return a song as a server describes it."""
    return {"Id": song, "Name": f"Song {song}", "RunTimeTicks": 100_000_000, **more}


@pytest.fixture
def server(clips: dict[str, list[bytes]]) -> Iterator[JellyfinStandIn]:
    """Serve two songs with audio."""
    rich = {"Artists": ["A", "B"], "Album": "Album", "Genres": ["Jazz"], "ProductionYear": 1999}
    with JellyfinStandIn([described("c", **rich), described("e", AlbumArtist="C")]) as serving:
        serving.audio = {"c": clips["calm"][0], "e": clips["energetic"][0]}
        yield serving


def source_at(server: JellyfinStandIn, password: str = PASSWORD) -> Jellyfin:
    """Return the source of a server."""
    return Jellyfin(server.address, USER, password)


def music(host: str, *songs: str) -> DJSet:
    """Return a set of songs of a server."""
    here = Affect(0, 0)
    tracks = (Track(f"jellyfin:{host}/{song}", song) for song in songs)
    picks = tuple(Pick(track, here, Mood.CALM, 1.0, ()) for track in tracks)
    return DJSet(picks, Plan("match"), (here,) * len(songs), here, Reason("journey"))


def test_it_keeps_the_contract_of_sources(server: JellyfinStandIn) -> None:
    """Every check that a plug-in has to pass."""
    check_source(lambda: source_at(server))


def test_songs_are_described(server: JellyfinStandIn) -> None:
    """Durations are ticks of a ten-millionth second; who made the album stands in for artists."""
    first, second = source_at(server).tracks()
    assert (first.title, first.artists, first.album) == ("Song c", ("A", "B"), "Album")
    assert (first.duration, first.genres, first.year) == (10.0, ("Jazz",), 1999)
    assert second.artists == ("C",)
    assert [track.title for track in source_at(server).search("song E")] == ["Song e"]


def test_large_libraries_come_in_pages(server: JellyfinStandIn) -> None:
    """Each song once, with one login for all."""
    server.songs = {f"{i:04}": described(f"{i:04}") for i in range(2 * PAGE)}
    uris = [track.uri for track in source_at(server).tracks()]
    assert len(set(uris)) == len(uris) == 2 * PAGE
    assert server.logins == 1


def test_an_ended_login_is_made_anew(server: JellyfinStandIn) -> None:
    """The server forgets its tokens, as after a restart: nobody notices."""
    source = source_at(server)
    before = list(source.tracks())
    server.end_tokens()
    assert list(source.tracks()) == before
    assert server.logins == 2


def test_refusals_are_sentences(server: JellyfinStandIn) -> None:
    """A wrong password, a server of another kind, an address without a scheme, no user."""
    with pytest.raises(LoginRequired, match="this user and password") as told:
        list(source_at(server, "canary-wrong").tracks())
    assert "canary" not in str(told.value)
    with SubsonicStandIn() as other, pytest.raises(SourceError, match="no Jellyfin server"):
        list(Jellyfin(other.address, USER, PASSWORD).tracks())
    for settings in (Settings(jellyfin_url="music.example"), Settings(jellyfin_url="http://x")):
        with pytest.raises(SettingsError, match=r"http://|JELLYFIN_USER"):
            EmotionDJ(settings=settings).services.source("jellyfin")


def test_a_set_replaces_the_playlist_of_before(server: JellyfinStandIn) -> None:
    """One list of that name; songs of other sources are left out and counted."""
    source, host = source_at(server), server.address.removeprefix("http://")
    for songs in (("c", "e"), ("e",)):
        saved = source.write(music(host, *songs), name="Mix")
        assert list(server.playlists.values()) == [("Mix", list(songs))]
        assert (saved.name, saved.songs, saved.total) == ("Mix", len(songs), len(songs))
    with pytest.raises(NotAvailable, match="none of these songs"):
        source.write(music("elsewhere", "c"), name="Mix")


def test_it_is_heard_played_and_told(server: JellyfinStandIn, tmp_path: Path) -> None:
    """`serve --library jellyfin`: a set, its sound by ranges, a cover, a like, a play, a list; and
    the password is in nothing that was said.
    """
    picture = io.BytesIO()
    Pillow.new("RGB", (900, 900), "red").save(picture, "PNG")
    server.pictures["c"] = picture.getvalue()
    environment = {
        **os.environ,
        "EMOTION_DJ_JELLYFIN_URL": server.address,
        "EMOTION_DJ_JELLYFIN_USER": USER,
        "EMOTION_DJ_JELLYFIN_PASSWORD": PASSWORD,
        "EMOTION_DJ_DATABASE": str(tmp_path / "c.sqlite"),
        "EMOTION_DJ_INCLUDE": "short",
        "EMOTION_DJ_WORKERS": "1",
    }
    command = [sys.executable, "-m", "emotion_dj", "serve", "--library", "jellyfin", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            address = process.stderr.readline().split()[3]
            with httpx.Client(base_url=f"{address}/api/v1", timeout=120) as client:
                client.get("/library/scan")  # ends when all is heard
                picks = client.post("/sets", json={"mood": "calm"}).json()["picks"]
                ids = {pick["title"][-1]: pick["id"] for pick in picks}
                sound = client.get(f"/tracks/{ids['c']}/stream", headers={"range": "bytes=10-19"})
                assert (sound.status_code, sound.content) == (206, server.audio["c"][10:20])
                covers = [client.get(f"/tracks/{ids[name]}/cover").status_code for name in "ce"]
                for name, kind in (("c", "like"), ("e", "like"), ("e", "unlike"), ("e", "play")):
                    told = {"track": ids[name], "kind": kind}
                    assert client.post("/feedback", json=told).status_code == 204
                songs = {"songs": [{"id": ids["e"]}, {"id": ids["c"]}]}
                saved = client.post("/sources/jellyfin/playlists", json=songs).json()
        finally:
            process.terminate()
        said = process.stderr.read()
    assert covers == [200, 204]
    assert (server.favourites, server.played) == (["c"], ["e"])
    assert (saved["songs"], list(server.playlists.values())) == (2, [("Emotion-DJ", ["e", "c"])])
    assert "canary" not in said
