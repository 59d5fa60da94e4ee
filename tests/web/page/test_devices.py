"""Songs of Spotify on the page: its own player, let in only when the listener presses play on one.

The player is a stand-in on a socket of its own; the page, the service and the browser are real.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import httpx
import patient
import pytest

from emotion_dj.sources.spotify_login import SCOPES
from emotion_dj.testing.spotify import CLIENT_ID, SpotifyStandIn, entry, song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Browser, Page

CALM = {"energy": 0.1, "valence": 0.7, "loudness": -22.0, "acousticness": 0.95, "tempo": 80.0}
CALM |= {"danceability": 0.3, "instrumentalness": 0.5, "liveness": 0.1, "speechiness": 0.04}
KITCHEN = {"id": "k1", "name": "Kitchen", "is_active": False, "type": "speaker"}


@pytest.fixture(scope="module")
def running() -> Iterator[SpotifyStandIn]:
    """Run a Spotify with two calm songs."""
    with SpotifyStandIn() as running:
        running.saved = [entry(song(name), under="track") for name in ("one", "two")]
        running.features = {name: {**CALM, "id": name} for name in ("one", "two")}
        yield running


@pytest.fixture(scope="module")
def address(
    running: SpotifyStandIn,
    serve_from: Callable[..., AbstractContextManager[str]],
    demo_music: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Serve those songs and a real one, all of them placed, to a listener who is logged in."""
    local = min((demo_music / "calm").glob("*.opus"))
    new = running.grant(*SCOPES)
    kept = {"access": new["access_token"], "refresh": new["refresh_token"]}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "API": running.api,
            "ACCOUNTS": running.accounts,
            "EMBED": running.embed,
            "CLIENT_ID": CLIENT_ID,
            "TOKENS": json.dumps({**kept, "expires": time.time() + 3000}),
        }.items():
            patch.setenv(f"EMOTION_DJ_SPOTIFY_{name}", value)
        libraries = ("--library", "spotify", "--library", str(local))
        with serve_from(tmp_path_factory.mktemp("server"), *libraries) as address:
            patient.get(f"{address}/api/v1/library/scan")  # ends when all is heard
            yield address


@pytest.fixture
def site(running: SpotifyStandIn) -> SpotifyStandIn:
    """Return the Spotify as it was at the beginning."""
    running.devices, running.device, running.premium = [], True, True
    running.playing, running.playing_on = [], ""
    running.embedded, running.embed_lasts = [], 2
    return running


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[tuple[Page, list[str]]]:
    """Open the page; give what it asks of other hosts, and let it complain of nothing."""
    page = browser.new_context().new_page()
    complaints: list[str] = []
    elsewhere: list[str] = []

    def said(message: Any) -> None:
        if message.type in {"error", "warning"} and "status of 404" not in message.text:
            complaints.append(message.text)

    def asked(request: Any) -> None:
        if not request.url.startswith((address, "blob:", "data:")):
            elsewhere.append(request.url)

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", said)
    page.on("request", asked)
    page.goto(address)
    page.wait_for_selector("body[data-role]")
    yield page, elsewhere
    page.context.close()
    assert complaints == []


def rows(page: Page) -> dict[str, int]:
    """Ask for calm music; return the place of each song in the set."""
    page.check("input[value=calm]")
    page.wait_for_selector("#set li")
    titles = page.locator("#set .title").all_inner_texts()
    return {title.split(" — ")[0]: place for place, title in enumerate(titles)}


def pressed(page: Page, place: int) -> None:
    """Press a row of the set."""
    page.locator("#set .song").nth(place).click()


@pytest.mark.needs_browser
def test_spotify_is_let_in_when_the_listener_presses_play(
    page: tuple[Page, list[str]], site: SpotifyStandIn, says: Callable[..., None]
) -> None:
    """Not by a set, not by choosing its song; pressed, it plays, its clock is ours, pause works."""
    view, elsewhere = page
    site.embed_lasts = 60
    places = rows(view)
    assert set(places) >= {"Song one", "Song two"}
    pressed(view, places["Song one"])
    says(view, "#elsewhere", "Song one is on Spotify")
    says(view, "#now-title", "Song one")
    assert (elsewhere, site.embedded) == ([], [])
    view.get_by_role("button", name="Play it here, with Spotify").click()
    says(view, "#time", re.compile(r"0:0[1-9] / 1:00"))
    assert site.embedded == ["one"]
    assert elsewhere == [f"{site.embed}/track/one"]
    says(view, "#play-word", "Pause")
    view.click("#play")
    says(view, "#play-word", "Play")
    view.locator("#seek").fill("500")
    says(view, "#time", "0:30 / 1:00")


@pytest.mark.needs_browser
def test_the_set_goes_on_through_spotify_and_back(
    page: tuple[Page, list[str]], site: SpotifyStandIn, says: Callable[..., None]
) -> None:
    """A song that ends there leads to the next one; ours closes the frame, and it is asked anew."""
    view, elsewhere = page
    places = rows(view)
    first = min(places["Song one"], places["Song two"])
    pressed(view, first)
    view.locator("#play").click()
    says(view, "#time", re.compile(r"0:0[1-9] / 0:02"))
    (local,) = (place for title, place in places.items() if not title.startswith("Song"))
    view.wait_for_selector(f"#set li:nth-child({first + 2})[aria-current=true]")
    pressed(view, local)
    says(view, "#time", re.compile(r"0:0[1-9] /"))
    assert view.locator("iframe").count() == 0
    before = len(elsewhere)
    pressed(view, first)
    says(view, "#elsewhere", "is on Spotify")
    assert len(elsewhere) == before
    assert set(site.embedded) <= {"one", "two"}


@pytest.mark.needs_browser
def test_the_set_plays_on_a_device(
    page: tuple[Page, list[str]], site: SpotifyStandIn, says: Callable[..., None]
) -> None:
    """Who is logged in finds their devices beside the player; the rest of the set follows."""
    view, elsewhere = page
    site.device, site.devices = False, [KITCHEN, {"id": None, "name": "Nobody's"}]
    places = rows(view)
    place = min(places["Song one"], places["Song two"])
    pressed(view, place)
    view.get_by_role("button", name="Play on Kitchen").click()
    says(view, "#elsewhere", "Playing on Kitchen.")
    names = [title.removeprefix("Song ") for title, at in places.items() if at >= place]
    assert site.playing == [f"spotify:track:{name}" for name in names if name in {"one", "two"}]
    assert (site.playing_on, elsewhere) == ("k1", [])
    site.premium = False
    view.get_by_role("button", name="Play on Kitchen").click()
    says(view, "#elsewhere", "Premium")


@pytest.mark.needs_browser
def test_its_views_break_no_rule_of_axe(
    page: tuple[Page, list[str]], says: Callable[..., None]
) -> None:
    """axe-core finds nothing in the question and in the open player."""
    from axe_playwright_python.sync_playwright import Axe

    view, _ = page
    pressed(view, rows(view)["Song one"])
    says(view, "#elsewhere", "is on Spotify")
    for _ in range(2):
        found = Axe().run(view)
        assert found.violations_count == 0, found.generate_report()
        view.click("#play")
        says(view, "#time", "0:0")


def test_only_the_frame_may_show_spotify(address: str, site: SpotifyStandIn) -> None:
    """The page's policy names no other host; the frame's names one, and none may frame the page."""
    shut = patient.get(address).headers["content-security-policy"]
    assert "frame-src 'self';" in shut
    assert "frame-ancestors 'none'" in shut
    assert "http" not in shut
    frame = patient.get(f"{address}/embed/spotify/one")
    origin = site.embed.removesuffix("/embed")
    policy = frame.headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert f"frame-src {origin};" in policy[0]
    assert "frame-ancestors 'self'" in policy[0]
    assert f'src="{site.embed}/track/one"' in frame.text
    for odd in ("a%22b", "..%2Fx", "a" * 65, "%3Cscript%3E"):
        refused = patient.get(f"{address}/embed/spotify/{odd}")
        assert refused.status_code == 404
        assert "frame-src 'self'" in refused.headers["content-security-policy"]


def test_devices_over_http(address: str, site: SpotifyStandIn) -> None:
    """Listed; started by number; unknown songs and other people's pages get nothing."""
    site.devices = [KITCHEN, {**KITCHEN, "id": "k2", "name": "Desk", "is_active": True}]
    with httpx.Client(base_url=f"{address}/api/v1", timeout=30) as client:
        known = client.get("/devices").json()["devices"]
        assert [device["name"] for device in known] == ["Desk", "Kitchen"]
        picks = client.post("/sets", json={"mood": "calm"}).json()["picks"]
        (one,) = (pick for pick in picks if pick["title"] == "Song one")
        assert (one["stream"], one["embed"]) == (None, "/embed/spotify/one")
        assert client.post("/devices/play", json={"tracks": [one["id"]]}).status_code == 204
        assert (site.playing, site.playing_on) == (["spotify:track:one"], "")
        gone = client.post("/devices/play", json={"tracks": [one["id"] + 999]})
        assert (gone.status_code, gone.json()["type"]) == (404, "urn:emotion-dj:not-found")
        cross = {"origin": "https://evil.example"}
        refused = client.post("/devices/play", json={"tracks": [one["id"]]}, headers=cross)
        assert refused.status_code == 403
        site.revoke()
        ended = client.get("/devices")
        assert (ended.status_code, ended.json()["type"]) == (403, "urn:emotion-dj:login-required")
