"""Photos over HTTP: read, and their readings followed."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from emotion_dj import errors, serializers
from emotion_dj.json_types import JsonObject
from emotion_dj.web import models, photos
from emotion_dj.web.broadcaster import KEY
from emotion_dj.web.document import events, file, gives
from emotion_dj.web.read_faces import ReadFace, Readings
from emotion_dj.web.visit import mine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import PhotoAnalysis
    from emotion_dj.web.broadcaster import ReadingBroadcaster

NOBODY: Final = "nobody is to be seen there: show your face to the camera"


def routes(dj: EmotionDJ, broadcaster: ReadingBroadcaster) -> APIRouter:
    """Return the routes by which faces are read, and followed by a broadcaster."""
    routes = APIRouter(tags=["sets"])
    readers = CapacityLimiter(os.cpu_count() or 1)  # more at once are slower, and each takes memory

    @routes.post("/readings", responses=gives(models.PhotoAnalysis), openapi_extra=photos.DOCUMENT)
    async def readings(
        sent: Annotated[photos.Sent | Readings, Depends(photos.sent)],
        key: Annotated[
            str | None, Query(alias="live", pattern=KEY, description="Tell this key's followers")
        ] = None,
    ) -> JsonObject:
        """Read every face of a photo, largest first, or take faces that were read elsewhere. The
        photo is not kept.
        """
        try:
            analysis = serializers.photo_analysis_json(await _read(mine(dj), sent, readers))
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


async def _read(
    dj: EmotionDJ, sent: photos.Sent | Readings, readers: CapacityLimiter
) -> PhotoAnalysis:
    """Read a photo, at most as many at once as readers; or take what was read elsewhere."""
    if isinstance(sent, photos.Sent):
        look = partial(dj.read, sent.photo, resting=sent.resting)
        return await to_thread.run_sync(look, limiter=readers)
    if not sent.faces:
        raise errors.NoFace(NOBODY)
    return seen_before(dj, sent.faces)


def seen_before(
    dj: EmotionDJ, faces: Sequence[ReadFace], resting: dict[str, float] | None = None
) -> PhotoAnalysis:
    """Return what faces that were read before say together. Raises LabelError or RestingError."""
    seen = dj.combine(*serializers.parse_faces([face.model_dump() for face in faces]))
    return seen if resting is None else dj.relative(seen, resting)
