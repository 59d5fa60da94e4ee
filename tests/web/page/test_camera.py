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
    """Make a film for the camera that shows each face for some seconds (Motion JPEG); it loops."""
    with av.open(str(path), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for face in faces:
            pixels = np.asarray(face.convert("RGB").resize((640, 480)))
            for _ in range(10 * seconds):
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
    return filmed(tmp_path / "moody.mjpeg", [smiling(smiling_photo), sad, sad, sad], seconds=6)


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
def test_the_music_follows_a_change_of_face(
    address: str,
    opened_with: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
    moody: Path,
) -> None:
    """A smile, then a sad face: what plays goes on, and what follows it is of the other mood."""
    with opened_with(address, *watching(moody)) as page:
        page.click("#camera")
        says(page, "#opening", "You look happy")
        page.click("#play")
        says(page, "#time", re.compile(r"0:0[1-9] /"))
        playing = page.inner_text("#now-title")
        says(page, "#opening", "You look sad")
        assert page.inner_text("#now-title") == playing
        assert page.inner_text("#set li[aria-current=true] .title") == playing
        assert float(page.get_attribute("#map .you", "aria-valuenow") or 1) < 0
        page.keyboard.press("n")
        says(page, "#now-why", re.compile("sad|calm"))
