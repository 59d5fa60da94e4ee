"""The set on the page: chosen by mood, plan, length and place, saved, and remembered."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Page


pytestmark = pytest.mark.needs_browser


def test_a_mood_needs_no_photo_and_a_plan_changes_the_set(page: Page) -> None:
    """Pick a mood, then another plan, then another length: the set follows each."""
    from playwright.sync_api import expect

    page.check("input[value=sad]")
    page.wait_for_selector("#set li")
    before = page.inner_text("#set")
    page.check("input[value=lift]")
    expect(page.locator("#set")).not_to_have_text(before, use_inner_text=True)
    page.fill("#length", "4")
    page.press("#length", "Tab")
    expect(page.locator("#set li")).to_have_count(4)


@pytest.mark.parametrize(
    ("written", "counts"), [("1000", 50), ("-3", 1), ("2.5", 3), ("0", 1), ("", 10), ("1e99", 50)]
)
def test_any_number_of_songs_is_made_one_that_counts(page: Page, written: str, counts: int) -> None:
    """What is written is brought within 1 and 50, and the field shows it."""
    from playwright.sync_api import expect

    page.check("input[value=calm]")
    expect(page.locator("#set li")).to_have_count(10)
    page.fill("#length", "4")
    page.press("#length", "Tab")
    expect(page.locator("#set li")).to_have_count(4)
    page.fill("#length", written)
    with page.expect_response("**/sets") as answer:
        page.press("#length", "Tab")
    assert answer.value.request.post_data_json["n"] == counts
    assert page.input_value("#length") == str(counts)
    expect(page.locator("#opening")).to_contain_text("You want calm")


def test_dragging_oneself_moves_the_set(page: Page, says: Callable[..., None]) -> None:
    """Pull the point to the lower left: the music becomes dark and calm."""
    box = page.locator("#map").bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    page.mouse.up()
    page.wait_for_selector("#set li")
    says(page, "#opening", re.compile("sad|dark and calm"))


def test_no_music_is_said(
    serve: Callable[..., AbstractContextManager[str]],
    tmp_path: Path,
    opened: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
) -> None:
    """A library without music: the page says so, and that a folder has to be named."""
    (tmp_path / "empty").mkdir()
    with serve("--library", str(tmp_path / "empty")) as address, opened(address) as page:
        says(page, "#music", "there is no music")
        page.check("input[value=calm]")
        says(page, "#opening", "there is no music")
        assert page.locator("#add-open").is_visible()


def test_sets_are_saved(page: Page, says: Callable[..., None]) -> None:
    """The button downloads a playlist of the set that is shown, also when some of it was heard."""
    page.check("input[value=calm]")
    page.wait_for_selector("#set li")
    says(page, "#time", re.compile(r"0:0[1-9] /"))
    page.evaluate("document.querySelector('#seek').value = 900")
    with page.expect_response("**/feedback"):
        page.dispatch_event("#seek", "input")
    with page.expect_download() as download:
        page.click("[data-form=jspf]")
    assert download.value.suggested_filename == "emotion-dj.jspf"
    saved = json.loads(Path(download.value.path()).read_text())["playlist"]["track"]
    assert [song["title"] for song in saved] == page.locator("#set .title").all_inner_texts()
    assert saved[0]["annotation"] == page.locator("#set .text .why").first.inner_text()


def test_a_reload_brings_back_the_set_the_song_and_its_place(
    page: Page, says: Callable[..., None], comes_true: Callable[..., None]
) -> None:
    """In the middle of the second song: it is all there again, and one press goes on from there."""
    page.check("input[value=calm]")
    page.wait_for_selector("#set li")
    page.click("#next")
    page.wait_for_selector("#set li:nth-child(2)[aria-current=true]")
    comes_true(page, "document.querySelector('#play-word').textContent === 'Pause'")
    page.evaluate("document.querySelector('#seek').value = 500")
    page.dispatch_event("#seek", "input")
    says(page, "#time", re.compile(r"0:1[4-9] /"))
    titles = page.locator("#set .title").all_inner_texts()
    page.reload()
    page.wait_for_selector("#set li:nth-child(2)[aria-current=true]")
    assert page.locator("#set .title").all_inner_texts() == titles
    assert page.is_checked("#moods input[value=calm]")
    says(page, "#opening", "You want calm")
    page.click("#play")
    says(page, "#time", re.compile(r"0:(1[5-9]|2\d) /"))


def test_what_is_done_to_the_queue_can_be_taken_back(page: Page) -> None:
    """Removed, moved and put next, each undone by one press."""
    from playwright.sync_api import expect

    page.check("input[value=happy]")
    page.wait_for_selector("#set li:first-child[aria-current=true]")
    titles = page.locator("#set .title").all_inner_texts()
    for name, place, then in (
        ("Remove", 3, [*titles[:2], *titles[3:]]),
        ("Move up", 3, [titles[0], titles[2], titles[1], *titles[3:]]),
        ("Play next", 5, [titles[0], titles[4], *titles[1:4], *titles[5:]]),
    ):
        row = page.locator(f"#set li:nth-child({place})")
        row.get_by_role("button", name="More for").click()
        row.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#set .title")).to_have_text(then)
        page.click("#done button")
        expect(page.locator("#set .title")).to_have_text(titles)
    page.click("#skip")
    page.wait_for_selector("#set li:nth-child(2)[aria-current=true]")
    page.click("#done button")
    page.wait_for_selector("#set li:first-child[aria-current=true]")


def test_a_song_is_dragged_to_another_place(page: Page) -> None:
    """The fourth song is dropped on the second one and stands there; undo brings it back."""
    from playwright.sync_api import expect

    page.check("input[value=happy]")
    page.wait_for_selector("#set li:first-child[aria-current=true]")
    titles = page.locator("#set .title").all_inner_texts()
    page.drag_and_drop("#set li:nth-child(4)", "#set li:nth-child(2)")
    moved = [titles[0], titles[3], *titles[1:3], *titles[4:]]
    expect(page.locator("#set .title")).to_have_text(moved)
    assert page.locator("#set li:first-child[aria-current=true]").count() == 1
    page.click("#done button")
    expect(page.locator("#set .title")).to_have_text(titles)


DROP = """([name, text]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], name));
  document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
}"""


def test_a_playlist_that_is_dropped_comes_next(page: Page, says: Callable[..., None]) -> None:
    """M3U8, XSPF and JSPF: the songs that are here come after this one; of another one it is said
    that none is.
    """
    page.check("input[value=happy]")
    page.wait_for_selector("#set li:first-child[aria-current=true]")
    kept = []
    for form in ("m3u8", "xspf", "jspf"):
        with page.expect_download() as download:
            page.click(f"[data-form={form}]")
        kept.append((f"mine.{form}", Path(download.value.path()).read_text("utf-8")))
    titles = page.locator("#set .title").all_inner_texts()
    for playlist in kept:
        page.check("input[value=calm]")
        says(page, "#opening", "You want calm")
        page.evaluate(DROP, playlist)
        says(page, "#done", f"{len(titles)} songs of the playlist come next")
        assert page.locator("#set .title").all_inner_texts()[1 : 1 + len(titles)] == titles
        page.check("input[value=sad]")
        says(page, "#opening", "You want sad")
    some = f"{kept[0][1]}#EXTINF:1,Nobody - Nothing\nnothing.mp3\n"
    page.evaluate(DROP, ["some.m3u8", some])
    says(page, "#done", "come next; not in your music: Nothing")
    page.evaluate(DROP, ["other.m3u8", "#EXTM3U\n#EXTINF:1,Nobody - Nothing\nnothing.mp3\n"])
    says(page, "#opening", "None of the songs of this playlist is in your music")


def test_a_song_is_found_and_put_next(page: Page, says: Callable[..., None]) -> None:
    """Part of a title is enough; the song comes after the one that plays, and can be taken back."""
    page.check("input[value=happy]")
    page.wait_for_selector("#set li:first-child[aria-current=true]")
    page.fill("#search", "calm")
    page.locator("#found button").first.click()
    says(page, "#set li:nth-child(2) .title", "Calm")
    says(page, "#done", "comes next")
    page.click("#next")
    says(page, "#time", re.compile(r"0:0[1-9] /"))
    says(page, "#now-title", "Calm")


def test_sets_are_remembered_only_where_wanted(page: Page, says: Callable[..., None]) -> None:
    """Off by default; on, they outlive the session, until forgotten."""
    page.check("input[value=calm]")
    says(page, "#opening", "calm")
    assert page.evaluate("localStorage.length") == 0
    page.click("#set-section summary")
    page.check("#remember")
    page.check("input[value=happy]")
    says(page, "#past", "happy")
    other = page.context.new_page()
    other.goto(page.url)
    other.check("#moods input[value=sad]")
    says(other, "#past", "happy")
    other.click("summary")
    other.click("#past button >> text=happy")
    says(other, "#opening", "You want happy")
    page.bring_to_front()
    assert page.locator("#set li").count() == 10
    page.click("#forget")
    assert page.locator("#past li").count() == 0
    page.uncheck("#remember")
    assert page.evaluate("localStorage.length") == 0
