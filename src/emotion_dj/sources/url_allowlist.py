"""Addresses that a service hands us: used only where they lead to a host known to be its own."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from emotion_dj.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Collection


def is_allowed(address: str, hosts: Collection[str], service: str) -> bool:
    """Tell whether an address may be asked: HTTPS to one of the hosts or below it, or ``service``.

    ``service`` is the address of the service itself, which a user may have set to a proxy.
    """
    try:
        parts, own = urlsplit(address), urlsplit(service)
        host = parts.hostname or ""
        same = (parts.scheme, host, parts.port) == (own.scheme, own.hostname, own.port)
    except ValueError:
        return False
    if parts.username or parts.password:
        return False
    below = any(host == name or host.endswith(f".{name}") for name in hosts)
    return same or (parts.scheme == "https" and parts.port in {None, 443} and below)


def not_allowed(name: str, address: str) -> SourceError:
    """Return the error of an address that is not trusted; it names the host alone."""
    host = urlsplit(address).netloc.rpartition("@")[2] or "nowhere"
    return SourceError(f"{name} sent an address at {host}, which is none of its own: not followed")
