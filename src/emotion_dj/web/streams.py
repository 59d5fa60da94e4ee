"""The audio of tracks over HTTP, of their files or as their sources send it."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.exceptions import HTTPException

from emotion_dj.errors import AudioError
from emotion_dj.music import transcode
from emotion_dj.sources import streaming
from emotion_dj.sources.folders import is_audio
from emotion_dj.web import sources
from emotion_dj.web.document import file
from emotion_dj.web.transcodings import Growing, Transcodings

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import Track

PASSED_ON: Final = ("content-type", "content-length", "content-range", "accept-ranges")

MAX_WAITING: Final = 48
"""Players that may wait at once for a song to be transcoded."""

SOON_S: Final = 2.0
"""Seconds in which most songs are transcoded: a player that asks for all waits for the size."""


def routes(dj: EmotionDJ) -> APIRouter:
    """Return the routes by which tracks are played."""
    routes = APIRouter(tags=["tracks"])
    waiting = CapacityLimiter(MAX_WAITING)  # of their own, so that nobody else waits with them
    sound = partial(_sound, dj, Transcodings())

    @routes.get(
        "/tracks/{number}/stream",
        response_class=FileResponse,
        responses={**file("audio/*"), **file("audio/*", status=206)},
    )
    async def stream(number: Annotated[int, Path(ge=1, le=2**53)], request: Request) -> Response:
        """Send the audio of a track that the catalogue knows; byte ranges are understood.

        What browsers cannot play comes as FLAC where it was lossless, else as Ogg Opus.
        """
        return await to_thread.run_sync(sound, number, request, limiter=waiting)

    @routes.head("/tracks/{number}/stream", response_class=FileResponse, responses=file("audio/*"))
    async def stream_head(
        number: Annotated[int, Path(ge=1, le=2**53)], request: Request
    ) -> Response:
        """Tell what /stream would send, without the audio."""
        return await to_thread.run_sync(sound, number, request, limiter=waiting)

    return routes


def _sound(dj: EmotionDJ, transcodings: Transcodings, number: int, request: Request) -> Response:
    """Return a track's audio, of its file or as its source sends it."""
    (track,) = sources.numbered(dj, [number])
    source = dj.services.source_of(track)
    if streaming.can_stream(source):
        return _passed_on(source, track, request)
    path = track.path
    if path is None or not is_music(path):
        raise HTTPException(404, "This track's file is not where it was: scan the library.")
    try:
        held = transcode.content(path)
    except AudioError:
        return FileResponse(path, media_type=f"audio/{path.suffix[1:].lower()}")
    if held.target is None:
        return FileResponse(path, media_type=held.media_type)
    return _transcoded(transcodings.of(path, held.target), held.media_type, request)


def _transcoded(audio: pathlib.Path | Growing, media_type: str, request: Request) -> Response:
    """Send a transcoding: from its beginning while it grows, any part of it once it is whole.

    Only then its size is known, without which some players refuse a range.
    """
    if not isinstance(audio, Growing):
        return FileResponse(audio, media_type=media_type)
    wanted = request.headers.get("range", "")
    if request.method == "HEAD" or wanted == "bytes=0-":
        audio.wait(timeout=SOON_S)
    elif wanted:
        audio.wait()
    audio.wait(0)
    if audio.is_done and not audio.path.exists():
        raise HTTPException(404, "This track's file is damaged, or too long to be converted.")
    if audio.is_done:
        return FileResponse(audio.path, media_type=media_type)
    body = audio.blocks() if request.method != "HEAD" else ()
    return StreamingResponse(body, headers={"accept-ranges": "bytes"}, media_type=media_type)


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
    """Tell whether a file is there and is music, also where a link in its place leads: by the name
    there, and by the content where that name says nothing.
    """
    if not path.is_file():
        return False
    there = path.resolve()
    return is_audio(there.name) or (not there.suffix and _holds_music(there))


def _holds_music(path: pathlib.Path) -> bool:
    try:
        transcode.content(path)
    except AudioError:
        return False
    return True
