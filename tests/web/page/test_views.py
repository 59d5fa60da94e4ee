"""How the page looks and speaks: languages, screens, light and dark, for everybody."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image as Pillow

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Page


PICTURES = Path(__file__).resolve().parents[3] / "docs" / "pictures"
TAKING_PICTURES = "EMOTION_DJ_PICTURES" in os.environ
pytestmark = pytest.mark.needs_browser


def test_every_language_speaks(page: Page, says: Callable[..., None]) -> None:
    """Switching the language changes the words, and no key is left untranslated."""
    for tag, word in (("de", "Kamera benutzen"), ("fr", "Utiliser"), ("es", "Usar")):
        page.select_option("#language", tag)
        says(page, "#camera-word", word)
        assert page.evaluate("document.documentElement.lang") == tag
        assert not re.search(r"\b[a-z]+[A-Z]\w+\b", page.inner_text("main")), tag


def test_reasons_are_told_in_every_language(page: Page, says: Callable[..., None]) -> None:
    """What the service says in English is said in the listener's words, in the list and above."""
    page.check("input[value=happy]", force=True)
    says(page, "#opening", "You want happy.")
    page.select_option("#language", "de")
    says(page, "#opening", "Du möchtest es fröhlich.")
    says(page, "#set", "-Dur")
    assert not re.search("bright|lively|major|minor", page.inner_text("#set"))
    page.select_option("#language", "es")
    says(page, "#opening", "Quieres algo alegre.")


def test_what_flows_and_what_is_liked_is_said_in_every_language(
    serve: Callable[..., AbstractContextManager[str]],
    opened: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
) -> None:
    """Once songs are liked, a set says what flows and what is to taste, in German too."""
    with (
        serve("--library", "demo") as address,
        httpx.Client(base_url=address, timeout=120) as client,
    ):
        client.get("/api/v1/library/scan")  # ends when all is heard
        picks = client.post("/api/v1/sets", json={"mood": "happy"}).json()["picks"]
        for pick in (*picks, *picks, *picks):
            told = {"track": pick["id"], "kind": "like"}
            assert client.post("/api/v1/feedback", json=told).is_success
        with opened(address) as page:
            page.check("#moods input[value=happy]", force=True)
            for part in ("much to your taste", "flows from the song before"):
                says(page, "#set", part)
            page.select_option("#language", "de")
            for part in ("ganz nach deinem Geschmack", "fließt aus dem Lied davor"):
                says(page, "#set", part)
            assert not re.search("taste|flows", page.inner_text("#set"))


def test_a_phone_folds_the_plane_and_the_player(
    address: str,
    smiling_photo: Path,
    opened: Callable[..., AbstractContextManager[Page]],
    show: Callable[..., None],
) -> None:
    """The plane is a strip around the listener that opens; like and skip are behind one button."""
    with opened(
        address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ) as page:
        show(page, smiling_photo)
        strip = page.locator(".plane").bounding_box()
        you = page.locator("#map .you").bounding_box()
        assert strip is not None
        assert you is not None
        assert strip["height"] < strip["width"] / 2
        assert strip["y"] < you["y"] + you["height"] / 2 < strip["y"] + strip["height"]
        assert page.locator("#keys-open").is_hidden()
        assert (
            page.evaluate("getComputedStyle(document.querySelector('#light .by-key')).display")
            == "none"
        )
        page.tap("#plane-open")
        opened_up = page.locator(".plane").bounding_box()
        assert opened_up is not None
        assert opened_up["height"] == pytest.approx(opened_up["width"], abs=2)
        assert page.locator("#like").is_hidden()
        page.tap("#more")
        page.tap("#like")
        assert page.get_attribute("#like", "aria-pressed") == "true"


@pytest.mark.parametrize(
    ("name", "size"), [("desktop-dark", (1440, 900)), ("phone-light", (390, 844))]
)
def test_pictures_of_the_page(
    address: str,
    smiling_photo: Path,
    name: str,
    size: tuple[int, int],
    opened: Callable[..., AbstractContextManager[Page]],
    show: Callable[..., None],
) -> None:
    """Nothing sticks out sideways; EMOTION_DJ_PICTURES=1 takes the pictures of the documents."""
    with opened(
        address,
        viewport=dict(zip(("width", "height"), size, strict=True)),
        color_scheme=name.partition("-")[2],
        reduced_motion="reduce",
    ) as page:
        show(page, smiling_photo)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        if TAKING_PICTURES:
            with Pillow.open(io.BytesIO(page.screenshot())) as picture:
                small = picture.convert("RGB").quantize(256)
                small.save(PICTURES / f"page-{name}.png", optimize=True)


def test_the_page_is_light(page: Page) -> None:
    """Without music and photos the page weighs less than 100 kB."""
    sizes = page.evaluate(
        "performance.getEntries().filter(e => 'transferSize' in e && !e.name.includes('/api/'))"
        ".map(e => e.transferSize)"
    )
    assert 10_000 < sum(sizes) < 100_000


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [320, 1440])
def test_no_view_breaks_a_rule_of_axe(
    address: str,
    smiling_photo: Path,
    scheme: Any,
    width: int,
    opened: Callable[..., AbstractContextManager[Page]],
    show: Callable[..., None],
) -> None:
    """axe-core finds nothing in any view, in dark and light, on a narrow phone and a desktop."""
    with opened(
        address,
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        reduced_motion="reduce",
    ) as page:
        breaks_no_rule(page, "first visit")
        page.click("summary")
        page.check("#remember")
        show(page, smiling_photo)
        breaks_no_rule(page, "a reading, a set, a song, the sets of before")
        for name in ("keys", "about"):
            page.click(f"#{name}-open")
            breaks_no_rule(page, name)
            page.keyboard.press("Escape")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def breaks_no_rule(page: Page, view: str) -> None:
    """Assert that axe-core finds no violation."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page)
    assert len(found.response["passes"]) > 10, "axe-core did not look"
    assert found.violations_count == 0, f"{view}: {found.generate_report()}"
