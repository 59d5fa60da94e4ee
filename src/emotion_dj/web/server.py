"""Runs the service on a socket: uvicorn, with limits of ours, and an end that comes at once."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from emotion_dj.errors import SettingsError
from emotion_dj.web.connection import Connection, Connections, room_for_connections
from emotion_dj.web.network import plain

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from emotion_dj.web.certificates import OwnCertificate
    from emotion_dj.web.network import Network

HANDSHAKE_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 10
"""For which a service that ends lets requests come to their end."""

BACKLOG: Final = 2048
DAY: Final = 86_400
ALL: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - names of all networks, asked about
"""What stands for every address of this machine."""

_ELSEWHERE: Final = (
    (socket.AF_INET, "192.0.2.1"),
    (socket.AF_INET6, "2001:db8::1"),
)
"""Addresses of documentation: a route to them is looked up, nothing is sent."""


class Server(uvicorn.Server):  # type: ignore[misc] # untyped
    """Ends songs and events at once: they have no end of their own."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drop the streams, then let requests come to their end."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, Connection) and connection.streams:
                connection.drop()
        await super().shutdown(sockets)


def run(
    app: ASGIApp,
    sockets: list[socket.socket],
    network: Network,
    certificate: OwnCertificate | None = None,
) -> None:
    """Serve until a signal ends it; https where there is a certificate, which is renewed."""
    connections = Connections(partial(_stands_for_many, network), room_for_connections())
    config = uvicorn.Config(
        app,
        http=partial(Connection, connections),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_notify=DAY,
        callback_notify=certificate.renew if certificate else None,
    )
    config.load()
    with asyncio.Runner() as runner:
        loop: Any = runner.get_loop()
        if certificate:
            config.ssl = certificate.context
            loop.create_server = partial(
                loop.create_server, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
        runner.run(Server(config).serve(sockets))


def _stands_for_many(network: Network, address: str) -> bool:
    """Tell whether others may stand behind an address: this machine's own, and known proxies'."""
    try:
        return ip_address(plain(address)).is_loopback or network.trusts(address)
    except ValueError:
        return True


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; on :: for IPv4 as well. Raises SettingsError."""
    try:
        family, _, _, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        both = family == socket.AF_INET6 and host == "::" and socket.has_dualstack_ipv6()
        taken = socket.create_server(
            place[:2], family=family, dualstack_ipv6=both, backlog=BACKLOG, reuse_port=False
        )
    except OSError as error:
        msg = f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port"
        raise SettingsError(msg) from error
    # asyncio does so only to sockets that name their protocol; without it each answer waits 40 ms
    taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return taken


def own_names() -> tuple[str, ...]:
    """Return what this machine is called in its network: by its name, also as mDNS spells it."""
    name = socket.gethostname().partition(".")[0].lower()
    return (name, f"{name}.local") if name and name != "localhost" else ()


def own_addresses() -> list[str]:
    """Return the addresses by which others reach this machine; none where no network is up."""
    found = {address for family, far in _ELSEWHERE if (address := _route(family, far))}
    return sorted(found, key=lambda address: (":" in address, address))


def _route(family: socket.AddressFamily, far: str) -> str:
    """Return the address from which this machine would speak to a far one, empty for none."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as line:
            line.connect((far, 9))
            address: str = line.getsockname()[0]
    except OSError:
        return ""
    return "" if ip_address(address).is_loopback else address


def url(scheme: str, host: str, port: int) -> str:
    """Return an address as a browser takes it."""
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
