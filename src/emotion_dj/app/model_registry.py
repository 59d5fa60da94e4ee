"""The models that ship, made when they are needed, and their ids without loading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from emotion_dj import artifacts
from emotion_dj.app import settings
from emotion_dj.domain import TAGS, TOLD
from emotion_dj.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emotion_dj.interfaces import AudioAnalyser, FaceDetector
    from emotion_dj.vision.emotion import EmotionReader

HEARING_MODES: Final = ("excerpts", "whole")
"""How much of a track is heard; the first is usual."""


def audio_model(hearing: str = HEARING_MODES[0]) -> AudioAnalyser:
    """Return our analyser; a function of its own so that worker processes can call it.

    ``hearing`` is one of HEARINGS: three excerpts of a track, or all of it. Raises SettingsError.
    """
    from emotion_dj.music.audio_model import AudioModel  # noqa: PLC0415

    return AudioModel(whole=_is_whole(hearing))


def feature_model_id() -> str:
    """Return the id of the ear without sound, without loading it."""
    return str(artifacts.packaged("mood-2").card["id"])


def audio_model_id(hearing: str = HEARING_MODES[0]) -> str:
    """Return the id of our analyser without loading it. Raises SettingsError."""
    name = str(audio_model_card()["id"])
    return f"{name}+whole" if _is_whole(hearing) else name


def audio_model_card() -> Mapping[str, Any]:
    """Return our analyser's card without loading it."""
    return artifacts.packaged("ear-5").card


EARLIER_ANALYSERS: Final = ("ear-4+whole", "ear-4", "ear-3+whole", "ear-3", "mood-1")
"""Ears of earlier versions: where they placed a track counts until it is heard, or its table is
imported, again."""


def analyser_ids() -> list[str]:
    """Return the ids of all whose word on a track counts, the most trusted first."""
    return [
        audio_model_id("whole"),
        audio_model_id(),
        TOLD,
        feature_model_id(),
        *EARLIER_ANALYSERS,
        TAGS,
    ]


def _is_whole(hearing: str) -> bool:
    if hearing not in HEARING_MODES:
        msg = f"music cannot be heard as '{hearing}': choose {' or '.join(HEARING_MODES)}"
        raise SettingsError(msg)
    return hearing == "whole"


def face_reader() -> EmotionReader:
    """Return our face reader. Raises ArtifactError or MissingExtra."""
    from emotion_dj.vision.emotion import EmotionReader  # noqa: PLC0415

    return EmotionReader()


def face_detector(name: str) -> FaceDetector:
    """Return the detector of this name. Raises SettingsError, MissingExtra or ArtifactError."""
    from emotion_dj.vision import detectors  # noqa: PLC0415

    return detectors.make(name)


def _detector_line() -> str:
    name = settings.load().detector
    face_detector(name)
    return name


MODELS: Final[Mapping[str, Callable[[], str]]] = {
    "face reader": lambda: face_reader().id,
    "face detector": _detector_line,
    "audio model": lambda: audio_model().id,
    "feature model": feature_model_id,
}
"""What `emotion-dj doctor` tries to load, each returning the id of what it found."""
