"""The listener's own Jellyfin server.

Logged in to with user and password: with an API key alone Jellyfin writes no playlists. The token
that comes of it is kept in memory only. Audio is streamed into a nameless temporary file for the
analysis and is gone after it. Of its API: https://api.jellyfin.org, 10.9 and later.
"""

from __future__ import annotations

import hashlib
import socket
import tempfile
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import quote, urlsplit

from emotion_dj import __version__
from emotion_dj.domain import SavedPlaylist, Track
from emotion_dj.errors import LoginRequired, NotAvailable, SourceError
from emotion_dj.sources.http import MAX_AUDIO, MAX_PICTURE, Client, at_most

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx

    from emotion_dj.domain import DJSet
    from emotion_dj.json_types import Json, JsonObject

NAME: Final = "the Jellyfin server"
PAGE: Final = 500
TICKS: Final = 10_000_000
"""Of a second, in which Jellyfin measures durations."""

FIELDS: Final = "Genres,ProviderIds"
DEEDS: Final[Mapping[str, tuple[str, str]]] = {
    "like": ("POST", "UserFavoriteItems"),
    "unlike": ("DELETE", "UserFavoriteItems"),
    "play": ("POST", "UserPlayedItems"),
}


class Jellyfin:
    """Fits `Source`, `AudioSource`, `Streamable`, `Searchable`, `Sink`, `ArtworkProvider` and
    `FeedbackSink` of `interfaces`.
    """

    name = "jellyfin"

    def __init__(self, address: str, user: str, password: str) -> None:
        """Keep where the server is and who asks; ask nothing yet."""
        self._host = urlsplit(address).netloc.rpartition("@")[2]
        self._login = _Login(address, user, password)
        scheme = _scheme(user) + ', Token="{}"'
        self._client = Client(NAME, address, token=self._login.token, scheme=scheme)

    def __repr__(self) -> str:
        """Name the server without its password."""
        return f"Jellyfin({self._host!r}, user={self._login.user!r})"

    def tracks(self) -> Iterator[Track]:
        """Yield every song, page by page. Raises a SourceError."""
        start = 0
        while True:
            songs = self._songs(startIndex=start, limit=PAGE, sortBy="SortName")
            yield from map(self._track, songs)
            if len(songs) < PAGE:
                return
            start += PAGE

    def describe(self, track: Track) -> Track:
        """Return the track: the list had everything."""
        return track

    def search(self, query: str, *, limit: int = 25) -> list[Track]:
        """Return songs that match, at most ``limit``."""
        return [self._track(song) for song in self._songs(searchTerm=query, limit=limit)][:limit]

    @contextmanager
    def open(self, track: Track) -> Iterator[BinaryIO]:
        """Give the audio for reading; nothing of it is kept after the block."""
        with tempfile.TemporaryFile() as file:
            with self.stream(track, {}) as sent:
                file.writelines(at_most(sent, MAX_AUDIO, NAME))
            file.seek(0)
            yield file

    def modification_tag(self, track: Track) -> str:
        """Return the song's id on the server: its audio does not change under it."""
        return self._id(track)

    def fingerprint(self, track: Track) -> str:
        """Return the same, since the audio itself is not at hand."""
        return track.uri

    @contextmanager
    def stream(self, track: Track, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Open the song's file as it is, with the byte range that the headers ask for.

        Raises NotAvailable where the server has no such song, or another SourceError.
        """
        place = f"Audio/{self._id(track)}/stream"
        with self._client.stream(place, {"static": "true"}, headers) as sent:
            yield sent

    def picture(self, track: Track) -> bytes | None:
        """Return the song's cover as the server has it, None where it has none."""
        place = f"Items/{self._id(track)}/Images/Primary"
        try:
            with self._client.stream(place, {"maxWidth": 256}) as answer:
                return b"".join(at_most(answer, MAX_PICTURE, NAME))
        except NotAvailable:
            return None

    def report_feedback(self, track: Track, kind: str) -> None:
        """Make a favourite of what is liked until it is not, count what was played."""
        if kind in DEEDS:
            method, what = DEEDS[kind]
            place = f"{what}/{self._id(track)}?userId={self._login.listener}"
            self._client.send("DELETE" if method == "DELETE" else "POST", place)

    def write(self, music: DJSet, *, name: str) -> SavedPlaylist:
        """Create or replace the playlist called ``name`` with the picks of this server.

        Raises NotAvailable where none of them is on it.
        """
        songs = [self._id(p.track) for p in music.picks if p.track.uri.startswith(self._prefix)]
        if not songs:
            msg = "none of these songs is on the Jellyfin server: play from it with --library"
            raise NotAvailable(msg)
        listener = self._login.listener
        old = self._playlist(name)
        if old:
            self._client.send("POST", f"Playlists/{old}", document={"Ids": songs})
        else:
            new = {"Name": name, "Ids": songs, "UserId": listener, "MediaType": "Audio"}
            self._client.send("POST", "Playlists", document={**new, "IsPublic": False})
        return SavedPlaylist(name, self._host, len(songs), len(music.picks))

    def _playlist(self, name: str) -> str | None:
        """Return the id of the listener's playlist called ``name``, None where there is none."""
        query = {"includeItemTypes": "Playlist", "recursive": "true", "searchTerm": name}
        found = (item for item in self._items(**query) if item.get("Name") == name)
        return next((str(item["Id"]) for item in found), None)

    @property
    def _prefix(self) -> str:
        return f"jellyfin:{self._host}/"

    def _id(self, track: Track) -> str:
        return quote(track.uri.removeprefix(self._prefix), safe="")

    def _songs(self, **query: Json) -> list[JsonObject]:
        kind = {"includeItemTypes": "Audio", "recursive": "true", "fields": FIELDS}
        return self._items(**kind, **query)

    def _items(self, **query: Json) -> list[JsonObject]:
        asked = {"userId": self._login.listener, **query}
        answer = self._client.get("Items", asked)
        items = answer.get("Items") if isinstance(answer, dict) else None
        if not isinstance(items, list):
            raise SourceError(STRANGER)
        return [item for item in items if isinstance(item, dict) and item.get("Id")]

    def _track(self, song: Mapping[str, Json]) -> Track:
        ticks = song.get("RunTimeTicks")
        artists = _texts(song.get("Artists")) or _texts([song.get("AlbumArtist")])
        year = song.get("ProductionYear")
        return Track(
            uri=f"{self._prefix}{song['Id']}",
            title=str(song.get("Name") or song["Id"]),
            artists=tuple(artists),
            album=str(song.get("Album") or ""),
            duration=ticks / TICKS if isinstance(ticks, int) and ticks > 0 else None,
            genres=tuple(_texts(song.get("Genres"))),
            year=year if isinstance(year, int) else None,
        )


STRANGER: Final = "what answers there is no Jellyfin server: check EMOTION_DJ_JELLYFIN_URL"


_LOGGING_IN: Final = Lock()
"""One at a time: a second login of the same device would end the first one's."""


class _Login:
    """One login for all requests, made when the first one is asked or one is refused."""

    def __init__(self, address: str, user: str, password: str) -> None:
        self.user, self._password = user, password
        self._client = Client(NAME, address, token=_nobody, scheme=_scheme(user))
        self._known = ("", "")

    def token(self, refused: str) -> str:
        """Return a token other than the refused one. Raises a SourceError."""
        with _LOGGING_IN:
            if self._known[0] in {"", refused}:
                self._known = self._ask()
            return self._known[0]

    @property
    def listener(self) -> str:
        """The id of the user. Raises a SourceError."""
        self.token("")
        return self._known[1]

    def _ask(self) -> tuple[str, str]:
        said = {"Username": self.user, "Pw": self._password}
        try:
            answer = self._client.send("POST", "Users/AuthenticateByName", document=said)
        except LoginRequired as error:
            msg = "the Jellyfin server does not accept this user and password"
            raise LoginRequired(msg) from error
        except NotAvailable as error:
            raise SourceError(STRANGER) from error
        try:
            return str(answer["AccessToken"]), str(answer["User"]["Id"])
        except (LookupError, TypeError) as error:
            raise SourceError(STRANGER) from error


def _nobody(_refused: str) -> str:
    """Return what stands for a token where there is none yet: only the scheme is sent."""
    return "-"


def _scheme(user: str) -> str:
    """Return how a program introduces itself; the same user on the same machine is one device."""
    machine = socket.gethostname()
    device = hashlib.sha256(f"{machine}\0{user}".encode()).hexdigest()[:32]
    parts = {
        "Client": "Emotion-DJ",
        "Device": quote(machine or "here"),
        "DeviceId": device,
        "Version": __version__,
    }
    return "MediaBrowser " + ", ".join(f'{name}="{value}"' for name, value in parts.items())


def _texts(value: Json) -> list[str]:
    """Return the texts of a list, none where it is no list."""
    entries = value if isinstance(value, list) else []
    return [text for text in entries if isinstance(text, str) and text]
