"""From settings to a working DJ: the facade, and what puts concrete classes together."""

from __future__ import annotations

from emotion_dj.app.facade import EmotionDJ

__all__ = ["EmotionDJ"]
