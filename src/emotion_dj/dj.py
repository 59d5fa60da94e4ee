"""The way: a photo goes in, a set of songs comes out. `DJ.play` and `DJ.answer` show all of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from emotion_dj import affect
from emotion_dj.domain import DJSet, Emotion, PhotoAnalysis
from emotion_dj.errors import LibraryError, LowConfidence, NoFace, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emotion_dj.domain import Affect, Candidates, Face, Image, Pick, Plan, Reading
    from emotion_dj.interfaces import EmotionModel, FaceDetector, Ranker

Faces = Literal["room", "each"]
"""Whom a set serves: everyone's common middle, or each face in turns."""

FAR: Final = 0.8
"""Mean distance of the picks from the path beyond which the listener is told so."""

_OPENINGS: Final = {
    "lift": "to lift you",
    "calm": "to calm you down",
    "vent": "to let it out",
    "journey": "on your way",
}


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
        return self.seen(faces, self.model.read(image, faces))

    def seen(self, faces: Sequence[Face], readings: Sequence[Reading]) -> PhotoAnalysis:
        """Return the look that faces and their readings make for this listener."""
        room = affect.aggregate(faces, readings, self.offsets)
        return PhotoAnalysis(tuple(faces), tuple(readings), room)

    def play(self, image: Image, music: Candidates, plan: Plan, *, n: int, seed: int = 0) -> DJSet:
        """Answer a photo with n songs, fewer where there are fewer.

        Raises NoFace, Unsure where every reading abstains, LibraryError where there is no music.
        """
        return self.recommend(self.look(image), music, plan, n=n, seed=seed)

    def recommend(
        self,
        who: PhotoAnalysis | Affect,
        music: Candidates,
        plan: Plan,
        *,
        n: int,
        seed: int = 0,
        faces: Faces = "room",
    ) -> DJSet:
        """Answer what was seen, or what the listener says of themselves.

        Raises as play does, and SettingsError where n is no length of a set.
        """
        if n < 1:
            msg = f"a set of {n} songs is none: ask for one or more"
            raise SettingsError(msg)
        if not len(music):
            msg = "there is no music to choose from: name a folder with --library"
            raise LibraryError(msg)
        points = self._points(who, faces)
        path = affect.path(plan, points, n)
        picks = self.ranker.rank(path, music, seed=seed)
        opening = _OPENINGS.get(plan.name) or _opening(who)
        told = tuple(replace(pick, reason=f"{opening}: {pick.reason}") for pick in picks)
        return DJSet(told, plan, tuple(path), _room(who), notes=_notes(who, told, path))

    def _points(self, who: PhotoAnalysis | Affect, faces: Faces) -> list[Affect]:
        if not isinstance(who, PhotoAnalysis):
            return [who]
        sure = [reading for reading in who.readings if not reading.abstained]
        if not sure:
            msg = "the expression cannot be told from this photo: say it yourself with --mood"
            raise LowConfidence(msg)
        if faces == "room":
            return [who.affect]
        return [affect.of_reading(reading, self.offsets) for reading in sure]


def _room(who: PhotoAnalysis | Affect) -> Affect:
    return who.affect if isinstance(who, PhotoAnalysis) else who


def _opening(who: PhotoAnalysis | Affect) -> str:
    if not isinstance(who, PhotoAnalysis):
        return _told(who)
    sure = [reading for reading in who.readings if not reading.abstained]
    seen = {reading.emotion for reading in sure}
    if len(seen) > 1 or len(sure) < len(who.readings):
        return f"the room looks {affect.describe(who.affect)}"
    return f"{'you look' if len(sure) == 1 else 'you all look'} {affect.ADJECTIVE[seen.pop()]}"


def _told(who: Affect) -> str:
    """Say again what the listener said; a point that has no name is described, not renamed."""
    if isinstance(who.stated_label, Emotion):
        return f"you said you are {affect.ADJECTIVE[who.stated_label]}"
    return f"you want {who.stated_label or affect.describe(who)}"


def _notes(
    who: PhotoAnalysis | Affect, picks: Sequence[Pick], path: Sequence[Affect]
) -> tuple[str, ...]:
    notes = []
    if isinstance(who, PhotoAnalysis) and affect.disagree(who.readings):
        notes.append("the faces disagree: the set meets them in the middle, or each in turn")
    if len(picks) < len(path):
        notes.append(f"there were only {len(picks)} tracks to choose from")
    gaps = [affect.distance(pick.affect, goal) for pick, goal in zip(picks, path, strict=False)]
    if gaps and sum(gaps) / len(gaps) > FAR:
        notes.append("no music here is near to what you want: these are the nearest")
    return tuple(notes)
