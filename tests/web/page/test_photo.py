"""A photo on the page: its faces framed, read and corrected, and the set that answers."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image as Pillow

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Page


pytestmark = pytest.mark.needs_browser


def test_a_photo_leads_to_sound(
    page: Page, smiling_photo: Path, show: Callable[..., None], says: Callable[..., None]
) -> None:
    """Choose a photo: the face is framed and read, the set stands, the audio really advances."""
    show(page, smiling_photo)
    assert page.inner_text("#opening").startswith("You look happy")
    assert "looks happy" in page.inner_text("#faces").lower()
    assert page.locator("#set li").count() == 10
    assert page.locator("#map .pick").count() == 10
    says(page, "#time", re.compile(r"0:0[1-9] /"))


def test_a_second_photo_is_heard_and_can_be_taken_back(
    page: Page,
    smiling_photo: Path,
    tmp_path: Path,
    show: Callable[..., None],
    says: Callable[..., None],
) -> None:
    """The first song of its set plays, or goes on where it is the same; undo is one press."""
    show(page, smiling_photo)
    says(page, "#time", re.compile(r"0:0[1-9] /"))
    playing = page.inner_text("#now-title")
    again = shutil.copy(smiling_photo, tmp_path / "again.png")
    with page.expect_response("**/sets"):
        page.set_input_files("#photo", again)
    page.wait_for_selector("#done button")
    first = page.inner_text("#set li:first-child .title")
    says(page, "#now-title", first)
    says(page, "#set li[aria-current=true] .title", first)
    page.click("#done button")
    says(page, "#now-title", playing)


def test_a_correction_is_believed(
    page: Page, smiling_photo: Path, show: Callable[..., None], says: Callable[..., None]
) -> None:
    """'I am sad' moves the listener and the music, whatever the face looks like."""
    show(page, smiling_photo)
    page.select_option("#faces select", "sad")
    says(page, "#opening", "sad")
    assert float(page.get_attribute("#map .you", "aria-valuenow") or 1) < -0.3


def test_what_the_listener_says_is_said_back(
    page: Page, smiling_photo: Path, show: Callable[..., None], says: Callable[..., None]
) -> None:
    """'I am neutral' is no wish for happy music, in any language, nor when the set comes back."""
    show(page, smiling_photo)
    page.click("#set-section summary")
    page.check("#remember")
    page.select_option("#faces select", "neutral")
    says(page, "#opening", "You said you are neutral")
    page.check("input[value=lift]")
    says(page, "#opening", "To lift you")
    page.select_option("#language", "de")
    page.locator("#past button").last.click()
    says(page, "#opening", "Du hast gesagt, du bist neutral")
    page.check("#moods input[value=happy]")
    page.check("#plans input[value=match]")
    says(page, "#opening", "Du möchtest es fröhlich")


def test_nobody_in_the_photo_is_said(page: Page, tmp_path: Path, says: Callable[..., None]) -> None:
    """A wall: the page says that it sees no face and what would help; moods still work."""
    Pillow.new("RGB", (400, 300), "white").save(tmp_path / "wall.png")
    page.set_input_files("#photo", tmp_path / "wall.png")
    says(page, "#said", "can't see a face")
    (tmp_path / "text.jpg").write_text("no photo")
    page.set_input_files("#photo", tmp_path / "text.jpg")
    says(page, "#said", "not a photo")


def test_a_photo_is_read_here_and_not_sent(
    page: Page, smiling_photo: Path, tmp_path: Path, show: Callable[..., None]
) -> None:
    """48 million pixels on their side: read upright in the page; what leaves it are numbers."""
    with Pillow.open(smiling_photo) as photo:
        wide = Pillow.new("RGB", (800, 600), "gray")
        wide.paste(photo.convert("RGB"), (50, 50))
    turned, exif = wide.transpose(Pillow.Transpose.ROTATE_90).resize((6000, 8000)), Pillow.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    turned.save(tmp_path / "phone.jpg", exif=exif, quality=95)
    sent: list[tuple[str, int]] = []
    page.on("request", lambda r: sent.append((r.url, len(r.post_data_buffer or b""))))
    with page.expect_request("**/sets") as asked:
        show(page, tmp_path / "phone.jpg")
    assert not [url for url, _ in sent if "/readings" in url]
    assert max(size for _, size in sent) < 2000
    (face,) = asked.value.post_data_json["faces"]
    assert set(face) == {"box", "emotions", "abstained"}
    x, y, w, h = face["box"]
    assert 0.2 < (x + w / 2) / 8000 < 0.5
    assert 0.1 < (y + h / 2) / 6000 < 0.5
    assert page.inner_text("#opening").startswith("You look happy")
    width, height = (
        page.evaluate(f"document.querySelector('#picture').{n}") for n in ("width", "height")
    )
    assert width / height == pytest.approx(8000 / 6000, abs=0.01)


def test_where_the_page_cannot_read_it_asks_before_it_sends(
    opened: Callable[..., AbstractContextManager[Page]],
    address: str,
    smiling_photo: Path,
    says: Callable[..., None],
) -> None:
    """A browser without WebAssembly: nothing is sent until the listener allows it, then it is."""
    no_eye = "delete window.Worker;"
    with opened(address, script=no_eye) as page:
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url))
        page.set_input_files("#photo", smiling_photo)
        says(page, "#said", "This browser cannot read faces by itself")
        assert not [url for url in sent if "/readings" in url]
        page.click("#said button")
        says(page, "#opening", "You look happy")
        assert len([url for url in sent if "/readings" in url]) == 1


def test_after_a_photo_of_nobody_nothing_is_planned_for_who_was_there_before(
    page: Page,
    smiling_photo: Path,
    tmp_path: Path,
    show: Callable[..., None],
    says: Callable[..., None],
) -> None:
    """The set is called that of before, the point a cloud; plans wait; moods can be picked."""
    asked: list[str] = []
    page.check("input[value=calm]")
    says(page, "#opening", "You want calm")
    show(page, smiling_photo)
    assert page.locator("#moods input:checked").count() == 0
    Pillow.new("RGB", (400, 300), "white").save(tmp_path / "wall.png")
    page.set_input_files("#photo", tmp_path / "wall.png")
    says(page, "#said", "can't see a face")
    says(page, "#opening", "This is the set of before.")
    assert page.get_attribute("#map .you", "aria-valuenow") == "0.00"
    assert float(page.get_attribute("#map .cloud", "r") or 0) > 40
    page.select_option("#language", "de")
    says(page, "#opening", "Das ist das Set von vorher.")
    page.on("request", lambda request: asked.append(request.url))
    page.check("#plans input[value=lift]")
    page.check("#plans input[value=match]")
    page.check("#moods input[value=calm]")
    says(page, "#opening", "Du möchtest es ruhig")
    assert len([url for url in asked if url.endswith("/sets")]) == 1


def test_two_faces_are_both_read(
    page: Page,
    smiling_photo: Path,
    tmp_path: Path,
    show: Callable[..., None],
    says: Callable[..., None],
) -> None:
    """Each is framed, has its own bars and its own way to be corrected, and may have its turn."""
    with Pillow.open(smiling_photo) as photo:
        face = photo.convert("RGB").crop((80, 0, 380, 300))
    both = Pillow.new("RGB", (600, 300))
    both.paste(face, (0, 0))
    both.paste(face, (300, 0))
    both.save(tmp_path / "two.png")
    show(page, smiling_photo)
    assert page.locator("#serve").is_hidden()
    show(page, tmp_path / "two.png")
    says(page, "#opening", "You all look happy")
    assert page.locator("#faces .face").count() == 2
    assert page.locator("#faces select").count() == 2
    assert page.get_attribute("#picture", "aria-label") == "Your picture with 2 framed faces"
    assert page.inner_text("#opening").startswith("You all look happy")
    with page.expect_response("**/sets") as answer:
        page.check("#serve input[value=each]")
    assert answer.value.request.post_data_json["aggregate"] == "each"
    assert answer.value.status == 200
    page.select_option("#language", "de")
    says(page, "#serve label:has(:checked)", "Reihum jeden")
    page.check("#moods input[value=calm]")
    assert page.locator("#serve").is_hidden()


def test_a_resting_face_is_kept_and_makes_readings_their_own(
    page: Page,
    smiling_photo: Path,
    in_package: Callable[[str, str], Path],
    show: Callable[..., None],
    says: Callable[..., None],
) -> None:
    """A calm face is taken for one, read beside itself, kept in this browser; a smile is not."""
    from playwright.sync_api import expect

    admiral = in_package("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")
    read, button = page.locator("#faces h3"), page.locator("#faces .resting")
    show(page, admiral)
    plain = read.text_content() or ""
    assert button.inner_text() == "This is my resting face"
    button.click()
    says(page, "#faces .resting", "Forget my resting face")
    expect(read).not_to_have_text(plain)
    own = read.text_content() or ""
    page.reload()
    show(page, admiral)
    says(page, "#faces h3", own)
    page.click("#faces .resting")
    says(page, "#faces h3", plain)
    show(page, smiling_photo)
    says(page, "#faces h3", "looks happy")
    page.click("#faces .resting")
    says(page, "#said", "That is no resting face")
    assert page.inner_text("#faces .resting") == "This is my resting face"


def test_a_slow_server_is_waited_for_in_words(
    page: Page, smiling_photo: Path, says: Callable[..., None]
) -> None:
    """What takes longer than a moment is said, and unsaid when it is done."""
    line = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 1500, "downloadThroughput": -1, "uploadThroughput": -1}
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", slow)
    page.set_input_files("#photo", smiling_photo)
    says(page, "#opening", "Choosing songs")
    says(page, "#opening", "You look happy")
    assert page.inner_text("#said") == ""


def test_two_tabs_do_not_disturb_each_other(
    page: Page,
    address: str,
    smiling_photo: Path,
    show: Callable[..., None],
    says: Callable[..., None],
) -> None:
    """One shows its photo's set, the other one a mood's."""
    other = page.context.new_page()
    other.goto(address)
    other.check("input[value=sad]")
    says(other, "#opening", "You want sad")
    show(page, smiling_photo)
    assert page.inner_text("#opening").startswith("You look happy")
    assert other.inner_text("#opening").startswith("You want sad")
