"""From settings to a working DJ: the only file that names concrete classes."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emotion_dj import affect, artifacts, settings
from emotion_dj.errors import NotAvailable, SettingsError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from importlib.metadata import EntryPoint

    from emotion_dj.analysis import Library, Report, Summary
    from emotion_dj.catalogue import Catalogue
    from emotion_dj.dj import DJ, Faces
    from emotion_dj.domain import Affect, Candidates, Look, Set, Track
    from emotion_dj.interfaces import AudioAnalyser
    from emotion_dj.settings import Settings
    from emotion_dj.sources.deezer import Deezer
    from emotion_dj.sources.reccobeats import ReccoBeats
    from emotion_dj.sources.subsonic import Subsonic
    from emotion_dj.vision.images import Photo


class EmotionDJ:
    """The whole product as a Python object.

        music = EmotionDJ(library=["~/Music"]).play("photo.jpg", plan="lift", n=20)

    ``library`` names folders, files or sources ("demo"); empty means everything in the catalogue,
    or the demo library where that is empty. Whatever is not needed is not loaded.
    """

    def __init__(
        self, *, library: Iterable[str | Path] = (), settings: Settings | None = None
    ) -> None:
        """Keep what was asked for; nothing is opened yet. Raises SettingsError."""
        self.settings = settings or _settings()
        self._library = tuple(library)
        self._uris: tuple[str, ...] | None = None
        self._kept: tuple[object, Candidates] | None = None
        self._made: dict[str, Any] = {}

    @cached_property
    def dj(self) -> DJ:
        """The detector, the model and the ranker that the settings name."""
        from emotion_dj.dj import DJ  # noqa: PLC0415 - loaded on first use, as all below
        from emotion_dj.ranking import NearestRanker  # noqa: PLC0415
        from emotion_dj.vision import detectors  # noqa: PLC0415
        from emotion_dj.vision.emotion import EmotionReader  # noqa: PLC0415

        return DJ(detectors.make(self.settings.detector), EmotionReader(), NearestRanker())

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue that the settings name. Raises CatalogueError."""
        from emotion_dj.catalogue import Catalogue  # noqa: PLC0415

        return Catalogue(self.settings.database or settings.default_database())

    def read(self, photo: Photo) -> Look:
        """Read the faces of a photo: a path, encoded bytes, a Pillow image or an RGB array.

        Raises ImageError or NoFace.
        """
        from emotion_dj.vision import images  # noqa: PLC0415

        return self.dj.look(images.load(photo))

    def play(
        self,
        photo: Photo,
        *,
        plan: str = "match",
        n: int = 10,
        seed: int = 0,
        faces: Faces = "room",
    ) -> Set:
        """Return a set of n songs for a photo. Raises any EmotionDJError."""
        return self.answer(self.read(photo), plan=plan, n=n, seed=seed, faces=faces)

    def play_at(
        self, point: Affect | str, *, plan: str = "match", n: int = 10, seed: int = 0
    ) -> Set:
        """Return a set for a listener who says where they are: a point, "V,A" or a mood's name."""
        here = affect.parse_affect(point) if isinstance(point, str) else point
        return self.answer(here, plan=plan, n=n, seed=seed)

    def answer(
        self,
        who: Look | Affect,
        *,
        plan: str = "match",
        n: int = 10,
        seed: int = 0,
        faces: Faces = "room",
    ) -> Set:
        """Return a set for what was read before, or for a point of the plane."""
        wanted = affect.parse_plan(plan)
        return self.dj.answer(who, self.candidates(), wanted, n=n, seed=seed, faces=faces)

    def candidates(self) -> Candidates:
        """Return everything that may be picked, analysing the library first if that is due."""
        if self._uris is None:
            self.scan()
        return self.known()

    def known(self) -> Candidates:
        """Return what may be picked right now, without analysing anything; kept between calls."""
        mark = (*self.catalogue.version(), self._uris)
        if self._kept is None or self._kept[0] != mark:
            candidates = self.catalogue.candidates(
                [ear_id(), features_id()], uris=self._uris or None
            )
            self._kept = (mark, candidates)
        return self._kept[1]

    def take_in(self, table: Path) -> int:
        """Take tracks and their features from a CSV or Parquet file; return how many.

        Raises DataError or MissingExtra; a table that cannot be read to its end changes nothing.
        """
        from emotion_dj.music.by_features import FeatureEar  # noqa: PLC0415
        from emotion_dj.sources import tables  # noqa: PLC0415

        listener = FeatureEar()
        known = list(tables.read(table))
        heard = listener.analyse([features for _, features in known])
        rows = (
            (track, "", "", analysis) for (track, _), analysis in zip(known, heard, strict=True)
        )
        return self.catalogue.store_all(rows, analyser=listener.id)

    def scan(self, report: Report = lambda _done, _total: None) -> Summary:
        """Hear what the library holds and the catalogue does not know; report(done, total).

        Raises LibraryError, MissingExtra or CatalogueError.
        """
        from emotion_dj.analysis import Run  # noqa: PLC0415

        run = Run(self.catalogue, ear, ear_id(), self.settings.workers)
        summary = run(self._libraries(), report)
        self._uris = summary.uris
        return summary

    @cached_property
    def subsonic(self) -> Subsonic:
        """The listener's Subsonic server. Raises SettingsError or LoginRequired."""
        return subsonic(self.settings)

    def write(self, music: Set, sink: str, *, name: str = "Emotion-DJ") -> str:
        """Write a set as a playlist called ``name`` to ``subsonic``; return where it is.

        Raises SettingsError or a SourceError.
        """
        sinks = {"subsonic": lambda: self.subsonic}
        if sink not in sinks:
            msg = f"sets cannot be written to '{sink}': choose {', '.join(sinks)}"
            raise SettingsError(msg)
        return sinks[sink]().write(music, name=name)

    def source_of(self, track: Track) -> Any | None:
        """Return the source that a track's uri begins with, made once; None for files and tables.

        Raises what the source raises when it is made.
        """
        name = track.uri.partition(":")[0]
        if name not in self._made:
            offer = offers(self.settings).get(name)
            self._made[name] = None if offer is None else offer.make("")
        return self._made[name]

    def playable(self, music: Set) -> Set:
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

    def _libraries(self) -> list[Library]:
        if self._library or self.catalogue.count():
            return _sources(self._library, self.settings)
        return _sources(["demo"], self.settings)


def ear() -> AudioAnalyser:
    """Return our analyser; a function of its own so that worker processes can call it."""
    from emotion_dj.music.mood import Ear  # noqa: PLC0415

    return Ear()


def features_id() -> str:
    """Return the id of the ear without sound, without loading it."""
    return str(artifacts.packaged("mood-1").card["id"])


def ear_id() -> str:
    """Return the id of our analyser without loading it."""
    return str(artifacts.packaged("ear-1").card["id"])


def _reader_line() -> str:
    from emotion_dj.vision.emotion import EmotionReader  # noqa: PLC0415

    return EmotionReader().id


def _detector_line() -> str:
    from emotion_dj.vision import detectors  # noqa: PLC0415

    name = _settings().detector
    detectors.make(name)
    return name


MODELS: Final[Mapping[str, Callable[[], str]]] = {
    "face reader": _reader_line,
    "face detector": _detector_line,
    "ear": lambda: ear().id,
    "ear without sound": features_id,
}
"""What `emotion-dj doctor` tries to load, each returning the id of what it found."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A source that may be named: what it needs, whose it is, and how it is made.

    ``make`` takes what stands behind the colon of its name, as in deezer:playlist/908622995.
    """

    name: str
    needs: str
    origin: str
    make: Callable[[str], Library]


def offers(settings: Settings) -> dict[str, Offer]:
    """Return every source that may be named: ours, then those of plug-ins. None is loaded."""
    from emotion_dj.sources import plugins  # noqa: PLC0415

    ours: tuple[tuple[str, str, Callable[[str], Library]], ...] = (
        ("demo", "the extra demo", lambda _: _demo()),
        ("subsonic", "a server of yours and its password", lambda _: subsonic(settings)),
        ("deezer", "nothing; deezer:playlist/ID names a list", partial(deezer, settings)),
        ("audius", "nothing", lambda _: _audius(settings)),
    )
    named = {name: Offer(name, needs, "built in", make) for name, needs, make in ours}
    theirs = {
        name: Offer(name, "see its own words", plugins.called(entry), partial(_plugin, entry))
        for name, entry in plugins.found().items()
        if name not in named
    }
    return named | theirs


def _sources(names: Iterable[str | Path], settings: Settings) -> list[Library]:
    """Return one library for all folders, and one for each source that is named."""
    from emotion_dj.sources.local import Local  # noqa: PLC0415

    known = offers(settings)
    parts = [(name, *name.partition(":")[::2]) for name in map(str, names)]
    libraries = [known[word].make(which) for _, word, which in parts if word in known]
    roots = tuple(Path(name).expanduser() for name, word, _ in parts if word not in known)
    return [*libraries, *([Local(roots)] if roots else [])]


def library(name: str, settings: Settings) -> Library:
    """Return the source that a name stands for, or the folder. Raises what the source raises."""
    (found,) = _sources([name], settings)
    return found


def _plugin(entry: EntryPoint, _which: str) -> Library:
    from emotion_dj.sources import plugins  # noqa: PLC0415

    library: Library = plugins.make(entry)
    return library


def deezer(settings: Settings, which: str = "") -> Deezer:
    """Return Deezer's chart, or the list that ``which`` names. Raises SettingsError."""
    from emotion_dj.sources.deezer import Deezer  # noqa: PLC0415

    return Deezer(settings.deezer_api, which=which)


def reccobeats(settings: Settings) -> ReccoBeats:
    """Return what knows the features of tracks by their Spotify ids."""
    from emotion_dj.sources.reccobeats import ReccoBeats  # noqa: PLC0415

    return ReccoBeats(settings.reccobeats_api)


def _audius(settings: Settings) -> Library:
    from emotion_dj.sources.audius import Audius  # noqa: PLC0415

    return Audius(settings.audius_api)


def subsonic(settings: Settings) -> Subsonic:
    """Return the listener's server. Raises SettingsError or LoginRequired."""
    from emotion_dj import credentials  # noqa: PLC0415
    from emotion_dj.sources.subsonic import Subsonic  # noqa: PLC0415

    if not (settings.subsonic_url and settings.subsonic_user):
        msg = "name your Subsonic server in EMOTION_DJ_SUBSONIC_URL and EMOTION_DJ_SUBSONIC_USER"
        raise SettingsError(msg)
    return Subsonic(
        settings.subsonic_url, settings.subsonic_user, credentials.get("subsonic_password")
    )


def _demo() -> Library:
    from emotion_dj.sources.demo import demo  # noqa: PLC0415

    return demo()


def _settings() -> Settings:
    return settings.load()
