"""What one shows to others: the card of a set, the diary, the big screen, a phone as the eye."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Page

    Says = Callable[..., None]

pytestmark = pytest.mark.needs_browser


def test_a_card_of_the_set_can_be_kept(page: Page, says: Says) -> None:
    """A picture of 1080 by 1350: dark ground, the plane's colours, no photo; its name is told."""
    page.check("#moods input[value=happy]")
    says(page, "#opening", "You want happy")
    page.click("#share")
    picture = page.locator("#share-card img")
    assert "You want happy" in (picture.get_attribute("alt") or "")
    with page.expect_download() as download:
        page.click("#share-card >> text=Keep the picture")
    assert download.value.suggested_filename == "emotion-dj.png"
    with Pillow.open(download.value.path()) as card:
        assert card.size == (1080, 1350)
        pixels = np.asarray(card.convert("RGB"), np.float32)
    assert pixels[-10:].max() < 40  # the ground
    assert pixels[300:700, 300:800].std() > 20  # the plane
    assert pixels[900:1250, 80:150].std() > 20  # covers


def test_a_diary_is_kept_where_it_is_wanted(page: Page, says: Says) -> None:
    """Off by default; on, readings and songs are noted, drawn, exported, forgotten at a word."""
    page.check("#moods input[value=sad]")
    says(page, "#opening", "You want sad")
    page.click("#set-section summary")
    assert page.locator("#diary").is_hidden()
    page.check("#remember")
    says(page, "#diary", "begins with your next reading")
    for mood in ("happy", "calm"):
        page.check(f"#moods input[value={mood}]")
        says(page, "#opening", f"You want {mood}")
    assert page.locator("#diary .chart circle").count() == 2
    assert "2 readings" in (page.get_attribute("#diary .chart", "aria-label") or "")
    with page.expect_download() as download:
        page.click("#diary button")
    notes = json.loads(Path(download.value.path()).read_text())
    read = [note for note in notes if "valence" in note]
    assert [sorted(note) for note in read] == [["arousal", "at", "valence"]] * 2
    page.uncheck("#remember")
    assert page.evaluate("localStorage.length") == 0


def test_a_big_screen_shows_what_plays_and_what_comes(page: Page, says: Says) -> None:
    """B, or a press: headline, plane, this song and the next ones; Escape brings the page back."""
    page.check("#moods input[value=happy]")
    says(page, "#play-word", "Pause")
    page.locator("body").press("b")
    for part in ("#opening", ".plane", "#set li[aria-current=true]", "#play"):
        assert page.locator(part).is_visible(), part
    for part in ("#about-open", "#moods", "#search", "#save"):
        assert page.locator(part).is_hidden(), part
    assert 2 <= page.locator("#set li:visible").count() <= 5
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    page.click("#big-close")
    assert page.locator("#about-open").is_visible()


def test_a_phone_is_the_eye_of_another_screen(
    address: str,
    film: Path,
    opened_with: Callable[..., AbstractContextManager[Page]],
    watching: Callable[[Path], tuple[str, ...]],
    says: Says,
) -> None:
    """The code on the screen is read, the phone opens it and shows a smile: the screen's music
    answers; numbers alone were sent. The phone looks away: said. The light stops it all.
    """
    with opened_with(address, *watching(film), viewport={"width": 1280, "height": 800}) as page:
        page.click("#phone-open")
        says(page, "#phone", "No phone can reach this address")
        code = page.locator("#phone .qr").screenshot()
        pixels = np.asarray(Pillow.open(io.BytesIO(code)).convert("L"))
        link, _, _ = cv2.QRCodeDetector().detectAndDecode(pixels)
        assert link == page.inner_text("#phone .path")
        phone = page.context.browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        sent: list[tuple[str, bytes]] = []
        phone.on(
            "request", lambda r: r.method == "POST" and sent.append((r.url, r.post_data_buffer))
        )
        phone.goto(link)
        says(phone, ".eye main h2", "This phone is the eye")
        phone.click("text=Use the camera")
        says(phone, ".seen", "Looks happy")
        says(page, "#opening", "You look happy")
        says(page, "#play-word", "Pause")
        assert page.locator("#phone-dialog[open]").count() == 0
        assert page.locator("#stage").is_hidden()  # there is no picture of the face here
        assert {url.partition("?")[0] for url, _ in sent} == {f"{address}/api/v1/readings"}
        assert max(len(body) for _, body in sent) < 2000
        phone.click("text=Stop the camera")
        says(page, "#said", "Nobody is in the picture")
        page.click("#light")
        assert page.locator("#light").is_hidden()
        phone.context.close()
