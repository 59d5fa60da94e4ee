"""Rough days: the server goes, songs will not play, much music, hardly any, storage denied."""

from __future__ import annotations

import csv
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Page

    Serve = Callable[..., AbstractContextManager[str]]
    Opened = Callable[..., AbstractContextManager[Page]]
    Says = Callable[..., None]
    ComesTrue = Callable[..., None]
    Tone = Callable[..., None]

pytestmark = pytest.mark.needs_browser

SEEK = """(share) => {
  const seek = document.querySelector('#seek');
  seek.value = 1000 * share;
  seek.dispatchEvent(new Event('input'));
}"""
PLAYS = "Number(document.querySelector('#now-title').textContent)"
HEARD = f"Math.abs(now().tone - {PLAYS}) < 12 && now().level > -30"
"""The song whose title stands there is what is heard: titles are frequencies."""


@pytest.fixture
def serve_tones(serve: Serve, write_tone: Tone, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that writes tones, and one that serves them, heard to the end."""
    music = tmp_path / "music"
    music.mkdir()

    def serve_tones(
        *tones: int, seconds: float = 25, stack: ExitStack, port: str = "0", **more: float
    ) -> str:
        for hertz in tones:
            write_tone(music / f"{hertz}.wav", hertz, level=-12, seconds=seconds, **more)
        address = stack.enter_context(serve("--library", str(music), "--port", port))
        httpx.get(f"{address}/api/v1/library/scan", timeout=120)  # ends when all is heard
        return address

    return serve_tones


def longest_silence(page: Page) -> float:
    """Return the longest time without sound since the ear was emptied, in milliseconds, between the
    looks that found it: on a busy machine there are few of them.
    """
    at, level = np.array(page.evaluate("heard.map(({ at, level }) => [at, level])")).T
    quiet = level < -50
    runs = np.split(at, np.flatnonzero(np.diff(quiet)) + 1)  # of one kind each, in turns
    silences = runs[0 if quiet[0] else 1 :: 2]
    return float(max((run[-1] - run[0] for run in silences), default=0))


def test_the_server_is_lost_twice_in_live_mode_and_nobody_hears_it(
    serve_tones: Callable[..., Any],
    film: Path,
    opened_with: Opened,
    hearing: str,
    watching: Callable[[Path], tuple[str, ...]],
    comes_true: ComesTrue,
) -> None:
    """Killed in the middle of a song and at the end of one, back after five seconds: said, unsaid,
    and never half a second of silence.
    """
    with ExitStack() as server, ExitStack() as again:
        address = serve_tones(300, 500, 700, 900, 1100, seconds=40, stack=server)
        with opened_with(address, *watching(film), script=hearing) as page:
            page.click("#camera")
            comes_true(page, HEARD)
            page.wait_for_selector("#play-word:text('Pause')", state="attached")
            page.wait_for_timeout(2000)  # the song after it is made ready
            page.evaluate("() => { heard.length = 0; }")
            for running, next_one in ((server, again), (again, server)):
                running.close()
                page.evaluate(SEEK, 0.9)  # near to its end
                page.wait_for_selector("#banner:not([hidden])")
                page.wait_for_timeout(5000)
                serve_tones(stack=next_one, port=address.rpartition(":")[2])
                page.wait_for_selector("#banner", state="hidden")
                comes_true(page, HEARD)
            assert longest_silence(page) < 500


def test_songs_in_a_row_that_will_not_play_are_passed_over(
    serve_tones: Callable[..., Any],
    opened: Opened,
    says: Says,
    comes_true: ComesTrue,
    hearing: str,
    tmp_path: Path,
) -> None:
    """Four of six files are gone: said, and one of the others plays; all are gone: that is said."""
    tones = (300, 500, 700, 900, 1100, 1300)
    with ExitStack() as server:
        address = serve_tones(*tones, stack=server)
        with opened(address, script=hearing) as page:
            page.check("#moods input[value=calm]")
            comes_true(page, HEARD)
            titles = page.locator("#set .title").all_inner_texts()
            for title in titles[1:5]:
                (tmp_path / "music" / f"{title}.wav").unlink()
            page.reload()
            page.wait_for_selector("#set li")
            page.click("#next")
            says(page, "#done", "will not play")
            comes_true(page, f"{HEARD} && {PLAYS} === {titles[5]}")
            for title in (titles[0], titles[5]):
                (tmp_path / "music" / f"{title}.wav").unlink()
            page.reload()
            page.wait_for_selector("#set li")
            page.click("#play")
            says(page, "#opening", "None of these songs plays")


def test_one_song_plays_again_and_again(
    serve_tones: Callable[..., Any], opened: Opened, comes_true: ComesTrue, hearing: str
) -> None:
    """A library of one song that begins and ends with two seconds of silence: it fades into
    itself, and the silence is not heard.
    """
    with ExitStack() as server:
        address = serve_tones(440, stack=server, still=2.0)
        with opened(address, script=hearing) as page:
            page.check("#moods input[value=happy]")
            comes_true(page, HEARD)
            page.evaluate("() => { heard.length = 0; }")
            for place in (1, 2):
                page.evaluate(SEEK, 0.75)
                page.wait_for_selector(f"#set li:nth-child({place + 1})[aria-current=true]")
                comes_true(page, HEARD)
            assert longest_silence(page) < 500


def test_a_song_begins_where_it_sounds(
    serve_tones: Callable[..., Any], opened: Opened, comes_true: ComesTrue, hearing: str
) -> None:
    """Four seconds of silence at the beginning are passed over, from the first song on."""
    with ExitStack() as server:
        address = serve_tones(440, 660, stack=server, still=4.0)
        with opened(address, script=hearing) as page:
            page.check("#moods input[value=happy]")
            comes_true(page, HEARD)
            sounded = page.evaluate("document.querySelector('#seek').value * 33 / 1000")
            assert 3.5 < sounded < 8
            page.evaluate("() => { heard.length = 0; }")
            page.click("#set li:nth-child(2) .song")
            page.wait_for_selector("#set li:nth-child(2)[aria-current=true]")
            comes_true(page, HEARD)
            assert longest_silence(page) < 500


def test_ten_thousand_songs(serve: Serve, opened: Opened, says: Says, tmp_path: Path) -> None:
    """A table of them: the plane shows a part, a set stands and plays, a song that is found by its
    name comes next; one of the demo's that is found plays.
    """
    numbers = np.random.default_rng(1).random((10_000, 5)).round(3).tolist()
    names = ("energy", "valence", "danceability", "acousticness", "instrumentalness")
    with (tmp_path / "many.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("title", "artist", "tempo", *names))
        for i, row in enumerate(numbers):
            out.writerow((f"Song {i}", "Somebody", 60 + i % 120, *row))
    with serve() as address:
        with (tmp_path / "many.csv").open("rb") as file:
            sent = {"file": ("many.csv", file)}
            added = httpx.post(f"{address}/api/v1/library/tables", files=sent, timeout=120)
        assert added.json()["tracks"] == 10_000
        with opened(address) as page:
            says(page, "#music", re.compile(r"100\d\d songs"))
            assert 1000 < page.locator("#map .star").count() <= 1700
            page.check("#moods input[value=calm]")
            says(page, "#play-word", "Pause")
            page.fill("#search", "Song 9876")
            page.click("#found >> text=Song 9876")
            says(page, "#set", "Song 9876")
            page.fill("#search", "calm")
            page.click("#found >> text=Calm")
            page.click("#next")
            says(page, "#now-title", "Calm")
            says(page, "#time", re.compile("0:0[1-9] /"))


DENIED = """
for (const name of ['localStorage', 'sessionStorage']) {
  const denied = () => { throw new DOMException('denied', 'SecurityError'); };
  Object.defineProperty(window, name, { get: denied });
}
delete window.BroadcastChannel;
"""


def test_a_browser_that_keeps_nothing(address: str, opened: Opened, says: Says) -> None:
    """Storage denied: music plays, the language changes, and the diary cannot be switched on."""
    with opened(address, script=DENIED) as page:
        page.check("#moods input[value=calm]")
        says(page, "#play-word", "Pause")
        page.select_option("#language", "de")
        says(page, "#play-word", "Pause")
        page.click("#set-section summary")
        page.click("#remember")
        assert not page.is_checked("#remember")
        page.reload()
        says(page, "#opening", "Music is ready")


def test_away_and_back_and_anew_in_a_fade(page: Page, says: Says, comes_true: ComesTrue) -> None:
    """Another address and back: the set stands. Reloaded while one song fades into the next one:
    the next one is there, at its beginning, and one press plays it.
    """
    page.check("#moods input[value=calm]")
    says(page, "#time", re.compile("0:0[1-9] /"))
    titles = page.locator("#set .title").all_inner_texts()
    page.goto(f"{page.url}icon.svg")
    page.go_back()
    page.wait_for_selector("#set li:first-child[aria-current=true]")
    assert page.locator("#set .title").all_inner_texts() == titles
    if page.inner_text("#play-word") != "Pause":
        page.click("#play")
    says(page, "#play-word", "Pause")
    page.click("#next")
    page.reload()
    page.wait_for_selector("#set li:nth-child(2)[aria-current=true]")
    page.click("#play")
    says(page, "#now-title", titles[1])
    comes_true(page, "/0:0[0-4] /.test(document.querySelector('#time').textContent)")


def test_the_page_where_the_last_act_was_done_steers(page: Page, says: Says) -> None:
    """Two pages of one browser: what is done in one leaves the music of the other one alone."""
    other = page.context.new_page()
    other.goto(page.url)
    page.check("#moods input[value=calm]")
    says(page, "#play-word", "Pause")
    playing = page.inner_text("#now-title")
    other.check("#moods input[value=energetic]")
    says(other, "#play-word", "Pause")
    assert page.inner_text("#now-title") == playing
    page.click("#next")
    says(page, "#set li:nth-child(2)[aria-current=true] .title", "")
    assert other.locator("#set li:first-child[aria-current=true]").count() == 1
