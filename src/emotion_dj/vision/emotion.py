"""Reading expressions with our LiteRT network: crop, prepare, run, calibrate, abstain.

What the network expects stands in its card and is computed here only; training imports `prepare`,
so both sides see the same pixels (`tests/training/test_emotion.py`).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from emotion_dj import artifacts
from emotion_dj.domain import Emotion, Reading
from emotion_dj.errors import ArtifactError
from emotion_dj.vision import runtime

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emotion_dj.artifacts import Artifact
    from emotion_dj.domain import Box, Face, Image

    Floats = npt.NDArray[np.float32]

ARTIFACT: Final = "face-5"
Number = TypeVar("Number", bound=np.floating[Any])


@dataclass(frozen=True, slots=True)
class Contract:
    """The part of the card that serving needs.

    ``side`` is that of the network's square input in pixels; ``crop`` is the side of the square
    around a face over the geometric mean of the detector's box; ``epsilon`` keeps the deviation of
    a flat crop from 0; ``temperature`` divides the logits; a reading whose largest probability is
    under ``abstain_below`` abstains.
    """

    id: str
    side: int
    crop: float
    epsilon: float
    temperature: float
    abstain_below: float

    @classmethod
    def of(cls, card: Mapping[str, Any]) -> Contract:
        """Take the contract out of a card. Raises ArtifactError where the card lacks a part."""
        try:
            if tuple(card["labels"]) != tuple(Emotion):
                msg = f"the card of {card['id']} has other labels than {', '.join(Emotion)}"
                raise ArtifactError(msg)
            _check_truth(card)
            return cls(
                id=card["id"],
                side=card["input"]["side"],
                crop=card["preprocessing"]["crop"],
                epsilon=card["preprocessing"]["epsilon"],
                temperature=card["calibration"]["temperature"],
                abstain_below=card["calibration"]["abstain_below"],
            )
        except (KeyError, TypeError) as error:
            msg = f"the card of the face reader lacks {error}: reinstall emotion-dj"
            raise ArtifactError(msg) from error


def _check_truth(card: Mapping[str, Any]) -> None:
    """Hold a card to its word: what it says it reads was chosen for this very file."""
    truth = card.get("truth", {})
    if truth and truth["sha256"] != card["sha256"]:
        msg = (
            f"the card of {card['id']} promises {truth['name']} as the truth, but that was chosen "
            "for another file: make it again with emotion-dj train emotion"
        )
        raise ArtifactError(msg)


class EmotionReader:
    """Our reader; fits `interfaces.EmotionModel` and may be shared between threads."""

    def __init__(self, artifact: Artifact | None = None) -> None:
        """Load the weights and check them against their card.

        Raises ArtifactError or MissingRuntime.
        """
        artifact = artifact or artifacts.packaged(ARTIFACT)
        self.card = artifact.card
        self.contract = Contract.of(artifact.card)
        self._network = _Network(artifact, self.contract.side)

    @property
    def id(self) -> str:
        """Name and version of the network."""
        return self.contract.id

    def read(self, image: Image, faces: Sequence[Face]) -> list[Reading]:
        """Return one calibrated reading per face, in the order of the faces."""
        return [self.read_crop(self.cut(image, face.box)) for face in faces]

    def cut(self, image: Image, box: Box) -> npt.NDArray[np.uint8]:
        """Cut out what the network wants to see of a face: grey uint8 (side, side)."""
        return crop(image, box, self.contract)

    def read_crop(self, pixels: npt.NDArray[np.uint8]) -> Reading:
        """Read one face that is cut out already: grey uint8 (side, side)."""
        logits = self.logits(prepare(pixels, self.contract.epsilon))
        probabilities = softmax(logits / self.contract.temperature)
        return Reading(
            dict(zip(Emotion, map(float, probabilities), strict=True)),
            model=self.contract.id,
            abstained=bool(probabilities.max() < self.contract.abstain_below),
        )

    def whole(self, image: Image) -> npt.NDArray[np.uint8]:
        """Take a whole image for a face that is cut out already: grey uint8 (side, side)."""
        return _grey(Pillow.fromarray(image), self.contract.side)

    def logits(self, face: Floats) -> Floats:
        """Return the network's raw scores (7,) of a prepared face (side, side)."""
        return self._network(face)


def crop(image: Image, box: Box, contract: Contract) -> npt.NDArray[np.uint8]:
    """Cut out the square that the network was trained on: grey uint8 (side, side).

    The square shares the centre of the box; where it leaves the image, the edge is continued.
    """
    half = max(1.0, contract.crop * float(np.sqrt(box.w * box.h)) / 2)
    x, y = box.x + box.w / 2, box.y + box.h / 2
    left, top = int(np.floor(x - half)), int(np.floor(y - half))
    right, bottom = int(np.ceil(x + half)), int(np.ceil(y + half))
    height, width, _ = image.shape
    rows = np.clip(np.arange(top, bottom), 0, height - 1)
    columns = np.clip(np.arange(left, right), 0, width - 1)
    square = Pillow.fromarray(image[np.ix_(rows, columns)])
    exact = (x - half - left, y - half - top, x + half - left, y + half - top)
    return _grey(square, contract.side, exact)


def _grey(
    picture: Pillow.Image, side: int, box: tuple[float, float, float, float] | None = None
) -> npt.NDArray[np.uint8]:
    small = picture.convert("L").resize((side, side), Pillow.Resampling.BILINEAR, box=box)
    return np.asarray(small)


def prepare(pixels: npt.NDArray[np.uint8], epsilon: float) -> Floats:
    """Standardise one grey face: float32 of the same shape with mean 0 and deviation about 1."""
    face = pixels.astype(np.float32) / 255
    return np.asarray((face - face.mean()) / (face.std() + np.float32(epsilon)), np.float32)


def softmax(logits: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Return probabilities of the same shape that sum to 1 along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), logits.dtype)


class _Network:
    """The LiteRT interpreter, which is not thread-safe by itself."""

    def __init__(self, artifact: Artifact, side: int) -> None:
        self._interpreter = runtime.interpreter(artifact.path)
        (taken,) = self._interpreter.get_input_details()
        given, *_ = self._interpreter.get_output_details()  # what is hidden may come after it
        if tuple(taken["shape"]) != (1, side, side, 1) or given["shape"][-1] != len(Emotion):
            msg = f"the weights {artifact.path.name} do not fit their card: reinstall emotion-dj"
            raise ArtifactError(msg)
        self._input, self._output = taken["index"], given["index"]
        self._lock = threading.Lock()

    def __call__(self, face: Floats) -> Floats:
        with self._lock:
            self._interpreter.set_tensor(self._input, face[np.newaxis, :, :, np.newaxis])
            self._interpreter.invoke()
            logits: Floats = self._interpreter.get_tensor(self._output)[0]
            return logits
