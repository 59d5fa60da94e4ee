"""What has been stored and analysed, of all listeners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emotion_dj.catalogue.store import Catalogue

__all__ = ["Catalogue"]


def __getattr__(name: str) -> Any:
    """Load the database library where the catalogue is asked for."""
    if name == "Catalogue":
        from emotion_dj.catalogue.store import Catalogue

        return Catalogue
    raise AttributeError(name)
