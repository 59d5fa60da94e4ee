"""Every error as a problem document (RFC 9457): those of ours, of what was asked, and of HTTP."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from emotion_dj import errors
from emotion_dj.json_types import JsonObject
from emotion_dj.web import validation
from emotion_dj.web.middleware import problem

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PROBLEM: Final = "application/problem+json"
KEPT: Final = ("allow", "content-range", "accept-ranges", "retry-after")
"""Headers of a refusal that hold in its problem document too."""

STATUS: Final[dict[type[errors.EmotionDJError], int]] = {
    errors.InputError: 422,
    errors.NoFace: 422,
    errors.LowConfidence: 422,
    errors.SettingsError: 500,
    errors.CatalogueError: 503,
    errors.PairingRefused: 401,
    errors.ArtifactError: 500,
    errors.MissingExtra: 501,
    errors.RateLimited: 503,
    errors.LoginRequired: 403,
    errors.NotAvailable: 404,
    errors.SourceError: 502,
}
"""The nearest class of an error decides, as in `cli.EXIT_CODES`."""


HTTP: Final = {
    400: ("bad-request", "The header Range cannot be understood: write bytes=FIRST-LAST."),
    404: ("not-found", "Nothing is at this address: /api/v1/openapi.json lists what is."),
    405: ("method-not-allowed", "This address does not take that: the header Allow lists what."),
    416: ("range-not-satisfiable", "The range is beyond the end: Content-Range tells the size."),
    500: ("internal-error", "The service failed at this: its log says why."),
}
"""The kind of HTTP's own refusals, and what to say where they have no words of their own."""


@dataclass(frozen=True, slots=True)
class ProblemMiddleware:
    """Wraps an application: what is refused below /api is told in a problem document, also where
    a library in between has an answer of its own.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer but for a refusal of another form."""
        if scope["type"] != "http" or not f"{scope['path']}/".startswith("/api/"):
            await self.app(scope, receive, send)
            return
        replaced = False

        async def send_on(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_foreign(message):
                replaced = True
                await _translated(message)(scope, receive, send)
            elif not replaced:
                await send(message)

        await self.app(scope, receive, send_on)


def _is_foreign(start: Message) -> bool:
    kinds = [value for name, value in start["headers"] if name == b"content-type"]
    return start["status"] >= 400 and kinds != [PROBLEM.encode()]  # noqa: PLR2004


def _translated(start: Message) -> JSONResponse:
    status = start["status"]
    kind, words = HTTP.get(status, ("refused", f"{HTTPStatus(status).phrase}."))
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    forwarded = {name: headers[name] for name in KEPT if name in headers}
    return _problem(status, kind, words, forwarded)


def install(api: FastAPI) -> None:
    """Let every error that a route of this service raises be answered with a problem document."""
    api.add_exception_handler(errors.EmotionDJError, _on_error)
    api.add_exception_handler(RequestValidationError, _on_invalid)
    api.add_exception_handler(HTTPException, _on_http)


def responses(*statuses: int | str) -> dict[int | str, JsonObject]:
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
    return _problem(STATUS[kind], name.lstrip("-"), _advice(error), headers, error)


def _advice(error: Exception) -> str:
    """Return what an error says, without the options of a command line."""
    if isinstance(error, errors.LowConfidence):
        return "the expression cannot be told from this photo: say it with emotion, mood or affect"
    return str(error)


async def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for that
    return _problem(422, "invalid-request", validation.sentence(error.errors()[0]))


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for that
    kind, words = HTTP.get(error.status_code, ("refused", error.detail))
    detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else words
    headers = dict(error.headers or {})
    if error.status_code == 405:  # noqa: PLR2004
        headers = {"allow": ", ".join(sorted(_methods(request)))}
    return _problem(error.status_code, kind, detail, headers)


def _methods(request: Request) -> set[str]:
    """Return every method that the path takes; a route of its own knows of its own only."""
    paths = request.app.openapi()["paths"]
    route = getattr(request.scope.get("route"), "path", "")
    return {method.upper() for method in paths.get(route, {})}


def _problem(
    status: int,
    kind: str,
    detail: str,
    headers: dict[str, str] | None = None,
    error: Exception | None = None,
) -> JSONResponse:
    return JSONResponse(
        {**getattr(error, "values", {}), **problem(status, kind, detail)},
        status,
        media_type=PROBLEM,
        headers=headers,
    )
