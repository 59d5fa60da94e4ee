"""What is heard: songs that are pure tones, and an ear of our own at the end of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from playwright.sync_api import Page

pytestmark = pytest.mark.needs_browser

TONES = (300, 500, 700, 900, 1100)
"""Hertz: each song is one, so that it can be told by ear which one plays."""

SOON_MS = 5000
"""What is a second where there is one at all: these tests share their processor with others."""

PLACE = "[...document.querySelectorAll('#set li')].findIndex(x => x.ariaCurrent === 'true')"
NEAR_THE_END = """() => {
  const seek = document.querySelector('#seek');
  const still = document.querySelector('#time').textContent.includes('/ 0:31');
  seek.value = still ? (1000 * 23) / 31 : (1000 * 20) / 25;
  seek.dispatchEvent(new Event('input'));
}"""
"""Goes to the last five seconds of what sounds, whether or not silence follows."""


@pytest.fixture(scope="module")
def tones(
    serve_from: Callable[..., AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
    write_tone: Callable[..., None],
) -> Iterator[str]:
    """Serve five tones of 25 seconds that are up to 8 dB apart, some between silences."""
    music = tmp_path_factory.mktemp("tones")
    for place, hertz in enumerate(TONES):
        still = 3.0 if place % 2 else 0.0
        write_tone(music / f"{hertz}.wav", hertz, level=-8 - 2 * place, seconds=25, still=still)
    with serve_from(tmp_path_factory.mktemp("server"), "--library", str(music)) as address:
        httpx.get(f"{address}/api/v1/library/scan", timeout=120)  # ends when all is heard
        yield address


@pytest.fixture
def ear(
    opened: Callable[..., AbstractContextManager[Page]], tones: str, hearing: str
) -> Iterator[Page]:
    """Open the page of the tones with an ear at its end."""
    with opened(tones, script=hearing, viewport={"width": 1280, "height": 650}) as page:
        yield page


def plays(page: Page) -> float:
    """Return the frequency that should be heard: the title of the song that plays."""
    page.wait_for_selector("#now-title:not(:empty)")
    return float(page.inner_text("#now-title"))


def heard(page: Page, hertz: float, comes_true: Callable[..., None]) -> None:
    """Wait until this tone is what is heard."""
    comes_true(page, f"Math.abs(now().tone - {hertz}) < 12 && now().level > -30")


def log(page: Page) -> Any:
    """Return what was heard until now: time in ms, level in dB and frequency as columns."""
    rows = page.evaluate("heard.map(({at, level, tone}) => [at, level, tone])")
    return np.array(rows).T


def choose(page: Page, mood: str) -> None:
    """Pick a mood."""
    page.check(f"#moods input[value={mood}]")


def test_what_is_shown_is_what_is_heard(ear: Page, comes_true: Callable[..., None]) -> None:
    """A mood plays its first song at once; next, back and a row play what they say."""
    choose(ear, "happy")
    ear.wait_for_selector("#set li[aria-current=true]")
    heard(ear, plays(ear), comes_true)
    for press in (
        lambda: ear.click("#next"),
        lambda: ear.keyboard.press("n"),
        lambda: ear.click("#set li:nth-child(5) .song"),
        lambda: ear.click("#set li:nth-child(1) .song"),
    ):
        before = plays(ear)
        press()
        comes_true(ear, f"document.querySelector('#now-title').textContent !== '{before:.0f}'")
        heard(ear, plays(ear), comes_true)


def test_fades_hold_the_level(ear: Page, comes_true: Callable[..., None]) -> None:
    """From a loud song to one 8 dB softer: levelled, and within 1.5 dB all through the fade."""
    choose(ear, "happy")
    heard(ear, plays(ear), comes_true)
    for place in (5, 1, 3):
        ear.click(f"#set li:nth-child({place}) .song")
        ear.wait_for_selector(f"#set li:nth-child({place})[aria-current=true]")
        heard(ear, plays(ear), comes_true)
    ear.wait_for_timeout(1600)  # the fade is over
    at, level, _ = log(ear)
    began = at[level > -40][0]
    inside = level[at > began + 300]
    assert inside.max() - inside.min() < 3.0, (inside.min(), inside.max())
    assert np.abs(inside - np.median(inside)).max() < 1.5


def test_an_act_is_heard_soon_and_can_be_taken_back(
    ear: Page, comes_true: Callable[..., None]
) -> None:
    """Another mood: its song is the louder one soon after the press; undo brings the first
    song back where it was.
    """
    choose(ear, "happy")
    heard(ear, plays(ear), comes_true)
    first = plays(ear)
    for mood in ("sad", "energetic", "calm", "happy", "sad"):
        before = plays(ear)
        ear.evaluate("() => { window.pressed = performance.now(); }")
        choose(ear, mood)
        comes_true(ear, "document.querySelector('#done button')")
        if plays(ear) == before:
            continue  # the same song fits both: it plays on
        heard(ear, plays(ear), comes_true)
        at, _, tone = log(ear)
        new = at[(at > ear.evaluate("pressed")) & (abs(tone - plays(ear)) < 12)][0]
        assert new - ear.evaluate("pressed") < SOON_MS
        ear.click("#done button")
        heard(ear, first, comes_true)
        assert plays(ear) == first
        break
    else:
        pytest.fail("no mood had another song")


def test_pause_in_a_fade_pauses_both(ear: Page, comes_true: Callable[..., None]) -> None:
    """Nothing is heard while it is paused; then the fade goes on to the new song."""
    choose(ear, "happy")
    heard(ear, plays(ear), comes_true)
    ear.click("#next")
    new = plays(ear)
    ear.wait_for_timeout(500)  # in the middle of the fade
    ear.click("#play")
    comes_true(ear, "now().level < -90")
    ear.wait_for_timeout(1200)  # longer than what is left of the fade
    assert ear.evaluate("now().level") < -90
    ear.click("#play")
    heard(ear, new, comes_true)
    comes_true(ear, f"heard.slice(-25).every(h => Math.abs(h.tone - {new}) < 12)")


def test_silence_at_the_ends_is_skipped_and_a_set_never_ends(
    ear: Page, comes_true: Callable[..., None]
) -> None:
    """From before the end of each of five songs into the next, and on into the same ones again:
    never a quarter of a second of silence.
    """
    choose(ear, "happy")
    heard(ear, plays(ear), comes_true)
    ear.evaluate("() => { heard.length = 0; }")
    for _ in range(7):
        place = ear.evaluate(PLACE)
        ear.evaluate(NEAR_THE_END)
        comes_true(ear, f"({PLACE}) > {place}")
        heard(ear, plays(ear), comes_true)
    _, level, _ = log(ear)
    quiet = level < -50
    runs = np.split(quiet, np.flatnonzero(~quiet))
    longest = max((run.sum() for run in runs), default=0)
    assert longest * 20 < 300, f"{longest * 20} ms of silence"
    assert ear.locator("#set li").count() > 5
