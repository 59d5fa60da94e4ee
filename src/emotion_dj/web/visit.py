"""Who asks, for as long as a request is answered: set by what stands before the service."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from emotion_dj.pairing import Role


@dataclass(frozen=True, slots=True)
class Visit:
    """A request's visitor.

    ``here`` says that they sit at this machine and nobody else can; ``prefix`` is the sub-path
    under which a proxy shows the service, as in /music, else empty; ``client`` is their address.
    """

    here: bool = False
    prefix: str = ""
    role: Role = Role.OWNER
    device: str = ""
    client: str = ""


CURRENT: Final = ContextVar("visit", default=Visit(here=True))  # noqa: B039 - frozen
"""The visit that is answered now; threads that work for it see it too."""


def is_guest() -> bool:
    """Tell whether who asks may listen and show a face, and see nothing of this machine."""
    return CURRENT.get().role is Role.GUEST


def shown(uri: str, number: int) -> str:
    """Return a track's uri as who asks may see it: no path of this machine for a guest."""
    return f"track:{number}" if is_guest() and uri.startswith("file:") else uri


def at(address: str) -> str:
    """Return an address of this service as who asks reaches it."""
    return CURRENT.get().prefix + address
