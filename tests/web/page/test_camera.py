"""The camera on the page: a film of real faces for a browser that takes it for its camera."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from PIL import Image as Pillow

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Page


pytestmark = pytest.mark.needs_browser


@pytest.fixture
def moody(smile: Pillow.Image, shared: Path, tmp_path: Path, filmed: Callable[..., Path]) -> Path:
    """Make a film of a smile that becomes a sad face."""
    from pyarrow import parquet

    faces = parquet.read_table(
        shared / "data" / "faces" / "fer2013-train.parquet",
        columns=["image"],
        filters=[("votes_sadness", "==", 9), ("emotion", "==", "sad")],
    )
    sad = Pillow.new("RGB", (640, 480), "grey")
    with Pillow.open(io.BytesIO(faces["image"][0].as_py())) as face:
        sad.paste(face.convert("RGB").resize((300, 300), Pillow.Resampling.BICUBIC), (170, 90))
    return filmed(tmp_path / "moody.mjpeg", [smile, sad, sad, sad], seconds=10)


@pytest.fixture
def leaving(smile: Pillow.Image, tmp_path: Path, filmed: Callable[..., Path]) -> Path:
    """Make a film of somebody who goes."""
    wall = Pillow.new("RGB", (640, 480), "grey")
    return filmed(tmp_path / "leaving.mjpeg", [smile, wall, wall], seconds=10)


OFFERS = """() => {
  window.offers = [];
  const look = () => {
    const said = document.querySelector('#offer p');
    if (said) offers.push(said.textContent);
  };
  new MutationObserver(look).observe(document.querySelector('#offer'), { childList: true });
}"""
"""Notes what is said to come."""


WAKING = """
window.wakes = [];
const request = WakeLock.prototype.request;
WakeLock.prototype.request = function (kind) {
  wakes.push(kind);
  return request.call(this, kind);
};
"""
"""Notes that the screen is asked to stay on."""


def test_no_camera_is_said(page: Page, says: Callable[..., None]) -> None:
    """Where there is no camera the page says so and names the other ways."""
    page.click("#camera")
    says(page, "#said", "Choose a photo")
    assert page.locator("#light").is_hidden()


def test_a_refused_camera_is_said(
    address: str,
    opened_with: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
) -> None:
    """Who says no to the camera is told the other ways, and no light is on."""
    refusing = ("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    with opened_with(address, *refusing) as page:
        page.click("#camera")
        says(page, "#said", "The camera was refused")
        assert page.locator("#light").is_hidden()


def test_the_camera_reads_until_it_is_stopped(
    address: str,
    film: Path,
    opened_with: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
    watching: Callable[[Path], tuple[str, ...]],
) -> None:
    """Live mode: asked for only when pressed, a light and a waking screen while it is on, one key
    to stop it.
    """
    with opened_with(address, *watching(film), script=WAKING) as page:
        assert page.locator("#light").is_hidden()
        page.click("#camera")
        says(page, "#opening", "happy")
        assert page.locator("#light").is_visible()
        assert page.evaluate("wakes") == ["screen"]
        page.keyboard.press("c")
        page.wait_for_selector("#light", state="hidden")
        assert page.evaluate("document.querySelector('#video').srcObject === null")


@pytest.mark.needs_shared
def test_a_lasting_change_of_face_is_announced_and_heard(
    address: str,
    opened_with: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
    moody: Path,
    watching: Callable[[Path], tuple[str, ...]],
) -> None:
    """A smile starts music by itself; a sad face that lasts: what comes is said, with the reason,
    and comes once the song had its least time; undo brings the first song back.
    """
    with opened_with(address, *watching(moody)) as page:
        page.click("#camera")
        says(page, "#play-word", "Pause")
        says(page, "#opening", "You look happy")
        first = page.inner_text("#now-title")
        page.evaluate(OFFERS)
        says(page, "#offer", re.compile("You look darker|You calmed down"))
        says(page, "#opening", "You look sad")
        playing = page.inner_text("#now-title")
        assert playing in page.evaluate("offers.at(-1)")
        assert playing != first
        assert float(page.get_attribute("#map .you", "aria-valuenow") or 1) < 0
        page.click("#done button")
        says(page, "#now-title", first)


def test_the_word_of_the_listener_holds_over_the_camera(
    address: str,
    film: Path,
    opened_with: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
    watching: Callable[[Path], tuple[str, ...]],
) -> None:
    """In front of a smile somebody says that they want calm: so it stays, until they let go."""
    with opened_with(address, *watching(film)) as page:
        page.click("#camera")
        says(page, "#opening", "You look happy")
        page.locator("#moods label", has_text="calm").click()
        says(page, "#opening", "You want calm")
        says(page, "#holds", "You said: calm")
        page.wait_for_timeout(3000)  # many readings of a smile
        assert page.inner_text("#opening").startswith("You want calm")
        page.click("#release")
        says(page, "#opening", "You look happy")
        assert page.locator("#holds").is_hidden()
        assert page.locator("#moods input:checked").count() == 0


def test_nobody_there_leaves_the_light_and_the_music(
    address: str,
    leaving: Path,
    opened_with: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
    watching: Callable[[Path], tuple[str, ...]],
) -> None:
    """The face leaves: its picture and its bars go, the light stays, the song plays on."""
    with opened_with(address, *watching(leaving)) as page:
        page.click("#camera")
        says(page, "#opening", "You look happy")
        says(page, "#said", "Nobody is in the picture")
        assert page.locator("#stage").is_hidden()
        assert page.locator("#faces .face").count() == 0
        assert page.locator("#light").is_visible()
        assert page.inner_text("#play-word") == "Pause"


def test_a_camera_that_is_taken_away_is_said(
    address: str,
    film: Path,
    opened_with: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
    watching: Callable[[Path], tuple[str, ...]],
) -> None:
    """The track ends as when another program takes the camera: said; light off, song on."""
    with opened_with(address, *watching(film)) as page:
        page.click("#camera")
        says(page, "#opening", "You look happy")
        page.evaluate(
            """() => {
                const [track] = document.querySelector('#video').srcObject.getTracks();
                track.dispatchEvent(new Event('ended'));
            }"""
        )
        says(page, "#said", "Another program uses the camera")
        assert page.locator("#light").is_hidden()
        assert page.inner_text("#play-word") == "Pause"


def test_a_camera_that_is_in_use_is_said(page: Page, says: Callable[..., None]) -> None:
    """Where another program has the camera already, the page says which it is, not that none is."""
    page.evaluate(
        """() => {
            navigator.mediaDevices.getUserMedia = () =>
                Promise.reject(new DOMException('in use', 'NotReadableError'));
        }"""
    )
    page.click("#camera")
    says(page, "#said", "Another program uses the camera")
