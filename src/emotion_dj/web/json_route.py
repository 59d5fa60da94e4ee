"""JSON bodies, parsed where nobody else has to wait for it, and refused where they are no text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from anyio import to_thread
from fastapi.routing import APIRoute
from starlette.requests import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.responses import Response

    from emotion_dj.json_types import Json

SMALL: Final = 16_000
"""Bytes that are parsed sooner than a thread begins."""


class Route(APIRoute):
    """A route whose JSON is parsed by `parse`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, given requests that parse so."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await handle(_Request(request.scope, request.receive))

        return handler


class _Request(Request):
    async def json(self) -> Json:
        body = await self.body()
        return await to_thread.run_sync(parse, body) if len(body) > SMALL else parse(body)


def parse(body: bytes) -> Json:
    """Return what JSON says. Raises JSONDecodeError also for text that no encoding has (halves of
    surrogate pairs) and for what is nested too deeply.
    """
    try:
        value = json.loads(body)
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError:
        raise
    except (UnicodeError, RecursionError) as error:
        raise json.JSONDecodeError(type(error).__name__, "", 0) from error
    return value
