"""Tracks over HTTP: searched, told, with their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from emotion_dj import errors, serializers
from emotion_dj.json_types import JsonObject
from emotion_dj.web import covers, models, sources, visit
from emotion_dj.web.document import file, gives
from emotion_dj.web.json_route import Route
from emotion_dj.web.streams import is_music

if TYPE_CHECKING:
    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import Track

PICTURE_SECONDS: Final = 86_400


def routes(dj: EmotionDJ) -> APIRouter:
    """Return the routes that tell of tracks."""
    routes = APIRouter(tags=["tracks"], route_class=Route)

    @routes.get("/tracks", responses=gives(models.Tracks))
    def tracks(
        q: Annotated[str, Query(max_length=200, description="Part of a title or artist")] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> JsonObject:
        """Search the catalogue by title and artist."""
        matches = dj.library.search(q, limit=limit)
        return {"tracks": [track_json(number, track) for number, track in matches]}

    @routes.get(
        "/tracks/{number}/cover",
        response_class=Response,
        responses={**file("image/jpeg"), 204: {"description": "It carries no picture"}},
    )
    def cover(number: Annotated[int, Path(ge=1, le=2**53)]) -> Response:
        """Send the picture of a track, of its file or its source, small; 204 where none is."""
        (track,) = sources.numbered(dj, [number])
        picture = _picture(dj, track)
        seconds = PICTURE_SECONDS if picture or track.path else 0
        kept = {"cache-control": f"private, max-age={seconds}"}
        if picture is None:
            return Response(status_code=204, headers=kept)
        return Response(picture, media_type="image/jpeg", headers=kept)

    @routes.get("/tracks/{number}", responses=gives(models.Track))
    def track(number: Annotated[int, Path(ge=1, le=2**53)]) -> JsonObject:
        """Return one track."""
        return track_json(number, *sources.numbered(dj, [number]))

    return routes


def track_json(number: int, track: Track) -> JsonObject:
    """Return what a client is told of a track."""
    return {"id": number, **serializers.track_json(track), "uri": visit.shown(track.uri, number)}


def _picture(dj: EmotionDJ, track: Track) -> bytes | None:
    if track.path is not None:
        return covers.cover(track.path) if is_music(track.path) else None
    try:
        artwork = dj.services.artwork(track)
    except (errors.SourceError, errors.SettingsError):
        return None  # the page draws one
    return None if artwork is None else covers.small(artwork)
