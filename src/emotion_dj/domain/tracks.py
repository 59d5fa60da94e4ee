"""What is heard: tracks as their sources describe them, and what an analysis says of them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emotion_dj.domain.faces import Affect


_FILE: Final = "file://"
_PART: Final = re.compile(r"#t=(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?$")
"""What ends the uri of a part of a file, in seconds (W3C Media Fragments)."""


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
    ``genres`` and ``year`` are what somebody wrote beside it; ``mbid`` is MusicBrainz's id of the
    recording.
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
    mbid: str | None = None

    @property
    def path(self) -> Path | None:
        """The local file that a ``file://`` uri names, whatever bytes its name is made of."""
        if not self.uri.startswith(_FILE):
            return None
        whole = _PART.sub("", self.uri.removeprefix(_FILE))
        return Path(os.fsdecode(unquote_to_bytes(whole)))

    @property
    def section(self) -> Section | None:
        """The part of a local file that a uri with ``#t=begin,end`` names; None for a whole one."""
        part, path = _PART.search(self.uri), self.path
        if path is None or part is None:
            return None
        return Section(path, float(part[1]), float(part[2]) if part[2] else None)


@dataclass(frozen=True, slots=True)
class Omission:
    """A file, or a folder with all below it, that was passed over while a library was listed.

    ``uri`` of a folder ends with a slash. ``code`` is `unreadable` where nobody can say what is
    there, else `store`, `hidden`, `ignored`, `not_a_file`, or `not_found` for a song that a
    playlist lists; ``why`` is one sentence for a person.
    """

    uri: str
    code: str
    why: str


LEFT_OUT: Final = ("short", "speech", "noise", "long")
"""The codes of what stays in the catalogue and out of sets; `eligibility` has the rules."""


MADE_UP: Final = "import:"
"""How the uris of tracks begin that a list names without one: nothing of them can be played."""

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
    ``embedding`` is a unit vector in which near means "sounds alike". ``duration``, in seconds, is
    the recording's where that had to be measured, None where what its file says was believed.
    """

    features: AudioFeatures
    affect: Affect
    gems: Mapping[str, float] = field(default_factory=dict)
    embedding: tuple[float, ...] = ()
    duration: float | None = None


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
