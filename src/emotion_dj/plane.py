"""The library drawn on the valence-arousal plane, in characters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from emotion_dj import affect
from emotion_dj.domain import Mood

if TYPE_CHECKING:
    from emotion_dj.domain import Candidates

WIDTH: Final = 60
HEIGHT: Final = 21
SHADES: Final = " .:*#@"


def counts(candidates: Candidates) -> dict[str, int]:
    """Return how many tracks stand in the region of each mood."""
    places = np.array([affect.MOOD_AFFECT[mood] for mood in Mood])
    across = candidates.valence[:, None] - places[:, 0]
    up = candidates.arousal[:, None] - places[:, 1]
    nearest = (across**2 + affect.AROUSAL_WEIGHT * up**2).argmin(1)
    number = np.bincount(nearest, minlength=len(places)) if len(candidates) else [0] * len(places)
    return {mood.value: int(count) for mood, count in zip(Mood, number, strict=True)}


def drawing(candidates: Candidates) -> str:
    """Return the plane as lines of characters, darker where more tracks stand."""
    edges = [np.linspace(-1, 1, HEIGHT + 1), np.linspace(-1, 1, WIDTH + 1)]
    table, _, _ = np.histogram2d(candidates.arousal, candidates.valence, bins=edges)
    shade = np.ceil(np.log1p(table) / max(np.log1p(table.max()), 1e-9) * (len(SHADES) - 1))
    lines = ["".join(SHADES[int(value)] for value in line) for line in shade[::-1]]
    return "\n".join(
        [
            "lively".center(WIDTH + 2),
            "+" + "-" * WIDTH + "+",
            *(f"|{line}|" for line in lines),
            "+" + "-" * WIDTH + "+",
            "dark" + "calm".center(WIDTH - 8) + "bright",
        ]
    )
