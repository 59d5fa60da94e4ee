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
        encoded(np.ascontiguousarray(np.rot90(face)), "JPEG"),
        encoded(np.ascontiguousarray(np.rot90(other, 2)), "JPEG"),
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
        faces = _python()[0].detect(image)
        readings = _python()[1].read(image, faces)
        scaled = [face.scaled(factor) for face in faces]
        _held_against(watched.read(photo), scaled, readings, number)
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
        assert one["turned"] == face.turned, number
        assert [why["code"] for why in one["reasons"]] == [why.code for why in reading.reasons]


def test_a_bitmap_stays_with_who_handed_it_in(
    watched: Watched, in_package: Callable[[str, str], Path]
) -> None:
    """A camera's picture is read like the photo that it is, and can be drawn afterwards."""
    photo = in_package("skimage", "data/astronaut.png").read_bytes()
    assert watched.read(photo, "bitmap") == watched.read(photo)
    kept = """async () => {
        const bitmap = await createImageBitmap(document.querySelector("input").files[0]);
        await window.eye.read(bitmap, { live: true });
        return bitmap.width;
    }"""
    assert watched.page.evaluate(kept) == 512


def test_photos_that_cannot_be_read_have_a_code_each(
    watched: Watched, in_package: Callable[[str, str], Path]
) -> None:
    """Damaged, huge, foreign, empty: the page can say which, and the next photo is read."""
    photo = in_package("matplotlib", "mpl-data/sample_data/grace_hopper.jpg").read_bytes()
    face = images.load(photo)
    large = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + 2 * (60_000).to_bytes(4, "big") + b"\x08\x02\0\0\0"
    bad = {
        "empty": b"",
        "damaged": photo[: len(photo) // 2],
        "unsupported": b"hello, I am a text" * 99,
        "heic": b"\0\0\0\x18ftypheic" + bytes(99),
        "too_large": large + bytes(999),
        "no_face": encoded(np.zeros((90, 70, 3), np.uint8)),
    }
    assert {code: watched.read(data)["code"] for code, data in bad.items()} == {c: c for c in bad}
    assert watched.read(encoded(face, "TIFF"))["code"] == "unsupported"
    assert watched.read(encoded(face)[:90_000])["code"] == "damaged"
    assert len(watched.read(photo)["faces"]) == 1


def test_of_a_moving_picture_the_first_one_counts(
    watched: Watched, in_package: Callable[[str, str], Path]
) -> None:
    """An animated GIF is read as Python reads it."""
    first = (
        Pillow.open(in_package("skimage", "data/astronaut.png")).convert("RGB").resize((256, 256))
    )
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=[Pillow.new("RGB", (256, 256))])
    _alike(watched, [file.getvalue()])


def test_a_large_photo_is_read_at_its_own_size(
    watched: Watched, in_package: Callable[[str, str], Path]
) -> None:
    """Of 36 megapixels every other one is taken; boxes are those of the photo all the same."""
    face = Pillow.open(in_package("skimage", "data/astronaut.png")).convert("RGB")
    photo = encoded(np.asarray(face.resize((6000, 6000))), "JPEG")
    (one,) = watched.read(photo)["faces"]
    (same,) = watched.read(encoded(np.asarray(face)))["faces"]
    scale = 6000 / 512
    assert one["box"] == pytest.approx([side * scale for side in same["box"]], abs=6 * scale)
    assert one["emotion"] == same["emotion"]


WITHOUT_SIMD = "WebAssembly.validate = () => false"
WITHOUT_WASM = "self.WebAssembly = undefined"
WITHOUT_MEMORY = "WebAssembly.Memory.prototype.grow = () => { throw new RangeError('no more'); }"
KILLED = "self.close()"


@pytest.mark.parametrize(
    ("trouble", "code"),
    [(WITHOUT_SIMD, "wasm_absent"), (WITHOUT_WASM, "wasm_absent"), (WITHOUT_MEMORY, "memory")],
)
def test_what_a_browser_lacks_has_a_code(
    browser: Browser, service: str, trouble: str, code: str
) -> None:
    """Old browsers and full machines are told apart; nothing hangs."""
    assert _in_trouble(browser, service, trouble).load() == code


def test_a_worker_that_was_killed_is_replaced(
    browser: Browser, service: str, in_package: Callable[[str, str], Path]
) -> None:
    """Whoever waits is told after the patience that the page has; the next try works."""
    watched = _in_trouble(browser, service, KILLED)
    assert watched.load(patience=300) == "worker_gone"
    watched.page.unroute("**/eye-worker.js")
    assert watched.load() == "ready"
    photo = in_package("skimage", "data/astronaut.png").read_bytes()
    assert watched.read(photo)["faces"]


def _in_trouble(browser: Browser, service: str, trouble: str) -> Watched:
    """Open a page in whose worker something is amiss from the start."""
    watched = Watched(browser.new_context().new_page(), service)

    def amiss(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=f"{trouble};\n{answer.text()}")

    watched.page.route("**/eye-worker.js", amiss)
    return watched


def test_a_policy_that_forbids_webassembly_has_a_code(browser: Browser, service: str) -> None:
    """A proxy's stricter policy is told apart from an old browser."""
    watched = Watched(browser.new_context().new_page(), service)

    def stricter(route: Any) -> None:
        answer = route.fetch()
        policy = answer.headers["content-security-policy"].replace(" 'wasm-unsafe-eval'", "")
        route.fulfill(
            response=answer, headers={**answer.headers, "content-security-policy": policy}
        )

    watched.page.route("**/eye-worker.js", stricter)
    assert watched.load() == "wasm_blocked"


def test_files_that_cannot_be_had_have_a_code(browser: Browser, service: str) -> None:
    """Without the weights the page can offer to try again."""
    watched = Watched(browser.new_context().new_page(), service)
    watched.page.route("**/*.tflite", lambda route: route.abort())
    assert watched.load() == "unreachable"


def test_all_of_it_is_small_and_kept(browser: Browser, service: str) -> None:
    """Networks, kernels, modules: 2.2 MB on the wire, and names that may be kept for ever."""
    watched = Watched(browser.new_context().new_page(), service)
    assert watched.load() == "ready"
    answers = [request.response() for request in watched.requests]
    sizes = {one.url: len(one.body()) for one in answers if one and "favicon" not in one.url}
    assert sum(sizes.values()) < 2_200_000
    named = [one for one in answers if one and one.url.endswith((".tflite", ".wasm"))]
    assert len(named) == len(eye.card()["files"])
    assert all("immutable" in one.headers["cache-control"] for one in named)
