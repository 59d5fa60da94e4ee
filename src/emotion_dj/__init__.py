"""Emotion-DJ: show it your face, hear your music.

    from emotion_dj import EmotionDJ
    dj_set = EmotionDJ().recommend("photo.jpg", plan="match", n=10)

Importing the package loads no model runtime, no web framework and no training library; the first
use of a name does what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emotion_dj.app import EmotionDJ

__version__ = "0.2.0"
__all__ = ["EmotionDJ", "__version__"]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    if name == "EmotionDJ":
        return import_module("emotion_dj.app").EmotionDJ
    msg = f"module 'emotion_dj' has no attribute {name!r}"
    raise AttributeError(msg)
