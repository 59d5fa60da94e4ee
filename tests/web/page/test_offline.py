"""The page without its server: what it keeps, and how it goes on when the server is back."""

from __future__ import annotations

from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from emotion_dj.web.bundle import bundles

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Page


pytestmark = pytest.mark.needs_browser


def test_the_page_outlives_its_server(
    serve: Callable[..., AbstractContextManager[str]],
    demo_music: Path,
    opened: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
) -> None:
    """Killed: it says so, opens again without it and shows the set of before; back: it goes on."""
    arguments = ("--library", str(demo_music / "calm"))
    with ExitStack() as server:
        address = server.enter_context(serve(*arguments))
        with opened(address) as page:
            page.evaluate("navigator.serviceWorker.ready.then(() => null)")
            page.check("input[value=calm]")
            page.wait_for_selector("#set li[aria-current=true]")
            page.click("#set-section summary")
            page.check("#remember")
            page.check("input[value=happy]")
            says(page, "#past", "happy")
            server.close()
            page.check("input[value=sad]")
            says(page, "#banner", "The server cannot be reached")
            page.reload()
            says(page, "#banner", "The server cannot be reached")
            assert page.locator("#set li").count() > 0
            kept = page.evaluate(
                "caches.keys().then(async names => (await Promise.all(names.map(async name =>"
                " (await (await caches.open(name)).keys()).map(kept => kept.url)))).flat())"
            )
            assert not [url for url in kept if "/api/" in url]
            with serve(*arguments, "--port", address.rpartition(":")[2]):
                page.wait_for_selector("#banner", state="hidden")
                page.check("input[value=sad]")
                says(page, "#opening", "You want sad")


def test_the_service_worker_keeps_the_whole_page(page: Page, address: str) -> None:
    """Every file that the page is made of, so that none is missing when the server is.

    What reads faces is kept by the browser itself: its names say what is in it. Pictures are the
    system's.
    """
    static = Path(str(files("emotion_dj.web"))) / "static"
    others = {".ts", ".wasm", ".png", ".webp", ".js", ""}
    parts = [path for path in static.rglob("*") if path.suffix not in others]
    modules = {f"{address}/js/{name}" for name in (*bundles(static / "js"), "embed.js")}
    wanted = {f"{address}/{path.relative_to(static).as_posix()}" for path in parts} | modules
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    kept = page.evaluate(
        "caches.open('shell-4').then(s => s.keys()).then(all => all.map(kept => kept.url))"
    )
    assert set(kept) == wanted - {f"{address}/index.html"} | {f"{address}/"}
