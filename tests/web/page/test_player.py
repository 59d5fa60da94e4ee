"""The player of the page: by keyboard, from one song to the next, with covers."""

from __future__ import annotations

import base64
import io
import shutil
from typing import TYPE_CHECKING

import mutagen
import patient
import pytest
from mutagen.flac import Picture
from PIL import Image as Pillow

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Page


pytestmark = pytest.mark.needs_browser


def test_the_keyboard_is_enough(page: Page, says: Callable[..., None]) -> None:
    """Arrow keys move the listener, which is heard; space pauses and plays, N goes on, M mutes, ?
    lists the keys.
    """
    sets: list[str] = []
    page.on("request", lambda request: request.url.endswith("/sets") and sets.append(request.url))
    page.focus("#map .you")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector("#set li:first-child[aria-current=true]")
    assert len(sets) == 1
    says(page, "#play-word", "Pause")
    page.locator("body").press(" ")
    says(page, "#play-word", "Play")
    page.locator("body").press(" ")
    says(page, "#play-word", "Pause")
    page.keyboard.press("n")
    page.wait_for_selector("#set li:nth-child(2)[aria-current=true]")
    page.keyboard.press("m")
    assert page.get_attribute("#mute", "aria-pressed") == "true"
    page.keyboard.press("?")
    assert page.locator("#keys-dialog[open]").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("#keys-dialog[open]").count() == 0


def test_a_like_can_be_taken_back(page: Page) -> None:
    """L likes, L again takes it back; it is liked in the next set too; a held key is one."""
    told: list[str] = []
    page.on("request", lambda r: "/feedback" in r.url and told.append(r.post_data_json["kind"]))
    page.check("input[value=happy]")
    page.wait_for_selector("#set li:first-child[aria-current=true]")
    for pressed in ("true", "false", "true"):
        with page.expect_response("**/feedback"):
            page.keyboard.press("l")
        assert page.get_attribute("#like", "aria-pressed") == pressed
    page.keyboard.down("s")
    page.wait_for_selector("#set li:nth-child(2)[aria-current=true]")
    page.keyboard.down("s")  # as a key that is held repeats itself
    page.keyboard.up("s")
    page.click("#set li:first-child .song")
    title = page.inner_text("#set li:first-child .title")
    with page.expect_response("**/sets"):
        page.check("input[value=lift]")
    page.click("#done button")  # back to the song that is liked
    page.wait_for_selector(f"#set li[aria-current=true] .title >> text={title}")
    assert page.get_attribute("#like", "aria-pressed") == "true"
    with page.expect_response("**/feedback"):
        page.click("#like")
    assert page.get_attribute("#like", "aria-pressed") == "false"
    assert told == ["like", "unlike", "like", "skip", "unlike"]


def test_focus_stays_where_it_is(page: Page) -> None:
    """Who starts a song from the list stays there; one Tab stop leads to all dots; keys go on."""
    page.check("input[value=happy]")
    page.wait_for_selector("#set li")
    page.focus("#set li:nth-child(2) .song")
    page.keyboard.press("Enter")
    page.wait_for_selector("#set li:nth-child(2)[aria-current=true]")
    assert page.evaluate("document.activeElement.closest('#set li:nth-child(2)') !== null")
    page.focus("#map .pick[tabindex='0']")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#tip").startswith("3. ")
    page.keyboard.press("Enter")
    page.wait_for_selector("#set li:nth-child(3)[aria-current=true]")
    page.keyboard.press("m")
    assert page.get_attribute("#mute", "aria-pressed") == "true"


def test_back_goes_to_the_song_before_or_to_the_beginning(
    page: Page, comes_true: Callable[..., None]
) -> None:
    """Right after it began a song gives way to the one before; later it begins again."""
    page.check("input[value=happy]")
    page.wait_for_selector("#set li")
    page.click("#set li:nth-child(2) .song")
    page.wait_for_selector("#set li:nth-child(2)[aria-current=true]")
    page.keyboard.press("p")
    page.wait_for_selector("#set li:nth-child(1)[aria-current=true]")
    page.click("#previous")
    page.wait_for_selector("#set li:nth-child(1)[aria-current=true]")
    page.click("#next")
    page.wait_for_selector("#set li:nth-child(2)[aria-current=true]")
    comes_true(page, "document.querySelector('#time').textContent.startsWith('0:01')")
    page.evaluate("document.querySelector('#seek').value = 500")
    page.dispatch_event("#seek", "input")
    comes_true(page, "document.querySelector('#time').textContent.startsWith('0:1')")
    page.click("#previous")
    comes_true(page, "document.querySelector('#time').textContent.startsWith('0:0')")
    assert page.locator("#set li:nth-child(2)[aria-current=true]").count() == 1


def test_pictures_in_the_music_are_its_covers(
    serve: Callable[..., AbstractContextManager[str]],
    demo_music: Path,
    tmp_path: Path,
    opened: Callable[..., AbstractContextManager[Page]],
    comes_true: Callable[..., None],
) -> None:
    """A song that carries a picture shows it, another one the cover drawn for it."""
    music = tmp_path / "music"
    music.mkdir()
    plain, pictured = sorted((demo_music / "calm").glob("*.opus"))[:2]
    shutil.copy(plain, music)
    song, picture, data = mutagen.File(shutil.copy(pictured, music)), Picture(), io.BytesIO()
    Pillow.new("RGB", (300, 300), "red").save(data, "PNG")
    picture.type, picture.mime, picture.data = 3, "image/png", data.getvalue()
    song["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]
    song.save()
    with serve("--library", str(music)) as address:
        patient.get(f"{address}/api/v1/library/scan")  # ends when all is heard
        with opened(address) as page:
            page.check("input[value=calm]")
            page.wait_for_selector("#set li")
            songs = "[...document.querySelectorAll('#set li')]"  # more of them, as the set goes on
            has_picture = (
                f"Boolean(li.querySelector('img')) === li.textContent.includes('{pictured.stem}')"
            )
            comes_true(page, f"{songs}.every((li) => {has_picture})")
            comes_true(page, f"{songs}.every((li) => li.querySelector('.cover svg'))")
