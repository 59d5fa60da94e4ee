"""Music by its source on the page: chosen, and sets saved to services that are really there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from emotion_dj.testing.spotify import status

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, Page

    Opened = Callable[..., AbstractContextManager[Page]]

pytestmark = pytest.mark.needs_browser


def titles(page: Page) -> list[str]:
    """Return the titles of the set."""
    return page.locator("#set .title").all_inner_texts()


def calm(page: Page) -> None:
    """Ask for calm music."""
    page.check("input[value=calm]")
    page.wait_for_selector("#set li", state="attached")


def left_out(page: Page, *names: str) -> None:
    """Take sources out of the choice, by the keyboard alone, as far as the page lets them go."""
    for name in names:
        page.focus(f"#sources input[value={name}]")
        page.keyboard.press(" ")


def test_a_source_is_chosen_and_its_set_saved(
    mixed: Any, opened: Opened, says: Callable[..., None]
) -> None:
    """All at first, one at least; the set follows, and stands on the server as on the page."""
    from playwright.sync_api import expect

    with opened(mixed.address) as page:
        group = page.get_by_role("group", name="Music from")
        boxes = group.get_by_role("checkbox")
        expect(boxes).to_have_count(3)
        assert [box.is_checked() for box in boxes.all()] == [True] * 3
        calm(page)
        page.click("#play")  # no song is added to a set that does not play
        says(page, "#play-word", "Play")
        assert len(titles(page)) == 8
        left_out(page, "files", "spotify")
        expect(page.locator("#set li")).to_have_count(4)
        left_out(page, "subsonic")
        assert page.is_checked("#sources input[value=subsonic]")
        assert page.evaluate("document.activeElement.value") == "subsonic"
        page.get_by_role("button", name="Save to Subsonic").press("Enter")
        says(page, "#saved", re.compile(r"^Saved: Emotion-DJ · 127\.0\.0\.1:\d+\.$"))
        stands = [title.split(" — ")[0] for title in titles(page)]
        assert mixed.playlists()["Emotion-DJ"] == stands
        left_out(page, "spotify")  # chosen again
        expect(page.locator("#set li")).to_have_count(6)
        expect(page.locator("#saved")).to_have_text("")
        page.click("text=Save to Subsonic")
        says(page, "#saved", ", 4 of 6 songs; the others are not there.")
        page.select_option("#language", "de")
        says(page, "#sources", "Deine Dateien")
        assert not page.is_checked("#sources input[value=files]")
        page.click("text=Bei Subsonic speichern")
        says(page, "#saved", ", 4 von 6 Songs; die anderen gibt es dort nicht.")


def test_a_set_is_saved_to_spotify_or_it_is_said_why_not(
    mixed: Any, browser: Browser, says: Callable[..., None]
) -> None:
    """Its address is a link; a login that has ended is said in the listener's language."""
    page = browser.new_context(locale="fr").new_page()
    page.goto(mixed.address)
    page.wait_for_selector("body[data-role]")
    calm(page)
    page.click("text=Enregistrer sur Spotify")
    says(page, "#saved", "Enregistré : https://open.spotify.com/playlist/")
    link = page.locator("#saved a")
    assert re.fullmatch(
        r"https://open\.spotify\.com/playlist/\w+", link.get_attribute("href") or ""
    )
    mixed.spotify.faults = [status(401)] * 9
    page.click("text=Enregistrer sur Spotify")
    says(page, "#saved", "Spotify demande une connexion")
    mixed.spotify.faults = []
    page.context.close()


def test_one_source_is_no_choice(page: Page) -> None:
    """Where all music is of one source and no service is known, nothing of this is to be seen."""
    calm(page)
    assert page.locator("#sources").is_hidden()
    assert page.locator("#services button").count() == 0


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1440, "dark")])
def test_the_choice_breaks_no_rule_of_axe(
    mixed: Any, opened: Opened, says: Callable[..., None], width: int, scheme: Any
) -> None:
    """Some chosen, some not, something saved: on a narrow phone and on a desktop."""
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import expect

    size = {"width": width, "height": 800}
    with opened(mixed.address, viewport=size, color_scheme=scheme, reduced_motion="reduce") as page:
        calm(page)
        left_out(page, "files")
        expect(page.locator("#set li")).to_have_count(6)
        if width < 700:
            page.click("#panels [data-panel=set]")
        page.click("text=Save to Subsonic")
        says(page, "#saved", "Saved")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
