"""The page in a real browser, which may complain of nothing and ask nothing of another host."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

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


@pytest.fixture(scope="session")
def address(demo_address: str) -> str:
    """Return the one service of all tests of the page, which keep nothing there that matters."""
    return demo_address


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Drive browsers; for one file only, since no other event loop can run beside it."""
    from playwright.sync_api import sync_playwright

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
        page.wait_for_selector("#moods input")
        yield page
    finally:
        page.context.close()
    assert complaints == []


def listen(page: Page) -> list[str]:
    """Collect what the page complains of, and every request to another host."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def said(message: Any) -> None:
        expected = "status of 422" in message.text or "ERR_CONNECTION" in message.text
        if message.type in {"error", "warning"} and not expected:
            complaints.append(message.text)

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
    def opened_with(address: str, *arguments: str) -> Iterator[Page]:
        with launched(playwright, *arguments) as browser, visiting(browser, address) as page:
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

        expect(page.locator(selector)).to_contain_text(words, timeout=20_000)

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
