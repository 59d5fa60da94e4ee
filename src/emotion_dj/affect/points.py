"""The bridge between faces and music: one table, pure functions.

Emotions become points of the valence-arousal plane; a room of faces becomes one point; any point
has a mood as its display.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from emotion_dj.domain import Affect, Emotion, Mood
from emotion_dj.errors import LabelError, LowConfidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from emotion_dj.domain import Face, Reading

_Label = TypeVar("_Label", Emotion, Mood)

AROUSAL_WEIGHT: Final = 1.3
"""How much a step in arousal counts against one in valence; listeners agree better on arousal
(split-half reliability 0.90 against 0.71 on Emotify, whose ratio this is)."""

EMOTION_AFFECT: Final[Mapping[Emotion, tuple[float, float]]] = {
    Emotion.ANGRY: (-0.51, 0.59),
    Emotion.DISGUST: (-0.60, 0.35),
    Emotion.FEAR: (-0.64, 0.60),
    Emotion.HAPPY: (0.81, 0.51),
    Emotion.NEUTRAL: (0.0, 0.0),
    Emotion.SAD: (-0.63, -0.27),
    Emotion.SURPRISE: (0.40, 0.67),
}
"""Mean pleasure and arousal of each word (Russell & Mehrabian 1977, J. Res. Pers. 11, 273-294)."""

Offsets = Mapping[Emotion, tuple[float, float]]
NO_OFFSETS: Final[Offsets] = {}
"""How far a listener stands from these points, by emotion, as `taste.offsets` learns it."""

MOOD_AFFECT: Final[Mapping[Mood, tuple[float, float]]] = {
    Mood.HAPPY: (0.60, 0.35),
    Mood.SAD: (-0.60, -0.35),
    Mood.CALM: (0.35, -0.60),
    Mood.ENERGETIC: (-0.10, 0.75),
}
"""Where a mood leads when somebody asks for it; `mood` tells which mood a point has."""

MOOD_WORDS: Final[tuple[tuple[Mood, float, float], ...]] = (
    (Mood.HAPPY, 0.55, 0.45),  # joyful activation
    (Mood.HAPPY, 0.30, 0.27),  # amazement
    (Mood.SAD, -0.52, -0.36),  # sadness
    (Mood.CALM, 0.16, -0.51),  # calmness
    (Mood.CALM, 0.27, -0.56),  # tenderness
    (Mood.CALM, -0.05, -0.25),  # nostalgia
    (Mood.ENERGETIC, -0.10, 0.61),  # power
    (Mood.ENERGETIC, -0.56, 0.42),  # tension
)
"""Words that listeners chose for what music made them feel (Emotify's scales): the mood that each
belongs to, by what it was chosen together with, and the mean place of the tracks of which it was
said more than any other, in deviations. Solemnity goes with none of the four."""

MOOD_UNCERTAINTY: Final = 0.25
"""Spread of a target that was given as a mood only: a region, not a point."""

_EMOTION_SPELLINGS: Final[Mapping[Emotion, str]] = {
    Emotion.ANGRY: "angry anger mad furious annoyed rage",
    Emotion.DISGUST: "disgust disgusted disgusting",
    Emotion.FEAR: "fear fearful scared afraid frightened anxious",
    Emotion.HAPPY: "happy happiness joy joyful smile smiling glad",
    Emotion.NEUTRAL: "neutral none blank normal",
    Emotion.SAD: "sad sadness unhappy sorrow",
    Emotion.SURPRISE: "surprise surprised surprising astonished amazed",
}
_MOOD_SPELLINGS: Final[Mapping[Mood, str]] = {
    Mood.HAPPY: "happy happiness joyful cheerful bright",
    Mood.SAD: "sad sadness melancholic melancholy gloomy",
    Mood.CALM: "calm calmness relaxed relaxing peaceful chill",
    Mood.ENERGETIC: "energetic energy lively excited intense",
}

CERTAIN: Final = 1.05
"""A face counts by how far its uncertainty stays below this, so that none counts for nothing."""

_FEELABLE: Final = 0.15
_APART: Final = 0.7
_NEARNESS: Final = 0.25
"""Twice the squared distance at which an emotion is by exp(-1/2) as likely as at its own point."""


def parse_emotion(text: str) -> Emotion:
    """Return the emotion that any usual spelling means. Raises LabelError naming the known ones."""
    return _parse(text, _EMOTION_SPELLINGS, kind="emotion")


def parse_mood(text: str) -> Mood:
    """Return the mood that any usual spelling means. Raises LabelError naming the known ones."""
    return _parse(text, _MOOD_SPELLINGS, kind="mood")


def parse_affect(text: str) -> Affect:
    """Return the point written as ``V,A`` (each in [-1, 1]) or as a mood's name.

    Raises LabelError where it is neither.
    """
    if "," not in text:
        return of_mood(_parse(text, _MOOD_SPELLINGS, kind="mood", more=_OR_A_POINT))
    try:
        valence, arousal = (float(part) for part in text.split(","))
    except ValueError:
        valence = arousal = math.nan
    if not (abs(valence) <= 1 and abs(arousal) <= 1):
        msg = f"'{text}' is not a point of the plane: write V,A, each from -1 to 1, as in 0.5,-0.2"
        raise LabelError(msg)
    return Affect(valence, arousal)


def parse_place(text: str) -> Affect:
    """Return the point that an emotion, a mood or ``V,A`` stands for, as a person says it of
    themselves. Raises LabelError.
    """
    with suppress(LabelError):
        return of_emotion(parse_emotion(text))
    with suppress(LabelError):
        return of_mood(parse_mood(text))
    if "," in text:
        return parse_affect(text)
    choices = ", ".join(dict.fromkeys([*Emotion, *Mood]))
    msg = f"unknown emotion or mood '{text}': choose {choices}{_OR_A_POINT}"
    raise LabelError(msg)


def of_mood(mood: Mood) -> Affect:
    """Return the target that a mood alone stands for: the middle of its region, and wide."""
    return Affect(*MOOD_AFFECT[mood], uncertainty=MOOD_UNCERTAINTY, stated_label=mood)


def of_emotion(emotion: Emotion) -> Affect:
    """Return the point of an emotion that a person named: certain."""
    return Affect(*EMOTION_AFFECT[emotion], stated_label=emotion)


def of_reading(reading: Reading, offsets: Offsets = NO_OFFSETS) -> Affect:
    """Return the expected affect over the whole probability vector.

    ``offsets`` move each emotion's point for a listener who has corrected readings. The
    uncertainty is the entropy of the reading over that of a uniform one: doubt widens the target.
    Where the model read the place itself, that counts.
    """
    probabilities = reading.probabilities.items()
    entropy = -sum(p * math.log(p) for _, p in probabilities if p > 0)
    points = [
        (p, EMOTION_AFFECT[emotion], offsets.get(emotion, (0.0, 0.0)))
        for emotion, p in probabilities
    ]
    uncertainty = min(1.0, entropy / math.log(len(Emotion)))
    if reading.affect is not None:
        return replace(reading.affect, uncertainty=uncertainty)
    return Affect(
        valence=_within(sum(p * (point[0] + off[0]) for p, point, off in points)),
        arousal=_within(sum(p * (point[1] + off[1]) for p, point, off in points)),
        uncertainty=uncertainty,
    )


def likely_emotions(point: Affect) -> dict[Emotion, float]:
    """Return probabilities of the emotions for a face of which only the place is read: the nearer
    the point of an emotion, the likelier.
    """
    near = {e: math.exp(-(distance(point, of_emotion(e)) ** 2) / _NEARNESS) for e in Emotion}
    total = math.fsum(near.values())
    return {emotion: value / total for emotion, value in near.items()}


def _within(value: float) -> float:
    return max(-1.0, min(1.0, value))


def aggregate(
    faces: Sequence[Face], readings: Sequence[Reading], offsets: Offsets = NO_OFFSETS
) -> Affect:
    """Return the affect of everyone together: large and certain faces count more.

    Readings that abstain count only where all do. The uncertainty holds both the doubt within the
    readings and the disagreement between them. Raises Unsure where there is no reading.
    """
    if not readings:
        msg = "there is no face to read"
        raise LowConfidence(msg)
    pairs = list(zip(faces, readings, strict=True))
    counted = [pair for pair in pairs if not pair[1].abstained] or pairs
    points = [of_reading(reading, offsets) for _, reading in counted]
    weights = [
        face.box.w * face.box.h * (CERTAIN - point.uncertainty)
        for (face, _), point in zip(counted, points, strict=True)
    ]
    return mean(points, weights)


def disagree(readings: Iterable[Reading]) -> bool:
    """Say whether two certain faces stand so far apart that one set cannot meet both."""
    points = [of_reading(reading) for reading in readings if not reading.abstained]
    return any(distance(a, b) > _APART for a in points for b in points)


def distance(a: Affect, b: Affect) -> float:
    """Return the arousal-weighted Euclidean distance of two points, uncertainty left aside."""
    return math.hypot(a.valence - b.valence, math.sqrt(AROUSAL_WEIGHT) * (a.arousal - b.arousal))


def mood(affect: Affect) -> Mood:
    """Return the mood of the word (MOOD_WORDS) that stands nearest to a point."""
    return min(MOOD_WORDS, key=lambda word: distance(affect, Affect(*word[1:])))[0]


def describe(affect: Affect) -> tuple[str, ...]:
    """Return the words for where a point lies, one or two of bright, dark, lively, tense and calm,
    or balanced alone.
    """
    bright = _side(affect.valence, low="dark", high="bright")
    lively = _side(affect.arousal, low="calm", high="tense" if bright == "dark" else "lively")
    return tuple(word for word in (bright, lively) if word) or ("balanced",)


def mean(points: Sequence[Affect], weights: Sequence[float]) -> Affect:
    """Return the middle of one or more points, each counted by its weight, 0 or more.

    The uncertainty holds both that of the points and how far they stand apart.
    """
    total = math.fsum(weights)
    # Boxes without an area say nothing of whose face counts more.
    shares = [weight / total if total > 0 else 1 / len(weights) for weight in weights]
    counted = list(zip(shares, points, strict=True))
    centre = Affect(sum(s * p.valence for s, p in counted), sum(s * p.arousal for s, p in counted))
    within = sum(s * p.uncertainty**2 for s, p in counted)
    between = sum(s * distance(p, centre) ** 2 for s, p in counted)
    return Affect(centre.valence, centre.arousal, min(1.0, math.sqrt(within + between)))


def _side(value: float, *, low: str, high: str) -> str:
    if abs(value) < _FEELABLE:
        return ""
    return high if value > 0 else low


_OR_A_POINT: Final = ", or write a point V,A, each from -1 to 1, as in 0.5,-0.2"


def _parse(text: str, spellings: Mapping[_Label, str], *, kind: str, more: str = "") -> _Label:
    word = text.strip().lower()
    for label, words in spellings.items():
        if word in words.split():
            return label
    msg = f"unknown {kind} '{text}': choose {', '.join(spellings)}{more}"
    raise LabelError(msg)
