"""The models that ship, made when they are needed, and their ids without loading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from emotion_dj import artifacts, settings
from emotion_dj.domain import TAGS, TOLD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emotion_dj.interfaces import AudioAnalyser


def ear() -> AudioAnalyser:
    """Return our analyser; a function of its own so that worker processes can call it."""
    from emotion_dj.music.mood import Ear  # noqa: PLC0415

    return Ear()


def features_id() -> str:
    """Return the id of the ear without sound, without loading it."""
    return str(artifacts.packaged("mood-1").card["id"])


def ear_id() -> str:
    """Return the id of our analyser without loading it."""
    return str(ear_card()["id"])


def ear_card() -> Mapping[str, Any]:
    """Return our analyser's card without loading it."""
    return artifacts.packaged("ear-2").card


def analysers() -> list[str]:
    """Return the ids of all whose word on a track counts, the most trusted first."""
    return [ear_id(), TOLD, features_id(), TAGS]


def _reader_line() -> str:
    from emotion_dj.vision.emotion import EmotionReader  # noqa: PLC0415

    return EmotionReader().id


def _detector_line() -> str:
    from emotion_dj.vision import detectors  # noqa: PLC0415

    name = settings.load().detector
    detectors.make(name)
    return name


MODELS: Final[Mapping[str, Callable[[], str]]] = {
    "face reader": _reader_line,
    "face detector": _detector_line,
    "ear": lambda: ear().id,
    "ear without sound": features_id,
}
"""What `emotion-dj doctor` tries to load, each returning the id of what it found."""
