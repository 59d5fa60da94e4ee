"""A plug-in of somebody else's, played in the page."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Page

pytestmark = pytest.mark.needs_browser

EXAMPLE = Path(__file__).parents[3] / "examples" / "source-plugin"


def test_the_example_plug_in_sounds_in_the_page(
    serve: Callable[..., AbstractContextManager[str]],
    opened: Callable[..., AbstractContextManager[Page]],
    comes_true: Callable[..., None],
    demo_music: Path,
    tmp_path: Path,
) -> None:
    """Its songs come as a set, sound, and can be wound forward, as those of a folder can."""
    songs = sorted((demo_music / "calm").glob("*.opus"))[:2]
    (tmp_path / "evening.m3u8").write_text("\n".join(map(str, songs)), encoding="utf-8")
    site = tmp_path / "site"
    (site / "emotion_dj_m3u-1.dist-info").mkdir(parents=True)
    shutil.copy(EXAMPLE / "emotion_dj_m3u.py", site)
    entries = "[emotion_dj.sources]\nm3u = emotion_dj_m3u:M3U\n"
    (site / "emotion_dj_m3u-1.dist-info" / "entry_points.txt").write_text(entries)
    metadata = "Metadata-Version: 2.1\nName: emotion-dj-m3u\nVersion: 1\n"
    (site / "emotion_dj_m3u-1.dist-info" / "METADATA").write_text(metadata)
    paths = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    own = {"EMOTION_DJ_M3U": str(tmp_path / "evening.m3u8"), "PYTHONPATH": paths}
    with serve("--library", "m3u", **own) as address, opened(address) as page:
        page.evaluate(
            """() => {
                window.decks = [];
                const play = HTMLMediaElement.prototype.play;
                HTMLMediaElement.prototype.play = function () {
                    if (!window.decks.includes(this)) window.decks.push(this);
                    return play.call(this);
                };
            }"""
        )
        page.check("input[value=calm]")
        page.wait_for_selector("#set li")
        comes_true(page, "window.decks[0] && window.decks[0].currentTime > 0.2")
        comes_true(page, "window.decks[0].duration > 20 && window.decks[0].seekable.length")
        page.evaluate("() => { window.decks[0].currentTime = 15; }")
        comes_true(page, "window.decks[0].currentTime > 15.1 && !window.decks[0].error")
