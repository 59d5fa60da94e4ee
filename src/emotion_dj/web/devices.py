"""What sounds elsewhere: Spotify's own player in a page of its own, and the listener's devices.

The page itself may show no other host. The frame that it opens, once the listener presses play on a
song of Spotify, is this page of ours, whose policy lets in Spotify's player and nothing else.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.responses import HTMLResponse
from starlette.routing import Route

from emotion_dj.json_types import JsonObject
from emotion_dj.web import bodies, models
from emotion_dj.web.json_route import Route as JSONRoute
from emotion_dj.web.sources import numbered

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from emotion_dj.app import EmotionDJ

PLACE: Final = "/embed/spotify"
_SPOTIFY: Final = re.compile(r"spotify:track:([A-Za-z0-9]{1,64})")

POLICY: Final = (
    "default-src 'none'; frame-src {origin}; script-src 'self'; style-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<title>Spotify</title><link rel="stylesheet" href="../../style.css">
<script type="module" src="../../js/embed.js"></script></head>
<body><iframe title="Spotify" src="{address}" width="100%" height="80" frameborder="0"
allow="autoplay; encrypted-media" referrerpolicy="no-referrer"
sandbox="allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox"
></iframe></body></html>
"""


def embedded(uri: str) -> str | None:
    """Return where the page of a track's own player is, None where it has none."""
    match = _SPOTIFY.fullmatch(uri)
    return f"{PLACE}/{match[1]}" if match else None


def page(embed: str) -> Route:
    """Return the route of the pages that hold Spotify's player, which is at ``embed``."""
    parts = urlsplit(embed)
    policy = POLICY.format(origin=f"{parts.scheme}://{parts.netloc}")

    def answer(request: Request) -> Response:
        name = request.path_params["track"]
        if not embedded(f"spotify:track:{name}"):
            return HTMLResponse("<!doctype html><title>Spotify</title><p>No such song.", 404)
        address = escape(f"{embed.rstrip('/')}/track/{name}", quote=True)
        headers = {"content-security-policy": policy, "cache-control": "no-store"}
        return HTMLResponse(PAGE.format(address=address), headers=headers)

    return Route(f"{PLACE}/{{track}}", answer)


def devices(dj: EmotionDJ) -> APIRouter:
    """Return the routes by which sets start on the listener's devices."""
    routes = APIRouter(tags=["devices"], route_class=JSONRoute)

    @routes.get("/devices", responses={200: {"model": models.Devices}})
    def listed() -> JsonObject:
        """Return the listener's devices at Spotify and MPD's outputs, none where neither is."""
        devices = dj.services.devices()
        return {"devices": [{"id": d.id, "name": d.name, "active": d.active} for d in devices]}

    @routes.post("/devices/play", status_code=204)
    def start(request: bodies.Start) -> None:
        """Start songs of the catalogue on a device, the first one now, the others after it."""
        dj.services.play(numbered(dj, request.tracks), device=request.device)

    return routes
