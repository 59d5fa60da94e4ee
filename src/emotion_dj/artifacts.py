"""From the name of an artifact to a verified local file.

An artifact is one file of weights plus its card, ``NAME.json`` beside it, packaged in ``_data``.
Every file is checked against the sha256 in its card before anything opens it.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emotion_dj import installation
from emotion_dj.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Mapping

FACE_READER: Final = "face-6"
FACE_DETECTOR: Final = "detector-1"
AUDIO_MODEL: Final = "ear-6"
FEATURE_MODEL: Final = "mood-2"
"""The artifacts that ship and are used unless a setting names others."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A verified file of weights and its card (labels, input, preprocessing, metrics, terms)."""

    path: Path
    card: Mapping[str, Any]


def packaged(name: str) -> Artifact:
    """Return one of our own artifacts. Raises ArtifactError if it does not fit its card."""
    return load(Path(str(files("emotion_dj") / "_data" / f"{name}.json")))


def named(name: str) -> Artifact:
    """Return the artifact of a name: one of our own, or that of a card, ``....json``, elsewhere.

    Raises ArtifactError.
    """
    return load(Path(name).expanduser()) if name.endswith(".json") else packaged(name)


def load(card_path: Path) -> Artifact:
    """Read a card and verify the weights that it names, which lie beside it.

    The card is JSON with at least ``file`` and ``sha256``. Raises ArtifactError.
    """
    try:
        card = json.loads(card_path.read_bytes())
        path = card_path.parent / card["file"]
        expected = card["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{card_path} is not a model card: name its .json file"
        raise ArtifactError(msg) from error
    _verify(path, expected)
    return Artifact(path, card)


def digest(data: bytes) -> str:
    """Return the sha256 of the bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _verify(path: Path, expected: str) -> None:
    try:
        actual = digest(path.read_bytes())
    except OSError as error:
        msg = f"the model file {path.name} is missing: run  {installation.restore()}"
        raise ArtifactError(msg) from error
    if actual != expected:
        fault = f"is damaged or was replaced (sha256 {actual[:12]})"
        msg = f"the model file {path} {fault}: {_cure(path)}"
        raise ArtifactError(msg)


def _cure(path: Path) -> str:
    """Return what to do about a damaged file: one of ours is restored, another fetched again."""
    ours = path.parent == Path(str(files("emotion_dj") / "_data"))
    return f"run  {installation.restore()}" if ours else "remove it"


def write_atomically(target: Path, data: bytes) -> Path:
    """Write the whole file or nothing: a reader never sees half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        new.write_bytes(data)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    return target
