"""The library over HTTP: how much there is, and how a scan goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from emotion_dj.json_types import JsonObject
from emotion_dj.web import models
from emotion_dj.web.document import events, file, gives
from emotion_dj.web.json_route import Route

if TYPE_CHECKING:
    from emotion_dj.app import EmotionDJ
    from emotion_dj.web.scan import Scan

POINTS: Final = 1500
"""Tracks drawn as the constellation behind a set."""


def routes(dj: EmotionDJ, scan: Scan) -> APIRouter:
    """Return the routes that tell of the library and let it be scanned."""
    routes = APIRouter(tags=["library"], route_class=Route)

    @routes.get("/library", responses=gives(models.Library))
    def library() -> JsonObject:
        """Return how much music there is, where it stands on the plane, and how a scan goes."""
        candidates = dj.library.current()
        step = max(1, len(candidates) // POINTS)
        points = zip(candidates.valence[::step], candidates.arousal[::step], strict=True)
        return {
            "tracks": len(candidates),
            "points": [[round(float(v), 3), round(float(a), 3)] for v, a in points],
            "scan": scan.state(),
            **scan.troubles(),
        }

    @routes.post("/library/scan", status_code=202, responses=gives(models.Started, 202))
    def rescan() -> dict[str, bool]:
        """Hear what is new; doing nothing where a scan is running already."""
        scan.start()
        return {"running": True}

    @routes.get(
        "/library/scan",
        response_class=StreamingResponse,
        responses=file("text/event-stream", schema=models.ScanEvent.model_json_schema()),
    )
    async def follow() -> StreamingResponse:
        """Tell how a scan goes, as server-sent events: `progress` at each step, then `done`."""
        return events(scan.events())

    return routes
