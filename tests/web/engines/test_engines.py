"""The main flows in Firefox and in WebKit, Safari's engine, with sound into a sink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(
    params=[
        pytest.param("firefox", marks=pytest.mark.needs_firefox),
        pytest.param("webkit", marks=pytest.mark.needs_webkit),
    ]
)
def engine(request: pytest.FixtureRequest, demo_address: str) -> Any:
    """Show the page in a browser."""
    made = request.getfixturevalue(request.param)
    made.open(demo_address)
    made.until("document.body.dataset.role")
    return made


def sounding(engine: Any) -> None:
    """Wait until the song advances; where the browser waits for a press of play, press."""
    engine.until("document.querySelector('#set li') && !document.querySelector('#player').hidden")
    if engine.ask("document.querySelector('#play-word').textContent") != "Pause":
        engine.press("#play")
    engine.until("!document.querySelector('#time').textContent.startsWith('0:00')")


def test_a_photo_is_read_here_and_answered(engine: Any, smiling_photo: Path) -> None:
    """The eye runs in this engine too; the song sounds; the next one is one press away."""
    engine.choose("#photo", smiling_photo)
    engine.says("#opening", "You look happy")
    assert engine.ask("document.querySelectorAll('#set li').length") == 10
    sounding(engine)
    before = engine.ask("document.querySelector('#now-title').textContent")
    engine.press("#next")
    engine.until(f"document.querySelector('#now-title').textContent !== {before!r}")


def test_a_mood_a_place_and_keys(engine: Any) -> None:
    """A mood, the plane by keys, space to pause, N for the next song, L for a like."""
    engine.press("#moods label:nth-of-type(1)")
    engine.says("#opening", "You want")
    sounding(engine)
    engine.ask("document.querySelector('#map .you').focus() ?? true")
    engine.type("\ue011")  # Home: one key, so that one set comes of it
    engine.until("Number(document.querySelector('#map .you').getAttribute('aria-valuenow')) === -1")
    engine.says("#opening", "dark")
    engine.says("#done", "New music for you")
    engine.ask("document.activeElement.blur() ?? true")
    engine.type(" ")
    engine.says("#play-word", "Play")
    engine.type("n")
    engine.until("document.querySelector('#set li:nth-child(2)[aria-current=true]')")
    engine.type("l")
    engine.until("document.querySelector('#like').getAttribute('aria-pressed') === 'true'")
    engine.type("l")


def test_a_set_is_saved_and_nothing_is_missed(engine: Any) -> None:
    """A playlist file is made, and the browser has all that the page asks of it."""
    engine.press("#moods label:nth-of-type(2)")
    engine.until("document.querySelectorAll('#set li').length === 10")
    engine.press("[data-form=m3u8]")
    engine.until("document.querySelector('#save') && !document.querySelector('#save').hidden")
    assert engine.ask("document.querySelector('#banner').hidden")
    assert engine.ask("document.documentElement.scrollWidth <= window.innerWidth")
