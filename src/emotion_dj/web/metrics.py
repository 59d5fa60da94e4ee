"""Counts and times requests for Prometheus; no address and no content is kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


def measure(app: FastAPI) -> None:
    """Count requests by route and status, and time them; no address and no content is kept."""
    registry = CollectorRegistry()
    counted = Counter("requests", "Requests", ["route", "status"], "emotion_dj", registry=registry)
    timed = Histogram("seconds", "Time to answer", ["route"], "emotion_dj", registry=registry)

    def measured(served: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            began = time.perf_counter()

            async def send_on(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route = getattr(scope.get("route"), "path", "/")
                    counted.labels(route, message["status"]).inc()
                    timed.labels(route).observe(time.perf_counter() - began)
                await send(message)

            await served(scope, receive, send_on)

        return answer

    app.add_middleware(measured)

    @app.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Return the counters in Prometheus' text form."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
