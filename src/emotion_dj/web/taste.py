"""What listeners like and how faces were read wrongly, over HTTP."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from fastapi import APIRouter

from emotion_dj import errors, serializers
from emotion_dj.json_types import JsonObject
from emotion_dj.web import bodies, models, sources
from emotion_dj.web.json_route import Route
from emotion_dj.web.visit import is_owner, mine

if TYPE_CHECKING:
    from emotion_dj.app import EmotionDJ
    from emotion_dj.app.taste import Feedback
    from emotion_dj.domain import Track

_log = logging.getLogger(__name__)


def routes(dj: EmotionDJ) -> APIRouter:
    """Return the routes by which taste is learnt."""
    routes = APIRouter(tags=["taste"], route_class=Route)
    reports = ThreadPoolExecutor(1, "reports")  # one after the other: an unlike follows its like

    @routes.post("/feedback", status_code=204)
    def feedback(taste: bodies.Taste) -> None:
        """Remember a like, a skip or a play, or take the last like back, here and at the listener's
        own server.
        """
        (track,) = sources.numbered(dj, [taste.track])
        mine(dj).taste.add(taste.track, taste.kind)
        if is_owner():  # whose accounts the services know
            reports.submit(_report_feedback, dj, track, taste.kind)

    @routes.post("/corrections", status_code=204)
    def correction(said: bodies.Correction) -> None:
        """Learn that a face was read wrongly, on this machine alone."""
        faces = serializers.parse_faces([said.face.model_dump()])
        own = mine(dj)
        own.taste.correct(own.combine(*faces), said.emotion)

    @routes.get("/listener", responses={200: {"model": models.Listener}})
    def export() -> JsonObject:
        """Return everything that is kept of the listener who asks."""
        own = mine(dj)
        return {"listener": own.listener.id, **own.taste.export()}

    @routes.delete("/listener", status_code=204)
    def forget() -> None:
        """Forget everything that is kept of the listener who asks."""
        mine(dj).taste.reset()

    return routes


def _report_feedback(dj: EmotionDJ, track: Track, kind: Feedback) -> None:
    try:
        dj.taste.report(track, kind)
    except (errors.SourceError, errors.SettingsError) as error:
        _log.warning("%s of '%s' was not taken note of: %s", kind, track.title, error)
