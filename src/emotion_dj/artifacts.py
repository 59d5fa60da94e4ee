"""From the name of an artifact to a verified local file.

An artifact is one file of weights plus its card, ``NAME.json`` beside it. Ours are packaged in
``_data``; foreign ones are downloaded once into the cache. Every file is checked against a
sha256 before anything opens it, and a download appears under its name only when it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Mapping

DIRECTORY_VARIABLE: Final = "EMOTION_DJ_ARTIFACTS"
"""A folder that is searched before the cache, for machines without a network."""

_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Foreign:
    """A file that others made: its name on disk, its proof, and where it can be had."""

    file: str
    sha256: str
    address: str


FOREIGN: Final[Mapping[str, Foreign]] = {
    "yunet": Foreign(
        file="face_detection_yunet_2023mar.onnx",
        sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        address="https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/"
        "face_detection_yunet/face_detection_yunet_2023mar.onnx",
    ),
}


@dataclass(frozen=True, slots=True)
class Artifact:
    """A verified file of weights and its card (labels, input, preprocessing, metrics, terms)."""

    path: Path
    card: Mapping[str, Any]


def packaged(name: str) -> Artifact:
    """Return one of our own artifacts. Raises ArtifactError if it does not fit its card."""
    return load(Path(str(files("emotion_dj") / "_data" / f"{name}.json")))


def load(card_path: Path) -> Artifact:
    """Read a card and verify the weights that it names, which lie beside it.

    The card is JSON with at least ``file`` and ``sha256``. Raises ArtifactError.
    """
    try:
        card = json.loads(card_path.read_bytes())
        path = card_path.parent / card["file"]
        expected = card["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{card_path} is no model card: name its .json file, or reinstall emotion-dj's own"
        raise ArtifactError(msg) from error
    _verify(path, expected)
    return Artifact(path, card)


def foreign(name: str) -> Path:
    """Return a verified copy of a foreign artifact, downloading it at most once.

    Raises ArtifactError with what to do where it cannot be had.
    """
    wanted = FOREIGN[name]
    for directory in (os.environ.get(DIRECTORY_VARIABLE), _cache()):
        path = Path(directory or "") / wanted.file
        if directory and path.is_file():
            _verify(path, wanted.sha256)
            return path
    return _download(wanted, _cache() / wanted.file)


def digest(data: bytes) -> str:
    """Return the sha256 of the bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _cache() -> Path:
    from platformdirs import user_cache_path  # noqa: PLC0415 - only foreign artifacts need it

    return user_cache_path("emotion-dj") / "artifacts"


def _verify(path: Path, expected: str) -> None:
    try:
        found = digest(path.read_bytes())
    except OSError as error:
        msg = f"the model file {path.name} is missing: reinstall emotion-dj"
        raise ArtifactError(msg) from error
    if found != expected:
        msg = f"the model file {path} is damaged or was replaced (sha256 {found[:12]}): remove it"
        raise ArtifactError(msg)


def _download(wanted: Foreign, target: Path) -> Path:
    import httpx  # noqa: PLC0415 - a network library only for those who download

    try:
        response = httpx.get(wanted.address, timeout=_TIMEOUT_S, follow_redirects=True)
        response.raise_for_status()
    except httpx.HTTPError as error:
        msg = (
            f"{wanted.file} could not be downloaded: fetch it by hand from {wanted.address} "
            f"into a folder and name that folder in {DIRECTORY_VARIABLE}"
        )
        raise ArtifactError(msg) from error
    if digest(response.content) != wanted.sha256:
        msg = f"the download of {wanted.file} does not have the expected sha256: nothing was kept"
        raise ArtifactError(msg)
    return write_atomically(target, response.content)


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
