"""Where a set goes at Spotify: into a playlist of the listener, or to a device that plays it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emotion_dj.domain import Affect, DJSet, Mood, Pick, Plan, Reason, Track
from emotion_dj.errors import LabelError, LoginRequired, NotAvailable, SourceError
from emotion_dj.sources.spotify import Spotify
from emotion_dj.testing.conformance import PLAYLIST, SourceContract
from emotion_dj.testing.spotify import SpotifyStandIn, entry, song, status

if TYPE_CHECKING:
    from collections.abc import Callable

    from emotion_dj.app import EmotionDJ


def a_set(*tracks: Track) -> DJSet:
    """Return a set of these tracks."""
    here = Affect(0, 0)
    picks = tuple(Pick(track, here, Mood.CALM, 1.0, ()) for track in tracks)
    return DJSet(picks, Plan("match"), (here,) * len(picks), here, Reason("journey"))


def test_it_keeps_the_contract_of_a_sink_and_a_player(
    site: SpotifyStandIn, account: Spotify
) -> None:
    """The public suite, over the socket; what cannot travel to a worker is not asked to."""
    site.saved = [entry(song(name), under="track") for name in ("one", "two")]
    site.devices = [device("Desk", is_active=True)]
    suite = SourceContract()
    suite.make = lambda: account  # type: ignore[method-assign]
    suite.test_a_search_keeps_its_limit()
    suite.test_a_set_is_written_and_replaced()
    suite.test_its_devices_play()
    assert site.playing == ["spotify:track:one"]
    (playlist,) = filter(None, site.playlists.values())
    assert playlist.name == PLAYLIST


def test_a_set_becomes_a_playlist_and_replaces_it(site: SpotifyStandIn, account: Spotify) -> None:
    """Created private once, filled in batches of a hundred, replaced under the same name."""
    long = a_set(*(Track(f"spotify:track:t{i}", "t") for i in range(250)))
    saved = account.write(long, name="Emotion-DJ")
    assert saved.place == "https://open.spotify.com/playlist/new0"
    made = site.playlists["new0"]
    assert made is not None
    assert [each["item"]["id"] for each in made.entries] == [f"t{i}" for i in range(250)]
    changes = [method for method, path in site.requests if path.endswith("/items")]
    assert changes == ["PUT", "POST", "POST"]
    account.write(a_set(Track("spotify:track:z", "z")), name="Emotion-DJ")
    assert [each["item"]["id"] for each in made.entries] == ["z"]
    assert len(site.playlists) == 1


def test_songs_of_other_sources_are_looked_for_once(site: SpotifyStandIn, account: Spotify) -> None:
    """By ISRC, else by equal title and artist; one request for each; the others are told of."""
    site.catalogue = [song("a"), song("b", name="Élan", artists=[{"name": "Zoë"}])]
    wanted = a_set(
        Track("file:///a", "x", isrc="XXa"),
        Track("file:///b", "élan", ("ZOË",)),
        Track("file:///c", "élan", ("Somebody Else",)),
        Track("file:///d", "nameless"),
        Track("file:///e", "x", isrc="NONE"),
        Track("spotify:track:f", "f"),
    )
    saved = account.write(wanted, name="mix")
    assert (saved.songs, saved.total) == (3, 6)
    assert sum(path == "/search" for _, path in site.requests) == 4
    with pytest.raises(NotAvailable, match="none of these"):
        account.write(a_set(Track("file:///d", "nameless")), name="mix")


def test_writing_is_never_repeated(site: SpotifyStandIn, account: Spotify) -> None:
    """A playlist that may have been made is not made again; a refused token is renewed."""
    music = a_set(Track("spotify:track:a", "a"))
    site.faults = [None, None, status(503)]
    with pytest.raises(SourceError, match="not well"):
        account.write(music, name="x")
    assert [method for method, _ in site.requests].count("POST") == 1
    site.requests.clear()
    site.faults = [None, None, status(401)]
    account.write(music, name="x")
    assert [method for method, _ in site.requests] == ["GET", "GET", "POST", "POST", "PUT"]


def test_songs_start_on_the_active_device(site: SpotifyStandIn, account: Spotify) -> None:
    """All of them in order, in one request; no device and no Premium are one sentence each."""
    songs = [Track("spotify:track:a", "a"), Track("spotify:track:b", "b")]
    account.play(songs)
    assert site.playing == ["spotify:track:a", "spotify:track:b"]
    assert len(site.requests) == 1
    site.device = False
    with pytest.raises(NotAvailable, match="no device of yours"):
        account.play(songs)
    site.premium = False
    with pytest.raises(NotAvailable, match="Premium"):
        account.play(songs)


def device(name: str, **changes: Any) -> dict[str, Any]:
    """Return a device as Spotify describes it."""
    usual = {"is_active": False, "is_restricted": False, "type": "speaker", "volume_percent": 50}
    return {"id": f"id-{name}", "name": name, **usual, **changes}


def test_songs_start_on_a_device_that_waits(
    site: SpotifyStandIn, account: Spotify, dj: Callable[..., EmotionDJ]
) -> None:
    """Where nothing is active any device will do; a name chooses; restricted ones are no choice."""
    songs = [Track("spotify:track:a", "a")]
    site.device = False
    site.devices = [device("Car", is_restricted=True), device("Web", id=None), device("Kitchen")]
    account.play(songs)
    assert (site.playing, site.playing_on) == (["spotify:track:a"], "id-Kitchen")
    assert [path for _, path in site.requests] == [
        *("/me/player/play", "/me/player/devices", "/me/player/play"),
    ]
    site.devices.append(device("Desk", is_active=True))
    assert [known.name for known in account.devices()] == ["Desk", "Kitchen"]
    player = dj()
    player.services.start(a_set(*songs), "spotify:desk")
    assert site.playing_on == "id-Desk"
    with pytest.raises(NotAvailable, match="'garage': Desk, Kitchen"):
        player.services.start(a_set(*songs), "spotify:garage")
    with pytest.raises(LabelError, match=r"choose .*spotify"):
        player.services.start(a_set(*songs), "gramophone:desk")


@pytest.mark.needs_shared
def test_a_login_from_before_devices_is_said(site: SpotifyStandIn) -> None:
    """Its token may start music but not see where; that is said, with what to do."""
    old = site.grant("user-modify-playback-state")
    account = Spotify(site.api, lambda _: str(old["access_token"]))
    account.play([Track("spotify:track:a", "a")])
    with pytest.raises(LoginRequired, match="emotion-dj login spotify"):
        account.devices()
