"""Who asks, for as long as a request is answered: set by what stands before the service."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from emotion_dj.domain import ME, Listener
from emotion_dj.pairing import Role

if TYPE_CHECKING:
    from emotion_dj.app import EmotionDJ


@dataclass(frozen=True, slots=True)
class Visit:
    """A request's visitor.

    ``here`` says that they sit at this machine and nobody else can; ``prefix`` is the sub-path
    under which a proxy shows the service, as in /music, else empty; ``client`` is their address;
    ``listener`` is whose taste their music follows.
    """

    here: bool = False
    prefix: str = ""
    role: Role = Role.OWNER
    listener: Listener = ME
    device: str = ""
    client: str = ""


CURRENT: Final = ContextVar("visit", default=Visit(here=True))  # noqa: B039 - frozen
"""The visit that is answered now; threads that work for it see it too."""


def is_owner() -> bool:
    """Tell whether who asks may see what is on this machine, and change it."""
    return CURRENT.get().role is Role.OWNER


def mine(dj: EmotionDJ) -> EmotionDJ:
    """Return the facade for the listener who asks."""
    return dj.of(CURRENT.get().listener)


def shown(uri: str, number: int) -> str:
    """Return a track's uri as who asks may see it: paths of this machine are the owner's."""
    return uri if is_owner() or not uri.startswith("file:") else f"track:{number}"


def at(address: str) -> str:
    """Return an address of this service as who asks reaches it."""
    return CURRENT.get().prefix + address
