"""The listener's own Subsonic or OpenSubsonic server.

An API key where there is one; else token authentication, and the legacy form where a server knows
no other. Audio is streamed into
a nameless temporary file for the analysis and is gone after it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import urlsplit

from emotion_dj.domain import SavedPlaylist, Tags, Track
from emotion_dj.errors import LoginRequired, NotAvailable, RateLimited, SourceError
from emotion_dj.sources.http import MAX_AUDIO, MAX_FAULT, MAX_PICTURE, Client, at_most

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import httpx

    from emotion_dj.domain import DJSet
    from emotion_dj.json_types import Json, JsonObject

PAGE: Final = 500
BATCH: Final = 100
"""Songs in one request that writes a playlist: its address must not become too long."""

WRONG_LOGIN: Final = frozenset({40, 44})
NO_TOKENS: Final = frozenset({10, 41, 42})
"""Codes by which servers refuse tokens; supysonic says 10, a missing parameter."""

NOT_FOUND: Final = 70
DEEDS: Final = {"like": "star", "unlike": "unstar", "play": "scrobble"}


class Subsonic:
    """Fits `Source`, `AudioSource`, `Streamable`, `Searchable`, `Sink`, `ArtworkProvider`,
    `FeedbackSink` and `TagProvider` of `interfaces`.
    """

    name = "subsonic"

    def __init__(self, address: str, user: str, password: str, *, key: str = "") -> None:
        """Keep where the server is and who asks, by password or by an API key; ask nothing yet."""
        self._client = Client("the Subsonic server", f"{address.rstrip('/')}/rest")
        self._host = urlsplit(address).netloc.rpartition("@")[2]
        self._user, self._password, self._key = user, password, key
        self._tags: dict[str, Tags] = {}
        self._legacy = False
        self._met = False

    def __repr__(self) -> str:
        """Name the server without its password."""
        return f"Subsonic({self._host!r}, user={self._user!r})"

    def tracks(self) -> Iterator[Track]:
        """Yield every song, album by album. Raises a SourceError."""
        offset = 0
        while True:
            page = self._ask("getAlbumList2", type="alphabeticalByName", size=PAGE, offset=offset)
            albums = _list(page, "albumList2", "album")
            for album in albums:
                answer = self._ask("getAlbum", id=album["id"])
                yield from map(self._track, _list(answer, "album", "song"))
            if len(albums) < PAGE:
                return
            offset += PAGE

    def describe(self, track: Track) -> Track:
        """Return the track: the list had everything."""
        return track

    def search(self, query: str, *, limit: int = 25) -> list[Track]:
        """Return songs that match, at most ``limit``."""
        answer = self._ask("search3", query=query, songCount=limit, albumCount=0, artistCount=0)
        return [self._track(song) for song in _list(answer, "searchResult3", "song")][:limit]

    @contextmanager
    def open(self, track: Track) -> Iterator[BinaryIO]:
        """Give the audio for reading; nothing of it is kept after the block."""
        with tempfile.TemporaryFile() as file:
            with self.stream(track, {}) as sent:
                file.writelines(at_most(sent, MAX_AUDIO, self._client.name))
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
        """Open the song's audio on the server, with the byte range that the headers ask for.

        Raises NotAvailable where it has no such song, or another SourceError.
        """
        with self._client.stream("stream.view", self._audio(track), headers) as sent:
            if sent.headers.get("content-type", "").startswith("application/json"):
                raise self._refused(sent)  # an error comes as a document, with status 200
            yield sent

    def picture(self, track: Track) -> bytes | None:
        """Return the song's cover as the server has it, None where it has none."""
        query = self._signed({"id": self._id(track), "size": 256})
        try:
            with self._client.stream("getCoverArt.view", query) as answer:
                if not answer.headers.get("content-type", "").startswith("image/"):
                    return None  # an error comes as a document
                return b"".join(at_most(answer, MAX_PICTURE, self._client.name))
        except NotAvailable:
            return None

    def report_feedback(self, track: Track, kind: str) -> None:
        """Star what is liked until it is not, scrobble what was played."""
        if kind in DEEDS:
            self._ask(DEEDS[kind], once=True, id=self._id(track))

    def tagged(self, track: Track) -> Tags | None:
        """Return the moods and the tempo that an OpenSubsonic server listed with a song."""
        return self._tags.get(track.uri)

    def write(self, music: DJSet, *, name: str) -> SavedPlaylist:
        """Create or replace the playlist called ``name`` with the picks of this server.

        Raises NotAvailable where none of them is on it.
        """
        songs = [self._id(p.track) for p in music.picks if p.track.uri.startswith(self._prefix)]
        if not songs:
            msg = "none of these songs is on the Subsonic server: play from it with --library"
            raise NotAvailable(msg)
        self._begin(name, songs[:BATCH])
        made = self._playlist(name) if len(songs) > BATCH else None
        for start in range(BATCH, len(songs), BATCH):
            part = songs[start : start + BATCH]
            self._ask("updatePlaylist", once=True, playlistId=made, songIdToAdd=part)
        return SavedPlaylist(name, self._host, len(songs), len(music.picks))

    def _begin(self, name: str, songs: Sequence[str]) -> None:
        """Create a playlist, or replace what is on it, at the second try where the first one meets
        a server that is not well: small ones lock their database while they note what they stream.
        """
        try:
            self._ask("createPlaylist", once=True, **self._named(name), songId=songs)
        except (LoginRequired, NotAvailable, RateLimited):
            raise
        except SourceError:  # it may have been made all the same, and is looked for again
            self._ask("createPlaylist", once=True, **self._named(name), songId=songs)

    def _named(self, name: str) -> JsonObject:
        old = self._playlist(name)
        return {"playlistId": old} if old else {"name": name}

    def _playlist(self, name: str) -> str | None:
        """Return the id of the listener's playlist called ``name``, None where there is none."""
        mine = self._owner()
        for playlist in _list(self._ask("getPlaylists"), "playlists", "playlist"):
            if playlist.get("name") == name and playlist.get("owner", mine) == mine:
                return str(playlist["id"])
        return None

    def _owner(self) -> str:
        if self._key and not self._user:
            owner = self._ask("tokenInfo").get("tokenInfo")
            self._user = str(owner.get("username", "")) if isinstance(owner, dict) else ""
        return self._user

    @property
    def _prefix(self) -> str:
        return f"subsonic:{self._host}/"

    def _id(self, track: Track) -> str:
        return track.uri.removeprefix(self._prefix)

    def _track(self, song: Mapping[str, Json]) -> Track:
        artist = str(song.get("artist") or "")
        uri = f"{self._prefix}{song['id']}"
        if moods := _texts(song.get("moods")):
            self._tags[uri] = Tags(tuple(map(str, moods)), _number(song.get("bpm")))
        return Track(
            uri=uri,
            title=str(song.get("title") or song["id"]),
            artists=() if artist in {"", "[unknown]"} else (artist,),
            album="" if song.get("album") == "[non-album tracks]" else str(song.get("album") or ""),
            duration=_number(song.get("duration")),
            isrc=next(filter(None, map(str, _texts(song.get("isrc")))), None),
            genres=_genres(song),
            year=song["year"] if isinstance(song.get("year"), int) else None,
            mbid=str(song.get("musicBrainzId") or "") or None,
        )

    def _audio(self, track: Track) -> JsonObject:
        """Return the query of a stream; the first one makes sure of how to log in, since a server
        may answer with an error in place of audio.
        """
        if not self._met:
            self._ask("ping")
        return self._signed({"id": self._id(track), "format": "raw"})

    def _ask(self, method: str, *, once: bool = False, **query: Json) -> JsonObject:
        """Return the body of an answer. Raises a SourceError that says what the server said."""
        signed = self._signed(query)
        body = _body(self._client.get(f"{method}.view", signed, once=once))
        if body.get("status") == "ok":
            self._met = True
            return body
        fault = body.get("error") or {}
        if fault.get("code") in NO_TOKENS and "t" in signed:  # another thread may know by now
            self._legacy = True
            return self._ask(method, once=once, **query)
        raise self._error(fault)

    def _refused(self, sent: httpx.Response) -> SourceError:
        """Return the error that came in place of audio."""
        try:
            document = json.loads(b"".join(at_most(sent, MAX_FAULT, self._client.name)))
        except (ValueError, RecursionError):
            document = None
        return self._error(_body(document).get("error") or {})

    def _error(self, fault: Mapping[str, Json]) -> SourceError:
        """Return what a server's own word of an error means."""
        code = fault.get("code")
        if code in WRONG_LOGIN:
            what = "API key" if self._key else "user and password"
            return LoginRequired(f"the Subsonic server does not accept this {what}")
        kind = NotAvailable if code == NOT_FOUND else SourceError
        return kind(f"the Subsonic server says: {fault.get('message') or f'error {code}'}")

    def _signed(self, query: Mapping[str, Json]) -> JsonObject:
        common = {"v": "1.16.1", "c": "emotion-dj", "f": "json", **query}
        if self._key:
            return {**common, "apiKey": self._key}
        common["u"] = self._user
        if self._legacy:
            return {**common, "p": f"enc:{self._password.encode().hex()}"}
        salt = secrets.token_hex(8)
        token = hashlib.md5((self._password + salt).encode()).hexdigest()  # noqa: S324 - its protocol
        return {**common, "t": token, "s": salt}


def _body(answer: Json) -> JsonObject:
    """Return what an answer holds. Raises SourceError where it is no Subsonic server's."""
    body = answer.get("subsonic-response") if isinstance(answer, dict) else None
    if isinstance(body, dict):
        return body
    msg = "what answers there is no Subsonic server: check EMOTION_DJ_SUBSONIC_URL"
    raise SourceError(msg)


def _list(body: Mapping[str, Json], outer: str, inner: str) -> list[JsonObject]:
    """Return a list that servers leave out where it is empty."""
    entries = (body.get(outer) or {}).get(inner) or []
    return [entry for entry in entries if isinstance(entry, dict) and "id" in entry]


def _texts(value: Json) -> list[str]:
    """Return a list of texts; some servers send one text alone."""
    return [value] if isinstance(value, str) else value if isinstance(value, list) else []


def _genres(song: Mapping[str, Json]) -> tuple[str, ...]:
    """Return all genres of a song from a server that lists them, else its only one."""
    listed = song.get("genres")
    entries = listed if isinstance(listed, list) else []
    names = [str(entry.get("name") or "") for entry in entries if isinstance(entry, dict)]
    return tuple(filter(None, names or [str(song.get("genre") or "")]))


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None
