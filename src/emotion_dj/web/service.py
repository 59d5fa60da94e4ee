"""The service about itself: whether it is up, whether it is ready, and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from emotion_dj import __version__, affect
from emotion_dj.app.model_registry import audio_model_card
from emotion_dj.domain import Emotion, Mood
from emotion_dj.json_types import JsonObject
from emotion_dj.pairing import Role
from emotion_dj.web.json_route import Route
from emotion_dj.web.models import Axis
from emotion_dj.web.visit import CURRENT

if TYPE_CHECKING:
    from emotion_dj.app import EmotionDJ


class Health(BaseModel):
    """The service is up."""

    status: Literal["ok"]
    version: str
    models: list[str]


class Ready(BaseModel):
    """Sets can be made."""

    status: Literal["ready"]


class About(BaseModel):
    """The words that clients need, and the cards of what reads faces and hears music.

    ``read_on`` says where the page reads faces: on the device, or on the server; ``role`` is that
    of who asks.
    """

    emotions: dict[Emotion, list[Axis]]
    moods: dict[Mood, list[Axis]]
    plans: list[str]
    card: JsonObject
    audio_model: JsonObject
    read_on: Literal["device", "server"]
    role: Role


def routes(dj: EmotionDJ, read_on: str) -> APIRouter:
    """Return the routes; ``read_on`` says where the page reads faces, device or server."""
    routes = APIRouter(tags=["service"], route_class=Route)

    @routes.get("/health", responses={200: {"model": Health}})
    def health() -> JsonObject:
        """Say that the service is up, and with which models."""
        return {"status": "ok", "version": __version__, "models": [dj.reader_card["id"]]}

    @routes.get("/ready", responses={200: {"model": Ready}})
    def ready() -> dict[str, str]:
        """Say that sets can be made: the catalogue and the models are there; 503 or 500 if not."""
        dj.library.current()
        dj.reader_card["id"]
        return {"status": "ready"}

    @routes.get("/about", responses={200: {"model": About}})
    def about() -> JsonObject:
        """Return the words that clients need: emotions, moods, plans, and the reader's card."""
        return {
            "emotions": {e.value: list(affect.EMOTION_AFFECT[e]) for e in Emotion},
            "moods": {m.value: list(point) for m, point in affect.MOOD_AFFECT.items()},
            "plans": [*affect.PLANS, "journey"],
            "card": dj.reader_card,
            "audio_model": audio_model_card(dj.settings.audio_model),
            "read_on": read_on,
            "role": CURRENT.get().role.value,
        }

    return routes
