"""Deezer through a stand-in on a real socket that has all of its faults."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import command_line
import patient
import pytest

from emotion_dj.app import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Reason, Track
from emotion_dj.errors import NotAvailable, RateLimited, SettingsError, SourceError
from emotion_dj.sources import http
from emotion_dj.sources.deezer import Deezer
from emotion_dj.sources.rate_limiter import RateLimiter
from emotion_dj.testing import deezer as stand_in
from emotion_dj.testing import faults
from emotion_dj.testing.conformance import check_source
from emotion_dj.testing.deezer import BUSY, QUOTA, DeezerStandIn, Song

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emotion_dj.testing.faults import Fault

MIX = 7


@pytest.fixture
def songs(clips: dict[str, list[bytes]]) -> list[Song]:
    """Return six songs with previews."""
    return [
        Song(10 * i + j, f"{mood} no. {j}", isrc=f"FRX20260{i}00{j}", audio=audio)
        for i, mood in enumerate(clips, start=1)
        for j, audio in enumerate(clips[mood])
    ]


@pytest.fixture
def site(songs: list[Song]) -> Iterator[DeezerStandIn]:
    """Run a stand-in that has these songs as a playlist; nothing strange may be asked of it."""
    with DeezerStandIn(songs, playlists={MIX: [song.id for song in songs]}) as running:
        yield running
        assert running.strange == []


def quick(site: DeezerStandIn, which: str = f"playlist/{MIX}") -> Deezer:
    """Return a source that waits a moment where Deezer would want five seconds."""
    return Deezer(site.address, which=which, budget=RateLimiter(1000, 0.01))


def at(site: DeezerStandIn, tmp_path: Path) -> Settings:
    """Return settings that lead to the stand-in."""
    return Settings(database=str(tmp_path / "c.sqlite"), deezer_api=site.address, workers=1)


def test_a_playlist_is_heard_and_played_end_to_end(site: DeezerStandIn, tmp_path: Path) -> None:
    """`play --library deezer:playlist/7` hears every preview once; the second run hears none."""
    environment = {
        "EMOTION_DJ_DEEZER_API": site.address,
        "EMOTION_DJ_DATABASE": str(tmp_path / "c.sqlite"),
    }
    command = ("play", "--library", f"deezer:playlist/{MIX}", "--mood", "energetic", "-n", "3")
    command += ("--json", "--save", str(tmp_path / "set.m3u8"))
    first = command_line.run(*command, **environment)
    picks = json.loads(first.stdout)["picks"]
    assert "energetic" in picks[0]["title"]
    assert (site.count("/preview"), site.count("/playlist"), site.count("/track")) == (6, 1, 3)
    saved = (tmp_path / "set.m3u8").read_text()
    assert saved.count(f"{site.address}/preview/") == 3
    again = command_line.run(*command, **environment)
    assert len(json.loads(again.stdout)["picks"]) == 3  # others: what was saved stands back a while
    assert site.count("/preview") == 6
    assert sum(path.stat().st_size for path in tmp_path.rglob("*")) < 400_000


def test_the_chart_search_and_recordings_by_their_code(site: DeezerStandIn) -> None:
    """What a track carries, and what is not there."""
    source = quick(site, "")
    assert len(list(source.tracks())) == 6
    (first, *_) = source.search("calm", limit=2)
    assert (first.uri, first.title, first.duration) == ("deezer:track/10", "calm no. 0", 180)
    assert first.media is not None
    assert first.media.expires == pytest.approx(time.time() + 900, abs=5)
    assert len(source.search("calm", limit=2)) == 2
    assert source.by_isrc("FR-X20-26-02001").uri == "deezer:track/21"  # type: ignore[union-attr]
    assert source.by_isrc("FRX202609999") is None
    before = site.count()
    assert source.by_isrc("../../secret") is None
    assert site.count() == before


def test_expired_previews_are_asked_for_again(site: DeezerStandIn, tmp_path: Path) -> None:
    """An address costs nothing while it is good, one request when it is not."""
    source = quick(site)
    track = next(source.tracks())
    with source.open(track) as audio:
        assert len(audio.read()) > 100_000
    assert site.count("/track") == 0
    site.lifetime = 5  # less than the margin: old before it is used
    old = next(source.tracks())
    site.lifetime = 900
    with source.open(old) as audio:
        assert len(audio.read()) > 100_000
    assert (site.count("/track"), site.count("/preview")) == (1, 2)
    site.expire()  # refused although its own words say that it is good
    with source.open(track) as audio:
        assert len(audio.read()) > 100_000
    assert (site.count("/track"), site.count("/preview")) == (2, 4)
    dj = EmotionDJ(library=[f"deezer:playlist/{MIX}"], settings=at(site, tmp_path))
    before = site.count("/track")
    music = dj.services.resolved(dj.recommend(mood="calm", n=4))
    assert all(pick.track.media and pick.track.media.kind == "preview" for pick in music.picks)
    assert site.count("/track") - before == 4
    assert dj.services.resolved(music) == music
    assert site.count("/track") - before == 4
    site.fail("/track", *[stand_in.status(503)] * 99)
    told = dj.services.resolved(dj.recommend(mood="calm", n=4))
    assert told.notes[-1] == Reason("not_playable", {"count": 4})
    assert site.count("/track") - before == 4 + http.TRIES


def test_a_song_without_a_preview_is_named_once(songs: list[Song], tmp_path: Path) -> None:
    """It is passed over with a sentence; it is not asked for again until it has one."""
    silent = Song(99, "Silent")
    with DeezerStandIn([*songs, silent], playlists={MIX: [10, 99, 10]}) as site:
        dj = EmotionDJ(library=[f"deezer:playlist/{MIX}"], settings=at(site, tmp_path))
        summary = dj.library.scan()
        assert [failure.why for failure in summary.failed] == [
            "Silent: Deezer offers no preview of it here"
        ]
        assert summary.analysed == 1
        asked = site.count("/track")
        assert dj.library.scan().known == 1
        assert site.count("/track") == asked
        site.songs[99] = Song(99, "Silent", audio=songs[0].audio)
        assert dj.library.scan().failed == ()


def test_a_passing_trouble_is_tried_again_next_time(site: DeezerStandIn, tmp_path: Path) -> None:
    """A preview that could not be fetched is heard by the next run: nothing is lost for good."""
    dj = EmotionDJ(library=[f"deezer:playlist/{MIX}"], settings=at(site, tmp_path))
    site.fail("/preview/10", *[stand_in.status(503)] * http.TRIES)
    summary = dj.library.scan()
    assert (summary.analysed, len(summary.failed)) == (5, 1)
    assert "not well" in summary.failed[0].why
    again = dj.library.scan()
    assert (again.analysed, again.known, again.failed) == (1, 5, ())


SHORT = [
    pytest.param([QUOTA], 2, id="quota"),
    pytest.param([BUSY], 2, id="busy"),
    pytest.param([stand_in.status(503), stand_in.status(500)], 3, id="5xx burst"),
    pytest.param([stand_in.status(429, **{"retry-after": "0"})], 2, id="429"),
    pytest.param([stand_in.status(429)], 2, id="429 without a time"),
    pytest.param([faults.cut], 2, id="cut"),
]


@pytest.mark.parametrize(("faults", "requests"), SHORT)
def test_short_troubles_are_waited_out(
    site: DeezerStandIn, faults: list[Fault], requests: int
) -> None:
    """The answer is right, and nothing is asked more often than it must be."""
    site.fail("/playlist", *faults)
    assert len(list(quick(site).tracks())) == 6
    assert site.count() == requests


ODD = b'{"data": 5}'
LASTING = [
    pytest.param([QUOTA] * 9, RateLimited, "too often", 2, id="quota"),
    pytest.param(
        [stand_in.status(429, **{"retry-after": "86400"})], RateLimited, "too often", 1, id="24 h"
    ),
    pytest.param([stand_in.status(502)] * 9, SourceError, "not well", http.TRIES, id="5xx"),
    pytest.param([faults.raw(b"{]")], SourceError, "no JSON", 1, id="malformed"),
    pytest.param([faults.raw(b"<html>")], SourceError, "no JSON", 1, id="html"),
    pytest.param([faults.raw(b"[1]")], SourceError, "none of its answers", 1, id="list"),
    pytest.param([faults.raw(ODD)], SourceError, "none of its answers", 1, id="odd"),
    pytest.param([faults.raw(b"{}")], SourceError, "none of its answers", 1, id="empty"),
    pytest.param([faults.cut] * 9, SourceError, "cannot be reached", http.TRIES, id="cut"),
    pytest.param([stand_in.status(404)], NotAvailable, "does not have", 1, id="404"),
    pytest.param([stand_in.status(403)], SourceError, "Deezer", 1, id="403"),
    pytest.param([stand_in.error(500, "no way")], SourceError, "no way", 1, id="other error"),
    pytest.param([stand_in.NO_DATA], NotAvailable, "does not have", 1, id="no data"),
]


@pytest.mark.parametrize(("faults", "kind", "said", "requests"), LASTING)
def test_lasting_troubles_get_one_sentence(
    site: DeezerStandIn, faults: list[Fault], kind: type[SourceError], said: str, requests: int
) -> None:
    """One clear sentence of the right kind, and no storm of requests."""
    site.fail("/playlist", *faults)
    with pytest.raises(kind, match=said) as told:
        list(quick(site).tracks())
    assert "\n" not in str(told.value)
    assert "http://" not in str(told.value)
    assert site.count() == requests


def test_after_a_refused_quota_nothing_is_asked_for_a_while(site: DeezerStandIn) -> None:
    """A thousand tracks in need of an address do not become a thousand refused requests."""
    source = Deezer(site.address, budget=RateLimiter(1000, 0.5))
    site.fail("/", *[QUOTA] * 9)
    for _ in range(50):
        with pytest.raises(RateLimited):
            source.search("calm")
    assert site.count() == 2


@pytest.mark.parametrize("fault", [faults.cut, stand_in.status(404), stand_in.status(403)])
def test_a_preview_that_does_not_arrive_is_said(site: DeezerStandIn, fault: Fault) -> None:
    """Cut off, gone, refused for good: a SourceError with one sentence, at most two requests."""
    source = quick(site)
    track = next(source.tracks())
    site.fail("/preview", *[fault] * 5)
    with pytest.raises(SourceError, match="Deezer"), source.open(track):
        pass
    assert site.count("/preview") <= 2


def test_slow_answers_are_waited_for(songs: list[Song]) -> None:
    """Bodies that come in pieces, with pauses, are whole in the end."""
    with DeezerStandIn(songs, playlists={MIX: [10]}, pause=0.05) as site:
        source = quick(site)
        (track,) = source.tracks()
        with source.open(track) as audio:
            assert audio.read() == songs[0].audio


def test_entries_that_are_no_tracks_are_left_out() -> None:
    """Removed entries, podcasts, duplicates; what is missing or of another form."""
    bare = (("title", None), ("artist", None), ("album", None), ("duration", None), ("isrc", None))
    odd = (("artist", 5), ("album", "x"), ("contributors", 7), ("duration", "long"))
    songs = [
        Song(1, "One"),
        Song(2, "Talk", over=(("type", "episode"),)),
        Song(3, "Bare", over=(*bare, ("preview", None))),
        Song(4, "Odd", over=odd),
        Song(5, "No number", over=(("id", "../5"),)),
        Song(6, "Elsewhere", over=(("preview", "https://evil.example/x.mp3"),)),
    ]
    with DeezerStandIn(songs, playlists={MIX: [1, None, 2, 3, 1, 4, 5, 6]}) as site:
        found = list(quick(site).tracks())
    assert [track.uri.rpartition("/")[2] for track in found] == ["1", "3", "4", "6"]
    assert [track.title for track in found] == ["One", "3", "Odd", "Elsewhere"]
    assert found[1].artists == ()
    assert found[3].media is None


@pytest.mark.parametrize(
    "host",
    [
        "https://evil.example",
        "http://127.0.0.1:9",
        "https://dzcdn.net.evil.example",
        "http://cdnt-preview.dzcdn.net",
        "https://user@cdnt-preview.dzcdn.net",
        "file://localhost",
    ],
)
def test_previews_elsewhere_are_not_followed(songs: list[Song], host: str) -> None:
    """Only HTTPS to Deezer's own hosts, or the service that the settings name."""
    with DeezerStandIn(songs, host=host) as site:
        source = quick(site, "")
        track = next(source.tracks())
        with pytest.raises(SourceError, match="not followed"):
            source.resolve(track)


def test_a_redirect_elsewhere_is_not_followed(site: DeezerStandIn) -> None:
    """A preview that sends us to another host is refused with the name of that host."""
    source = quick(site)
    track = next(source.tracks())
    site.fail("/preview", stand_in.redirect("http://evil.example/secret"))
    with pytest.raises(SourceError, match=r"evil\.example"), source.open(track):
        pass


@pytest.mark.slow
def test_ten_thousand_tracks_within_the_budget() -> None:
    """100 requests, each entry once, in the order of the list, in little memory."""
    songs = [Song(number, f"No. {number}") for number in range(1, 10_001)]
    with DeezerStandIn(songs, playlists={MIX: [song.id for song in songs]}) as site:
        tracemalloc.start()
        count = sum(1 for _ in quick(site).tracks())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (count, site.count()) == (10_000, 100)
        assert peak < 50_000_000


def test_the_budget_holds() -> None:
    """Never more than three requests in any 0.8 s, over all threads."""
    with DeezerStandIn([Song(1, "x")]) as site, ThreadPoolExecutor(4) as threads:
        source = Deezer(site.address, budget=RateLimiter(3, 0.8))
        list(threads.map(source.search, ["x"] * 9))
        times = [when for when, _ in site.asked]
    spans = [later - sooner for sooner, later in zip(times, times[3:], strict=False)]
    assert len(times) == 9
    assert min(spans) > 0.5  # a request takes a while to arrive
    assert times[-1] - times[0] > 1.4


def test_the_page_plays_previews(site: DeezerStandIn, tmp_path: Path) -> None:
    """Our service passes a preview on under a fresh address, and keeps that address to itself."""
    environment = {
        **os.environ,
        "EMOTION_DJ_DEEZER_API": site.address,
        "EMOTION_DJ_DATABASE": str(tmp_path / "c.sqlite"),
    }
    library = f"deezer:playlist/{MIX}"
    command = [sys.executable, "-m", "emotion_dj", "serve", "--library", library, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[3]
        with patient.Client(base_url=address) as client:
            answer = client.post("/api/v1/sets", json={"mood": "calm", "n": 1})
            (pick,) = answer.json()["picks"]
            site.expire()
            played = client.get(pick["stream"])
        process.terminate()
    assert played.status_code == 200
    assert len(played.content) > 100_000
    assert "hdnea" not in answer.text


def test_it_keeps_the_contract_of_a_source(site: DeezerStandIn) -> None:
    """The public suite, over the socket."""
    check_source(lambda: quick(site))


def test_lists_that_cannot_be_meant_are_refused() -> None:
    """A name behind the colon that is not a playlist's."""
    for which in ("playlist/x", "album/1", "playlist/1/../2"):
        with pytest.raises(SettingsError, match="playlist/ID"):
            EmotionDJ(library=[f"deezer:{which}"], settings=Settings()).library.scan()


@pytest.mark.live
def test_the_real_service_keeps_its_contract() -> None:
    """Search, code of a recording, chart, and a preview that can be heard."""
    source = Deezer()
    found = source.by_isrc("GBDUW0000059")
    assert found is not None
    assert "Harder" in found.title
    track = next(t for t in source.search("daft punk harder", limit=5) if t.media)
    assert track.media is not None
    assert track.media.expires is not None
    with source.open(Track(track.uri, track.title)) as audio:
        assert len(audio.read()) > 100_000
    assert next(source.tracks()).title
