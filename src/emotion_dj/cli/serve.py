"""emotion-dj serve: the page and the HTTP service."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

from emotion_dj.cli.console import Database, say
from emotion_dj.errors import MissingExtra, SettingsError


def serve(
    *,
    library: Annotated[
        list[str] | None,
        typer.Option(help="A folder of music or a source such as demo; may be repeated."),
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 for every network.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8765,
    name: Annotated[
        list[str] | None,
        typer.Option(help="A name that the service may be called by, as behind a proxy; or *."),
    ] = None,
    database: Database = None,
) -> None:
    """Open the page on this machine: your face, your music."""
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        raise MissingExtra("web", "the page")
    import socket

    import uvicorn

    from emotion_dj.app import EmotionDJ, settings
    from emotion_dj.web.app import create
    from emotion_dj.web.middleware import LOCAL

    dj = EmotionDJ(library=library or (), settings=settings.load(database=database))
    dj.library.check()
    try:
        taken = socket.create_server((host, port), reuse_port=False)
    except OSError as error:
        msg = f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port"
        raise SettingsError(msg) from error
    # asyncio does so only to sockets that name their protocol; without it each answer waits 40 ms
    taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    address = f"http://{host}:{taken.getsockname()[1]}"
    say(f"Emotion-DJ plays on {address}  (Ctrl+C stops it)")
    if host not in LOCAL:
        say(
            "note: elsewhere browsers give the camera to https only: use a proxy with a certificate"
        )
    _leave_no_dump()
    app = create(dj, hosts={*LOCAL, host, *(name or ())})
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,  # songs and events have no end of their own
    )
    uvicorn.Server(config).run(sockets=[taken])


def _leave_no_dump() -> None:
    """Keep photos out of crash dumps: a process that dies while it reads leaves none."""
    if find_spec("resource") is not None:  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
