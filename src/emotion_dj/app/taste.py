"""What the listener likes and says of themselves: kept in the catalogue, learnt from by `taste`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal

from emotion_dj import affect, taste
from emotion_dj.app import settings as settings_module
from emotion_dj.app.preferences import PreferenceCache
from emotion_dj.catalogue.backends import backend_of
from emotion_dj.domain import ME

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from emotion_dj.app.services import Services
    from emotion_dj.app.settings import Settings
    from emotion_dj.domain import (
        Affect,
        Candidates,
        DJSet,
        Listener,
        PhotoAnalysis,
        Preferences,
        Track,
    )
    from emotion_dj.json_types import JsonObject
    from emotion_dj.stores import Store

Feedback = Literal["like", "unlike", "skip", "play"]

FAVOURITES: Final = 10
"""Tracks that are named as what the listener would like best."""


class Taste:
    """Likes, skips, plays and corrections of one listener, and what they have taught."""

    def __init__(
        self,
        settings: Settings,
        services: Services,
        open_catalogue: Callable[[], Store],
        candidates: Callable[[], Candidates],
        clock: Callable[[], datetime],
        listener: Listener = ME,
    ) -> None:
        """Keep where feedback is stored, and whose this is; nothing is opened yet."""
        self._clock, self.listener = clock, listener
        self._settings, self._services = settings, services
        self._open_catalogue, self._candidates = open_catalogue, candidates
        self._offsets: affect.Offsets | None = None
        self._preferences = PreferenceCache(open_catalogue, clock)

    @property
    def _catalogue(self) -> Store:
        return self._open_catalogue()

    def add(self, track_id: int, kind: Feedback) -> None:
        """Keep that the listener liked, skipped or played a track; "unlike" takes a like back."""
        if kind == "unlike":
            self._catalogue.remove_feedback(track_id, "like", self.listener)
        else:
            self._catalogue.add_feedback(track_id, kind, self.listener, at=self._clock())

    def played(self, dj_set: DJSet) -> None:
        """Keep that the songs of a set were played or written somewhere: they stand back now."""
        numbers = self._catalogue.numbers([pick.track.uri for pick in dj_set.picks])
        for number in numbers.values():
            self._catalogue.add_feedback(number, "play", self.listener, at=self._clock())

    def report(self, track: Track, kind: Feedback) -> None:
        """Tell the track's own service, where it wants to know. Raises a SourceError."""
        self._services.report_feedback(track, kind)

    def correct(self, analysis: PhotoAnalysis, label: str) -> Affect:
        """Learn that the largest face was read wrongly; return where the listener stands.

        ``label`` is an emotion, a mood or a point "V,A". Raises LabelError.
        """
        point = affect.parse_place(label)
        probabilities = analysis.readings[0].probabilities
        named = {emotion.value: p for emotion, p in probabilities.items()}
        self._catalogue.add_correction(named, point, self.listener)
        self._offsets = None
        return point

    @property
    def offsets(self) -> affect.Offsets:
        """How far this listener stands from the emotions' places, learnt from corrections."""
        if self._offsets is None:
            address = self._settings.database or str(settings_module.default_database())
            some = backend_of(address).may_have_corrections()
            self._offsets = (
                taste.offsets_of(self._catalogue, self.listener) if some else affect.NO_OFFSETS
            )
        return self._offsets

    def preferences(self, candidates: Candidates) -> Preferences:
        """Return what the listener makes of candidates, which are all or a part of the library."""
        return self._preferences.of(candidates, self._candidates(), self.listener)

    def preferences_near(self, candidates: Candidates) -> Preferences:
        """Return what the listener makes of what `Library.near` found, learnt from nothing else."""
        return self._preferences.of(candidates, candidates, self.listener)

    def summary(self) -> JsonObject:
        """Return the counts of feedback, the offsets, and the favourites, best first."""
        candidates = self._candidates()
        liking = self.preferences(candidates).taste
        rows = [int(row) for row in liking.argsort()[::-1][:FAVOURITES] if liking[row] > 0]
        counts = Counter(entry.kind for entry in self._catalogue.feedback_log(self.listener))
        return {
            "feedback": dict(counts),
            "corrections": len(self._catalogue.corrections(self.listener)),
            "offsets": {emotion.value: pair for emotion, pair in self.offsets.items()},
            "favourites": [
                {"title": track.title, "uri": track.uri, "taste": round(float(value), 3)}
                for value, track in zip(liking[rows], candidates.load(rows), strict=True)
            ],
        }

    def export(self) -> JsonObject:
        """Return everything that is kept of the listener, as JSON."""
        return {
            "feedback": [
                {"at": at, "kind": kind, "uri": uri, "title": title}
                for at, kind, uri, title in self._catalogue.feedback_log(self.listener)
            ],
            "corrections": [
                {"read": named, "valence": point.valence, "arousal": point.arousal}
                for named, point in self._catalogue.corrections(self.listener)
            ],
        }

    def reset(self) -> int:
        """Forget everything that is kept of the listener; count its entries."""
        self._offsets = None
        return self._catalogue.forget_taste(self.listener)
