"""A Starlette application on a real socket (needs the extra `web`)."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def served(application: Any) -> Iterator[str]:
    """Serve an application on a free port of 127.0.0.1 for the block; give its address."""
    import uvicorn

    ready = threading.Event()

    class Server(uvicorn.Server):  # type: ignore[misc]
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            ready.set()

    config = uvicorn.Config(
        application, host="127.0.0.1", port=0, log_level="critical", lifespan="off", ws="none"
    )
    server = Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    ready.wait(30)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(30)
