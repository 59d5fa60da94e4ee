"""Where songs stand that cannot be heard: by the same recording, by features, or by tags."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from emotion_dj.affect import MOOD_AFFECT, parse_mood
from emotion_dj.analysis import Failure, Summary
from emotion_dj.domain import TAGS, Affect, Analysis, AudioFeatures
from emotion_dj.errors import LabelError, LibraryError, NotAvailable, SourceError
from emotion_dj.interfaces import AudioSource, Source, TagProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from emotion_dj.analysis import Report
    from emotion_dj.domain import Mood, Tags, Track
    from emotion_dj.interfaces import AudioAnalyser, FeatureProvider, IsrcLookup
    from emotion_dj.stores import MusicStore

_log = logging.getLogger(__name__)

PART: Final = 100
"""Tracks that are asked for and stored together: what is lost where a service gives up."""

DOUBT: Final = 0.5
"""How far off a song may be from the middle of the moods that somebody gave it."""


class FeatureModel(Protocol):
    """Places tracks on the plane by features that somebody else measured."""

    @property
    def id(self) -> str:
        """Name and version, as of an AudioAnalyser."""
        ...

    def analyse(self, features: Sequence[AudioFeatures]) -> list[Analysis]:
        """Return one Analysis for each track's features."""
        ...


class TaggedSource(Source, AudioSource, TagProvider, Protocol):
    """A source whose audio can be heard, and that knows what tags say of its tracks."""


@dataclass(frozen=True, slots=True)
class IsrcAnalyser:
    """Hears the same recordings, by ISRC, where their audio is to be had.

    ``make`` builds the analyser once it is needed; each result is stored when it is there.
    """

    catalogue: MusicStore
    recordings: IsrcLookup
    make: Callable[[], AudioAnalyser]

    def __call__(self, tracks: Sequence[Track], report: Report) -> None:
        """Hear what can be found; report(done, total). Raises SourceError where asking is over."""
        analyser: AudioAnalyser | None = None
        for done, track in enumerate(tracks, start=1):
            recording = self.recordings.by_isrc(track.isrc) if track.isrc else None
            if recording is not None:
                analyser = analyser or self.make()
                self._hear(analyser, track, recording)
            report(done, len(tracks))

    def _hear(self, analyser: AudioAnalyser, track: Track, recording: Track) -> None:
        """Hear a recording; where it cannot be, the track stays unplaced, and that is reported."""
        try:
            with self.recordings.open(recording) as audio:
                analysis = analyser.analyse(audio)
        except NotAvailable:
            return  # it has no preview
        except SourceError:
            raise
        except Exception:
            _log.debug("%s was not analysed", recording.uri, exc_info=True)
            return
        self.catalogue.store(
            track, modification_tag="", fingerprint="", analyser=analyser.id, result=analysis
        )


@dataclass(frozen=True, slots=True)
class FallbackPlacer:
    """Places the tracks of a source whose audio is not to be had.

    What the catalogue holds of the same recording (by ISRC) is believed first, in the order of
    ``analysers``; then the ``feature_model`` takes the features that the ``providers`` have; then
    the ``isrc_analyser`` hears the same recording, where there is one.
    """

    catalogue: MusicStore
    analysers: Sequence[str]
    feature_model: FeatureModel
    providers: Sequence[FeatureProvider]
    isrc_analyser: IsrcAnalyser | None = None

    def __call__(self, source: Source, report: Report = lambda _done, _total: None) -> Summary:
        """Place what can be placed; report(done, total). Raises LibraryError or SourceError."""
        tracks = list(source.tracks())
        if not tracks:
            msg = f"there is no music in {source.name}: save some songs there"
            raise LibraryError(msg)
        return self.place(tracks, source.name, report)

    def place(
        self,
        tracks: Sequence[Track],
        name: str,
        report: Report = lambda _done, _total: None,
    ) -> Summary:
        """Place tracks; a provider that fails is one of the failures, said of ``name``."""
        placed = self._placed(tracks)
        left = self._take_over([track for track in tracks if track.uri not in placed])
        failed = []
        for provider in self.providers:
            try:
                self._place_by_features(provider, left, report)
            except SourceError as error:
                failed.append(Failure(name, str(error)))
            left = self._left(left)
        if self.isrc_analyser is not None:
            try:
                self.isrc_analyser(left, report)
            except SourceError as error:
                failed.append(Failure(name, str(error)))
            left = self._left(left)
        if left:
            failed.append(Failure(name, _unheard(left, len(tracks), name)))
        uris = tuple(track.uri for track in tracks)
        return Summary(uris, len(tracks) - len(placed) - len(left), len(placed), tuple(failed))

    def _left(self, tracks: Sequence[Track]) -> list[Track]:
        now = self._placed(tracks)
        return [track for track in tracks if track.uri not in now]

    def _placed(self, tracks: Sequence[Track]) -> set[str]:
        return self.catalogue.placed_uris([track.uri for track in tracks], self.analysers)

    def _take_over(self, tracks: Sequence[Track]) -> list[Track]:
        """Take over what is known of the same recordings; return the tracks that are left."""
        left = list(tracks)
        for analyser in self.analysers:
            isrcs = {track.isrc for track in left if track.isrc}
            same = self.catalogue.same_recordings(isrcs, analyser)
            rows = [(t, "", "", same[t.isrc]) for t in left if t.isrc in same]
            self.catalogue.store_all(rows, analyser=analyser)
            left = [track for track in left if track.isrc not in same]
        return left

    def _place_by_features(
        self, provider: FeatureProvider, tracks: Sequence[Track], report: Report
    ) -> None:
        """Place what a provider knows, part by part."""
        for start in range(0, len(tracks), PART):
            part = tracks[start : start + PART]
            features = provider.features(part)
            measured = [track for track in part if track.uri in features]
            analyses = self.feature_model.analyse([features[track.uri] for track in measured])
            rows = ((t, "", "", analysis) for t, analysis in zip(measured, analyses, strict=True))
            self.catalogue.store_all(rows, analyser=self.feature_model.id)
            report(start + len(part), len(tracks))


def place_by_tags(catalogue: MusicStore, source: TaggedSource, failed: Collection[str]) -> None:
    """Place those songs of a source that could not be heard by the moods that their tags name."""
    tracks = catalogue.tracks(list(catalogue.numbers(failed).values()))
    rows = [row for track in tracks if (row := _row_by_tags(source, track))]
    if rows:
        catalogue.store_all(rows, analyser=TAGS)


def _row_by_tags(source: TaggedSource, track: Track) -> tuple[Track, str, str, Analysis] | None:
    """Return a track as it is stored; None where its tags name no mood or cannot be read."""
    try:
        tags = source.tagged(track)
        analysis = _place_of(tags) if tags else None
        if analysis is None:
            return None
        return track, source.modification_tag(track), source.fingerprint(track), analysis
    except Exception:
        _log.debug("the tags of %s were not read", track.uri, exc_info=True)
        return None


def _place_of(tags: Tags) -> Analysis | None:
    """Return the middle of the moods that are named; None where none of the words is one."""
    places = [MOOD_AFFECT[mood] for word in tags.moods if (mood := _mood(word))]
    if not places:
        return None
    valence, arousal = (sum(axis) / len(axis) for axis in zip(*places, strict=True))
    return Analysis(AudioFeatures(TAGS, tempo=tags.tempo), Affect(valence, arousal, DOUBT))


def _mood(word: str) -> Mood | None:
    try:
        return parse_mood(word)
    except LabelError:
        return None


def _unheard(left: Sequence[Track], total: int, name: str) -> str:
    return (
        f"{len(left)} of {total} songs of {name}, as '{left[0].title}': nothing tells how they "
        "sound; analyse a library that holds them too"
    )
