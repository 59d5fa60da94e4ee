"""What the student project did, whole and in one place: face reader, converter, recipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emotion_dj.original.face_recognition import FaceRecognition

__all__ = ["FaceRecognition"]


def __getattr__(name: str) -> object:
    """Load the face reader when somebody asks for it: Keras is slow to load."""
    if name == "FaceRecognition":
        from emotion_dj.original.face_recognition import FaceRecognition

        return FaceRecognition
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
