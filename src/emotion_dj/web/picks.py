"""One track as a pick, so that a listener can put it into a queue that plays."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Annotated

import numpy as np
from fastapi import APIRouter, Path
from starlette.exceptions import HTTPException

from emotion_dj.json_types import JsonObject
from emotion_dj.web import models
from emotion_dj.web.json_route import Route
from emotion_dj.web.sources import numbered
from emotion_dj.web.visit import mine

if TYPE_CHECKING:
    from collections.abc import Callable

    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import Candidates, DJSet


def routes(dj: EmotionDJ, as_json: Callable[[EmotionDJ, DJSet], JsonObject]) -> APIRouter:
    """Return the route of single picks; ``as_json`` writes a set."""
    routes = APIRouter(tags=["tracks"], route_class=Route)

    @routes.get("/tracks/{number}/pick", responses={200: {"model": models.Pick}})
    def pick(number: Annotated[int, Path(ge=1, le=2**53)]) -> JsonObject:
        """Return a track as a pick; 404 where nothing tells how it sounds."""
        (track,) = numbered(dj, [number])
        music = _alone(dj.library.current(), track.uri)
        if not len(music):
            raise HTTPException(404, f"Nothing tells yet how track {number} sounds: scan first.")
        at = float(music.valence[0]), float(music.arousal[0])
        chosen = mine(dj).recommend(affect=at, candidates=music, n=1)
        picked: JsonObject = as_json(dj, chosen)["picks"][0]
        return picked

    return routes


def _alone(music: Candidates, uri: str) -> Candidates:
    """Return the candidate with this uri, none where it is not there; they are in that order."""
    rows = range(len(music))
    row = bisect_left(rows, uri, key=lambda row: music.load([row])[0].uri)
    found = row < len(music) and music.load([row])[0].uri == uri
    return music.rows(np.array([row] if found else [], np.intp))
