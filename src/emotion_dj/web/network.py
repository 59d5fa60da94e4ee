"""How the service is reached: its names, and the proxies that may stand before it.

How the server is bound decides who has to be let in, not who asks: a proxy on this machine looks
just like somebody who sits at it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from emotion_dj.errors import SettingsError
from emotion_dj.web.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import Scope

    Refusal = tuple[int, str, str]
    """Status, kind and sentence of a problem document."""

LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""The names and addresses by which a machine calls itself."""

ANY: Final = "*"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FORWARDING: Final = frozenset(
    {b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"}
)
"""Headers by which a proxy gives itself away."""

_PREFIX: Final = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_PORTS: Final = {"80", "443"}


@dataclass(frozen=True, slots=True)
class Network:
    """Where the service can be reached from, and by which names.

    ``beyond`` says that others than who sits at this machine can reach it, so that they have to be
    let in. ``names`` are those that it answers to (against DNS rebinding), ``own`` the ones among
    them that were given by who runs it. ``prefix`` is a sub-path, as in /music.
    """

    names: frozenset[str] = LOCAL
    own: frozenset[str] = frozenset()
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    prefix: str = ""
    beyond: bool = False

    @classmethod
    def of(
        cls, host: str, names: Iterable[str] = (), proxies: Iterable[str] = (), *own: str
    ) -> Network:
        """Return what an address to listen on, names (with a sub-path, perhaps) and the addresses
        of proxies come to; ``own`` are further names of this machine. Raises SettingsError.
        """
        parts = [name.partition("/") for name in names]
        given = frozenset(_name(name) for name, _, _ in parts)
        networks = tuple(map(_network, proxies))
        beyond = host not in LOCAL or bool(given) or bool(networks)
        called = (
            LOCAL | {host.lower()} | given | ({name.lower() for name in own} if beyond else set())
        )
        prefixes = {f"/{path}".rstrip("/") for _, _, path in parts}
        if len(prefixes) > 1 or not all(map(_PREFIX.fullmatch, prefixes)):
            msg = "a sub-path is the same in every name, as in  --name home.example/music"
            raise SettingsError(msg)
        return cls(called, given, networks, "".join(prefixes), beyond)

    def trusts(self, address: str) -> bool:
        """Tell whether an address is that of a proxy that was named."""
        try:
            place = ip_address(plain(address))
        except ValueError:
            return False
        return any(place in network for network in self.proxies)

    def arrive(self, scope: Scope) -> tuple[Scope, Visit]:
        """Return a request as it was before trusted proxies passed it on, and who asks."""
        headers = dict(scope["headers"])
        client = plain(scope["client"][0] if scope["client"] else "")
        scope = {**scope, "client": (client, 0)}
        prefix = self.prefix
        if self.trusts(client):
            told = _told(headers)
            scope = self._as_told(scope, told)
            prefix = _as_prefix(told["prefix"]) or prefix
        path = scope["path"]
        if prefix and f"{path}/".startswith(f"{prefix}/"):
            scope = {**scope, "path": path.removeprefix(prefix) or "/"}
        host = _name(dict(scope["headers"]).get(b"host", b"").decode("latin-1"))
        here = not self.beyond and {client, host} <= LOCAL
        return scope, Visit(here=here, prefix=prefix, client=scope["client"][0])

    def _as_told(self, scope: Scope, told: Mapping[str, str]) -> Scope:
        hops = [hop.strip() for hop in told["for"].split(",") if hop.strip()]
        client = next((hop for hop in reversed(hops) if not self.trusts(hop)), scope["client"][0])
        host = told["host"].encode("latin-1", "ignore")
        others = [pair for pair in scope["headers"] if pair[0] != b"host" or not host]
        return {
            **scope,
            "client": (client, 0),
            "scheme": told["proto"] if told["proto"] in {"http", "https"} else scope["scheme"],
            "headers": [*others, *([(b"host", host)] if host else [])],
        }

    def refusal(self, scope: Scope, headers: Mapping[bytes, str]) -> Refusal | None:
        """Return why a request is not taken: by its name, its origin, or a proxy's doing."""
        if not self.beyond and not FORWARDING.isdisjoint(headers):
            msg = (
                "A proxy stands before this service, which was started for this machine alone: "
                "start it with --proxy and the proxy's address, and --name and its name."
            )
            return 403, "proxied", msg
        host = headers.get(b"host", "")
        if not self._answers_to(_name(host), scope):
            return 421, "wrong-host", self._unknown_name(host)
        if scope["method"] not in SAFE and not self._same_origin(host, headers):
            return 403, "cross-site", _from_elsewhere(headers.get(b"origin", "another site"), host)
        return None

    def _answers_to(self, name: str, scope: Scope) -> bool:
        """Tell whether a name is one of ours; so is the address at which the request came in."""
        if ANY in self.names or name in self.names:
            return True
        here = plain(scope["server"][0]) if scope.get("server") else ""
        return self.beyond and plain(name) == here

    def _unknown_name(self, host: str) -> str:
        shown = host[:100].encode("ascii", "replace").decode()
        return (
            f"This service does not answer to the name '{shown}': start it with --name and that "
            "name, or have the proxy pass on the header Host (or X-Forwarded-Host, with --proxy)."
        )

    def _same_origin(self, host: str, headers: Mapping[bytes, str]) -> bool:
        """Tell whether a request is of our own page or of a program.

        Of a name that was given another port or a lost Host is fine: proxies do that.
        """
        site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
        if site is not None:
            return site in {"same-origin", "none"}
        if origin is None:
            return True
        place = origin.partition("://")[2]
        return place == host or _name(place) in self.own


HERE: Final = Network()
"""This machine alone."""


def plain(address: str) -> str:
    """Return an address as it is usually written, one of IPv4 also where IPv6 carries it."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


def _from_elsewhere(origin: str, host: str) -> str:
    return (
        f"A page of {_ascii(origin)} sent this to {_ascii(host)}: requests from other sites are "
        "not taken. If that is a proxy of yours, have it pass on the header Host, or start the "
        "service with --name and its name."
    )


def _ascii(text: str) -> str:
    return text[:100].encode("ascii", "replace").decode()


def _told(headers: Mapping[bytes, bytes]) -> Mapping[str, str]:
    """Return what a proxy says of a request: X-Forwarded-*, else Forwarded (RFC 7239)."""
    text = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
    last = text.get("forwarded", "").rpartition(",")[2]
    pairs = (part.strip().partition("=") for part in last.split(";"))
    rfc = {name.lower(): value.strip('"') for name, _, value in pairs}
    told = {
        name: text.get(f"x-forwarded-{name}", rfc.get(name, ""))
        for name in ("for", "proto", "host", "prefix")
    }
    told["host"] = _with_port(told["host"].partition(",")[0].strip(), text)
    return told


def _with_port(host: str, text: Mapping[str, str]) -> str:
    port = text.get("x-forwarded-port", "")
    bare = host and not re.search(r":\d+$", host)
    return f"{host}:{port}" if bare and port.isdigit() and port not in _PORTS else host


def _as_prefix(told: str) -> str:
    prefix = told.partition(",")[0].strip().rstrip("/")
    return prefix if _PREFIX.fullmatch(prefix) else ""


def _network(address: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(address, strict=False)
    except ValueError as error:
        msg = f"--proxy {address} is neither an address nor a network: give one as 192.168.1.2"
        raise SettingsError(msg) from error


def _name(host: str) -> str:
    """Return the host without its port, for names and for [IPv6] addresses."""
    head, colon, tail = host.rpartition(":")
    return (head if colon and tail.isdigit() and not _bare_ipv6(host) else host).strip("[]").lower()


def _bare_ipv6(host: str) -> bool:
    return host.count(":") > 1 and not host.startswith("[")
