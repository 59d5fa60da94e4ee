"""A Spotify to test against: its Web API and its login over a real socket, as hard as the real one.

    with SpotifyStandIn(contract=path_of_the_openapi_file) as site:
        site.playlists["p1"] = Playlist("Morning", [song("a"), song("b")])
        site.faults += [status(503), faults.cut]
        ...                                   # ask site.api with a token of site.grant()
    assert not site.violations

Faults are taken from the front of the list, one for each request to the API; what comes after
them is right. Every token begins with "canary", so that one search finds any that leaked. The
player for other sites is at ``site.embed``: silent, it tells and obeys as the real one does.
"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

from emotion_dj.sources.spotify_login import SCOPES
from emotion_dj.testing.contract import Contract
from emotion_dj.testing.site import served
from emotion_dj.testing.spotify_accounts import CANARY, CLIENT_ID, Accounts
from emotion_dj.testing.spotify_items import ME, Playlist, entry, song, songs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from emotion_dj.json_types import Json, JsonObject
    from emotion_dj.testing.faults import Fault

__all__ = [
    "CANARY",
    "CLIENT_ID",
    "ME",
    "Playlist",
    "SpotifyStandIn",
    "entry",
    "song",
    "songs",
    "status",
]

MOST: Final = 100
"""Items in one request, as the contract says in prose."""


def status(code: int, reason: str | None = None, **headers: str) -> Fault:
    """Return a fault with a status code, the reason that its body names, and headers."""

    def answer() -> Response:
        from starlette.responses import JSONResponse

        told = {"status": code, "message": f"fault {code}"} | ({"reason": reason} if reason else {})
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return JSONResponse({"error": told}, code, named)

    return answer


EMBEDDED: Final = """<!doctype html><title>Stand-in</title><button>Play</button><script>
const tell = (type, payload) => parent.postMessage({type, payload}, "*");
let [isPaused, position, run] = [true, 0, 0];
const duration = LENGTH;
const update = () => tell("playback_update", {isPaused, position, duration, isBuffering: false});
const set = (playing) => {
  isPaused = !playing;
  clearInterval(run);
  if (playing) run = setInterval(() => {
    position += 100;
    if (position < duration) return update();
    position = 0;
    set(false);
  }, 100);
  update();
};
addEventListener("message", ({data: {command, timestamp}}) => {
  if (command === "resume" || command === "pause") set(command === "resume");
  if (command === "toggle") set(isPaused);
  if (command === "seek") { position = 1000 * timestamp; update(); }
});
tell("ready");
</script>"""
"""The player for other sites, in as much as a page can see of it."""


class SpotifyStandIn(Accounts):
    """Serves for the length of its block.

    ``requests`` are the (method, path) asked of the API, faults included; ``violations`` what
    was wrong with them by the contract, ``untrue`` what was wrong with our answers.
    ``features`` maps track ids to audio features; None is 403 for everybody. ``device`` and
    ``premium`` say whether music can be started without naming a device; ``devices`` are those
    that can be named, ``playing`` holds what was started and ``playing_on`` where. ``embedded``
    are the songs that the player for other sites was opened with, each ``embed_lasts`` seconds
    long. ``next_host`` is where links of pages lead instead.
    Who is let in: see `Accounts`.
    """

    def __init__(self, contract: Path | None = None) -> None:
        super().__init__()
        self._contract = Contract(contract) if contract else None
        self.api = self.accounts = self.embed = ""
        self.playlists: dict[str, Playlist | None] = {}
        self.saved: list[Json] = []
        self.catalogue: list[JsonObject] = []
        self.features: dict[str, JsonObject] | None = None
        self.device, self.premium = True, True
        self.devices: list[JsonObject] = []
        self.playing: list[str] = []
        self.playing_on = ""
        self.embedded: list[str] = []
        self.embed_lasts = 180.0
        self.faults: list[Fault | None] = []
        self.next_host: str | None = None
        self.requests: list[tuple[str, str]] = []
        self.violations: list[str] = []
        self.untrue: list[str] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Begin to serve."""
        address = self._stack.enter_context(served(self._application()))
        self.api, self.accounts, self.embed = f"{address}/v1", address, f"{address}/embed"
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._stack.close()

    def environment(self) -> dict[str, str]:
        """Return the environment of a listener who is logged in here."""
        new = self.grant(*SCOPES)
        kept = {"access": new["access_token"], "refresh": new["refresh_token"]}
        return {
            "EMOTION_DJ_SPOTIFY_API": self.api,
            "EMOTION_DJ_SPOTIFY_ACCOUNTS": self.accounts,
            "EMOTION_DJ_SPOTIFY_CLIENT_ID": CLIENT_ID,
            "EMOTION_DJ_SPOTIFY_TOKENS": json.dumps({**kept, "expires": time.time() + 3000}),
        }

    def _application(self) -> Starlette:
        from starlette.applications import Starlette
        from starlette.routing import Route

        def api(path: str, answer: Callable[[Request, Json], Json], *methods: str) -> Route:
            return Route(f"/v1{path}", self._guarded(answer), methods=methods or ["GET"])

        return Starlette(
            routes=[
                Route("/authorize", self.authorize),
                Route("/api/token", self.token, methods=["POST"]),
                Route("/embed/track/{id}", self._embed),
                api("/me", self._me),
                api("/me/playlists", self._lists),
                api("/me/playlists", self._create, "POST"),
                api("/me/tracks", self._saved),
                api("/me/player/devices", self._devices),
                api("/me/player/play", self._play, "PUT"),
                api("/playlists/{id}/items", self._items),
                api("/playlists/{id}/items", self._change, "PUT", "POST"),
                api("/search", self._search),
                api("/audio-features", self._features),
                api("/{rest:path}", lambda *_: status(404)(), "GET", "POST", "PUT", "DELETE"),
            ]
        )

    def _guarded(self, answer: Callable[[Request, Json], Json]) -> Callable[[Request], Json]:
        """Wrap a handler: count, hold against the contract, check the token, misbehave."""

        async def guarded(request: Request) -> Response:
            from starlette.responses import JSONResponse, Response

            method, path = request.method, request.url.path.removeprefix("/v1")
            self.requests.append((method, path))
            raw_body = await request.body()
            body = json.loads(raw_body) if raw_body else None
            fault = self.faults.pop(0) if self.faults else None
            if fault is not None:
                return fault()
            if not_allowed := self._refused(request, method, path):
                return not_allowed
            if self._contract and (
                wrong := self._contract.request(method, path, dict(request.query_params), body)
            ):
                self.violations += wrong
                return status(400)()
            told = answer(request, body)
            if isinstance(told, Response):
                return told
            code, document = told
            if self._contract:
                self.untrue += self._contract.answer(method, path, code, document)
            return Response(None, code) if document is None else JSONResponse(document, code)

        return guarded

    def _refused(self, request: Request, method: str, path: str) -> Response | None:
        """Return 401 for a token that is none or has ended, 403 for one of too few scopes."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        scopes = self.used(token)
        if scopes is None:
            return status(401)()
        needed = self._contract.scopes(method, path) if self._contract else set()
        return status(403)() if needed and not needed & scopes else None

    def _me(self, *_: Json) -> Json:
        return 200, {"id": ME, "display_name": "Listener", "type": "user", "new_member": {"a": 1}}

    def _lists(self, request: Request, _body: Json) -> Json:
        known = [
            None if playlist is None else self._list(name, playlist)
            for name, playlist in self.playlists.items()
        ]
        return 200, self._page(request, known)

    def _list(self, name: str, playlist: Playlist) -> JsonObject:
        return {"id": name, "name": playlist.name, "owner": {"id": playlist.owner}, "public": False}

    def _create(self, _request: Request, body: Json) -> Json:
        name = f"new{len(self.playlists)}"
        self.playlists[name] = new = Playlist(body["name"])
        return 201, self._list(name, new)

    def _saved(self, request: Request, _body: Json) -> Json:
        return 200, self._page(request, self.saved)

    def _items(self, request: Request, _body: Json) -> Json:
        playlist = self.playlists.get(request.path_params["id"])
        if playlist is None or playlist.owner != ME:
            return status(403 if playlist else 404)()
        return 200, self._page(request, playlist.entries)

    def _change(self, request: Request, body: Json) -> Json:
        playlist = self.playlists.get(request.path_params["id"])
        if playlist is None or playlist.owner != ME:
            return status(403 if playlist else 404)()
        if len(body["uris"]) > MOST:
            return status(400)()
        new = [entry(song(uri.rpartition(":")[2])) for uri in body["uris"]]
        replaces = request.method == "PUT"
        playlist.entries = new if replaces else playlist.entries + new
        return (200 if replaces else 201), {"snapshot_id": "s"}

    def _devices(self, *_: Json) -> Json:
        return 200, {"devices": self.devices}

    def _play(self, request: Request, body: Json) -> Json:
        device = request.query_params.get("device_id", "")
        if not self.premium:
            return status(403, "PREMIUM_REQUIRED")()
        if not device and not self.device:
            return status(404, "NO_ACTIVE_DEVICE")()
        if device and device not in {each["id"] for each in self.devices}:
            return status(404)()
        self.playing, self.playing_on = body["uris"], device
        return 204, None

    async def _embed(self, request: Request) -> Response:
        from starlette.responses import HTMLResponse

        self.embedded.append(request.path_params["id"])
        return HTMLResponse(EMBEDDED.replace("LENGTH", str(1000 * self.embed_lasts)))

    def _search(self, request: Request, _body: Json) -> Json:
        words = request.query_params["q"].casefold()
        isrc = words.removeprefix("isrc:")
        found = [
            each
            for each in self.catalogue
            if each["external_ids"]["isrc"].casefold() == isrc or each["name"].casefold() in words
        ]
        return 200, {"tracks": self._page(request, found)}

    def _features(self, request: Request, _body: Json) -> Json:
        if self.features is None:
            return status(403)()
        ids = request.query_params["ids"].split(",")
        if len(ids) > MOST:
            return status(400)()
        return 200, {"audio_features": [self.features.get(name) for name in ids]}

    def _page(self, request: Request, entries: list[Json]) -> JsonObject:
        query = request.query_params
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 20))
        url = request.url.include_query_params(offset=offset + limit, limit=limit)
        if self.next_host:
            url = url.replace(netloc=self.next_host)
        return {
            "href": str(request.url),
            "items": entries[offset : offset + limit],
            "limit": limit,
            "offset": offset,
            "total": len(entries),
            "next": str(url) if offset + limit < len(entries) else None,
            "previous": None,
        }
