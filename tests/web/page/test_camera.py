"""The camera on the page: a film of real faces for a browser that takes it for its camera."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image as Pillow

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Page


pytestmark = pytest.mark.needs_browser


def filmed(path: Path, faces: list[Pillow.Image], seconds: int) -> Path:
    """Make a film for the camera that shows each face for some seconds (Motion JPEG); it loops.

    Chromium plays it at 30 frames a second, whatever rate it was made at.
    """
    with av.open(str(path), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for face in faces:
            pixels = np.asarray(face.convert("RGB").resize((640, 480)))
            for _ in range(30 * seconds):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    return path


def smiling(photo: Path) -> Pillow.Image:
    """Return the smile as a camera would see it."""
    with Pillow.open(photo) as picture:
        return picture.convert("RGB").crop((50, 0, 450, 300))


@pytest.fixture(scope="module")
def film(smiling_photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a film of a smiling face."""
    return filmed(
        tmp_path_factory.mktemp("film") / "camera.mjpeg", [smiling(smiling_photo)], seconds=8
    )


@pytest.fixture
def moody(smiling_photo: Path, shared: Path, tmp_path: Path) -> Path:
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
    return filmed(tmp_path / "moody.mjpeg", [smiling(smiling_photo), sad, sad, sad], seconds=10)


OFFERS = """() => {
  window.offers = [];
  const look = () => {
    const said = document.querySelector('#offer p');
    if (said) offers.push(said.textContent);
  };
  new MutationObserver(look).observe(document.querySelector('#offer'), { childList: true });
}"""
"""Notes what is said to come."""


def watching(film: Path) -> tuple[str, ...]:
    """Return what gives a browser this film for its camera."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )


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
) -> None:
    """Live mode: asked for only when pressed, a light while it is on, one key to stop it."""
    with opened_with(address, *watching(film)) as page:
        assert page.locator("#light").is_hidden()
        page.click("#camera")
        says(page, "#opening", "happy")
        assert page.locator("#light").is_visible()
        page.keyboard.press("c")
        page.wait_for_selector("#light", state="hidden")
        assert page.evaluate("document.querySelector('#video').srcObject === null")


@pytest.mark.needs_shared
def test_a_lasting_change_of_face_is_announced_and_heard(
    address: str,
    opened_with: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
    moody: Path,
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
    tmp_path: Path,
    smiling_photo: Path,
    opened_with: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
) -> None:
    """The face leaves: its picture and its bars go, the light stays, the song plays on."""
    wall = Pillow.new("RGB", (640, 480), "grey")
    leaving = filmed(tmp_path / "leaving.mjpeg", [smiling(smiling_photo), wall, wall], seconds=10)
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
