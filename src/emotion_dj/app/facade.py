"""The whole product as a Python object; the command line, the service and examples use it only."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from emotion_dj import affect as affects
from emotion_dj.app import intent as intents
from emotion_dj.app import settings as settings_module
from emotion_dj.app.intent import Intent
from emotion_dj.app.library import Library
from emotion_dj.app.once import once
from emotion_dj.app.selection import Selection, filling, like
from emotion_dj.app.services import Services
from emotion_dj.app.source_registry import check, library_names
from emotion_dj.app.taste import Taste
from emotion_dj.app.traces import step
from emotion_dj.domain import ME, Affect, Emotion, Mood, PhotoAnalysis, Plan
from emotion_dj.errors import SettingsError
from emotion_dj.notebook import ShownAnalysis, ShownSet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from emotion_dj.analysis import Report
    from emotion_dj.app.settings import Settings
    from emotion_dj.dj import DJ, Aggregate
    from emotion_dj.domain import (
        Candidates,
        DJSet,
        Face,
        Image,
        Listener,
        Preferences,
        Reading,
        Reason,
        Track,
    )
    from emotion_dj.stores import Store
    from emotion_dj.vision.images import Photo

    Shares = Mapping[Emotion, float] | Mapping[str, float]

__all__ = ["EmotionDJ"]

MoodName = Literal["happy", "sad", "calm", "energetic"]
EmotionName = Literal["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
PlanName = Literal["match", "lift", "calm", "liven", "vent", "clip"]

_SHARED = ("_catalogue", "services", "library", "_models", "_selection", "_of")
"""What all listeners of one facade have in common."""

_LISTENERS: Final = 256
"""Listeners whose preferences are kept at once; the others' are computed anew."""


class EmotionDJ:
    """Reads faces, knows the library, and answers with DJ sets.

        dj = EmotionDJ(library=["~/Music"])
        dj_set = dj.recommend("photo.jpg", plan="lift", n=20)

    ``library`` names folders, files or sources ("demo"), several or a single one; empty or None
    means everything in the catalogue, or the demo library where that is empty. ``clock`` tells the
    listener's day, which changes sets. ``listener`` is whose taste and corrections count; `of` is
    the same for another one. `library`, `taste` and `services` are objects of their own.
    Whatever is not needed is not loaded.
    """

    def __init__(
        self,
        *,
        library: str | Path | Iterable[str | Path] | None = (),
        settings: Settings | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        listener: Listener = ME,
    ) -> None:
        """Keep what was asked for; nothing is opened yet. Raises SettingsError."""
        self._clock, self.listener = clock, listener
        self.settings = settings or settings_module.load()
        self._names = library_names(library)

    def add(self, place: str | Path, *, settings: Settings | None = None) -> None:
        """Take a folder, a file or a source into the library, now and for later processes.

        The next scan hears it. ``settings`` count from then on, as for a server that is new. Raises
        LibraryError, SettingsError or MissingExtra where it cannot be looked through.
        """
        wanted = settings or self.settings
        check(library_names(place), wanted)
        self._catalogue.add_folders([str(place)])
        self.settings, self._names = wanted, (*self._names, place)
        for part in ("services", "library", "taste", "_selection", "_of"):
            self.__dict__.pop(part, None)  # made anew, of what is known now

    def of(self, listener: Listener) -> EmotionDJ:
        """Return the same for another listener: all but taste and corrections is shared."""
        if listener == self.listener:
            return self
        for part in _SHARED:
            getattr(self, part)  # made once, for all
        return self._of(listener)

    @once
    def _of(self) -> Callable[[Listener], EmotionDJ]:
        return lru_cache(_LISTENERS)(self._as)

    def _as(self, listener: Listener) -> EmotionDJ:
        other = copy(self)
        other.__dict__.pop("taste", None)
        other.listener = listener
        return other

    @once
    def services(self) -> Services:
        """Where sets can be written and played, and the sources that tracks came from."""
        return Services(self.settings)

    @once
    def library(self) -> Library:
        """The music: scanned, searched, imported, tagged."""
        return Library(self._names, self.settings, self.services, lambda: self._catalogue)

    @once
    def taste(self) -> Taste:
        """What the listener likes, and how they differ from what faces say."""
        return Taste(
            self.settings,
            self.services,
            lambda: self._catalogue,
            self.library.current,
            self._clock,
            self.listener,
        )

    @once
    def _catalogue(self) -> Store:
        """The catalogue that the settings name. Raises CatalogueError."""
        from emotion_dj.catalogue import Catalogue

        return Catalogue(self.settings.database or settings_module.default_database())

    @once
    def _models(self) -> DJ:
        from emotion_dj.app import model_registry
        from emotion_dj.dj import DJ
        from emotion_dj.ranking import NearestRanker

        detector = model_registry.face_detector(self.settings.detector)
        reader = model_registry.face_reader(self.settings.reader)
        return DJ(detector, reader, NearestRanker())

    @property
    def _dj(self) -> DJ:
        """The way, for this listener as far as corrections have taught."""
        return replace(self._models, offsets=self.taste.offsets)

    @property
    def reader_card(self) -> Mapping[str, Any]:
        """The card of the face reader: what it is, what it was measured to do."""
        return getattr(self._models.model, "card", {"id": self._models.model.id})

    def read(
        self, photo: Photo, *, resting: Shares | None = None, bgr: bool = False
    ) -> PhotoAnalysis:
        """Read the faces of a photo in any form: see `vision.images.load`.

        ``resting`` is the listener's resting face, as `resting` returns it: the largest face is
        then read as it differs from that. ``bgr`` says that an array's colours are in OpenCV's
        order. Raises ImageError, NoFace, or RestingError for a resting face that is none.
        """
        from emotion_dj.vision import images, search

        with step("read") as counts:
            (image, factor), whole = images.in_two_sizes(photo, search.SIDES[-1], bgr=bgr)
            analysis = self._dj.look(image, factor, whole)
            counts["faces"] = len(analysis.faces)
        if resting is not None:
            analysis = self.relative(analysis, resting)
        return ShownAnalysis.of(analysis, photo, bgr=bgr)

    def resting(self, photo: Photo) -> Mapping[Emotion, float]:
        """Return the resting face that a neutral picture of the listener shows, for `read`.

        Raises ImageError, NoFace, or RestingError where it shows several people or a smile.
        """
        from emotion_dj.vision import resting

        return resting.of_photo(self.read(photo))

    def relative(self, analysis: PhotoAnalysis, resting: Shares) -> PhotoAnalysis:
        """Return what was read without a resting face as it differs from one: the first face only.

        Raises RestingError for a resting face that is none.
        """
        from emotion_dj.vision import resting as at_rest

        least = self.reader_card.get("calibration", {}).get("abstain_below", 0.0)
        first, *others = analysis.readings
        own = at_rest.relative(first, at_rest.check(resting), abstain_below=least)
        return self._dj.combine(analysis.faces, (own, *others))

    def watch(self, film: Path, *, every: float = 0.5) -> Iterator[tuple[float, PhotoAnalysis]]:
        """Yield (seconds, what the faces show) every so many seconds of a film, smoothed over time.

        Times when nobody is seen are left out. Raises ImageError or NoFace.
        """
        from emotion_dj.vision import film as films

        models, way = self._models, self._dj

        def read(image: Image) -> tuple[list[Face], list[Reading]]:
            faces = models.detector.detect(image)
            return faces, models.model.read(image, faces)

        for moment in films.moments(film, read, every=every):
            people = moment.people
            if people:
                faces = [person.face for person in people]
                yield moment.seconds, way.combine(faces, [person.reading for person in people])

    def combine(self, faces: Sequence[Face], readings: Sequence[Reading]) -> PhotoAnalysis:
        """Return what faces that were read elsewhere, as in the page, say together."""
        return self._dj.combine(faces, readings)

    def recommend(  # noqa: PLR0913 - what a listener may wish for, each by its name
        self,
        photo: Photo | PhotoAnalysis | None = None,
        *,
        mood: Mood | MoodName | None = None,
        emotion: Emotion | EmotionName | None = None,
        affect: Affect | tuple[float, float] | None = None,
        say: str | None = None,
        like: str | Path | int | Track | None = None,
        plan: PlanName | Plan = "match",
        n: int = 10,
        minutes: float | None = None,
        only: Iterable[str] = (),
        avoid: Iterable[str] = (),
        seed: int | None = None,
        aggregate: Aggregate = "room",
        candidates: Candidates | None = None,
        sources: Collection[str] = (),
    ) -> DJSet:
        """Return a set of n songs for exactly one of a photo, a mood, an emotion, a point, a
        listener's own words or a song to begin from.

        ``photo`` may be one that was read already, or the path of a film, which the plan "clip"
        follows; ``like`` is a title, uri, file or number, and the song itself is not in the set.
        ``minutes`` counts in place of n. ``only`` and ``avoid`` are conditions as
        `ranking.filters.parse_filter` takes them. ``aggregate`` serves the whole "room", or "each"
        face in turns. ``candidates`` is what may be picked; None is the library, which is scanned
        first, or of it the ``sources`` that are named. Without a ``seed`` tomorrow's set differs
        from today's. Raises any EmotionDJError.
        """
        way = plan if isinstance(plan, Plan) else affects.parse_plan(plan)
        intents.demand_one(photo, mood, emotion, affect, say, like)
        intent = self._intent(photo, way, mood=mood, emotion=emotion, affect=affect, say=say)
        music = None
        if intent is not None and candidates is None and not (only or avoid):
            path = self._dj.path(intent.start, intent.plan, n, aggregate)
            music = self.library.near(path, sources, self.listener)
        if music is not None:
            preferences = self.taste.preferences_near(music)
        else:
            everything = self.library.candidates(sources) if candidates is None else candidates
            if not len(everything) and candidates is None:
                self.library.demand_songs()
            music = self._selection.narrowed(everything, only, avoid)
            preferences = self.taste.preferences(music)
        if intent is None:
            assert like is not None  # noqa: S101 - it is the one that is given
            intent, preferences = self._like(like, way, music, preferences)
        make = partial(
            self._dj.recommend,
            *(intent.start, music, preferences, intent.plan),
            seed=self._clock().date().toordinal() if seed is None else seed,
            aggregate=aggregate,
        )
        with step("rank") as counts:
            made = make(n=n) if minutes is None else filling(minutes, lambda n: make(n=n))
            counts.update(tracks=len(music), picks=len(made.picks))
        return ShownSet.of(intent.told(made))

    def _intent(
        self,
        photo: Photo | PhotoAnalysis | None,
        plan: Plan,
        *,
        mood: str | None,
        emotion: str | None,
        affect: Affect | tuple[float, float] | None,
        say: str | None,
    ) -> Intent | None:
        """Return what was wished for; None where it is a song, which has to be looked for."""
        if photo is not None:
            return self._of_photo(photo, plan)
        if plan.name == affects.CLIP:
            raise SettingsError(intents.NO_FILM)
        if say is not None:
            return intents.in_words(say, plan)
        if mood is None and emotion is None and affect is None:
            return None
        return Intent(intents.by_name(mood=mood, emotion=emotion, affect=affect), plan)

    def _of_photo(self, photo: Photo | PhotoAnalysis, plan: Plan) -> Intent:
        from emotion_dj.vision import film

        if isinstance(photo, str | Path) and film.is_film(Path(photo)):
            return intents.of_film([seen.affect for _, seen in self.watch(Path(photo))], plan)
        if plan.name == affects.CLIP:
            raise SettingsError(intents.NO_FILM)
        return Intent(photo if isinstance(photo, PhotoAnalysis) else self.read(photo), plan)

    def _like(
        self, song: str | Path | int | Track, plan: Plan, music: Candidates, tastes: Preferences
    ) -> tuple[Intent, Preferences]:
        number, track = self._selection.find(song)
        place, preferences = like(music, tastes, self.library.everything(), number)
        return intents.like(track, place, plan), preferences

    @once
    def _selection(self) -> Selection:
        return Selection(self.settings, lambda: self._catalogue)

    def save(self, dj_set: DJSet, path: Path, *, relative: bool = False) -> tuple[Reason, ...]:
        """Write a set as a playlist file, .m3u8, .xspf or .jspf, or its wish as a smart playlist of
        Navidrome, .nsp; return what there is to know.

        ``relative`` names files as seen from the playlist's folder. Raises DataError.
        """
        from emotion_dj import messages, playlists

        ready = self.services.resolved(dj_set)
        playlists.save(ready, path, relative=relative, explain=messages.explain)
        return ready.notes[len(dj_set.notes) :]

    def mix(
        self, dj_set: DJSet, path: Path, report: Report = lambda _done, _total: None
    ) -> list[str]:
        """Write a set as one recording, an .opus, .mp3, .flac or .wav file; return a sentence for
        each song that had to be left out. Raises SettingsError or AudioError.
        """
        from emotion_dj.music import mix

        songs = [
            (pick.track.title, partial(self.services.audio, pick.track)) for pick in dj_set.picks
        ]
        return mix.render(songs, path, count=len(songs), report=report)
