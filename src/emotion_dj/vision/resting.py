"""The resting face: how a person's own neutral picture makes their readings theirs. Pure functions.

Of some people a calm face is read as sad or angry. What counts is then how far a reading is from
that of their calm face: the difference of log probabilities, shrunk, beside what a calm face
usually gives. Nothing else of the neutral picture is kept, and no identity is computed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from emotion_dj.domain import Emotion
from emotion_dj.errors import RestingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emotion_dj.domain import PhotoAnalysis, Reading

    Resting = Mapping[Emotion, float]

SMILE: Final = 0.6
"""A resting face that is happier is none."""

STRENGTH: Final = 0.7
"""How much of the difference counts, and so how little a picture at a bad moment can do."""

CALM: Final = {e: 0.7 if e is Emotion.NEUTRAL else 0.05 for e in Emotion}
"""What a calm face should give: neutral, with room for a change towards any emotion."""

FLOOR: Final = 0.002
"""Added to a resting face's probabilities: of two that are nearly 0 the lesser says nothing."""

TOLERANCE: Final = 0.01


def relative(reading: Reading, resting: Resting, *, abstain_below: float) -> Reading:
    """Return a person's reading as it differs from that of their resting face.

    ``abstain_below`` is that of the model. What abstained because a part is hidden still does, and
    a place that the model read itself stays.
    """
    scores = {
        emotion: math.log(max(p, 1e-9)) + STRENGTH * _correction(emotion, resting)
        for emotion, p in reading.probabilities.items()
    }
    top = max(scores.values())
    powers = {emotion: math.exp(score - top) for emotion, score in scores.items()}
    total = math.fsum(powers.values())
    probabilities = {emotion: power / total for emotion, power in powers.items()}
    hidden = reading.abstained and bool(reading.reasons)
    unclear = max(probabilities.values()) < abstain_below
    return replace(reading, probabilities=probabilities, abstained=hidden or unclear)


def check(resting: Mapping[Emotion, float] | Mapping[str, float]) -> Resting:
    """Return a resting face: all seven probabilities by the names of the emotions, or by these.

    Raises RestingError where they are none, or where it smiles.
    """
    whole = set(resting) == set(Emotion) and all(0 <= p <= 1 for p in resting.values())
    if not whole or abs(math.fsum(resting.values()) - 1) > TOLERANCE:
        msg = "a resting face is a probability for each of the seven emotions, which sum to 1"
        raise RestingError(msg)
    if resting[Emotion.HAPPY] > SMILE:
        msg = "the resting face smiles: take a picture of a calm face, with nothing to show"
        raise RestingError(msg)
    return {Emotion(name): p for name, p in resting.items()}


def of_photo(analysis: PhotoAnalysis) -> Resting:
    """Return the resting face that a neutral picture shows.

    Raises RestingError where it shows several people, a smile, or too little of the face.
    """
    if len(analysis.readings) > 1:
        msg = f"the resting face is to be of one person: {len(analysis.readings)} are in this photo"
        raise RestingError(msg)
    (reading,) = analysis.readings
    if reading.reasons and reading.abstained:
        msg = (
            "too little of the resting face can be seen: take it in the light, whole and uncovered"
        )
        raise RestingError(msg)
    return check({emotion.value: p for emotion, p in reading.probabilities.items()})


def _correction(emotion: Emotion, resting: Resting) -> float:
    return math.log(CALM[emotion] + FLOOR) - math.log(resting[emotion] + FLOOR)
