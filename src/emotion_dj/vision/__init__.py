"""From bytes to faces and readings. Each module says what it needs; nothing is loaded early."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emotion_dj.vision.original import FaceRecognition

__all__ = ["FaceRecognition"]


def __getattr__(name: str) -> object:
    """Load the original's reader when somebody asks for it by its old place."""
    if name == "FaceRecognition":
        from emotion_dj.vision.original import FaceRecognition  # noqa: PLC0415 - see above

        return FaceRecognition
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
