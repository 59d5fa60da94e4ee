"""The models that ship, made when they are needed, and their ids without loading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from emotion_dj import artifacts, settings
from emotion_dj.domain import TAGS, TOLD
from emotion_dj.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emotion_dj.interfaces import AudioAnalyser

HEARINGS: Final = ("excerpts", "whole")
"""How much of a track is heard; the first is usual."""


def ear(hearing: str = HEARINGS[0]) -> AudioAnalyser:
    """Return our analyser; a function of its own so that worker processes can call it.

    ``hearing`` is one of HEARINGS: three excerpts of a track, or all of it. Raises SettingsError.
    """
    from emotion_dj.music.mood import Ear  # noqa: PLC0415

    return Ear(whole=_is_whole(hearing))


def features_id() -> str:
    """Return the id of the ear without sound, without loading it."""
    return str(artifacts.packaged("mood-2").card["id"])


def ear_id(hearing: str = HEARINGS[0]) -> str:
    """Return the id of our analyser without loading it. Raises SettingsError."""
    name = str(ear_card()["id"])
    return f"{name}+whole" if _is_whole(hearing) else name


def ear_card() -> Mapping[str, Any]:
    """Return our analyser's card without loading it."""
    return artifacts.packaged("ear-4").card


EARLIER: Final = ("ear-3+whole", "ear-3", "mood-1")
"""Ears of earlier versions: where they placed a track counts until it is heard, or its table is
imported, again."""


def known_ids() -> list[str]:
    """Return the ids of all whose word on a track counts, the most trusted first."""
    return [ear_id("whole"), ear_id(), TOLD, features_id(), *EARLIER, TAGS]


def _is_whole(hearing: str) -> bool:
    if hearing not in HEARINGS:
        msg = f"music cannot be heard as '{hearing}': choose {' or '.join(HEARINGS)}"
        raise SettingsError(msg)
    return hearing == "whole"


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
