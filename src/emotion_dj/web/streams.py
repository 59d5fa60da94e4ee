"""The audio of tracks over HTTP, of their files or as their sources send it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.exceptions import HTTPException

from emotion_dj.errors import AudioError
from emotion_dj.music import transcoding
from emotion_dj.sources import streaming
from emotion_dj.sources.folders import is_audio
from emotion_dj.web import sources
from emotion_dj.web.document import file

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from emotion_dj.app import EmotionDJ
    from emotion_dj.interfaces import Audio, AudioStream

PASSED_ON: Final = ("content-type", "content-length", "content-range", "accept-ranges")
GONE: Final = "This track's file is not where it was: scan the library."


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
    """Return a track's audio, as its source sends it, of its file, or made of that for browsers."""
    (track,) = sources.numbered(dj, [number])
    source = dj.services.source_of(track)
    asked = {"range": request.headers["range"]} if "range" in request.headers else {}
    if streaming.can_stream(source):
        return _sent(streaming.stream(source, track, asked, _converted), request)
    path = track.path
    if path is None or not is_music(path):
        raise HTTPException(404, GONE)
    audio = track.section or path
    if _converted(audio) is None:
        return FileResponse(path, media_type=_audio_type(path))
    return _sent(streaming.served(audio, asked, _converted), request)


def _converted(audio: Audio) -> streaming.Content | None:
    """Return what is sent in place of what browsers do not play; damaged files go as they are."""
    try:
        return transcoding.rendition(audio)
    except AudioError:
        return None


def _sent(sound: AbstractContextManager[AudioStream], request: Request) -> Response:
    """Pass a stream on, so that its address and credentials stay here."""
    stack = ExitStack()
    answer = stack.enter_context(sound)
    told = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}

    def body() -> Iterator[bytes]:
        with stack:
            if request.method != "HEAD":
                yield from answer.iter_raw()

    return StreamingResponse(body(), answer.status_code, headers=told)


def is_music(path: pathlib.Path) -> bool:
    """Tell whether a file is there and music: by its name, that of the file to which a link leads,
    or by how it begins where that has no suffix.
    """
    return path.is_file() and (is_audio(path.resolve().name) or _kind(path) != streaming.UNKNOWN)


def _kind(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return streaming.media_type(file.read(12))


def _audio_type(path: pathlib.Path) -> str:
    kind = _kind(path)
    return kind if kind != streaming.UNKNOWN else f"audio/{path.suffix.lower().lstrip('.')}"
