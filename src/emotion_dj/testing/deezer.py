"""A stand-in for Deezer over a real socket, as its public contract describes it, with its faults.

    with DeezerStandIn(songs, playlists={7: [1, 2]}) as deezer:
        deezer.fail("/playlist", *[QUOTA] * 2)
        ...Deezer(deezer.address)...
        assert deezer.count("/playlist") == 3 and not deezer.strange

It signs the addresses of previews and refuses old ones, pages, counts, and notes every request that
the contract does not know. Extra ``web``.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from emotion_dj.testing.site import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from starlette.requests import Request

    from emotion_dj.json_types import Json, JsonObject
    from emotion_dj.testing.faults import Fault

SIGNED: Final = "hdnea"
LISTED: Final = frozenset({"index", "limit"})
PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "search": LISTED | {"q", "strict", "order"},
    "playlist": LISTED,
    "chart": LISTED,
    "track": frozenset(),
    "preview": frozenset({SIGNED}),
}
"""What the contract lets a client ask of each resource."""


def error(code: int, message: str, kind: str = "Exception") -> Fault:
    """Return a fault as Deezer tells it: HTTP 200 and an error in the body."""
    return lambda: JSONResponse({"error": {"type": kind, "message": message, "code": code}})


def status(code: int, **headers: str) -> Fault:
    """Return an HTTP error, as in ``status(429, **{"retry-after": "86400"})``."""
    return lambda: Response(status_code=code, headers=headers)


def redirect(address: str) -> Fault:
    """Send the client elsewhere."""
    return lambda: Response(status_code=302, headers={"location": address})


QUOTA: Final = error(4, "Quota limit exceeded")
BUSY: Final = error(700, "Service busy")
NO_DATA: Final = error(800, "no data", "DataException")


@dataclass(frozen=True, slots=True)
class Song:
    """One track; ``audio`` is what its preview sounds like, none means that it has no preview.

    ``over`` replaces or adds fields of its JSON form, None removes one.
    """

    id: int
    title: str
    artist: str = "Nobody"
    album: str = "Nowhere"
    duration: int = 180
    isrc: str = ""
    audio: bytes = b""
    over: tuple[tuple[str, Json], ...] = ()


class DeezerStandIn:
    """A context manager; ``address`` is where it listens, ``lifetime`` how long previews last.

    ``host`` is named in the addresses of previews in place of its own, ``pause`` slows each
    piece of every body down.
    """

    def __init__(
        self,
        songs: Sequence[Song] = (),
        *,
        playlists: Mapping[int, Sequence[int | None]] | None = None,
        lifetime: float = 900,
        host: str = "",
        pause: float = 0,
    ) -> None:
        """Keep what it knows; a playlist's None is an entry that was removed."""
        self.songs = {song.id: song for song in songs}
        self.playlists = dict(playlists or {})
        self.lifetime, self.host, self.pause = lifetime, host, pause
        self.asked: list[tuple[float, str]] = []
        self.strange: list[str] = []
        self.address = ""
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._oldest = 0.0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Begin to listen."""
        answers = {
            "/search": self._search,
            "/track/{id}": self._one,
            "/playlist/{id:int}/tracks": self._playlist,
            "/chart/0/tracks": self._chart,
            "/preview/{id:int}.mp3": self._preview,
        }
        routes = [Route(path, self._counted(answer)) for path, answer in answers.items()]
        app = Starlette(routes=[*routes, Route("/{rest:path}", self._unknown)])
        self.address = self._stack.enter_context(served(app))
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._stack.close()

    def fail(self, prefix: str, *faults: Fault) -> None:
        """Answer the next requests below a path with these faults, one each."""
        self._faults[prefix].extend(faults)

    def expire(self) -> None:
        """Refuse every address of a preview that was given out until now."""
        self._oldest = time.time() + self.lifetime + 1

    def count(self, prefix: str = "/") -> int:
        """Count the requests below a path."""
        return sum(path.startswith(prefix) for _, path in self.asked)

    def _counted(self, answer: Callable[[Request], Response]) -> Callable[[Request], Json]:
        async def counted(request: Request) -> Response:
            path = request.url.path
            self.asked.append((time.monotonic(), path))
            known = PARAMETERS[path.split("/")[1]]
            if set(request.query_params) - known or not _fits(request.query_params):
                self.strange.append(str(request.url))
                return error(500, "wrong parameter", "ParameterException")()
            for prefix, faults in self._faults.items():
                if faults and path.startswith(prefix):
                    return faults.popleft()()
            return answer(request)

        return counted

    async def _unknown(self, request: Request) -> Response:
        self.asked.append((time.monotonic(), request.url.path))
        self.strange.append(str(request.url))
        return error(600, "Unknown path components", "InvalidQueryException")()

    def _search(self, request: Request) -> Response:
        words = request.query_params.get("q", "").casefold().split()
        found = [
            song.id
            for song in self.songs.values()
            if all(word in f"{song.title} {song.artist}".casefold() for word in words)
        ]
        return self._page(request, found, usual=25)

    def _playlist(self, request: Request) -> Response:
        number = request.path_params["id"]
        if number not in self.playlists:
            return NO_DATA()
        return self._page(request, self.playlists[number], usual=25)

    def _chart(self, request: Request) -> Response:
        return self._page(request, list(self.songs), usual=10)

    def _one(self, request: Request) -> Response:
        name = request.path_params["id"]
        if name.startswith("isrc:"):
            wanted = name.removeprefix("isrc:")
            song = next((s for s in self.songs.values() if s.isrc == wanted), None)
        else:
            song = self.songs.get(int(name)) if name.isdigit() else None
        return NO_DATA() if song is None else self._json(self._form(song))

    def _page(self, request: Request, ids: Sequence[int | None], *, usual: int) -> Response:
        index = int(request.query_params.get("index", 0))
        limit = int(request.query_params.get("limit", usual))
        part = ids[index : index + limit]
        data = [None if number is None else self._form(self.songs[number]) for number in part]
        page: JsonObject = {"data": data, "total": len(ids)}
        if index + limit < len(ids):
            where = request.url.include_query_params(index=index + limit, limit=limit)
            page["next"] = str(where)
        return self._json(page)

    def _form(self, song: Song) -> JsonObject:
        form: JsonObject = {
            "id": song.id,
            "readable": True,
            "title": song.title,
            "title_short": song.title,
            "isrc": song.isrc,
            "link": f"https://www.deezer.com/track/{song.id}",
            "duration": song.duration,
            "rank": 1,
            "preview": self._signed(song) if song.audio else "",
            "a_field_of_next_year": {"nobody": ["knows", None]},
            "artist": {"id": 1, "name": song.artist, "type": "artist"},
            "album": {"id": 2, "title": song.album, "type": "album"},
            "type": "track",
        }
        for name, value in song.over:
            form.pop(name, None) if value is None else form.update({name: value})
        return form

    def _signed(self, song: Song) -> str:
        end = max(time.time(), self._oldest) + self.lifetime
        where = self.host or self.address
        path = f"/preview/{song.id}.mp3"
        return f"{where}{path}?{SIGNED}=exp={int(end)}~acl={path}*~data=user_id=0~hmac=c0ffee"

    def _preview(self, request: Request) -> Response:
        signature = request.query_params.get(SIGNED, "")
        _, _, rest = signature.partition("exp=")
        end = int(rest.partition("~")[0] or 0)
        if end <= max(time.time(), self._oldest) or not signature.endswith("hmac=c0ffee"):
            return Response(status_code=403)
        song = self.songs[request.path_params["id"]]
        return self._slowly(song.audio, "audio/mpeg")

    def _json(self, value: Json) -> Response:
        return self._slowly(json.dumps(value).encode(), "application/json")

    def _slowly(self, content: bytes, kind: str) -> Response:
        if not self.pause:
            return Response(content, media_type=kind)
        return StreamingResponse(_drops(content, self.pause), media_type=kind)


async def _drops(content: bytes, pause: float, pieces: int = 4) -> AsyncIterator[bytes]:
    size = max(1, -(-len(content) // pieces))
    for start in range(0, len(content), size):
        await asyncio.sleep(pause)
        yield content[start : start + size]


def _fits(query: Mapping[str, str]) -> bool:
    """Tell whether index and limit are numbers that the contract allows."""
    index, limit = query.get("index", "0"), query.get("limit", "1")
    return index.isdigit() and limit.isdigit() and 1 <= int(limit) <= 100  # noqa: PLR2004
