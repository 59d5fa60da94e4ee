"""The nouns of Emotion-DJ: frozen values without I/O, the only things that cross between rooms.

``docs/glossary.md`` defines the words. "Emotion" is said of a face, "mood" of music, and
`Affect` is the only bridge between the two.
"""

from __future__ import annotations

from emotion_dj.domain.faces import (
    Affect,
    Box,
    Emotion,
    Face,
    Image,
    Mood,
    PhotoAnalysis,
    Reading,
    Reason,
)
from emotion_dj.domain.sets import (
    ME,
    Candidates,
    DJSet,
    FeedbackEntry,
    FeedbackKind,
    Listener,
    Pick,
    Plan,
    Preferences,
)
from emotion_dj.domain.tracks import (
    LEFT_OUT,
    MADE_UP,
    STATED,
    TAGS,
    Analysed,
    Analysis,
    AnalysisResult,
    AudioFeatures,
    Device,
    Failed,
    Media,
    Omission,
    SavedPlaylist,
    Section,
    Tags,
    Track,
)

__all__ = [
    "LEFT_OUT",
    "MADE_UP",
    "ME",
    "STATED",
    "TAGS",
    "Affect",
    "Analysed",
    "Analysis",
    "AnalysisResult",
    "AudioFeatures",
    "Box",
    "Candidates",
    "DJSet",
    "Device",
    "Emotion",
    "Face",
    "Failed",
    "FeedbackEntry",
    "FeedbackKind",
    "Image",
    "Listener",
    "Media",
    "Mood",
    "Omission",
    "PhotoAnalysis",
    "Pick",
    "Plan",
    "Preferences",
    "Reading",
    "Reason",
    "SavedPlaylist",
    "Section",
    "Tags",
    "Track",
]
