"""How a run knows what has changed: the mark of a track, and where contents have moved to."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from emotion_dj.interfaces import AudioSource, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emotion_dj.domain import Track
    from emotion_dj.stores import MusicStore

_log = logging.getLogger(__name__)

_CLOCK_STEP_S: Final = 2.5
"""FAT keeps times in steps of two seconds, and others' clocks are not ours."""


class Library(Source, AudioSource, Protocol):
    """A source whose audio can be heard."""


class Marked(NamedTuple):
    """A track that has to be met, as it was when it was looked at.

    ``lasting_tag`` is the modification tag that is stored: none where the file is so new that it
    may change once more within the step of a clock, so that it is looked into again.
    """

    track: Track
    modification_tag: str
    fingerprint: str
    lasting_tag: str

    @classmethod
    def of(cls, library: Library, track: Track, before: str) -> Marked | None:
        """Look at a track; None where its modification tag is what it was before."""
        tag = library.modification_tag(track)
        if tag == before:
            return None
        return cls(track, tag, library.fingerprint(track), "" if _is_fresh(track) else tag)

    def now(self, library: Library) -> Marked | None:
        """Return this where the track is what it was; else how it is now, None where it is gone."""
        try:
            return self.of(library, self.track, self.modification_tag) or self
        except Exception:
            _log.debug("%s was not looked at", self.track.uri, exc_info=True)
            return None


class Moves:
    """Where contents lay that are not there any more, so that a new place is theirs."""

    def __init__(self, catalogue: MusicStore, met: Sequence[Marked]) -> None:
        """Ask for all that is known of them, at once."""
        self._stored = set(catalogue.numbers([marked.track.uri for marked in met]))
        self._places = catalogue.tracks_by_fingerprint({marked.fingerprint for marked in met})
        self._lengths = {mark: [t.duration for t, _ in ts] for mark, ts in self._places.items()}

    def measured(self, marked: Marked, track: Track) -> Track:
        """Return the track with the least length that is known of its audio: where a header claims
        too much, that is what was measured.
        """
        known = self._lengths.get(marked.fingerprint, ())
        return replace(track, duration=min(filter(None, (track.duration, *known)), default=None))

    def left(self, marked: Marked) -> tuple[Track, str] | None:
        """Return the track, with its modification tag, that moved to a place, each one once."""
        uri, tracks = marked.track.uri, self._places.get(marked.fingerprint, [])
        if uri in self._stored:
            return None
        self._stored.add(uri)
        for place, (track, _) in enumerate(tracks):
            if track.path and not track.path.exists():
                return tracks.pop(place)
        return None


def _is_fresh(track: Track) -> bool:
    """Tell whether a file was written within the last step of a clock, or seems to be."""
    return track.path is not None and abs(time.time() - track.path.stat().st_mtime) < _CLOCK_STEP_S
