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

from emotion_dj import affect, artifacts, installation
from emotion_dj.domain import Affect, Emotion, Reading, Reason
from emotion_dj.errors import ArtifactError
from emotion_dj.vision import runtime, visibility

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emotion_dj.artifacts import Artifact
    from emotion_dj.domain import Box, Face, Image

    Floats = npt.NDArray[np.float32]

ARTIFACT: Final = artifacts.FACE_READER
_PLANE: Final = ("valence", "arousal")
DIAGONAL: Final = 1.5
"""Reach of what is cut out before it is turned by a slant, over that of the square."""

_NOTHING: Final = np.zeros(0, np.float32)
Number = TypeVar("Number", bound=np.floating[Any])


@dataclass(frozen=True, slots=True)
class Contract:
    """The part of the card that serving needs.

    ``side`` is that of the network's square input in pixels, ``channels`` 1 for grey or 3 for red,
    green and blue, ``order`` NHWC or NCHW; ``crop`` is the side of the square around a face over
    the geometric mean of the detector's box; ``epsilon`` keeps the deviation of a flat crop from 0.
    The first output is a logit for each emotion, or valence and arousal where ``output`` is affect;
    the second, where there is one, a logit for each part in ``hidden``. ``temperature`` divides the
    logits; a reading whose largest probability is under ``abstain_below`` abstains.
    """

    id: str
    side: int
    crop: float
    epsilon: float
    temperature: float
    abstain_below: float
    channels: int = 1
    order: str = "NHWC"
    output: str = "emotions"
    hidden: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of the network's input."""
        if self.order == "NCHW":
            return 1, self.channels, self.side, self.side
        return 1, self.side, self.side, self.channels

    @property
    def outputs(self) -> int:
        """How many numbers the network's first output has."""
        return len(_PLANE) if self.output == "affect" else len(Emotion)

    @classmethod
    def of(cls, card: Mapping[str, Any]) -> Contract:
        """Take the contract out of a card. Raises ArtifactError where the card lacks a part."""
        try:
            labels = _PLANE if card.get("output") == "affect" else tuple(Emotion)
            if tuple(card["labels"]) != labels:
                msg = f"the card of {card['id']} has other labels than {', '.join(labels)}"
                raise ArtifactError(msg)
            _check_truth(card)
            return cls(
                id=card["id"],
                side=card["input"]["side"],
                crop=card["preprocessing"]["crop"],
                epsilon=card["preprocessing"]["epsilon"],
                temperature=card["calibration"]["temperature"],
                abstain_below=card["calibration"]["abstain_below"],
                channels=card["input"].get("channels", 1),
                order=card["input"].get("order", "NHWC"),
                output=card.get("output", "emotions"),
                hidden=tuple(card.get("hidden", ())),
            )
        except (KeyError, TypeError) as error:
            msg = f"the card of the face reader lacks {error}: run  {installation.restore()}"
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
        self._network = _Network(artifact, self.contract)

    @property
    def id(self) -> str:
        """Name and version of the network."""
        return self.contract.id

    def read(self, image: Image, faces: Sequence[Face]) -> list[Reading]:
        """Return one calibrated reading per face, in the order of the faces."""
        return [self._read(image, face) for face in faces]

    def _read(self, image: Image, face: Face) -> Reading:
        reading = self.read_crop(self.cut(image, face.box, face.turned))
        return visibility.judged(reading, face, image.shape, self.contract.abstain_below)

    def cut(self, image: Image, box: Box, turned: int = 0) -> npt.NDArray[np.uint8]:
        """Cut out what the network wants to see of a face: uint8 (side, side), or with colours."""
        return crop(image, box, self.contract, turned)

    def read_crop(self, pixels: npt.NDArray[np.uint8]) -> Reading:
        """Read one face that is cut out already, as `cut` gives it."""
        scores, hidden = self._network(prepare(pixels, self.contract.epsilon))
        point = _point(scores) if self.contract.output == "affect" else None
        likely = affect.likely_emotions(point) if point else self._calibrated(scores)
        return Reading(
            likely,
            model=self.contract.id,
            abstained=max(likely.values()) < self.contract.abstain_below,
            reasons=tuple(Reason(part) for part in self._hidden(pixels, hidden)),
            affect=point,
        )

    def _calibrated(self, logits: Floats) -> dict[Emotion, float]:
        probabilities = softmax(logits / self.contract.temperature)
        return dict(zip(Emotion, map(float, probabilities), strict=True))

    def _hidden(self, pixels: npt.NDArray[np.uint8], logits: Floats) -> list[str]:
        """Return the parts that are rather hidden than seen; the pixels tell where it does not."""
        if not self.contract.hidden:
            return ["mouth_hidden"] if visibility.is_mouth_plain(pixels) else []
        return [part for part, logit in zip(self.contract.hidden, logits, strict=True) if logit > 0]

    def whole(self, image: Image) -> npt.NDArray[np.uint8]:
        """Take a whole image for a face that is cut out already, as `cut` gives it."""
        return _small(Pillow.fromarray(image), self.contract)

    def logits(self, face: Floats) -> Floats:
        """Return the network's raw scores (7,) of a prepared face (side, side)."""
        return self._network(face)[0]


def crop(image: Image, box: Box, contract: Contract, turned: int = 0) -> npt.NDArray[np.uint8]:
    """Cut out the square that the network was trained on, upright: uint8 (side, side), or
    (side, side, 3) where the network sees colours.

    The square shares the centre of the box; where it leaves the image, the edge is continued.
    ``turned`` is that of the face.
    """
    half = max(1.0, contract.crop * float(np.sqrt(box.w * box.h)) / 2)
    quarters = round(turned / 90)
    slant = turned - 90 * quarters
    window, x, y = _window(image, box, half * (DIAGONAL if slant else 1))
    rows, columns, _ = window.shape
    for _ in range(quarters % 4):
        x, y, rows, columns = rows - y, x, columns, rows
    square = Pillow.fromarray(np.ascontiguousarray(np.rot90(window, -quarters)))
    if slant:
        square = square.rotate(-slant, Pillow.Resampling.BILINEAR, center=(x, y))
    return _small(square, contract, (x - half, y - half, x + half, y + half))


def _window(image: Image, box: Box, reach: float) -> tuple[Image, float, float]:
    """Return the whole pixels that lie so far around a box's centre, and where in them it is."""
    x, y = box.x + box.w / 2, box.y + box.h / 2
    left, top = int(np.floor(x - reach)), int(np.floor(y - reach))
    right, bottom = int(np.ceil(x + reach)), int(np.ceil(y + reach))
    height, width, _ = image.shape
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return image[top:bottom, left:right], x - left, y - top
    rows = np.clip(np.arange(top, bottom), 0, height - 1)
    columns = np.clip(np.arange(left, right), 0, width - 1)
    return image[np.ix_(rows, columns)], x - left, y - top


def _small(
    picture: Pillow.Image,
    contract: Contract,
    box: tuple[float, float, float, float] | None = None,
) -> npt.NDArray[np.uint8]:
    picture = picture.convert("L" if contract.channels == 1 else "RGB")
    size = contract.side, contract.side
    return np.asarray(picture.resize(size, Pillow.Resampling.BILINEAR, box=box))


def _point(scores: Floats) -> Affect:
    valence, arousal = np.clip(scores[:2], -1, 1).tolist()
    return Affect(valence, arousal)


def prepare(pixels: npt.NDArray[np.uint8], epsilon: float) -> Floats:
    """Standardise one face: float32 of the same shape with mean 0 and deviation about 1."""
    face = pixels.astype(np.float32) / 255
    return np.asarray((face - face.mean()) / (face.std() + np.float32(epsilon)), np.float32)


def softmax(logits: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Return probabilities of the same shape that sum to 1 along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), logits.dtype)


class _Network:
    """The LiteRT interpreter, which is not thread-safe by itself."""

    def __init__(self, artifact: Artifact, contract: Contract) -> None:
        self._interpreter = runtime.interpreter(artifact.path)
        (taken,) = self._interpreter.get_input_details()
        given = self._interpreter.get_output_details()
        if tuple(taken["shape"]) != contract.shape or given[0]["shape"][-1] != contract.outputs:
            cure = f"run  {installation.restore()}"
            msg = f"the weights {artifact.path.name} do not fit their card: {cure}"
            raise ArtifactError(msg)
        self._shape = contract.shape
        self._input = taken["index"]
        self._outputs = [output["index"] for output in given]
        self._channels_first = contract.order == "NCHW"
        self._lock = threading.Lock()

    def __call__(self, face: Floats) -> tuple[Floats, Floats]:
        """Return the first output of a prepared face, and the second, empty where there is none."""
        if self._channels_first and face.ndim > 2:  # noqa: PLR2004 - colours
            face = face.transpose(2, 0, 1)
        with self._lock:
            self._interpreter.set_tensor(self._input, face.reshape(self._shape))
            self._interpreter.invoke()
            outputs = [self._interpreter.get_tensor(index)[0] for index in self._outputs]
        return outputs[0], outputs[1] if len(outputs) > 1 else _NOTHING
