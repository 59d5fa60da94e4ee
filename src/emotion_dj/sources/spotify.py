"""The listener's Spotify: their playlists and saved tracks, where sets go and where they sound.

Spotify's audio is not to be had. What its tracks are like comes from elsewhere, and from its own
`audio-features` for the few applications that still have them.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit

from emotion_dj.domain import AudioFeatures, Device, Media, SavedPlaylist, Track
from emotion_dj.errors import LoginRequired, NotAvailable, SourceError
from emotion_dj.sources.http import Client
from emotion_dj.sources.metadata import year_of
from emotion_dj.sources.spotify_login import AGAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from emotion_dj.domain import DJSet
    from emotion_dj.json_types import Json, JsonObject

PREFIX: Final = "spotify:track:"
HOST: Final = "api.spotify.com"
PAGE: Final = 50
BATCH: Final = 100
FOUND: Final = 10
"""The most that a search returns to applications of today."""

FEATURES: Final = (
    *("danceability", "energy", "loudness", "speechiness", "acousticness"),
    *("instrumentalness", "liveness", "valence", "tempo", "key", "mode"),
)
PREMIUM: Final = (
    "Spotify starts music for Premium accounts only: write the set as a playlist with --to spotify"
)
NO_DEVICE: Final = "no device of yours is there: open Spotify somewhere and try again"
OLD_LOGIN: Final = (
    "this login does not let us see your devices: run  emotion-dj login spotify  again"
)

_log = logging.getLogger(__name__)


class Spotify:
    """Fits `Source`, `Searchable`, `Sink`, `Player`, `Account` and `FeatureProvider` of
    `interfaces`. ``has_login`` tells whether there is a login, without asking anybody.
    """

    name = "spotify"

    def __init__(
        self,
        address: str,
        token: Callable[[str], str],
        *,
        has_login: Callable[[], bool] = lambda: True,
    ) -> None:
        """Keep where the service is and how to get a token; nothing is asked yet."""
        self._client = Client("Spotify", address, token=token, explain=_explain, hosts=(HOST,))
        self.logged_in = has_login
        self._tells_features = True

    def tracks(self) -> Iterator[Track]:
        """Yield every track of the listener's own playlists and of those saved, each once.

        Raises a SourceError.
        """
        seen: set[str] = set()
        for track in self._everything():
            if track.uri not in seen:
                seen.add(track.uri)
                yield track

    def playlist(self, reference: str) -> Iterator[Track]:
        """Yield the tracks of one playlist, each once; it is named by id, uri or address.

        Raises a SourceError.
        """
        seen: set[str] = set()
        for track in self._playlist(playlist_id(reference)):
            if track.uri not in seen:
                seen.add(track.uri)
                yield track

    def describe(self, track: Track) -> Track:
        """Return the track: the service told everything already."""
        return track

    def search(self, query: str, *, limit: int = FOUND) -> list[Track]:
        """Return songs that match, at most ``limit`` and at most 10."""
        wanted = {"q": query, "type": "track", "limit": max(1, min(limit, FOUND))}
        answer = self._client.get("search", wanted)
        page = _member(answer, "tracks", dict)
        found = map(_track, _member(page, "items", list))
        return [track for track in found if track is not None][:limit]

    def write(self, music: DJSet, *, name: str) -> SavedPlaylist:
        """Create or replace the listener's playlist called ``name``.

        Picks of other sources are looked for, with one request each. Raises NotAvailable where
        none of them is on Spotify.
        """
        uris = self._uris([pick.track for pick in music.picks])
        place = f"playlists/{self._named(name)}/items"
        for start in range(0, len(uris), BATCH):
            part = {"uris": uris[start : start + BATCH]}
            self._client.send("POST" if start else "PUT", place, document=part)
        address = f"https://open.spotify.com/playlist/{place.split('/')[1]}"
        return SavedPlaylist(name, address, len(uris), len(music.picks))

    def devices(self) -> list[Device]:
        """Return the listener's devices that can be told to play, the active one first.

        Raises LoginRequired where the login is older than this wish.
        """
        try:
            answer = self._client.get("me/player/devices", {})
        except NotAvailable as error:
            raise LoginRequired(OLD_LOGIN) from error
        told = [each for each in _member(answer, "devices", list) if isinstance(each, dict)]
        found = [
            Device(
                str(each["id"]), str(each.get("name") or each["id"]), bool(each.get("is_active"))
            )
            for each in told
            if each.get("id") and not each.get("is_restricted")
        ]
        return sorted(found, key=lambda device: not device.active)

    def play(self, tracks: Sequence[Track], *, device: str = "") -> None:
        """Start these songs on a device by its id, else the active one, else any that is there.

        Raises NotAvailable where there is none or the account may not.
        """
        uris = self._uris(tracks)
        try:
            self._start(uris, device)
        except _NoDeviceError:
            waiting = [] if device else self.devices()
            if not waiting:
                raise
            self._start(uris, waiting[0].id)

    def _start(self, uris: Sequence[str], device: str) -> None:
        where = f"?{urlencode({'device_id': device})}" if device else ""
        self._client.send("PUT", f"me/player/play{where}", document={"uris": list(uris)})

    def features(self, tracks: Iterable[Track]) -> dict[str, AudioFeatures]:
        """Return what Spotify measured, by uri: of nothing where it does not tell, said once."""
        uris = [track.uri for track in tracks if track.uri.startswith(PREFIX)]
        found: dict[str, AudioFeatures] = {}
        for start in range(0, len(uris), BATCH):
            if not self._tells_features:
                break
            found |= self._features(uris[start : start + BATCH])
        return found

    def _everything(self) -> Iterator[Track]:
        for playlist in self._owned():
            try:
                yield from self._playlist(str(playlist["id"]))
            except NotAvailable as error:  # it was deleted since it was listed
                _log.warning("passed over the playlist '%s': %s", playlist.get("name"), error)
        yield from self._entries("me/tracks")

    def _playlist(self, name: str) -> Iterator[Track]:
        yield from self._entries(f"playlists/{quote(name, safe='')}/items")

    def _entries(self, path: str) -> Iterator[Track]:
        """Yield what is a track among the entries of a playlist or of what is saved."""
        for entry in self._pages(path):
            track = _track(entry.get("item") or entry.get("track"))
            if track is not None and not entry.get("is_local"):
                yield track

    def _owned(self) -> Iterator[JsonObject]:
        me = _member(self._client.get("me", {}), "id", str)
        for playlist in self._pages("me/playlists"):
            if "id" in playlist and _object(playlist, "owner").get("id") == me:
                yield playlist

    def _named(self, name: str) -> str:
        """Return the id of the listener's playlist called ``name``, making it where it is not."""
        for playlist in self._owned():
            if playlist.get("name") == name:
                return str(playlist["id"])
        new = {"name": name, "public": False, "description": "A set by Emotion-DJ"}
        made = self._client.send("POST", "me/playlists", document=new)
        return str(_member(made, "id", str))

    def _pages(self, path: str) -> Iterator[JsonObject]:
        """Yield the entries of all pages; what is not an object is passed over."""
        query: Mapping[str, Json] | None = {"limit": PAGE, "offset": 0}
        while query is not None:
            page = self._client.get(path, query)
            entries = _member(page, "items", list)
            yield from (entry for entry in entries if isinstance(entry, dict))
            query = self._onward(page, query, len(entries))

    def _onward(
        self, page: Mapping[str, Json], query: Mapping[str, Json], count: int
    ) -> Mapping[str, Json] | None:
        """Return the query of the next page: as its link says, else as the total says, or None.

        Raises SourceError where the link leads to another host or backwards.
        """
        read = int(query["offset"]) + count
        if link := page.get("next"):
            onward = {**query, **self._client.query_of(str(link))}
            if not str(onward["offset"]).isdigit() or int(onward["offset"]) <= int(query["offset"]):
                msg = "Spotify's pages lead in a circle: try later"
                raise SourceError(msg)
            return onward
        total = page.get("total")
        more = count and isinstance(total, int) and read < total
        return {**query, "offset": read} if more else None

    def _uris(self, tracks: Sequence[Track]) -> list[str]:
        """Return the tracks as Spotify names them. Raises NotAvailable where it has none."""
        named = map(self._uri, tracks)
        uris = [uri for uri in named if uri is not None]
        if not uris:
            msg = "none of these songs is on Spotify: play from it with --library spotify"
            raise NotAvailable(msg)
        return uris

    def _uri(self, track: Track) -> str | None:
        """Return a track's name on Spotify: its own, else that of the same recording there."""
        if track.uri.startswith(PREFIX):
            return track.uri
        if track.isrc:
            found = self.search(f"isrc:{track.isrc}", limit=1)
            return found[0].uri if found else None
        if not (track.title and track.artists):
            return None
        told = self.search(f"{track.title} {track.artists[0]}")
        return next((other.uri for other in told if _same(track, other)), None)

    def _features(self, uris: Sequence[str]) -> dict[str, AudioFeatures]:
        wanted = ",".join(uri.removeprefix(PREFIX) for uri in uris)
        try:
            answer = self._client.get("audio-features", {"ids": wanted})
        except NotAvailable:
            self._tells_features = False
            _log.warning("Spotify does not tell this application how its tracks sound")
            return {}
        rows = _member(answer, "audio_features", list)
        known = [row for row in rows if isinstance(row, dict) and "id" in row]
        return {f"{PREFIX}{row['id']}": _measured(row) for row in known}


def playlist_id(reference: str) -> str:
    """Return the id in an id, a spotify uri or an address of a playlist. Raises NotAvailable."""
    path = urlsplit(reference).path if "://" in reference else reference
    name = re.split("[/:]", path.rstrip("/"))[-1]
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        msg = f"'{reference}' names no playlist: give its id, or its address at open.spotify.com"
        raise NotAvailable(msg)
    return name


class _NoDeviceError(NotAvailable):
    """Nothing of the listener's is active."""


def _explain(code: int, reason: str) -> SourceError | None:
    """Say what a fault means here, where HTTP alone would not tell."""
    if code == 401:  # noqa: PLR2004 - HTTP's name for it
        return LoginRequired(AGAIN)
    if reason == "PREMIUM_REQUIRED":
        return NotAvailable(PREMIUM)
    if reason == "NO_ACTIVE_DEVICE":
        return _NoDeviceError(NO_DEVICE)
    if code == 403:  # noqa: PLR2004 - HTTP's name for it
        return NotAvailable("Spotify does not let this application or account do that")
    return None


def _member(answer: Json, name: str, kind: type) -> Json:
    """Return a member that an answer has to have. Raises SourceError."""
    found = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(found, kind):
        msg = f"Spotify answered without '{name}', which is not its contract: try later"
        raise SourceError(msg)
    return found


def _track(entry: Json) -> Track | None:
    """Return a track as it is described; None for podcasts, local files and what is gone."""
    if not isinstance(entry, dict) or entry.get("type", "track") != "track":
        return None
    if not entry.get("id") or entry.get("is_local"):
        return None
    album = _object(entry, "album")
    duration = entry.get("duration_ms")
    isrc = _object(entry, "external_ids").get("isrc")
    preview = _address(entry.get("preview_url"))
    return Track(
        uri=f"{PREFIX}{entry['id']}",
        title=str(entry.get("name") or entry["id"]),
        artists=tuple(str(a["name"]) for a in _objects(entry, "artists") if a.get("name")),
        album=str(album.get("name") or ""),
        duration=duration / 1000 if isinstance(duration, int) else None,
        artwork=next((_address(image.get("url")) for image in _objects(album, "images")), None),
        isrc=str(isrc) if isrc else None,
        year=year_of([album.get("release_date")]),
        media=Media("preview", preview) if preview else None,
    )


def _object(entry: Mapping[str, Json], name: str) -> JsonObject:
    """Return a member that may be missing or null."""
    found = entry.get(name)
    return found if isinstance(found, dict) else {}


def _objects(entry: Mapping[str, Json], name: str) -> list[JsonObject]:
    """Return the objects of a list that may be missing or null."""
    found = entry.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _address(told: Json) -> str | None:
    """Return an address that Spotify hands us if it leads to Spotify's own files."""
    theirs = re.fullmatch(r"https://[a-z0-9.-]+(\.scdn\.co|\.spotifycdn\.com)/\S+", str(told))
    return theirs and theirs.string


def _same(track: Track, other: Track) -> bool:
    """Say whether title and first artist are equal but for case: no guesses without an ISRC."""
    names = [artist.casefold() for artist in other.artists]
    return track.title.casefold() == other.title.casefold() and track.artists[0].casefold() in names


def _measured(row: Mapping[str, Json]) -> AudioFeatures:
    numbers = {name: row.get(name) for name in FEATURES}
    known: JsonObject = {k: v for k, v in numbers.items() if isinstance(v, int | float)}
    if known.get("key") == -1:
        del known["key"]
    return AudioFeatures("spotify", **known)
