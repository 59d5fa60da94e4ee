"""The eye in a real browser: photos are read where they are, as Python reads them."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow

from emotion_dj.vision import detectors, emotion, images
from emotion_dj.web import eye

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Request

pytestmark = pytest.mark.needs_browser

WITHIN = 0.02
"""Probabilities may differ by so much: browsers decode JPEG and WebP a little differently."""

LOAD = """async (patience) => {
    const { loadEye } = await import("/js/eye.js");
    try {
        window.eye = await loadEye(new URL("/eye/", location), { patience });
        return "ready";
    } catch (fault) { return fault.code; }
}"""

READ = """async (name) => {
    const file = document.querySelector("input").files[0];
    const source = name === "photo" ? file : await createImageBitmap(file);
    try { return await window.eye.read(source); } catch (fault) { return { code: fault.code }; }
}"""


@pytest.fixture(scope="module")
def service(
    serve_from: Callable[..., AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Serve no music at all: the eye needs none."""
    with serve_from(tmp_path_factory.mktemp("eye")) as address:
        yield address


class Watched:
    """A document of the service with the eye in it, and what went over the wire."""

    def __init__(self, page: Page, service: str) -> None:
        """Open a document that has the service's policy and no script of its own."""
        self.page, self.requests, self.complaints = page, [], []
        page.on("request", lambda request: self.requests.append(request))  # noqa: PLW0108 - needs a function of ours
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"{service}/js/eye.js")
        page.evaluate("document.body.innerHTML = '<input type=file>'")
        self.requests: list[Request]

    def _said(self, message: Any) -> None:
        if "favicon" not in message.location["url"]:  # browsers ask for it beside a bare document
            self.complaints.append(message.text)

    def load(self, patience: int = 60_000) -> str:
        """Load the eye; return "ready" or the code of the fault."""
        return str(self.page.evaluate(LOAD, patience))

    def read(self, photo: bytes, name: str = "photo") -> dict[str, Any]:
        """Return what is seen in a file, or {"code": of the fault}."""
        file = {"name": "photo", "mimeType": "application/octet-stream", "buffer": photo}
        self.page.set_input_files("input", files=[file])
        seen: dict[str, Any] = self.page.evaluate(READ, name)
        return seen


@pytest.fixture
def watched(browser: Browser, service: str) -> Iterator[Watched]:
    """Return a page with the eye loaded, in whose console nothing is said."""
    page = browser.new_context().new_page()
    watched = Watched(page, service)
    assert watched.load() == "ready"
    yield watched
    page.context.close()
    assert watched.complaints == []


@cache
def _python() -> tuple[detectors.YuNet, emotion.EmotionReader]:
    return detectors.YuNet(), emotion.EmotionReader()


def encoded(image: np.ndarray, form: str = "PNG", **options: Any) -> bytes:
    """Return a picture as the bytes of a file."""
    file = io.BytesIO()
    Pillow.fromarray(image).save(file, form, **options)
    return file.getvalue()


def turned(image: np.ndarray) -> bytes:
    """Return a JPEG that lies on its side, and whose EXIF says so."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    return encoded(np.ascontiguousarray(np.rot90(image)), "JPEG", exif=exif.tobytes(), quality=95)


def everyday(in_package: Callable[[str, str], Path]) -> list[bytes]:
    """Return photographs that everybody has, in the forms in which photos come."""
    astronaut = in_package("skimage", "data/astronaut.png")
    admiral = in_package("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")
    face, other = images.load(astronaut), images.load(admiral)
    large = np.asarray(Pillow.fromarray(face).resize((2600, 2600), Pillow.Resampling.LANCZOS))
    return [
        astronaut.read_bytes(),
        admiral.read_bytes(),
        turned(face),
        encoded(other[:, ::-1], "WEBP", quality=90),
        encoded(large, "JPEG", quality=90),
        encoded(np.asarray(Pillow.fromarray(other).convert("L"))),
        encoded(np.dstack([face, np.full(face.shape[:2], 255, np.uint8)])),
        encoded(face[:300, 150:], "JPEG", quality=70, progressive=True),
        in_package("skimage", "data/camera.png").read_bytes(),
        in_package("skimage", "data/coffee.png").read_bytes(),
    ]


def of_many(shared: Path) -> list[bytes]:
    """Return the photographs beside the checkout, and parts of the one of twenty-nine people."""
    folder = shared / "cases" / "faces"
    whole = images.load(folder / "solvay1927.jpg")
    height, width, _ = whole.shape
    parts = [whole[:, left : left + width // 4] for left in range(0, width // 2, width // 8)]
    halves = [whole[: height // 2], whole[:, width // 2 :]]
    return [
        *(path.read_bytes() for path in sorted(folder.iterdir())),
        *(encoded(np.ascontiguousarray(part), "JPEG", quality=92) for part in (*parts, *halves)),
    ]


def test_photographs_are_read_as_python_reads_them(
    watched: Watched, in_package: Callable[[str, str], Path]
) -> None:
    """The same faces, the same emotions, probabilities within 0.02; and nothing is sent."""
    _alike(watched, everyday(in_package))


@pytest.mark.needs_shared
def test_many_people_are_read_as_python_reads_them(watched: Watched, shared: Path) -> None:
    """Groups, a panorama, an animal: sure faces are the same ones in both."""
    _alike(watched, of_many(shared))


def _alike(watched: Watched, photos: list[bytes]) -> None:
    before = len(watched.requests)
    for number, photo in enumerate(photos):
        image, factor = images.reduced(photo)
        faces = [face.scaled(factor) for face in _python()[0].detect(image)]
        readings = _python()[1].read(image, _python()[0].detect(image))
        _held_against(watched.read(photo), faces, readings, number)
    assert watched.requests[before:] == []


def _held_against(seen: dict[str, Any], faces: list[Any], readings: list[Any], number: int) -> None:
    if not faces:
        assert seen == {"code": "no_face"}, number
        return
    assert len(seen.get("faces", ())) == len(faces), (number, seen.get("code"))
    for one, face, reading in zip(seen["faces"], faces, readings, strict=True):
        tolerance = max(1.0, 0.02 * face.box.w)
        assert one["box"] == pytest.approx(tuple(face.box), abs=tolerance), number
        assert one["emotions"] == pytest.approx(reading.probabilities, abs=WITHIN), number
        assert one["emotion"] == reading.emotion, number
