"""The HTTP service: the engine of the command line behind a small JSON API, and the page.

Photos are read in memory and gone: nothing here writes or logs what was sent.
"""

from __future__ import annotations

import logging
import os
import pathlib
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    Path,
    Query,
    Request,
    Response,
)
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount, Route

from emotion_dj import __version__, affect, errors, serializers
from emotion_dj.sources import streaming
from emotion_dj.sources.folders import is_audio
from emotion_dj.web import (
    adding,
    bodies,
    certificates,
    covers,
    devices,
    eye,
    models,
    photos,
    picks,
    playlist_export,
    problems,
    service,
    sources,
    visit,
)
from emotion_dj.web.access import Access
from emotion_dj.web.broadcaster import KEY, ReadingBroadcaster
from emotion_dj.web.json_route import Route as JSONRoute
from emotion_dj.web.metrics import measure
from emotion_dj.web.middleware import MAX_BODY, ROOT, Middleware
from emotion_dj.web.network import HERE
from emotion_dj.web.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from emotion_dj.app import EmotionDJ
    from emotion_dj.app.taste import Feedback
    from emotion_dj.domain import DJSet, PhotoAnalysis, Track
    from emotion_dj.pairing import Pairing
    from emotion_dj.web.network import Network

PASSED_ON: Final = ("content-type", "content-length", "content-range", "accept-ranges")
_log = logging.getLogger(__name__)
MAX_WAITING: Final = 48
"""Listeners that may wait at once for the first songs of a library that is being analysed."""

POINTS: Final = 1500
"""Tracks drawn as the constellation behind a set."""

ANY: Final = {"type": "string", "format": "binary"}
PICTURE_SECONDS: Final = 86_400


def _gives(model: type[BaseModel], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Tell the document what an answer is made of."""
    return {status: {"model": model}}


def _file(kind: str, status: int = 200, schema: Any = ANY) -> dict[int | str, dict[str, Any]]:
    return {status: {"description": "The file", "content": {kind: {"schema": schema}}}}


def create(
    dj: EmotionDJ,
    network: Network = HERE,
    pairing: Pairing | None = None,
    *,
    read_on: str = "device",
    authority: bytes | None = None,
) -> Middleware:
    """Return the service for a DJ, as an ASGI application behind its guard.

    ``pairing`` is who lets devices in, where others can reach it; ``read_on`` says to the page
    whether the device reads faces, or this service does. ``authority`` is who signed the service's
    own certificate (DER), for devices that shall trust it.
    """
    scan = Scan(dj)
    MultiPartParser.spool_max_size = MAX_BODY  # its default puts larger photos into a file

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        scan.start()
        yield
        scan.stop()

    api = FastAPI(
        title="Emotion-DJ",
        version=__version__,
        summary="Show it your face, hear your music.",
        description="Estimates an expression, not a feeling. Photos are read in memory and gone.",
        docs_url=None,
        redoc_url=None,
    )
    measure(api)
    problems.install(api)
    api.openapi = partial(_document, api)  # type: ignore[method-assign]
    recommend = partial(_recommend, dj, scan)
    rooms = (_sets(dj, recommend), _tracks(dj), _library(dj, scan), devices.devices(dj))
    api.include_router(service.routes(dj, read_on), responses=problems.responses("4XX", "5XX"))
    more = (sources.routes(dj), picks.routes(dj, _set_json), adding.routes(dj, scan))
    for routes in (*rooms, *more, playlist_export.routes(dj, recommend, pairing)):
        api.include_router(routes, responses=problems.responses("4XX", "5XX"))
    static = StaticFiles(directory=str(files("emotion_dj.web") / "static"), html=True)
    page = GZipMiddleware(static, minimum_size=500)
    embed = devices.page(dj.settings.spotify_embed)
    trust = [_authority(authority)] if authority else []
    everything = [Mount(ROOT, api), embed, eye.routes(), *trust, Mount("/", page)]
    app = Starlette(routes=everything, lifespan=lifespan)
    guarded = problems.ProblemMiddleware(app)
    return Middleware(Access(guarded, pairing) if pairing else guarded, network)


def _authority(authority: bytes) -> Route:
    """Return the route by which a device gets what it shall trust; it is no secret."""
    kind = "application/x-x509-ca-cert"
    return Route(certificates.PLACE, lambda _: Response(authority, media_type=kind))


def _sets(dj: EmotionDJ, recommend: Callable[[bodies.SetRequest], DJSet]) -> APIRouter:
    routes = APIRouter(tags=["sets"], route_class=JSONRoute)
    broadcaster = ReadingBroadcaster()
    waiting = CapacityLimiter(MAX_WAITING)  # of their own, so that nobody else waits with them
    readers = CapacityLimiter(os.cpu_count() or 1)  # more at once are slower, and each takes memory

    @routes.post("/readings", responses=_gives(models.PhotoAnalysis), openapi_extra=photos.DOCUMENT)
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
        responses=_file("text/event-stream", schema=models.LiveEvent.model_json_schema()),
    )
    async def follow(key: Annotated[str, Path(pattern=KEY)]) -> StreamingResponse:
        """Follow the readings that are sent with this key, as server-sent events, without end."""
        if broadcaster.full:
            raise HTTPException(503, "Too many follow already: try again.", {"retry-after": "5"})
        return _events(broadcaster.events(key))

    @routes.post("/sets", responses=_gives(models.Music))
    async def sets(request: bodies.SetRequest) -> dict[str, Any]:
        """Return a set for faces that were read, an emotion, a mood, a point, words or a song."""
        return await to_thread.run_sync(lambda: _set_json(dj, recommend(request)), limiter=waiting)

    return routes


def _tracks(dj: EmotionDJ) -> APIRouter:
    routes = APIRouter(tags=["tracks"], route_class=JSONRoute)

    @routes.get("/tracks", responses=_gives(models.Tracks))
    def tracks(
        q: Annotated[str, Query(max_length=200, description="Part of a title or artist")] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Search the catalogue by title and artist."""
        matches = dj.library.search(q, limit=limit)
        return {"tracks": [_track_json(number, track) for number, track in matches]}

    @routes.get(
        "/tracks/{number}/stream",
        response_class=FileResponse,
        responses={**_file("audio/*"), **_file("audio/*", status=206)},
    )
    def stream(number: Annotated[int, Path(ge=1, le=2**53)], request: Request) -> Response:
        """Send the audio of a track that the catalogue knows; byte ranges are understood."""
        return _sound(dj, number, request)

    @routes.head("/tracks/{number}/stream", response_class=FileResponse, responses=_file("audio/*"))
    def stream_head(number: Annotated[int, Path(ge=1, le=2**53)], request: Request) -> Response:
        """Tell what /stream would send, without the audio."""
        return _sound(dj, number, request)

    @routes.get(
        "/tracks/{number}/cover",
        response_class=Response,
        responses={**_file("image/jpeg"), 204: {"description": "It carries no picture"}},
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

    @routes.get("/tracks/{number}", responses=_gives(models.Track))
    def track(number: Annotated[int, Path(ge=1, le=2**53)]) -> dict[str, Any]:
        """Return one track."""
        return _track_json(number, *sources.numbered(dj, [number]))

    @routes.post("/feedback", status_code=204)
    def feedback(taste: bodies.Taste, after: BackgroundTasks) -> None:
        """Remember a like, a skip or a play, or take the last like back, here and at the listener's
        own server.
        """
        (track,) = sources.numbered(dj, [taste.track])
        dj.taste.add(taste.track, taste.kind)
        after.add_task(_report_feedback, dj, track, taste.kind)

    @routes.post("/corrections", status_code=204)
    def correction(said: bodies.Correction) -> None:
        """Learn that a face was read wrongly, on this machine alone."""
        faces = serializers.parse_faces([said.face.model_dump()])
        dj.taste.correct(dj.combine(*faces), said.emotion)

    return routes


def _library(dj: EmotionDJ, scan: Scan) -> APIRouter:
    routes = APIRouter(tags=["library"], route_class=JSONRoute)

    @routes.get("/library", responses=_gives(models.Library))
    def library() -> dict[str, Any]:
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

    @routes.post("/library/scan", status_code=202, responses=_gives(models.Started, 202))
    def rescan() -> dict[str, bool]:
        """Hear what is new; doing nothing where a scan is running already."""
        scan.start()
        return {"running": True}

    @routes.get(
        "/library/scan",
        response_class=StreamingResponse,
        responses=_file("text/event-stream", schema=models.ScanEvent.model_json_schema()),
    )
    async def follow() -> StreamingResponse:
        """Tell how a scan goes, as server-sent events: `progress` at each step, then `done`."""
        return _events(scan.events())

    return routes


def _events(events: AsyncIterator[str]) -> StreamingResponse:
    kept = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=kept)


def _recommend(dj: EmotionDJ, scan: Scan, request: bodies.SetRequest) -> DJSet:
    return dj.recommend(
        _faces(dj, request),
        emotion=affect.parse_emotion(request.emotion) if request.emotion else None,
        mood=affect.parse_mood(request.mood) if request.mood else None,
        affect=affect.parse_affect(request.affect) if request.affect else None,
        say=request.say,
        like=request.like,
        only=request.only,
        avoid=request.avoid,
        minutes=request.minutes,
        candidates=sources.music(dj, scan, request.sources),
        plan=affect.parse_plan(request.plan),
        n=request.n,
        seed=request.seed,
        aggregate=request.aggregate,
    )


def _faces(dj: EmotionDJ, request: bodies.SetRequest) -> PhotoAnalysis | None:
    """Return what the faces of a request say together. Raises LabelError or RestingError."""
    if not request.faces:
        return None
    seen = dj.combine(*serializers.parse_faces([face.model_dump() for face in request.faces]))
    return seen if request.resting is None else dj.relative(seen, request.resting)


def _set_json(dj: EmotionDJ, music: DJSet) -> dict[str, Any]:
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


def _track_json(number: int, track: Track) -> dict[str, Any]:
    return {"id": number, **serializers.track_json(track), "uri": visit.shown(track.uri, number)}


def _sound(dj: EmotionDJ, number: int, request: Request) -> Response:
    """Return a track's audio, of its file or as its source sends it."""
    (track,) = sources.numbered(dj, [number])
    source = dj.services.source_of(track)
    if streaming.can_stream(source):
        return _passed_on(source, track, request)
    path = track.path
    if path is None or not _is_music(path):
        raise HTTPException(404, "This track's file is not where it was: scan the library.")
    return FileResponse(path, media_type=_audio_type(path.suffix))


def _passed_on(source: Any, track: Track, request: Request) -> Response:
    """Pass a source's stream on, so that its address and credentials stay here."""
    asked = {"range": request.headers["range"]} if "range" in request.headers else {}
    stack = ExitStack()
    answer = stack.enter_context(streaming.stream(source, track, asked))
    told = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}

    def body() -> Iterator[bytes]:
        with stack:
            if request.method != "HEAD":
                yield from answer.iter_raw()

    return StreamingResponse(body(), answer.status_code, headers=told)


def _is_music(path: pathlib.Path) -> bool:
    """Tell whether a file is there and named as music, also where a link in its place leads."""
    return path.is_file() and is_audio(path.resolve().name)


def _picture(dj: EmotionDJ, track: Track) -> bytes | None:
    if track.path is not None:
        return covers.cover(track.path) if _is_music(track.path) else None
    try:
        artwork = dj.services.artwork(track)
    except (errors.SourceError, errors.SettingsError):
        return None  # the page draws one
    return None if artwork is None else covers.small(artwork)


def _report_feedback(dj: EmotionDJ, track: Track, kind: Feedback) -> None:
    try:
        dj.taste.report(track, kind)
    except (errors.SourceError, errors.SettingsError) as error:
        _log.warning("%s of '%s' was not taken note of: %s", kind, track.title, error)


def _audio_type(suffix: str) -> str:
    kinds = {".opus": "ogg", ".oga": "ogg", ".mp3": "mpeg", ".m4a": "mp4", ".weba": "webm"}
    return f"audio/{kinds.get(suffix.lower(), suffix.lower().lstrip('.'))}"


def _document(api: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the form of the problems that any answer may be."""
    if api.openapi_schema is None:
        document = get_openapi(
            title=api.title,
            version=api.version,
            summary=api.summary,
            description=api.description,
            routes=api.routes,
        )
        document["servers"] = [{"url": ROOT}]
        document["components"]["schemas"]["Problem"] = models.Problem.model_json_schema()
        api.openapi_schema = document
    return api.openapi_schema
