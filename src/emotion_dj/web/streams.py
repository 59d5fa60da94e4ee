"""The audio of tracks over HTTP, of their files or as their sources send it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.exceptions import HTTPException

from emotion_dj.sources import streaming
from emotion_dj.sources.folders import is_audio
from emotion_dj.web import sources
from emotion_dj.web.document import file

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import Track

PASSED_ON: Final = ("content-type", "content-length", "content-range", "accept-ranges")


def routes(dj: EmotionDJ) -> APIRouter:
    """Return the routes by which tracks are played."""
    routes = APIRouter(tags=["tracks"])

    @routes.get(
        "/tracks/{number}/stream",
        response_class=FileResponse,
        responses={**file("audio/*"), **file("audio/*", status=206)},
    )
    def stream(number: Annotated[int, Path(ge=1, le=2**53)], request: Request) -> Response:
        """Send the audio of a track that the catalogue knows; byte ranges are understood."""
        return _sound(dj, number, request)

    @routes.head("/tracks/{number}/stream", response_class=FileResponse, responses=file("audio/*"))
    def stream_head(number: Annotated[int, Path(ge=1, le=2**53)], request: Request) -> Response:
        """Tell what /stream would send, without the audio."""
        return _sound(dj, number, request)

    return routes


def _sound(dj: EmotionDJ, number: int, request: Request) -> Response:
    """Return a track's audio, of its file or as its source sends it."""
    (track,) = sources.numbered(dj, [number])
    source = dj.services.source_of(track)
    if streaming.can_stream(source):
        return _passed_on(source, track, request)
    path = track.path
    if path is None or not is_music(path):
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


def is_music(path: pathlib.Path) -> bool:
    """Tell whether a file is there and named as music, also where a link in its place leads."""
    return path.is_file() and is_audio(path.resolve().name)


def _audio_type(suffix: str) -> str:
    kinds = {".opus": "ogg", ".oga": "ogg", ".mp3": "mpeg", ".m4a": "mp4", ".weba": "webm"}
    return f"audio/{kinds.get(suffix.lower(), suffix.lower().lstrip('.'))}"
