"""Sets over HTTP: what a client asks for, and the set as it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter

from emotion_dj import affect, errors, serializers
from emotion_dj.json_types import JsonObject
from emotion_dj.ranking import filters
from emotion_dj.web import bodies, devices, models, sources, visit
from emotion_dj.web.document import gives
from emotion_dj.web.json_route import Route
from emotion_dj.web.middleware import ROOT
from emotion_dj.web.readings import seen_before

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import DJSet
    from emotion_dj.web.scan import Scan

MAX_WAITING: Final = 48
"""Listeners that may wait at once for the first songs of a library that is being analysed."""


def routes(dj: EmotionDJ, recommend: Callable[[bodies.SetRequest], DJSet]) -> APIRouter:
    """Return the route that answers with a set."""
    routes = APIRouter(tags=["sets"], route_class=Route)
    waiting = CapacityLimiter(MAX_WAITING)  # of their own, so that nobody else waits with them

    @routes.post("/sets", responses=gives(models.Music))
    async def sets(request: bodies.SetRequest) -> JsonObject:
        """Return a set for faces that were read, an emotion, a mood, a point, words or a song."""
        return await to_thread.run_sync(lambda: set_json(dj, recommend(request)), limiter=waiting)

    return routes


def recommended(dj: EmotionDJ, scan: Scan, request: bodies.SetRequest) -> DJSet:
    """Return the set that a request asks for. Raises any EmotionDJError."""
    _demand_no_place([*request.only, *request.avoid])
    indexed = dj.library.is_indexed()
    own = visit.mine(dj)
    return own.recommend(
        seen_before(own, request.faces, request.resting) if request.faces else None,
        emotion=affect.parse_emotion(request.emotion) if request.emotion else None,
        mood=affect.parse_mood(request.mood) if request.mood else None,
        affect=affect.parse_affect(request.affect) if request.affect else None,
        say=request.say,
        like=request.like,
        only=request.only,
        avoid=request.avoid,
        minutes=request.minutes,
        candidates=None if indexed else sources.music(dj, scan, request.sources),
        sources=request.sources or (),
        plan=affect.parse_plan(request.plan),
        n=request.n,
        seed=request.seed,
        aggregate=request.aggregate,
    )


def _demand_no_place(conditions: Sequence[str]) -> None:
    """See that only the owner asks about folders of this machine. Raises LabelError."""
    named = {filters.parse_filter(condition).field for condition in conditions}
    if not visit.is_owner() and "folder" in named:
        msg = "folder: names a place on the owner's machine: leave it out"
        raise errors.LabelError(msg)


def set_json(dj: EmotionDJ, music: DJSet) -> JsonObject:
    """Return what a client is told of a set."""
    form = serializers.set_json(music)
    numbers = dj.library.numbers([pick.track.uri for pick in music.picks])
    for pick, row in zip(music.picks, form["picks"], strict=True):
        row["id"] = numbers[pick.track.uri]
        row["uri"] = visit.shown(pick.track.uri, row["id"])
        embed = devices.embedded(pick.track.uri)
        row["embed"] = visit.at(embed) if embed else None
        place = visit.at(f"{ROOT}/tracks/{row['id']}")
        row["stream"] = f"{place}/stream" if dj.services.can_stream(pick.track) else None
        row["cover"] = f"{place}/cover"
    return form
