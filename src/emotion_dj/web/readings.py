"""Photos over HTTP: read, and their readings followed."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from emotion_dj import errors, serializers
from emotion_dj.web import models, photos
from emotion_dj.web.broadcaster import KEY, ReadingBroadcaster
from emotion_dj.web.document import events, file, gives

if TYPE_CHECKING:
    from emotion_dj.app import EmotionDJ


def routes(dj: EmotionDJ) -> APIRouter:
    """Return the routes by which faces are read."""
    routes = APIRouter(tags=["sets"])
    broadcaster = ReadingBroadcaster()
    readers = CapacityLimiter(os.cpu_count() or 1)  # more at once are slower, and each takes memory

    @routes.post("/readings", responses=gives(models.PhotoAnalysis), openapi_extra=photos.DOCUMENT)
    async def readings(
        sent: Annotated[photos.Sent, Depends(photos.sent)],
        key: Annotated[
            str | None, Query(alias="live", pattern=KEY, description="Tell this key's followers")
        ] = None,
    ) -> dict[str, Any]:
        """Read every face of a photo, largest first. The photo is not kept."""
        read = partial(dj.read, sent.photo, resting=sent.resting)
        try:
            analysis = serializers.photo_analysis_json(
                await to_thread.run_sync(read, limiter=readers)
            )
        except errors.NoFace:
            broadcaster.tell(key, "nobody", {})
            raise
        broadcaster.tell(key, "reading", analysis)
        return analysis

    @routes.get(
        "/readings/live/{key}",
        response_class=StreamingResponse,
        responses=file("text/event-stream", schema=models.LiveEvent.model_json_schema()),
    )
    async def follow(key: Annotated[str, Path(pattern=KEY)]) -> StreamingResponse:
        """Follow the readings that are sent with this key, as server-sent events, without end."""
        if broadcaster.full:
            raise HTTPException(503, "Too many follow already: try again.", {"retry-after": "5"})
        return events(broadcaster.events(key))

    return routes
