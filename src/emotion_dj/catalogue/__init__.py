"""What has been stored and analysed."""

from __future__ import annotations

from emotion_dj.catalogue.store import Catalogue

__all__ = ["Catalogue"]
