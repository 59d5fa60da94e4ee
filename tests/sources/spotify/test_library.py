"""What Spotify's listener has, as tracks: playlists, saved songs, pages of fifty, the search."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from emotion_dj.errors import NotAvailable, SourceError
from emotion_dj.sources.spotify import Spotify, playlist_id
from emotion_dj.sources.spotify_login import SCOPES
from emotion_dj.testing import faults
from emotion_dj.testing.spotify import Playlist, SpotifyStandIn, entry, song, songs, status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emotion_dj.domain import Track


def test_a_library_is_own_playlists_and_saved_tracks(
    site: SpotifyStandIn, account: Spotify
) -> None:
    """Both spellings of entries; podcasts, local files, removed ones and twins passed over."""
    site.playlists = {
        "p1": Playlist(
            "mixed",
            [
                entry(song("a"), brand_new={"x": 1}),
                entry(song("b"), under="track"),
                entry(None),
                entry(song("c", type="episode")),
                entry(song("d", is_local=True)),
                entry(song("e"), is_local=True),
                entry(song("a")),
            ],
        ),
        "gone": None,
        "p2": Playlist("of a friend", [entry(song("f"))], owner="friend"),
    }
    site.saved = [entry(song("g"), under="track"), entry(song("b"), under="track")]
    found = list(account.tracks())
    assert names(found) == ["a", "b", "g"]
    first = found[0]
    assert (first.title, first.artists, first.album) == ("Song a", ("Artist a",), "Album a")
    assert (first.duration, first.isrc, first.uri) == (180, "XXa", "spotify:track:a")
    assert account.describe(first) == first
    site.untrue.clear()  # an episode in the clothes of a track


def names(tracks: Iterator[Track] | list[Track]) -> list[str]:
    """Return the last part of each uri."""
    return [track.uri.removeprefix("spotify:track:") for track in tracks]


def test_missing_and_strange_members_are_no_disaster(
    site: SpotifyStandIn, account: Spotify
) -> None:
    """A track that has nothing but its id is a track; addresses elsewhere are not taken over."""
    strange = song(
        "b",
        artists=["?", None, {"name": None}],
        album="none",
        duration_ms="long",
        external_ids=[],
        preview_url="https://evil.example/x.mp3",
    )
    told = song("c", preview_url="https://p.scdn.co/mp3-preview/c")
    site.playlists["p"] = Playlist("p", [{"item": {"id": "a"}}, {}, 7, None, entry(strange)])
    site.playlists["p"].entries.append(entry(told))
    bare, odd, heard = account.playlist("p")
    assert (bare.title, bare.artists, bare.duration, bare.media) == ("a", (), None, None)
    assert (odd.artists, odd.album, odd.duration, odd.isrc, odd.media) == ((), "", None, None, None)
    assert heard.media is not None
    assert heard.media.kind == "preview"
    site.untrue.clear()  # on purpose


def test_ten_thousand_songs_cost_two_hundred_requests(
    site: SpotifyStandIn, account: Spotify
) -> None:
    """One request for each page of fifty, and none more."""
    site.playlists["big"] = Playlist("big", songs(10_000))
    assert sum(1 for _ in account.playlist("https://open.spotify.com/playlist/big?si=x")) == 10_000
    assert len(site.requests) == 200


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
def test_ten_thousand_songs_fit_into_little_memory(site: SpotifyStandIn) -> None:
    """A process that reads them all and keeps them has at most 150 MB, whatever it is made of."""
    site.playlists["big"] = Playlist("big", songs(10_000))
    code = (
        "import re, sys\nfrom emotion_dj.sources.spotify import Spotify\n"
        "count = len(list(Spotify(sys.argv[1], lambda _: sys.argv[2]).playlist('big')))\n"
        # not getrusage: its peak is handed down from the process that started this one
        "print(count, re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    token = site.grant(*SCOPES)["access_token"]
    command = [sys.executable, "-c", code, site.api, token]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, kilobytes = map(int, done.stdout.split())
    assert count == 10_000
    assert kilobytes < 150_000


def test_pages_lead_nowhere_else(site: SpotifyStandIn, account: Spotify) -> None:
    """A link to a foreign host is not followed; one to the real host goes to the address set."""
    site.playlists["p"] = Playlist("p", songs(60))
    site.next_host = "evil.example"
    with pytest.raises(SourceError, match="another host"):
        list(account.playlist("p"))
    site.next_host = "api.spotify.com"
    assert len(list(account.playlist("p"))) == 60


def test_pages_without_links_are_read_and_circles_end(
    site: SpotifyStandIn, account: Spotify
) -> None:
    """Where `next` is missing the total counts; a page that leads back to itself is said."""
    site.playlists["p"] = Playlist("p", songs(51))
    site.faults = [faults.raw(json.dumps({"items": songs(50), "total": 51}).encode())]
    assert len(list(account.playlist("p"))) == 51
    link = f"{site.api}/playlists/p/items?offset=0&limit=50"
    site.faults = [faults.raw(json.dumps({"items": [], "next": link}).encode())] * 9
    site.requests.clear()
    with pytest.raises(SourceError, match="circle"):
        list(account.playlist("p"))
    assert len(site.requests) == 1


def test_a_playlist_deleted_meanwhile_is_passed_over(
    site: SpotifyStandIn, account: Spotify, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are read, and the log names the one that is gone."""
    site.playlists = {"a": Playlist("A", songs(1)), "b": Playlist("B", [entry(song("x"))])}
    site.faults = [None, None, status(404)]
    assert names(account.tracks()) == ["x"]
    assert "passed over the playlist 'A'" in caplog.text


def test_playlists_are_named_in_three_ways() -> None:
    """An id, a uri, an address; anything else is said."""
    for name in ("5Rr", "spotify:playlist:5Rr", "https://open.spotify.com/playlist/5Rr?si=1"):
        assert playlist_id(name) == "5Rr"
    with pytest.raises(NotAvailable, match="names no playlist"):
        playlist_id("my songs!")


def test_search_gives_ten_at_most(site: SpotifyStandIn, account: Spotify) -> None:
    """As many as today's applications get, and fewer where fewer are asked for."""
    site.catalogue = [song(f"s{i}", name="Same") for i in range(30)]
    assert len(account.search("same", limit=25)) == 10
    assert len(account.search("same", limit=3)) == 3
    assert account.search("another") == []
