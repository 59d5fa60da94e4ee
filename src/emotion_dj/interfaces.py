"""Every swap point of Emotion-DJ on one page: small protocols, one to three verbs each.

Nothing here is inherited from: a class fits by having the verbs. Concrete classes are named in
`app` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

from emotion_dj.domain import ME

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from emotion_dj.domain import (
        Affect,
        Analysis,
        AnalysisResult,
        AudioFeatures,
        Candidates,
        Device,
        DJSet,
        Face,
        FeedbackEntry,
        FeedbackKind,
        Image,
        Listener,
        Media,
        Omission,
        Pick,
        Preferences,
        Reading,
        SavedPlaylist,
        Tags,
        Track,
    )

    Audio = Path | BinaryIO
    AnalysisRecord = tuple[Track, str, str, Analysis | str]
    """A track, its modification tag, its fingerprint, and its analysis or why there is none."""


class FaceDetector(Protocol):
    """Finds faces."""

    def detect(self, image: Image) -> list[Face]:
        """Return every face, largest first; an empty list where there is none."""
        ...


class EmotionModel(Protocol):
    """Reads expressions."""

    @property
    def id(self) -> str:
        """Name and version of the model, as stated in every Reading."""
        ...

    def read(self, image: Image, faces: Sequence[Face]) -> list[Reading]:
        """Return one calibrated Reading per face, in the order of the faces."""
        ...


class AudioAnalyser(Protocol):
    """Hears what music is like."""

    @property
    def id(self) -> str:
        """Name and version; a stored analysis is valid for this id alone."""
        ...

    def analyse(self, audio: Audio) -> Analysis:
        """Measure one recording. Raises AudioError where it cannot be decoded or holds no sound."""
        ...


@runtime_checkable
class Source(Protocol):
    """Where tracks come from.

    What a source can do beyond this is decided by which of the protocols below it implements, for
    plug-ins as for our own; each of them is one verb or two, and one object may be several.
    """

    @property
    def name(self) -> str:
        """The short name used in settings and messages."""
        ...

    def tracks(self) -> Iterator[Track]:
        """Yield every track offered, cheaply. Raises LibraryError or SourceError."""
        ...

    def describe(self, track: Track) -> Track:
        """Return the track with all that is known of it (tags); asked once per changed track."""
        ...


@runtime_checkable
class Searchable(Protocol):
    """A source that can look for tracks."""

    def search(self, query: str, *, limit: int = 25) -> list[Track]:
        """Return the best matches first, at most ``limit``."""
        ...


@runtime_checkable
class AudioSource(Protocol):
    """A source whose audio may be analysed; it is played from there too, if not `Streamable`."""

    def open(self, track: Track) -> AbstractContextManager[Audio]:
        """Give the track's audio for reading; nothing of it is kept after the block.

        Raises NotAvailable, another SourceError or OSError.
        """
        ...

    def modification_tag(self, track: Track) -> str:
        """Return a mark that costs nothing and changes whenever the audio may have changed."""
        ...

    def fingerprint(self, track: Track) -> str:
        """Return a mark of the content itself, the same wherever and however it is named."""
        ...


@runtime_checkable
class FileSource(Protocol):
    """A source of the listener's own files, whose tracks are ``file://`` uris below its roots.

    What is not there any more below a root is marked as missing; its files may be tagged.
    """

    @property
    def roots(self) -> Sequence[Path]:
        """The folders on disk, or single files, in which its tracks lie."""
        ...


@runtime_checkable
class Listing(Protocol):
    """A source that also says what it passes over while it lists its tracks."""

    def listing(self) -> Iterator[Track | Omission]:
        """Yield what `tracks` yields, and among it what was passed over and why."""
        ...


class AudioStream(Protocol):
    """Audio on its way to a player, as an answer of HTTP: an `httpx.Response` is one."""

    @property
    def status_code(self) -> int:
        """200 for the whole, 206 for a byte range, 416 for one that is outside."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers, with names in lower case: content-type, content-length, content-range."""
        ...

    def iter_raw(self) -> Iterator[bytes]:
        """Yield the bytes, once."""
        ...


@runtime_checkable
class Streamable(Protocol):
    """A source that can send a track's audio to a player without having all of it at hand."""

    def stream(
        self, track: Track, headers: Mapping[str, str]
    ) -> AbstractContextManager[AudioStream]:
        """Open the track's audio, or the byte range that ``headers`` ask for under ``range``.

        Raises NotAvailable or another SourceError.
        """
        ...


@runtime_checkable
class Resolver(Protocol):
    """A source whose addresses have to be asked for when a track is played."""

    def resolve(self, track: Track) -> Media:
        """Return what can be played right now. Raises NotAvailable where nothing can."""
        ...


@runtime_checkable
class ArtworkProvider(Protocol):
    """A source that has pictures of its tracks."""

    def picture(self, track: Track) -> bytes | None:
        """Return an encoded picture, None where there is none. Raises a SourceError."""
        ...


@runtime_checkable
class TagProvider(Protocol):
    """A source whose tracks carry somebody's word of their moods."""

    def tagged(self, track: Track) -> Tags | None:
        """Return what is written beside a track that it has yielded, None where nothing is."""
        ...


@runtime_checkable
class FeedbackSink(Protocol):
    """A source that wants to know what the listener does with its tracks."""

    def report_feedback(self, track: Track, kind: str) -> None:
        """Take note of a like, an unlike, a skip or a play. Raises a SourceError."""
        ...


@runtime_checkable
class FeatureProvider(Protocol):
    """A service that knows the features of tracks without their audio."""

    def features(self, tracks: Iterable[Track]) -> Mapping[str, AudioFeatures]:
        """Return the features by track uri; tracks it does not know are left out."""
        ...


@runtime_checkable
class IsrcLookup(Protocol):
    """A source that knows recordings by their ISRC and whose audio may be analysed."""

    def by_isrc(self, isrc: str) -> Track | None:
        """Return the track of a recording, None where there is none. Raises a SourceError."""
        ...

    def open(self, track: Track) -> AbstractContextManager[Audio]:
        """Give the track's audio for reading; nothing of it is kept after the block."""
        ...


@runtime_checkable
class Sink(Protocol):
    """Where a DJ set can be written as a playlist."""

    def write(self, music: DJSet, *, name: str) -> SavedPlaylist:
        """Create or replace the playlist called ``name``; return where the listener finds it.

        Picks that are not there are left out, and it is counted how many are. Raises NotAvailable
        where none is there, LoginRequired, or another SourceError.
        """
        ...


@runtime_checkable
class Player(Protocol):
    """Where songs can be played."""

    def devices(self) -> list[Device]:
        """Return the listener's devices that are there now, the active one first."""
        ...

    def play(self, tracks: Sequence[Track], *, device: str = "") -> None:
        """Start the first track and queue the others, on a device by its id or the active one.

        Raises NotAvailable where the device or all of the tracks are not there, LoginRequired, or
        another SourceError.
        """
        ...


@runtime_checkable
class Account(Protocol):
    """A source, sink or player to which somebody has to be logged in."""

    def logged_in(self) -> bool:
        """Tell whether there is a login, without asking the service."""
        ...


class Ranker(Protocol):
    """Chooses and orders music."""

    def rank(
        self,
        path: Sequence[Affect],
        candidates: Candidates,
        preferences: Preferences,
        *,
        seed: int = 0,
    ) -> list[Pick]:
        """Return one pick per point of the path, fewer where music runs out; fixed by the seed.

        ``preferences`` are what one listener makes of the candidates, row by row.
        """
        ...


class TrackStore(Protocol):
    """Keeps tracks. All verbs of all stores raise CatalogueError where the database fails.

    A track has a number that is its own for ever; its uri may change. One that is missing is kept
    with all that belongs to it, and is not a candidate until it is there again.
    """

    def count(self) -> int:
        """Count the tracks."""

    def tracks(self, numbers: Sequence[int]) -> list[Track]:
        """Return the tracks with these numbers, in that order. Raises KeyError for another."""

    def numbers(self, uris: Collection[str]) -> dict[str, int]:
        """Return the number of each track that is stored, by its uri."""

    def tracks_by_fingerprint(self, fingerprint: str) -> list[Track]:
        """Return the tracks that have this content."""

    def search(self, words: str, *, limit: int) -> list[tuple[int, Track]]:
        """Return numbered tracks in whose title, artists or album every word occurs, by title."""

    def rename_uri(self, old: str, new: str, *, modification_tag: str) -> None:
        """Give a track another uri; its analyses and feedback go along."""

    def mark_missing(self, prefix: str, uris: Collection[str]) -> int:
        """Mark tracks whose uri has this prefix, unless it is among ``uris``; count the marked."""

    def forget(self, uris: Collection[str]) -> int:
        """Remove tracks with their analyses and feedback; count them."""

    def forget_source(self, prefix: str) -> int:
        """Remove every track whose uri has this prefix, so that no copy of it stays; count them."""

    def folders(self) -> list[str]:
        """Return the folders and sources that are scanned, in order."""

    def add_folders(self, paths: Iterable[str]) -> None:
        """Add folders and sources to be scanned; those that are there stay."""

    def forget_folder(self, place: str) -> int:
        """Remove a folder, file or source and all tracks of it; count the tracks."""


class AnalysisStore(Protocol):
    """Keeps one analysis, or the reason of a failure, for each (track, content, analyser)."""

    def revision(self) -> int:
        """Return a number that is another one after every change of tracks or analyses."""

    def store(
        self,
        track: Track,
        *,
        modification_tag: str,
        fingerprint: str,
        analyser: str,
        result: Analysis | str,
    ) -> None:
        """Store a track with its analysis or the reason why there is none."""

    def store_all(self, rows: Iterable[AnalysisRecord], *, analyser: str) -> int:
        """Store all rows or, where an error is raised, none; count them.

        An empty fingerprint or modification tag means that of the stored track.
        """

    def modification_tags(self, analyser: str) -> dict[str, tuple[str, str | None]]:
        """Return modification tag and failure of every track the analyser was given, by uri."""

    def analysis_of(self, fingerprint: str, analyser: str) -> Analysis | None:
        """Return this analyser's analysis of that content, whichever track it belongs to."""

    def same_recordings(self, isrcs: Collection[str], analyser: str) -> dict[str, Analysis]:
        """Return an analyser's analyses of recordings, by ISRC, whichever source they are of."""

    def placed_uris(self, uris: Collection[str], analysers: Sequence[str]) -> set[str]:
        """Return those of the uris that one of the analysers has placed."""

    def entries(
        self, analysers: Sequence[str], *, limit: int | None = None
    ) -> Iterable[tuple[int, Track, Analysis]]:
        """Yield every track that is there with its analysis by the first of the analysers."""

    def candidates(
        self, analysers: Sequence[str], *, uris: Collection[str] | None = None
    ) -> Candidates:
        """Return all tracks that are there and analysed, or those of these uris, as columns.

        They are in the order of their uris (by code point). Of several analyses of a track, that of
        the analyser which is named first counts.
        """


class FeedbackStore(Protocol):
    """Keeps each listener's log of likes, skips and plays, and their corrections.

    What follows from them is computed in `taste`.
    """

    def feedback_revision(self, listener: Listener = ME) -> int:
        """Return a number that is another one after every change of this listener's log."""

    def add_feedback(self, number: int, kind: FeedbackKind, listener: Listener = ME) -> None:
        """Append what the listener did with the track of this number."""

    def remove_feedback(self, number: int, kind: FeedbackKind, listener: Listener = ME) -> None:
        """Remove the listener's last entry of this kind for a track, where there is one."""

    def import_history(
        self, streams: Iterable[tuple[str, str, str, str]], listener: Listener = ME
    ) -> int:
        """Append (uri, title, artist, kind) of stored tracks, by uri or by name; count them."""

    def feedback_log(self, listener: Listener = ME) -> list[FeedbackEntry]:
        """Return the listener's log, the oldest entry first."""

    def feedback_counts(self, listener: Listener = ME) -> dict[tuple[int, str], int]:
        """Return how often the listener did what, by (number of the track, kind)."""

    def last_plays(self, limit: int, listener: Listener = ME) -> list[int]:
        """Return the numbers of the tracks that were played last, the last one first."""

    def add_correction(
        self, probabilities: Mapping[str, float], stated: Affect, listener: Listener = ME
    ) -> None:
        """Append what was read of a face, by emotion, and where its owner says that they are."""

    def corrections(self, listener: Listener = ME) -> list[tuple[dict[str, float], Affect]]:
        """Return the listener's corrections, the oldest first."""

    def forget_taste(self, listener: Listener = ME) -> int:
        """Remove the listener's log and corrections; count the entries."""


class Executor(Protocol):
    """Does the work of a run: in this process, in others, on other machines."""

    def map(
        self, function: Callable[[Track], AnalysisResult], tracks: Sequence[Track]
    ) -> Iterator[tuple[int, AnalysisResult]]:
        """Yield (place of a track in the sequence, its result) as they come, each place once.

        A track that takes its worker along has Failed. ``function`` can be pickled; what it raises
        ends the run.
        """
        ...
