"""What the page costs in a real browser: until it can be used, until picks and sound, live.

python benchmarks/page.py [TIMES]
"""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from asked import browser, need, parser
from PIL import Image as Pillow
from portrait import photo
from serving import serving
from spread import spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Playwright

QUIET = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
    "--autoplay-policy=no-user-gesture-required",
)
LIVE_SECONDS = 5

WATCH = """
window.seen = {};
const mark = (name) => (window.seen[name] ??= performance.now());
document.addEventListener("change", (event) => event.target.id === "photo" && mark("chosen"), true);
new MutationObserver(() => {
  if (document.querySelector("#moods input")) mark("usable");
  if (document.querySelector("#set li")) mark("picks");
}).observe(document, { childList: true, subtree: true });
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  this.addEventListener("playing", () => mark("sound"), { once: true });
  return play.call(this);
};
window.readings = 0;
window.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => (window.readings += data.seen?.faces ? 1 : 0));
  }
};
"""
"""Notes in the page itself when something is first there, in milliseconds since it was opened, and
how often its eye, a worker, has answered."""


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("times", type=int, nargs="?", default=20)
    times = options.parse_args().times
    need("immich_memories_music", "fastapi")
    program = browser()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        picture = photo(folder)
        with serving(folder) as (address, _):
            cold(playwright, program, address, times)
            with launched(playwright, program) as chromium:
                warm(chromium, address, picture, times)
            with launched(playwright, program, film(folder, picture)) as chromium:
                live(chromium, address)


@contextmanager
def launched(playwright: Playwright, program: str, camera: Path | None = None) -> Iterator[Browser]:
    """Run a browser, with a film for its camera where one is named."""
    arguments = [*QUIET, *([f"--use-file-for-fake-video-capture={camera}"] if camera else [])]
    chromium = playwright.chromium.launch(executable_path=program, args=arguments)
    try:
        yield chromium
    finally:
        chromium.close()


def opened(chromium: Browser, address: str) -> Page:
    """Open the page as somebody does who has never been there, and wait until it can be used."""
    page = chromium.new_context().new_page()
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_selector("#moods input")
    return page


def cold(playwright: Playwright, program: str, address: str, times: int) -> None:
    """Time a new browser's first visit, and weigh what it was sent."""
    usable = []
    for _ in range(times):
        with launched(playwright, program) as chromium:
            page = opened(chromium, address)
            usable.append(page.evaluate("window.seen.usable"))
            weight = page.evaluate(
                "performance.getEntries().filter(e => 'transferSize' in e"
                " && !e.name.includes('/api/')).reduce((sum, e) => sum + e.transferSize, 0)"
            )
    spread("first control usable, cold browser", usable, "ms", goal="400")
    print(f"page weight, without artwork and audio: {weight / 1000:.1f} kB  (asked: 80)")


def warm(chromium: Browser, address: str, picture: Path, times: int) -> None:
    """Time from the choice of a photo to its picks and to the first sound."""
    picks, sound = [], []
    for _ in range(times):
        page = opened(chromium, address)
        page.set_input_files("#photo", picture)
        page.wait_for_selector("#set li")
        page.evaluate(
            "() => new Promise(done => { const look = setInterval(() => "
            "{ if (window.seen.sound) { clearInterval(look); done(); } }, 10); })"
        )
        seen = page.evaluate("window.seen")
        picks.append(seen["picks"] - seen["chosen"])
        sound.append(seen["sound"] - seen["chosen"])
        page.context.close()
    spread("photo chosen to picks on screen", picks, "ms", goal="120 at p95")
    print(f"  p50 {np.percentile(picks, 50):.0f} ms, p95 {np.percentile(picks, 95):.0f} ms")
    spread("photo chosen to first sound", sound, "ms", goal="350 at p95")
    print(f"  p50 {np.percentile(sound, 50):.0f} ms, p95 {np.percentile(sound, 95):.0f} ms")


def live(chromium: Browser, address: str) -> None:
    """Count the readings that the page gets in live mode."""
    page = opened(chromium, address)
    page.click("#camera")
    page.wait_for_selector("#faces .face")
    before, began = page.evaluate("window.readings"), time.perf_counter()
    page.wait_for_timeout(1000 * LIVE_SECONDS)
    rate = (page.evaluate("window.readings") - before) / (time.perf_counter() - began)
    print(f"live readings a second in the page: {rate:.1f}  (asked: 25)")


def film(folder: Path, picture: Path) -> Path:
    """Make a film for the camera, at 30 pictures a second (Motion JPEG)."""
    path = folder / "camera.mjpeg"
    with Pillow.open(picture) as shown:
        pixels = np.asarray(shown.convert("RGB"))
    with av.open(str(path), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for _ in range(90):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    return path


if __name__ == "__main__":
    main()
