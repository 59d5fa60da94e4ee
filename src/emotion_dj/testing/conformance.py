"""The contract of a source as tests, for its author to run.

    from emotion_dj.testing.conformance import SourceContract

    class TestMine(SourceContract):
        def make(self): return MySource(...)

or ``check_source(MySource)`` in one line. Each failure says in a sentence which promise is broken.
A few tracks are looked at; a protocol of `emotion_dj.interfaces` that a source does not implement
is not asked of it. A sink writes the playlist PLAYLIST and a player starts a song: give the suite a
stand-in or an account of your own.
"""

from __future__ import annotations

import pickle
import re
import time
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.domain import (
    Affect,
    Device,
    DJSet,
    Media,
    Mood,
    Pick,
    Plan,
    Reason,
    SavedPlaylist,
    Track,
)
from emotion_dj.errors import AudioError, NotAvailable, SourceError
from emotion_dj.interfaces import (
    ArtworkProvider,
    AudioSource,
    FileSource,
    Player,
    Resolver,
    Searchable,
    Sink,
    Streamable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PLAYLIST: Final = "Emotion-DJ conformance"
"""What a sink is asked to write, and to replace."""

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
            described = source.describe(track)
            _hold(isinstance(described, Track), "describe() returns something that is no Track")
            _hold(described.uri == track.uri, "describe() changes the uri")
            _hold(described.title.strip(), "a track has no title")
            _hold(isinstance(described.artists, tuple), "artists are no tuple of names")
            seconds, isrc, media = described.duration, described.isrc, described.media
            _hold(seconds is None or 0 < seconds < DAY, f"a duration is {seconds}: say seconds")
            _hold(isrc is None or _ISRC.fullmatch(isrc), f"'{isrc}' is no ISRC")
            _hold(media is None or isinstance(media, Media), "media is no Media")

    def test_its_audio_can_be_read(self) -> None:
        """`open` gives a path, or a binary file with bytes in it that is closed after the block."""
        source = self._made(AudioSource)
        if source is None:
            return
        with source.open(_tracks(source)[0]) as audio:
            if isinstance(audio, Path):
                _hold(audio.stat().st_size, "open() gives an empty file")
                return
            start = audio.read(16)
            _hold(isinstance(start, bytes) and start, "open() gives nothing, or no bytes")
        _hold(audio.closed, "the file of open() stays open after the block")

    def test_its_marks_hold(self) -> None:
        """Modification tags and fingerprints are text, and stay as long as the audio does."""
        source, other = self._made(AudioSource), self.make()
        if source is None:
            return
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

    def test_an_unknown_track_raises_an_error_with_a_sentence(self) -> None:
        """A track that is not there is what an analysis survives: SourceError, OSError, no file."""
        source = self._made(AudioSource)
        if source is None:
            return
        with ExitStack() as stack:
            try:
                audio = stack.enter_context(source.open(_missing(source)))
                held = isinstance(audio, Path) and not audio.exists()
            except (SourceError, AudioError, OSError) as error:
                held = bool(str(error).strip())
        _hold(held, "open() of an unknown track raises nothing, or an error without a sentence")

    def test_its_stream_can_be_played(self) -> None:
        """Where it can stream: bytes come, and a byte range is that range or the whole."""
        source = self._made(Streamable)
        if source is None:
            return
        track = _tracks(source)[0]
        code, whole = _streamed(source, track, {})
        _hold(code == _WHOLE and whole, f"stream() sends {len(whole)} bytes with status {code}")
        code, part = _streamed(source, track, {"range": "bytes=1-4"})
        right = whole[1:5] if code == _PART else whole
        _hold(code in {_WHOLE, _PART} and part == right, "stream() of bytes=1-4 sends other bytes")

    def test_its_files_lie_below_its_roots(self) -> None:
        """Where it has roots: they are there, and its tracks are files in them."""
        source = self._made(FileSource)
        if source is None or not source.roots:
            return
        roots = [Path(root).resolve() for root in source.roots]
        _hold(all(root.exists() for root in roots), "a root is not there")
        for track in _tracks(source):
            path = track.path
            inside = path is not None and any(path.resolve().is_relative_to(r) for r in roots)
            _hold(inside, f"{track.uri} is no file below the roots")

    def test_a_search_keeps_its_limit(self) -> None:
        """Where it can search: what it returns are its tracks, at most as many as asked for."""
        source = self._made(Searchable)
        if source is None:
            return
        track = _tracks(source)[0]
        matches = source.search(track.title, limit=1)
        _hold(len(matches) <= 1, "search() returns more than its limit")
        kind = track.uri.partition(":")[0]
        _hold(all(t.uri.startswith(kind) for t in matches), "search() returns foreign uris")

    def test_what_it_resolves_can_be_played_now(self) -> None:
        """Where it can resolve: there is an address, and it has not run out."""
        source = self._made(Resolver)
        if source is None:
            return
        media = source.resolve(_tracks(source)[0])
        _hold(isinstance(media, Media) and media.location, "resolve() gives no address")
        expires = media.expires
        _hold(expires is None or expires > time.time(), "resolve() gives an expired address")

    def test_its_pictures_are_bytes(self) -> None:
        """Where it has pictures: each is an encoded one, or None."""
        source = self._made(ArtworkProvider)
        if source is None:
            return
        for track in _tracks(source):
            picture = source.picture(track)
            _hold(picture is None or (isinstance(picture, bytes) and picture), "picture() is empty")

    def test_a_set_is_written_and_replaced(self) -> None:
        """Where it is a sink: it says where the playlist is; without its own songs it raises."""
        sink = self._made(Sink)
        if sink is None:
            return
        tracks = _tracks(sink)
        for part in (tracks, tracks[:1]):
            saved = sink.write(_set(part), name=PLAYLIST)
            told = isinstance(saved, SavedPlaylist) and saved.place.strip()
            _hold(told, "write() does not say where it is")
        foreign = _set([Track("elsewhere:no-such-track", "")])
        _refuses(lambda: sink.write(foreign, name=PLAYLIST), "write() of foreign songs")

    def test_its_devices_play(self) -> None:
        """Where it is a player: the active device comes first, and one that is not there raises."""
        player = self._made(Player)
        if player is None:
            return
        devices = player.devices()
        _hold(all(isinstance(d, Device) and d.id and d.name for d in devices), "a Device is empty")
        active = [device.active for device in devices]
        _hold(active == sorted(active, reverse=True), "devices(): the active one is not the first")
        tracks = _tracks(player)[:1]
        if devices:
            player.play(tracks, device=devices[0].id)
        _refuses(lambda: player.play(tracks, device="no-such-device"), "play() on no device")

    def _made(self, kind: type[Any]) -> Any | None:
        """Return a fresh source where it implements a protocol, else None."""
        source = self.make()
        return source if isinstance(source, kind) else None


_WHOLE, _PART = 200, 206


def check_source(make: Callable[[], Any]) -> None:
    """Run the whole contract on the sources that ``make`` returns. Raises AssertionError."""
    suite = SourceContract()
    suite.make = make  # type: ignore[method-assign]
    for name in vars(SourceContract):
        if name.startswith("test_"):
            getattr(suite, name)()


def _tracks(source: Any) -> list[Track]:
    return list(islice(source.tracks(), LOOK_AT))


def _missing(source: Any) -> Track:
    """Return a track of the source's own kind that it does not have."""
    kind = _tracks(source)[0].uri.partition(":")[0]
    return Track(f"{kind}:{'///' if kind == 'file' else ''}no-such-track", "Gone")


def _streamed(source: Streamable, track: Track, headers: dict[str, str]) -> tuple[int, bytes]:
    with source.stream(track, headers) as sent:
        return sent.status_code, b"".join(sent.iter_raw())


def _set(tracks: Sequence[Track]) -> DJSet:
    """Return a DJ set of these tracks, in their order."""
    here = Affect(0.0, 0.0)
    picks = tuple(Pick(track, here, Mood.CALM, 1.0, ()) for track in tracks)
    return DJSet(picks, Plan("match"), (here,) * len(picks), here, Reason("you_say"))


def _refuses(act: Callable[[], object], what: str) -> None:
    try:
        act()
    except NotAvailable as error:
        _hold(str(error).strip(), f"{what} raises NotAvailable without a sentence")
        return
    _hold(False, f"{what} raises no NotAvailable")


def _hold(held: object, broken: str) -> None:
    if not held:
        raise AssertionError(broken)
