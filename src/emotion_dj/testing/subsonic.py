"""An OpenSubsonic server to test against over a real socket: API keys, moods, tempi, ISRCs, covers.

    with SubsonicStandIn([{"id": "s1", "title": "One", "moods": ["Calm"]}]) as server:
        ...Subsonic(server.address, "", "", key=server.key)...
    assert server.asked == [("ping", {...}), ...]

``supysonic`` is a real server with the classic API; this is for what OpenSubsonic added to it.
Every answer is kept in ``answers``, so that a test can hold it against the contract. Extra ``web``.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emotion_dj.testing.site import served

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from emotion_dj.json_types import Json, JsonObject

BASE: Final = {
    "version": "1.16.1",
    "type": "stand-in",
    "serverVersion": "1",
    "openSubsonic": True,
}
OWNER: Final = "alice"
MANY: Final = frozenset({"songId", "songIdToAdd"})
CREDENTIALS: Final = frozenset({"u", "p", "t", "s", "v", "c", "f", "apiKey"})


class SubsonicStandIn:
    """Serves for the length of its block.

    ``songs`` are as the API describes them, ``audio`` and ``pictures`` bytes by a song's id.
    ``playlists`` maps ids to (name, ids of songs). ``asked`` are (method, query) without what logs
    in; ``starred`` and ``scrobbled`` ids of songs. ``key`` is the one that is accepted.
    """

    key: Final = "canary-api-key"

    def __init__(self, songs: Sequence[JsonObject] = ()) -> None:
        """Keep the songs; they are on one album."""
        self.songs = {song["id"]: {"isDir": False, **song} for song in songs}
        self.audio: dict[str, bytes] = {}
        self.pictures: dict[str, bytes] = {}
        self.playlists: dict[str, tuple[str, list[str]]] = {}
        self.asked: list[tuple[str, JsonObject]] = []
        self.answers: list[tuple[str, Json]] = []
        self.starred: list[str] = []
        self.scrobbled: list[str] = []
        self.strange: list[str] = []
        self.address = ""
        self._stack = ExitStack()
        self._methods: dict[str, Callable[[JsonObject], Json]] = {
            "ping": lambda _: {},
            "tokenInfo": lambda _: {"tokenInfo": {"username": OWNER}},
            "getAlbumList2": self._albums,
            "getAlbum": lambda _: {"album": {**self._album(), "song": list(self.songs.values())}},
            "search3": self._search,
            "getPlaylists": lambda _: {
                "playlists": {"playlist": list(map(self._list, self.playlists))}
            },
            "createPlaylist": self._create,
            "updatePlaylist": self._update,
            "star": lambda query: self._note(self.starred, query),
            "unstar": self._unstar,
            "scrobble": lambda query: self._note(self.scrobbled, query),
        }

    def __enter__(self) -> Self:
        """Begin to serve."""
        routes = [Route("/rest/{method}.view", self._answer)]
        self.address = self._stack.enter_context(served(Starlette(routes=routes)))
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._stack.close()

    async def _answer(self, request: Request) -> Response:
        method = request.path_params["method"]
        query = {
            name: request.query_params.getlist(name) if name in MANY else value
            for name, value in request.query_params.items()
            if name not in CREDENTIALS
        }
        self.asked.append((method, query))
        if request.query_params.get("apiKey") != self.key:
            code = 44 if "apiKey" in request.query_params else 42
            return self._fault(method, code, "Invalid API key")
        if {"u", "p", "t", "s"} & request.query_params.keys():
            return self._fault(method, 43, "Multiple conflicting mechanisms provided")
        if found := self._bytes(method, query):
            return found
        if method not in self._methods:
            return self._fault(method, 70, "Not found")
        return self._told(method, {"status": "ok", **self._methods[method](query)})

    def _bytes(self, method: str, query: JsonObject) -> Response | None:
        """Return audio or a picture, None where the method gives neither or there is none."""
        kept = {"stream": self.audio, "getCoverArt": self.pictures}.get(method, {})
        found = kept.get(query.get("id", ""))
        kind = "audio/mpeg" if method == "stream" else "image/png"
        return None if found is None else Response(found, media_type=kind)

    def _told(self, method: str, body: JsonObject) -> Response:
        document = {"subsonic-response": {**BASE, **body}}
        self.answers.append((method, document))
        return JSONResponse(document)

    def _fault(self, method: str, code: int, message: str) -> Response:
        return self._told(method, {"status": "failed", "error": {"code": code, "message": message}})

    @staticmethod
    def _note(place: list[str], query: JsonObject) -> Json:
        place.append(query["id"])
        return {}

    def _unstar(self, query: JsonObject) -> Json:
        self.starred.remove(query["id"])
        return {}

    def _album(self) -> JsonObject:
        seconds = sum(song.get("duration", 0) for song in self.songs.values())
        told = {"id": "a", "name": "Album", "songCount": len(self.songs), "duration": seconds}
        return {**told, "created": "2026-01-01T00:00:00Z"}

    def _albums(self, query: JsonObject) -> Json:
        return {"albumList2": {"album": [self._album()] if query.get("offset") == "0" else []}}

    def _search(self, query: JsonObject) -> Json:
        limit = int(query.get("songCount", 20))
        return {"searchResult3": {"song": list(self.songs.values())[:limit]}}

    def _list(self, name: str) -> JsonObject:
        title, songs = self.playlists[name]
        when = "2026-01-01T00:00:00Z"
        told = {"id": name, "name": title, "owner": OWNER, "songCount": len(songs), "duration": 0}
        return {**told, "created": when, "changed": when}

    def _create(self, query: JsonObject) -> Json:
        name = query.get("playlistId") or f"p{len(self.playlists)}"
        title = self.playlists[name][0] if name in self.playlists else query["name"]
        self.playlists[name] = (title, list(query.get("songId", ())))
        entries = [self.songs[song] for song in self.playlists[name][1] if song in self.songs]
        return {"playlist": {**self._list(name), "entry": entries}}

    def _update(self, query: JsonObject) -> Json:
        self.playlists[query["playlistId"]][1].extend(query.get("songIdToAdd", ()))
        return {}
