"""The way: a photo goes in, a DJ set comes out. `DJ.look` and `DJ.recommend` show all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from emotion_dj import affect
from emotion_dj.domain import DJSet, Emotion, Mood, PhotoAnalysis, Reason
from emotion_dj.errors import LibraryError, LowConfidence, NoFace, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emotion_dj.domain import (
        Affect,
        Candidates,
        Face,
        Image,
        Pick,
        Plan,
        Preferences,
        Reading,
    )
    from emotion_dj.interfaces import EmotionModel, FaceDetector, Ranker

Aggregate = Literal["room", "each"]
"""Whom a set serves: everyone's common middle, or each face in turns."""

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

    def look(self, image: Image) -> PhotoAnalysis:
        """Read every face of an image, largest first. Raises NoFace."""
        faces = self.detector.detect(image)
        if not faces:
            msg = "no face found: try a photo with more light, nearer and facing the camera"
            raise NoFace(msg)
        return self.combine(faces, self.model.read(image, faces))

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
        yield Reason("far")
