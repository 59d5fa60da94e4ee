"""The models by the names that settings give them, and their ids and cards without loading them.

A name is that of an artifact that ships, or the path of a card elsewhere. What a model takes and
returns stands in its card: another reader is a file of weights and a card, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from emotion_dj import artifacts
from emotion_dj.app import settings
from emotion_dj.domain import STATED, TAGS
from emotion_dj.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emotion_dj.app.settings import Settings
    from emotion_dj.interfaces import AudioAnalyser, Executor, FaceDetector
    from emotion_dj.vision.emotion import EmotionReader

HEARING_MODES: Final = ("excerpts", "whole")
"""How much of a track is heard; the first is usual."""

ENGINES: Final = ("processes", "ray")
"""Who hears it; the first is usual."""


def audio_model(
    hearing: str = HEARING_MODES[0], name: str = artifacts.AUDIO_MODEL
) -> AudioAnalyser:
    """Return the analyser of this name; a function of its own so that worker processes can call it.

    ``hearing`` is one of HEARING_MODES: three excerpts of a track, or all of it. Raises
    SettingsError or ArtifactError.
    """
    from emotion_dj.music.audio_model import AudioModel

    return AudioModel(artifacts.named(name), whole=_is_whole(hearing))


def feature_model_id() -> str:
    """Return the id of the model without sound, without loading it."""
    return str(artifacts.packaged(artifacts.FEATURE_MODEL).card["id"])


def audio_model_id(hearing: str = HEARING_MODES[0], name: str = artifacts.AUDIO_MODEL) -> str:
    """Return the id of an analyser without loading it. Raises SettingsError or ArtifactError."""
    model = str(audio_model_card(name)["id"])
    return f"{model}+whole" if _is_whole(hearing) else model


def audio_model_card(name: str = artifacts.AUDIO_MODEL) -> Mapping[str, Any]:
    """Return the card of an analyser without loading it. Raises ArtifactError."""
    return artifacts.named(name).card


EARLIER_ANALYSERS: Final = ("ear-4+whole", "ear-4", "ear-3+whole", "ear-3", "mood-1")
"""Models of earlier versions: where they placed a track counts until it is heard, or its table is
imported, again."""


def analyser_ids(name: str = artifacts.AUDIO_MODEL) -> list[str]:
    """Return the ids of all whose word on a track counts, the most trusted first.

    ``name`` is the analyser that is chosen; that which ships counts after it.
    """
    chosen = [audio_model_id(mode, name) for mode in reversed(HEARING_MODES)]
    ours = [audio_model_id(mode) for mode in reversed(HEARING_MODES)]
    others = [STATED, feature_model_id(), *EARLIER_ANALYSERS, TAGS]
    return list(dict.fromkeys([*chosen, *ours, *others]))


def executor(settings: Settings) -> Executor:
    """Return who hears music: worker processes, or a Ray cluster. Raises SettingsError."""
    if settings.engine == "ray":
        from emotion_dj.cluster import RayCluster

        return RayCluster(settings.ray_address)
    if settings.engine != ENGINES[0]:
        msg = f"'{settings.engine}' hears no music: choose {' or '.join(ENGINES)}"
        raise SettingsError(msg)
    from emotion_dj.executors import WorkerProcesses

    return WorkerProcesses(settings.workers)


def _is_whole(hearing: str) -> bool:
    if hearing not in HEARING_MODES:
        msg = f"music cannot be heard as '{hearing}': choose {' or '.join(HEARING_MODES)}"
        raise SettingsError(msg)
    return hearing == "whole"


def face_reader(name: str = artifacts.FACE_READER) -> EmotionReader:
    """Return the face reader of this name. Raises ArtifactError."""
    from emotion_dj.vision.emotion import EmotionReader

    return EmotionReader(artifacts.named(name))


def face_detector(name: str) -> FaceDetector:
    """Return the detector of this name. Raises SettingsError, MissingExtra or ArtifactError."""
    from emotion_dj.vision import detectors

    return detectors.make(name)


def _reader_line() -> str:
    return face_reader(settings.load().reader).id


def _detector_line() -> str:
    name = settings.load().detector
    face_detector(name)
    return name


def _audio_line() -> str:
    return audio_model(name=settings.load().audio_model).id


MODELS: Final[Mapping[str, Callable[[], str]]] = {
    "face reader": _reader_line,
    "face detector": _detector_line,
    "audio model": _audio_line,
    "feature model": feature_model_id,
}
"""What `emotion-dj doctor` tries to load, each returning the id of what is there."""
