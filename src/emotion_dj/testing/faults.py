"""What a server answers when it is not well, for the stand-ins (needs the extra `web`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Fault = Callable[[], Response]


def raw(body: bytes, code: int = 200) -> Fault:
    """Return an answer with any body, as of malformed JSON."""
    return lambda: Response(body, code, media_type="application/json")


def cut() -> Response:
    """Promise more than is sent, and hang up."""
    return Response(b'{"items": [', 200, {"content-length": "5000"})


def slow() -> Response:
    """Answer with a body that drips and never ends."""

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.02)

    return StreamingResponse(drip(), media_type="application/json")
