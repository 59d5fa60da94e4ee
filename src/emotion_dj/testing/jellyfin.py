"""A Jellyfin server to test against over a real socket, as strict as the newest ones are.

    with JellyfinStandIn([{"Id": "s1", "Name": "One"}]) as server:
        ...Jellyfin(server.address, USER, PASSWORD)...
    assert server.playlists == {...}

It takes tokens in the header Authorization with the scheme MediaBrowser and nowhere else, as
Jellyfin does once EnableLegacyAuthorization is off, and ends them when it is told to. Extra `web`.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emotion_dj.testing.site import served

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from starlette.requests import Request

    from emotion_dj.json_types import Json, JsonObject

    Answer = Callable[[Request], Coroutine[None, None, Response]]

USER: Final = "alice"
PASSWORD: Final = "canary-password"  # noqa: S105 - of the stand-in alone
LISTENER: Final = "7a1b7006165c244291b03db70480814d"
_PARTS: Final = re.compile(r'(\w+)="([^"]*)"')


class JellyfinStandIn:
    """Serves for the length of its block.

    ``songs`` are as the API describes them, ``audio`` and ``pictures`` bytes by a song's id.
    ``playlists`` maps ids to (name, ids of songs). ``asked`` are (method, path); ``logins`` counts
    them; ``favourites`` and ``played`` are ids of songs.
    """

    def __init__(self, songs: Sequence[JsonObject] = ()) -> None:
        """Keep the songs."""
        self.songs = {song["Id"]: {"Type": "Audio", **song} for song in songs}
        self.audio: dict[str, bytes] = {}
        self.pictures: dict[str, bytes] = {}
        self.playlists: dict[str, tuple[str, list[str]]] = {}
        self.asked: list[tuple[str, str]] = []
        self.favourites: list[str] = []
        self.played: list[str] = []
        self.logins = 0
        self.address = ""
        self._tokens: set[str] = set()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Begin to serve."""
        routes = [
            Route("/Users/AuthenticateByName", self._login, methods=["POST"]),
            self._route("/Items", self._items),
            self._route("/Audio/{id}/stream", self._stream),
            self._route("/Items/{id}/Images/Primary", self._picture),
            self._route("/Playlists", self._create, "POST"),
            self._route("/Playlists/{id}", self._update, "POST"),
            self._route("/UserFavoriteItems/{id}", self._favourite, "POST", "DELETE"),
            self._route("/UserPlayedItems/{id}", self._play, "POST"),
        ]
        self.address = self._stack.enter_context(served(Starlette(routes=routes)))
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._stack.close()

    def end_tokens(self) -> None:
        """Let nobody in who logged in before."""
        self._tokens.clear()

    def _route(self, path: str, answer: Answer, *methods: str) -> Route:
        async def guarded(request: Request) -> Response:
            self.asked.append((request.method, request.url.path))
            if _said(request).get("Token") not in self._tokens:
                return Response(status_code=401)
            if request.query_params.get("userId", LISTENER) != LISTENER:
                return Response(status_code=403)
            return await answer(request)

        return Route(path, guarded, methods=list(methods) or ["GET"])

    async def _login(self, request: Request) -> Response:
        self.asked.append((request.method, request.url.path))
        said, wanted = await request.json(), {"Client", "Device", "DeviceId", "Version"}
        if not wanted <= _said(request).keys():
            return Response(status_code=400)
        if (said.get("Username"), said.get("Pw")) != (USER, PASSWORD):
            return Response(status_code=401)
        self.logins += 1
        token = f"canary-token-{self.logins}"
        self._tokens.add(token)
        return JSONResponse({"AccessToken": token, "User": {"Id": LISTENER, "Name": USER}})

    async def _items(self, request: Request) -> Response:
        query = request.query_params
        lists: list[Json] = [{"Id": i, "Name": name} for i, (name, _) in self.playlists.items()]
        wanted = query.get("includeItemTypes") == "Playlist"
        word = query.get("searchTerm", "").casefold()
        every = lists if wanted else list(self.songs.values())
        found = [item for item in every if word in str(item.get("Name", "")).casefold()]
        start, limit = int(query.get("startIndex", 0)), int(query.get("limit", 10_000))
        part = found[start : start + limit]
        return JSONResponse({"Items": part, "TotalRecordCount": len(found), "StartIndex": start})

    async def _stream(self, request: Request) -> Response:
        kept = self.audio.get(request.path_params["id"])
        if kept is None or request.query_params.get("static") != "true":
            return Response(status_code=404)
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if part is None:
            return Response(kept, media_type="audio/mpeg")
        start, end = int(part[1]), min(int(part[2] or len(kept) - 1), len(kept) - 1)
        if start > end:
            return Response(status_code=416, headers={"content-range": f"bytes */{len(kept)}"})
        told = {"content-range": f"bytes {start}-{end}/{len(kept)}"}
        return Response(kept[start : end + 1], 206, headers=told, media_type="audio/mpeg")

    async def _picture(self, request: Request) -> Response:
        kept = self.pictures.get(request.path_params["id"])
        return Response(status_code=404) if kept is None else Response(kept, media_type="image/png")

    async def _create(self, request: Request) -> Response:
        said = await request.json()
        if said.get("UserId") != LISTENER or said.get("MediaType") != "Audio":
            return Response(status_code=400)
        name = f"list{len(self.playlists)}"
        self.playlists[name] = (said["Name"], self._known(said["Ids"]))
        return JSONResponse({"Id": name})

    async def _update(self, request: Request) -> Response:
        name, said = request.path_params["id"], await request.json()
        if name not in self.playlists:
            return Response(status_code=404)
        self.playlists[name] = (self.playlists[name][0], self._known(said["Ids"]))
        return Response(status_code=204)

    def _known(self, songs: Sequence[str]) -> list[str]:
        return [song for song in songs if song in self.songs]

    async def _favourite(self, request: Request) -> Response:
        song = request.path_params["id"]
        if request.method == "POST":
            self.favourites.append(song)
        elif song in self.favourites:
            self.favourites.remove(song)
        return JSONResponse({"IsFavorite": song in self.favourites})

    async def _play(self, request: Request) -> Response:
        self.played.append(request.path_params["id"])
        return JSONResponse({"Played": True})


def _said(request: Request) -> dict[str, str]:
    """Return the parts of the header that introduces a client, none where it is of another form."""
    scheme, _, parts = request.headers.get("authorization", "").partition(" ")
    return dict(_PARTS.findall(parts)) if scheme == "MediaBrowser" else {}
