"""What is seen: pictures, faces, readings, and where they stand on the plane."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from emotion_dj.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Mapping


_ROUNDING: Final = 1e-6


_EDGE: Final = 1 + _ROUNDING


Image = npt.NDArray[np.uint8]
"""An upright RGB picture, uint8 of shape (height, width, 3): decoded, rotated, no metadata."""


class Emotion(StrEnum):
    """The expression of a face: the seven classes of FER2013, in alphabetical order."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    NEUTRAL = "neutral"
    SAD = "sad"
    SURPRISE = "surprise"


class Mood(StrEnum):
    """The display of a track's affect in one word."""

    HAPPY = "happy"
    SAD = "sad"
    CALM = "calm"
    ENERGETIC = "energetic"


class Box(NamedTuple):
    """An axis-aligned rectangle in pixels of the Image; (x, y) is its upper left corner."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Face:
    """One face found in an Image.

    ``score`` is the detector's confidence in [0, 1]; ``landmarks`` are (x, y) pixels of right eye,
    left eye, nose tip, right and left corner of the mouth, where the detector gives them.
    ``turned`` is by how many degrees clockwise the Image has to be turned to set the face upright,
    0 to 359; the box is that of the Image as it is.
    """

    box: Box
    score: float
    landmarks: tuple[tuple[float, float], ...] | None = None
    turned: int = 0

    def scaled(self, factor: float) -> Face:
        """Return the face in an Image whose sides are this many times as long."""
        landmarks = self.landmarks and tuple((x * factor, y * factor) for x, y in self.landmarks)
        box = Box(*(value * factor for value in self.box))
        return replace(self, box=box, landmarks=landmarks)

    def shifted(self, x: float, y: float) -> Face:
        """Return the face in an Image that begins so many pixels farther left and higher up."""
        landmarks = self.landmarks and tuple((a + x, b + y) for a, b in self.landmarks)
        box = self.box._replace(x=self.box.x + x, y=self.box.y + y)
        return replace(self, box=box, landmarks=landmarks)


@dataclass(frozen=True, slots=True)
class Reading:
    """Calibrated probabilities over the seven emotions of one face; they sum to 1.

    ``abstained`` is true where the most probable emotion is too improbable to be named, or too much
    of the face is hidden; ``reasons`` are codes of what makes it less certain. ``affect`` is where
    a model that reads the plane itself puts the face; None where the probabilities decide.
    """

    probabilities: Mapping[Emotion, float]
    model: str
    abstained: bool = False
    reasons: tuple[Reason, ...] = ()
    affect: Affect | None = None

    @property
    def emotion(self) -> Emotion:
        """The most probable emotion, whether or not the reading abstains."""
        return max(self.probabilities, key=self.probabilities.__getitem__)


@dataclass(frozen=True, slots=True)
class Affect:
    """A point on the plane of core affect (Russell 1980), each axis in [-1, 1].

    ``uncertainty`` in [0, 1] says how far off the point may be: 0 is certain, 1 is anywhere.
    ``stated_label`` is the word by which a person named the point; points are equal by whatever
    name. Raises LabelError where a value is out of its range by more than rounding, or no number.
    """

    valence: float
    arousal: float
    uncertainty: float = 0.0
    stated_label: Emotion | Mood | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is nowhere on the plane: nothing is near to it, and ranking would not end."""
        axes = abs(self.valence) <= _EDGE and abs(self.arousal) <= _EDGE
        if not (axes and -_ROUNDING <= self.uncertainty <= _EDGE):
            place = f"({self.valence:g}, {self.arousal:g}) with uncertainty {self.uncertainty:g}"
            msg = (
                f"{place} is not a point of the plane: valence and arousal go from -1 to 1, "
                "uncertainty from 0 to 1"
            )
            raise LabelError(msg)


@dataclass(frozen=True, slots=True)
class PhotoAnalysis:
    """What was seen in one Image: the faces (largest first), their readings, the room's affect."""

    faces: tuple[Face, ...]
    readings: tuple[Reading, ...]
    affect: Affect


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is as it is: a code, and the values that go with it; never a sentence.

    `messages` puts it into English and the page into the listener's language. The values are
    plain JSON: numbers, words that are codes themselves, and lists of them.
    """

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
