"""Traces requests where the settings name a collector: see `app.traces`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from emotion_dj.app.traces import Traces


@dataclass(frozen=True, slots=True)
class Traced:
    """Wraps an ASGI application."""

    app: ASGIApp
    traces: Traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; note the template of its route, never its path, and the status."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with self.traces.request(scope["method"]) as answer:

            async def send_on(message: Message) -> None:
                if message["type"] == "http.response.start":
                    answer.route = getattr(scope.get("route"), "path", "")
                    answer.status = message["status"]
                await send(message)

            await self.app(scope, receive, send_on)
