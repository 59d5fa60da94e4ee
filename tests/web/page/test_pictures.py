"""Pictures of the page, made by the page: for the documents, the manifest, and as icons.

EMOTION_DJ_PICTURES=1 writes them; without it the tests hold that what is kept is still what is
made, where that is cheap.
"""

from __future__ import annotations

import io
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, Page

    Opened = Callable[..., AbstractContextManager[Page]]

TAKING = "EMOTION_DJ_PICTURES" in os.environ
DOCUMENTS = Path(__file__).resolve().parents[3] / "docs" / "pictures"
STATIC = Path(str(files("emotion_dj.web"))) / "static"
pytestmark = pytest.mark.needs_browser

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def keep(shot: bytes, path: Path) -> None:
    """Write a picture, where pictures are taken."""
    if TAKING:
        path.parent.mkdir(exist_ok=True)
        with Pillow.open(io.BytesIO(shot)) as picture:
            picture.convert("RGB").save(path, quality=90, method=6)


def settled(page: Page) -> bytes:
    """Return the picture once what was just done is not said any more."""
    page.wait_for_selector("#done p", state="detached")
    return page.screenshot()


@pytest.mark.parametrize("name", ["desktop-dark", "desktop-light", "phone-dark", "phone-light"])
def test_the_page(
    address: str, smiling_photo: Path, name: str, opened: Opened, show: Callable[..., None]
) -> None:
    """A photo and the set that answers it, on a desktop and on a phone."""
    device, _, scheme = name.partition("-")
    size = DESKTOP if device == "desktop" else PHONE
    options: Any = {"color_scheme": scheme, "reduced_motion": "reduce", "viewport": size}
    with opened(address, **options) as page:
        show(page, smiling_photo)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        keep(settled(page), DOCUMENTS / f"page-{name}.webp")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_live_page_and_the_big_screen(
    address: str,
    film: Path,
    scheme: Any,
    opened_with: Callable[..., AbstractContextManager[Page]],
    watching: Callable[[Path], tuple[str, ...]],
    says: Callable[..., None],
) -> None:
    """A camera that sees a smile; then the view for a television."""
    options = {"color_scheme": scheme, "reduced_motion": "reduce", "viewport": DESKTOP}
    with opened_with(address, *watching(film), **options) as page:
        page.click("#camera")
        says(page, "#opening", "You look happy")
        says(page, "#play-word", "Pause")
        keep(settled(page), DOCUMENTS / f"page-live-{scheme}.webp")
        page.locator("body").press("b")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        keep(settled(page), DOCUMENTS / f"page-big-{scheme}.webp")


def test_the_card_of_a_set(page: Page, smiling_photo: Path, show: Callable[..., None]) -> None:
    """As it is shared: a photo was read, and is not on it."""
    show(page, smiling_photo)
    page.click("#share")
    with page.expect_download() as download:
        page.click("#share-card >> text=Keep the picture")
    keep(Path(download.value.path()).read_bytes(), DOCUMENTS / "card.webp")


@pytest.mark.parametrize(
    ("name", "size"), [("wide", {"width": 1280, "height": 720}), ("narrow", PHONE)]
)
def test_the_manifest_shows_the_page(
    address: str, smiling_photo: Path, name: str, size: Any, opened: Opened, show: Any
) -> None:
    """Screenshots are there, as large as the manifest says; the newest ones where wanted."""
    path = STATIC / "screenshots" / f"{name}.webp"
    if TAKING:
        with opened(address, color_scheme="dark", reduced_motion="reduce", viewport=size) as page:
            show(page, smiling_photo)
            keep(settled(page), path)
    manifest = json.loads((STATIC / "manifest.webmanifest").read_text("utf-8"))
    (told,) = [shot for shot in manifest["screenshots"] if name in shot["src"]]
    with Pillow.open(path) as picture:
        assert "{}x{}".format(*picture.size) == told["sizes"]


@pytest.mark.parametrize("name", ["icon-192", "icon-512", "maskable-512"])
def test_icons_are_the_drawing(browser: Browser, name: str) -> None:
    """Each PNG is the SVG, drawn; one that systems cut to their shape has ground all around it."""
    drawing = (STATIC / "icon.svg").read_text("utf-8")
    if name.startswith("maskable"):
        ground = 'x="-8" y="-8" width="80" height="80"'
        drawing = drawing.replace("0 0 64 64", "-8 -8 80 80")
        drawing = drawing.replace('width="64" height="64" rx="14"', ground)
    side = int(name.rpartition("-")[2])
    page = browser.new_page(viewport={"width": side, "height": side})
    page.set_content(f"<style>body {{ margin: 0; }} svg {{ display: block; }}</style>{drawing}")
    shot = page.locator("svg").screenshot(omit_background=True)
    page.close()
    path = STATIC / "icons" / f"{name}.png"
    if TAKING:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(shot)
    with Pillow.open(io.BytesIO(shot)) as drawn, Pillow.open(path) as kept:
        assert kept.size == drawn.size == (side, side)
        pixels = (np.asarray(each.convert("RGBA"), np.float32) for each in (drawn, kept))
        assert np.abs(np.subtract(*pixels)).mean() < 2
