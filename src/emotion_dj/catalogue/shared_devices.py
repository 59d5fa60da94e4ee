"""Paired devices in the database of the catalogue, for replicas that share it.

The key that signs cookies, invitations, devices and tries are the same to all of them, and whoever
one lets in or turns out is let in or turned out by all, at the next request.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from emotion_dj.catalogue.database import Database
from emotion_dj.catalogue.schema import (
    access_devices,
    access_invitations,
    access_secrets,
    access_tries,
)
from emotion_dj.errors import CatalogueError
from emotion_dj.pairing import (
    CODE_SECONDS,
    TRIES,
    TRIES_SECONDS,
    Invitation,
    PairedDevice,
    Role,
    Tries,
)

if TYPE_CHECKING:
    from sqlalchemy import Row

_DEVICE = [access_devices.c[name] for name in ("id", "name", "role", "paired", "seen", "listener")]


class SharedDevices:
    """Fits `pairing.DeviceStore`; any number of threads, processes and machines may use it."""

    def __init__(self, address: str) -> None:
        """Open the database of a server; its tables are made or migrated. Raises CatalogueError."""
        self._database = Database(address)

    def close(self) -> None:
        """Release the database."""
        self._database.close()

    def key(self) -> bytes:
        """Return the secret by which cookies are signed."""
        new = self._database.insert(access_secrets).values(
            name="key", value=secrets.token_bytes(32)
        )
        with self._database.writing() as connection:
            connection.execute(new.on_conflict_do_nothing())
            query = select(access_secrets.c.value).where(access_secrets.c.name == "key")
            return bytes(connection.execute(query).scalar_one())

    def invite(self, invitation: Invitation) -> None:
        """Keep an invitation and drop old ones."""
        old = access_invitations.c.made < invitation.made - CODE_SECONDS
        row = {
            "digest": invitation.digest,
            "role": invitation.role.value,
            "made": invitation.made,
            "listener": invitation.listener,
        }
        with self._database.writing() as connection:
            connection.execute(delete(access_invitations).where(old))
            connection.execute(access_invitations.insert().values(row))

    def invitations(self) -> list[Invitation]:
        """Return the invitations that were not used."""
        kept = access_invitations.c
        query = select(kept.digest, kept.role, kept.made, kept.listener)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Invitation(bytes(digest), Role(role), *rest) for digest, role, *rest in rows]

    def redeem(self, invitation: Invitation, device: PairedDevice, digest: bytes) -> bool:
        """Take the invitation away and add the device."""
        same = access_invitations.c.digest == invitation.digest
        row = {column.name: getattr(device, column.name) for column in _DEVICE}
        row |= {"role": device.role.value, "digest": digest}
        with self._database.writing() as connection:
            taken = connection.execute(delete(access_invitations).where(same))
            if taken.rowcount != 1:  # another replica was quicker, and this one has waited for it
                return False
            connection.execute(access_devices.insert().values(row))
            return True

    def find(self, device: str) -> tuple[PairedDevice, bytes] | None:
        """Return a device and the digest of its token."""
        query = select(*_DEVICE, access_devices.c.digest).where(access_devices.c.id == device)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (_device(row), bytes(row.digest))

    def devices(self) -> list[PairedDevice]:
        """Return all devices."""
        query = select(*_DEVICE).order_by(access_devices.c.paired, access_devices.c.id)
        with self._database.reading() as connection:
            return [_device(row) for row in connection.execute(query).all()]

    def remove(self, device: str) -> bool:
        """Forget a device."""
        with self._database.writing() as connection:
            gone = delete(access_devices).where(access_devices.c.id == device)
            return connection.execute(gone).rowcount == 1

    def saw(self, device: str, at: float) -> None:
        """Keep when a device was last seen."""
        change = update(access_devices).where(access_devices.c.id == device)
        with suppress(CatalogueError), self._database.writing() as connection:
            connection.execute(change.values(seen=at))

    def attempt(self, who: str, now: float, most: int = TRIES) -> int:
        """Count what somebody sends, or return for how many seconds they have to wait."""
        self._forget_tries_before(now - TRIES_SECONDS)
        new = self._database.insert(access_tries).values(who=who, count=0, last=now)
        locked = new.on_conflict_do_update(index_elements=["who"], set_={"who": who})
        with self._database.writing() as connection:
            row = connection.execute(locked.returning(access_tries.c.count, access_tries.c.last))
            sent = Tries(*row.one())
            wait, more = sent.wait(now, most), sent.plus(now)
            if not wait:
                change = update(access_tries).where(access_tries.c.who == who)
                connection.execute(change.values(count=more.count, last=more.last))
            return wait

    def _forget_tries_before(self, at: float) -> None:
        """Drop old tries, but for those that others are counting now: nobody waits for anybody."""
        free = select(access_tries.c.who).where(access_tries.c.last < at)
        old = access_tries.c.who.in_(free.with_for_update(skip_locked=True))
        with self._database.writing() as connection:
            connection.execute(delete(access_tries).where(old))

    def forgive(self, who: str) -> None:
        """Forget what somebody has sent."""
        with suppress(CatalogueError), self._database.writing() as connection:
            connection.execute(delete(access_tries).where(access_tries.c.who == who))


def _device(row: Row[Any]) -> PairedDevice:
    return PairedDevice(row.id, row.name, Role(row.role), row.paired, row.seen, row.listener)
