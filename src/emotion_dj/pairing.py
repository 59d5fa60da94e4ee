"""Who is let in from elsewhere: devices, each with a token and a role.

An invitation is a code that pairs one device, once, within `CODE_SECONDS`. The device is then known
by its token. Of codes and tokens only digests are kept: they are random and long, so that a digest
tells nothing of them and no slow one is needed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from emotion_dj.domain import ME
from emotion_dj.errors import InputError, PairingRefused

if TYPE_CHECKING:
    from collections.abc import Callable

CODE_SECONDS: Final = 600
"""How long an invitation holds."""

TRIES: Final = 5
TRIES_SECONDS: Final = 60.0
"""Wrong codes that one address may send within so many seconds."""

SEEN_SECONDS: Final = 3600
"""How exactly it is kept when a device was last seen."""

LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""What codes are made of: nothing that is mistaken for something else when it is typed."""

NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
"""What listeners are called: it stands in logs and tables, and is typed."""

LENGTH: Final = 16
"""Letters of a code, 79 bits."""


class Role(StrEnum):
    """What a device may do: all; listen, with a taste of one's own; listen and show a face."""

    OWNER = "owner"
    LISTENER = "listener"
    GUEST = "guest"


@dataclass(frozen=True, slots=True)
class PairedDevice:
    """A device that was let in; times are POSIX seconds."""

    id: str
    name: str
    role: Role
    paired: float
    seen: float
    listener: str = ME.id


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as it is kept."""

    digest: bytes
    role: Role
    made: float
    listener: str = ME.id


@dataclass(frozen=True, slots=True)
class Tries:
    """How many codes somebody has sent, and when the last one, in POSIX seconds."""

    count: int = 0
    last: float = 0.0

    def wait(self, now: float, most: int = TRIES) -> int:
        """Return for how many seconds they have to wait, 0 where they may send one more."""
        if self.count < most or self._is_old(now):
            return 0
        return int(TRIES_SECONDS - max(0.0, now - self.last)) + 1

    def plus(self, now: float) -> Tries:
        """Return the same with one more."""
        return Tries(1 if self._is_old(now) else self.count + 1, now)

    def _is_old(self, now: float) -> bool:
        return abs(now - self.last) >= TRIES_SECONDS  # also where the clock was set back


class DeviceStore(Protocol):
    """Where devices and invitations are kept, for all processes of one service."""

    def key(self) -> bytes:
        """Return the secret by which cookies are signed, made once and for all processes."""
        ...

    def invite(self, invitation: Invitation) -> None:
        """Keep an invitation, and drop those that are older than `CODE_SECONDS` before it."""
        ...

    def invitations(self) -> list[Invitation]:
        """Return the invitations that were not used."""
        ...

    def redeem(self, invitation: Invitation, device: PairedDevice, digest: bytes) -> bool:
        """Take the invitation away and add the device with its token's digest, both or none.

        Returns False where another process was quicker.
        """
        ...

    def find(self, device: str) -> tuple[PairedDevice, bytes] | None:
        """Return a device by its id, and the digest of its token."""
        ...

    def devices(self) -> list[PairedDevice]:
        """Return all devices, the first one that was paired first."""
        ...

    def remove(self, device: str) -> bool:
        """Forget a device; tell whether it was there."""
        ...

    def saw(self, device: str, at: float) -> None:
        """Keep when a device was last seen; nothing happens where that cannot be written now."""
        ...

    def attempt(self, who: str, now: float, most: int = TRIES) -> int:
        """Count what somebody sends, before it is looked at, for all processes together.

        Returns 0, or for how many seconds they have to wait who sent ``most``: then it is not
        counted.
        """
        ...

    def forgive(self, who: str) -> None:
        """Forget what somebody has sent; nothing happens where that cannot be written now."""
        ...


class Pairing:
    """Invites, pairs, recognises and revokes devices."""

    def __init__(self, store: DeviceStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._key = store.key()
        self.cookie = f"emotion-dj-{_digest(self._key.hex()).hex()[:8]}"
        """The name of the cookie: two services under one name do not take each other's."""

    def invite(self, role: Role = Role.OWNER, listener: str = ME.id) -> str:
        """Return a new code that pairs one device in this role, for a listener.

        Raises InputError where that is no name of a listener.
        """
        if not NAME.fullmatch(listener):
            msg = f"'{listener}' names no listener: take up to 32 of a to z, 0 to 9, - and _"
            raise InputError(msg)
        code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        self._store.invite(Invitation(_digest(code), role, self._clock(), listener))
        return code

    def pair(self, code: str, *, name: str, address: str) -> tuple[PairedDevice, str]:
        """Return the new device, and its token, which is told this once.

        Raises PairingRefused for a code that is wrong, used or old, and for an address that has
        sent too many of them.
        """
        now, who = self._clock(), self._signature(f"{address} sends codes")
        wait = self._store.attempt(who, now)
        if wait:
            msg = f"too many codes that do not fit: wait {wait} seconds, then try again"
            raise PairingRefused(msg, retry_after=wait)
        device = PairedDevice(secrets.token_hex(4), name, Role.GUEST, now, now)
        secret = secrets.token_urlsafe(32)
        for invitation in self._fitting(code):
            device = replace(device, role=invitation.role, listener=invitation.listener)
            if self._store.redeem(invitation, device, _digest(secret)):
                self._store.forgive(who)
                return device, f"{device.id}.{secret}"
        msg = "this code does not fit, was used or is too old: ask for a new link"
        raise PairingRefused(msg)

    def _fitting(self, code: str) -> list[Invitation]:
        """Compare with every invitation, so that the time taken tells nothing."""
        digest, now = _digest(code.strip().lower()), self._clock()
        kept = self._store.invitations()
        same = [one for one in kept if hmac.compare_digest(one.digest, digest)]
        return [one for one in same if 0 <= now - one.made < CODE_SECONDS]

    def spend(self, device: PairedDevice, most: int) -> int:
        """Count what a device asks for within this minute, with all devices of its listener.

        Returns 0, or for how many seconds it has to wait that has had ``most``. Raises
        CatalogueError.
        """
        now = self._clock()
        who = device.listener if device.role is Role.LISTENER else device.id
        counted = self._signature(f"{who} asks in minute {now // 60}")
        return 60 - int(now % 60) if self._store.attempt(counted, now, most) else 0

    def device(self, token: str) -> PairedDevice | None:
        """Return the device that a token belongs to, None where it is of no device (any more)."""
        name, _, secret = token.partition(".")
        found = self._store.find(name) if len(token) < 100 and token.isascii() else None  # noqa: PLR2004
        device, digest = found or (None, b"")
        if device is None or not hmac.compare_digest(digest, _digest(secret)):
            return None
        now = self._clock()
        if abs(now - device.seen) > SEEN_SECONDS:
            self._store.saw(device.id, now)
        return device

    def signed(self, token: str) -> str:
        """Return a token as it stands in a cookie."""
        return f"{token}.{self._signature(token)}"

    def token(self, cookie: str) -> str:
        """Return the token of a cookie, empty where this service did not sign it."""
        token, _, signature = cookie.rpartition(".")
        fits = hmac.compare_digest(self._signature(token).encode(), signature.encode())
        return token if fits else ""

    def stream_key(self, device: str, number: int) -> str:
        """Return what lets a player, which has no cookie, hear one track for a device."""
        return f"{device}.{self._signature(f'{device} hears {number}')}"

    def listener(self, key: str, number: int) -> PairedDevice | None:
        """Return the device whose key for a track this is, None where it is none (any more)."""
        name = key.partition(".")[0]
        fits = hmac.compare_digest(self.stream_key(name, number).encode(), key.encode())
        found = self._store.find(name) if fits else None
        return found[0] if found else None

    def _signature(self, token: str) -> str:
        return hmac.new(self._key, token.encode(), hashlib.sha256).hexdigest()

    def devices(self) -> list[PairedDevice]:
        """Return all devices, the first one that was paired first."""
        return self._store.devices()

    def revoke(self, device: str) -> bool:
        """Let a device in no more, from now on; tell whether it was known."""
        return self._store.remove(device)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
