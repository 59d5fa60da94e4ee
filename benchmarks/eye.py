"""How fast the page's eye is in Chromium, and what it weighs.

    python benchmarks/eye.py

Reads scikit-image's astronaut: frames of a camera 320 px wide one after the other, and a photo of
twelve megapixels. Times are those of a page that waits for its answer; the first line says what
came over the wire and how long it took from nothing, and with all of it in the browser's cache.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asked import browser, parser
from PIL import Image as Pillow

if TYPE_CHECKING:
    from playwright.sync_api import Page

FRAMES: Final = 120

LOAD: Final = """async () => {
    const { loadEye } = await import("/js/eye.js");
    const times = [];
    for (let i = 0; i < 2; i += 1) {
        const start = performance.now();
        window.eye?.close();
        window.eye = await loadEye(new URL("/eye/", location));
        times.push(performance.now() - start);
    }
    return times;
}"""

READ: Final = """async ([n, live]) => {
    const file = document.querySelector("input").files[0];
    const source = live ? await createImageBitmap(file) : file;
    const times = [];
    for (let i = 0; i < n; i += 1) {
        const start = performance.now();
        await window.eye.read(source, { live });
        times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b);
}"""


def main() -> None:
    """Print the figures."""
    parser(__doc__).parse_args()
    chromium = browser()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as home, sync_playwright() as driver:
        environment = {**os.environ, "HOME": home, "EMOTION_DJ_DATABASE": f"{home}/c.sqlite"}
        command = [sys.executable, "-m", "emotion_dj", "serve", "--port", "0"]
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=environment
        ) as server:
            assert server.stderr is not None
            found = re.search(r"http://\S+", server.stderr.readline())
            assert found is not None
            window = driver.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            measure(window.new_page(), found.group())
            window.close()
            server.terminate()


def measure(page: Page, address: str) -> None:
    """Load the eye in a bare document of the service, and read."""
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - wants a function
    page.goto(f"{address}/js/eye.js")
    page.evaluate("document.body.innerHTML = '<input type=file>'")
    cold, warm = page.evaluate(LOAD)
    sizes = {one.url: int(one.headers.get("content-length", 0)) for one in answers if one.ok}
    print(f"{sum(sizes.values()) / 1e6:.2f} MB; ready after {cold:.0f} ms, again {warm:.0f} ms")
    report(page, "frame of 320 px", photo(320, (100, 0, 420, 240)), FRAMES)
    report(page, "photo of 12 megapixels", photo(4000), 6)


def photo(width: int, box: tuple[int, int, int, int] = (0, 0, 512, 384)) -> bytes:
    """Return a JPEG of the astronaut, so wide."""
    spec = find_spec("skimage")
    assert spec is not None
    assert spec.origin is not None
    face = Pillow.open(Path(spec.origin).parent / "data" / "astronaut.png").convert("RGB").crop(box)
    file = io.BytesIO()
    face.resize((width, width * face.height // face.width)).save(file, "JPEG", quality=92)
    return file.getvalue()


def report(page: Page, name: str, data: bytes, n: int) -> None:
    """Read it n times and print the median and the tenth at either end."""
    file: Any = {"name": "photo", "mimeType": "image/jpeg", "buffer": data}
    page.set_input_files("input", files=[file])
    page.evaluate(READ, [2, n == FRAMES])
    times = page.evaluate(READ, [n, n == FRAMES])
    low, middle, high = (times[round(share * (n - 1))] for share in (0.1, 0.5, 0.9))
    print(f"{name}: {middle:.1f} ms ({low:.1f} to {high:.1f}), {1000 / middle:.0f} a second")


if __name__ == "__main__":
    main()
