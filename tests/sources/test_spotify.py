"""Spotify by a stand-in that keeps its contract, over real sockets, with every fault it has."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from emotion_dj import credentials
from emotion_dj.compose import EmotionDJ, ear_id
from emotion_dj.converter import converter, playlist_track_classifier
from emotion_dj.domain import Affect, Mood, Pick, Plan, Set, Track
from emotion_dj.errors import (
    LabelError,
    LoginRequired,
    NotAvailable,
    RateLimited,
    SettingsError,
    SourceError,
)
from emotion_dj.settings import Settings
from emotion_dj.sources import http, spotify_login
from emotion_dj.sources.spotify import Spotify, playlist_id
from emotion_dj.sources.spotify_login import SCOPES, Session
from emotion_dj.testing import spotify as stand_in
from emotion_dj.testing.deezer import DeezerStandIn, Song
from emotion_dj.testing.spotify import CLIENT_ID, Playlist, SpotifyStandIn, entry, song, status

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_START = dict(os.environ)
"""Of the person who runs the tests, before they are given a home of their own."""

CANARY = "canary"
CONTRACT = Path(__file__).resolve().parents[3] / "shared/contracts/spotify-openapi.yml"
BRIGHT = {
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
QUIET = {**BRIGHT, "energy": 0.05, "valence": 0.1, "loudness": -25.0, "acousticness": 0.95}


@pytest.fixture
def site() -> Iterator[SpotifyStandIn]:
    """Serve a stand-in; what was asked of it must keep the contract, and so must its answers."""
    with SpotifyStandIn(CONTRACT if CONTRACT.is_file() else None) as serving:
        yield serving
        assert not serving.violations
        assert not serving.untrue


@pytest.fixture
def account(site: SpotifyStandIn) -> Spotify:
    """Return the account of a listener who is logged in."""
    return logged_in(site)


def logged_in(site: SpotifyStandIn, **changes: Any) -> Spotify:
    """Return an account whose tokens live in this process."""
    kept = [tokens(site, **changes)]

    def save(text: str) -> str:
        kept[0] = text
        return "memory"

    return Spotify(site.api, Session(site.accounts, CLIENT_ID, lambda: kept[0], save))


def tokens(site: SpotifyStandIn, **changes: Any) -> str:
    """Return new tokens in the form in which they are kept."""
    new = site.grant(*SCOPES)
    kept = {"access": new["access_token"], "refresh": new["refresh_token"]}
    return json.dumps({**kept, "expires": time.time() + 3000, **changes})


def a_set(*tracks: Track) -> Set:
    """Return a set of these tracks."""
    here = Affect(0, 0)
    picks = tuple(Pick(track, here, Mood.CALM, 1.0, "because") for track in tracks)
    return Set(picks, Plan("match"), (here,) * len(picks), here)


def names(tracks: Iterator[Track] | list[Track]) -> list[str]:
    """Return the last part of each uri."""
    return [track.uri.removeprefix("spotify:track:") for track in tracks]


def songs(count: int) -> list[dict[str, Any]]:
    """Return entries of a playlist."""
    return [entry(song(f"s{i}")) for i in range(count)]


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


def test_ten_thousand_songs_fit_into_little_memory(site: SpotifyStandIn) -> None:
    """A process that reads them all and keeps them has at most 150 MB, whatever it is made of."""
    site.playlists["big"] = Playlist("big", songs(10_000))
    code = (
        "import resource, sys\nfrom emotion_dj.sources.spotify import Spotify\n"
        "count = len(list(Spotify(sys.argv[1], lambda _: sys.argv[2]).playlist('big')))\n"
        "print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    token = site.grant(*SCOPES)["access_token"]
    command = [sys.executable, "-c", code, site.api, token]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, kilobytes = map(int, done.stdout.split())
    assert count == 10_000
    assert kilobytes < 150_000


def test_tokens_that_end_in_mid_run_are_renewed(site: SpotifyStandIn) -> None:
    """Nothing is lost or asked twice but the page that was refused; refresh tokens rotate."""
    site.playlists["p"] = Playlist("p", songs(500))
    site.token_lasts = 4
    assert len(list(logged_in(site).playlist("p"))) == 500
    assert len(site.requests) == 10 + 2


def test_a_token_that_has_ended_is_not_sent(site: SpotifyStandIn) -> None:
    """It is renewed before the first request, and what another process renewed is used."""
    site.playlists["p"] = Playlist("p", songs(1))
    assert len(list(logged_in(site, expires=0).playlist("p"))) == 1
    assert len(site.requests) == 1
    stale, fresh = tokens(site, refresh="used up"), tokens(site)
    texts = iter([stale, fresh])
    session = Session(site.accounts, CLIENT_ID, lambda: next(texts), str)
    old = session("")
    assert session(old) == json.loads(fresh)["access"]


@pytest.mark.parametrize(
    "faults",
    [
        [status(503)],
        [status(502), status(500)],
        [status(429, retry_after="0")],
        [status(429)],
        [status(429, retry_after="soon")],
        [stand_in.cut],
        [stand_in.cut, status(504)],
        [None, stand_in.cut, None, status(503)],
    ],
)
def test_passing_faults_lose_nothing(
    site: SpotifyStandIn, account: Spotify, faults: list[Any]
) -> None:
    """The right result, and one more request for each fault."""
    site.playlists["p"] = Playlist("p", songs(120))
    site.faults = faults.copy()
    assert names(account.playlist("p")) == [f"s{i}" for i in range(120)]
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
        (stand_in.cut, http.TRIES, SourceError, "cannot be reached"),
        (stand_in.slow, 1, SourceError, "too slowly"),
        (stand_in.raw(b"<html>"), 1, SourceError, "no JSON"),
        (stand_in.raw(b'{"items": ['), 1, SourceError, "no JSON"),
        (stand_in.raw(b"[" * 100_000), 1, SourceError, "no JSON"),
        (stand_in.raw(b"[1]"), 1, SourceError, "without 'items'"),
        (stand_in.raw(b'{"items": {}}'), 1, SourceError, "without 'items'"),
        (stand_in.raw(b""), 1, SourceError, "without 'items'"),
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
    site.faults = [stand_in.raw(b"{}")]
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


def test_a_long_wait_is_remembered_by_later_processes(site: SpotifyStandIn) -> None:
    """Told to come back tomorrow, no other process asks before; another host is not concerned."""
    site.faults = [status(429, retry_after="86400")]
    with pytest.raises(RateLimited):
        list(logged_in(site).playlist("p"))
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
        assert len(list(logged_in(other).playlist("p"))) == 1


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
    site.faults = [stand_in.raw(json.dumps({"items": songs(50), "total": 51}).encode())]
    assert len(list(account.playlist("p"))) == 51
    link = f"{site.api}/playlists/p/items?offset=0&limit=50"
    site.faults = [stand_in.raw(json.dumps({"items": [], "next": link}).encode())] * 9
    site.requests.clear()
    with pytest.raises(SourceError, match="circle"):
        list(account.playlist("p"))
    assert len(site.requests) == 1


def test_a_playlist_deleted_meanwhile_is_passed_over(
    site: SpotifyStandIn, account: Spotify, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are read, and it is said."""
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


def test_a_set_becomes_a_playlist_and_replaces_it(site: SpotifyStandIn, account: Spotify) -> None:
    """Created private once, filled in batches of a hundred, replaced under the same name."""
    long = a_set(*(Track(f"spotify:track:t{i}", "t") for i in range(250)))
    address = account.write(long, name="Emotion-DJ")
    assert address == "https://open.spotify.com/playlist/new0"
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
    told = account.write(wanted, name="mix")
    assert "3 of 6 songs" in told
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
    site: SpotifyStandIn, account: Spotify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    monkeypatch.setenv("EMOTION_DJ_SPOTIFY_TOKENS", tokens(site))
    player = dj(site, tmp_path)
    player.start(a_set(*songs), "spotify:desk")
    assert site.playing_on == "id-Desk"
    with pytest.raises(NotAvailable, match="'garage': Desk, Kitchen"):
        player.start(a_set(*songs), "spotify:garage")
    with pytest.raises(SettingsError, match="choose spotify"):
        player.start(a_set(*songs), "gramophone:desk")


@pytest.mark.needs_shared
def test_a_login_from_before_devices_is_said(site: SpotifyStandIn) -> None:
    """Its token may start music but not see where; that is said, with what to do."""
    old = site.grant("user-modify-playback-state")
    account = Spotify(site.api, lambda _: str(old["access_token"]))
    account.play([Track("spotify:track:a", "a")])
    with pytest.raises(LoginRequired, match="emotion-dj login spotify"):
        account.devices()


def test_features_come_in_hundreds(
    site: SpotifyStandIn, account: Spotify, caplog: pytest.LogCaptureFixture
) -> None:
    """What is unknown or no number is left out; an application without them asks and says once."""
    tracks = [Track(f"spotify:track:t{i}", "t") for i in range(150)] + [Track("file:///x", "x")]
    site.features = {"t0": {**BRIGHT, "id": "t0"}, "t149": {**QUIET, "id": "t149"}}
    found = account.features(tracks)
    assert set(found) == {"spotify:track:t0", "spotify:track:t149"}
    first = found["spotify:track:t0"]
    assert (first.analyser, first.energy, first.key, first.mode) == ("spotify", 0.8, None, 1)
    assert len(site.requests) == 2
    site.features = None
    assert account.features(tracks) == {}
    assert account.features(tracks) == {}
    assert len(site.requests) == 3
    assert caplog.text.count("does not tell") == 1


def dj(site: SpotifyStandIn, tmp_path: Path, **changes: Any) -> EmotionDJ:
    """Return a DJ whose library is the account."""
    settings = Settings(
        database=str(tmp_path / "c.sqlite"),
        spotify_api=site.api,
        spotify_accounts=site.accounts,
        spotify_client_id=CLIENT_ID,
        **{"reccobeats_api": "", "deezer_api": "", **changes},
    )
    return EmotionDJ(library=["spotify"], settings=settings)


def test_sets_are_chosen_from_what_is_known(
    site: SpotifyStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Spotify's features, or by a recording of ours with the same ISRC; the rest is counted."""
    monkeypatch.setenv("EMOTION_DJ_SPOTIFY_TOKENS", tokens(site))
    table = tmp_path / "t.csv"
    table.write_text("title,artist,isrc,energy,valence\nOwn,Me,XXo,0.9,0.9\n")
    site.saved = [entry(song(name), under="track") for name in ("l", "q", "o", "u")]
    site.features = {"l": {**BRIGHT, "id": "l"}, "q": {**QUIET, "id": "q"}}
    player = dj(site, tmp_path)
    assert player.take_in(table) == 1
    summary = player.scan()
    assert (summary.analysed, summary.known, len(summary.failed)) == (3, 0, 1)
    assert "1 of 4 songs" in summary.failed[0].why
    picks = player.play_at("happy", n=9).picks
    assert {pick.track.uri[-1] for pick in picks} == {"l", "q", "o"}
    site.requests.clear()
    again = player.scan()
    assert (again.analysed, again.known) == (0, 3)
    assert [path for _, path in site.requests].count("/audio-features") == 1


def test_what_nobody_knows_is_heard_elsewhere(
    site: SpotifyStandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clips: dict[str, list[bytes]],
) -> None:
    """The same recording, by ISRC, is heard in Deezer's preview and kept under Spotify's uri."""
    monkeypatch.setenv("EMOTION_DJ_SPOTIFY_TOKENS", tokens(site))
    isrcs = ("QZAB12345678", "QZAB12345679", None)
    site.saved = [
        entry(song(name, external_ids={"isrc": isrc} if isrc else {}), under="track")
        for name, isrc in zip("abc", isrcs, strict=True)
    ]
    heard = [
        Song(1, "Calm", isrc="QZAB12345678", audio=clips["calm"][0]),
        Song(2, "Energetic", isrc="QZAB12345679", audio=clips["energetic"][0]),
    ]
    with DeezerStandIn(heard) as deezer:
        player = dj(site, tmp_path, deezer_api=deezer.address)
        summary = player.scan()
        assert summary.analysed == 2
        assert "1 of 3 songs" in summary.failed[0].why
        asked = len(deezer.asked)
        assert player.scan().known == 2
        assert len(deezer.asked) == asked
    calm, energetic = (player.catalogue.candidates([ear_id()]).arousal).tolist()
    assert energetic > calm


def test_the_two_functions_of_the_beginning(
    site: SpotifyStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They ask per page and per hundred, and understand every spelling of every emotion."""
    monkeypatch.setenv("EMOTION_DJ_SPOTIFY_TOKENS", tokens(site))
    site.playlists["p"] = Playlist("p", songs(120))
    site.features = {f"s{i}": {**(BRIGHT if i % 2 else QUIET), "id": f"s{i}"} for i in range(119)}
    player = dj(site, tmp_path)
    rows = playlist_track_classifier("spotify:playlist:p", dj=player)
    assert len(site.requests) == 3 + 2
    assert rows[1] == {
        "id": "s1",
        "name": "Song s1",
        "artist": "Artist s1",
        "album": "Album s1",
        "preview_url": None,
        "mood": "happy",
    }
    assert rows[119]["mood"] is None
    for label in ("happy", "Happiness", "joy"):
        assert {row["mood"] for row in converter(label, "p", dj=player)} == {"happy"}
    for label in ("angry", "disgusted", "fear", "fearful", "neutral", "sad", "surprised"):
        assert isinstance(converter(label, "p", dj=player), list)
    with pytest.raises(LabelError):
        converter("hungry", "p", dj=player)


def browser(address: str) -> None:
    """Be a browser at whose login page the listener says yes at once."""
    httpx.get(address, follow_redirects=True, timeout=30)


def session(site: SpotifyStandIn, saved: list[str]) -> Session:
    """Return a session that nobody has logged in to yet."""

    def save(text: str) -> str:
        saved.append(text)
        return "memory"

    return Session(site.accounts, CLIENT_ID, lambda: "", save)


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
        codes.extend(httpx.get(back + query).status_code for query in queries)
        codes.append(httpx.get(back.replace("callback", "x") + "?state=é").status_code)
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
        answer = httpx.get(address)
        back = answer.headers["location"]
        code = parse_qs(urlsplit(back).query)["code"][0]
        grant = {"grant_type": "authorization_code", "code": code, "client_id": CLIENT_ID}
        assert httpx.post(f"{site.accounts}/api/token", data=grant).status_code == 400
        httpx.get(back)

    with pytest.raises(LoginRequired) as caught:
        session(site, []).begin(robbed, port=0)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_threads_renew_a_token_once(site: SpotifyStandIn) -> None:
    """Eight threads that are refused at once spend one refresh token."""
    saved: list[str] = []
    kept = tokens(site)
    shared = Session(site.accounts, CLIENT_ID, lambda: kept, lambda text: saved.append(text) or "")
    old = shared("")
    threads = [threading.Thread(target=shared, args=(old,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(saved) == 1


def test_secrets_are_kept_in_a_private_file_where_there_is_no_keyring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the user may read it; the environment wins; forgotten is gone."""
    import keyring
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring.core, "_keyring_backend", Keyring())
    where = Path(credentials.put("spotify_tokens", "one").split(",")[0])
    assert where.stat().st_mode & 0o777 == 0o600
    assert credentials.get("spotify_tokens") == "one"
    monkeypatch.setenv("EMOTION_DJ_SPOTIFY_TOKENS", "two")
    assert credentials.get("spotify_tokens") == "two"
    monkeypatch.delenv("EMOTION_DJ_SPOTIFY_TOKENS")
    credentials.forget("spotify_tokens")
    assert not where.exists()
    with pytest.raises(LoginRequired):
        credentials.get("spotify_tokens")


def test_secrets_are_kept_in_the_keyring_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And then in no file."""
    import keyring
    from keyring.backend import KeyringBackend
    from keyring.errors import PasswordDeleteError

    class InMemory(KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def __init__(self) -> None:
            self.kept: dict[tuple[str, str], str] = {}

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            if self.kept.pop((service, username), None) is None:
                raise PasswordDeleteError

    monkeypatch.setattr(keyring.core, "_keyring_backend", InMemory())
    assert credentials.put("spotify_tokens", "one") == "the system's keyring"
    assert credentials.get("spotify_tokens") == "one"
    credentials.forget("spotify_tokens")
    credentials.forget("spotify_tokens")
    with pytest.raises(LoginRequired):
        credentials.get("spotify_tokens")
    assert not list(Path(os.environ["HOME"]).rglob("credentials.json"))


def test_from_login_to_logout_no_secret_is_left(site: SpotifyStandIn, tmp_path: Path) -> None:
    """As a user does it: log in, play from and to the account, start it, log out; then search
    everything that was said or written for tokens, codes and the songs.
    """  # noqa: D205
    yes = tmp_path / "browser.py"
    yes.write_text("import sys, httpx\nhttpx.get(sys.argv[1], follow_redirects=True)\n")
    data = tmp_path / "data"
    environment = {
        **os.environ,
        "EMOTION_DJ_SPOTIFY_API": site.api,
        "EMOTION_DJ_SPOTIFY_ACCOUNTS": site.accounts,
        "EMOTION_DJ_SPOTIFY_CLIENT_ID": CLIENT_ID,
        "EMOTION_DJ_DATABASE": str(data / "c.sqlite"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "BROWSER": f"{sys.executable} {yes} %s",
        **{f"XDG_{kind}_HOME": str(data / kind.lower()) for kind in ("DATA", "CACHE", "CONFIG")},
    }
    said = ""

    def run(*arguments: str, code: int = 0) -> str:
        nonlocal said
        command = [sys.executable, "-m", "emotion_dj", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        said += done.stdout + done.stderr
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    site.saved = [entry(song(f"treasure{i}"), under="track") for i in range(4)]
    site.features = {f"treasure{i}": {**BRIGHT, "id": f"treasure{i}"} for i in range(4)}
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


def test_sources_are_listed_and_tried(
    site: SpotifyStandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
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
    monkeypatch.setenv("EMOTION_DJ_SPOTIFY_TOKENS", tokens(site))
    assert "3 emotion-dj: spotify answers, and has no music" in say("test", "spotify")
    site.saved = [entry(song("a"), under="track")]
    assert "its first track is Song a" in say("test", "spotify")
    code = "import sys, emotion_dj.sources; print('httpx' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert loaded.stdout.strip() == b"False"


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "/me/tracks?limit=51", None, "limit is out of bounds"),
        ("GET", "/me/tracks?limit=x", None, "limit is no integer"),
        ("GET", "/me/tracks?colour=red", None, "colour is not in the contract"),
        ("GET", "/search?q=x", None, "type is missing"),
        ("GET", "/search?q=x&type=song", None, "none of"),
        ("GET", "/playlists/p/tracks", None, "deprecated"),
        ("GET", "/nothing", None, "not in the contract"),
        ("POST", "/me/playlists", {}, "lacks name"),
        ("POST", "/me/playlists", {"name": 7}, "name is no string"),
        ("POST", "/me/playlists", {"name": "x", "hue": 1}, "hue is not in the contract"),
        ("PUT", "/playlists/p/items", {"uris": [1]}, "is no string"),
    ],
)
def test_the_stand_in_sees_what_the_contract_forbids(
    method: str, path: str, body: Any, said: str
) -> None:
    """Requests that no real server would take are refused and listed."""
    with SpotifyStandIn(CONTRACT) as site:
        site.playlists["p"] = Playlist("p")
        bearer = {"authorization": f"Bearer {site.grant(*SCOPES)['access_token']}"}
        answer = httpx.request(method, site.api + path, json=body, headers=bearer)
        assert answer.status_code in {400, 404}
        assert any(said in each for each in site.violations), site.violations
        bearer = {"authorization": f"Bearer {site.grant()['access_token']}"}
        assert httpx.get(f"{site.api}/me/tracks", headers=bearer).status_code == 403
        assert httpx.get(f"{site.api}/me/tracks").status_code == 401


def test_an_application_has_to_be_named() -> None:
    """Without the id of an application there is one sentence that says where to get one."""
    with pytest.raises(SettingsError, match="EMOTION_DJ_SPOTIFY_CLIENT_ID"):
        _ = EmotionDJ(settings=Settings()).spotify


def test_a_server_that_gives_no_token_is_said(site: SpotifyStandIn) -> None:
    """A login server that answers something else."""
    broken = Session(f"{site.api}", CLIENT_ID, lambda: tokens(site, expires=0), str)
    with pytest.raises(SourceError):
        broken("")


@pytest.mark.live
def test_the_real_service_keeps_its_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    """With your own account, where `emotion-dj login spotify` has been run; nothing is changed."""
    for name in [name for name in os.environ if name not in AT_START]:
        monkeypatch.delenv(name)
    for name, value in AT_START.items():
        monkeypatch.setenv(name, value)
    account = EmotionDJ().spotify
    first = next(account.tracks())
    assert first.uri.startswith("spotify:track:")
    assert first.title
    assert first.artists
    assert first.isrc
    assert 0 < len(account.search(first.title, limit=50)) <= 10
