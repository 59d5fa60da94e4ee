"""Chooses music and puts it in order."""

from __future__ import annotations

from emotion_dj.ranking.ranker import NearestRanker

__all__ = ["NearestRanker"]
