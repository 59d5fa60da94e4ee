"""The nouns of Emotion-DJ: frozen values without I/O, the only things that cross between rooms.

``docs/glossary.md`` defines the words. "Emotion" is said of a face, "mood" of music, and
`Affect` is the only bridge between the two.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from urllib.parse import unquote_to_bytes

import numpy as np
import numpy.typing as npt

from emotion_dj.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_FILE: Final = "file://"
_ROUNDING: Final = 1e-6
_EDGE: Final = 1 + _ROUNDING

Image = npt.NDArray[np.uint8]
"""An upright RGB picture, uint8 of shape (height, width, 3): decoded, rotated, no metadata."""


class Emotion(StrEnum):
    """The expression of a face: the seven classes of FER2013, in alphabetical order."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    NEUTRAL = "neutral"
    SAD = "sad"
    SURPRISE = "surprise"


class Mood(StrEnum):
    """The display of a track's affect in one word."""

    HAPPY = "happy"
    SAD = "sad"
    CALM = "calm"
    ENERGETIC = "energetic"


class Box(NamedTuple):
    """An axis-aligned rectangle in pixels of the Image; (x, y) is its upper left corner."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Face:
    """One face found in an Image.

    ``score`` is the detector's confidence in [0, 1]; ``landmarks`` are (x, y) pixels of right eye,
    left eye, nose tip, right and left corner of the mouth, where the detector gives them.
    ``turned`` is by how many degrees clockwise the Image has to be turned to set the face upright,
    0 to 359; the box is that of the Image as it is.
    """

    box: Box
    score: float
    landmarks: tuple[tuple[float, float], ...] | None = None
    turned: int = 0

    def scaled(self, factor: float) -> Face:
        """Return the face in an Image whose sides are this many times as long."""
        landmarks = self.landmarks and tuple((x * factor, y * factor) for x, y in self.landmarks)
        box = Box(*(value * factor for value in self.box))
        return replace(self, box=box, landmarks=landmarks)

    def shifted(self, x: float, y: float) -> Face:
        """Return the face in an Image that begins so many pixels farther left and higher up."""
        landmarks = self.landmarks and tuple((a + x, b + y) for a, b in self.landmarks)
        box = self.box._replace(x=self.box.x + x, y=self.box.y + y)
        return replace(self, box=box, landmarks=landmarks)


@dataclass(frozen=True, slots=True)
class Reading:
    """Calibrated probabilities over the seven emotions of one face; they sum to 1.

    ``abstained`` is true where the most probable emotion is too improbable to be named, or too much
    of the face is hidden; ``reasons`` are codes of what makes it less certain. ``affect`` is where
    a model that reads the plane itself puts the face; None where the probabilities decide.
    """

    probabilities: Mapping[Emotion, float]
    model: str
    abstained: bool = False
    reasons: tuple[Reason, ...] = ()
    affect: Affect | None = None

    @property
    def emotion(self) -> Emotion:
        """The most probable emotion, whether or not the reading abstains."""
        return max(self.probabilities, key=self.probabilities.__getitem__)


@dataclass(frozen=True, slots=True)
class Affect:
    """A point on the plane of core affect (Russell 1980), each axis in [-1, 1].

    ``uncertainty`` in [0, 1] says how far off the point may be: 0 is certain, 1 is anywhere.
    ``stated_label`` is the word by which a person named the point; points are equal by whatever
    name. Raises LabelError where a value is out of its range by more than rounding, or no number.
    """

    valence: float
    arousal: float
    uncertainty: float = 0.0
    stated_label: Emotion | Mood | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is nowhere on the plane: nothing is near to it, and ranking would not end."""
        axes = abs(self.valence) <= _EDGE and abs(self.arousal) <= _EDGE
        if not (axes and -_ROUNDING <= self.uncertainty <= _EDGE):
            place = f"({self.valence:g}, {self.arousal:g}) with uncertainty {self.uncertainty:g}"
            msg = (
                f"{place} is not a point of the plane: valence and arousal go from -1 to 1, "
                "uncertainty from 0 to 1"
            )
            raise LabelError(msg)


@dataclass(frozen=True, slots=True)
class PhotoAnalysis:
    """What was seen in one Image: the faces (largest first), their readings, the room's affect."""

    faces: tuple[Face, ...]
    readings: tuple[Reading, ...]
    affect: Affect


@dataclass(frozen=True, slots=True)
class Media:
    """Something that sounds: a local file, a whole stream, or a preview clip.

    ``location`` is a file path for ``file`` and an address otherwise; ``expires`` is a POSIX time
    after which the address has to be resolved again.
    """

    kind: Literal["file", "stream", "preview"]
    location: str
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an audio file that is a track of its own: seconds from the file's beginning.

    ``end`` is None where it goes on to the end of the file.
    """

    path: Path
    begin: float
    end: float | None = None


@dataclass(frozen=True, slots=True)
class SavedPlaylist:
    """A set that a service keeps as a playlist.

    ``place`` is its address, or the name of the server; ``songs`` of the set's ``total`` are on it.
    """

    name: str
    place: str
    songs: int
    total: int


@dataclass(frozen=True, slots=True)
class Device:
    """Something of the listener's on which a service can play: a phone, a speaker, a browser.

    ``active`` is true of the one that plays, or played last.
    """

    id: str
    name: str
    active: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """One recording as its source describes it.

    ``uri`` names it for ever; ``duration`` is in seconds; ``artwork`` is an address or a path;
    ``genres`` and ``year`` are what somebody wrote beside it.
    """

    uri: str
    title: str
    artists: tuple[str, ...] = ()
    album: str = ""
    duration: float | None = None
    artwork: str | None = None
    isrc: str | None = None
    media: Media | None = None
    genres: tuple[str, ...] = ()
    year: int | None = None

    @property
    def path(self) -> Path | None:
        """The local file that a ``file://`` uri names, whatever bytes its name is made of."""
        if not self.uri.startswith(_FILE):
            return None
        return Path(os.fsdecode(unquote_to_bytes(self.uri.removeprefix(_FILE))))


@dataclass(frozen=True, slots=True)
class Omission:
    """A file, or a folder with all below it, that was passed over while a library was listed.

    ``uri`` of a folder ends with a slash. ``code`` is `unreadable` where nobody can say what is
    there, else `store`, `hidden`, `ignored` or `not_a_file`; ``why`` is one sentence for a person.
    """

    uri: str
    code: str
    why: str


STATED: Final = "told"
"""The analyser of places that a table tells; what our ear hears is believed before them."""

TAGS: Final = "tags-1"
"""The analyser of what was not heard: somebody's tags say where the track stands."""


@dataclass(frozen=True, slots=True)
class Tags:
    """What somebody wrote beside a track: words for its moods, in any spelling, and its tempo."""

    moods: tuple[str, ...]
    tempo: float | None = None


@dataclass(frozen=True, slots=True)
class AudioFeatures:
    """What was measured on a track, and by which analyser; None where it was not measured.

    Measured: ``tempo`` in beats a minute, ``key`` 0-11 from C, ``mode`` 1 major or 0 minor,
    ``loudness`` in LUFS, ``brightness`` as spectral centroid in Hz, ``onset_rate`` in onsets a
    second, ``dynamics`` as loudness range in LU. Estimated, each in [0, 1], with the meaning that
    Spotify gave the words: ``energy`` to ``valence``.
    """

    analyser: str
    tempo: float | None = None
    key: int | None = None
    mode: int | None = None
    loudness: float | None = None
    brightness: float | None = None
    onset_rate: float | None = None
    dynamics: float | None = None
    energy: float | None = None
    danceability: float | None = None
    acousticness: float | None = None
    instrumentalness: float | None = None
    speechiness: float | None = None
    liveness: float | None = None
    valence: float | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that an analyser says of one track.

    ``gems`` maps the nine GEMS scales to the expected share of listeners in [0, 1];
    ``embedding`` is a unit vector in which near means "sounds alike".
    """

    features: AudioFeatures
    affect: Affect
    gems: Mapping[str, float] = field(default_factory=dict)
    embedding: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysed:
    """What a run made of a track: it was analysed."""

    analysis: Analysis


@dataclass(frozen=True, slots=True)
class Failed:
    """What a run made of a track: no analysis, for a reason in one sentence that names it.

    ``retry`` is true where the next run may do better, as with a disk that was away; what has
    nothing to hear is not tried again before it changes.
    """

    reason: str
    retry: bool = False


AnalysisResult = Analysed | Failed


@dataclass(frozen=True, slots=True)
class Plan:
    """What the listener wants of the music.

    ``stops`` are set by journeys and along films only, two or more; None stands for where the
    listener is.
    """

    name: str
    stops: tuple[Affect | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens. One person's alone, stored under their ``id``, are likes, skips and plays (their
    taste and recency) and corrections; tracks, analyses and candidates are everyone's.
    """

    id: str = "me"


ME: Final = Listener()
"""The only listener on a laptop."""


FeedbackKind = Literal["like", "skip", "play"]
"""What a listener does with a track."""


class FeedbackEntry(NamedTuple):
    """One entry of a listener's log: ``at`` is "YYYY-MM-DD HH:MM:SS", UTC."""

    at: str
    kind: str
    uri: str
    title: str


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Candidates:
    """All that may be picked, by any listener: row i of every column is one track (n rows).

    int64 ``number``: the track's in the catalogue. float32: ``valence``, ``arousal``,
    ``uncertainty``, ``tempo`` and ``loudness`` (NaN: unknown). int8 ``key``: 0-11 major from C,
    12-23 minor from C, -1 unknown. int32 ``artist`` and ``album``: equal numbers are the same one,
    -1 unknown. ``embedding``: float16 (n, d), d may be 0; vectors of two analysers are orthogonal.
    ``load`` fetches the Tracks of the rows named.
    """

    number: npt.NDArray[np.int64]
    valence: npt.NDArray[np.float32]
    arousal: npt.NDArray[np.float32]
    uncertainty: npt.NDArray[np.float32]
    tempo: npt.NDArray[np.float32]
    loudness: npt.NDArray[np.float32]
    key: npt.NDArray[np.int8]
    artist: npt.NDArray[np.int32]
    album: npt.NDArray[np.int32]
    embedding: npt.NDArray[np.float16]
    load: Callable[[Sequence[int]], list[Track]]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.valence)

    def rows(self, keep: npt.NDArray[np.intp]) -> Candidates:
        """Return the rows at these places as candidates of their own."""
        columns = {f.name: getattr(self, f.name)[keep] for f in fields(self) if f.name != "load"}
        return Candidates(
            **columns, load=lambda places: self.load(keep[np.array(places, np.intp)].tolist())
        )


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Preferences:
    """What one listener makes of candidates: row i is the same track as theirs (n rows).

    float32 ``taste`` in [-1, 1]: 1 is wholly liked, 0 where nothing is known. float32 ``recency``
    in [0, 1]: 1 for the track that was played last, falling to 0. float32 ``likeness`` in [-1, 1]:
    how much each sounds like the song that a set begins from; None where it begins from none.
    """

    taste: npt.NDArray[np.float32]
    recency: npt.NDArray[np.float32]
    likeness: npt.NDArray[np.float32] | None = None

    @classmethod
    def neutral(cls, n: int) -> Preferences:
        """Return those of a listener of whom nothing is known."""
        return cls(np.zeros(n, np.float32), np.zeros(n, np.float32))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is as it is: a code, and the values that go with it; never a sentence.

    `messages` puts it into English and the page into the listener's language. The values are
    plain JSON: numbers, words that are codes themselves, and lists of them.
    """

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pick:
    """A track chosen for the set: its place on the plane, its score in [0, 1], and why.

    ``tempo``, ``key``, ``mode`` and ``loudness`` as in AudioFeatures.
    """

    track: Track
    affect: Affect
    mood: Mood
    score: float
    reasons: tuple[Reason, ...]
    tempo: float | None = None
    key: int | None = None
    mode: int | None = None
    loudness: float | None = None


@dataclass(frozen=True, slots=True)
class DJSet:
    """The picks in playing order, the plan and its target path, and what the listener should know.

    ``opening`` says what the set answers (`you_look`, `to_lift`, ...), ``notes`` what there is to
    know about it (`far`: the nearest music is far from what is wanted).
    """

    picks: tuple[Pick, ...]
    plan: Plan
    path: tuple[Affect, ...]
    affect: Affect
    opening: Reason
    notes: tuple[Reason, ...] = ()
