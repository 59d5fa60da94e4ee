"""Sets saved: as a file for the listener, or as a playlist of their service."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final, Literal

from fastapi import APIRouter, Request, Response

from emotion_dj import affect, messages, playlists
from emotion_dj.domain import Affect, DJSet, Media, Pick, Reason
from emotion_dj.errors import LoginRequired, SettingsError
from emotion_dj.json_types import JsonObject
from emotion_dj.pairing import Role
from emotion_dj.web import bodies, models
from emotion_dj.web.json_route import Route
from emotion_dj.web.middleware import ROOT
from emotion_dj.web.sources import numbered
from emotion_dj.web.visit import CURRENT, at, mine

if TYPE_CHECKING:
    from collections.abc import Callable

    from emotion_dj.app import EmotionDJ
    from emotion_dj.interfaces import Sink
    from emotion_dj.pairing import Pairing

    Recommend = Callable[[bodies.SetRequest], DJSet]

NAME: Final = "Emotion-DJ"
"""The only playlist that is written, so that no visitor of the page can replace another one."""

ANYWHERE: Final = Affect(0.0, 0.0, uncertainty=1.0)
"""Where songs stand that were placed before: it is not asked again."""

FILE: Final[dict[int | str, JsonObject]] = {
    200: {
        "description": "The file",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def routes(dj: EmotionDJ, recommend: Recommend, pairing: Pairing | None = None) -> APIRouter:
    """Return the routes by which sets are saved; ``recommend`` answers a request.

    Where devices are paired, an address of a stream holds a key: players have no cookie.
    """
    routes = APIRouter(tags=["saving"], route_class=Route)

    def requested_set(request: bodies.SetRequest | bodies.PlaylistRequest) -> DJSet:
        dj_set = (
            _listed(dj, request)
            if isinstance(request, bodies.PlaylistRequest)
            else recommend(request)
        )
        if CURRENT.get().role is not Role.GUEST:
            mine(dj).taste.played(dj_set)
        return dj_set

    @routes.post("/playlists/{form}", response_class=Response, responses=FILE)
    def playlist(
        form: Literal["m3u8", "xspf", "jspf"], request: bodies.ExportRequest, http_request: Request
    ) -> Response:
        """Return a set that was made before, or that of a request, as a playlist file.

        Who asks from another machine gets addresses of this service in place of paths of its files.
        """
        music = requested_set(request)
        service = str(http_request.url.replace(path="", query="", fragment=""))
        music = _streamed(dj, music, f"{service}{at(ROOT)}", pairing)
        data = playlists.render(music, form, explain=messages.explain)
        headers = {"content-disposition": f'attachment; filename="emotion-dj.{form}"'}
        return Response(data, media_type="application/octet-stream", headers=headers)

    @routes.post("/sources/{name}/playlists", responses={200: {"model": models.Written}})
    def write(name: str, request: bodies.ExportRequest) -> JsonObject:
        """Write a set that was made before, or that of a request, to a service, in place of the one
        that was written there before.
        """
        sink = _sink(dj, name)
        saved = sink.write(requested_set(request), name=NAME)
        return {**asdict(saved), "where": messages.saved(saved)}

    return routes


def _streamed(dj: EmotionDJ, music: DJSet, service: str, pairing: Pairing | None) -> DJSet:
    """Return a set in which all that sounds is named by where this service streams it."""
    visit = CURRENT.get()
    numbers = dj.library.numbers([pick.track.uri for pick in music.picks])

    def streamed(pick: Pick) -> Pick:
        if (visit.here and pick.track.path) or not dj.services.can_stream(pick.track):
            return pick
        number = numbers[pick.track.uri]
        key = f"?key={pairing.stream_key(visit.device, number)}" if pairing else ""
        place = f"{service}/tracks/{number}/stream{key}"
        return replace(pick, track=replace(pick.track, media=Media("stream", place)))

    return replace(music, picks=tuple(map(streamed, music.picks)))


def _listed(dj: EmotionDJ, request: bodies.PlaylistRequest) -> DJSet:
    """Return the songs as a set, in their order."""
    tracks = numbered(dj, [song.id for song in request.songs])
    mood = affect.mood(ANYWHERE)
    picks = tuple(
        Pick(track, ANYWHERE, mood, score=0.0, reasons=_in_words(song.reason))
        for track, song in zip(tracks, request.songs, strict=True)
    )
    plan, path = affect.parse_plan(request.plan), (ANYWHERE,) * len(picks)
    return DJSet(picks, plan, path, ANYWHERE, Reason("chosen_before"))


def _in_words(sentence: str) -> tuple[Reason, ...]:
    """Return what the page said of a song, in its own language, as the reason that it is."""
    return (Reason("text", {"text": sentence}),) if sentence else ()


def _sink(dj: EmotionDJ, name: str) -> Sink:
    """Return a service that takes sets now. Raises LoginRequired, also where it is not set up: who
    asks over HTTP can do nothing about settings.
    """
    try:
        sink = dj.services.sink(name)
    except SettingsError as error:
        raise LoginRequired(str(error)) from error
    if name not in dj.services.available_sinks():
        msg = f"nobody is logged in there: run  emotion-dj login {name}"
        raise LoginRequired(msg)
    return sink
