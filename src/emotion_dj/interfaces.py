"""Every swap point of Emotion-DJ on one page: small protocols, one to three verbs each.

Nothing here is inherited from: a class fits by having the verbs. Concrete classes are named in
`app` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

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
        Pick,
        Reading,
        Tags,
        Track,
    )

    Audio = Path | BinaryIO


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


class Source(Protocol):
    """Where tracks come from."""

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
    """A source whose audio may be analysed."""

    def open(self, track: Track) -> AbstractContextManager[Audio]:
        """Give the track's audio for reading; nothing of it is kept after the block."""
        ...

    def modification_tag(self, track: Track) -> str:
        """Return a mark that costs nothing and changes whenever the audio may have changed."""
        ...

    def fingerprint(self, track: Track) -> str:
        """Return a mark of the content itself, the same wherever and however it is named."""
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
        """Return what is written beside a track that it has told of, None where nothing is."""
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
    """Where a set can be written as a playlist."""

    def write(self, music: DJSet, *, name: str) -> str:
        """Create or replace the playlist called ``name``; return where the listener finds it."""
        ...


@runtime_checkable
class Player(Protocol):
    """Where songs can be played."""

    def devices(self) -> list[Device]:
        """Return the listener's devices that are there now, the active one first."""
        ...

    def play(self, tracks: Sequence[Track], *, device: str = "") -> None:
        """Start the first track and queue the others, on a device by its id or the active one."""
        ...


class Ranker(Protocol):
    """Chooses and orders music."""

    def rank(self, path: Sequence[Affect], candidates: Candidates, *, seed: int = 0) -> list[Pick]:
        """Return one pick per point of the path, fewer where music runs out; fixed by the seed."""
        ...


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
