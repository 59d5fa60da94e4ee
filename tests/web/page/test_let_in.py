"""The page beyond its machine: a device is let in, below a sub-path of a real proxy, as a guest."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    Opened = Callable[..., AbstractContextManager[Page]]
    Run = Callable[..., AbstractContextManager[Any]]

pytestmark = pytest.mark.needs_browser


def test_a_code_is_typed_and_the_page_plays(run_service: Run, browser: Browser) -> None:
    """Who is not let in sees where a code is typed, with nothing to run; then it is the page."""
    with run_service("--library", "demo", "--name", "127.0.0.1") as service:
        page = browser.new_context(locale="fr-FR").new_page()
        page.goto(service.address)
        assert page.locator("h2").inner_text() == "Cet appareil n'a pas encore accès"
        page.fill("input[name=code]", "wrong")
        page.click("button")
        assert "ne convient pas" in page.locator("p[role=alert]").inner_text()
        page.fill("input[name=code]", service.code)
        page.click("button")
        page.wait_for_selector("body[data-role]")
        page.check("input[value=calm]")
        page.wait_for_selector("#set li[aria-current=true]")
        assert "code=" not in page.url
        page.context.close()


def test_below_a_sub_path_all_works(
    run_service: Run, nginx: Run, tmp_path: Path, opened: Opened
) -> None:
    """Behind nginx, which takes /music away and says nothing of it: set, covers, sound, worker."""
    name = ("--name", "127.0.0.1", "--proxy", "127.0.0.1")
    host = "proxy_set_header Host $host;"
    with (
        run_service("--library", "demo", *name) as service,
        nginx(tmp_path, service.address, host, path="/music/", strip="/") as address,
        opened(f"{address}/music/pair?code={service.code}") as page,
    ):
        assert page.url == f"{address}/music/"
        page.check("input[value=calm]")
        page.wait_for_selector("#set li[aria-current=true]")
        page.wait_for_function("document.querySelector('#play-word').textContent === 'Pause'")
        page.evaluate("navigator.serviceWorker.ready.then(() => null)")


def test_a_guest_listens(run_service: Run, tmp_path: Path, opened: Opened) -> None:
    """What guests are refused is neither shown nor asked for: the console stays silent."""
    own = {"HOME": str(tmp_path), "EMOTION_DJ_DATABASE": str(tmp_path / "c.sqlite")}
    invite = [sys.executable, "-m", "emotion_dj", "devices", "invite", "--guest"]
    with run_service("--library", "demo", "--name", "127.0.0.1") as service:
        code = subprocess.run(
            invite, capture_output=True, text=True, check=True, env={**os.environ, **own}
        ).stdout.strip()
        with opened(f"{service.address}/pair?code={code}") as page:
            page.check("input[value=calm]")
            page.wait_for_selector("#set li[aria-current=true]")
            page.keyboard.press("l")
            assert page.locator("#like, #add-open, #services").evaluate_all(
                "all => all.filter(one => one.checkVisibility()).length"
            ) == 0  # fmt: skip


def test_the_code_for_a_phone_lets_it_in(
    run_service: Run, browser: Browser, says: Callable[..., None]
) -> None:
    """What the owner's screen shows pairs the phone as a guest, and makes it the eye at once."""
    with run_service("--library", "demo", "--name", "127.0.0.1") as service:
        page = browser.new_context().new_page()
        page.goto(f"{service.address}/pair?code={service.code}")
        page.wait_for_selector("body[data-role]")
        page.click("#phone-open")
        link = page.locator("#phone .path").inner_text()
        phone = browser.new_context().new_page()
        phone.goto(link)
        says(phone, ".eye main h2", "This phone is the eye")
        about = phone.request.get(f"{service.address}/api/v1/about").json()
        assert (about["role"], about["invites"]) == ("guest", False)
        page.context.close()
        phone.context.close()


def test_the_server_reads_where_it_was_told_to(
    run_service: Run, opened: Opened, smiling_photo: Path
) -> None:
    """With --read-on server the page sends the photo and loads no network of its own."""
    with (
        run_service("--library", "demo", "--read-on", "server") as service,
        opened(service.address) as page,
    ):
        with page.expect_request("**/api/v1/readings") as sent:
            page.set_input_files("#photo", smiling_photo)
        assert sent.value.method == "POST"
        page.wait_for_selector("#set li[aria-current=true]")
