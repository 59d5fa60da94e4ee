"""Every error as a problem document (RFC 9457): those of ours, of what was asked, and of HTTP."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from emotion_dj import errors
from emotion_dj.web.guard import problem

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

STATUS: Final[dict[type[errors.EmotionDJError], int]] = {
    errors.InputError: 422,
    errors.NoFace: 422,
    errors.Unsure: 422,
    errors.SettingsError: 500,
    errors.CatalogueError: 503,
    errors.ArtifactError: 500,
    errors.MissingExtra: 501,
    errors.RateLimited: 503,
    errors.LoginRequired: 403,
    errors.NotAvailable: 404,
    errors.SourceError: 502,
}
"""The nearest class of an error decides, as in `cli.EXIT_CODES`."""


def answer(api: FastAPI) -> None:
    """Let every error that a route of this service raises be answered with a problem document."""
    api.add_exception_handler(errors.EmotionDJError, _on_error)
    api.add_exception_handler(RequestValidationError, _on_invalid)
    api.add_exception_handler(HTTPException, _on_http)


def told(*statuses: int | str) -> dict[int | str, dict[str, Any]]:
    """Tell the document that answers with these statuses are problem documents."""
    form = {"schema": {"$ref": "#/components/schemas/Problem"}}
    document = {"description": "A problem document", "content": {"application/problem+json": form}}
    return dict.fromkeys(statuses, document)


async def _on_error(_: Request, error: Exception) -> JSONResponse:
    kind = next(kind for kind in STATUS if isinstance(error, kind))
    name = "".join("-" + c.lower() if c.isupper() else c for c in type(error).__name__)
    headers = {}
    if isinstance(error, errors.RateLimited):
        headers["retry-after"] = str(max(1, round(error.retry_at - time.time())))
    return _problem(STATUS[kind], name.lstrip("-"), str(error), headers)


async def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    place = ".".join(map(str, first.get("loc", ())))
    return _problem(422, "invalid-request", f"{place}: {first.get('msg', error)}")


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(getattr(error, "detail", ""))
    kind = {404: "not-found", 405: "method-not-allowed", 400: "bad-request"}.get(status, "refused")
    headers = getattr(error, "headers", None)
    if status == 405:  # noqa: PLR2004
        headers = {"allow": ", ".join(sorted(_methods(request)))}
    return _problem(status, kind, detail, headers)


def _methods(request: Request) -> set[str]:
    """Return every method that the path takes; a route of its own knows of its own only."""
    paths = request.app.openapi()["paths"]
    route = getattr(request.scope.get("route"), "path", "")
    return {method.upper() for method in paths.get(route, {})}


def _problem(
    status: int, kind: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(
        problem(status, kind, detail),
        status,
        media_type="application/problem+json",
        headers=headers,
    )
