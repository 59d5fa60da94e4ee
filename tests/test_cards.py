"""The pages about the models say what the cards that ship say."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from emotion_dj import artifacts
from emotion_dj.music import audio_model, mood_from_features
from emotion_dj.vision import emotion

ROOT = Path(__file__).parents[1]
WRITER: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "cards.py"))


@pytest.mark.parametrize(
    ("page", "artifact"),
    [
        ("emotion", emotion.ARTIFACT),
        ("audio_model", audio_model.ARTIFACT),
        ("mood", mood_from_features.ARTIFACT),
    ],
)
def test_a_page_is_what_its_card_says(page: str, artifact: str) -> None:
    """Written anew from the card of the model in use, each page is the one in docs/cards."""
    written = WRITER[page](artifacts.packaged(artifact).card)
    assert (ROOT / "docs" / "cards" / f"{page}.md").read_text(encoding="utf-8") == written


@pytest.mark.parametrize("name", WRITER["ROWS"])
def test_other_pages_tell_the_figures_of_the_card(name: str) -> None:
    """Their rows of the face reader are those that the script writes."""
    assert WRITER["with_rows"](name) == (ROOT / name).read_text(encoding="utf-8")
