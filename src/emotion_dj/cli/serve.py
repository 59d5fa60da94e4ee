"""emotion-dj serve: the page and the HTTP service."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emotion_dj.cli.console import INTERRUPTED, STOPPED, Database, Include, say, tell
from emotion_dj.errors import MissingExtra

if TYPE_CHECKING:
    from emotion_dj.app.settings import Settings
    from emotion_dj.pairing import Pairing
    from emotion_dj.web.network import Network


def serve(
    *,
    library: Annotated[
        list[str] | None,
        typer.Option(help="A folder of music or a source such as demo; may be repeated."),
    ] = None,
    include: Include = None,
    lan: Annotated[
        bool, typer.Option("--lan", help="For your network: every address, with --tls.")
    ] = False,
    host: Annotated[
        str | None, typer.Option(help="Where to listen; 0.0.0.0 or :: for every network.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0 takes any free one.")
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="A name that the service may be called by, as behind a proxy, perhaps with a "
            "sub-path: home.example/music; or *."
        ),
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(help="The address of a proxy whose forwarded headers are believed."),
    ] = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="Speak https, with a certificate of its own.")
    ] = False,
    log: Annotated[
        Literal["off", "lines", "json"] | None,
        typer.Option(help="Requests on stderr; beyond this machine in lines unless it is said."),
    ] = None,
    read_on: Annotated[
        Literal["device", "server"] | None,
        typer.Option(help="Where the page reads faces: server is for devices that are too old."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A settings file in place of the user's own.")
    ] = None,
    database: Database = None,
) -> None:
    """Open the page on this machine: your face, your music. Beyond it devices are paired first."""
    if not all(map(find_spec, ("fastapi", "rjsmin", "uvicorn"))):
        raise MissingExtra("web", "the page")
    from emotion_dj.app import settings

    chosen = settings.load(
        file=config,
        database=database,
        host=host or ("::" if lan else None),
        port=port,
        name=",".join(name) if name else None,
        proxy=",".join(proxy) if proxy else None,
        tls="own" if tls or lan else None,
        log=log,
        read_on=read_on,
        include=include,
    )
    _serve(chosen, library or ())


def _serve(chosen: Settings, library: list[str] | tuple[()]) -> None:
    from emotion_dj.app import EmotionDJ, traces
    from emotion_dj.app.devices import pairing
    from emotion_dj.web import certificates, log, mdns, server
    from emotion_dj.web.app import create
    from emotion_dj.web.network import Network

    if chosen.traces:
        traces.check(chosen.traces)
    dj = EmotionDJ(library=library, settings=chosen)
    dj.library.check()
    names, proxies = _listed(chosen.name), _listed(chosen.proxy)
    network = Network.of(chosen.host, names, proxies, *server.own_names())
    known = pairing(chosen) if network.beyond else None
    own = certificates.own(network) if chosen.tls == "own" else None
    taken = server.listen(chosen.host, chosen.port)
    here = _announce(chosen, network, known, taken.getsockname()[1])
    if own:
        say(own.advice())
    sys.stdout.write(f"{here}\n")  # last: a program that has read it finds the link on stderr
    sys.stdout.flush()
    _leave_no_dump()
    listener = log.start(_log_form(chosen, network))
    authority = own.authority if own else None
    app = create(dj, network, known, read_on=chosen.read_on, authority=authority)
    everywhere = chosen.host in server.ALL and not network.proxies
    places = server.own_addresses() if everywhere else []
    name = "".join(server.own_names()[:1])
    scheme, port = "https" if own else "http", taken.getsockname()[1]
    try:
        with mdns.announced(scheme, name, places, port):
            server.run(log.RequestLog(app), [taken], network, own)
    except KeyboardInterrupt:
        listener.stop()
        tell(STOPPED)
        os._exit(INTERRUPTED)  # a library that is being heard would be waited for


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _log_form(chosen: Settings, network: Network) -> Literal["off", "lines", "json"]:
    form = chosen.log or ("lines" if network.beyond else "off")
    return "json" if form == "json" else "lines" if form == "lines" else "off"


def _announce(chosen: Settings, network: Network, known: Pairing | None, port: int) -> str:
    """Print how the service is reached, and return its address on this machine."""
    from emotion_dj.web import server

    scheme = "https" if chosen.tls == "own" else "http"
    here = server.url(scheme, "127.0.0.1" if chosen.host in server.ALL else chosen.host, port)
    say(f"Emotion-DJ plays on {here}  (Ctrl+C stops it)")
    if known is not None:
        _tell_others(network, known, _addresses(chosen, network, port), here)
    return here


def _tell_others(network: Network, known: Pairing, addresses: list[str], here: str) -> None:
    """Print how other devices reach the service, and the link that lets one in."""
    if not addresses:
        say("no network is up: only this machine reaches it")
    for address in addresses:
        say(f"from other devices: {address}")
    _invite(known, (addresses or [here])[0])
    if here.startswith("http:") and not network.own:
        say("note: elsewhere browsers give the camera to https only: serve with --tls, or a proxy")


def _addresses(chosen: Settings, network: Network, port: int) -> list[str]:
    """Return how others reach the service: by the names that it was given, else by its own."""
    from emotion_dj.web import server
    from emotion_dj.web.network import LOCAL

    scheme = "https" if chosen.tls == "own" else "http"
    if chosen.host in LOCAL or network.proxies:  # so a proxy stands before it, at its own port
        return [f"https://{name}" for name in _listed(chosen.name) if name != "*"]
    if chosen.host not in server.ALL:
        return [server.url(scheme, chosen.host, port)]
    places = [*server.own_addresses(), *server.own_names()[1:]]
    return [server.url(scheme, place, port) for place in places]


def _invite(known: Pairing, address: str) -> None:
    """Print a link that pairs one device, and as a QR code where it can be scanned."""
    link = f"{address}/pair?code={known.invite()}"
    say(f"to let a device in, once and within ten minutes, open there:\n  {link}")
    if find_spec("segno") and (sys.stderr.isatty() or not known.devices()):
        import segno

        segno.make(link, error="l").terminal(out=sys.stderr, compact=True)
    say("another link: emotion-dj devices invite [--guest]; who was let in: devices list")


def _leave_no_dump() -> None:
    """Keep photos out of crash dumps: a process that dies while it reads leaves none."""
    if find_spec("resource") is not None:  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
