"""The contract of a source as tests, for its author to run.

    from emotion_dj.testing.conformance import SourceContract

    class TestMine(SourceContract):
        def make(self): return MySource(...)

or ``check_source(MySource)`` in one line. Each failure says in a sentence which promise is broken.
A few tracks are looked at; what a source does not offer (search, resolving) is not asked of it.
"""

from __future__ import annotations

import pickle
import re
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.domain import Media, Track
from emotion_dj.errors import AudioError, SourceError
from emotion_dj.interfaces import AudioSource, Resolver, Searchable

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_AT: Final = 5
DAY: Final = 86_400
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")
_ISRC: Final = re.compile(r"[A-Z]{2}-?[A-Z0-9]{3}-?[0-9]{2}-?[0-9]{5}")


class SourceContract:
    """Tests that pytest collects in a subclass whose ``make`` returns a source with music in it."""

    def make(self) -> Any:
        """Return a fresh source; overridden by the author."""
        raise NotImplementedError

    def test_its_name_can_be_typed(self) -> None:
        """It is what a listener writes behind --library."""
        name = self.make().name
        _hold(_NAME.fullmatch(name), f"name is '{name}': use small letters, figures, - and _")

    def test_its_tracks_are_named_for_ever(self) -> None:
        """Two looks give the same uris, each once, under the source's own name or file://."""
        source = self.make()
        first = _tracks(source)
        _hold(first, "tracks() yields nothing: give the suite a source with music in it")
        uris = [track.uri for track in first]
        _hold(uris == [track.uri for track in _tracks(self.make())], "tracks() changes its mind")
        _hold(len(set(uris)) == len(uris), "tracks() yields the same uri twice")
        own = (f"{source.name}:", "file://")
        _hold(all(uri.startswith(own) for uri in uris), f"a uri does not begin with {own[0]}")

    def test_its_tracks_are_described_truly(self) -> None:
        """Titles are there, durations are seconds, codes are ISRCs; describing keeps the uri."""
        source = self.make()
        for track in _tracks(source):
            told = source.describe(track)
            _hold(isinstance(told, Track), "describe() returns something that is no Track")
            _hold(told.uri == track.uri, "describe() changes the uri")
            _hold(told.title.strip(), "a track has no title")
            _hold(isinstance(told.artists, tuple), "artists are no tuple of names")
            seconds = told.duration
            _hold(seconds is None or 0 < seconds < DAY, f"a duration is {seconds}: say seconds")
            _hold(told.isrc is None or _ISRC.fullmatch(told.isrc), f"'{told.isrc}' is no ISRC")
            _hold(told.media is None or isinstance(told.media, Media), "media is no Media")

    def test_its_audio_can_be_read(self) -> None:
        """`open` gives a path, or a binary file with bytes in it that is closed after the block."""
        source = self._listenable()
        track = _tracks(source)[0]
        with source.open(track) as audio:
            if isinstance(audio, Path):
                _hold(audio.stat().st_size, "open() gives an empty file")
                return
            start = audio.read(16)
            _hold(isinstance(start, bytes) and start, "open() gives nothing, or no bytes")
        _hold(audio.closed, "the file of open() stays open after the block")

    def test_its_marks_hold(self) -> None:
        """Stamps and fingerprints are text, and the same as long as the audio is."""
        source, other = self._listenable(), self._listenable()
        for track in _tracks(source):
            for verb in ("modification_tag", "fingerprint"):
                mark = getattr(source, verb)(track)
                _hold(isinstance(mark, str) and mark, f"{verb}() returns no text")
                again = getattr(other, verb)(track)
                _hold(mark == again, f"{verb}() changes although the audio does not")

    def test_it_travels_to_worker_processes(self) -> None:
        """Music is heard in processes of their own: a source has to survive pickling."""
        copy = pickle.loads(pickle.dumps(self.make()))  # noqa: S301 - what we wrote ourselves
        # By uri: an address that is signed anew by the second may differ.
        offered, again = ([track.uri for track in _tracks(s)] for s in (self.make(), copy))
        _hold(offered == again, "after pickling it offers other tracks")

    def test_an_unknown_track_is_said(self) -> None:
        """A track that is not there is what an analysis survives: SourceError, OSError, no file."""
        source = self._listenable()
        kind = _tracks(source)[0].uri.partition(":")[0]
        gone = Track(f"{kind}:{'///' if kind == 'file' else ''}no-such-track", "Gone")
        try:
            with source.open(gone) as audio:
                kept = isinstance(audio, Path) and not audio.exists()
        except (SourceError, AudioError, OSError) as error:
            kept = bool(str(error).strip())
        _hold(kept, "open() of an unknown track raises nothing, or an error without a sentence")

    def test_a_search_keeps_its_limit(self) -> None:
        """Where it can search: what is found are its tracks, at most as many as asked for."""
        source = self.make()
        if isinstance(source, Searchable):
            track = _tracks(source)[0]
            found = source.search(track.title, limit=1)
            _hold(len(found) <= 1, "search() returns more than its limit")
            kind = track.uri.partition(":")[0]
            _hold(all(t.uri.startswith(kind) for t in found), "search() finds foreign uris")

    def test_what_it_resolves_can_be_played_now(self) -> None:
        """Where it can resolve: there is an address, and it has not run out."""
        source = self.make()
        if isinstance(source, Resolver):
            media = source.resolve(_tracks(source)[0])
            _hold(isinstance(media, Media) and media.location, "resolve() gives no address")
            expires = media.expires
            _hold(expires is None or expires > time.time(), "resolve() gives an expired address")

    def _listenable(self) -> Any:
        source = self.make()
        _hold(
            isinstance(source, AudioSource),
            "it has no open(), modification_tag() and fingerprint()",
        )
        return source


def check_source(make: Callable[[], Any]) -> None:
    """Run the whole contract on the sources that ``make`` returns. Raises AssertionError."""
    suite = SourceContract()
    suite.make = make  # type: ignore[method-assign]
    for name in vars(SourceContract):
        if name.startswith("test_"):
            getattr(suite, name)()


def _tracks(source: Any) -> list[Track]:
    return list(islice(source.tracks(), LOOK_AT))


def _hold(kept: object, broken: str) -> None:
    if not kept:
        raise AssertionError(broken)
