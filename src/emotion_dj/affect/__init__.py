"""The bridge between faces and music: one table, pure functions.

`points` has the plane: emotions, moods, readings. `plans` has the paths over it.
"""

from __future__ import annotations

from emotion_dj.affect.plans import CLIP, MOST_STOPS, PLANS, parse_plan, path
from emotion_dj.affect.points import (
    AROUSAL_WEIGHT,
    CERTAIN,
    EMOTION_AFFECT,
    MOOD_AFFECT,
    MOOD_UNCERTAINTY,
    MOOD_WORDS,
    NO_OFFSETS,
    Offsets,
    aggregate,
    describe,
    disagree,
    distance,
    likely_emotions,
    mean,
    mood,
    of_emotion,
    of_mood,
    of_reading,
    parse_affect,
    parse_emotion,
    parse_mood,
    parse_place,
)

__all__ = [
    "AROUSAL_WEIGHT",
    "CERTAIN",
    "CLIP",
    "EMOTION_AFFECT",
    "MOOD_AFFECT",
    "MOOD_UNCERTAINTY",
    "MOOD_WORDS",
    "MOST_STOPS",
    "NO_OFFSETS",
    "PLANS",
    "Offsets",
    "aggregate",
    "describe",
    "disagree",
    "distance",
    "likely_emotions",
    "mean",
    "mood",
    "of_emotion",
    "of_mood",
    "of_reading",
    "parse_affect",
    "parse_emotion",
    "parse_mood",
    "parse_place",
    "parse_plan",
    "path",
]
