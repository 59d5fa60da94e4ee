"""What the OpenAPI document tells of routes and their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi
from fastapi.responses import StreamingResponse

from emotion_dj.json_types import JsonObject
from emotion_dj.web import models
from emotion_dj.web.middleware import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI
    from pydantic import BaseModel

ANY: Final = {"type": "string", "format": "binary"}


def gives(model: type[BaseModel], status: int = 200) -> dict[int | str, JsonObject]:
    """Tell the document what an answer is made of."""
    return {status: {"model": model}}


def file(kind: str, status: int = 200, schema: Any = ANY) -> dict[int | str, JsonObject]:
    """Tell the document that an answer is a file of a media type."""
    return {status: {"description": "The file", "content": {kind: {"schema": schema}}}}


def events(events: AsyncIterator[str]) -> StreamingResponse:
    """Return an answer of server-sent events that nothing in between keeps."""
    kept = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=kept)


def document(api: FastAPI) -> JsonObject:
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
