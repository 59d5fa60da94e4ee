"""The page in a real browser, which may complain of nothing and ask nothing of another host."""

from __future__ import annotations

import re
import shutil
import wave
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from PIL import Image as Pillow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), "")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
    "--autoplay-policy=no-user-gesture-required",
)


PATIENCE = 60_000
"""How many milliseconds a condition is waited for: browsers draw in software here."""
RATE = 48_000
EAR = """
window.heard = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode) {
    const ear = new AnalyserNode(this.context, { fftSize: 4096, smoothingTimeConstant: 0 });
    connect.call(this, ear);
    const [wave, bins] = [new Float32Array(4096), new Float32Array(2048)];
    setInterval(() => {
      ear.getFloatTimeDomainData(wave);
      ear.getFloatFrequencyData(bins);
      const level = 10 * Math.log10(wave.reduce((sum, x) => sum + x * x, 0) / 4096 + 1e-12);
      const tone = (bins.indexOf(Math.max(...bins)) * this.context.sampleRate) / 4096;
      window.heard.push({ at: performance.now(), level, tone });
    }, 20);
  }
  return connect.call(this, to, ...rest);
};
window.now = () => window.heard.at(-1) ?? { level: -120, tone: 0 };
"""
"""Notes level in dB and loudest frequency every 20 ms, after everything that the page does."""


@pytest.fixture(scope="session")
def address(demo_address: str) -> str:
    """Return the one service of all tests of the page, which keep nothing there that matters."""
    return demo_address


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Drive browsers; for one file only, since no other event loop can run beside it."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        yield driver


@contextmanager
def launched(playwright: Playwright, *arguments: str) -> Iterator[Browser]:
    """Run Debian's Chromium without a screen."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *arguments])
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def visiting(browser: Browser, address: str, *, script: str = "", **options: Any) -> Iterator[Page]:
    """Open the page in a context of its own; nothing may be said in its console.

    ``script`` runs in the page before its own scripts.
    """
    page = browser.new_context(**options).new_page()
    page.add_init_script(script)
    complaints = listen(page)
    try:
        page.goto(address)
        page.wait_for_selector("body[data-role]")
        yield page
    finally:
        page.context.close()
    assert complaints == []


def listen(page: Page) -> list[str]:
    """Collect what the page complains of, and every request to another host."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def said(message: Any) -> None:
        expected = re.search(
            "status of (404|422)|ERR_(CONNECTION|INCOMPLETE|EMPTY|CONTENT_LENGTH)", message.text
        )
        if message.type in {"error", "warning"} and not expected:
            complaints.append(f"{message.text} {message.location['url']}".strip())

    page.on("console", said)

    def asked(request: Any) -> None:
        if not re.match(r"(http://127\.0\.0\.1|blob:|data:)", request.url):
            complaints.append(request.url)

    page.on("request", asked)
    return complaints


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Return a browser without a camera."""
    with launched(playwright) as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser) -> Callable[..., AbstractContextManager[Page]]:
    """Return a block that opens the page at an address, with these options of a context."""
    return partial(visiting, browser)


@pytest.fixture
def opened_with(playwright: Playwright) -> Callable[..., AbstractContextManager[Page]]:
    """Return a block that opens the page in a browser of its own, with these arguments."""

    @contextmanager
    def opened_with(address: str, *arguments: str, **options: Any) -> Iterator[Page]:
        with (
            launched(playwright, *arguments) as browser,
            visiting(browser, address, **options) as page,
        ):
            yield page

    return opened_with


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Open the page on a desktop."""
    with visiting(browser, address, viewport={"width": 1440, "height": 900}) as page:
        yield page


@pytest.fixture(scope="session")
def says() -> Callable[..., None]:
    """Return a function that waits until an element contains these words."""

    def says(page: Page, selector: str, words: str | re.Pattern[str]) -> None:
        from playwright.sync_api import expect

        expect(page.locator(selector)).to_contain_text(words)

    return says


@pytest.fixture(scope="session")
def comes_true() -> Callable[[Page, str], None]:
    """Return a function that waits for a condition in the page.

    Without eval, which the page's policy forbids.
    """

    def comes_true(page: Page, condition: str) -> None:
        page.evaluate(
            f"""() => new Promise(done => {{
                const look = setInterval(() => {{
                    if ({condition}) {{ clearInterval(look); done(); }}
                }}, 20);
            }})"""
        )

    return comes_true


@pytest.fixture(scope="session")
def show(says: Callable[..., None]) -> Callable[[Page, Path], None]:
    """Return a function that chooses a photo and waits for the set."""

    def show(page: Page, photo: Path) -> None:
        page.set_input_files("#photo", photo)
        page.wait_for_selector("#set li", state="attached")
        says(page, "#opening", "look")

    return show


@pytest.fixture(scope="session")
def hearing() -> str:
    """Return the script of an ear at the end of the graph: `heard` is a list, `now()` the last."""
    return EAR


@pytest.fixture(scope="session")
def write_tone() -> Callable[..., None]:
    """Return a function that writes a song which is one tone."""
    return _tone


def _tone(path: Path, hertz: int, *, level: float, seconds: float, still: float = 0.0) -> None:
    """Write a song: a tone between two silences of ``still`` seconds."""
    time = np.arange(int(seconds * RATE)) / RATE
    still_part = np.zeros(int(still * RATE))
    sound = np.concatenate([still_part, 10 ** (level / 20) * np.sin(2 * np.pi * hertz * time)])
    sound = np.concatenate([sound, still_part])
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((32767 * sound).astype("<i2").tobytes())


def _filmed(path: Path, faces: list[Pillow.Image], seconds: int) -> Path:
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


@pytest.fixture(scope="session")
def filmed() -> Callable[..., Path]:
    """Return a function that makes a film for the camera."""
    return _filmed


@pytest.fixture(scope="session")
def smile(smiling_photo: Path) -> Pillow.Image:
    """Return the smile as a camera would see it."""
    with Pillow.open(smiling_photo) as picture:
        return picture.convert("RGB").crop((50, 0, 450, 300))


@pytest.fixture(scope="session")
def film(smile: Pillow.Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a film of a smiling face."""
    return _filmed(tmp_path_factory.mktemp("film") / "camera.mjpeg", [smile], seconds=8)


@pytest.fixture(scope="session")
def watching() -> Callable[[Path], tuple[str, ...]]:
    """Return a function that says what gives a browser a film for its camera."""
    return _watching


def _watching(film: Path) -> tuple[str, ...]:
    """Return what gives a browser this film for its camera."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
