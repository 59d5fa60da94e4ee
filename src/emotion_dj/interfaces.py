"""Every swap point of Emotion-DJ on one page: small protocols, one to three verbs each.

Nothing here is inherited from: a class fits by having the verbs. Concrete classes are named in
`app` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
        Image,
        Media,
        Omission,
        Pick,
        Preferences,
        Reading,
        SavedPlaylist,
        Section,
        Tags,
        Track,
    )

    Audio: TypeAlias = Path | Section | BinaryIO


class FaceDetector(Protocol):
    """Finds faces."""

    def detect(self, image: Image) -> list[Face]:
        """Return every face, largest first; an empty list where there is none."""


class EmotionModel(Protocol):
    """Reads expressions."""

    @property
    def id(self) -> str:
        """Name and version of the model, as stated in every Reading."""

    def read(self, image: Image, faces: Sequence[Face]) -> list[Reading]:
        """Return one calibrated Reading per face, in the order of the faces."""


class AudioAnalyser(Protocol):
    """Hears what music is like."""

    @property
    def id(self) -> str:
        """Name and version; a stored analysis is valid for this id alone."""

    def analyse(self, audio: Audio) -> Analysis:
        """Measure one recording. Raises AudioError where it cannot be decoded or holds no sound."""


@runtime_checkable
class Source(Protocol):
    """Where tracks come from.

    What a source can do beyond this is decided by which of the protocols below it implements, for
    plug-ins as for our own; each of them is one verb or two, and one object may be several.
    """

    @property
    def name(self) -> str:
        """The short name used in settings and messages."""

    def tracks(self) -> Iterator[Track]:
        """Yield every track offered, cheaply. Raises LibraryError or SourceError."""

    def describe(self, track: Track) -> Track:
        """Return the track with all that is known of it (tags); asked once per changed track."""


@runtime_checkable
class Searchable(Protocol):
    """A source that can look for tracks."""

    def search(self, query: str, *, limit: int = 25) -> list[Track]:
        """Return the best matches first, at most ``limit``."""


@runtime_checkable
class AudioSource(Protocol):
    """A source whose audio may be analysed; it is played from there too, if not `Streamable`."""

    def open(self, track: Track) -> AbstractContextManager[Audio]:
        """Give the track's audio for reading; nothing of it is kept after the block.

        Raises NotAvailable, another SourceError or OSError.
        """

    def modification_tag(self, track: Track) -> str:
        """Return a mark that costs nothing and changes whenever the audio may have changed."""

    def fingerprint(self, track: Track) -> str:
        """Return a mark of the content itself, the same wherever and however it is named."""


@runtime_checkable
class Movable(Protocol):
    """A source whose modification tags tell a file that was moved from one that was changed."""

    def is_unchanged(self, before: str, now: str) -> bool:
        """Tell by two modification tags of a file whether nothing but its name or rights are new,
        so that what it says of itself need not be read again.
        """


@runtime_checkable
class FileSource(Protocol):
    """A source of the listener's own files, whose tracks are ``file://`` uris below its roots, or
    anywhere where it has none.

    What is not there any more below a root is marked as missing; its files may be tagged.
    """

    @property
    def roots(self) -> Sequence[Path]:
        """The folders on disk, or single files, in which its tracks lie."""


@runtime_checkable
class Listing(Protocol):
    """A source that also says what it passes over while it lists its tracks."""

    def listing(self) -> Iterator[Track | Omission]:
        """Yield what `tracks` yields, and among it what was passed over and why."""


class AudioStream(Protocol):
    """Audio on its way to a player, as an answer of HTTP: an `httpx.Response` is one."""

    @property
    def status_code(self) -> int:
        """200 for the whole, 206 for a byte range, 416 for one that is outside."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers, with names in lower case: content-type, content-length, content-range."""

    def iter_raw(self) -> Iterator[bytes]:
        """Yield the bytes, once."""


@runtime_checkable
class Streamable(Protocol):
    """A source that can send a track's audio to a player without having all of it at hand."""

    def stream(
        self, track: Track, headers: Mapping[str, str]
    ) -> AbstractContextManager[AudioStream]:
        """Open the track's audio, or the byte range that ``headers`` ask for under ``range``.

        Raises NotAvailable or another SourceError.
        """


@runtime_checkable
class Resolver(Protocol):
    """A source whose addresses have to be asked for when a track is played."""

    def resolve(self, track: Track) -> Media:
        """Return what can be played right now. Raises NotAvailable where nothing can."""


@runtime_checkable
class ArtworkProvider(Protocol):
    """A source that has pictures of its tracks."""

    def picture(self, track: Track) -> bytes | None:
        """Return an encoded picture, None where there is none. Raises a SourceError."""


@runtime_checkable
class TagProvider(Protocol):
    """A source whose tracks carry somebody's word of their moods."""

    def tagged(self, track: Track) -> Tags | None:
        """Return what is written beside a track that it has yielded, None where nothing is."""


@runtime_checkable
class FeedbackSink(Protocol):
    """A source that wants to know what the listener does with its tracks."""

    def report_feedback(self, track: Track, kind: str) -> None:
        """Take note of a like, an unlike, a skip or a play. Raises a SourceError."""


@runtime_checkable
class FeatureProvider(Protocol):
    """A service that knows the features of tracks without their audio."""

    def features(self, tracks: Iterable[Track]) -> Mapping[str, AudioFeatures]:
        """Return the features by track uri; tracks it does not know are left out."""


@runtime_checkable
class IsrcLookup(Protocol):
    """A source that knows recordings by their ISRC and whose audio may be analysed."""

    def by_isrc(self, isrc: str) -> Track | None:
        """Return the track of a recording, None where there is none. Raises a SourceError."""

    def open(self, track: Track) -> AbstractContextManager[Audio]:
        """Give the track's audio for reading; nothing of it is kept after the block."""


@runtime_checkable
class Sink(Protocol):
    """Where a DJ set can be written as a playlist."""

    def write(self, music: DJSet, *, name: str) -> SavedPlaylist:
        """Create or replace the playlist called ``name``; return where the listener finds it.

        Picks that are not there are left out, and it is counted how many are. Raises NotAvailable
        where none is there, LoginRequired, or another SourceError.
        """


@runtime_checkable
class Player(Protocol):
    """Where songs can be played."""

    def devices(self) -> list[Device]:
        """Return the listener's devices that are there now, the active one first."""

    def play(self, tracks: Sequence[Track], *, device: str = "") -> None:
        """Start the first track and queue the others, on a device by its id or the active one.

        Raises NotAvailable where the device or all of the tracks are not there, LoginRequired, or
        another SourceError.
        """


@runtime_checkable
class Account(Protocol):
    """A source, sink or player to which somebody has to be logged in."""

    def logged_in(self) -> bool:
        """Tell whether there is a login, without asking the service."""


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


class Executor(Protocol):
    """Does the work of a run: in this process, in others, on other machines."""

    def map(
        self, function: Callable[[Track], AnalysisResult], tracks: Sequence[Track]
    ) -> Iterator[tuple[int, AnalysisResult]]:
        """Yield (place of a track in the sequence, its result) as they come, each place once.

        A track that takes its worker along has Failed. ``function`` can be pickled; what it raises
        ends the run.
        """
