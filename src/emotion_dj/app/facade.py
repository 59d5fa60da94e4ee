"""From settings to a working DJ: the only room that names concrete classes."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emotion_dj import affect
from emotion_dj.app import settings
from emotion_dj.app.candidate_index import CandidateIndex
from emotion_dj.app.model_registry import (
    analyser_ids,
    audio_model,
    audio_model_id,
)
from emotion_dj.app.services import Services
from emotion_dj.app.source_registry import (
    TOKENS,
    check,
    deezer,
    group_roots,
    library_names,
    reccobeats,
    sources,
    uri_prefixes_of,
)
from emotion_dj.domain import TOLD, Affect, Mood, Reading
from emotion_dj.errors import (
    AudioError,
    EmotionDJError,
    NotAvailable,
    SettingsError,
    SourceError,
)
from emotion_dj.interfaces import AudioSource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from contextlib import AbstractContextManager

    from emotion_dj.analysis import Report, Summary
    from emotion_dj.app.settings import Settings
    from emotion_dj.catalogue import Catalogue
    from emotion_dj.dj import DJ, Faces
    from emotion_dj.domain import Candidates, DJSet, PhotoAnalysis, Track
    from emotion_dj.interfaces import Audio, Source
    from emotion_dj.placement import FallbackPlacer
    from emotion_dj.tagging import TaggingResult
    from emotion_dj.vision.images import Photo


__all__ = ["EmotionDJ"]

FAVOURITES: Final = 10
"""Tracks that are named as what the listener would like best."""


class EmotionDJ(Services):
    """The whole product as a Python object.

        music = EmotionDJ(library=["~/Music"]).play("photo.jpg", plan="lift", n=20)

    ``library`` names folders, files or sources ("demo"), several or a single one; empty or None
    means everything in the catalogue, or the demo library where that is empty. Whatever is not
    needed is not loaded.
    """

    def __init__(
        self,
        *,
        library: str | Path | Iterable[str | Path] | None = (),
        settings: Settings | None = None,
    ) -> None:
        """Keep what was asked for; nothing is opened yet. Raises SettingsError."""
        super().__init__(settings or _settings())
        self._library = library_names(library)
        self._uris: tuple[str, ...] | None = None
        self._kept: tuple[object, CandidateIndex] | None = None

    @cached_property
    def dj(self) -> DJ:
        """The detector, the model and the ranker that the settings name."""
        from emotion_dj.dj import DJ  # noqa: PLC0415 - loaded on first use, as all below
        from emotion_dj.ranking import NearestRanker  # noqa: PLC0415
        from emotion_dj.vision import detectors  # noqa: PLC0415
        from emotion_dj.vision.emotion import EmotionReader  # noqa: PLC0415

        detector = detectors.make(self.settings.detector)
        return DJ(detector, EmotionReader(), NearestRanker(), self._offsets())

    def _offsets(self) -> affect.Offsets:
        """Return what corrections have taught; without any the catalogue is not even opened."""
        if not _has_corrections(self.settings.database or settings.default_database()):
            return affect.NO_OFFSETS
        from emotion_dj import taste  # noqa: PLC0415

        told = []
        for named, said in self.catalogue.corrections():
            probabilities = {affect.parse_emotion(name): p for name, p in named.items()}
            placed = affect.of_reading(Reading(probabilities, model=""))
            gap = (said.valence - placed.valence, said.arousal - placed.arousal)
            told.append((probabilities, gap))
        return taste.offsets(told)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue that the settings name. Raises CatalogueError."""
        from emotion_dj.catalogue import Catalogue  # noqa: PLC0415

        return Catalogue(self.settings.database or settings.default_database())

    def read(self, photo: Photo) -> PhotoAnalysis:
        """Read the faces of a photo: a path, encoded bytes, a Pillow image or an RGB array.

        Raises ImageError or NoFace.
        """
        from emotion_dj.vision import images  # noqa: PLC0415

        image, factor = images.reduced(photo)
        look = self.dj.look(image)
        return replace(look, faces=tuple(face.scaled(factor) for face in look.faces))

    def play(
        self,
        photo: Photo,
        *,
        plan: str = "match",
        n: int = 10,
        seed: int = 0,
        faces: Faces = "room",
    ) -> DJSet:
        """Return a set of n songs for a photo. Raises any EmotionDJError."""
        return self.recommend(self.read(photo), plan=plan, n=n, seed=seed, faces=faces)

    def recommend_at(
        self, point: Affect | str, *, plan: str = "match", n: int = 10, seed: int = 0
    ) -> DJSet:
        """Return a set for a listener who says where they are: a point, "V,A" or a mood's name."""
        here = affect.parse_affect(point) if isinstance(point, str) else point
        return self.recommend(here, plan=plan, n=n, seed=seed)

    def correct(self, look: PhotoAnalysis, said: str) -> Affect:
        """Learn that the largest face was read wrongly; return where the listener stands.

        ``said`` is an emotion, a mood or a point "V,A". Raises LabelError.
        """
        point = affect.parse_place(said)
        probabilities = look.readings[0].probabilities
        self.catalogue.add_correction(
            {emotion.value: p for emotion, p in probabilities.items()}, point
        )
        self.dj = replace(self.dj, offsets=self._offsets())
        return point

    def recommend(
        self,
        who: PhotoAnalysis | Affect,
        *,
        plan: str = "match",
        n: int = 10,
        seed: int = 0,
        faces: Faces = "room",
    ) -> DJSet:
        """Return a set for what was read before, or for a point of the plane."""
        wanted = affect.parse_plan(plan)
        return self.dj.recommend(who, self.candidates(), wanted, n=n, seed=seed, faces=faces)

    def check(self) -> None:
        """See that the library that is named can be looked through; nothing is heard or asked.

        Raises LibraryError, SettingsError, MissingExtra or a SourceError.
        """
        check(self._library, self.settings)

    def candidates(self) -> Candidates:
        """Return everything that may be picked, analysing the library first if that is due."""
        if self._uris is None:
            self.scan()
        return self.current_candidates()

    def current_candidates(self, sources: Collection[str] = ()) -> Candidates:
        """Return what may be picked right now, without analysing anything; kept between calls.

        Of a library that is named it is what was known of it before, until it has been scanned.
        Where sources are named, as in `by_source`, it is what these have. Raises LabelError.
        """
        return self._known().of(sources)

    def by_source(self) -> dict[str, int]:
        """Count what may be picked right now, for every source that may be named."""
        return self._known().count()

    def _known(self) -> CandidateIndex:
        mark = (*self.catalogue.change_counter(), self._uris)
        if self._kept is None or self._kept[0] != mark:
            candidates = self.catalogue.candidates(analyser_ids(), uris=self._uris or None)
            known = CandidateIndex(candidates, self.settings)
            if self._library and self._uris is None:  # not listed yet, so its own are told by name
                known = known.with_prefixes(uri_prefixes_of(self._library, self.settings))
            self._kept = (mark, known)
        return self._kept[1]

    def import_table(self, table: Path) -> int:
        """Take tracks and their features from a CSV, JSON or Parquet file or a beets library, or
        plays and skips from Spotify's streaming history; return how many. A place or mood that the
        table tells is believed before our estimate.

        Raises DataError or MissingExtra; a table that cannot be read to its end changes nothing.
        """  # noqa: D205
        from emotion_dj.music.mood_from_features import MoodFromFeatures  # noqa: PLC0415
        from emotion_dj.sources import beets_library, history, tables  # noqa: PLC0415

        if history.is_history(table):
            streams = history.read(table)
            return self.catalogue.import_history(
                (stream.uri, stream.title, stream.artist, stream.kind) for stream in streams
            )
        listener = MoodFromFeatures()
        reader = beets_library if beets_library.is_library(table) else tables
        known = list(reader.read(table))
        heard = listener.analyse([features for _, features, _ in known])
        told, judged = [], []
        for (track, features, place), analysis in zip(known, heard, strict=True):
            # A mood that our estimate has too says less than the estimate.
            if features.analyser == listener.id or place in (None, affect.mood(analysis.affect)):
                judged.append((track, "", "", analysis))
            else:
                stands = place if isinstance(place, Affect) else affect.of_mood(Mood(place))
                told.append((track, "", "", replace(analysis, affect=stands)))
        self.catalogue.store_all(judged, analyser=listener.id)
        return len(judged) + self.catalogue.store_all(told, analyser=TOLD)

    def taste_summary(self) -> dict[str, Any]:
        """Return what likes, skips and corrections have taught, and the favourites, best first."""
        candidates = self.current_candidates()
        best = candidates.taste.argsort()[::-1][:FAVOURITES]
        liked = [int(row) for row in best if candidates.taste[row] > 0]
        named = candidates.load(liked)
        told = Counter(kind for _, kind, _, _ in self.catalogue.feedback_log())
        corrections = len(self.catalogue.corrections())
        return {
            "answers": dict(told),
            "corrections": corrections,
            "offsets": {e.value: pair for e, pair in self._offsets().items() if corrections},
            "favourites": [
                {"title": track.title, "uri": track.uri, "taste": round(float(taste), 3)}
                for taste, track in zip(candidates.taste[liked], named, strict=True)
            ],
        }

    def entries(self, *, mood: str | None = None, limit: int | None = None) -> list[dict[str, Any]]:
        """Return every track as a row: what it is, its features, its place and its mood.

        ``mood`` keeps those of one mood. Raises LabelError.
        """
        from emotion_dj import serializers  # noqa: PLC0415

        wanted = affect.parse_mood(mood) if mood else None
        found = self.catalogue.entries(analyser_ids())
        rows = (serializers.entry_json(track, analysis) for _, track, analysis in found)
        kept = (row for row in rows if wanted is None or row["mood"] == wanted.value)
        return list(islice(kept, limit))

    def scan(self, report: Report = lambda _done, _total: None) -> Summary:
        """Hear what the library holds and the catalogue does not know; report(done, total).

        Sources whose audio is not to be had are placed by what is known of their tracks elsewhere.
        Raises LibraryError, MissingExtra, CatalogueError or SourceError.
        """
        from emotion_dj.analysis import Run  # noqa: PLC0415
        from emotion_dj.interfaces import AudioSource  # noqa: PLC0415

        sources = self._libraries()
        hearing, more = self.settings.hearing, audio_model_id("whole")
        make = partial(audio_model, hearing)
        run = Run(self.catalogue, make, audio_model_id(hearing), self.settings.workers, (more,))
        summary = run([source for source in sources if isinstance(source, AudioSource)], report)
        self._by_tags(sources, {failure.uri for failure in summary.failed})
        for source in sources:
            if not isinstance(source, AudioSource):
                summary += self._hearsay(source)(source, report)
        self._uris = summary.uris
        return summary

    def rescan(self, report: Report = lambda _done, _total: None) -> Summary:
        """Scan the folders and sources that the catalogue remembers; report(done, total).

        One that is not there now, as an unplugged disk, is one of the failures: the others are
        heard, and what was known of it stays. Raises what `scan` raises where none can be scanned,
        LibraryError where none is remembered.
        """
        from emotion_dj.analysis import Failure, Summary  # noqa: PLC0415

        total, not_allowed = Summary((), 0, 0, ()), []
        groups = group_roots(self.catalogue.folders())
        for place in groups:
            try:
                total += EmotionDJ(library=place, settings=self.settings).scan(report)
            except EmotionDJError as error:
                not_allowed.append((Failure(place[0], f"{error}; what was known is kept"), error))
        if len(not_allowed) == len(groups):
            raise not_allowed[0][1]
        return total + Summary((), 0, 0, tuple(failure for failure, _ in not_allowed))

    def _by_tags(self, sources: Iterable[Source], failed: Collection[str]) -> None:
        """Place songs that cannot be heard by what the tags of their source say of them."""
        from emotion_dj.interfaces import TagProvider  # noqa: PLC0415
        from emotion_dj.placement import place_by_tags  # noqa: PLC0415

        for source in sources:
            if failed and isinstance(source, AudioSource) and isinstance(source, TagProvider):
                place_by_tags(self.catalogue, source, failed)

    def mix(
        self, music: DJSet, path: Path, report: Report = lambda _done, _total: None
    ) -> list[str]:
        """Write a set as one recording, an .opus, .mp3, .flac or .wav file; return a sentence for
        each song that had to be left out. Raises SettingsError or AudioError.
        """  # noqa: D205
        from emotion_dj.music import mix  # noqa: PLC0415

        songs = [(pick.track.title, partial(self._audio, pick.track)) for pick in music.picks]
        return mix.render(songs, path, count=len(songs), report=report)

    def _audio(self, track: Track) -> AbstractContextManager[Audio]:
        """Give a track's audio for reading. Raises AudioError where nobody has it."""
        if track.path is not None:
            return nullcontext(track.path)
        source = self.source_of(track)
        if not isinstance(source, AudioSource):
            msg = "its audio is not to be had"
            raise AudioError(msg)
        return source.open(track)

    def tag(self, report: Report = lambda _done, _total: None) -> TaggingResult:
        """Write what was heard into the library's files as tags; `untag` takes it out again.

        Raises LibraryError or CatalogueError; a file that cannot be tagged is named and passed.
        """
        from emotion_dj.tagging import Tagging  # noqa: PLC0415

        return Tagging(self.catalogue, [audio_model_id("whole"), audio_model_id()]).write(
            self._libraries(), report
        )

    def untag(self, report: Report = lambda _done, _total: None) -> TaggingResult:
        """Put back what stood in the library's files before they were tagged."""
        from emotion_dj.tagging import Tagging  # noqa: PLC0415

        return Tagging(self.catalogue, [audio_model_id("whole"), audio_model_id()]).restore(
            self._libraries(), report
        )

    def moods(self, tracks: Sequence[Track]) -> dict[str, Mood]:
        """Return the moods of tracks of Spotify, by uri, asking for what is not known yet.

        Tracks of which nothing tells how they sound are left out. Raises SettingsError.
        """
        self._hearsay(self.spotify).place(tracks, "Spotify")
        found = self.catalogue.candidates(analyser_ids(), uris={track.uri for track in tracks})
        points = zip(found.valence.tolist(), found.arousal.tolist(), strict=True)
        return {
            track.uri: affect.mood(Affect(*point))
            for track, point in zip(found.load(range(len(found))), points, strict=True)
        }

    def _hearsay(self, source: object) -> FallbackPlacer:
        from emotion_dj.interfaces import FeatureProvider  # noqa: PLC0415
        from emotion_dj.music.mood_from_features import MoodFromFeatures  # noqa: PLC0415
        from emotion_dj.placement import FallbackPlacer, IsrcAnalyser  # noqa: PLC0415

        providers = [source] if isinstance(source, FeatureProvider) else []
        if self.settings.reccobeats_api:
            providers.append(reccobeats(self.settings))
        isrc_analyser = None
        if self.settings.deezer_api:
            isrc_analyser = IsrcAnalyser(self.catalogue, deezer(self.settings), audio_model)
        known = analyser_ids()
        return FallbackPlacer(self.catalogue, known, MoodFromFeatures(), providers, isrc_analyser)

    def logout(self) -> int:
        """Forget the login to Spotify and all that came from there; count the tracks."""
        from emotion_dj.app import credentials  # noqa: PLC0415

        credentials.forget(TOKENS)
        return self.catalogue.forget_source("spotify:")

    def playable(self, music: DJSet) -> DJSet:
        """Return the set with an address for every pick that can be played right now.

        One request for each track whose source has to be asked; a track that cannot be played
        stays as it is, and a note says so.
        """
        down: set[str] = set()
        picks, silent = [], 0
        for pick in music.picks:
            try:
                track = self._resolved(pick.track, down)
            except (SourceError, SettingsError) as error:
                track, silent = replace(pick.track, media=None), silent + 1
                if not isinstance(error, NotAvailable):
                    down.add(track.uri.partition(":")[0])
            picks.append(replace(pick, track=track))
        notes = (f"{silent} of these songs cannot be played right now",) if silent else ()
        return replace(music, picks=tuple(picks), notes=(*music.notes, *notes))

    def _resolved(self, track: Track, down: Collection[str]) -> Track:
        """Return a track with an address that is good now; a source that is down is not asked.

        Raises what the source raises.
        """
        from emotion_dj.interfaces import Resolver  # noqa: PLC0415

        media = track.media
        if media and (media.expires is None or media.expires > time.time()):
            return track
        if track.uri.partition(":")[0] in down:
            raise NotAvailable(track.uri)
        source = self.source_of(track)
        if not isinstance(source, Resolver):
            return track
        return replace(track, media=source.resolve(track))

    def _libraries(self) -> list[Source]:
        if self._library or self.catalogue.count():
            return sources(self._library, self.settings)
        return sources(["demo"], self.settings)


def _has_corrections(address: str | Path) -> bool:
    """Look into the file without the database library, which takes longer than reading a photo."""
    import sqlite3  # noqa: PLC0415

    if "://" in str(address):
        return True  # opening it says what is wrong
    path = Path(address).expanduser()
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            return bool(file.execute("SELECT EXISTS (SELECT 1 FROM corrections)").fetchone()[0])
    except sqlite3.Error:
        return False  # older, damaged or foreign: opening it says so, reading a photo needs it not


def _settings() -> Settings:
    return settings.load()
