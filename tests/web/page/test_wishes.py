"""Words and songs as a way in: the field, more like this, calmer, livelier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.needs_browser


def test_words_make_a_set_and_are_said_back(page: Page, says: Callable[..., None]) -> None:
    """A sentence in any of four languages plays music; the page says what it understood."""
    page.fill("#say", "müde, aber ich will etwas Warmes")
    page.press("#say", "Enter")
    page.wait_for_selector("#set li")
    says(page, "#opening", "You said müde, Warmes")
    says(page, "#notes", "How you are: müde. What you want: Warmes.")


def test_words_of_no_mood_are_asked_about(page: Page, says: Callable[..., None]) -> None:
    """What is not understood, or pulls apart, is a question, and the words stay in the field."""
    page.fill("#say", "xyzzy")
    page.press("#say", "Enter")
    says(page, "#opening", "I know none of these words")
    assert page.input_value("#say") == "xyzzy"
    page.fill("#say", "happy sad")
    page.click("#words button")
    says(page, "#opening", "happy, sad pull apart")


def test_a_song_leads_to_calmer_ones(page: Page, says: Callable[..., None]) -> None:
    """From the menu of a song: more like it, or calmer; undo brings the set of before back."""
    page.check("input[value=happy]", force=True)
    page.wait_for_selector("#set li")
    before = page.locator("#set .title").all_inner_texts()
    page.locator("#set").get_by_role("button", name="More for").nth(2).click()
    page.locator("#set .directions").get_by_text("Calmer", exact=True).click()
    says(page, "#opening", f"Like {before[2]}, and calmer")
    assert page.is_checked("#plans input[value=calm]")
    assert before[2] not in page.locator("#set .title").all_inner_texts()
    page.locator("#done").get_by_role("button", name="Undo").click()
    says(page, "#set", before[2])
