"""What cannot be seen is not named: hidden parts, cut-off faces and doubtful detections.

Pure functions. Doubt mixes a reading with the uniform one, so that its uncertainty and its weight
in the room follow; reasons are codes: mouth_hidden, eyes_hidden, cut_off, low_score.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.domain import Emotion, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emotion_dj.domain import Face, Reading

    Point = tuple[float, float]

LOW_SCORE: Final = 0.8
"""A less sure detection may be no face, or one far out of focus: its reading abstains."""

SCORES: Final = (0.6, 0.88)
TRUSTS: Final = (0.3, 1.0)
"""How much a reading is trusted whose detection has these scores; between them, in between."""

CHIN: Final = 0.75
FOREHEAD: Final = 0.9
"""How far below the mouth the chin is, and above the eyes the forehead's end, as shares of the way
from the eyes to the mouth."""

OUTSIDE: Final = 0.35
"""A chin or forehead may be outside of the picture by so much of that way."""

_MOUTH: Final = (0.625, 0.917, 0.3125, 0.6875)
"""Top, bottom, left and right of where the mouth is, as shares of a crop's sides."""

_PLAIN: Final = 0.08
"""Mean change from row to row there, at 48 pixels to a side, over the deviation of the face."""

_SIDE: Final = 48
_FLAT: Final = 4

TRUST: Final = {"mouth_hidden": 0.3, "eyes_hidden": 0.6, "cut_off": 0.6}
"""How much of a reading is left where a part is hidden."""

ABSTAIN: Final = frozenset({"mouth_hidden", "low_score"})


def judged(reading: Reading, face: Face, shape: Sequence[int], abstain_below: float) -> Reading:
    """Return a reading of a face in an Image of this shape, as certain as what is seen allows."""
    codes = [reason.code for reason in reading.reasons]
    codes += ["cut_off"] if is_cut_off(face, shape) else []
    codes += ["low_score"] if face.score < LOW_SCORE else []
    trust = _of_score(face.score) * float(np.prod([TRUST.get(code, 1.0) for code in codes]))
    probabilities = {e: _mixed(p, trust) for e, p in reading.probabilities.items()}
    unclear = max(probabilities.values()) < abstain_below or not ABSTAIN.isdisjoint(codes)
    return replace(
        reading,
        probabilities=probabilities,
        abstained=reading.abstained or unclear,
        reasons=tuple(map(Reason, codes)),
    )


def is_mouth_plain(pixels: npt.NDArray[np.uint8]) -> bool:
    """Tell whether a face that is cut out shows nothing where its mouth is, as behind a mask.

    For readers whose network does not say what is hidden. Of 3,589 faces 0.6 % are plain there, of
    clear smiles none, and of drawn masks 96 % (scripts/masks.py).
    """
    grey = pixels.reshape(*pixels.shape[:2], -1).mean(axis=2)
    side = len(grey)
    top, bottom, left, right = (round(share * side) for share in _MOUTH)
    change = np.abs(np.diff(grey[top:bottom, left:right], axis=0)).mean() * side / _SIDE
    return bool(change < _PLAIN * (grey.std() + _FLAT))


def is_cut_off(face: Face, shape: Sequence[int]) -> bool:
    """Tell whether chin or forehead are outside of an Image of this shape (height, width, ...).

    False where a detector gives no landmarks.
    """
    if face.landmarks is None:
        return False
    points = np.array(face.landmarks)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    way = mouth - eyes
    length = float(np.hypot(*way))
    ends = np.array([mouth + CHIN * way, eyes - FOREHEAD * way])
    height, width = shape[:2]
    outside = np.maximum(-ends, ends - (width, height)).max()
    return bool(outside > OUTSIDE * length)


def _of_score(score: float) -> float:
    """Return how much a detection of this score is trusted, 0 to 1."""
    return float(np.interp(score, SCORES, TRUSTS))


def _mixed(probability: float, trust: float) -> float:
    return trust * probability + (1 - trust) / len(Emotion)
