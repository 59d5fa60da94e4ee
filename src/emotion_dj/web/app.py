"""The HTTP service: the engine of the command line behind a small JSON API, and the page.

Photos are read in memory and gone: nothing here writes or logs what was sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from anyio import to_thread
from fastapi import FastAPI, Response
from starlette.applications import Starlette
from starlette.formparsers import MultiPartParser
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount, Route

from emotion_dj import __version__
from emotion_dj.app.traces import Traces
from emotion_dj.web import (
    adding,
    certificates,
    devices,
    eye,
    library,
    picks,
    playlist_export,
    problems,
    readings,
    service,
    sets,
    sources,
    streams,
    taste,
    tracks,
)
from emotion_dj.web.access import Access
from emotion_dj.web.broadcaster import ReadingBroadcaster
from emotion_dj.web.document import document
from emotion_dj.web.metrics import measure
from emotion_dj.web.middleware import MAX_BODY, ROOT, Middleware
from emotion_dj.web.network import HERE
from emotion_dj.web.scan import Scan
from emotion_dj.web.shell import Shell
from emotion_dj.web.traced import Traced

if TYPE_CHECKING:
    from fastapi import APIRouter
    from fastapi.telemetry import TelemetryConfig

    from emotion_dj.app import EmotionDJ
    from emotion_dj.pairing import Pairing
    from emotion_dj.web.network import Network


_SILENT: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
"""What the framework tells of itself holds paths, with the keys of cameras, and what errors say."""


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
    scan, broadcaster = Scan(dj), ReadingBroadcaster()
    traces = Traces(dj.settings.traces) if dj.settings.traces else None
    MultiPartParser.spool_max_size = MAX_BODY  # its default puts larger photos into a file

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        scan.start()
        scan.watch()
        with broadcaster.connected(dj.settings):
            yield
        scan.stop()
        if traces:
            await to_thread.run_sync(traces.close)

    recommend = partial(sets.recommended, dj, scan)
    api = _api(
        readings.routes(dj, broadcaster),
        sets.routes(dj, recommend),
        streams.routes(dj),
        tracks.routes(dj),
        taste.routes(dj),
        library.routes(dj, scan),
        devices.devices(dj),
        service.routes(dj, read_on, pairing),
        sources.routes(dj),
        picks.routes(dj, sets.set_json),
        adding.routes(dj, scan),
        playlist_export.routes(dj, recommend, pairing),
    )
    page = GZipMiddleware(Shell(), minimum_size=500, compresslevel=6)
    embed = devices.page(dj.settings.spotify_embed)
    trust = [_authority(authority)] if authority else []
    everything = [Mount(ROOT, api), embed, eye.routes(), *trust, Mount("/", page)]
    app = Starlette(routes=everything, lifespan=lifespan)
    guarded = problems.ProblemMiddleware(app)
    access = Access(guarded, pairing, dj.settings.quota) if pairing else guarded
    return Middleware(Traced(access, traces) if traces else access, network)


def _api(*routers: APIRouter) -> FastAPI:
    """Return what answers in JSON, with problems as documents and figures of its work."""
    api = FastAPI(
        title="Emotion-DJ",
        version=__version__,
        summary="Show it your face, hear your music.",
        description="Estimates an expression, not a feeling. Photos are read in memory and gone.",
        docs_url=None,
        redoc_url=None,
        telemetry=_SILENT,
    )
    measure(api)
    problems.install(api)
    api.openapi = partial(document, api)  # type: ignore[method-assign]
    for routes in routers:
        api.include_router(routes, responses=problems.responses("4XX", "5XX"))
    return api


def _authority(authority: bytes) -> Route:
    """Return the route by which a device gets what it shall trust; it is no secret."""
    kind = "application/x-x509-ca-cert"
    return Route(certificates.PLACE, lambda _: Response(authority, media_type=kind))
