"""The way: a photo goes in, a DJ set comes out. `DJ.look` and `DJ.recommend` show all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from emotion_dj import affect
from emotion_dj.domain import Affect, DJSet, Emotion, Mood, PhotoAnalysis, Reason
from emotion_dj.errors import LibraryError, LowConfidence, NoFace, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from emotion_dj.domain import (
        Candidates,
        Face,
        Image,
        Pick,
        Plan,
        Preferences,
        Reading,
    )
    from emotion_dj.interfaces import EmotionModel, FaceDetector, Ranker

    Sized = tuple[Image, float]
    """A picture of a photo, and how many pixels of the photo one of its spans to a side."""

Aggregate = Literal["room", "each"]
"""Whom a set serves: everyone's common middle, or each face in turns."""

SMALL: Final = 96
"""Pixels of a face's box below which a larger picture shows more: twice what the reader sees."""

FAR: Final = 0.8
"""Mean distance of the picks from the path beyond which a note says so."""

_OPENINGS: Final = {
    "lift": Reason("to_lift"),
    "calm": Reason("to_calm"),
    "liven": Reason("to_liven"),
    "vent": Reason("to_vent"),
    "journey": Reason("journey"),
}
"""What a plan answers, whoever asks; `match` answers what was seen or said."""


@dataclass(frozen=True, slots=True)
class DJ:
    """Sees, ranks and says why; made of any detector, model and ranker that fit `interfaces`.

    ``offsets`` are what corrections have taught about this listener (`taste.offsets`).
    """

    detector: FaceDetector
    model: EmotionModel
    ranker: Ranker
    offsets: affect.Offsets = field(default_factory=dict)

    def look(
        self, image: Image, factor: float = 1.0, whole: Callable[[], Sized] | None = None
    ) -> PhotoAnalysis:
        """Read every face of an image, largest first. Raises NoFace.

        A pixel of the image spans ``factor`` pixels of the photo to a side, and boxes are those of
        the photo. Faces that are SMALL in the image are read from the ``whole`` of it.
        """
        faces = self.detector.detect(image)
        if not faces:
            msg = "no face found: try a photo with more light, nearer and facing the camera"
            raise NoFace(msg)
        if whole and factor > 1 and min(min(face.box.w, face.box.h) for face in faces) < SMALL:
            image, finer = whole()
            faces, factor = [face.scaled(factor / finer) for face in faces], finer
        readings = self.model.read(image, faces)
        return self.combine([face.scaled(factor) for face in faces], readings)

    def combine(self, faces: Sequence[Face], readings: Sequence[Reading]) -> PhotoAnalysis:
        """Return what faces and their readings, one for each, say together of this listener."""
        room = affect.aggregate(faces, readings, self.offsets)
        return PhotoAnalysis(tuple(faces), tuple(readings), room)

    def recommend(  # noqa: PLR0913 - what a set follows from, each by its name
        self,
        start: PhotoAnalysis | Affect,
        candidates: Candidates,
        preferences: Preferences,
        plan: Plan,
        *,
        n: int,
        seed: int = 0,
        aggregate: Aggregate = "room",
    ) -> DJSet:
        """Answer what was seen, or what the listener says of themselves, with n songs.

        ``preferences`` are what the listener makes of the candidates. Fewer songs where there are
        fewer. Raises LowConfidence where every reading abstains, LibraryError where there is no
        music, SettingsError where n is not the length of a set.
        """
        if n < 1:
            msg = f"a set of {n} songs is none: ask for one or more"
            raise SettingsError(msg)
        if not len(candidates):
            msg = "there is no music to choose from: name a folder with --library"
            raise LibraryError(msg)
        path = self.path(start, plan, n, aggregate)
        picks = tuple(self.ranker.rank(path, candidates, preferences, seed=seed))
        opening = _OPENINGS.get(plan.name) or _opening(start)
        room = start.affect if isinstance(start, PhotoAnalysis) else start
        return DJSet(picks, plan, tuple(path), room, opening, tuple(_notes(start, picks, path)))

    def path(
        self, start: PhotoAnalysis | Affect, plan: Plan, n: int, aggregate: Aggregate = "room"
    ) -> list[Affect]:
        """Return the n targets of a set. Raises LowConfidence where every reading abstains."""
        return affect.path(plan, self._points(start, aggregate), n)

    def _points(self, start: PhotoAnalysis | Affect, aggregate: Aggregate) -> list[Affect]:
        if not isinstance(start, PhotoAnalysis):
            return [start]
        sure = [reading for reading in start.readings if not reading.abstained]
        if not sure:
            msg = "the expression cannot be told from this photo: say it yourself with --mood"
            raise LowConfidence(msg)
        if aggregate == "room":
            return [start.affect]
        return [affect.of_reading(reading, self.offsets) for reading in sure]


def _opening(start: PhotoAnalysis | Affect) -> Reason:
    if not isinstance(start, PhotoAnalysis):
        return _stated(start)
    sure = [reading for reading in start.readings if not reading.abstained]
    emotions = {reading.emotion for reading in sure}
    if len(emotions) > 1 or len(sure) < len(start.readings):
        return Reason("room_looks", {"words": list(affect.describe(start.affect))})
    code = "you_look" if len(sure) == 1 else "all_look"
    return Reason(code, {"emotion": emotions.pop().value})


def _stated(point: Affect) -> Reason:
    """Return what the listener stated; a point that has no name is described, not renamed."""
    label = point.stated_label
    if isinstance(label, Emotion):
        return Reason("you_said", {"emotion": label.value})
    if isinstance(label, Mood):
        return Reason("you_want_mood", {"mood": label.value})
    return Reason("you_want_place", {"words": list(affect.describe(point))})


def _notes(
    start: PhotoAnalysis | Affect, picks: Sequence[Pick], path: Sequence[Affect]
) -> Iterator[Reason]:
    if isinstance(start, PhotoAnalysis) and affect.disagree(start.readings):
        yield Reason("faces_disagree")
    if len(picks) < len(path):
        yield Reason("few_tracks", {"count": len(picks)})
    gaps = [affect.distance(pick.affect, goal) for pick, goal in zip(picks, path, strict=False)]
    if gaps and sum(gaps) / len(gaps) > FAR:
        yield Reason("far", {"words": list(affect.describe(_middle(picks)))})


def _middle(picks: Sequence[Pick]) -> Affect:
    """Return the mean place of the picks."""
    places = [pick.affect for pick in picks]
    valence, arousal = (
        sum(getattr(place, axis) for place in places) / len(places)
        for axis in ("valence", "arousal")
    )
    return Affect(valence, arousal)
