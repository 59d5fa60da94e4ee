"""The service about itself: whether it is up, whether it is ready, and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, HTTPException
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
    from emotion_dj.pairing import Pairing


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
    of who asks, and ``invites`` whether they may invite others.
    """

    emotions: dict[Emotion, list[Axis]]
    moods: dict[Mood, list[Axis]]
    plans: list[str]
    card: JsonObject
    audio_model: JsonObject
    read_on: Literal["device", "server"]
    role: Role
    invites: bool


class Code(BaseModel):
    """What pairs one more device, within ten minutes, by the address  pair?code=CODE."""

    code: str


def routes(dj: EmotionDJ, read_on: str, pairing: Pairing | None = None) -> APIRouter:
    """Return the routes; ``read_on`` says where the page reads faces, device or server; without a
    ``pairing`` nobody needs an invitation.
    """
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
            "invites": pairing is not None and CURRENT.get().role is Role.OWNER,
        }

    @routes.post("/invitations", status_code=201, responses={201: {"model": Code}})
    def invite() -> JsonObject:
        """Return a code that lets one guest in; 404 where nobody needs one."""
        if pairing is None:
            raise HTTPException(404, "Nobody needs an invitation here.")
        return {"code": pairing.invite(Role.GUEST)}

    return routes
